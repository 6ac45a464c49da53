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

Result<std::vector<AclGrant>> Objects::canned_acl(const std::string& name, const OurBucket& b, bool for_object) const {
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
  } else if (name == "bucket-owner-full-control" && for_object) {
    out.push_back({gate_->directory().canonical_id(b.account), false, "FULL_CONTROL"});
  } else if (name == "bucket-owner-read" && for_object) {
    out.push_back({gate_->directory().canonical_id(b.account), false, "READ"});
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
  if (acl.Grants)
    for (auto& g : *acl.Grants) {
      if (!g.Grantee || !g.Permission)
        return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
      if (g.Grantee->Type == "AmazonCustomerByEmail") return fail(not_built("A grantee by e-mail address"));
      if (g.Grantee->Type == "Group") {
        auto uri = g.Grantee->URI.value_or("");
        if (uri != kAllUsers && uri != kAuthenticatedUsers && uri != kLogDelivery)
          return fail(kInvalidArgument, "Invalid group uri");
        out.push_back({uri, true, *g.Permission});
      } else if (g.Grantee->ID.value_or("") != owner_id) {
        out.push_back({g.Grantee->ID.value_or(""), false, *g.Permission});
      }
    }
  return out;
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

template <class In>
bool has_header_grants(const In& in) {
  bool write = false;
  if constexpr (requires { in.GrantWrite; }) write = in.GrantWrite.has_value();
  return write || in.GrantFullControl || in.GrantRead || in.GrantReadACP || in.GrantWriteACP;
}

}  // namespace

template <class In>
Result<std::vector<AclGrant>> Objects::object_acl(const In& in, const OurBucket& b, const Call& call) const {
  bool grants = has_header_grants(in);
  if (!b.acls_work()) {
    if (grants || (in.ACL && *in.ACL != "bucket-owner-full-control")) return fail(kAclNotSupported, kNoAcls);
    return std::vector<AclGrant>{};
  }
  std::vector<AclGrant> out;
  if (grants) {
    TRY(out, header_grants(in));
  } else if (in.ACL) {
    TRY(out, canned_acl(*in.ACL, b, true));
  }
  if (has_public_grant(out) && b.public_access && b.public_access->block_acls) return fail(kAccessDenied, "Access Denied");
  return out;
}
template Result<std::vector<AclGrant>> Objects::object_acl(const PutObjectRequest&, const OurBucket&, const Call&) const;
template Result<std::vector<AclGrant>> Objects::object_acl(const CopyObjectRequest&, const OurBucket&, const Call&) const;
template Result<std::vector<AclGrant>> Objects::object_acl(const CreateMultipartUploadRequest&, const OurBucket&,
                                                           const Call&) const;

void Objects::declare_acls() {
  bucket_row<op::GetBucketAcl>(
      "s3:GetBucketAcl",
      [this](const Allowed<GetBucketAclRequest>&, BucketPtr b) -> Result<GetBucketAclOutput> {
        GetBucketAclOutput out;
        show(b->acls_work() ? b->acl : std::vector<AclGrant>{}, gate_->directory().canonical_id(b->account), out);
        return out;
      },
      true);

  access::Row<op::PutBucketAcl> put{.needs = {
      {.action = "s3:PutBucketAcl",
       .resources = [this](const PutBucketAclRequest& in, const Call& call) -> Resources {
         TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
         return std::vector{bucket_resource(*b, call)};
       },
       .context = [](const PutBucketAclRequest& in, const Call& call, policy::Context& c) { set_write_context(in, call, c); }}}};
  put.handler = [this](const Allowed<PutBucketAclRequest>& r) -> Result<op::PutBucketAcl::Output> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    std::vector<AclGrant> acl;
    if (has_header_grants(in)) {
      TRY(acl, header_grants(in));
    } else if (in.ACL) {
      TRY(acl, canned_acl(*in.ACL, *b, false));
    } else if (in.AccessControlPolicy) {
      TRY(acl, grants_of(*in.AccessControlPolicy, gate_->directory().canonical_id(b->account)));
    } else {
      return fail(Error{&kInvalidRequest, "Your request was missing a required header"}.with("MissingHeaderName", "x-amz-acl"));
    }
    if (!b->acls_work()) {
      if (!acl.empty()) return fail(kAclNotSupported, kNoAcls);
      return op::PutBucketAcl::Output{};
    }
    if (has_public_grant(acl) && b->public_access && b->public_access->block_acls) return fail(kAccessDenied, "Access Denied");
    TRY_VOID(buckets_.update(b->name, [&](OurBucket& x) -> Result<void> {
      x.acl = acl;
      return {};
    }));
    return op::PutBucketAcl::Output{};
  };
  add<op::PutBucketAcl>(std::move(put));

  access::Row<op::GetObjectAcl> get_object{.needs = {
      {.action = "s3:GetObjectAcl", .resources = [this](const GetObjectAclRequest& in, const Call& call) -> Resources {
         TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
         return std::vector{object_resource(*b, in.Key, in.VersionId, call)};
       }}}};
  get_object.read_only = true;
  get_object.data_event = true;
  get_object.handler = [this](const Allowed<GetObjectAclRequest>& r) -> Result<GetObjectAclOutput> {
    TRY(auto b, bucket_for(r.input.Bucket, r.input.ExpectedBucketOwner, r.call));
    auto v = index_->find(*b, r.input.Key, r.input.VersionId);
    if (!v || v->delete_marker) return no_such_key(r.input.Key, r.input.VersionId);
    GetObjectAclOutput out;
    show(b->acls_work() ? v->acl : std::vector<AclGrant>{},
         gate_->directory().canonical_id(b->acls_work() ? v->owner : b->account), out);
    return out;
  };
  add<op::GetObjectAcl>(std::move(get_object));

  access::Row<op::PutObjectAcl> put_object{.needs = {
      {.action = "s3:PutObjectAcl",
       .resources = [this](const PutObjectAclRequest& in, const Call& call) -> Resources {
         TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
         return std::vector{object_resource(*b, in.Key, in.VersionId, call)};
       },
       .context = [](const PutObjectAclRequest& in, const Call& call, policy::Context& c) { set_write_context(in, call, c); }}}};
  put_object.data_event = true;
  put_object.handler = [this](const Allowed<PutObjectAclRequest>& r) -> Result<PutObjectAclOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    auto v = index_->find(*b, in.Key, in.VersionId);
    if (!v || v->delete_marker) return no_such_key(in.Key, in.VersionId);
    if (!b->acls_work()) return fail(kAclNotSupported, kNoAcls);
    std::vector<AclGrant> acl;
    if (has_header_grants(in)) {
      TRY(acl, header_grants(in));
    } else if (in.ACL) {
      TRY(acl, canned_acl(*in.ACL, *b, true));
    } else if (in.AccessControlPolicy) {
      TRY(acl, grants_of(*in.AccessControlPolicy, gate_->directory().canonical_id(v->owner)));
    }
    if (has_public_grant(acl) && b->public_access && b->public_access->block_acls) return fail(kAccessDenied, "Access Denied");
    TRY_VOID(index_->change(*b, *v, [&](OurVersion& x) { x.acl = acl; }));
    return PutObjectAclOutput{};
  };
  add<op::PutObjectAcl>(std::move(put_object));
}

}  // namespace redoubt::objects
