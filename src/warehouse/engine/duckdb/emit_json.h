#pragma once
/// JSON functions on strings and on SUPER (whose values are JSON text). nullopt is SQL's NULL. Pure; any thread.
/// Source: Database Developer Guide, "JSON functions", "SUPER type information functions", "Array functions".
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::warehouse::engine::json {

using Text = std::optional<std::string>;

/// With `lenient`, invalid JSON gives NULL instead of an error.
Result<Text> extract_path(std::span<const std::optional<std::string_view>> path, bool lenient);
Result<Text> extract_element(std::string_view array, int64_t index, bool lenient);
Result<std::optional<int32_t>> array_length(std::string_view array, bool lenient);
bool is_valid(std::string_view text);  // of an object or array, as is_valid_json has it
bool is_valid_array(std::string_view text);
bool can_parse(std::string_view text);  // any JSON value
Result<std::string> parse(std::string_view text);

Text super_text(std::string_view value);  // a scalar's text, an array's or object's JSON; JSON null: NULL
Text super_field(std::string_view value, std::string_view name);
Text super_element(std::string_view value, int64_t index);  // from 0
std::string super_array(std::span<const std::optional<std::string_view>> items);
Result<std::string> super_object(std::span<const std::optional<std::string_view>> pairs);
Text array_concat(std::string_view a, std::string_view b);
Text array_flatten(std::string_view value);
std::optional<int32_t> get_array_length(std::string_view value);
Text subarray(std::string_view value, int64_t start, std::optional<int64_t> length);
/// Positions count from 0; NULL where there is none.
std::optional<bool> contains(std::string_view array, std::string_view item);
std::optional<int32_t> position(std::string_view array, std::string_view item);
Text positions(std::string_view array, std::string_view item);
enum class SetOp : uint8_t { kDistinct, kExcept, kIntersection, kUnion };
Text set_operation(SetOp op, std::string_view a, std::string_view b);  // each value once, in the order of a, then b
std::optional<bool> overlap(std::string_view a, std::string_view b);
std::string split_to_array(std::string_view text, std::string_view by);
std::string type_of(std::string_view value);  // number, string, boolean, array, object, null
/// Is the value a whole number that fits so many bits? 0: any number without a fraction.
bool is_whole(std::string_view value, int bits);
bool is_decimal(std::string_view value);  // has a fraction and no exponent
bool is_float(std::string_view value);    // has an exponent

}  // namespace redoubt::warehouse::engine::json
