#include "stacks/state.h"

#include <algorithm>

#include "base/crypto.h"

namespace redoubt::stacks {
namespace {

constexpr std::string_view kStacks = "cfn.stacks", kEvents = "cfn.events", kChangeSets = "cfn.changesets";

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

Json Plan::json() const {
  Json j = Json::object();
  j.set("template", template_text).set("parameters", json_of(parameters)).set("tags", json_of(tags));
  j.set("capabilities", Json::strings(capabilities)).set("notify", Json::strings(notification_arns));
  return j;
}
Plan Plan::from(const Json& j) {
  return {j["template"].str(), map_of(j["parameters"]), map_of(j["tags"]), strings_of(j["capabilities"]),
          strings_of(j["notify"])};
}

std::string StackState::dump() const {
  Json j = Json::object(), r = Json::array(), o = Json::array(), u = Json::array(), old = Json::array();
  for (auto& [id_, x] : resources) r.push(x.json());
  for (auto& x : outputs)
    o.push(Json::object().set("key", x.key).set("value", x.value).set("description", x.description).set("export", x.export_name));
  for (auto& x : undo) u.push(Json::object().set("kind", x.kind).set("before", x.before.json()).set("id", x.logical_id));
  for (auto& x : replaced) old.push(x.json());
  j.set("id", id).set("name", name).set("account", account).set("region", region).set("status", status).set("reason", reason);
  j.set("created", created.us)
      .set("updated", updated.us)
      .set("deleted", deleted.us)
      .set("plan", plan.json())
      .set("before", before.json());
  j.set("role", role_arn)
      .set("on_failure", on_failure)
      .set("change_set", change_set_id)
      .set("token", client_token)
      .set("description", description);
  j.set("protected", termination_protection)
      .set("timeout", timeout_minutes)
      .set("caller", caller)
      .set("resources", std::move(r))
      .set("outputs", std::move(o));
  j.set("imports", Json::strings({imports.begin(), imports.end()}))
      .set("undo", std::move(u))
      .set("replaced", std::move(old))
      .set("next_event", next_event);
  return j.dump();
}
Result<StackState> StackState::from(std::string_view text) {
  TRY(Json j, Json::parse(text));
  StackState s{j["id"].str(), j["name"].str(), j["account"].str(), j["region"].str(), j["status"].str(), j["reason"].str()};
  s.created = {j["created"].integer()};
  s.updated = {j["updated"].integer()};
  s.deleted = {j["deleted"].integer()};
  s.plan = Plan::from(j["plan"]);
  s.before = Plan::from(j["before"]);
  s.role_arn = j["role"].str();
  s.on_failure = j["on_failure"].str();
  s.change_set_id = j["change_set"].str();
  s.client_token = j["token"].str();
  s.description = j["description"].str();
  s.termination_protection = j["protected"].boolean();
  s.timeout_minutes = int(j["timeout"].integer());
  s.caller = j["caller"];
  for (auto& x : j["resources"].items()) {
    auto r = ResourceState::from(x);
    s.resources[r.logical_id] = std::move(r);
  }
  for (auto& x : j["outputs"].items())
    s.outputs.push_back({x["key"].str(), x["value"].str(), x["description"].str(), x["export"].str()});
  for (auto& x : j["imports"].items()) s.imports.insert(x.str());
  for (auto& x : j["undo"].items()) s.undo.push_back({x["kind"].str(), ResourceState::from(x["before"]), x["id"].str()});
  for (auto& x : j["replaced"].items()) s.replaced.push_back(ResourceState::from(x));
  s.next_event = j["next_event"].integer();
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
  return j.set("properties", properties).set("time", time.us);
}
Event Event::from(const Json& j) {
  return {j["id"].str(),     j["logical"].str(), j["physical"].str(),   j["type"].str(),
          j["status"].str(), j["reason"].str(),  j["properties"].str(), {j["time"].integer()}};
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
      .set("plan", plan.json());
  return j.set("caller", caller).set("changes", std::move(c)).dump();
}
Result<ChangeSetState> ChangeSetState::from(std::string_view text) {
  TRY(Json j, Json::parse(text));
  ChangeSetState s{j["id"].str(),     j["name"].str(),   j["stack"].str(),     j["description"].str(), j["type"].str(),
                   j["status"].str(), j["reason"].str(), j["execution"].str(), j["on_failure"].str(),  j["role"].str()};
  s.created = {j["created"].integer()};
  s.plan = Plan::from(j["plan"]);
  s.caller = j["caller"];
  for (auto& x : j["changes"].items())
    s.changes.push_back({x["action"].str(), x["logical"].str(), x["physical"].str(), x["type"].str(), x["replacement"].str(),
                         strings_of(x["properties"])});
  return s;
}

Json store_caller(const access::Caller& c) {
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
  return j.set("context", std::move(context)).set("chained", c.chained).set("from_get_session_token", c.from_get_session_token);
}
Result<access::CallerPtr> load_caller(const Json& j) {
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
  return access::CallerPtr(c);
}

std::string StackStore::seal(std::string_view text, std::string_view id) const {
  return crypto::seal(root_key_, text, "cfn/" + std::string(id));
}
Result<std::string> StackStore::unseal(std::string_view bytes, std::string_view id) const {
  auto text = crypto::open(root_key_, bytes, "cfn/" + std::string(id));
  if (!text)
    return fail(kInternal,
                "the record of stack " + std::string(id) + " can't be unsealed: the root key is not the one it was made with");
  return text;
}

Result<void> StackStore::load() {
  for (auto& row : store_.scan_prefix(kStacks, "")) {
    TRY(auto text, unseal(row.value, row.key));
    TRY(auto s, StackState::from(text));
    if (!s.deleted_for_good()) names_[meta::key({s.account, s.region, s.name})] = s.id;
    stacks_[row.key] = std::make_shared<const StackState>(std::move(s));
  }
  for (auto& row : store_.scan_prefix(kChangeSets, "")) {
    TRY(auto text, unseal(row.value, row.key));
    TRY(auto s, ChangeSetState::from(text));
    changes_[row.key] = std::make_shared<const ChangeSetState>(std::move(s));
  }
  return {};
}

std::optional<StackState> StackStore::find(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = stacks_.find(id);
  return it == stacks_.end() ? std::nullopt : std::optional(*it->second);
}
std::optional<StackState> StackStore::find(std::string_view account, std::string_view region, std::string_view name_or_id) const {
  std::lock_guard lock(mutex_);
  std::string id(name_or_id);
  if (!name_or_id.starts_with("arn:")) {
    auto name = names_.find(meta::key({account, region, name_or_id}));
    if (name == names_.end()) return std::nullopt;
    id = name->second;
  }
  auto it = stacks_.find(id);
  if (it == stacks_.end() || it->second->account != account || it->second->region != region) return std::nullopt;
  return *it->second;
}
std::vector<StackState> StackStore::list(std::string_view account, std::string_view region) const {
  std::vector<StackState> out;
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, s] : stacks_)
      if (s->account == account && s->region == region) out.push_back(*s);
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.created > b.created; });
  return out;
}
std::vector<StackState> StackStore::unfinished() const {
  std::vector<StackState> out;
  std::lock_guard lock(mutex_);
  for (auto& [id, s] : stacks_)
    if (s->in_progress() && s->status != "REVIEW_IN_PROGRESS") out.push_back(*s);
  return out;
}

Result<void> StackStore::put(StackState& state, std::vector<Event> events) {
  int64_t first = state.next_event;
  state.next_event += int64_t(events.size());
  auto kept = std::make_shared<const StackState>(state);
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kStacks, state.id, seal(state.dump(), state.id));
    for (size_t i = 0; i < events.size(); ++i) {
      char number[24];
      std::snprintf(number, sizeof number, "%012lld", static_cast<long long>(first + int64_t(i)));
      auto k = meta::key({state.id, number});
      t.put(kEvents, k, seal(events[i].json().dump(), k));
    }
    return {};
  }));
  std::lock_guard lock(mutex_);
  stacks_[state.id] = kept;
  auto name = meta::key({state.account, state.region, state.name});
  if (!state.deleted_for_good())
    names_[name] = state.id;
  else if (auto it = names_.find(name); it != names_.end() && it->second == state.id)
    names_.erase(it);
  return {};
}

Result<void> StackStore::add(StackState& state, std::vector<Event> events) {
  std::lock_guard adding(add_mutex_);
  if (find(state.account, state.region, state.name)) return fail(kAlreadyExists, "Stack [" + state.name + "] already exists");
  return put(state, std::move(events));
}

std::vector<Event> StackStore::events(std::string_view stack_id) {
  std::vector<Event> out;
  for (auto& row : store_.scan_prefix(kEvents, meta::key({stack_id}))) {
    auto text = unseal(row.value, row.key);
    auto j = text ? Json::parse(*text) : Result<Json>(Json());
    if (j && j->is_object()) out.push_back(Event::from(*j));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Result<void> StackStore::put(const ChangeSetState& set) {
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kChangeSets, set.id, seal(set.dump(), set.id));
    return {};
  }));
  std::lock_guard lock(mutex_);
  changes_[set.id] = std::make_shared<const ChangeSetState>(set);
  return {};
}
Result<void> StackStore::remove(const ChangeSetState& set) {
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.erase(kChangeSets, set.id);
    return {};
  }));
  std::lock_guard lock(mutex_);
  changes_.erase(set.id);
  return {};
}
std::optional<ChangeSetState> StackStore::change_set(std::string_view stack_id, std::string_view name_or_id) const {
  std::lock_guard lock(mutex_);
  for (auto& [id, s] : changes_)
    if ((id == name_or_id && (stack_id.empty() || s->stack_id == stack_id)) || (s->stack_id == stack_id && s->name == name_or_id))
      return *s;
  return std::nullopt;
}
std::vector<ChangeSetState> StackStore::change_sets(std::string_view stack_id) const {
  std::vector<ChangeSetState> out;
  std::lock_guard lock(mutex_);
  for (auto& [id, s] : changes_)
    if (s->stack_id == stack_id) out.push_back(*s);
  return out;
}

}  // namespace redoubt::stacks
