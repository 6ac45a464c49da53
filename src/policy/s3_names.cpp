#include "policy/s3_names.h"

#include <string>

#include "base/text.h"

namespace redoubt::policy {
namespace {
constexpr std::string_view kKeys[] = {
    "s3:AccessGrantsInstanceArn",
    "s3:AccessPointNetworkOrigin",
    "s3:AccessPointTag/",
    "s3:BucketTag/",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:ExistingJobOperation",
    "s3:ExistingJobPriority",
    "s3:ExistingObjectTag/",
    "s3:InventoryAccessibleOptionalFields",
    "s3:JobSuspendedCause",
    "s3:LocationConstraint",
    "s3:RequestJobOperation",
    "s3:RequestJobPriority",
    "s3:RequestObjectTag/",
    "s3:RequestObjectTagKeys",
    "s3:ResourceAccount",
    "s3:TlsVersion",
    "s3:VersionId",
    "s3:authType",
    "s3:delimiter",
    "s3:destinationRegion",
    "s3:if-match",
    "s3:if-none-match",
    "s3:is-replication-pause-request",
    "s3:isReplicationPauseRequest",
    "s3:locationconstraint",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:ObjectCreationOperation",
    "s3:prefix",
    "s3:signatureAge",
    "s3:signatureversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
};

bool is_object_action(std::string_view lower) {
  if (lower == "s3:abortmultipartupload" || lower == "s3:listmultipartuploadparts" || lower == "s3:bypassgovernanceretention" ||
      lower == "s3:objectowneroverridetobucketowner" || lower == "s3:initiatereplication")
    return true;
  if (lower.starts_with("s3:replicate")) return true;
  return lower.find("object") != lower.npos && lower.find("bucketobject") == lower.npos;
}
}  // namespace

bool is_bucket_condition_key(std::string_view key) {
  size_t colon = key.find(':');
  if (colon == key.npos || colon == 0) return false;
  if (!iequals(key.substr(0, colon), "s3")) return true;
  for (auto known : kKeys) {
    if (known.ends_with('/') ? key.size() > known.size() && iequals(key.substr(0, known.size()), known) : iequals(key, known))
      return true;
  }
  return false;
}

bool bucket_action_applies(std::string_view action, std::string_view resource) {
  if (action.find_first_of("*?") != action.npos || resource == "*") return true;
  constexpr std::string_view kPrefix = "arn:aws:s3:::";
  if (!resource.starts_with(kPrefix)) return true;  // access points: not judged here
  auto name = resource.substr(kPrefix.size());
  bool slash = name.find('/') != name.npos;
  bool wildcard = name.find('*') != name.npos || name.find("${") != name.npos;
  if (is_object_action(to_lower(action))) return slash || wildcard;
  size_t first_slash = name.find('/'), first_wildcard = name.find('*');
  return !slash || (first_wildcard != name.npos && first_wildcard < first_slash);
}

}  // namespace redoubt::policy
