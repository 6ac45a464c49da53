#pragma once
/// Text helpers: ASCII case, splitting, encodings. Everything here treats strings as bytes, never by locale.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt {

std::string to_lower(std::string_view s);  // ASCII only
std::string to_upper(std::string_view s);
bool iequals(std::string_view a, std::string_view b);  // ASCII case-insensitive
struct ILess {                                         // for maps keyed case-insensitively
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
std::string_view trim(std::string_view s);                         // space, tab, CR, LF
std::vector<std::string_view> split(std::string_view s, char by);  // "" -> [""], as Python's
std::string join(const std::vector<std::string>& parts, std::string_view by);
std::string replace_all(std::string_view s, std::string_view from, std::string_view to);
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }

/// Whole-string decimal integer, optional leading '-'; nothing else is accepted (no blanks, no '+').
std::optional<int64_t> parse_int(std::string_view s);

std::string hex(std::string_view bytes);  // lower case
std::optional<std::string> unhex(std::string_view s);
std::string base64(std::string_view bytes);
std::optional<std::string> unbase64(std::string_view s);  // strict: padding required, no white space
std::string base64url(std::string_view bytes);            // no padding
std::optional<std::string> unbase64url(std::string_view s);

/// RFC 3986 percent-encoding as SigV4 wants it: unreserved bytes stay, '/' stays if keep_slash.
std::string url_encode(std::string_view s, bool keep_slash = false);
/// Decodes %XX; with plus_is_space also '+'. A broken escape is nullopt.
std::optional<std::string> url_decode(std::string_view s, bool plus_is_space = false);

std::string xml_escape(std::string_view s);
bool is_valid_utf8(std::string_view s);

}  // namespace redoubt
