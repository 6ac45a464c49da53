/// Who may use a bucket: its policy, its public access block, who owns its objects.
#include "objects/public_policy.h"
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;

namespace {

Error no_policy(const OurBucket& b) {
  return Error{&kNoSuchBucketPolicy, "The bucket policy does not exist"}.with("BucketName", b.name);
}

/// The policy as it is stored: principals as unique ids, so that a role made anew under an old name is another one. Errors:
/// kPolicyTooLarge, kMalformedPolicy.
Result<std::string> checked_policy(const std::string& text, const OurBucket& b, access::Directory& directory) {
  if (text.size() > policy::kBucketSizeMax)
    return fail(kPolicyTooLarge, "Normalized policy document exceeds the maximum allowed size of 20480 bytes.");
  auto malformed = [](const Error& e) { return fail(kMalformedPolicy, e.message); };
  auto parsed = policy::parse(text, policy::Kind::bucket);
  if (!parsed) return malformed(parsed.error());
  if (auto ok = policy::check_bucket_resources(**parsed, b.name); !ok) return malformed(ok.error());
  auto resolved = policy::rewrite_principals(text, [&](std::string_view type, std::string_view value) -> Result<std::string> {
    if (auto id = directory.principal_to_id(type, value)) return *id;
    return fail(Error{&kMalformedPolicy, "Invalid principal in policy"}.with(
        "Detail", "\"" + std::string(type) + "\" : \"" + std::string(value) + "\""));
  });
  if (!resolved && !resolved.error().is(kMalformedPolicy)) return malformed(resolved.error());
  return resolved;
}

std::unexpected<Error> blocked_by_public_access(const Call& call, const OurBucket& b) {
  return fail(kAccessDenied, "User: " + call.caller->arn + " is not authorized to perform: s3:PutBucketPolicy on resource: \"" +
                                 b.arn() +
                                 "\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public "
                                 "Access.");
}

}  // namespace

/// The policy's own operations. The bucket account's root user is never locked out of them, and other accounts never get in,
/// whatever the policy says. Source: S3 API Reference, "PutBucketPolicy".
template <class Op>
void Objects::policy_row(std::string_view action, BucketHandler<Op> handler, bool read_only) {
  using In = typename Op::Input;
  access::Row<Op> row{.needs = {{.action = action, .resources = [this](const In& in, const Call& call) -> Resources {
                                   TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
                                   auto r = bucket_resource(b, call);
                                   if (call.caller->type == policy::PrincipalType::root && call.caller->account == b->account)
                                     r.policy = nullptr;
                                   return only(std::move(r));
                                 }}}};
  row.read_only = read_only;
  row.handler = [handler](const Allowed<In>& r) -> Result<typename Op::Output> {
    auto b = r.template found<OurBucket>();
    if (r.call.caller->account != b->account)
      return fail(kMethodNotAllowed, "The specified method is not allowed against this resource.");
    return handler(r, b);
  };
  add<Op>(std::move(row));
}

void Objects::declare_policies() {
  auto update = [this](const BucketPtr& b, const std::function<Result<void>(OurBucket&)>& change) -> Result<api::Empty> {
    TRY_VOID(buckets_.update(*b, change));
    return api::Empty{};
  };

  policy_row<op::GetBucketPolicy>(
      "s3:GetBucketPolicy",
      [this](const Allowed<GetBucketPolicyRequest>&, const BucketPtr& b) -> Result<GetBucketPolicyOutput> {
        if (b->policy_text.empty()) return fail(no_policy(*b));
        TRY(auto shown,
            policy::rewrite_principals(b->policy_text, [&](std::string_view, std::string_view v) -> Result<std::string> {
              return gate_->directory().id_to_principal(v);
            }));
        GetBucketPolicyOutput out;
        out.Policy = std::move(shown);
        return out;
      },
      true);
  policy_row<op::PutBucketPolicy>(
      "s3:PutBucketPolicy",
      [this, update](const Allowed<PutBucketPolicyRequest>& r, const BucketPtr& b) -> Result<api::Empty> {
        TRY(auto text, checked_policy(r.input.Policy, *b, gate_->directory()));
        TRY(Json document, Json::parse(text));
        bool opens = is_public(document);
        return update(b, [&](OurBucket& x) -> Result<void> {
          if (opens && x.public_access && x.public_access->block_policy) return blocked_by_public_access(r.call, x);
          x.policy_text = text;
          return {};
        });
      },
      false);
  policy_row<op::DeleteBucketPolicy>(
      "s3:DeleteBucketPolicy",
      [update](const Allowed<DeleteBucketPolicyRequest>&, const BucketPtr& b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.policy_text.clear();
          return {};
        });
      },
      false);
  bucket_row<op::GetBucketPolicyStatus>(
      "s3:GetBucketPolicyStatus",
      [](const Allowed<GetBucketPolicyStatusRequest>&, const BucketPtr& b) -> Result<GetBucketPolicyStatusOutput> {
        if (b->policy_text.empty()) return fail(no_policy(*b));
        PolicyStatus status;
        status.IsPublic = b->policy_public;
        GetBucketPolicyStatusOutput out;
        out.PolicyStatus = std::move(status);
        return out;
      },
      true);

  bucket_row<op::GetPublicAccessBlock>(
      "s3:GetBucketPublicAccessBlock",
      [](const Allowed<GetPublicAccessBlockRequest>&, const BucketPtr& b) -> Result<GetPublicAccessBlockOutput> {
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
      [update](const Allowed<PutPublicAccessBlockRequest>& r, const BucketPtr& b) {
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
      [update](const Allowed<DeletePublicAccessBlockRequest>&, const BucketPtr& b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.public_access.reset();
          return {};
        });
      },
      false);

  bucket_row<op::GetBucketOwnershipControls>(
      "s3:GetBucketOwnershipControls",
      [](const Allowed<GetBucketOwnershipControlsRequest>&, const BucketPtr& b) -> Result<GetBucketOwnershipControlsOutput> {
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
      [update](const Allowed<PutBucketOwnershipControlsRequest>& r, const BucketPtr& b) -> Result<api::Empty> {
        auto& rules = r.input.OwnershipControls.Rules;
        auto o = rules.size() == 1 ? parse_ownership(rules[0].ObjectOwnership) : std::nullopt;
        if (!o) return fail(kMalformedXml, kMalformedXmlText);
        return update(b, [&](OurBucket& x) -> Result<void> {
          if (*o == Ownership::bucket_owner_enforced && !x.acl.empty())
            return fail(kInvalidAclWithOwnership,
                        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
          x.ownership = *o;
          x.ownership_set = true;
          return {};
        });
      },
      false);
  bucket_row<op::DeleteBucketOwnershipControls>(
      "s3:PutBucketOwnershipControls",
      [update](const Allowed<DeleteBucketOwnershipControlsRequest>&, const BucketPtr& b) {
        return update(b, [](OurBucket& x) -> Result<void> {
          x.ownership = Ownership::object_writer;  // what a bucket without the setting does
          x.ownership_set = false;
          return {};
        });
      },
      false);
}

}  // namespace redoubt::objects
