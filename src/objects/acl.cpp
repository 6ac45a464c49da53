/// Access control lists. Disabled where the bucket's owner owns every object (BucketOwnerEnforced, the default since 2023);
/// elsewhere what they grant is judged beside the bucket policy (acl_statements).
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;
using OurVersion = objects::ObjectVersion;

bool has_public_grant(const std::vector<AclGrant>& acl) {
  for (auto& g : acl)
    if (g.group && (g.grantee == kAllUsers || g.grantee == kAuthenticatedUsers)) return true;
  return false;
}

Result<void> add_header_grants(const std::string& header, const char* permission, std::vector<AclGrant>& out) {
  for (auto part : split(header, ',')) {
    part = trim(part);
    auto eq = part.find('=');
    auto value = std::string(trim(eq == part.npos ? std::string_view() : part.substr(eq + 1)));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    auto kind = trim(part.substr(0, eq));
    if (kind == "id" && !value.empty())
      out.push_back({value, false, permission});
    else if (kind == "uri" && (value == kAllUsers || value == kAuthenticatedUsers || value == kLogDelivery))
      out.push_back({value, true, permission});
    else
      return fail(kInvalidArgument, "Argument format not recognized: " + std::string(part));
  }
  return {};
}

std::string owner_of_new(const OurBucket& b, const std::optional<std::string>& canned_acl, const access::Caller& writer) {
  if (!b.acls_work() || writer.account.empty()) return b.account;
  bool handed_over = b.ownership == Ownership::bucket_owner_preferred && canned_acl && *canned_acl == "bucket-owner-full-control";
  return handed_over ? b.account : writer.account;
}

Result<void> Objects::check_grantees(const std::vector<AclGrant>& acl) const {
  if (acl.size() > 100) return fail(kMalformedAcl, "An ACL can have at most 100 grants.");
  for (auto& g : acl)
    if (!g.group && !gate_->directory().account_of_canonical_id(g.grantee))
      return fail(
          Error{&kInvalidArgument, "Invalid id"}.with("ArgumentName", "CanonicalUser/ID").with("ArgumentValue", g.grantee));
  return {};
}

Result<std::vector<AclGrant>> Objects::canned_acl(const std::string& name, const OurBucket& b, const std::string& owner,
                                                  bool for_object) const {
  std::vector<AclGrant> out;
  auto group = [&](std::string_view uri, const char* permission) { out.push_back({std::string(uri), true, permission}); };
  if (name == "private") return out;
  if (name == "public-read") {
    group(kAllUsers, "READ");
  } else if (name == "public-read-write") {
    group(kAllUsers, "READ");
    group(kAllUsers, "WRITE");
  } else if (name == "authenticated-read") {
    group(kAuthenticatedUsers, "READ");
  } else if (name == "log-delivery-write" && !for_object) {
    group(kLogDelivery, "WRITE");
    group(kLogDelivery, "READ_ACP");
  } else if ((name == "bucket-owner-full-control" || name == "bucket-owner-read") && for_object) {
    if (owner != b.account)
      out.push_back({gate_->directory().canonical_id(b.account), false, name == "bucket-owner-read" ? "READ" : "FULL_CONTROL"});
  } else {
    return fail(Error{&kInvalidArgument, "The canned ACL " + name + " is not supported here."}
                    .with("ArgumentName", "x-amz-acl")
                    .with("ArgumentValue", name));
  }
  return out;
}

namespace {

constexpr const char* kNoAcls = "The bucket does not allow ACLs";

Result<std::vector<AclGrant>> grants_of(const AccessControlPolicy& acl, const std::string& owner_id) {
  std::vector<AclGrant> out;
  if (!acl.Owner || acl.Owner->ID.value_or("").empty()) return fail(kMalformedAcl, kMalformedXmlText);
  if (*acl.Owner->ID != owner_id) return fail(kAccessDenied, "Access Denied");
  if (!acl.Grants) return out;
  for (auto& g : *acl.Grants) {
    if (!g.Grantee || !g.Permission) return fail(kMalformedAcl, kMalformedXmlText);
    if (g.Grantee->Type == "AmazonCustomerByEmail") return fail(not_built("A grantee by e-mail address"));
    if (g.Grantee->Type == "Group") {
      auto uri = g.Grantee->URI.value_or("");
      if (uri != kAllUsers && uri != kAuthenticatedUsers && uri != kLogDelivery)
        return fail(Error{&kInvalidArgument, "Invalid group uri"}.with("ArgumentName", "Group/URI").with("ArgumentValue", uri));
      out.push_back({uri, true, *g.Permission});
    } else if (g.Grantee->ID.value_or("").empty()) {
      return fail(kMalformedAcl, kMalformedXmlText);
    } else if (*g.Grantee->ID != owner_id) {  // the owner's own full control is not stored
      out.push_back({*g.Grantee->ID, false, *g.Permission});
    }
  }
  return out;
}

/// The ACL that a PutBucketAcl or PutObjectAcl names in one of its three ways. `canned`: makes one of a name.
template <class In, class Canned>
Result<std::vector<AclGrant>> asked_acl(const In& in, const std::string& owner_id, Canned canned) {
  TRY_VOID(check_one_acl(in));
  bool grants = has_header_grants(in);
  if ((grants || in.ACL) && in.AccessControlPolicy) return fail(kUnexpectedContent, "This request does not support content");
  if (grants) return header_grants(in);
  if (in.ACL) return canned(*in.ACL);
  if (in.AccessControlPolicy) return grants_of(*in.AccessControlPolicy, owner_id);
  return fail(
      Error{&kMissingSecurityHeader, "Your request was missing a required header"}.with("MissingHeaderName", "x-amz-acl"));
}

template <class Out>
void show(const std::vector<AclGrant>& acl, const std::string& owner_id, Out& out) {
  Owner owner;
  owner.ID = owner_id;
  out.Owner = std::move(owner);
  std::vector<Grant> grants;
  auto add = [&](Grantee who, std::string permission) {
    Grant g;
    g.Grantee = std::move(who);
    g.Permission = std::move(permission);
    grants.push_back(std::move(g));
  };
  Grantee self;
  self.ID = owner_id;
  self.Type = "CanonicalUser";
  add(std::move(self), "FULL_CONTROL");
  for (auto& g : acl) {
    Grantee who;
    who.Type = g.group ? "Group" : "CanonicalUser";
    (g.group ? who.URI : who.ID) = g.grantee;
    add(std::move(who), g.permission);
  }
  out.Grants = std::move(grants);
}

}  // namespace

template <class In>
Result<std::vector<AclGrant>> Objects::object_acl(const In& in, const OurBucket& b, const std::string& owner) const {
  TRY_VOID(check_one_acl(in));
  bool grants = has_header_grants(in);
  std::vector<AclGrant> out;
  if (!b.acls_work()) {
    if (grants || (in.ACL && *in.ACL != "bucket-owner-full-control")) return fail(kAclNotSupported, kNoAcls);
    return out;
  }
  if (grants) {
    TRY(out, header_grants(in));
  } else if (in.ACL) {
    TRY(out, canned_acl(*in.ACL, b, owner, true));
  }
  TRY_VOID(check_grantees(out));
  if (has_public_grant(out) && b.public_access && b.public_access->block_acls) return fail(kAccessDenied, "Access Denied");
  return out;
}
template Result<std::vector<AclGrant>> Objects::object_acl(const PutObjectRequest&, const OurBucket&, const std::string&) const;
template Result<std::vector<AclGrant>> Objects::object_acl(const CopyObjectRequest&, const OurBucket&, const std::string&) const;
template Result<std::vector<AclGrant>> Objects::object_acl(const CreateMultipartUploadRequest&, const OurBucket&,
                                                           const std::string&) const;

void Objects::declare_acls() {
  bucket_row<op::GetBucketAcl>(
      "s3:GetBucketAcl",
      [this](const Allowed<GetBucketAclRequest>&, const BucketPtr& b) -> Result<GetBucketAclOutput> {
        GetBucketAclOutput out;
        show(b->acls_work() ? b->acl : std::vector<AclGrant>{}, gate_->directory().canonical_id(b->account), out);
        return out;
      },
      true);

  bucket_row<op::PutBucketAcl>(
      "s3:PutBucketAcl",
      [this](const Allowed<PutBucketAclRequest>& r, const BucketPtr& b) -> Result<op::PutBucketAcl::Output> {
        if (!b->acls_work()) return fail(kAclNotSupported, kNoAcls);
        TRY(auto acl, asked_acl(r.input, gate_->directory().canonical_id(b->account),
                                [&](const std::string& name) { return canned_acl(name, *b, b->account, false); }));
        TRY_VOID(check_grantees(acl));
        TRY_VOID(buckets_.update(*b, [&](OurBucket& x) -> Result<void> {
          if (!x.acls_work()) return fail(kAclNotSupported, kNoAcls);
          if (has_public_grant(acl) && x.public_access && x.public_access->block_acls)
            return fail(kAccessDenied, "Access Denied");
          x.acl = acl;
          return {};
        }));
        return op::PutBucketAcl::Output{};
      },
      false);

  auto on_object = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    TRY(auto r, object_resource(b, in.Key, in.VersionId, call));
    return only(std::move(r));
  };
  auto current = [](const auto& in, const Call&) { return !in.VersionId; };
  auto named = [](const auto& in, const Call&) { return in.VersionId.has_value(); };

  access::Row<op::GetObjectAcl> get_object{
      .needs = {{.action = "s3:GetObjectAcl", .resources = on_object, .when = current},
                {.action = "s3:GetObjectVersionAcl", .resources = on_object, .when = named}}};
  get_object.read_only = get_object.data_event = true;
  get_object.handler = [this](const Allowed<GetObjectAclRequest>& r) -> Result<GetObjectAclOutput> {
    TRY(auto found, readable(r.found<FoundObject>()));
    auto& b = *found->bucket;
    auto& v = found->version;
    GetObjectAclOutput out;
    show(b.acls_work() ? v.acl : std::vector<AclGrant>{}, gate_->directory().canonical_id(b.acls_work() ? v.owner : b.account),
         out);
    return out;
  };
  add<op::GetObjectAcl>(std::move(get_object));

  access::Row<op::PutObjectAcl> put_object{
      .needs = {{.action = "s3:PutObjectAcl", .resources = on_object, .when = current},
                {.action = "s3:PutObjectVersionAcl", .resources = on_object, .when = named}}};
  put_object.data_event = true;
  put_object.handler = [this](const Allowed<PutObjectAclRequest>& r) -> Result<PutObjectAclOutput> {
    TRY(auto found, readable(r.found<FoundObject>(), "PUT"));
    auto& b = *found->bucket;
    auto& v = found->version;
    if (!b.acls_work()) return fail(kAclNotSupported, kNoAcls);
    TRY(auto acl, asked_acl(r.input, gate_->directory().canonical_id(v.owner),
                            [&](const std::string& name) { return canned_acl(name, b, v.owner, true); }));
    TRY_VOID(check_grantees(acl));
    if (has_public_grant(acl) && b.public_access && b.public_access->block_acls) return fail(kAccessDenied, "Access Denied");
    TRY_VOID(index_->change(b, v, [&](OurVersion& x) { x.acl = acl; }));
    return PutObjectAclOutput{};
  };
  add<op::PutObjectAcl>(std::move(put_object));
}

}  // namespace redoubt::objects
