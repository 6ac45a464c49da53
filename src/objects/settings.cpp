/// What can be set on a bucket: versioning, encryption, policy, public access block, ownership, logging, tags. Settings that
/// aren't built answer "not configured" to GET, as an AWS bucket without them does, and refuse PUT by name.
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;

void Objects::declare_settings() {
  auto update = [this](const BucketPtr& b, const std::function<Result<void>(OurBucket&)>& change) -> Result<api::Empty> {
    TRY_VOID(buckets_.update(b->name, change));
    return api::Empty{};
  };

  bucket_row<op::GetBucketVersioning>(
      "s3:GetBucketVersioning",
      [](const Allowed<GetBucketVersioningRequest>&, BucketPtr b) -> Result<GetBucketVersioningOutput> {
        GetBucketVersioningOutput out;
        if (b->versioning != Versioning::never) out.Status = b->versioning == Versioning::enabled ? "Enabled" : "Suspended";
        return out;
      },
      true);
  bucket_row<op::PutBucketVersioning>(
      "s3:PutBucketVersioning",
      [update](const Allowed<PutBucketVersioningRequest>& r, BucketPtr b) -> Result<api::Empty> {
        auto& conf = r.input.VersioningConfiguration;
        if (conf.MFADelete && *conf.MFADelete == "Enabled") return fail(not_built("MFA delete"));
        if (!conf.Status)
          return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.versioning = *conf.Status == "Enabled" ? Versioning::enabled : Versioning::suspended;
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketEncryption>(
      "s3:GetEncryptionConfiguration",
      [](const Allowed<GetBucketEncryptionRequest>&, BucketPtr b) -> Result<GetBucketEncryptionOutput> {
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
      [update](const Allowed<PutBucketEncryptionRequest>& r, BucketPtr b) -> Result<api::Empty> {
        auto& rules = r.input.ServerSideEncryptionConfiguration.Rules;
        if (rules.size() != 1)
          return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
        auto& rule = rules[0];
        if (rule.BlockedEncryptionTypes) return fail(not_built("BlockedEncryptionTypes"));
        std::string algorithm = b->sse, key = b->kms_key;
        if (rule.ApplyServerSideEncryptionByDefault) {
          algorithm = rule.ApplyServerSideEncryptionByDefault->SSEAlgorithm;
          key = rule.ApplyServerSideEncryptionByDefault->KMSMasterKeyID.value_or("");
        }
        if (algorithm == "aws:kms:dsse") return fail(not_built("aws:kms:dsse"));
        if (algorithm != "AES256" && algorithm != "aws:kms")
          return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
        if (algorithm == "AES256" && !key.empty())
          return fail(kInvalidArgument, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms");
        // A bare id or alias means the caller's own key; writers of other accounts must meet the same one.
        if (!key.empty() && !key.starts_with("arn:"))
          key = make_arn("kms", b->region, r.call.caller->account, key.starts_with("alias/") ? key : "key/" + key);
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
      [update](const Allowed<DeleteBucketEncryptionRequest>&, BucketPtr b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.sse = "AES256";
          x.kms_key.clear();
          x.bucket_key = false;
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketPolicy>(
      "s3:GetBucketPolicy",
      [this](const Allowed<GetBucketPolicyRequest>&, BucketPtr b) -> Result<GetBucketPolicyOutput> {
        if (b->policy_text.empty())
          return fail(Error{&kNoSuchBucketPolicy, "The bucket policy does not exist"}.with("BucketName", b->name));
        TRY(auto shown,
            policy::rewrite_principals(b->policy_text, [&](std::string_view, std::string_view v) -> Result<std::string> {
              return gate_->directory().id_to_principal(v);
            }));
        GetBucketPolicyOutput out;
        out.Policy = std::move(shown);
        return out;
      },
      true);
  bucket_row<op::PutBucketPolicy>(
      "s3:PutBucketPolicy",
      [this, update](const Allowed<PutBucketPolicyRequest>& r, BucketPtr b) -> Result<api::Empty> {
        auto& text = r.input.Policy;
        if (text.size() > policy::kBucketSizeMax)
          return fail(kPolicyTooLarge, "Normalized policy document exceeds the maximum allowed size of 20480 bytes.");
        auto parsed = policy::parse(text, policy::Kind::bucket);
        if (!parsed) return fail(kMalformedPolicy, parsed.error().message);
        // Every resource of a bucket's policy must be the bucket or something in it.
        TRY(Json json, Json::parse(text));
        auto in_bucket = [&](const Json& value) {
          auto one = [&](const std::string& arn) {
            return arn == "*" || arn == b->arn() || arn.starts_with(b->arn() + "/") || arn == "arn:aws:s3:::*" ||
                   arn.starts_with("arn:aws:s3:::" + b->name + "*");
          };
          if (value.is_string()) return one(value.text());
          for (auto& x : value.items())
            if (!one(x.text())) return false;
          return true;
        };
        auto& statements = json["Statement"];
        auto check = [&](const Json& s) {
          return (!s.has("Resource") || in_bucket(s["Resource"])) && (!s.has("NotResource") || in_bucket(s["NotResource"]));
        };
        bool ok = statements.is_array() || check(statements);
        for (auto& s : statements.items()) ok = ok && check(s);
        if (!ok) return fail(kMalformedPolicy, "Policy has invalid resource");
        if (is_public(json) && b->public_access && b->public_access->block_policy)
          return fail(kAccessDenied,
                      "Access Denied: public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.");
        auto resolved =
            policy::rewrite_principals(text, [&](std::string_view type, std::string_view value) -> Result<std::string> {
              auto id = gate_->directory().principal_to_id(type, value);
              if (!id)
                return fail(Error{&kMalformedPolicy, "Invalid principal in policy"}.with(
                    "Detail", "\"" + std::string(type) + "\" : \"" + std::string(value) + "\""));
              return *id;
            });
        if (!resolved) return fail(kMalformedPolicy, resolved.error().message);
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.policy_text = *resolved;
          return {};
        });
      },
      false);
  bucket_row<op::DeleteBucketPolicy>(
      "s3:DeleteBucketPolicy",
      [update](const Allowed<DeleteBucketPolicyRequest>&, BucketPtr b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.policy_text.clear();
          return {};
        });
      },
      false);
  bucket_row<op::GetBucketPolicyStatus>(
      "s3:GetBucketPolicyStatus",
      [](const Allowed<GetBucketPolicyStatusRequest>&, BucketPtr b) -> Result<GetBucketPolicyStatusOutput> {
        if (b->policy_text.empty())
          return fail(Error{&kNoSuchBucketPolicy, "The bucket policy does not exist"}.with("BucketName", b->name));
        PolicyStatus status;
        status.IsPublic = b->policy_public;
        GetBucketPolicyStatusOutput out;
        out.PolicyStatus = std::move(status);
        return out;
      },
      true);

  bucket_row<op::GetPublicAccessBlock>(
      "s3:GetBucketPublicAccessBlock",
      [](const Allowed<GetPublicAccessBlockRequest>&, BucketPtr b) -> Result<GetPublicAccessBlockOutput> {
        if (!b->public_access)
          return fail(Error{&kNoSuchPublicAccessBlock, "The public access block configuration was not found"}.with("BucketName",
                                                                                                                   b->name));
        PublicAccessBlockConfiguration c;
        c.BlockPublicAcls = b->public_access->block_acls;
        c.IgnorePublicAcls = b->public_access->ignore_acls;
        c.BlockPublicPolicy = b->public_access->block_policy;
        c.RestrictPublicBuckets = b->public_access->restrict_buckets;
        GetPublicAccessBlockOutput out;
        out.PublicAccessBlockConfiguration = std::move(c);
        return out;
      },
      true);
  bucket_row<op::PutPublicAccessBlock>(
      "s3:PutBucketPublicAccessBlock",
      [update](const Allowed<PutPublicAccessBlockRequest>& r, BucketPtr b) {
        auto& c = r.input.PublicAccessBlockConfiguration;
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.public_access = PublicAccessBlock{c.BlockPublicAcls.value_or(false), c.IgnorePublicAcls.value_or(false),
                                              c.BlockPublicPolicy.value_or(false), c.RestrictPublicBuckets.value_or(false)};
          return {};
        });
      },
      false);
  bucket_row<op::DeletePublicAccessBlock>(
      "s3:PutBucketPublicAccessBlock",
      [update](const Allowed<DeletePublicAccessBlockRequest>&, BucketPtr b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.public_access.reset();
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketOwnershipControls>(
      "s3:GetBucketOwnershipControls",
      [](const Allowed<GetBucketOwnershipControlsRequest>&, BucketPtr b) -> Result<GetBucketOwnershipControlsOutput> {
        if (!b->ownership_set)
          return fail(Error{&kNoOwnershipControls, "The bucket ownership controls were not found"}.with("BucketName", b->name));
        GetBucketOwnershipControlsOutput out;
        out.OwnershipControls =
            OwnershipControls{.Rules = {OwnershipControlsRule{.ObjectOwnership = std::string(ownership_name(b->ownership))}}};
        return out;
      },
      true);
  bucket_row<op::PutBucketOwnershipControls>(
      "s3:PutBucketOwnershipControls",
      [update](const Allowed<PutBucketOwnershipControlsRequest>& r, BucketPtr b) -> Result<api::Empty> {
        auto& rules = r.input.OwnershipControls.Rules;
        auto o = rules.size() == 1 ? parse_ownership(rules[0].ObjectOwnership) : std::nullopt;
        if (!o)
          return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
        if (*o == Ownership::bucket_owner_enforced && !b->acl.empty())
          return fail(kInvalidAclWithOwnership, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.ownership = *o;
          x.ownership_set = true;
          return {};
        });
      },
      false);
  bucket_row<op::DeleteBucketOwnershipControls>(
      "s3:PutBucketOwnershipControls",
      [update](const Allowed<DeleteBucketOwnershipControlsRequest>&, BucketPtr b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.ownership = Ownership::object_writer;  // what a bucket without the setting does
          x.ownership_set = false;
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketLogging>(
      "s3:GetBucketLogging",
      [](const Allowed<GetBucketLoggingRequest>&, BucketPtr b) -> Result<GetBucketLoggingOutput> {
        GetBucketLoggingOutput out;
        if (!b->log_bucket.empty())
          out.LoggingEnabled = LoggingEnabled{.TargetBucket = b->log_bucket, .TargetPrefix = b->log_prefix};
        return out;
      },
      true);
  bucket_row<op::PutBucketLogging>(
      "s3:PutBucketLogging",
      [this, update](const Allowed<PutBucketLoggingRequest>& r, BucketPtr b) -> Result<api::Empty> {
        auto& on = r.input.BucketLoggingStatus.LoggingEnabled;
        if (on && on->TargetGrants && !on->TargetGrants->empty()) return fail(not_built("TargetGrants"));
        if (on && on->TargetObjectKeyFormat && on->TargetObjectKeyFormat->PartitionedPrefix)
          return fail(not_built("PartitionedPrefix"));
        if (on) {
          auto target = buckets_.find(on->TargetBucket);
          if (!target) return fail(kInvalidTargetBucket, "The target bucket for logging does not exist");
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
      [](const Allowed<GetBucketTaggingRequest>&, BucketPtr b) -> Result<GetBucketTaggingOutput> {
        if (b->tags.empty()) return fail(Error{&kNoSuchTagSet, "The TagSet does not exist"}.with("BucketName", b->name));
        GetBucketTaggingOutput out;
        for (auto& [k, v] : b->tags) out.TagSet.push_back({.Key = k, .Value = v});
        return out;
      },
      true);
  bucket_row<op::PutBucketTagging>(
      "s3:PutBucketTagging",
      [update](const Allowed<PutBucketTaggingRequest>& r, BucketPtr b) -> Result<api::Empty> {
        TRY(auto tags, check_tags(r.input.Tagging.TagSet, 50));
        return update(b, [&](OurBucket& x) -> Result<void> {
          x.tags = tags;
          return {};
        });
      },
      false);
  bucket_row<op::DeleteBucketTagging>(
      "s3:PutBucketTagging",
      [update](const Allowed<DeleteBucketTaggingRequest>&, BucketPtr b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.tags.clear();
          return {};
        });
      },
      false);

  // Never configured here: AWS's answers for buckets without them.
  bucket_row<op::GetBucketLifecycleConfiguration>(
      "s3:GetLifecycleConfiguration",
      [](const Allowed<GetBucketLifecycleConfigurationRequest>&, BucketPtr b) -> Result<GetBucketLifecycleConfigurationOutput> {
        return fail(Error{&kNoLifecycle, "The lifecycle configuration does not exist"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketCors>(
      "s3:GetBucketCORS",
      [](const Allowed<GetBucketCorsRequest>&, BucketPtr b) -> Result<GetBucketCorsOutput> {
        return fail(Error{&kNoCors, "The CORS configuration does not exist"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketWebsite>(
      "s3:GetBucketWebsite",
      [](const Allowed<GetBucketWebsiteRequest>&, BucketPtr b) -> Result<GetBucketWebsiteOutput> {
        return fail(Error{&kNoWebsite, "The specified bucket does not have a website configuration"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketReplication>(
      "s3:GetReplicationConfiguration",
      [](const Allowed<GetBucketReplicationRequest>&, BucketPtr b) -> Result<GetBucketReplicationOutput> {
        return fail(Error{&kNoReplication, "The replication configuration was not found"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetObjectLockConfiguration>(
      "s3:GetBucketObjectLockConfiguration",
      [](const Allowed<GetObjectLockConfigurationRequest>&, BucketPtr b) -> Result<GetObjectLockConfigurationOutput> {
        return fail(
            Error{&kNoObjectLock, "Object Lock configuration does not exist for this bucket"}.with("BucketName", b->name));
      },
      true);
  bucket_row<op::GetBucketNotificationConfiguration>(
      "s3:GetBucketNotification",
      [](const Allowed<GetBucketNotificationConfigurationRequest>&, BucketPtr)
          -> Result<op::GetBucketNotificationConfiguration::Output> { return op::GetBucketNotificationConfiguration::Output{}; },
      true);
  bucket_row<op::GetBucketAccelerateConfiguration>(
      "s3:GetAccelerateConfiguration",
      [](const Allowed<GetBucketAccelerateConfigurationRequest>&, BucketPtr) -> Result<GetBucketAccelerateConfigurationOutput> {
        return GetBucketAccelerateConfigurationOutput{};
      },
      true);
  bucket_row<op::GetBucketRequestPayment>(
      "s3:GetBucketRequestPayment",
      [](const Allowed<GetBucketRequestPaymentRequest>&, BucketPtr) -> Result<GetBucketRequestPaymentOutput> {
        GetBucketRequestPaymentOutput out;
        out.Payer = "BucketOwner";
        return out;
      },
      true);
}

}  // namespace redoubt::objects
