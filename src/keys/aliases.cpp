/// Aliases: names of an account and region for keys. A permission is needed on the alias and on every key that it names.
#include "api/kms.h"
#include "base/text.h"
#include "keys/rows.h"

namespace redoubt::keys {

using namespace api::kms;
using access::Allowed;

namespace {

Result<void> check_name(std::string_view name) {
  if (!name.starts_with("alias/") || name.size() == 6 || name.size() > 256) return fail(kValidation, "Invalid identifier");
  for (char c : name.substr(6))
    if (!is_alnum(c) && c != '/' && c != '_' && c != '-')
      return fail(kValidation, std::string(name) + " contains invalid characters for an alias");
  if (name.starts_with("alias/aws/")) return fail(kNotAuthorized, "The alias/aws/ namespace is reserved for AWS managed keys.");
  return {};
}

/// Errors: kValidation.
Result<void> check_target(std::string_view key_id) {
  if (key_id.starts_with("alias/") || key_id.find(":alias/") != key_id.npos)
    return fail(kValidation, "Aliases must refer to keys. Not aliases");
  return {};
}

access::Resource alias_resource(std::string_view name, const access::Call& call) {
  return {.arn = make_arn("kms", call.region, call.caller->account, name), .account = call.caller->account};
}

}  // namespace

void Keys::declare_aliases() {
  access::Row<op::CreateAlias> create{
      .needs = {
          {.action = "kms:CreateAlias",
           .resources = [this](const CreateAliasRequest& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
             TRY_VOID(check_target(in.TargetKeyId));
             return std::vector{alias_resource(in.AliasName, call),
                                resource(find(in.TargetKeyId, call), call, "kms:CreateAlias", {})};
           }}}};
  create.denial = policy::DenialStyle::kms;
  create.handler = [this](const Allowed<CreateAliasRequest>& r) -> Result<op::CreateAlias::Output> {
    TRY_VOID(check_name(r.input.AliasName));
    auto key = r.found<Key>(1);  // after the alias
    if (key->account != r.call.caller->account) return fail(kNotFound, "Key '" + key->arn() + "' does not exist");
    TRY_VOID(check_mine(*key));
    if (key->state == KeyState::pending_deletion) return fail(kInvalidState, key->arn() + " is pending deletion.");
    auto now = clock_.now();
    TRY_VOID(store_.put_alias({key->account, key->region, r.input.AliasName, key->id, now, now}, true));
    return {};
  };
  gate_->add<op::CreateAlias>(std::move(create));

  access::Row<op::UpdateAlias> update{
      .needs = {
          {.action = "kms:UpdateAlias",
           .resources = [this](const UpdateAliasRequest& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
             TRY_VOID(check_target(in.TargetKeyId));
             std::vector out{alias_resource(in.AliasName, call),
                             resource(find(in.TargetKeyId, call), call, "kms:UpdateAlias", {})};
             if (auto old = find(in.AliasName, call); old.key) out.push_back(resource(old, call, "kms:UpdateAlias", {}));
             return out;
           }}}};
  update.denial = policy::DenialStyle::kms;
  update.handler = [this](const Allowed<UpdateAliasRequest>& r) -> Result<op::UpdateAlias::Output> {
    TRY_VOID(check_name(r.input.AliasName));
    auto key = r.found<Key>(1);
    if (key->account != r.call.caller->account) return fail(kNotFound, "Key '" + key->arn() + "' does not exist");
    TRY_VOID(check_mine(*key));
    if (key->state == KeyState::pending_deletion) return fail(kInvalidState, key->arn() + " is pending deletion.");
    auto alias = store_.find_alias(key->account, key->region, r.input.AliasName);
    if (!alias)
      return fail(kNotFound, "Alias " + make_arn("kms", key->region, key->account, r.input.AliasName) + " is not found.");
    // The permission was given for the key that the alias meant when that was decided.
    if (auto old = r.found<Key>(2); !old || old->id != alias->key_id)
      return fail(kConcurrentUpdate, "The alias " + alias->arn() + " was changed by another request. Try again.");
    alias->key_id = key->id;
    alias->updated = clock_.now();
    TRY_VOID(store_.put_alias(*alias, false));
    return {};
  };
  gate_->add<op::UpdateAlias>(std::move(update));

  access::Row<op::DeleteAlias> remove{
      .needs = {
          {.action = "kms:DeleteAlias",
           .resources = [this](const DeleteAliasRequest& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
             std::vector out{alias_resource(in.AliasName, call)};
             if (auto old = find(in.AliasName, call); old.key) out.push_back(resource(old, call, "kms:DeleteAlias", {}));
             return out;
           }}}};
  remove.denial = policy::DenialStyle::kms;
  remove.handler = [this](const Allowed<DeleteAliasRequest>& r) -> Result<op::DeleteAlias::Output> {
    TRY_VOID(check_name(r.input.AliasName));
    auto alias = store_.find_alias(r.call.caller->account, r.call.region, r.input.AliasName);
    if (!alias)
      return fail(kNotFound,
                  "Alias " + make_arn("kms", r.call.region, r.call.caller->account, r.input.AliasName) + " is not found.");
    if (auto old = r.found<Key>(1); old && old->id != alias->key_id)
      return fail(kConcurrentUpdate, "The alias " + alias->arn() + " was changed by another request. Try again.");
    TRY_VOID(store_.remove_alias(*alias));
    return {};
  };
  gate_->add<op::DeleteAlias>(std::move(remove));

  access::Row<op::ListAliases> list{.needs = {{.action = "kms:ListAliases"}}};
  list.read_only = true;
  list.denial = policy::DenialStyle::kms;
  list.handler = [this](const Allowed<ListAliasesRequest>& r) -> Result<ListAliasesResponse> {
    std::string key_id;
    if (r.input.KeyId) {
      // Keys of other accounts are not here, whether they exist or not.
      auto named = find(*r.input.KeyId, r.call);
      if (!named.key || named.account != r.call.caller->account) return fail(kNotFound, "Key '" + named.arn + "' does not exist");
      key_id = named.key->id;
    }
    std::vector<AliasListEntry> all;
    for (auto& a : store_.aliases(r.call.caller->account, r.call.region))
      if (key_id.empty() || a.key_id == key_id)
        all.push_back({.AliasName = a.name,
                       .AliasArn = a.arn(),
                       .TargetKeyId = a.key_id,
                       .CreationDate = a.created,
                       .LastUpdatedDate = a.updated});
    ListAliasesResponse out;
    TRY(out.Aliases, page(all, r.input, out, 50));
    return out;
  };
  gate_->add<op::ListAliases>(std::move(list));
}

}  // namespace redoubt::keys
