#pragma once
/// Conditional requests and byte ranges. Pure. Sources: RFC 9110 §13 and §14, S3 API Reference "GetObject", "CopyObject".
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "objects/errors.h"

namespace redoubt::objects {

std::string quoted(std::string_view etag);
std::string unquoted(std::string_view etag);  // also without W/, or with one quote alone

struct Conditions {
  std::optional<std::string> if_match, if_none_match;  // lists of etags, or "*"
  std::optional<Timestamp> if_modified_since, if_unmodified_since;
};
template <class In>
Conditions conditions_of(const In& in) {
  return {in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince};
}
template <class In>
Conditions source_conditions_of(const In& in) {
  return {in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince};
}

/// Of a read. An etag condition overrides the time condition of its kind. Errors: kPreconditionFailed; kNotModified with the
/// headers that a 304 carries.
Result<void> check_read(const Conditions& c, std::string_view etag, Timestamp modified, Timestamp now);
/// Of a copy on its source. Errors: kPreconditionFailed.
Result<void> check_copy_source(const Conditions& c, std::string_view etag, Timestamp modified, Timestamp now);

struct Range {
  uint64_t from = 0, length = 0;
  bool partial = false;
};
/// "bytes=a-b", "bytes=a-", "bytes=-n". Anything else is ignored, as RFC 9110 has it; S3 serves one range only. Errors:
/// kInvalidRange.
Result<Range> parse_range(const std::optional<std::string>& header, uint64_t size);
/// x-amz-copy-source-range: "bytes=a-b", both needed and within the source. Errors: kInvalidArgument.
Result<Range> parse_copy_range(const std::string& header, uint64_t size);
std::string content_range(const Range& r, uint64_t size);

}  // namespace redoubt::objects
