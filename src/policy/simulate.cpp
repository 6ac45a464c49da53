#include "policy/simulate.h"

#include <algorithm>

#include "base/text.h"
#include "policy/check.h"
#include "policy/match.h"
#include "policy/missing_keys.h"

namespace redoubt::policy {
namespace {
using Effect = Decision::Effect;

std::vector<NamedPolicy> named(const std::vector<SimulatedPolicy>& policies) {
  std::vector<NamedPolicy> out;
  for (auto& p : policies) out.push_back({p.id, p.policy.get()});
  return out;
}

class Simulator {
 public:
  explicit Simulator(const SimulationInput& in) : in_(in), identity_(named(in.identity)) {
    for (auto& e : in.context) context_.set_list(e.key, e.values);
  }

  SimulatedAction run(const std::string& action) const {
    SimulatedAction out{.action = action, .effect = Effect::allow};
    static const std::vector<std::string> kAll{"*"};
    for (auto& resource : in_.resources.empty() ? kAll : in_.resources) {
      auto r = one(action, resource);
      out.effect = more_restrictive(out.effect, r.effect);
      merge(out.allowed_by_boundary, r.allowed_by_boundary);
      merge(out.allowed_by_organizations, r.allowed_by_organizations);
      for (auto& [side, effect] : r.details) {
        auto [at, fresh] = out.details.emplace(side, effect);
        if (!fresh) at->second = more_restrictive(at->second, effect);
      }
      for (auto& key : r.missing_context_keys)
        if (std::find(out.missing_context_keys.begin(), out.missing_context_keys.end(), key) == out.missing_context_keys.end())
          out.missing_context_keys.push_back(key);
      out.resources.push_back(std::move(r));
    }
    for (auto& r : out.resources)
      if (r.effect == out.effect)
        for (auto& m : r.matched)
          if (std::none_of(out.matched.begin(), out.matched.end(), [&](auto& o) { return o.key() == m.key(); }))
            out.matched.push_back(m);
    return out;
  }

 private:
  static Effect more_restrictive(Effect a, Effect b) {
    auto rank = [](Effect e) { return e == Effect::explicit_deny ? 2 : e == Effect::implicit_deny ? 1 : 0; };
    return rank(a) >= rank(b) ? a : b;
  }
  static void merge(std::optional<bool>& all, std::optional<bool> one) {
    if (one) all = all.value_or(true) && *one;
  }

  SimulatedResource one(const std::string& action, const std::string& resource) const {
    Layers layers{.scp_levels = in_.scp_levels, .identity = identity_};
    if (in_.resource) {
      layers.resource = {in_.resource->id, in_.resource->policy.get()};
      bool required = iequals(action.substr(0, 4), "kms:") || iequals(action.substr(0, 14), "sts:AssumeRole");
      layers.resource_rule = required ? ResourceRule::required : ResourceRule::optional;
    }
    if (!in_.boundary.empty()) layers.boundary = {in_.boundary[0].id, in_.boundary[0].policy.get()};
    Request request{in_.principal, action, resource, in_.resource_account, context_};
    Decision d = decide(layers, request);
    SimulatedResource out{.resource = resource, .effect = d.effect};

    Matches found;
    auto look = [&](const SimulatedPolicy& p, Layer layer) { collect(p, layer, request, d, found, out.missing_context_keys); };
    for (auto& p : in_.identity) look(p, Layer::identity);
    if (in_.resource) look(*in_.resource, Layer::resource);
    for (auto& p : in_.boundary) look(p, Layer::boundary);
    out.matched = d.effect == Effect::explicit_deny ? std::move(found.deny)
                  : d.effect == Effect::allow       ? std::move(found.allow)
                                                    : std::vector<MatchedStatement>();
    if (!in_.boundary.empty()) out.allowed_by_boundary = found.boundary_allows && !found.boundary_denies;
    if (!in_.scp_levels.empty()) out.allowed_by_organizations = d.layer != Layer::scp;
    if (d.cross_account) {
      out.details["IAM Policy"] = side(found.identity_allows, found.identity_denies);
      out.details["Resource Policy"] = side(found.resource_allows, found.resource_denies);
    }
    return out;
  }

  struct Matches {
    std::vector<MatchedStatement> allow, deny;
    bool identity_allows = false, identity_denies = false, resource_allows = false, resource_denies = false;
    bool boundary_allows = false, boundary_denies = false;
  };

  static Effect side(bool allows, bool denies) {
    return denies ? Effect::explicit_deny : allows ? Effect::allow : Effect::implicit_deny;
  }

  void collect(const SimulatedPolicy& p, Layer layer, const Request& request, const Decision& d, Matches& found,
               std::vector<std::string>& missing) const {
    for (auto& s : p.policy->compiled().statements) {
      add_missing_keys(s, request, missing);
      if (!check(s, layer, request, !in_.boundary.empty()).matched()) continue;
      bool& flag = layer == Layer::identity   ? (s.allow ? found.identity_allows : found.identity_denies)
                   : layer == Layer::resource ? (s.allow ? found.resource_allows : found.resource_denies)
                                              : (s.allow ? found.boundary_allows : found.boundary_denies);
      flag = true;
      bool deciding = layer != Layer::boundary || d.layer == Layer::boundary;  // a boundary's Allow grants nothing
      if (deciding)
        (s.allow ? found.allow : found.deny)
            .push_back({p.id, p.type, text_position(p.policy->document(), s.begin), text_position(p.policy->document(), s.end)});
    }
  }

  const SimulationInput& in_;
  std::vector<NamedPolicy> identity_;
  Context context_;
};
}  // namespace

TextPosition text_position(std::string_view text, size_t offset) {
  TextPosition p;
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++p.line;
      p.column = 1;
    } else {
      ++p.column;
    }
  }
  return p;
}

std::vector<SimulatedAction> simulate(const SimulationInput& input) {
  Simulator simulator(input);
  std::vector<SimulatedAction> out;
  for (auto& action : input.actions) out.push_back(simulator.run(action));
  return out;
}

std::vector<std::string> context_keys(std::span<const SimulatedPolicy> policies) {
  std::vector<std::string> keys;
  auto add = [&](const std::string& key) {
    for (auto& k : keys)
      if (fold_equal(k, key)) return;
    keys.push_back(key);
  };
  auto add_pattern = [&](const Pattern& p) {
    for (auto& t : p.tokens)
      if (t.kind == Token::Kind::variable) add(t.text);
  };
  for (auto& p : policies)
    for (auto& s : p.policy->compiled().statements) {
      for (auto& r : s.resources) add_pattern(r);
      for (auto& c : s.conditions) {
        add(c.key);
        for (auto& v : c.values) {
          add_pattern(v.pattern);
          for (auto& part : v.arn_parts) add_pattern(part);
        }
      }
    }
  return keys;
}

std::string_view decision_text(Effect effect) {
  switch (effect) {
    case Effect::allow:
      return "allowed";
    case Effect::explicit_deny:
      return "explicitDeny";
    case Effect::implicit_deny:
      return "implicitDeny";
  }
  return "implicitDeny";
}

}  // namespace redoubt::policy
