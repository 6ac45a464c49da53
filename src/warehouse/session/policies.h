#pragma once
/// What other files of this room ask of row-level security's commands (policies.cpp; the commands stand in commands.h).
#include "warehouse/session/sql_session.h"

namespace redoubt::warehouse::session {

secure::Policy to_secure(const catalog::RlsPolicy& policy);

/// GRANT and REVOKE SELECT ON .. TO RLS POLICY: the relation's owner's word.
Result<Outcome> grant_to_policies(Work& work, const sql::Grant& command);
/// A relation by name, whatever schema a security administrator may use: it is secured, not read.
Result<const catalog::Relation*> find_relation_to_secure(Work& work, const sql::ObjectName& name);
/// ALTER TABLE .. ROW LEVEL SECURITY; checks the right to.
Result<void> set_row_security(Work& work, catalog::Relation& relation, const sql::AlterAction& action);
/// kDependentObjects `cannot <what> because other objects depend on it` if a policy reads the relation (its column, if one is
/// given), or is attached to it by that column.
Result<void> check_no_policy_needs(Work& work, const catalog::Relation& relation, std::string_view what, int16_t attnum = 0);
/// A user or role that goes takes its attachments with it. The caller holds the locks.
void detach_from(Work& work, const catalog::Grantee& grantee);

}  // namespace redoubt::warehouse::session
