#include "warehouse/engine/duckdb/emit_texts.h"

#include <re2/re2.h>

#include <algorithm>
#include <unordered_map>

#include "base/crypto.h"
#include "base/text.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::engine::texts {
namespace {

constexpr size_t kLongest = 65535;

/// Byte offset of the character `n` (from 0), or the end.
size_t offset_of(std::string_view s, int64_t n) {
  size_t i = 0;
  while (n > 0 && i < s.size()) {
    i++;
    while (i < s.size() && (static_cast<unsigned char>(s[i]) & 0xC0) == 0x80) i++;
    n--;
  }
  return i;
}

int64_t count_characters(std::string_view s) {
  return std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

std::string substring(std::string_view text, int64_t start, std::optional<int64_t> length) {
  int64_t from = start - 1, to = INT64_MAX;
  if (length && __builtin_add_overflow(from, std::max<int64_t>(*length, 0), &to)) to = INT64_MAX;
  from = std::max<int64_t>(from, 0);
  if (to <= from) return "";
  size_t begin = offset_of(text, from);
  auto rest = text.substr(begin);
  return std::string(rest.substr(0, to == INT64_MAX ? rest.size() : offset_of(rest, to - from)));
}

std::string pad(std::string_view text, int64_t length, std::string_view fill, bool left) {
  length = std::clamp<int64_t>(length, 0, int64_t(kLongest));
  int64_t have = count_characters(text);
  if (have >= length) return std::string(text.substr(0, offset_of(text, length)));
  if (fill.empty()) return std::string(text);
  std::string filler;
  int64_t width = count_characters(fill);
  for (int64_t n = have; n < length; n += width) {
    int64_t take = std::min(width, length - n);
    filler += fill.substr(0, offset_of(fill, take));
  }
  return left ? filler + std::string(text) : std::string(text) + filler;
}

std::string overlay(std::string_view text, std::string_view by, int64_t start, std::optional<int64_t> length) {
  int64_t n = length.value_or(count_characters(by));
  return substring(text, 1, start - 1) + std::string(by) + substring(text, start + n, std::nullopt);
}

Result<std::string> repeat(std::string_view text, int64_t times) {
  std::string out;
  times = std::max<int64_t>(times, 0);
  if (!text.empty() && times > int64_t(kLongest / text.size()))
    return fail(secure::kInvalidParameterValue, "requested length too large");
  for (int64_t i = 0; i < times; i++) out += text;
  return out;
}

Result<std::string> split_part(std::string_view text, std::string_view by, int64_t part) {
  if (part < 1) return fail(secure::kInvalidParameterValue, "field position must be greater than zero");
  if (by.empty()) return std::string(part == 1 ? text : "");
  while (true) {
    auto at = text.find(by);
    if (--part == 0) return std::string(text.substr(0, at));
    if (at == std::string_view::npos) return std::string();
    text.remove_prefix(at + by.size());
  }
}

std::string initcap(std::string_view text) {
  std::string out = to_lower(text);
  bool start = true;
  for (char& c : out) {
    bool word = is_alnum(c) || (static_cast<unsigned char>(c) & 0x80);
    if (start && c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
    start = !word;
  }
  return out;
}

Result<std::string> chr(int64_t code) {
  if (code < 1 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return fail(secure::kInvalidParameterValue, "requested character not valid for encoding");
  std::string out;
  auto c = uint32_t(code);
  if (c < 0x80)
    out += char(c);
  else if (c < 0x800)
    out += char(0xC0 | (c >> 6)), out += char(0x80 | (c & 63));
  else if (c < 0x10000)
    out += char(0xE0 | (c >> 12)), out += char(0x80 | ((c >> 6) & 63)), out += char(0x80 | (c & 63));
  else
    out += char(0xF0 | (c >> 18)), out += char(0x80 | ((c >> 12) & 63)), out += char(0x80 | ((c >> 6) & 63)),
        out += char(0x80 | (c & 63));
  return out;
}

Result<std::string> sha2(std::string_view text, int64_t bits) {
  using crypto::Hash;
  switch (bits) {
    case 224:
      return hex(crypto::digest(Hash::sha224, text));
    case 0:
    case 256:
      return hex(crypto::digest(Hash::sha256, text));
    case 384:
      return hex(crypto::digest(Hash::sha384, text));
    case 512:
      return hex(crypto::digest(Hash::sha512, text));
    default:
      return fail(secure::kInvalidParameterValue, "sha2 takes 0, 224, 256, 384 or 512 bits");
  }
}

int64_t fnv_hash(std::string_view bytes, std::optional<int64_t> seed) {
  uint64_t h = seed ? uint64_t(*seed) : 0xcbf29ce484222325ULL;
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001b3ULL;
  return int64_t(h);
}

int32_t checksum(std::string_view text) { return int32_t(crypto::crc32(text)); }

Result<int64_t> strtol(std::string_view text, int64_t base) {
  if (base < 2 || base > 36) return fail(secure::kInvalidParameterValue, "base must be between 2 and 36");
  auto s = trim(text);
  bool negative = s.starts_with('-');
  if (negative || s.starts_with('+')) s.remove_prefix(1);
  if (base == 16 && (s.starts_with("0x") || s.starts_with("0X"))) s.remove_prefix(2);
  bool valid = !s.empty();
  int64_t value = 0;
  bool overflow = false;
  for (char c : s) {
    int digit = is_digit(c) ? c - '0' : is_alpha(c) ? (c | 32) - 'a' + 10 : 99;
    if (digit >= base) valid = false;
    overflow |= __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, negative ? -digit : digit, &value);
  }
  if (!valid)
    return fail(secure::kInvalidText,
                "The input " + std::string(text) + " is not valid to be converted to base " + std::to_string(base));
  if (overflow) return fail(secure::kOutOfRange, "The input " + std::string(text) + " is out of range");
  return value;
}

std::string quote_ident(std::string_view text) {
  bool plain = !text.empty() && !is_digit(text[0]);
  for (char c : text) plain = plain && ((c >= 'a' && c <= 'z') || is_digit(c) || c == '_');
  return plain ? std::string(text) : "\"" + replace_all(text, "\"", "\"\"") + "\"";
}

std::string quote_literal(std::string_view text) { return "'" + replace_all(replace_all(text, "\\", "\\\\"), "'", "''") + "'"; }

std::string soundex(std::string_view text) {
  static constexpr char kCodes[] = "01230120022455012623010202";
  std::string out;
  char last = 0;
  for (char c : text) {
    if (!is_alpha(c)) continue;
    char upper = char(c & ~32);
    char code = kCodes[upper - 'A'];
    if (out.empty())
      out += upper;
    else if (code != '0' && code != last)
      out += code;
    if (upper != 'H' && upper != 'W') last = code;
    if (out.size() == 4) break;
  }
  if (!out.empty()) out.resize(4, '0');
  return out;
}

Result<std::string> to_varbyte(std::string_view text, std::string_view format) {
  auto f = to_lower(format);
  if (f == "hex" || f == "hexadecimal") {
    auto bytes = unhex(text);
    if (!bytes) return fail(secure::kInvalidText, "invalid hexadecimal string");
    return *bytes;
  }
  if (f == "utf8" || f == "utf-8") return std::string(text);
  if (f == "base64") {
    auto bytes = unbase64(text);
    if (!bytes) return fail(secure::kInvalidText, "invalid base64 string");
    return *bytes;
  }
  return fail(secure::kInvalidParameterValue, "unknown varbyte format \"" + std::string(format) + "\"");
}

Result<std::string> from_varbyte(std::string_view bytes, std::string_view format) {
  auto f = to_lower(format);
  if (f == "hex" || f == "hexadecimal") return hex(bytes);
  if (f == "base64") return base64(bytes);
  if (f != "utf8" && f != "utf-8")
    return fail(secure::kInvalidParameterValue, "unknown varbyte format \"" + std::string(format) + "\"");
  if (!is_valid_utf8(bytes)) return fail(secure::kInvalidText, "invalid byte sequence for encoding \"UTF8\"");
  return std::string(bytes);
}

// ---- Regular expressions --------------------------------------------------------------------------------------------

namespace {

Result<const re2::RE2*> compiled(std::string_view pattern, bool ignore_case) {
  thread_local std::unordered_map<std::string, std::unique_ptr<re2::RE2>> cache;
  std::string key = (ignore_case ? "i" : "c") + std::string(pattern);
  auto it = cache.find(key);
  if (it == cache.end()) {
    if (cache.size() >= 64) cache.clear();
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!ignore_case);
    options.set_dot_nl(true);
    options.set_max_mem(8 << 20);
    it = cache.emplace(key, std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options)).first;
  }
  if (!it->second->ok()) return fail(secure::kInvalidRegex, "invalid regular expression: " + it->second->error());
  return it->second.get();
}

struct Options {
  bool ignore_case = false, group = false;
};

Result<Options> options_of(std::string_view parameters) {
  Options o;
  for (char c : parameters) {
    if (c == 'i')
      o.ignore_case = true;
    else if (c == 'c')
      o.ignore_case = false;
    else if (c == 'e')
      o.group = true;
    else if (c == 'p')
      continue;  // Perl syntax: RE2's is it, without look-around
    else
      return fail(secure::kInvalidParameterValue, std::string("invalid regular expression parameter \"") + c + "\"");
  }
  return o;
}

struct Match {
  size_t begin = 0, end = 0;  // of the whole match, in the text
  std::string_view group;     // the first group, or all of it
};

/// Every match from character `position` on; stops when `visit` says false.
template <class Visit>
Result<void> each_match(std::string_view text, std::string_view pattern, int64_t position, const Options& options, Visit visit) {
  if (position < 1) return fail(secure::kInvalidParameterValue, "position must be greater than zero");
  TRY(const re2::RE2* re, compiled(pattern, options.ignore_case));
  size_t at = offset_of(text, position - 1);
  re2::StringPiece groups[2];
  re2::StringPiece whole(text.data(), text.size());
  int count = re->NumberOfCapturingGroups() > 0 ? 2 : 1;
  while (at <= text.size() && re->Match(whole, at, text.size(), re2::RE2::UNANCHORED, groups, count)) {
    Match m;
    m.begin = size_t(groups[0].data() - text.data());
    m.end = m.begin + groups[0].size();
    m.group = std::string_view(groups[0].data(), groups[0].size());
    if (options.group && count == 2 && groups[1].data()) m.group = std::string_view(groups[1].data(), groups[1].size());
    if (!visit(m)) break;
    at = m.end > m.begin ? m.end : m.end + 1;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) at++;
  }
  return {};
}

}  // namespace

Result<bool> regex_matches(std::string_view text, std::string_view pattern, bool ignore_case) {
  TRY(const re2::RE2* re, compiled(pattern, ignore_case));
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *re);
}

Result<std::string> regexp_substr(std::string_view text, std::string_view pattern, int64_t position, int64_t occurrence,
                                  std::string_view parameters) {
  TRY(Options options, options_of(parameters));
  if (occurrence < 1) return fail(secure::kInvalidParameterValue, "occurrence must be greater than zero");
  std::string out;
  TRY_VOID(each_match(text, pattern, position, options, [&](const Match& m) {
    if (--occurrence > 0) return true;
    out = std::string(m.group);
    return false;
  }));
  return out;
}

Result<std::string> regexp_replace(std::string_view text, std::string_view pattern, std::string_view by, int64_t position,
                                   std::string_view parameters) {
  TRY(Options options, options_of(parameters));
  if (position < 1) return fail(secure::kInvalidParameterValue, "position must be greater than zero");
  TRY(const re2::RE2* re, compiled(pattern, options.ignore_case));
  std::string rewrite;  // $1 is RE2's \1
  int groups = re->NumberOfCapturingGroups();
  for (size_t i = 0; i < by.size(); i++) {
    bool reference = (by[i] == '$' || by[i] == '\\') && i + 1 < by.size() && is_digit(by[i + 1]) && by[i + 1] - '0' <= groups;
    if (reference)
      rewrite += '\\', rewrite += by[++i];
    else if (by[i] == '\\')
      rewrite += "\\\\";
    else
      rewrite += by[i];
  }
  size_t from = offset_of(text, position - 1);
  std::string rest(text.substr(from));
  re2::RE2::GlobalReplace(&rest, *re, rewrite);
  return std::string(text.substr(0, from)) + rest;
}

Result<int32_t> regexp_count(std::string_view text, std::string_view pattern, int64_t position, std::string_view parameters) {
  TRY(Options options, options_of(parameters));
  int32_t n = 0;
  TRY_VOID(each_match(text, pattern, position, options, [&](const Match&) { return ++n, true; }));
  return n;
}

Result<int32_t> regexp_instr(std::string_view text, std::string_view pattern, int64_t position, int64_t occurrence,
                             int64_t option, std::string_view parameters) {
  TRY(Options options, options_of(parameters));
  if (occurrence < 1) return fail(secure::kInvalidParameterValue, "occurrence must be greater than zero");
  if (option != 0 && option != 1) return fail(secure::kInvalidParameterValue, "option must be 0 or 1");
  int32_t out = 0;
  TRY_VOID(each_match(text, pattern, position, options, [&](const Match& m) {
    if (--occurrence > 0) return true;
    out = int32_t(count_characters(text.substr(0, option == 1 ? m.end : m.begin))) + 1;
    return false;
  }));
  return out;
}

std::string similar_pattern(std::string_view pattern, std::string_view escape) {
  std::string out = "^(?:";
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); i++) {
    char c = pattern[i];
    if (!escape.empty() && c == escape[0] && i + 1 < pattern.size()) {
      out += '\\';
      out += pattern[++i];
    } else if (in_class) {
      in_class = c != ']';
      out += c;
    } else if (c == '[') {
      in_class = true;
      out += c;
    } else if (c == '%') {
      out += ".*";
    } else if (c == '_') {
      out += '.';
    } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out + ")$";
}

}  // namespace redoubt::warehouse::engine::texts
