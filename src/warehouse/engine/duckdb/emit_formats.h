#pragma once
/// Redshift's format models: to_char, to_date, to_timestamp, to_number.
/// Source: Database Developer Guide, "Datetime format strings" and "Numeric format strings". Pure; any thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::warehouse::engine::formats {

/// `micros` since 1970-01-01.
std::string format_timestamp(int64_t micros, std::string_view model);
/// Reads the text by the model; what the model doesn't say is 0001-01-01 00:00. With `strict` (to_date's third argument)
/// a day that doesn't exist is an error instead of running over. `zone_seconds` is east of UTC where the model has OF.
Result<int64_t> parse_timestamp(std::string_view text, std::string_view model, bool strict);
/// A number in its text form.
Result<std::string> format_number(std::string_view number, std::string_view model);
/// The plain decimal text that `text` says by the model.
Result<std::string> parse_number(std::string_view text, std::string_view model);

}  // namespace redoubt::warehouse::engine::formats
