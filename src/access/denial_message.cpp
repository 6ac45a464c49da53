#include "access/denial_message.h"

namespace redoubt::access {

namespace {
Json items(Json list) { return Json::object().set("items", std::move(list)); }

Json matched_statements(const policy::Explanation& e) {
  Json out = Json::array();
  for (auto& layer : e.layers)
    for (auto& policy : layer.policies)
      for (auto& statement : policy.statements)
        if (statement.matched)
          out.push(Json::object()
                       .set("statementId", statement.sid)
                       .set("effect", statement.allow ? "ALLOW" : "DENY")
                       .set("sourcePolicyId", policy.name)
                       .set("sourcePolicyType", policy::layer_name(layer.layer)));
  return out;
}

Json conditions(const policy::Explanation& e) {
  Json out = Json::array();
  for (auto& [key, values] : e.context) {
    Json list = Json::array();
    for (auto& value : values) list.push(Json::object().set("value", value));
    out.push(Json::object().set("key", key).set("values", items(std::move(list))));
  }
  return out;
}
}  // namespace

Json denial_message(const policy::Explanation& e, std::string_view principal_id) {
  Json context = Json::object();
  context.set("principal", Json::object().set("id", principal_id).set("arn", e.principal));
  context.set("action", e.action).set("resource", e.resource).set("conditions", items(conditions(e)));
  Json out = Json::object();
  out.set("allowed", false).set("explicitDeny", e.effect == policy::Decision::Effect::explicit_deny);
  out.set("matchedStatements", items(matched_statements(e))).set("failures", items(Json::array()));
  return out.set("context", std::move(context));
}

}  // namespace redoubt::access
