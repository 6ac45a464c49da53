#pragma once
/// What IAM's operations share: naming resources, paging, tags, and entities as the API shows them. Source: IAM API Reference.
#include "api/iam.h"
#include "base/arn.h"
#include "identity/identity.h"
#include "identity/parts.h"

namespace redoubt::identity {

namespace iam = api::iam;
using access::Allowed;
using access::Call;
using access::Resource;
using policy::Context;
using Resources = Result<std::vector<Resource>>;

inline constexpr size_t kTagsMax = 50;

/// The caller's account. The Gate has let the call through, so there is one.
AccountPtr account_of(const Parts& parts, const Call& call);

// -- resources: an entity that doesn't exist has the ARN that its name alone would give
// ----------------------------------------------

Resource user_resource(const Parts& parts, const Call& call, std::string_view name);
Resource group_resource(const Parts& parts, const Call& call, std::string_view name);
Resource role_resource(const Parts& parts, const Call& call, std::string_view name);
Resource profile_resource(const Parts& parts, const Call& call, std::string_view name);
Resource policy_resource(const Parts& parts, const Call& call, std::string_view arn);
/// One that is about to be made: "user", path, name.
Resource new_resource(const Call& call, std::string_view kind, const std::optional<std::string>& path, std::string_view name);
/// UserName, or without it the calling user's own. Error: kValidationError for callers that aren't users.
Result<std::string> user_or_self(const Call& call, const std::optional<std::string>& name);

// -- entities by name; errors: kNoSuchEntity in AWS's words
// --------------------------------------------------------------------------

Result<const User*> the_user(const Account& account, std::string_view name);
Result<const Group*> the_group(const Account& account, std::string_view name);
Result<const Role*> the_role(const Account& account, std::string_view name);
Result<const InstanceProfile*> the_profile(const Account& account, std::string_view name);
/// Of the account itself or AWS's.
Result<std::shared_ptr<const ManagedPolicy>> the_policy(const Account& account, std::string_view arn);
/// For changes: AWS's own can't be. Error: kAccessDenied-like text of AWS for those.
Result<const ManagedPolicy*> the_own_policy(const Account& account, std::string_view arn);
/// Whether the permissions boundary named exists. Error: kNoSuchEntity.
Result<void> check_boundary(const Account& account, const std::string& arn);
std::unexpected<Error> no_such_entity(std::string text);

// -- paging
// --------------------------------------------------------------------------------------------------------------------------

/// Of keys in their order those from..to; marker: where the next page begins, if there is one.
struct Page {
  size_t from = 0, to = 0;
  std::optional<std::string> marker;
};
/// `keys` ascending. Error: kValidationError for a marker that isn't ours.
Result<Page> page_of(const std::vector<std::string>& keys, const std::optional<std::string>& marker,
                     const std::optional<int64_t>& max_items);
template <class Out>
void set_page(Out& out, const Page& page) {
  out.IsTruncated = page.marker.has_value();
  out.Marker = page.marker;
}
/// The entities of `map` below `prefix` that `in` (Marker, MaxItems) asks for; sets IsTruncated and Marker of `out`.
template <class T, class In, class Out>
Result<std::vector<const T*>> page_entities(const ByName<T>& map, const std::optional<std::string>& prefix, const In& in,
                                            Out& out) {
  std::vector<std::string> keys;
  for (auto& [name, entity] : map)
    if (!prefix || entity->path.starts_with(*prefix)) keys.push_back(name);
  TRY(Page page, page_of(keys, in.Marker, in.MaxItems));
  set_page(out, page);
  std::vector<const T*> entities;
  for (size_t i = page.from; i < page.to; ++i) entities.push_back(map.at(keys[i]).get());
  return entities;
}

// -- tags
// ----------------------------------------------------------------------------------------------------------------------------

/// `base` with `more` on top. Errors: kInvalidInput (duplicates, reserved keys), kLimitExceeded naming `quota` ("TagsPerRole").
Result<Tags> merged_tags(Tags base, const std::vector<iam::Tag>& more, std::string_view quota);
void remove_tags(Tags& tags, const std::vector<std::string>& keys);
std::vector<iam::Tag> to_api(const Tags& tags);
/// aws:RequestTag/k and aws:TagKeys.
void fill_tag_keys(Context& context, const std::optional<std::vector<iam::Tag>>& tags);
void fill_untag_keys(Context& context, const std::vector<std::string>& keys);
/// One page of the tags, with IsTruncated and Marker.
template <class In, class Out>
Result<Out> list_tags(const Tags& tags, const In& in) {
  std::vector<std::string> keys;
  for (auto& [k, v] : tags) keys.push_back(k);
  TRY(Page page, page_of(keys, in.Marker, in.MaxItems));
  Out out;
  set_page(out, page);
  for (size_t i = page.from; i < page.to; ++i) out.Tags.push_back({keys[i], tags.at(keys[i])});
  return out;
}

// -- entities as the API shows them; `full`: with tags, boundary and last use, which lists leave out
// ---------------------------------

iam::User to_api(const User& user, bool full = true);
iam::Group to_api(const Group& group);
/// Trust policies show ARNs again where the principals still exist.
iam::Role to_api(access::Directory& directory, const Parts& parts, const Role& role, bool full = true);
iam::InstanceProfile to_api(access::Directory& directory, const Parts& parts, const Account& account,
                            const InstanceProfile& profile, bool full = true);
std::optional<iam::AttachedPermissionsBoundary> boundary_to_api(const std::string& arn);
/// IAM shows documents percent-encoded.
std::string shown_document(std::string_view document);

}  // namespace redoubt::identity
