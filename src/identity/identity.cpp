#include "identity/identity.h"

#include <algorithm>

#include "base/arn.h"
#include "base/crypto.h"
#include "base/ids.h"
#include "identity/aws_managed.h"
#include "identity/layers.h"
#include "identity/parts.h"

namespace redoubt::identity {

using policy::PrincipalType;

namespace {
constexpr std::string_view kInvalidToken = "The security token included in the request is invalid.";

std::string secret_aad(std::string_view access_key_id) { return "access-key " + std::string(access_key_id); }

/// The key that seals session tokens: made once, stored under the root key.
Result<std::string> token_key(meta::Store& store, const std::string& root_key) {
  constexpr std::string_view kCollection = "iam.secrets", kName = "token-key";
  std::string sealed;
  TRY_VOID(store.transact([&](meta::Txn& txn) -> Result<void> {
    if (auto there = txn.get(kCollection, kName)) {
      sealed = *there;
      return {};
    }
    sealed = crypto::seal(root_key, crypto::random_bytes(32), kName);
    txn.put(kCollection, kName, sealed);
    return {};
  }));
  auto key = crypto::open(root_key, sealed, kName);
  if (!key) return fail(kInternal, "identity: the root key is not the one that this data was made with");
  return std::move(*key);
}

access::Caller user_caller(const Account& account, const User& user) {
  access::Caller caller;
  caller.type = PrincipalType::user;
  caller.account = account.id;
  caller.arn = caller.issuer_arn = user.arn;
  caller.unique_id = caller.user_id = user.id;
  caller.user_name = user.name;
  return caller;
}
}  // namespace

std::string seal_secret(const Parts& parts, std::string_view access_key_id, std::string_view secret) {
  return crypto::seal(parts.root_key, secret, secret_aad(access_key_id));
}
std::string open_secret(const Parts& parts, const AccessKey& key) {
  return crypto::open(parts.root_key, key.sealed_secret, secret_aad(key.id)).value_or("");
}

PrincipalRef find_principal(const Accounts& accounts, std::string_view arn_text) {
  PrincipalRef out;
  auto arn = Arn::parse(arn_text);
  if (!arn || arn->service != "iam" || !arn->region.empty()) return out;
  AccountPtr account = accounts.find(arn->account);
  if (!account) return out;
  std::string_view resource = arn->resource;
  std::string_view name = resource.substr(resource.rfind('/') + 1);
  if (resource.starts_with("user/")) out.user = find(account->users, name);
  if (resource.starts_with("role/")) out.role = find(account->roles, name);
  if (out.user && out.user->arn != arn_text) out.user = nullptr;
  if (out.role && out.role->arn != arn_text) out.role = nullptr;
  if (out) out.account = std::move(account);
  return out;
}

std::shared_ptr<const ManagedPolicy> find_managed(const Account& account, std::string_view arn) {
  if (auto aws = aws_managed_policy(arn)) return aws;
  auto it = account.policies.find(arn.substr(std::min(arn.size(), arn.rfind('/') + 1)));
  return it != account.policies.end() && it->second->arn == arn ? it->second : nullptr;
}

struct Identity::State {
  State(meta::Store& store, Clock& clock, std::string key, std::string region, std::string token_key_bytes)
      : accounts(store),
        tokens(std::move(token_key_bytes)),
        last_used(store),
        parts{accounts, tokens, last_used, clock, std::move(key), std::move(region)},
        layers(accounts) {}
  Accounts accounts;
  Tokens tokens;
  LastUsed last_used;
  Parts parts;
  Layers layers;
};

Identity::Identity(std::unique_ptr<State> state) : state_(std::move(state)) {}
Identity::~Identity() = default;

Result<std::unique_ptr<Identity>> Identity::create(meta::Store& store, Clock& clock, std::string root_key, std::string region) {
  CHECK(root_key.size() == 32);
  TRY(auto sealing_key, token_key(store, root_key));
  auto state = std::make_unique<State>(store, clock, std::move(root_key), std::move(region), std::move(sealing_key));
  TRY_VOID(state->accounts.load());
  return std::unique_ptr<Identity>(new Identity(std::move(state)));
}

void Identity::declare(access::Gate& gate) {
  Parts& parts = state_->parts;
  declare_users(gate, parts);
  declare_groups(gate, parts);
  declare_roles(gate, parts);
  declare_access_keys(gate, parts);
  declare_principal_policies(gate, parts);
  declare_managed_policies(gate, parts);
  declare_instance_profiles(gate, parts);
  declare_account(gate, parts);
  declare_simulation(gate, parts);
  declare_sts(gate, parts);
  declare_organizations(gate, parts);
  declare_organization_policies(gate, parts);
}

Result<Identity::AdminCredentials> Identity::bootstrap(const std::string& account_id) {
  CHECK(is_account_id(account_id));
  Timestamp now = state_->parts.clock.now();
  AdminCredentials out{account_id, "admin", new_iam_id("AKIA"), new_secret_access_key()};
  Account account;
  account.id = account_id;
  account.name = "first account";
  account.email = "admin@localhost";
  account.canonical_id = hex(crypto::random_bytes(32));
  account.created = now;
  TRY_VOID(state_->accounts.add(std::move(account), [&](Draft& draft) {
    User admin;
    admin.name = out.user_name;
    admin.id = new_iam_id("AIDA");
    admin.arn = iam_arn(account_id, "user/admin");
    admin.created = now;
    admin.attached = {"arn:aws:iam::aws:policy/AdministratorAccess"};
    draft.put(std::move(admin));
    draft.put(AccessKey{out.access_key_id, out.user_name, seal_secret(state_->parts, out.access_key_id, out.secret_access_key),
                        true, now});
  }));
  return out;
}

bool Identity::has_accounts() const { return !state_->accounts.ids().empty(); }
std::vector<std::string> Identity::account_ids() const {
  auto ids = state_->accounts.ids();
  std::sort(ids.begin(), ids.end());
  return ids;
}

// -- keys
// -----------------------------------------------------------------------------------------------------------------------------

Result<access::SigningKey> Identity::find_key(std::string_view access_key_id, std::string_view session_token, Timestamp now) {
  auto invalid = [] { return fail(access::kInvalidClientTokenId, std::string(kInvalidToken)); };
  if (access_key_id.starts_with("ASIA")) {
    auto session = state_->tokens.open(access_key_id, session_token);
    if (!session) return invalid();
    if (session->caller.expires <= now)
      return fail(access::kExpiredToken, "The security token included in the request is expired");
    AccountPtr account = state_->accounts.find(session->caller.account);
    if (!account) return invalid();
    auto caller = std::make_shared<access::Caller>(std::move(session->caller));
    if (!session->inline_policy.empty()) {
      auto policy = compile(session->inline_policy, policy::Kind::session);
      caller->session_policies.push_back(policy ? *policy : deny_everything());
      caller->session_policy_names.emplace_back();
    }
    for (auto& arn : session->managed_policies) {
      auto managed = find_managed(*account, arn);
      caller->session_policies.push_back(managed ? managed->document()->policy() : deny_everything());
      caller->session_policy_names.push_back(arn);
    }
    return access::SigningKey{std::move(session->secret), std::move(caller)};
  }
  // Long-term keys come without a token.
  auto owner = state_->accounts.account_of_key(access_key_id);
  AccountPtr account = owner ? state_->accounts.find(*owner) : nullptr;
  const AccessKey* key = account ? find(account->keys, access_key_id) : nullptr;
  const User* user = key ? find(account->users, key->user) : nullptr;
  if (!key || !user || !key->active || !session_token.empty()) return invalid();
  std::string secret = open_secret(state_->parts, *key);
  if (secret.empty()) return invalid();
  auto caller = std::make_shared<access::Caller>(user_caller(*account, *user));
  caller->access_key_id = key->id;
  return access::SigningKey{std::move(secret), std::move(caller)};
}

void Identity::key_used(const access::Caller& caller, std::string_view service, std::string_view region, Timestamp now) {
  Use use{now, std::string(service), std::string(region)};
  if (caller.type == PrincipalType::assumed_role)
    state_->last_used.note(caller.unique_id, std::move(use));
  else if (!caller.access_key_id.empty() && !caller.temporary)
    state_->last_used.note(caller.access_key_id, std::move(use));
}

// -- policies
// -------------------------------------------------------------------------------------------------------------------------

std::shared_ptr<const access::PrincipalPolicies> Identity::policies_of(const access::Caller& caller) {
  return state_->layers.of(caller);
}
std::shared_ptr<const access::AccountPolicies> Identity::account(std::string_view account) {
  return state_->layers.of_resources(account);
}
bool Identity::account_exists(std::string_view account) { return state_->accounts.find(account) != nullptr; }

std::string Identity::canonical_id(std::string_view account) {
  auto found = state_->accounts.find(account);
  return found ? found->canonical_id : std::string();
}
std::optional<std::string> Identity::account_of_canonical_id(std::string_view id) {
  return state_->accounts.account_of_canonical_id(id);
}

std::optional<std::string> Identity::principal_to_id(std::string_view type, std::string_view value) {
  std::string same(value);
  if (type == "Service" || type == "Federated") return same;
  if (type == "CanonicalUser") return state_->accounts.account_of_canonical_id(value) ? std::optional(same) : std::nullopt;
  if (value == "*" || is_account_id(value)) return same;
  if (value.starts_with("AIDA") || value.starts_with("AROA"))
    return id_to_principal(value) != value ? std::optional(same) : std::nullopt;
  auto arn = Arn::parse(value);
  if (!arn || arn->partition != "aws" || !is_account_id(arn->account) || !arn->region.empty()) return std::nullopt;
  if (arn->service == "sts")
    return arn->resource.starts_with("assumed-role/") || arn->resource.starts_with("federated-user/") ? std::optional(same)
                                                                                                      : std::nullopt;
  if (arn->service == "iam" && arn->resource == "root") return same;
  auto principal = find_principal(state_->accounts, value);
  if (principal.user) return principal.user->id;
  if (principal.role) return principal.role->id;
  return std::nullopt;
}

std::string Identity::id_to_principal(std::string_view value) {
  auto owner = state_->accounts.account_of_principal(value);
  AccountPtr account = owner ? state_->accounts.find(*owner) : nullptr;
  if (account) {
    for (auto& [name, role] : account->roles)
      if (role->id == value) return role->arn;
    for (auto& [name, user] : account->users)
      if (user->id == value) return user->arn;
  }
  return std::string(value);
}

bool Identity::role_exists(std::string_view role_arn) { return find_principal(state_->accounts, role_arn).role != nullptr; }

std::string Identity::encode_authorization_message(std::string_view account, std::string_view json) {
  return state_->tokens.seal_message(account, json);
}

Result<std::string> principals_to_ids(access::Directory& directory, std::string_view document) {
  return policy::rewrite_principals(document, [&](std::string_view type, std::string_view value) -> Result<std::string> {
    if (auto id = directory.principal_to_id(type, value)) return std::move(*id);
    return fail(kMalformedPolicyDocument,
                "Invalid principal in policy: \"" + std::string(type) + "\":\"" + std::string(value) + "\"");
  });
}

std::string principals_to_arns(access::Directory& directory, std::string_view document) {
  auto shown = policy::rewrite_principals(document, [&](std::string_view, std::string_view value) -> Result<std::string> {
    return directory.id_to_principal(value);
  });
  return shown ? std::move(*shown) : std::string(document);
}

}  // namespace redoubt::identity
