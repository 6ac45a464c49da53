#include "api/s3.h"

#include "base/text.h"
#include "stacks/providers/values.h"

namespace redoubt::stacks {

using namespace api::s3;
using redoubt::Error;

namespace {

/// LogDeliveryWrite -> log-delivery-write
std::string canned(const std::string& access_control) {
  std::string out;
  for (char c : access_control) {
    if (c >= 'A' && c <= 'Z' && !out.empty()) out += '-';
    out += to_lower(std::string(1, c));
  }
  return out;
}

Made bucket_made(const ProviderContext& c, const std::string& name) {
  Made m{name};
  m.attributes.set("Arn", "arn:aws:s3:::" + name)
      .set("DomainName", name + ".s3.amazonaws.com")
      .set("DualStackDomainName", name + ".s3.dualstack." + c.region + ".amazonaws.com");
  m.attributes.set("RegionalDomainName", name + ".s3." + c.region + ".amazonaws.com")
      .set("WebsiteURL", "http://" + name + ".s3-website-" + c.region + ".amazonaws.com");
  return m;
}

/// The one rule of OwnershipControls, if there is any.
Result<std::optional<std::string>> ownership(const Json& p) {
  auto* controls = p.find("OwnershipControls");
  if (!controls) return std::nullopt;
  TRY_VOID(only_members(*controls, {"Rules"}));
  auto& rules = (*controls)["Rules"];
  if (rules.size() != 1) return invalid("OwnershipControls must have exactly one rule");
  TRY_VOID(only_members(rules[0], {"ObjectOwnership"}));
  TRY_VOID(required_members(rules[0], "OwnershipControls/Rules", {"ObjectOwnership"}));
  return text(rules[0], "ObjectOwnership");
}

/// Everything but name and ownership, as far as it differs from `before` (a new bucket: an empty object).
Result<void> apply_bucket(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  auto changed = [&](std::string_view property) { return before[property] != after[property]; };
  if (changed("BucketEncryption")) {
    auto& conf = after["BucketEncryption"];
    TRY_VOID(only_members(conf, {"ServerSideEncryptionConfiguration"}));
    ServerSideEncryptionConfiguration sse;
    for (auto& rule : conf["ServerSideEncryptionConfiguration"].items()) {
      TRY_VOID(only_members(rule, {"ServerSideEncryptionByDefault", "BucketKeyEnabled"}));
      ServerSideEncryptionRule r;
      if (auto* d = rule.find("ServerSideEncryptionByDefault")) {
        TRY_VOID(only_members(*d, {"SSEAlgorithm", "KMSMasterKeyID"}));
        ServerSideEncryptionByDefault by{.SSEAlgorithm = text(*d, "SSEAlgorithm").value_or("")};
        by.KMSMasterKeyID = text(*d, "KMSMasterKeyID");
        r.ApplyServerSideEncryptionByDefault = std::move(by);
      }
      r.BucketKeyEnabled = boolean(rule, "BucketKeyEnabled");
      sse.Rules.push_back(std::move(r));
    }
    if (sse.Rules.empty())
      TRY_VOID(call<op::DeleteBucketEncryption>(c, {.Bucket = name}));
    else
      TRY_VOID(call<op::PutBucketEncryption>(c, {.Bucket = name, .ServerSideEncryptionConfiguration = std::move(sse)}));
  }
  if (changed("VersioningConfiguration")) {
    TRY_VOID(only_members(after["VersioningConfiguration"], {"Status"}));
    VersioningConfiguration v;
    v.Status = text(after["VersioningConfiguration"], "Status").value_or("Suspended");
    TRY_VOID(call<op::PutBucketVersioning>(c, {.Bucket = name, .VersioningConfiguration = std::move(v)}));
  }
  if (changed("PublicAccessBlockConfiguration")) {
    auto& p = after["PublicAccessBlockConfiguration"];
    TRY_VOID(only_members(p, {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}));
    PublicAccessBlockConfiguration conf;
    conf.BlockPublicAcls = boolean(p, "BlockPublicAcls").value_or(false);
    conf.BlockPublicPolicy = boolean(p, "BlockPublicPolicy").value_or(false);
    conf.IgnorePublicAcls = boolean(p, "IgnorePublicAcls").value_or(false);
    conf.RestrictPublicBuckets = boolean(p, "RestrictPublicBuckets").value_or(false);
    TRY_VOID(call<op::PutPublicAccessBlock>(c, {.Bucket = name, .PublicAccessBlockConfiguration = std::move(conf)}));
  }
  if (changed("OwnershipControls") && !before.members().empty()) {
    TRY_VOID(ownership(after));
    OwnershipControls o;
    for (auto& r : after["OwnershipControls"]["Rules"].items())
      o.Rules.push_back({.ObjectOwnership = text(r, "ObjectOwnership").value_or("")});
    if (o.Rules.empty())
      TRY_VOID(call<op::DeleteBucketOwnershipControls>(c, {.Bucket = name}));
    else
      TRY_VOID(call<op::PutBucketOwnershipControls>(c, {.Bucket = name, .OwnershipControls = std::move(o)}));
  }
  if (changed("AccessControl") && !before.members().empty()) {
    PutBucketAclRequest in{.Bucket = name};
    in.ACL = canned(text(after, "AccessControl").value_or("Private"));
    TRY_VOID(call<op::PutBucketAcl>(c, in));
  }
  if (changed("LoggingConfiguration")) {
    auto& l = after["LoggingConfiguration"];
    TRY_VOID(only_members(l, {"DestinationBucketName", "LogFilePrefix"}));
    BucketLoggingStatus status;
    if (after.has("LoggingConfiguration"))
      status.LoggingEnabled = LoggingEnabled{.TargetBucket = text(l, "DestinationBucketName").value_or(name),
                                             .TargetPrefix = text(l, "LogFilePrefix").value_or("")};
    TRY_VOID(call<op::PutBucketLogging>(c, {.Bucket = name, .BucketLoggingStatus = std::move(status)}));
  }
  auto old_tags = before.members().empty() ? Tags{} : tags_of(c.stack_tags_before, before), new_tags = tags_of(c, after);
  if (old_tags != new_tags) {
    if (new_tags.empty())
      TRY_VOID(call<op::DeleteBucketTagging>(c, {.Bucket = name}));
    else
      TRY_VOID(call<op::PutBucketTagging>(c, {.Bucket = name, .Tagging = {.TagSet = tag_list<Tag>(new_tags)}}));
  }
  return {};
}

Result<Made> create_bucket(const ProviderContext& c, const Json& p) {
  auto name = text(p, "BucketName").value_or(c.generated_name);
  CreateBucketRequest in{.Bucket = name};
  if (c.region != "us-east-1") {
    CreateBucketConfiguration conf;
    conf.LocationConstraint = c.region;
    in.CreateBucketConfiguration = std::move(conf);
  }
  auto acl = text(p, "AccessControl");
  TRY(in.ObjectOwnership, ownership(p));
  if (acl && *acl != "Private") {
    in.ACL = canned(*acl);
    // Templates from before April 2023 name an ACL and no ownership. They mean the buckets of their time, which had ACLs;
    // --strict-acl refuses them, as AWS does today.
    if (!in.ObjectOwnership && !c.strict_acl) in.ObjectOwnership = "ObjectWriter";
  }
  TRY_VOID(call<op::CreateBucket>(c, in));
  if (auto applied = apply_bucket(c, name, Json::object(), p); !applied) return half_made(std::move(applied.error()), name);
  return bucket_made(c, name);
}

}  // namespace

std::vector<Provider> s3_providers() {
  std::vector<Provider> out;
  out.push_back(
      {.type = "AWS::S3::Bucket",
       .properties = {{"BucketName", Shape::text, OnChange::replace},
                      {"AccessControl"},
                      {"BucketEncryption", Shape::object},
                      {"VersioningConfiguration", Shape::object},
                      {"PublicAccessBlockConfiguration", Shape::object},
                      {"OwnershipControls", Shape::object},
                      {"LoggingConfiguration", Shape::object},
                      {"Tags", Shape::tags}},
       .attributes = {"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"},
       .name_property = "BucketName",
       .name_max = 63,
       .lower_case_name = true,
       .create = create_bucket,
       .update = [](const ProviderContext& c, const std::string& id, const Json& before, const Json& after) -> Result<Made> {
         TRY_VOID(apply_bucket(c, id, before, after));
         return bucket_made(c, id);
       },
       .remove = [](const ProviderContext& c, const std::string& id,
                    const Json&) { return unless_gone(dropped(call<op::DeleteBucket>(c, {.Bucket = id}))); },
       .find_made = [](const ProviderContext& c, const Json& p) -> Result<std::string> {
         auto name = text(p, "BucketName").value_or(c.generated_name);
         ListBucketsRequest in;
         in.Prefix = name;
         TRY(auto out, call<op::ListBuckets>(c, in));
         for (auto& b : or_empty(out.Buckets))
           if (b.Name == name && b.CreationDate && b.CreationDate->seconds() >= c.started.seconds()) return name;
         return std::string();
       }});
  auto put_policy = [](const ProviderContext& c, const std::string& bucket, const Json& p) -> Result<Made> {
    TRY_VOID(call<op::PutBucketPolicy>(c, {.Bucket = bucket, .Policy = p["PolicyDocument"].dump()}));
    return Made{bucket};
  };
  out.push_back({.type = "AWS::S3::BucketPolicy",
                 .properties = {{"Bucket", Shape::text, OnChange::replace, true},
                                {"PolicyDocument", Shape::document, OnChange::in_place, true}},
                 .name_property = "Bucket",
                 .create = [put_policy](const ProviderContext& c, const Json& p) -> Result<Made> {
                   auto bucket = text(p, "Bucket").value_or("");
                   // Somebody else's policy must not be written over, so whether there is one must be known.
                   auto has = call<op::GetBucketPolicy>(c, {.Bucket = bucket});
                   if (has) return fail(kAlreadyExists, "The bucket policy already exists on bucket " + bucket + ".");
                   if (has.error().kind->code != "NoSuchBucketPolicy") return fail(std::move(has.error()));
                   return put_policy(c, bucket, p);
                 },
                 .update = [put_policy](const ProviderContext& c, const std::string& id, const Json&,
                                        const Json& after) { return put_policy(c, id, after); },
                 .remove = [](const ProviderContext& c, const std::string& id,
                              const Json&) { return unless_gone(dropped(call<op::DeleteBucketPolicy>(c, {.Bucket = id}))); },
                 // Create refuses a bucket that has a policy, so one with the very text is this stack's.
                 .find_made = [](const ProviderContext& c, const Json& p) -> Result<std::string> {
                   auto bucket = text(p, "Bucket").value_or("");
                   auto has = call<op::GetBucketPolicy>(c, {.Bucket = bucket});
                   if (!has) return is_gone(has.error()) ? Result<std::string>("") : fail(std::move(has.error()));
                   auto got = Json::parse(has->Policy.value_or(""));
                   return got && *got == p["PolicyDocument"] ? bucket : std::string();
                 }});
  return out;
}

}  // namespace redoubt::stacks
