/// Runs cases/*.json: decisions, operators and refusals are data. A file holds any of
///   "cases":     [{"source", "principal", layers.., "context", "requests": [{"action", "resource", "expect", "because", ..}]}]
///   "operators": [{"op", "key", "values", "has", "match", "effect"}]   one condition each, in a statement that else matches
///   "documents": [{"kind", "document", "error"}]                       what parse says; no error: accepted
/// A layer is {"Sid": statement, ..} (one policy), a list of those (several policies), or a whole document.
#include "policy/decide.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "policy/simulate.h"

namespace redoubt::policy {
namespace {
using Effect = Decision::Effect;

/// Who the cases speak of. Accounts 1111.. and 4444..; the organization's keys are set by the cases themselves.
Principal principal_named(const std::string& name) {
  using enum PrincipalType;
  static const std::string kCanonical1(64, 'a'), kCanonical4(64, 'b');
  constexpr std::string_view a1 = "111122223333", a4 = "444455556666";
  if (name == "alice")
    return {user,
            a1,
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:user/alice",
            "AIDAALICE00000000001",
            "AIDAALICE00000000001",
            "",
            "",
            kCanonical1};
  if (name == "bob")
    return {user,
            a4,
            "arn:aws:iam::444455556666:user/bob",
            "arn:aws:iam::444455556666:user/bob",
            "AIDABOB0000000000001",
            "AIDABOB0000000000001",
            "",
            "",
            kCanonical4};
  if (name == "analyst")
    return {assumed_role,
            a1,
            "arn:aws:sts::111122223333:assumed-role/analyst/s1",
            "arn:aws:iam::111122223333:role/analyst",
            "AROAANALYST000000001",
            "AROAANALYST000000001:s1",
            "",
            "",
            kCanonical1};
  if (name == "analyst-s2")
    return {assumed_role,
            a1,
            "arn:aws:sts::111122223333:assumed-role/analyst/s2",
            "arn:aws:iam::111122223333:role/analyst",
            "AROAANALYST000000001",
            "AROAANALYST000000001:s2",
            "",
            "",
            kCanonical1};
  if (name == "visitor")
    return {assumed_role,
            a4,
            "arn:aws:sts::444455556666:assumed-role/visitor/v",
            "arn:aws:iam::444455556666:role/visitor",
            "AROAVISITOR000000001",
            "AROAVISITOR000000001:v",
            "",
            "",
            kCanonical4};
  if (name == "carol")
    return {federated_user,
            a1,
            "arn:aws:sts::111122223333:federated-user/carol",
            "arn:aws:iam::111122223333:user/alice",
            "AIDAALICE00000000001",
            "111122223333:carol",
            "",
            "",
            kCanonical1};
  if (name == "root") return {root, a1, "arn:aws:iam::111122223333:root", "", a1, a1, "", "", kCanonical1};
  if (name == "root4") return {root, a4, "arn:aws:iam::444455556666:root", "", a4, a4, "", "", kCanonical4};
  if (name == "redshift") return {.type = service, .service = "redshift.amazonaws.com"};
  if (name == "saml") return {.type = federated, .provider = "arn:aws:iam::111122223333:saml-provider/corp"};
  if (name == "anonymous") return {};
  ADD_FAILURE() << "no such principal: " << name;
  return {};
}

Kind kind_named(const std::string& name) {
  static const std::pair<const char*, Kind> kKinds[] = {
      {"identity", Kind::identity}, {"session", Kind::session}, {"boundary", Kind::boundary},
      {"scp", Kind::scp},           {"rcp", Kind::rcp},         {"bucket", Kind::bucket},
      {"key", Kind::key},           {"trust", Kind::trust},     {"endpoint", Kind::endpoint}};
  for (auto& [n, k] : kKinds)
    if (name == n) return k;
  ADD_FAILURE() << "no such kind: " << name;
  return Kind::identity;
}

std::string layer_document(const Json& layer) {
  if (layer.has("Statement")) return layer.dump();
  Json statements = Json::array();
  for (auto& [sid, statement] : layer.members()) {
    Json s = statement;
    s.set("Sid", sid);
    statements.push(std::move(s));
  }
  return Json::object().set("Version", "2012-10-17").set("Statement", std::move(statements)).dump();
}

/// The layers of a case, with what they point to.
struct World {
  std::vector<PolicyPtr> keep;
  std::vector<NamedPolicy> identity, session;
  NamedPolicy boundary, resource, endpoint;
  std::vector<std::vector<NamedPolicy>> scp, rcp;
  std::vector<std::span<const NamedPolicy>> scp_levels, rcp_levels;
  Layers layers;

  NamedPolicy add(const Json& layer, Kind kind, std::string_view name) {
    auto p = parse(layer_document(layer), kind);
    EXPECT_TRUE(p) << (p ? "" : p.error().message) << " " << layer_document(layer);
    if (!p) return {};
    keep.push_back(*p);
    return {name, keep.back().get()};
  }
  std::vector<NamedPolicy> list(const Json& layer, Kind kind, std::string_view name) {
    std::vector<NamedPolicy> out;
    if (layer.is_object()) out.push_back(add(layer, kind, name));
    for (auto& l : layer.items()) out.push_back(add(l, kind, name));
    return out;
  }

  explicit World(const Json& c) {
    identity = list(c["identity"], Kind::identity, "arn:aws:iam::111122223333:policy/identity");
    session = list(c["session"], Kind::session, "");
    if (c.has("boundary")) boundary = add(c["boundary"], Kind::boundary, "arn:aws:iam::111122223333:policy/boundary");
    if (c.has("endpoint")) endpoint = add(c["endpoint"], Kind::endpoint, "");
    Kind kind = c.has("kind") ? kind_named(c["kind"].str()) : Kind::bucket;
    if (c.has("resource")) resource = add(c["resource"], kind, "");
    for (auto& level : c["scp"].items())
      scp.push_back(list(level, Kind::scp, "arn:aws:organizations::999999999999:policy/o-x/scp/p-1"));
    for (auto& level : c["rcp"].items())
      rcp.push_back(list(level, Kind::rcp, "arn:aws:organizations::999999999999:policy/o-x/rcp/p-2"));
    scp_levels.assign(scp.begin(), scp.end());
    rcp_levels.assign(rcp.begin(), rcp.end());
    bool required = kind == Kind::key || kind == Kind::trust;
    layers = {.scp_levels = scp_levels, .rcp_levels = rcp_levels, .endpoint = endpoint, .resource = resource};
    layers.resource_rule = required                    ? ResourceRule::required
                           : c["rule"].str() == "none" ? ResourceRule::none
                                                       : ResourceRule::optional;
    layers.granted = c["granted"].boolean();
    layers.identity = identity;
    layers.boundary = boundary;
    layers.session = session;
  }
};

void set_context(Context& context, const Json& keys) {
  for (auto& [key, value] : keys.members()) {
    std::vector<std::string> values;
    if (value.is_array())
      for (auto& v : value.items()) values.push_back(v.str());
    else
      values.push_back(value.str());
    context.set_list(key, values);
  }
}

Effect effect_named(const std::string& name) {
  if (name == "allow") return Effect::allow;
  if (name == "deny") return Effect::explicit_deny;
  EXPECT_EQ(name, "implicit deny");
  return Effect::implicit_deny;
}

std::vector<Json> case_files() {
  std::vector<Json> files;
  for (auto& entry : std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "cases")) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    auto json = Json::parse(text.str());
    EXPECT_TRUE(json) << entry.path() << " " << (json ? "" : json.error().message);
    if (json) files.push_back(std::move(*json));
  }
  EXPECT_GE(files.size(), 6u);
  return files;
}

/// What the simulator can express, it must answer like decide.
void check_simulation(const Json& c, const World& world, const Principal& principal, const Request& request, const Decision& d) {
  if (c.has("endpoint") || c.has("session") || c.has("rcp") || c.has("granted") || c["rule"].str() == "none") return;
  if (!c.has("resource") && (d.cross_account || c.has("kind"))) return;
  SimulationInput in{.principal = principal};
  for (auto& p : world.identity) in.identity.push_back({"identity", "IAM Policy", *parse(p.policy->document(), Kind::identity)});
  if (world.boundary.policy) in.boundary = {{"boundary", "", *parse(world.boundary.policy->document(), Kind::boundary)}};
  if (world.resource.policy)
    in.resource = SimulatedPolicy{"ResourcePolicy", "", *parse(world.resource.policy->document(), world.resource.policy->kind())};
  in.resource_account = request.resource_account;
  in.scp_levels = world.scp_levels;
  in.actions = {std::string(request.action)};
  in.resources = {std::string(request.resource)};
  for (auto& item : request.context.items())
    in.context.push_back({std::string(item.key), {item.values.begin(), item.values.end()}});
  auto out = simulate(in);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(decision_text(out[0].effect), decision_text(d.effect));
  ASSERT_EQ(out[0].resources.size(), 1u);
  EXPECT_EQ(out[0].resources[0].effect, d.effect);
}

TEST(Decide, Cases) {
  size_t count = 0;
  for (auto& file : case_files())
    for (auto& c : file["cases"].items()) {
      World world(c);
      for (auto& r : c["requests"].items()) {
        ++count;
        SCOPED_TRACE(c["source"].str() + " " + c["name"].str() + ": " + r.dump());
        Principal principal = principal_named(r.has("principal")   ? r["principal"].str()
                                              : c.has("principal") ? c["principal"].str()
                                                                   : "alice");
        Context base, context(&base);
        set_context(base, c["context"]);
        set_context(context, r["context"]);
        std::string action = r.has("action") ? r["action"].str() : c["action"].str();
        std::string resource = r.has("resource") ? r["resource"].str() : c.has("on") ? c["on"].str() : "arn:aws:s3:::b/k";
        std::string account = r.has("account") ? r["account"].str() : "111122223333";
        Request request{principal, action, resource, account, context};
        Decision d = decide(world.layers, request);
        EXPECT_EQ(d.effect, effect_named(r["expect"].str()));
        if (r.has("because")) EXPECT_EQ(d.statement.sid, r["because"].str());
        if (r.has("because")) EXPECT_TRUE(d.policy);
        if (d.effect == Effect::implicit_deny) EXPECT_FALSE(d.policy);
        if (r.has("missing")) EXPECT_EQ(layer_name(d.layer), r["missing"].str());
        if (r.has("layer")) EXPECT_EQ(layer_name(d.layer), r["layer"].str());
        if (r.has("cross_account")) EXPECT_EQ(d.cross_account, r["cross_account"].boolean());
        if (!d.allowed()) {
          static const std::pair<const char*, DenialStyle> kStyles[] = {{"standard", DenialStyle::standard},
                                                                        {"s3", DenialStyle::s3},
                                                                        {"kms", DenialStyle::kms},
                                                                        {"no_reason", DenialStyle::no_reason},
                                                                        {"plain", DenialStyle::plain}};
          for (auto& [name, style] : kStyles)
            if (r.has(name)) EXPECT_EQ(denial_text(d, request, style), r[name].str());
        }
        Explanation e = explain(world.layers, request);
        EXPECT_EQ(e.effect, d.effect);
        EXPECT_EQ(e.layer, d.layer);
        if (r.has("because_of")) {  // why a statement didn't match
          bool found = false;
          for (auto& l : e.layers)
            for (auto& p : l.policies)
              for (auto& s : p.statements)
                if (s.sid == r["because_of"][0].str()) {
                  found = true;
                  EXPECT_EQ(s.because, r["because_of"][1].str());
                }
          EXPECT_TRUE(found);
        }
        if (r.has("missing_keys")) EXPECT_EQ(Json::strings(e.missing_context_keys), r["missing_keys"]);
        EXPECT_TRUE(Json::parse(e.json().dump()));
        check_simulation(c, world, principal, request, d);
      }
    }
  EXPECT_GE(count, 120u);
  RecordProperty("decisions", int(count));
}

TEST(Decide, Operators) {
  size_t count = 0;
  for (auto& file : case_files())
    for (auto& row : file["operators"].items()) {
      ++count;
      SCOPED_TRACE(row.dump());
      Json condition = Json::object().set(row["op"].str(), Json::object().set(row["key"].str(), row["values"]));
      for (auto* effect : {"Allow", "Deny"}) {
        if (row.has("effect") && row["effect"].str() != effect) continue;
        Json s = Json::object();
        s.set("Effect", effect).set("Action", "*").set("Resource", "*").set("Condition", condition);
        std::string version = row.has("version") ? row["version"].str() : "2012-10-17";
        auto p = parse(Json::object().set("Version", version).set("Statement", s).dump(), Kind::identity);
        ASSERT_TRUE(p) << p.error().message;
        auto all = *parse(R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})", Kind::identity);
        Context context;
        if (!row["has"].is_null()) set_context(context, Json::object().set(row["key"].str(), row["has"]));
        set_context(context, row["context"]);
        std::vector<NamedPolicy> identity{{"p", p->get()}};
        bool deny = effect == std::string_view("Deny");
        if (deny) identity.push_back({"all", all.get()});
        Principal alice = principal_named("alice");
        Decision d = decide({.identity = identity}, {alice, "s3:GetObject", "arn:aws:s3:::b/k", "111122223333", context});
        EXPECT_EQ(d.allowed(), row["match"].boolean() != deny) << effect;
      }
    }
  EXPECT_GE(count, 120u);
  RecordProperty("operators", int(count));
}

TEST(Parse, Documents) {
  size_t count = 0;
  for (auto& file : case_files())
    for (auto& row : file["documents"].items()) {
      ++count;
      std::string text = row["document"].is_string() ? row["document"].str() : row["document"].dump();
      SCOPED_TRACE(text);
      auto p = parse(text, row.has("kind") ? kind_named(row["kind"].str()) : Kind::identity);
      if (row.has("error")) {
        ASSERT_FALSE(p);
        EXPECT_EQ(p.error().message, row["error"].str());
        EXPECT_TRUE(p.error().is(kMalformedPolicyDocument));
      } else {
        ASSERT_TRUE(p) << p.error().message;
        EXPECT_EQ((*p)->document(), text);
      }
    }
  EXPECT_GE(count, 80u);
  RecordProperty("documents", int(count));
}
}  // namespace
}  // namespace redoubt::policy
