#include "stacks/state.h"

namespace redoubt::stacks {
namespace {

Json json_of(const std::map<std::string, std::string>& m) {
  Json j = Json::object();
  for (auto& [k, v] : m) j.set(k, v);
  return j;
}
std::map<std::string, std::string> map_of(const Json& j) {
  std::map<std::string, std::string> m;
  for (auto& [k, v] : j.members()) m[k] = v.str();
  return m;
}
std::vector<std::string> strings_of(const Json& j) {
  std::vector<std::string> out;
  for (auto& x : j.items()) out.push_back(x.str());
  return out;
}

}  // namespace

Json ResourceState::json() const {
  Json j = Json::object();
  j.set("id", logical_id)
      .set("type", type)
      .set("physical", physical_id)
      .set("status", status)
      .set("reason", reason)
      .set("name", generated_name);
  j.set("started", started.us).set("updated", updated.us).set("properties", properties).set("attributes", attributes);
  j.set("deletion", deletion_policy).set("replace", update_replace_policy).set("needs", Json::strings(dependencies));
  return j;
}
ResourceState ResourceState::from(const Json& j) {
  ResourceState r{j["id"].str(), j["type"].str(), j["physical"].str(), j["status"].str(), j["reason"].str(), j["name"].str()};
  r.started = {j["started"].integer()};
  r.updated = {j["updated"].integer()};
  r.properties = j["properties"];
  r.attributes = j["attributes"];
  r.deletion_policy = j["deletion"].str();
  r.update_replace_policy = j["replace"].str();
  r.dependencies = strings_of(j["needs"]);
  return r;
}

std::string Plan::dump() const {
  Json j = Json::object();
  j.set("template", template_text)
      .set("description", description)
      .set("parameters", json_of(parameters))
      .set("tags", json_of(tags));
  j.set("secret", Json::strings({secret_parameters.begin(), secret_parameters.end()}));
  return j.set("capabilities", Json::strings(capabilities)).dump();
}
Result<Plan> Plan::from(std::string_view text) {
  TRY(Json j, Json::parse(text));
  Plan p{.template_text = j["template"].str(), .description = j["description"].str(), .parameters = map_of(j["parameters"])};
  for (auto& x : j["secret"].items()) p.secret_parameters.insert(x.str());
  p.tags = map_of(j["tags"]);
  p.capabilities = strings_of(j["capabilities"]);
  return p;
}

Json StackState::Undo::json() const {
  return Json::object().set("kind", kind).set("before", before.json()).set("id", logical_id);
}
StackState::Undo StackState::Undo::from(const Json& j) {
  return {j["kind"].str(), ResourceState::from(j["before"]), j["id"].str()};
}

std::string StackState::dump() const {
  Json j = Json::object(), o = Json::array();
  for (auto& x : outputs)
    o.push(Json::object().set("key", x.key).set("value", x.value).set("description", x.description).set("export", x.export_name));
  j.set("id", id).set("name", name).set("account", account).set("region", region).set("status", status).set("reason", reason);
  j.set("created", created.us).set("updated", updated.us).set("deleted", deleted.us);
  j.set("role", role_arn).set("on_failure", on_failure).set("change_set", change_set_id).set("token", client_token);
  j.set("timeout", timeout_minutes).set("caller", caller).set("outputs", std::move(o));
  j.set("imports", Json::strings({imports.begin(), imports.end()})).set("next_event", next_event);
  return j.set("leave", Json::strings(leave))
      .set("imports_before", Json::strings({imports_before.begin(), imports_before.end()}))
      .set("revision", revision)
      .dump();
}
Result<StackState> StackState::from(std::string_view text) {
  TRY(Json j, Json::parse(text));
  StackState s{j["id"].str(), j["name"].str(), j["account"].str(), j["region"].str(), j["status"].str(), j["reason"].str()};
  s.created = {j["created"].integer()};
  s.updated = {j["updated"].integer()};
  s.deleted = {j["deleted"].integer()};
  s.role_arn = j["role"].str();
  s.on_failure = j["on_failure"].str();
  s.change_set_id = j["change_set"].str();
  s.client_token = j["token"].str();
  s.timeout_minutes = int(j["timeout"].integer());
  s.caller = j["caller"];
  for (auto& x : j["outputs"].items())
    s.outputs.push_back({x["key"].str(), x["value"].str(), x["description"].str(), x["export"].str()});
  for (auto& x : j["imports"].items()) s.imports.insert(x.str());
  s.next_event = j["next_event"].integer();
  s.leave = strings_of(j["leave"]);
  for (auto& x : j["imports_before"].items()) s.imports_before.insert(x.str());
  s.revision = j["revision"].integer();
  return s;
}

Json Event::json() const {
  Json j = Json::object();
  j.set("id", id)
      .set("logical", logical_id)
      .set("physical", physical_id)
      .set("type", type)
      .set("status", status)
      .set("reason", reason);
  return j.set("properties", properties).set("time", time.us).set("token", client_token);
}
Event Event::from(const Json& j) {
  return {j["id"].str(),     j["logical"].str(),    j["physical"].str(),   j["type"].str(), j["status"].str(),
          j["reason"].str(), j["properties"].str(), {j["time"].integer()}, j["token"].str()};
}

std::string ChangeSetState::dump() const {
  Json j = Json::object(), c = Json::array();
  for (auto& x : changes)
    c.push(Json::object()
               .set("action", x.action)
               .set("logical", x.logical_id)
               .set("physical", x.physical_id)
               .set("type", x.type)
               .set("replacement", x.replacement)
               .set("properties", Json::strings(x.properties)));
  j.set("id", id)
      .set("name", name)
      .set("stack", stack_id)
      .set("description", description)
      .set("type", type)
      .set("status", status)
      .set("reason", reason);
  j.set("execution", execution_status)
      .set("on_failure", on_failure)
      .set("role", role_arn)
      .set("created", created.us)
      .set("plan", plan->dump());
  return j.set("changes", std::move(c)).dump();
}
Result<ChangeSetState> ChangeSetState::from(std::string_view text) {
  TRY(Json j, Json::parse(text));
  ChangeSetState s{j["id"].str(),     j["name"].str(),   j["stack"].str(),     j["description"].str(), j["type"].str(),
                   j["status"].str(), j["reason"].str(), j["execution"].str(), j["on_failure"].str(),  j["role"].str()};
  s.created = {j["created"].integer()};
  TRY(auto plan, Plan::from(j["plan"].str()));
  s.plan = std::make_shared<const Plan>(std::move(plan));
  for (auto& x : j["changes"].items())
    s.changes.push_back({x["action"].str(), x["logical"].str(), x["physical"].str(), x["type"].str(), x["replacement"].str(),
                         strings_of(x["properties"])});
  return s;
}

Json store_caller(const access::Call& call) {
  const access::Caller& c = *call.caller;
  Json j = Json::object(), tags = Json::object(), policies = Json::array(), context = Json::array();
  for (auto& [k, v] : c.session_tags) tags.set(k, v);
  for (size_t i = 0; i < c.session_policies.size(); ++i)
    policies.push(Json::object()
                      .set("name", i < c.session_policy_names.size() ? c.session_policy_names[i] : "")
                      .set("text", c.session_policies[i]->document()));
  for (auto& [k, v] : c.session_context) context.push(Json::array().push(k).push(v));
  j.set("type", int(c.type))
      .set("account", c.account)
      .set("arn", c.arn)
      .set("issuer", c.issuer_arn)
      .set("unique", c.unique_id)
      .set("user_id", c.user_id);
  j.set("user", c.user_name)
      .set("role", c.role_name)
      .set("session", c.session_name)
      .set("temporary", c.temporary)
      .set("issued", c.token_issued.us);
  j.set("source_identity", c.source_identity)
      .set("provider", c.federated_provider)
      .set("tags", std::move(tags))
      .set("policies", std::move(policies));
  j.set("transitive", Json::strings(c.transitive_tag_keys)).set("federation", c.provider).set("expires", c.expires.us);
  j.set("context", std::move(context)).set("chained", c.chained).set("from_get_session_token", c.from_get_session_token);
  Json path = Json::object();
  path.set("peer", call.path.peer.str()).set("tls", call.path.tls).set("version", call.path.tls_version);
  path.set("vpce", call.path.vpc_endpoint_id).set("vpc", call.path.vpc_id);
  return j.set("path", std::move(path));
}
Result<StoredCaller> load_caller(const Json& j) {
  auto c = std::make_shared<access::Caller>();
  c->type = policy::PrincipalType(j["type"].integer());
  c->account = j["account"].str();
  c->arn = j["arn"].str();
  c->issuer_arn = j["issuer"].str();
  c->unique_id = j["unique"].str();
  c->user_id = j["user_id"].str();
  c->user_name = j["user"].str();
  c->role_name = j["role"].str();
  c->session_name = j["session"].str();
  c->temporary = j["temporary"].boolean();
  c->token_issued = {j["issued"].integer()};
  c->source_identity = j["source_identity"].str();
  c->federated_provider = j["provider"].str();
  c->chained = j["chained"].boolean();
  c->from_get_session_token = j["from_get_session_token"].boolean();
  for (auto& [k, v] : j["tags"].members()) c->session_tags[k] = v.str();
  for (auto& p : j["policies"].items()) {
    TRY(auto policy, policy::parse(p["text"].str(), policy::Kind::session));
    c->session_policies.push_back(std::move(policy));
    c->session_policy_names.push_back(p["name"].str());
  }
  for (auto& x : j["context"].items()) c->session_context.emplace_back(x[0].str(), x[1].str());
  c->transitive_tag_keys = strings_of(j["transitive"]);
  c->provider = j["federation"].str();
  c->expires = {j["expires"].integer()};
  auto& path = j["path"];
  auto peer = Ip::parse(path["peer"].str());
  if (!peer) return fail(kInternal, "a stored caller has no address");
  return StoredCaller{c, {*peer, path["tls"].boolean(), path["version"].str(), path["vpce"].str(), path["vpc"].str()}};
}

}  // namespace redoubt::stacks
