/// Long-term access keys of IAM users. Secrets are stored sealed and shown once. Source: IAM API Reference, actions named
/// *AccessKey*.
#include "base/ids.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {
constexpr size_t kKeysPerUserMax = 2;

std::string_view status_of(const AccessKey& key) { return key.active ? "Active" : "Inactive"; }

class AccessKeys {
 public:
  explicit AccessKeys(Parts& parts) : parts_(parts) {}

  Result<iam::CreateAccessKeyResponse> create(const Allowed<iam::CreateAccessKeyRequest>& r) {
    TRY(std::string name, user_or_self(r.call, r.input.UserName));
    std::string secret = new_secret_access_key();
    AccessKey key;
    key.id = new_iam_id("AKIA");
    key.user = name;
    key.sealed_secret = seal_secret(parts_, key.id, secret);
    key.created = parts_.clock.now();
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY([[maybe_unused]] auto* user, the_user(draft.account(), name));
      size_t has = 0;
      for (auto& [id, other] : draft.account().keys) has += other->user == name;
      if (has >= kKeysPerUserMax)
        return fail(kLimitExceeded, "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(kKeysPerUserMax));
      draft.put(key);
      return {};
    }));
    return iam::CreateAccessKeyResponse{{name, key.id, "Active", std::move(secret), key.created}};
  }

  Result<api::Empty> update(const Allowed<iam::UpdateAccessKeyRequest>& r) {
    if (r.input.Status != "Active" && r.input.Status != "Inactive")
      return fail(kValidationError, "Status " + r.input.Status + " is not supported: Active, Inactive");
    return change(r, [&](Draft& draft, const AccessKey& key) {
      AccessKey changed = key;
      changed.active = r.input.Status == "Active";
      draft.put(std::move(changed));
    });
  }
  Result<api::Empty> erase(const Allowed<iam::DeleteAccessKeyRequest>& r) {
    return change(r, [&](Draft& draft, const AccessKey& key) { draft.erase_access_key(key.id); });
  }

  Result<iam::ListAccessKeysResponse> list(const Allowed<iam::ListAccessKeysRequest>& r) {
    TRY(std::string name, user_or_self(r.call, r.input.UserName));
    AccountPtr account = account_of(parts_, r.call);
    TRY([[maybe_unused]] auto* user, the_user(*account, name));
    std::vector<std::string> ids;
    for (auto& [id, key] : account->keys)
      if (key->user == name) ids.push_back(id);
    TRY(Page page, page_of(ids, r.input.Marker, r.input.MaxItems));
    iam::ListAccessKeysResponse out;
    set_page(out, page);
    for (size_t i = page.from; i < page.to; ++i) {
      auto* key = find(account->keys, ids[i]);
      out.AccessKeyMetadata.push_back({key->user, key->id, std::string(status_of(*key)), key->created});
    }
    return out;
  }

  Result<iam::GetAccessKeyLastUsedResponse> last_used(const Allowed<iam::GetAccessKeyLastUsedRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    auto* key = find(account->keys, r.input.AccessKeyId);
    if (!key) return not_found(r.input.AccessKeyId);
    auto use = parts_.last_used.find(key->id);
    iam::AccessKeyLastUsed last;
    if (use) last.LastUsedDate = use->time;
    last.ServiceName = use ? use->service : "N/A";
    last.Region = use ? use->region : "N/A";
    return iam::GetAccessKeyLastUsedResponse{key->user, std::move(last)};
  }

 private:
  static std::unexpected<Error> not_found(const std::string& id) {
    return no_such_entity("The Access Key with id " + id + " cannot be found.");
  }
  template <class In, class F>
  Result<api::Empty> change(const Allowed<In>& r, F edit) {
    TRY(std::string name, user_or_self(r.call, r.input.UserName));
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY([[maybe_unused]] auto* user, the_user(draft.account(), name));
      auto* key = find(draft.account().keys, r.input.AccessKeyId);
      if (!key || key->user != name) return not_found(r.input.AccessKeyId);
      edit(draft, AccessKey(*key));
      return {};
    }));
    return api::Empty{};
  }
  Parts& parts_;
};

}  // namespace

void declare_access_keys(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto keys = std::make_shared<AccessKeys>(p);
  auto user = [&p](auto& in, auto& call) -> Resources {
    if (!in.UserName && call.caller->type != policy::PrincipalType::user) return std::vector<Resource>{};
    return std::vector{user_resource(p, call, in.UserName.value_or(call.caller->user_name))};
  };
  gate.add<CreateAccessKey>(
      {.needs = {{.action = "iam:CreateAccessKey", .resources = user}}, .handler = [keys](auto& r) { return keys->create(r); }});
  gate.add<UpdateAccessKey>(
      {.needs = {{.action = "iam:UpdateAccessKey", .resources = user}}, .handler = [keys](auto& r) { return keys->update(r); }});
  gate.add<DeleteAccessKey>(
      {.needs = {{.action = "iam:DeleteAccessKey", .resources = user}}, .handler = [keys](auto& r) { return keys->erase(r); }});
  gate.add<ListAccessKeys>(
      {.needs = {{.action = "iam:ListAccessKeys", .resources = user}}, .handler = [keys](auto& r) { return keys->list(r); }});
  gate.add<GetAccessKeyLastUsed>({.needs = {{.action = "iam:GetAccessKeyLastUsed",
                                             .resources = [&p](auto& in, auto& call) -> Resources {
                                               AccountPtr account = p.accounts.find(call.caller->account);
                                               auto* key = account ? find(account->keys, in.AccessKeyId) : nullptr;
                                               return std::vector{user_resource(p, call, key ? key->user : "*")};
                                             }}},
                                  .handler = [keys](auto& r) { return keys->last_used(r); }});
}

}  // namespace redoubt::identity
