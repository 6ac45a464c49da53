#pragma once
/// How S3's rows are built; objects room only.
#include "api/s3.h"
#include "base/text.h"
#include "objects/conditional.h"
#include "objects/objects.h"

namespace redoubt::objects {

using redoubt::Error;  // not the model's shape of that name
using Resources = Result<std::vector<access::Resource>>;
using access::Allowed;
using access::Call;

inline constexpr const char* kMalformedXmlText =
    "The XML you provided was not well-formed or did not validate against our published schema";

inline Error not_built(std::string_view what) {
  return {&kNotImplemented, std::string(what) + " is not supported by this server."};
}

/// One resource as a row's `resources` answer it.
inline Resources only(access::Resource r) {
  std::vector<access::Resource> out;
  out.push_back(std::move(r));
  return out;
}

/// The version id as responses carry it: absent for buckets that never had versioning.
inline std::optional<std::string> shown_version(const Bucket& b, const std::string& version_id) {
  if (b.versioning == Versioning::never) return std::nullopt;
  return version_id;
}

template <class Op>
void Objects::add(access::Row<Op> row) {
  using In = typename Op::Input;
  row.denial = policy::DenialStyle::s3;
  row.done = [this](const In& in, const Call& call, int status, std::string_view code, uint64_t sent, uint64_t received) {
    static_cast<void>(this);  // operations without a bucket are not logged
    if constexpr (requires { in.Bucket; }) {
      LoggedRequest request{.operation = Op::shape().name, .method = Op::shape().method, .status = status, .error_code = code};
      request.sent = sent;
      request.received = received;
      if constexpr (requires { in.Key; }) request.key = in.Key;
      if constexpr (requires { in.VersionId; })
        if (in.VersionId) request.version_id = *in.VersionId;
      log_access(in.Bucket, request, call);
    }
  };
  gate_->add<Op>(std::move(row));
}

template <class In>
const std::optional<std::string>& expected_owner(const In& in) {
  static const std::optional<std::string> kNone;
  if constexpr (requires { in.ExpectedBucketOwner; })
    return in.ExpectedBucketOwner;
  else
    return kNone;
}

template <class Op>
void Objects::bucket_row(std::string_view action, BucketHandler<Op> handler, bool read_only) {
  using In = typename Op::Input;
  access::Row<Op> row{.needs = {{.action = action, .resources = [this](const In& in, const Call& call) -> Resources {
                                   TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
                                   return only(bucket_resource(b, call));
                                 }}}};
  row.read_only = read_only;
  row.handler = [handler](const Allowed<In>& r) { return handler(r, r.template found<Bucket>()); };
  add<Op>(std::move(row));
}

/// Condition keys that reflect a write's headers and not simply their text: the Gate sets s3:x-amz-* itself. Bucket defaults
/// never show in any of them.
template <class In>
void set_write_context(const In& in, const Call& call, policy::Context& c) {
  if constexpr (requires { in.SSEKMSKeyId; })
    if (in.SSEKMSKeyId) {
      auto id = *in.SSEKMSKeyId;
      if (!id.starts_with("arn:"))
        id = make_arn("kms", call.region, call.caller->account, id.starts_with("alias/") ? id : "key/" + id);
      c.set("s3:x-amz-server-side-encryption-aws-kms-key-id", id);
    }
  if constexpr (requires { in.IfNoneMatch; })
    if (in.IfNoneMatch) c.set("s3:if-none-match", *in.IfNoneMatch);
  if constexpr (requires { in.IfMatch; })
    if (in.IfMatch) c.set("s3:if-match", *in.IfMatch);
}

/// Conditions of a write. Errors: kNotImplemented for If-None-Match with an etag, as AWS.
template <class In>
Result<WriteCondition> write_condition(const In& in) {
  WriteCondition out;
  if (in.IfNoneMatch) {
    if (*in.IfNoneMatch != "*")
      return fail(Error{&kNotImplemented, "A header you provided implies functionality that is not implemented"}.with(
          "Header", "If-None-Match"));
    out.if_none_match = true;
  }
  if (in.IfMatch) out.if_match = unquoted(*in.IfMatch);
  return out;
}

/// Errors: kKeyTooLong.
inline Result<void> check_key(const std::string& key) {
  if (key.empty()) return fail(kInvalidArgument, "Object key must not be empty");
  if (key.size() > 1024)
    return fail(
        Error{&kKeyTooLong, "Your key is too long"}.with("Size", std::to_string(key.size())).with("MaxSizeAllowed", "1024"));
  return {};
}

// ACLs.
Result<void> add_header_grants(const std::string& header, const char* permission, std::vector<AclGrant>& out);
bool has_public_grant(const std::vector<AclGrant>& acl);

template <class In>
bool has_header_grants(const In& in) {
  bool write = false;
  if constexpr (requires { in.GrantWrite; }) write = in.GrantWrite.has_value();
  return write || in.GrantFullControl || in.GrantRead || in.GrantReadACP || in.GrantWriteACP;
}
template <class In>
bool names_acl(const In& in, const Call&) {
  return in.ACL || has_header_grants(in);
}

/// An ACL is named in one way. Errors: kInvalidRequest.
template <class In>
Result<void> check_one_acl(const In& in) {
  if (in.ACL && has_header_grants(in))
    return fail(kInvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed");
  return {};
}

/// A page's size or start as a query parameter. Errors: kInvalidArgument.
Result<void> check_page(const std::optional<int64_t>& n, const char* name, int64_t min = 0, int64_t max = INT32_MAX);

/// Grants named by x-amz-grant-* headers: `id="..", uri=".."`. Errors: kInvalidArgument.
template <class In>
Result<std::vector<AclGrant>> header_grants(const In& in) {
  std::vector<AclGrant> out;
  auto take = [&](const std::optional<std::string>& header, const char* permission) -> Result<void> {
    return header ? add_header_grants(*header, permission, out) : Result<void>{};
  };
  TRY_VOID(take(in.GrantFullControl, "FULL_CONTROL"));
  TRY_VOID(take(in.GrantRead, "READ"));
  TRY_VOID(take(in.GrantReadACP, "READ_ACP"));
  TRY_VOID(take(in.GrantWriteACP, "WRITE_ACP"));
  if constexpr (requires { in.GrantWrite; }) TRY_VOID(take(in.GrantWrite, "WRITE"));
  return out;
}

/// Who owns a new object. Source: S3 User Guide, "Controlling ownership of objects". Services and anonymous writers have no
/// account: what they write is the bucket owner's.
std::string owner_of_new(const Bucket& b, const std::optional<std::string>& canned_acl, const access::Caller& writer);

// Tags.
/// x-amz-tagging: "a=b&c=d". Errors: kInvalidArgument, kBadTagCount, kInvalidTag.
Result<std::map<std::string, std::string>> parse_tagging(const std::string& text);
Result<std::map<std::string, std::string>> check_tags(const std::vector<api::s3::Tag>& tags, size_t max);
void set_request_tags(const std::map<std::string, std::string>& tags, policy::Context& c);
template <class In>
void set_tagging_context(const In& in, policy::Context& c) {
  if (!in.Tagging) return;
  // Text that can't be parsed fails in the handler.
  if (auto tags = parse_tagging(*in.Tagging)) set_request_tags(*tags, c);
}

template <class In>
bool wants_customer_key(const In& in) {
  return in.SSECustomerAlgorithm || in.SSECustomerKey || in.SSECustomerKeyMD5;
}

}  // namespace redoubt::objects
