#pragma once
/// x-amz-copy-source: "/bucket/key?versionId=v", percent-encoded.
#include "objects/rows.h"

namespace redoubt::objects {

struct CopySource {
  std::string bucket, key;
  std::optional<std::string> version_id;
};
/// Errors: kInvalidArgument.
Result<CopySource> parse_copy_source(const std::string& header);

/// Conditions on the source. Errors: kPreconditionFailed.
template <class In>
Result<void> check_source_conditions(const In& in, const ObjectVersion& v) {
  auto failed = [] { return fail(kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"); };
  bool match = in.CopySourceIfMatch && unquoted(*in.CopySourceIfMatch) == v.etag;
  if (in.CopySourceIfMatch && !match) return failed();
  if (!match && in.CopySourceIfUnmodifiedSince && v.modified.seconds() > in.CopySourceIfUnmodifiedSince->seconds())
    return failed();
  if (in.CopySourceIfNoneMatch && unquoted(*in.CopySourceIfNoneMatch) == v.etag) return failed();
  if (!in.CopySourceIfNoneMatch && in.CopySourceIfModifiedSince &&
      v.modified.seconds() <= in.CopySourceIfModifiedSince->seconds())
    return failed();
  return {};
}

}  // namespace redoubt::objects
