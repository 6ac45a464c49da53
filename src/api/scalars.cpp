// Scalars as text: what XML, headers, query strings and forms have in common.
#include <charconv>
#include <cmath>

#include "api/errors.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api::wire {
namespace {

std::string real_text(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v < 0 ? "-Infinity" : "Infinity";
  char buffer[40];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  return std::string(buffer, end);
}

std::optional<double> parse_real(std::string_view s) {
  if (s == "NaN") return std::nan("");
  if (s == "Infinity") return INFINITY;
  if (s == "-Infinity") return -INFINITY;
  if (s.empty() || !(is_digit(s[0]) || s[0] == '-' || s[0] == '.')) return std::nullopt;
  double v = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc() || end != s.data() + s.size() || !std::isfinite(v)) return std::nullopt;
  return v;
}

std::string unix_text(Timestamp t) {
  int64_t millis = t.us >= 0 ? t.us / 1000 : -((-t.us + 999) / 1000);
  if (millis % 1000 == 0) return std::to_string(millis / 1000);
  std::string sign = millis < 0 ? "-" : "";
  uint64_t m = uint64_t(millis < 0 ? -millis : millis);
  std::string fraction = std::to_string(1000 + m % 1000).substr(1);
  return sign + std::to_string(m / 1000) + "." + fraction;
}

std::optional<Timestamp> parse_unix(std::string_view s) {
  auto v = parse_real(s);
  if (!v || std::fabs(*v) > 253402300800.0) return std::nullopt;  // the year 10000
  return Timestamp{int64_t(std::llround(*v * 1e6))};
}

}  // namespace

std::string timestamp_to_text(Timestamp t, TimeFormat format, bool millis) {
  switch (format) {
    case TimeFormat::unix_seconds:
      return unix_text(t);
    case TimeFormat::rfc822:
      return http_date(t);
    default:
      return millis ? iso8601_millis(t) : iso8601(t);
  }
}

std::optional<Timestamp> timestamp_from_text(std::string_view text, TimeFormat format) {
  switch (format) {
    case TimeFormat::unix_seconds: {
      auto t = parse_unix(text);
      return t ? t : parse_iso8601(text);
    }
    case TimeFormat::rfc822: {
      auto t = parse_http_date(text);
      return t ? t : parse_iso8601(text);
    }
    default:
      return parse_iso8601(text);
  }
}

std::string scalar_to_text(const Shape& shape, const void* value, TimeFormat format, bool millis) {
  switch (shape.type) {
    case Type::string:
      return *static_cast<const std::string*>(value);
    case Type::blob:
      return base64(*static_cast<const std::string*>(value));
    case Type::boolean:
      return *static_cast<const bool*>(value) ? "true" : "false";
    case Type::integer:
      return std::to_string(*static_cast<const int64_t*>(value));
    case Type::real:
      return real_text(*static_cast<const double*>(value));
    case Type::timestamp:
      return timestamp_to_text(*static_cast<const Timestamp*>(value),
                               shape.time_format == TimeFormat::unspecified ? format : shape.time_format, millis);
    default:
      return {};
  }
}

Result<void> scalar_from_text(const Shape& shape, std::string_view text, void* out, TimeFormat format, ReadContext& context) {
  auto wrong = [&](std::string_view what) {
    std::string shown = shape.sensitive ? std::string() : "'" + std::string(text.substr(0, 256)) + "' ";
    return fail(*context.malformed, "Value " + shown + "at '" + context.path.text() + "' is not a valid " + std::string(what));
  };
  switch (shape.type) {
    case Type::string:
      *static_cast<std::string*>(out) = text;
      return {};
    case Type::blob: {
      auto bytes = unbase64(trim(text));
      if (!bytes) return wrong("Blob");
      *static_cast<std::string*>(out) = std::move(*bytes);
      return {};
    }
    case Type::boolean: {
      bool yes = iequals(text, "true") || text == "1";
      if (!yes && !iequals(text, "false") && text != "0") return wrong("Boolean");
      *static_cast<bool*>(out) = yes;
      return {};
    }
    case Type::integer: {
      auto v = parse_int(text);
      if (!v) return wrong("Integer");
      *static_cast<int64_t*>(out) = *v;
      return {};
    }
    case Type::real: {
      auto v = parse_real(text);
      if (!v) return wrong("Double");
      *static_cast<double*>(out) = *v;
      return {};
    }
    case Type::timestamp: {
      auto t = timestamp_from_text(text, shape.time_format == TimeFormat::unspecified ? format : shape.time_format);
      if (!t) return wrong("Timestamp");
      *static_cast<Timestamp*>(out) = *t;
      return {};
    }
    default:
      return wrong("value");
  }
}

Path::Step::Step(Path& path, std::string_view member) : path_(path), size_(path.text_.size()) {
  if (size_) path.text_ += '.';
  size_t at = path.text_.size();
  path.text_ += member;
  // AWS writes member names in Java's fashion: UserName is userName, SAMLAssertion is sAMLAssertion.
  if (at < path.text_.size() && path.text_[at] >= 'A' && path.text_[at] <= 'Z') path.text_[at] += 'a' - 'A';
}

Path::Step::Step(Path& path, size_t index_from_one) : path_(path), size_(path.text_.size()) {
  path.text_ += "." + std::to_string(index_from_one) + ".member";
}

}  // namespace redoubt::api::wire
