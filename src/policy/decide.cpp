#include "policy/decide.h"

#include "policy/check.h"

namespace redoubt::policy {
namespace {
using Effect = Decision::Effect;

struct Hit {
  const NamedPolicy* policy = nullptr;
  const Statement* statement = nullptr;
  Grade grade = Grade::none;
  explicit operator bool() const { return statement != nullptr; }
};

/// The two questions that every layer is asked, in one pass over its statements.
struct Finding {
  Hit deny;   // the first Deny that matches
  Hit allow;  // the Allow that matches most closely
};

class Decider {
 public:
  Decider(const Layers& layers, const Request& request)
      : layers_(layers),
        request_(request),
        type_(request.principal.type),
        bounded_(layers.boundary.policy != nullptr),
        has_account_(type_ != PrincipalType::anonymous && type_ != PrincipalType::service && type_ != PrincipalType::federated),
        cross_account_(has_account_ && !request.resource_account.empty() &&
                       request.resource_account != request.principal.account) {}

  /// One pass over every layer: the first Deny ends it. What the layers allow is weighed afterwards.
  Decision run() {
    Layer missing = Layer::none;  // the first of RCPs, SCPs and endpoint policy that doesn't allow
    if (auto deny = levels(layers_.rcp_levels, Layer::rcp, missing)) return denied(deny, Layer::rcp);
    if (auto deny = levels(layers_.scp_levels, Layer::scp, missing)) return denied(deny, Layer::scp);
    auto endpoint = look(layers_.endpoint, Layer::endpoint);
    if (endpoint.deny) return denied(endpoint.deny, Layer::endpoint);
    if (layers_.endpoint.policy && !endpoint.allow && missing == Layer::none) missing = Layer::endpoint;
    auto resource = look(layers_.resource, Layer::resource);
    if (resource.deny) return denied(resource.deny, Layer::resource);
    auto identity = look(layers_.identity, Layer::identity);
    if (identity.deny) return denied(identity.deny, Layer::identity);
    auto boundary = look(layers_.boundary, Layer::boundary);
    if (boundary.deny) return denied(boundary.deny, Layer::boundary);
    auto session = look(layers_.session, Layer::session);
    if (session.deny) return denied(session.deny, Layer::session);

    if (missing != Layer::none) return lacking(missing);
    identity_ = identity.allow;
    limit_ = limit(boundary.allow, session.allow);
    if (!has_account_) return outsider(resource.allow);
    return cross_account_ ? across(resource.allow) : within(resource.allow);
  }

 private:
  void look(Finding& f, const NamedPolicy& named, Layer layer) const {
    if (f.deny || !named.policy) return;
    for (auto& s : named.policy->compiled().statements) {
      if (s.allow && f.allow.grade == Grade::direct) continue;
      Check c = check(s, layer, request_, bounded_);
      if (!c.matched()) continue;
      if (!s.allow) {
        f.deny = {&named, &s, c.grade};
        return;
      }
      if (c.grade > f.allow.grade) f.allow = {&named, &s, c.grade};
    }
  }
  Finding look(const NamedPolicy& named, Layer layer) const {
    Finding f;
    look(f, named, layer);
    return f;
  }
  Finding look(std::span<const NamedPolicy> policies, Layer layer) const {
    Finding f;
    for (auto& p : policies) look(f, p, layer);
    return f;
  }

  /// Each level must allow. Returns a Deny of any of them.
  Hit levels(std::span<const std::span<const NamedPolicy>> levels, Layer layer, Layer& missing) const {
    for (auto& level : levels) {
      auto f = look(level, layer);
      if (f.deny) return f.deny;
      if (!f.allow && missing == Layer::none) missing = layer;
    }
    return {};
  }

  /// Which of boundary and session policies doesn't allow; none: both do or don't apply.
  Layer limit(const Hit& boundary, const Hit& session) const {
    if (bounded_ && !boundary) return Layer::boundary;
    // GetFederationToken without policies gives a session that only resource policies can let in.
    if ((!layers_.session.empty() || type_ == PrincipalType::federated_user) && !session) return Layer::session;
    return Layer::none;
  }

  /// Services, federated identities about to assume a role, unsigned requests: only the resource's own policy speaks for them.
  Decision outsider(const Hit& resource) const {
    return resource.grade == Grade::direct ? allowed(resource, Layer::resource) : lacking(Layer::resource);
  }

  /// Requester and resource in one account: one side suffices, except that keys and trust policies must allow themselves.
  Decision within(const Hit& resource) const {
    if (resource.grade == Grade::direct) return allowed(resource, Layer::resource);  // final: no limit applies
    bool granted_directly = layers_.granted && type_ == PrincipalType::user;
    if (granted_directly) return allowed({}, Layer::grant);
    bool required = layers_.resource_rule == ResourceRule::required;
    bool root = type_ == PrincipalType::root;
    if (required && !resource && !layers_.granted) return lacking(Layer::resource);
    if (root) return required ? allowed(resource, Layer::resource) : allowed({}, Layer::root);
    if (resource.grade == Grade::issuer) return limited(resource, Layer::resource);
    if (layers_.granted) return limited({}, Layer::grant);
    if (!identity_) return lacking(Layer::identity);
    return limited(identity_, Layer::identity);
  }

  /// Two accounts: the requester's is asked first, so that who may do nothing learns nothing about the other one.
  Decision across(const Hit& resource) const {
    bool root = type_ == PrincipalType::root;
    if (!identity_ && !root) return lacking(Layer::identity);
    if (limit_ != Layer::none && !root) return lacking(limit_);
    if (layers_.resource_rule == ResourceRule::none) return lacking(Layer::resource);
    if (resource) return allowed(resource, Layer::resource);
    return layers_.granted ? allowed({}, Layer::grant) : lacking(Layer::resource);
  }

  Decision limited(const Hit& grant, Layer layer) const {
    return limit_ == Layer::none ? allowed(grant, layer) : lacking(limit_);
  }

  Decision allowed(const Hit& hit, Layer layer) const { return made(Effect::allow, layer, hit); }
  Decision denied(const Hit& hit, Layer layer) const { return made(Effect::explicit_deny, layer, hit); }
  Decision lacking(Layer layer) const { return made(Effect::implicit_deny, layer, {}); }
  Decision made(Effect effect, Layer layer, const Hit& hit) const {
    Decision d{.effect = effect, .layer = layer, .cross_account = cross_account_};
    if (hit) {
      d.policy_name = hit.policy->name;
      d.policy = hit.policy->policy;
      d.statement = {hit.statement->index, hit.statement->sid, hit.statement->allow};
    }
    return d;
  }

  const Layers& layers_;
  const Request& request_;
  PrincipalType type_;
  bool bounded_, has_account_, cross_account_;
  Hit identity_;
  Layer limit_ = Layer::none;
};
}  // namespace

Decision decide(const Layers& layers, const Request& request) { return Decider(layers, request).run(); }

std::string_view layer_name(Layer layer) {
  switch (layer) {
    case Layer::none:
      return "none";
    case Layer::rcp:
      return "rcp";
    case Layer::scp:
      return "scp";
    case Layer::endpoint:
      return "endpoint";
    case Layer::resource:
      return "resource";
    case Layer::grant:
      return "grant";
    case Layer::identity:
      return "identity";
    case Layer::boundary:
      return "boundary";
    case Layer::session:
      return "session";
    case Layer::root:
      return "root";
  }
  return "none";
}

std::string_view layer_in_words(Layer layer) {
  switch (layer) {
    case Layer::rcp:
      return "resource control policy";
    case Layer::scp:
      return "service control policy";
    case Layer::endpoint:
      return "VPC endpoint policy";
    case Layer::resource:
    case Layer::grant:
      return "resource-based policy";
    case Layer::boundary:
      return "permissions boundary";
    case Layer::session:
      return "session policy";
    case Layer::none:
    case Layer::identity:
    case Layer::root:
      return "identity-based policy";
  }
  return "identity-based policy";
}

}  // namespace redoubt::policy
