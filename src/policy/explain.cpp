#include <algorithm>

#include "base/text.h"
#include "policy/check.h"
#include "policy/conditions.h"
#include "policy/decide.h"
#include "policy/match.h"
#include "policy/missing_keys.h"

namespace redoubt::policy {
namespace {
using Effect = Decision::Effect;

std::string_view effect_name(Effect e) {
  switch (e) {
    case Effect::allow:
      return "allow";
    case Effect::explicit_deny:
      return "explicit deny";
    case Effect::implicit_deny:
      return "implicit deny";
  }
  return "implicit deny";
}

std::string because(const Check& c, const Request& request) {
  switch (c.miss) {
    case Miss::none:
      return "";
    case Miss::action:
      return "action";
    case Miss::resource:
      return "resource";
    case Miss::principal:
      return "principal";
    case Miss::condition:
      break;
  }
  std::string text = "condition " + c.condition->operator_text + " " + c.condition->key + ": has ";
  auto has = request.context.find(c.condition->key, c.condition->hash);
  if (has.empty()) text += "no value";
  for (size_t i = 0; i < has.size(); ++i) text += (i ? ", " : "") + std::string(has[i]);
  text += "; wants ";
  for (size_t i = 0; i < c.condition->values.size(); ++i) text += (i ? ", " : "") + c.condition->values[i].text;
  return text;
}

class Explainer {
 public:
  Explainer(const Layers& layers, const Request& request) : layers_(layers), request_(request) {}

  Explanation run() {
    Decision d = decide(layers_, request_);
    out_.effect = d.effect;
    out_.layer = d.layer;
    out_.cross_account = d.cross_account;
    out_.policy_name = d.policy_name;
    if (d.policy) {
      out_.sid = d.statement.sid;
      out_.statement = int(d.statement.index);
    }
    out_.principal = request_.principal.arn;
    if (out_.principal.empty()) out_.principal = request_.principal.service;
    if (out_.principal.empty()) out_.principal = request_.principal.provider;
    if (out_.principal.empty()) out_.principal = "anonymous";
    out_.action = request_.action;
    out_.resource = request_.resource;
    out_.resource_account = request_.resource_account;
    levels(layers_.rcp_levels, Layer::rcp);
    levels(layers_.scp_levels, Layer::scp);
    one(layers_.endpoint, Layer::endpoint);
    one(layers_.resource, Layer::resource);
    if (!layers_.identity.empty()) report(layers_.identity, Layer::identity, -1);
    one(layers_.boundary, Layer::boundary);
    if (!layers_.session.empty()) report(layers_.session, Layer::session, -1);
    for (auto& item : request_.context.items())
      out_.context.emplace_back(item.key, std::vector<std::string>(item.values.begin(), item.values.end()));
    return std::move(out_);
  }

 private:
  void levels(std::span<const std::span<const NamedPolicy>> levels, Layer layer) {
    for (size_t i = 0; i < levels.size(); ++i) report(levels[i], layer, int(i));
  }
  void one(const NamedPolicy& policy, Layer layer) {
    if (policy.policy) report({&policy, 1}, layer, -1);
  }
  void report(std::span<const NamedPolicy> policies, Layer layer, int level) {
    LayerReport r{.layer = layer, .level = level};
    bool allow = false, deny = false;
    for (auto& named : policies) {
      if (!named.policy) continue;
      PolicyReport p{.name = std::string(named.name)};
      for (auto& s : named.policy->compiled().statements) {
        Check c = check(s, layer, request_, layers_.boundary.policy != nullptr);
        p.statements.push_back({s.index, s.sid, s.allow, c.matched(), because(c, request_)});
        allow |= c.matched() && s.allow;
        deny |= c.matched() && !s.allow;
        add_missing_keys(s, request_, out_.missing_context_keys);
      }
      r.policies.push_back(std::move(p));
    }
    r.effect = deny ? Effect::explicit_deny : allow ? Effect::allow : Effect::implicit_deny;
    out_.layers.push_back(std::move(r));
  }

  const Layers& layers_;
  const Request& request_;
  Explanation out_;
};

Json item_list(Json items) { return Json::object().set("items", std::move(items)); }
}  // namespace

void add_missing_keys(const Statement& s, const Request& request, std::vector<std::string>& keys) {
  if (!action_applies(s, request.action)) return;
  auto ask = [&](const std::string& key, uint32_t hash) {
    if (!request.context.find(key, hash).empty()) return;
    for (auto& k : keys)
      if (fold_equal(k, key)) return;
    keys.push_back(key);
  };
  auto ask_pattern = [&](const Pattern& p) {
    for (auto& t : p.tokens)
      if (t.kind == Token::Kind::variable && !t.has_fallback) ask(t.text, t.hash);
  };
  for (auto& p : s.resources) ask_pattern(p);
  for (auto& c : s.conditions) {
    ask(c.key, c.hash);
    for (auto& v : c.values) {
      ask_pattern(v.pattern);
      for (auto& part : v.arn_parts) ask_pattern(part);
    }
  }
}

Explanation explain(const Layers& layers, const Request& request) { return Explainer(layers, request).run(); }

/// The members that DecodeAuthorizationMessage's text has, then ours: layer, policy, statement, layers.
Json Explanation::json() const {
  Json matched = Json::array(), all = Json::array();
  for (auto& l : layers) {
    Json policies = Json::array();
    for (auto& p : l.policies) {
      Json statements = Json::array();
      for (auto& s : p.statements) {
        Json j = Json::object();
        j.set("statement", int64_t(s.index))
            .set("sid", s.sid)
            .set("effect", s.allow ? "Allow" : "Deny")
            .set("matched", s.matched);
        if (!s.matched) j.set("because", s.because);
        if (s.matched) {
          Json m = Json::object();
          matched.push(m.set("layer", layer_name(l.layer))
                           .set("policy", p.name)
                           .set("sid", s.sid)
                           .set("effect", s.allow ? "Allow" : "Deny"));
        }
        statements.push(std::move(j));
      }
      policies.push(Json::object().set("name", p.name).set("statements", std::move(statements)));
    }
    Json j = Json::object();
    j.set("layer", layer_name(l.layer));
    if (l.level >= 0) j.set("level", l.level);
    all.push(j.set("effect", effect_name(l.effect)).set("policies", std::move(policies)));
  }
  Json conditions = Json::array();
  for (auto& [key, values] : context) {
    Json list = Json::array();
    for (auto& v : values) list.push(Json::object().set("value", v));
    conditions.push(Json::object().set("key", key).set("values", item_list(std::move(list))));
  }
  Json about = Json::object();
  about.set("principal", Json::object().set("arn", principal)).set("action", action).set("resource", resource);
  about.set("conditions", item_list(std::move(conditions)));
  Json j = Json::object();
  j.set("allowed", effect == Effect::allow).set("explicitDeny", effect == Effect::explicit_deny);
  j.set("matchedStatements", item_list(std::move(matched)))
      .set("failures", item_list(Json::array()))
      .set("context", std::move(about));
  j.set("layer", layer_name(layer)).set("policy", policy_name).set("sid", sid).set("statement", statement);
  j.set("resourceAccount", resource_account).set("crossAccount", cross_account).set("layers", std::move(all));
  j.set("missingContextKeys", Json::strings(missing_context_keys));
  return j;
}

}  // namespace redoubt::policy
