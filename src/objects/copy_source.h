#pragma once
/// x-amz-copy-source: "/bucket/key?versionId=v", percent-encoded.
#include "objects/rows.h"

namespace redoubt::objects {

struct CopySource {
  std::string bucket, key;
  std::optional<std::string> version_id;
};
/// Errors: kInvalidArgument; kNotImplemented for access points.
Result<CopySource> parse_copy_source(const std::string& header);

inline constexpr uint64_t kCopyMax = uint64_t(5) << 30;
/// Errors: kInvalidRequest for a delete marker and for what is too large to be copied in one go.
Result<void> check_copyable(const ObjectVersion& source);

}  // namespace redoubt::objects
