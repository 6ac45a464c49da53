#pragma once
/// How KMS's rows are built: nearly every operation needs one permission on the key that its KeyId names.
#include <algorithm>

#include "base/optional.h"
#include "keys/keys.h"

namespace redoubt::keys {

/// The encryption context of a request, by whatever name its input has it; empty if it has none.
template <class In>
EncryptionContext context_of(const In& in) {
  if constexpr (requires { in.EncryptionContext; })
    return or_empty(in.EncryptionContext);
  else
    return {};
}

inline void set_encryption_context(const EncryptionContext& pairs, policy::Context& context) {
  std::vector<std::string> names;
  for (auto& [k, v] : pairs) {
    context.set("kms:EncryptionContext:" + k, v);
    names.push_back(k);
  }
  context.set_list("kms:EncryptionContextKeys", names);
}

template <class Tags>
void set_request_tags(const Tags& tags, policy::Context& context) {
  std::vector<std::string> names;
  for (auto& t : tags) {
    context.set("aws:RequestTag/" + t.TagKey, t.TagValue);
    names.push_back(t.TagKey);
  }
  context.set_list("aws:TagKeys", names);
}

/// Sets kms:RequestAlias if the key was named by an alias, by name or ARN.
inline void set_request_alias(std::string_view key_id, policy::Context& context) {
  auto at = key_id.starts_with("arn:") ? key_id.find(":alias/") : key_id.npos;
  if (key_id.starts_with("alias/"))
    context.set("kms:RequestAlias", key_id);
  else if (at != key_id.npos)
    context.set("kms:RequestAlias", key_id.substr(at + 1));
}

/// Whom a grant's principal means.
inline bool is_principal(std::string_view named, const access::Caller& caller) {
  return !named.empty() && (named == caller.arn || (named == caller.unique_id && caller.unique_id != caller.account));
}

/// AWS's limit on what can be authenticated. Errors: kValidation.
inline Result<void> check_context_size(const EncryptionContext& context) {
  size_t size = 0;
  for (auto& [k, v] : context) size += k.size() + v.size();
  if (size > 8192) return fail(kValidation, "The encryption context must be at most 8192 characters long.");
  return {};
}

/// Whether a key can also be named by an alias: AWS takes one where the key is used, not where it is managed.
inline bool takes_alias(std::string_view action) {
  for (auto a : {"kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"})
    if (action == a) return true;
  return false;
}

template <class In>
access::Need<In> Keys::needs_key(std::string_view action) {
  return {.action = action,
          .resources = [this, action](const In& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
            auto named = find(in.KeyId, call);
            if (!named.alias.empty() && !takes_alias(action)) return fail(kNotFound, "Invalid keyId " + in.KeyId);
            return std::vector{resource(named, call, action, context_of(in))};
          },
          .context =
              [](const In& in, const access::Call&, policy::Context& context) {
                set_encryption_context(context_of(in), context);
                set_request_alias(in.KeyId, context);
                if constexpr (requires { in.EncryptionAlgorithm; })
                  context.set("kms:EncryptionAlgorithm", in.EncryptionAlgorithm.value_or("SYMMETRIC_DEFAULT"));
                if constexpr (requires { in.BypassPolicyLockoutSafetyCheck; })
                  context.set_bool("kms:BypassPolicyLockoutSafetyCheck", in.BypassPolicyLockoutSafetyCheck.value_or(false));
                if constexpr (requires { in.PendingWindowInDays; })
                  context.set_int("kms:ScheduleKeyDeletionPendingWindowInDays", in.PendingWindowInDays.value_or(30));
                if constexpr (requires { in.RotationPeriodInDays; })
                  context.set_int("kms:RotationPeriodInDays", in.RotationPeriodInDays.value_or(365));
              }};
}

template <class Op>
void Keys::key_operation(
    std::string_view action, Reach reach,
    std::function<Result<typename Op::Output>(const access::Allowed<typename Op::Input>&, const KeyPtr&)> handler, bool read_only,
    std::vector<std::string_view> secrets) {
  using In = typename Op::Input;
  access::Row<Op> row{.needs = {needs_key<In>(action)}};
  row.handler = [handler = std::move(handler), reach](const access::Allowed<In>& r) -> Result<typename Op::Output> {
    auto key = r.template found<Key>();
    CHECK(key != nullptr);
    if (reach == Reach::own_account && key->account != r.call.caller->account)
      return fail(access::kAccessDenied,
                  "This operation cannot be performed on a KMS key in a different AWS account: " + key->arn());
    TRY_VOID(check_context_size(context_of(r.input)));
    return handler(r, key);
  };
  row.read_only = read_only;
  row.denial = policy::DenialStyle::kms;
  row.secret_members = std::move(secrets);
  gate_->add<Op>(std::move(row));
}

inline Result<void> check_dry_run(bool dry_run) {
  if (dry_run) return fail(kDryRun, "The request would have succeeded, but the DryRun option is set.");
  return {};
}

/// One page of `all` by Limit and Marker (the position as text). Fills out.NextMarker and out.Truncated.
template <class Item, class In, class Out>
Result<std::vector<Item>> page(const std::vector<Item>& all, const In& in, Out& out, size_t limit_default) {
  size_t from = 0, limit = size_t(in.Limit.value_or(int64_t(limit_default)));
  if (in.Marker) {
    auto position = parse_int(*in.Marker);
    if (!position || *position < 0 || size_t(*position) > all.size()) return fail(kInvalidMarker, "The marker is not valid.");
    from = size_t(*position);
  }
  size_t to = std::min(all.size(), from + limit);
  out.Truncated = to < all.size();
  if (to < all.size()) out.NextMarker = std::to_string(to);
  return std::vector<Item>(all.begin() + long(from), all.begin() + long(to));
}

}  // namespace redoubt::keys
