#pragma once
/// What S3 knows about the names in a bucket policy when it is saved. Source: Service Authorization Reference, "Amazon S3".
#include <string_view>

namespace redoubt::policy {

/// Global keys, s3: keys and those of identity providers. S3 refuses s3: keys that don't exist.
bool is_bucket_condition_key(std::string_view key);

/// Can `action` ("s3:..", may hold wildcards) be done on something that `resource` matches? Object actions need a resource
/// that can hold a '/', bucket actions one that can do without.
bool bucket_action_applies(std::string_view action, std::string_view resource);

}  // namespace redoubt::policy
