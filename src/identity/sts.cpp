/// STS but for AssumeRole. Source: STS API Reference.
#include "base/arn.h"
#include "identity/assume_role.h"

namespace redoubt::identity {

using access::Allowed;
using access::Caller;
using access::NoNeed;
using access::Resource;
using policy::PrincipalType;

namespace {
constexpr int64_t kRootDurationMax = 3600, kUserDurationDefault = 43200;

/// A federated user without policies of its own may do nothing but what resource policies grant to it: a session policy that
/// allows nothing, since an absent one would not bind.
constexpr std::string_view kNothing =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"none:null","Resource":"*"}]})";

class Sts {
 public:
  explicit Sts(Parts& parts) : parts_(parts), assume_role_(parts) {}
  void declare(access::Gate& gate);

 private:
  static Result<sts::GetCallerIdentityResponse> caller_identity(const Allowed<sts::GetCallerIdentityRequest>& r) {
    const Caller& caller = *r.call.caller;
    if (caller.account.empty()) return fail(access::kMissingAuthenticationToken, "Request is missing Authentication Token");
    return sts::GetCallerIdentityResponse{caller.user_id, caller.account, caller.arn};
  }

  Result<sts::GetSessionTokenResponse> session_token(const Allowed<sts::GetSessionTokenRequest>& r) {
    const Caller& caller = *r.call.caller;
    bool root = caller.type == PrincipalType::root;
    if (caller.temporary || (caller.type != PrincipalType::user && !root))
      return fail(access::kAccessDenied, "Cannot call GetSessionToken with session credentials");
    TRY_VOID(refuse_unsupported(r.input));
    int64_t seconds = r.input.DurationSeconds.value_or(kUserDurationDefault);
    if (root) seconds = std::min(seconds, kRootDurationMax);
    StsSession session;
    session.caller = caller;
    session.caller.from_get_session_token = true;
    sts::GetSessionTokenResponse out;
    out.Credentials = issue(parts_, std::move(session), seconds);
    return out;
  }

  Result<sts::GetFederationTokenResponse> federation_token(const Allowed<sts::GetFederationTokenRequest>& r) {
    const Caller& caller = *r.call.caller;
    if (caller.temporary || caller.type != PrincipalType::user)
      return fail(access::kAccessDenied, "Cannot call GetFederationToken with session credentials");
    TRY_VOID(refuse_unsupported(r.input));
    TRY(auto tags, passed_tags(r.input.Tags));
    AccountPtr account = parts_.accounts.find(caller.account);
    CHECK(account != nullptr);
    TRY(auto policies, passed_policies(*account, r.input.Policy, r.input.PolicyArns));
    TRY(int64_t packed, packed_size(policies, tags));
    bool any = !policies.inline_policy.empty() || !policies.managed.empty();
    StsSession session;
    Caller& c = session.caller;
    c.type = PrincipalType::federated_user;
    c.account = caller.account;
    c.arn = federated_arn(r.input, caller);
    c.issuer_arn = caller.arn;
    c.unique_id = caller.unique_id;
    c.user_id = caller.account + ":" + r.input.Name;
    c.session_name = r.input.Name;
    c.session_tags = std::move(tags);
    session.inline_policy = any ? std::move(policies.inline_policy) : std::string(kNothing);
    session.managed_policies = std::move(policies.managed);
    sts::GetFederationTokenResponse out;
    out.FederatedUser = sts::FederatedUser{c.user_id, c.arn};
    out.PackedPolicySize = packed;
    out.Credentials = issue(parts_, std::move(session), r.input.DurationSeconds.value_or(kUserDurationDefault));
    return out;
  }
  static std::string federated_arn(const sts::GetFederationTokenRequest& in, const Caller& caller) {
    return make_arn("sts", "", caller.account, "federated-user/" + in.Name);
  }

  Result<sts::GetAccessKeyInfoResponse> key_info(const Allowed<sts::GetAccessKeyInfoRequest>& r) {
    auto account = parts_.accounts.account_of_key(r.input.AccessKeyId);
    if (!account) return fail(kValidationError, "The access key id " + r.input.AccessKeyId + " is not one of a user.");
    return sts::GetAccessKeyInfoResponse{*account};
  }

  Result<sts::DecodeAuthorizationMessageResponse> decode(const Allowed<sts::DecodeAuthorizationMessageRequest>& r) {
    auto message = parts_.tokens.open_message(r.call.caller->account, r.input.EncodedMessage);
    if (!message) return fail(kInvalidAuthorizationMessage, "Encoded authorization message is invalid.");
    return sts::DecodeAuthorizationMessageResponse{std::move(*message)};
  }

  Parts& parts_;
  AssumeRole assume_role_;
};

void Sts::declare(access::Gate& gate) {
  using namespace sts::op;
  assume_role_.declare(gate);
  gate.add<GetCallerIdentity>({.needs = NoNeed{"AWS requires no permission, and an explicit Deny is ignored"},
                               .handler = [](auto& r) { return caller_identity(r); }});
  gate.add<GetSessionToken>({.needs = NoNeed{"AWS requires no permission: it only authenticates"},
                             .handler = [this](auto& r) { return session_token(r); }});
  gate.add<GetFederationToken>({.needs = {{.action = "sts:GetFederationToken",
                                           .resources = [](auto& in, auto& call) -> Result<std::vector<Resource>> {
                                             Resource out;
                                             out.arn = federated_arn(in, *call.caller);
                                             return std::vector{std::move(out)};
                                           }}},
                                .handler = [this](auto& r) { return federation_token(r); }});
  gate.add<GetAccessKeyInfo>({.needs = {{.action = "sts:GetAccessKeyInfo"}}, .handler = [this](auto& r) { return key_info(r); }});
  gate.add<DecodeAuthorizationMessage>({.needs = {{.action = "sts:DecodeAuthorizationMessage"}},
                                        .handler = [this](auto& r) { return decode(r); },
                                        .read_only = true});
}

}  // namespace

void declare_sts(access::Gate& gate, Parts& parts) {
  auto service = std::make_shared<Sts>(parts);
  parts.services.push_back(service);
  service->declare(gate);
}

}  // namespace redoubt::identity
