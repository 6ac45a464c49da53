#include "warehouse/session/plan_log.h"

#include "warehouse/session/explain.h"

namespace redoubt::warehouse::session {

bool shows_policies(const Facts& facts) {
  auto who = catalog::identities(*facts.snapshot, facts.session_user);
  return catalog::is_security_admin(who) || catalog::has_system_privilege(*facts.snapshot, who, "EXPLAIN RLS");
}

void log_plan(Work& work, const secure::plan::Statement& plan, char command) {
  auto number = [](auto n) { return engine::Datum(std::to_string(n)); };
  auto& log = *work.core.log;
  const Facts& facts = *work.facts;
  std::vector<int> open;  // ids of the nodes that the current one is below
  int id = 0;
  for (auto& node : plan_nodes(plan, *facts.snapshot, shows_policies(facts))) {
    open.resize(size_t(node.depth), 0);
    int parent = open.empty() ? 0 : open.back();
    open.push_back(++id);
    std::string info;
    for (auto& line : node.infos) info += (info.empty() ? "" : ", ") + line;
    log.append("stl_explain", {number(facts.current_user), number(facts.query), number(id), number(parent),
                               node.text.substr(0, 400), info.substr(0, 400)});
  }
  if (!plan.touches_protected) return;
  auto who = catalog::identities(*facts.snapshot, facts.session_user);
  catalog::Oid last = 0;
  for (auto& authorised : plan.authorised) {
    auto* relation = facts.snapshot->relation(authorised.relation);
    if (!relation || std::exchange(last, authorised.relation) == authorised.relation) continue;
    auto* schema = facts.snapshot->schema(relation->schema);
    auto row = [&](engine::Datum policy, engine::Datum is_default) {
      log.append("_rls_applied_policy",
                 {number(facts.session_user), facts.snapshot->user_name(facts.session_user), number(facts.query),
                  number(facts.transaction), number(facts.pid), sql_timestamp(facts.now), std::string(1, command),
                  facts.database_name, schema ? schema->name : "", relation->name, std::move(policy), std::move(is_default)});
    };
    auto security = catalog::row_security(*facts.snapshot, who, *relation);
    for (auto* policy : security.applied) row(policy->name, std::nullopt);
    if (security.applied.empty()) row(std::nullopt, "f");
  }
}

}  // namespace redoubt::warehouse::session
