#pragma once
/// String functions of Redshift on plain strings: what emit_udf_texts.cpp offers to DuckDB. Lengths and positions count
/// characters, from 1, as Redshift does. Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::warehouse::engine::texts {

std::string substring(std::string_view text, int64_t start, std::optional<int64_t> length);
std::string pad(std::string_view text, int64_t length, std::string_view fill, bool left);
std::string overlay(std::string_view text, std::string_view by, int64_t start, std::optional<int64_t> length);
Result<std::string> repeat(std::string_view text, int64_t times);
Result<std::string> split_part(std::string_view text, std::string_view by, int64_t part);
std::string initcap(std::string_view text);
Result<std::string> chr(int64_t code);
Result<std::string> sha2(std::string_view text, int64_t bits);
int64_t fnv_hash(std::string_view bytes, std::optional<int64_t> seed = std::nullopt);
int32_t checksum(std::string_view text);
Result<int64_t> strtol(std::string_view text, int64_t base);
std::string quote_ident(std::string_view text);
std::string quote_literal(std::string_view text);
std::string soundex(std::string_view text);
Result<std::string> to_varbyte(std::string_view text, std::string_view format);  // hex, hexadecimal, utf8, base64
Result<std::string> from_varbyte(std::string_view bytes, std::string_view format);

/// Regular expressions (POSIX ones, by RE2: linear time, no look-around). Compiled patterns are kept per thread.
Result<bool> regex_matches(std::string_view text, std::string_view pattern, bool ignore_case = false);
/// `parameters`: c case-sensitive, i not, e the first group is the result (with a number in newer clusters), p is refused.
Result<std::string> regexp_substr(std::string_view text, std::string_view pattern, int64_t position, int64_t occurrence,
                                  std::string_view parameters);
Result<std::string> regexp_replace(std::string_view text, std::string_view pattern, std::string_view by, int64_t position,
                                   std::string_view parameters);
Result<int32_t> regexp_count(std::string_view text, std::string_view pattern, int64_t position, std::string_view parameters);
Result<int32_t> regexp_instr(std::string_view text, std::string_view pattern, int64_t position, int64_t occurrence,
                             int64_t option, std::string_view parameters);
/// SIMILAR TO's pattern as a regular expression.
std::string similar_pattern(std::string_view pattern, std::string_view escape);

}  // namespace redoubt::warehouse::engine::texts
