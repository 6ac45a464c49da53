#pragma once
/// Entities as they lie in the metadata store: one JSON record each. Reading tolerates nothing: a record of another shape is a
/// damaged store, reported by load().
#include "base/json.h"
#include "identity/model.h"

namespace redoubt::identity {

Json to_record(const User& user);
Json to_record(const Group& group);
Json to_record(const Role& role);
Json to_record(const ManagedPolicy& policy);
Json to_record(const InstanceProfile& profile);
Json to_record(const AccessKey& key);
Json to_record(const Account& account);  // without what is in it
Json to_record(const Organization& organization);

User user_from(const Json& record, const std::string& account);
Group group_from(const Json& record, const std::string& account);
Role role_from(const Json& record, const std::string& account);
ManagedPolicy policy_from(const Json& record, const std::string& account);
InstanceProfile profile_from(const Json& record, const std::string& account);
AccessKey access_key_from(const Json& record);
Account account_from(const Json& record);
Organization organization_from(const Json& record);

Json tags_json(const Tags& tags);
Tags tags_from(const Json& record);

}  // namespace redoubt::identity
