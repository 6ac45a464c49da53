#include "objects/conditional.h"

#include "base/text.h"

namespace redoubt::objects {
namespace {

std::unexpected<Error> condition_failed(const char* which) {
  Error e{&kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"};
  return fail(which ? std::move(e).with("Condition", which) : std::move(e));
}

bool matches(const std::string& list, std::string_view etag) {
  for (auto one : split(list, ','))
    if (auto t = trim(one); t == "*" || unquoted(t) == etag) return true;
  return false;
}

/// A date in the future says nothing.
bool modified_since(Timestamp modified, Timestamp since, Timestamp now) {
  return since.seconds() > now.seconds() || modified.seconds() > since.seconds();
}

/// Decimal digits alone; more than fits is the largest number.
std::optional<uint64_t> offset(std::string_view s) {
  if (s.empty()) return std::nullopt;
  for (char c : s)
    if (!is_digit(c)) return std::nullopt;
  auto n = parse_int(s);
  return n ? uint64_t(*n) : uint64_t(INT64_MAX);
}

}  // namespace

std::string quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }
std::string unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  // S3 also takes an ETag with one quote alone.
  if (etag.starts_with('"')) etag.remove_prefix(1);
  if (etag.ends_with('"')) etag.remove_suffix(1);
  return std::string(etag);
}

Result<void> check_read(const Conditions& c, std::string_view etag, Timestamp modified, Timestamp now) {
  if (c.if_match) {
    if (!matches(*c.if_match, etag)) return condition_failed("If-Match");
  } else if (c.if_unmodified_since && modified.seconds() > c.if_unmodified_since->seconds()) {
    return condition_failed("If-Unmodified-Since");
  }
  bool same = c.if_none_match ? matches(*c.if_none_match, etag)
                              : c.if_modified_since && !modified_since(modified, *c.if_modified_since, now);
  if (!same) return {};
  return fail(
      Error{&kNotModified, "Not Modified"}.with("header:ETag", quoted(etag)).with("header:Last-Modified", http_date(modified)));
}

Result<void> check_copy_source(const Conditions& c, std::string_view etag, Timestamp modified, Timestamp now) {
  if (c.if_match) {
    if (!matches(*c.if_match, etag)) return condition_failed("x-amz-copy-source-If-Match");
  } else if (c.if_unmodified_since && modified.seconds() > c.if_unmodified_since->seconds()) {
    return condition_failed("x-amz-copy-source-If-Unmodified-Since");
  }
  if (c.if_none_match) {
    if (matches(*c.if_none_match, etag)) return condition_failed("x-amz-copy-source-If-None-Match");
  } else if (c.if_modified_since && !modified_since(modified, *c.if_modified_since, now)) {
    return condition_failed("x-amz-copy-source-If-Modified-Since");
  }
  return {};
}

Result<Range> parse_range(const std::optional<std::string>& header, uint64_t size) {
  Range whole{0, size, false};
  if (!header || !header->starts_with("bytes=")) return whole;
  auto spec = std::string_view(*header).substr(6);
  auto dash = spec.find('-');
  if (dash == spec.npos) return whole;
  auto first = offset(spec.substr(0, dash)), last = offset(spec.substr(dash + 1));
  bool first_empty = dash == 0, last_empty = dash + 1 == spec.size();
  if ((!first && !first_empty) || (!last && !last_empty) || (first_empty && last_empty)) return whole;
  auto out_of_range = [&] {
    return fail(Error{&kInvalidRange, "The requested range is not satisfiable"}
                    .with("RangeRequested", *header)
                    .with("ActualObjectSize", std::to_string(size))
                    .with("header:Content-Range", "bytes */" + std::to_string(size)));
  };
  if (!first) {
    if (*last == 0 || size == 0) return out_of_range();
    uint64_t length = std::min(*last, size);
    return Range{size - length, length, true};
  }
  if (last && *last < *first) return whole;
  if (*first >= size) return out_of_range();
  uint64_t to = std::min(last.value_or(size - 1), size - 1);
  return Range{*first, to - *first + 1, true};
}

Result<Range> parse_copy_range(const std::string& header, uint64_t size) {
  auto invalid = [&](std::string why) {
    return fail(
        Error{&kInvalidArgument, std::move(why)}.with("ArgumentName", "x-amz-copy-source-range").with("ArgumentValue", header));
  };
  auto spec = std::string_view(header);
  auto dash = spec.find('-');
  bool form = spec.starts_with("bytes=") && dash != spec.npos;
  auto first = form ? offset(spec.substr(6, dash - 6)) : std::nullopt;
  auto last = form ? offset(spec.substr(dash + 1)) : std::nullopt;
  if (!first || !last || *last < *first)
    return invalid(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets "
        "of "
        "the first and last bytes to copy");
  if (*last >= size) return invalid("Range specified is not valid for source object of size: " + std::to_string(size));
  return Range{*first, *last - *first + 1, true};
}

std::string content_range(const Range& r, uint64_t size) {
  return "bytes " + std::to_string(r.from) + "-" + std::to_string(r.from + r.length - 1) + "/" + std::to_string(size);
}

}  // namespace redoubt::objects
