/// What can be set on a bucket: versioning, default encryption, access logging, tags.
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;

void Objects::declare_settings() {
  auto update = [this](const BucketPtr& b, const std::function<Result<void>(OurBucket&)>& change) -> Result<api::Empty> {
    TRY_VOID(buckets_.update(*b, change));
    return api::Empty{};
  };

  bucket_row<op::GetBucketVersioning>(
      "s3:GetBucketVersioning",
      [](const Allowed<GetBucketVersioningRequest>&, const BucketPtr& b) -> Result<GetBucketVersioningOutput> {
        GetBucketVersioningOutput out;
        if (b->versioning != Versioning::never) out.Status = b->versioning == Versioning::enabled ? "Enabled" : "Suspended";
        return out;
      },
      true);
  bucket_row<op::PutBucketVersioning>(
      "s3:PutBucketVersioning",
      [update](const Allowed<PutBucketVersioningRequest>& r, const BucketPtr& b) -> Result<api::Empty> {
        auto& conf = r.input.VersioningConfiguration;
        if (conf.MFADelete && *conf.MFADelete == "Enabled") return fail(not_built("MFA delete"));
        if (!conf.Status) return fail(kMalformedXml, kMalformedXmlText);
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.versioning = *conf.Status == "Enabled" ? Versioning::enabled : Versioning::suspended;
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketEncryption>(
      "s3:GetEncryptionConfiguration",
      [](const Allowed<GetBucketEncryptionRequest>&, const BucketPtr& b) -> Result<GetBucketEncryptionOutput> {
        ServerSideEncryptionByDefault d{.SSEAlgorithm = b->sse};
        if (!b->kms_key.empty()) d.KMSMasterKeyID = b->kms_key;
        ServerSideEncryptionRule rule;
        rule.ApplyServerSideEncryptionByDefault = std::move(d);
        rule.BucketKeyEnabled = b->bucket_key;
        GetBucketEncryptionOutput out;
        out.ServerSideEncryptionConfiguration = ServerSideEncryptionConfiguration{.Rules = {std::move(rule)}};
        return out;
      },
      true);
  bucket_row<op::PutBucketEncryption>(
      "s3:PutEncryptionConfiguration",
      [update](const Allowed<PutBucketEncryptionRequest>& r, const BucketPtr& b) -> Result<api::Empty> {
        auto& rules = r.input.ServerSideEncryptionConfiguration.Rules;
        if (rules.size() != 1) return fail(kMalformedXml, kMalformedXmlText);
        auto& rule = rules[0];
        if (rule.BlockedEncryptionTypes) return fail(not_built("BlockedEncryptionTypes"));
        std::string algorithm = b->sse, key = b->kms_key;
        if (rule.ApplyServerSideEncryptionByDefault) {
          algorithm = rule.ApplyServerSideEncryptionByDefault->SSEAlgorithm;
          key = rule.ApplyServerSideEncryptionByDefault->KMSMasterKeyID.value_or("");
        }
        if (algorithm == "aws:kms:dsse") return fail(not_built("aws:kms:dsse"));
        if (algorithm != "AES256" && algorithm != "aws:kms") return fail(kMalformedXml, kMalformedXmlText);
        if (algorithm == "AES256" && !key.empty())
          return fail(kInvalidArgument, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms");
        // A bare id or alias stays one: KMS resolves it in the account of whoever writes, as on AWS.
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.sse = algorithm;
          x.kms_key = key;
          x.bucket_key = rule.BucketKeyEnabled.value_or(false);
          return {};
        });
      },
      false);
  bucket_row<op::DeleteBucketEncryption>(
      "s3:PutEncryptionConfiguration",
      [update](const Allowed<DeleteBucketEncryptionRequest>&, const BucketPtr& b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.sse = "AES256";
          x.kms_key.clear();
          x.bucket_key = false;
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketLogging>(
      "s3:GetBucketLogging",
      [](const Allowed<GetBucketLoggingRequest>&, const BucketPtr& b) -> Result<GetBucketLoggingOutput> {
        GetBucketLoggingOutput out;
        if (!b->log_bucket.empty())
          out.LoggingEnabled = LoggingEnabled{.TargetBucket = b->log_bucket, .TargetPrefix = b->log_prefix};
        return out;
      },
      true);
  bucket_row<op::PutBucketLogging>(
      "s3:PutBucketLogging",
      [this, update](const Allowed<PutBucketLoggingRequest>& r, const BucketPtr& b) -> Result<api::Empty> {
        auto& on = r.input.BucketLoggingStatus.LoggingEnabled;
        if (on && on->TargetGrants && !on->TargetGrants->empty()) return fail(not_built("TargetGrants"));
        if (on && on->TargetObjectKeyFormat && on->TargetObjectKeyFormat->PartitionedPrefix)
          return fail(not_built("PartitionedPrefix"));
        if (on) {
          auto target = buckets_.find(on->TargetBucket);
          if (!target) return fail(kInvalidTargetBucket, "The target bucket for logging does not exist");
          // The log service writes for the source: into a stranger's bucket it must not.
          if (target->account != b->account)
            return fail(kInvalidTargetBucket, "The owner for the bucket to be logged and the target bucket must be the same.");
          if (target->region != b->region)
            return fail(kInvalidTargetBucket, "The target bucket for logging must be in the same region.");
        }
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.log_bucket = on ? on->TargetBucket : "";
          x.log_prefix = on ? on->TargetPrefix : "";
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketTagging>(
      "s3:GetBucketTagging",
      [](const Allowed<GetBucketTaggingRequest>&, const BucketPtr& b) -> Result<GetBucketTaggingOutput> {
        if (b->tags.empty()) return fail(Error{&kNoSuchTagSet, "The TagSet does not exist"}.with("BucketName", b->name));
        GetBucketTaggingOutput out;
        for (auto& [k, v] : b->tags) out.TagSet.push_back({.Key = k, .Value = v});
        return out;
      },
      true);
  bucket_row<op::PutBucketTagging>(
      "s3:PutBucketTagging",
      [update](const Allowed<PutBucketTaggingRequest>& r, const BucketPtr& b) -> Result<api::Empty> {
        TRY(auto tags, check_tags(r.input.Tagging.TagSet, 50));
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.tags = tags;
          return {};
        });
      },
      false);
  bucket_row<op::DeleteBucketTagging>(
      "s3:PutBucketTagging",
      [update](const Allowed<DeleteBucketTaggingRequest>&, const BucketPtr& b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.tags.clear();
          return {};
        });
      },
      false);
}

}  // namespace redoubt::objects
