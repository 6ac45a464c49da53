/// Settings that aren't built: GET answers "not configured", as a bucket of AWS's without them does; PUT is refused by name, by
/// the Gate.
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;

void Objects::declare_unconfigured() {
  bucket_row<op::GetBucketLifecycleConfiguration>(
      "s3:GetLifecycleConfiguration",
      [](const Allowed<GetBucketLifecycleConfigurationRequest>&,
         const BucketPtr& b) -> Result<GetBucketLifecycleConfigurationOutput> {
        return fail(Error{&kNoLifecycle, "The lifecycle configuration does not exist"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketCors>(
      "s3:GetBucketCORS",
      [](const Allowed<GetBucketCorsRequest>&, const BucketPtr& b) -> Result<GetBucketCorsOutput> {
        return fail(Error{&kNoCors, "The CORS configuration does not exist"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketWebsite>(
      "s3:GetBucketWebsite",
      [](const Allowed<GetBucketWebsiteRequest>&, const BucketPtr& b) -> Result<GetBucketWebsiteOutput> {
        return fail(Error{&kNoWebsite, "The specified bucket does not have a website configuration"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketReplication>(
      "s3:GetReplicationConfiguration",
      [](const Allowed<GetBucketReplicationRequest>&, const BucketPtr& b) -> Result<GetBucketReplicationOutput> {
        return fail(Error{&kNoReplication, "The replication configuration was not found"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetObjectLockConfiguration>(
      "s3:GetBucketObjectLockConfiguration",
      [](const Allowed<GetObjectLockConfigurationRequest>&, const BucketPtr& b) -> Result<GetObjectLockConfigurationOutput> {
        return fail(
            Error{&kNoObjectLock, "Object Lock configuration does not exist for this bucket"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketNotificationConfiguration>(
      "s3:GetBucketNotification",
      [](const Allowed<GetBucketNotificationConfigurationRequest>&, const BucketPtr&)
          -> Result<op::GetBucketNotificationConfiguration::Output> { return op::GetBucketNotificationConfiguration::Output{}; },
      true);
  bucket_row<op::GetBucketAccelerateConfiguration>(
      "s3:GetAccelerateConfiguration",
      [](const Allowed<GetBucketAccelerateConfigurationRequest>&,
         const BucketPtr&) -> Result<GetBucketAccelerateConfigurationOutput> { return GetBucketAccelerateConfigurationOutput{}; },
      true);
  bucket_row<op::GetBucketRequestPayment>(
      "s3:GetBucketRequestPayment",
      [](const Allowed<GetBucketRequestPaymentRequest>&, const BucketPtr&) -> Result<GetBucketRequestPaymentOutput> {
        GetBucketRequestPaymentOutput out;
        out.Payer = "BucketOwner";
        return out;
      },
      true);
}

}  // namespace redoubt::objects
