/// decide against a deliberately naive twin: it works on the documents' JSON at every question, matches by plain recursion,
/// collects sets instead of taking shortcuts, and follows the sentences of the IAM User Guide one by one. Random policies over a
/// small vocabulary, so that they meet often.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "policy/decide.h"
#include "policy/simulate.h"

namespace redoubt::policy {
namespace {
using Effect = Decision::Effect;
using Keys = std::map<std::string, std::vector<std::string>>;  // lower case

// ---- the twin

struct Who {
  std::string name, account, arn, issuer, id;
  PrincipalType type;
};

struct Scene {
  std::vector<Json> identity, session;
  std::optional<Json> boundary, resource, endpoint;
  std::vector<std::vector<Json>> scp;
  bool required = false, granted = false;
  Who who;
  std::string action, arn, account;
  Keys keys;
};

std::vector<std::string> list(const Json& j) {
  std::vector<std::string> out;
  if (j.is_array())
    for (auto& i : j.items()) out.push_back(i.str());
  else
    out.push_back(j.str());
  return out;
}

bool wild(const std::string& p, const std::string& s, size_t i = 0, size_t j = 0) {
  if (i == p.size()) return j == s.size();
  if (p[i] == '*') return wild(p, s, i + 1, j) || (j < s.size() && wild(p, s, i, j + 1));
  return j < s.size() && (p[i] == '?' || p[i] == s[j]) && wild(p, s, i + 1, j + 1);
}

/// Variables become their values with wildcards made inert (\x01 for *, \x02 for ?), in pattern and subject alike.
std::string inert(std::string s) {
  for (char& c : s) c = c == '*' ? '\x01' : c == '?' ? '\x02' : c;
  return s;
}
std::optional<std::string> expand(const std::string& text, const Keys& keys) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "${") != 0) {
      out += text[i++];
      continue;
    }
    size_t end = text.find('}', i);
    std::string inside = text.substr(i + 2, end - i - 2), fallback;
    bool has_fallback = false;
    if (size_t comma = inside.find(", '"); comma != inside.npos) {
      has_fallback = true;
      fallback = inside.substr(comma + 3, inside.size() - comma - 4);
      inside = inside.substr(0, comma);
    }
    i = end + 1;
    if (inside == "*" || inside == "?" || inside == "$") {
      out += inert(inside);
      continue;
    }
    auto it = keys.find(to_lower(inside));
    if (it != keys.end() && it->second.size() == 1)
      out += inert(it->second[0]);
    else if ((it == keys.end() || it->second.empty()) && has_fallback)
      out += inert(fallback);
    else
      return std::nullopt;
  }
  return out;
}

enum class Asked { without_principals, resource, endpoint };

bool names(const Json& s, const Scene& in, Asked asked, std::set<std::string>* how) {
  const Json& p = s[s.has("NotPrincipal") ? "NotPrincipal" : "Principal"];
  std::set<std::string> hit;
  bool stranger = in.who.type == PrincipalType::service || in.who.type == PrincipalType::anonymous;
  std::vector<std::string> aws = p.is_string() ? list(p) : p.has("AWS") ? list(p["AWS"]) : std::vector<std::string>();
  for (auto& v : aws) {
    if (v == "*") hit.insert("everyone");
    if (stranger) continue;
    if (v == in.who.account || v == "arn:aws:iam::" + in.who.account + ":root") hit.insert("account");
    bool session = in.who.type == PrincipalType::assumed_role;
    if (v == in.who.arn && v.find(":root") == v.npos) hit.insert("self");
    if (v == in.who.id) hit.insert(session ? "role" : "self");
    if (session && v == in.who.issuer) hit.insert("role");
  }
  if (p.has("Service"))
    for (auto& v : list(p["Service"]))
      if (in.who.type == PrincipalType::service && v == in.who.name) hit.insert("self");
  bool allow = s["Effect"].str() == "Allow", service = in.who.type == PrincipalType::service;
  if (!s.has("NotPrincipal")) {
    if (allow && service && asked == Asked::resource) hit.erase("everyone");
    *how = hit;
    return !hit.empty();
  }
  bool named = !hit.empty();
  *how = {"self"};
  if (allow) return !named && !(service && asked == Asked::resource);
  if (asked == Asked::resource && in.boundary &&
      (in.who.type == PrincipalType::user || in.who.type == PrincipalType::assumed_role))
    return true;
  if (hit.count("everyone")) return false;
  if (in.who.type == PrincipalType::user) return !(hit.count("account") && hit.count("self"));
  if (in.who.type == PrincipalType::assumed_role) return !(hit.count("account") && hit.count("role") && hit.count("self"));
  if (in.who.type == PrincipalType::root) return !hit.count("account");
  return !hit.count("self");
}

std::vector<std::string> arn_parts(std::string s) {
  std::vector<std::string> parts;
  for (int i = 0; i < 5; ++i) {
    size_t colon = s.find(':');
    if (colon == s.npos) return {};
    parts.push_back(s.substr(0, colon));
    s = s.substr(colon + 1);
  }
  parts.push_back(s);
  return parts;
}

/// Does one value of the request stand in the operator's relation (without Not) to one of the policy?
bool related(const std::string& op, const std::string& pattern, const std::string& has) {
  if (op == "StringEquals") {
    std::string literal = pattern;  // here a star is a star
    return inert(literal) == inert(has);
  }
  if (op == "StringEqualsIgnoreCase") return to_lower(inert(pattern)) == to_lower(inert(has));
  if (op == "StringLike") return wild(pattern, inert(has));
  if (op == "NumericLessThan") return !has.empty() && is_digit(has[0]) && stod(has) < stod(pattern);
  if (op == "NumericEquals") return !has.empty() && is_digit(has[0]) && stod(has) == stod(pattern);
  if (op == "Bool") return has == pattern;
  if (op == "ArnLike") {
    auto p = arn_parts(pattern), h = arn_parts(inert(has));
    if (p.empty() || h.empty()) return false;
    for (size_t i = 0; i < 6; ++i)
      if (!wild(p[i], h[i])) return false;
    return true;
  }
  ADD_FAILURE() << op;
  return false;
}

bool condition_holds(std::string op, const std::string& key, const Json& wants, const Keys& keys, bool allow) {
  auto it = keys.find(to_lower(key));
  std::vector<std::string> has = it == keys.end() ? std::vector<std::string>() : it->second;
  std::string set;
  if (op.starts_with("For")) {
    set = op.substr(0, op.find(':'));
    op = op.substr(op.find(':') + 1);
  }
  bool if_exists = op.ends_with("IfExists");
  if (if_exists) op = op.substr(0, op.size() - 8);
  if (op == "Null") {
    for (auto& w : list(wants))
      if ((w == "true") == has.empty()) return true;
    return false;
  }
  size_t negation = op.find("Not");
  bool negated = negation != op.npos;
  if (negated) op.erase(negation, 3);
  if (has.empty()) return set == "ForAllValues" || (set.empty() && (if_exists || negated));
  size_t yes = 0;
  for (auto& h : has) {
    bool any = false, broken = false;
    for (auto& w : list(wants)) {
      auto pattern = expand(w, keys);
      if (!pattern)
        broken = true;
      else
        any |= related(op, *pattern, h);
    }
    if (negated ? !any && !broken : any) ++yes;
  }
  if (set == "ForAnyValue" || (set.empty() && !allow)) return yes > 0;
  return yes == has.size();
}

bool applies(const Json& s, const Scene& in, Asked asked, std::set<std::string>* how) {
  bool action = false;
  for (auto& a : list(s[s.has("NotAction") ? "NotAction" : "Action"])) action |= wild(to_lower(a), to_lower(inert(in.action)));
  if (action == s.has("NotAction")) return false;
  bool resource = false, broken = false;
  for (auto& r : list(s[s.has("NotResource") ? "NotResource" : "Resource"])) {
    auto pattern = expand(r, in.keys);
    if (!pattern)
      broken = true;
    else
      resource |= wild(*pattern, inert(in.arn));
  }
  if (s.has("NotResource") ? resource || broken : !resource) return false;
  if (asked != Asked::without_principals && !names(s, in, asked, how)) return false;
  for (auto& [op, keys] : s["Condition"].members())
    for (auto& [key, wants] : keys.members())
      if (!condition_holds(op, key, wants, in.keys, s["Effect"].str() == "Allow")) return false;
  return true;
}

struct Answer {
  bool deny = false, allow = false;
  std::set<std::string> how;  // of resource policies: all ways in which an Allow names the principal
};
Answer ask(const std::vector<Json>& policies, const Scene& in, Asked asked = Asked::without_principals) {
  Answer a;
  for (auto& p : policies)
    for (auto& s : p["Statement"].items()) {
      std::set<std::string> how;
      if (!applies(s, in, asked, &how)) continue;
      if (s["Effect"].str() == "Deny") {
        a.deny = true;
      } else {
        a.allow = true;
        a.how.insert(how.begin(), how.end());
      }
    }
  return a;
}

Effect naive(const Scene& in) {
  std::vector<Json> none;
  auto as_list = [&](const std::optional<Json>& p) { return p ? std::vector<Json>{*p} : none; };
  Answer identity = ask(in.identity, in), session = ask(in.session, in), boundary = ask(as_list(in.boundary), in);
  Answer resource = ask(as_list(in.resource), in, Asked::resource), endpoint = ask(as_list(in.endpoint), in, Asked::endpoint);
  if (identity.deny || session.deny || boundary.deny || resource.deny || endpoint.deny) return Effect::explicit_deny;
  for (auto& level : in.scp)
    if (ask(level, in).deny) return Effect::explicit_deny;
  for (auto& level : in.scp)
    if (!ask(level, in).allow) return Effect::implicit_deny;
  if (in.endpoint && !endpoint.allow) return Effect::implicit_deny;
  auto answer = [](bool yes) { return yes ? Effect::allow : Effect::implicit_deny; };
  bool final = resource.how.count("self") || resource.how.count("everyone");
  if (in.who.type == PrincipalType::service || in.who.type == PrincipalType::anonymous) return answer(final);
  bool root = in.who.type == PrincipalType::root;
  bool limits = (!in.boundary || boundary.allow) && (in.session.empty() || session.allow);
  if (in.account != in.who.account) return answer((root || (identity.allow && limits)) && (resource.allow || in.granted));
  if (final) return Effect::allow;
  if (in.granted && in.who.type == PrincipalType::user) return Effect::allow;
  if (in.required && !resource.allow && !in.granted) return Effect::implicit_deny;
  if (root) return Effect::allow;
  bool by_resource = resource.how.count("role") || in.granted;
  return answer((identity.allow || by_resource) && limits);
}

// ---- random scenes

template <class T>
T one_of(std::vector<T> choices) {
  return *rc::gen::elementOf(choices);
}
/// Not rc::gen::inRange alone: that one grows with the size of the case, so that early cases would all be alike.
int number(int from, int to) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(from, to)); }
bool chance(int percent) { return number(0, 100) < percent; }
Json some(const std::vector<std::string>& choices) {
  if (chance(60)) return Json(one_of(choices));
  Json j = Json::array();
  for (int n = number(1, 4); n > 0; --n) j.push(one_of(choices));
  return j;
}

const std::vector<std::string> kActions{
    "*",     "*",          "*",          "s3:*", "s3:*", "s3:Get*", "S3:getobject", "s3:?etObject", "s3:PutObject",
    "kms:*", "s3:*Object", "*:GetObject"};
const std::vector<std::string> kArns{"*",
                                     "*",
                                     "*",
                                     "arn:aws:s3:::b/*",
                                     "arn:aws:s3:::b/${aws:t}/*",
                                     "arn:aws:s3:::*/k",
                                     "arn:aws:s3:::b/${aws:u, 'x'}*",
                                     "arn:aws:s3:::b/?",
                                     "arn:aws:s3:::b/${*}"};
const std::vector<std::string> kValues{"a",    "b",   "A", "*", "?", "a*", "${aws:t}", "${aws:u, 'b'}", "${aws:t}-${aws:u}",
                                       "${*}", "*a*", ""};
const std::vector<std::string> kArnValues{"arn:aws:s3:::b", "arn:aws:s3:::${aws:t}", "arn:aws:*:::?", "*",
                                          "arn:aws:s3::${aws:u}:b"};
const std::vector<std::string> kKeyNames{"aws:t", "aws:u", "AWS:X", "aws:y"};

Json random_condition() {
  Json keys = Json::object(), condition = Json::object();
  std::string op = one_of<std::string>({"StringEquals", "StringNotEquals", "StringLike", "StringNotLike",
                                        "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "NumericLessThan",
                                        "NumericNotEquals", "Bool", "ArnLike", "ArnNotLike", "Null"});
  const auto& values = op.starts_with("Numeric")      ? std::vector<std::string>{"1", "2", "3.5"}
                       : op == "Bool" || op == "Null" ? std::vector<std::string>{"true", "false"}
                       : op.starts_with("Arn")        ? kArnValues
                                                      : kValues;
  keys.set(one_of(kKeyNames), some(values));
  if (op != "Null")
    op = one_of<std::string>({"", "", "ForAllValues:", "ForAnyValue:"}) + op + one_of<std::string>({"", "", "IfExists"});
  return condition.set(op, keys);
}

Json random_policy(bool principals, int deny_percent) {
  Json statements = Json::array();
  for (int n = number(1, 4); n > 0; --n) {
    Json s = Json::object();
    s.set("Effect", chance(deny_percent) ? "Deny" : "Allow");
    s.set(chance(15) ? "NotAction" : "Action", some(kActions));
    s.set(chance(15) ? "NotResource" : "Resource", some(kArns));
    if (principals) {
      Json p = Json::object();
      p.set("AWS", some({"*", "111122223333", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/alice",
                         "AIDAALICE00000000001", "arn:aws:iam::111122223333:role/r", "arn:aws:sts::111122223333:assumed-role/r/s",
                         "AROAR000000000000001", "444455556666", "arn:aws:iam::444455556666:user/bob"}));
      if (chance(20)) p.set("Service", some({"redshift.amazonaws.com", "ec2.amazonaws.com"}));
      s.set(chance(15) ? "NotPrincipal" : "Principal", p);
    }
    if (chance(35)) s.set("Condition", random_condition());
    statements.push(s);
  }
  return Json::object().set("Version", "2012-10-17").set("Statement", statements);
}

Scene random_scene() {
  Scene in;
  auto policies = [](bool principals, int most, int deny) {
    std::vector<Json> out;
    for (int n = number(0, most + 1); n > 0; --n) out.push_back(random_policy(principals, deny));
    return out;
  };
  in.identity = policies(false, 2, 10);
  if (chance(20)) in.session = policies(false, 2, 10);
  if (chance(25)) in.boundary = random_policy(false, 10);
  if (chance(60)) in.resource = random_policy(true, 15);
  if (chance(15)) in.endpoint = random_policy(true, 10);
  if (chance(25)) in.scp = {policies(false, 2, 10), {random_policy(false, 10)}};
  in.required = in.resource && chance(30);
  in.granted = in.required && chance(20);
  in.who = one_of<Who>(
      {{"alice", "111122223333", "arn:aws:iam::111122223333:user/alice", "", "AIDAALICE00000000001", PrincipalType::user},
       {"bob", "444455556666", "arn:aws:iam::444455556666:user/bob", "", "AIDABOB0000000000001", PrincipalType::user},
       {"r", "111122223333", "arn:aws:sts::111122223333:assumed-role/r/s", "arn:aws:iam::111122223333:role/r",
        "AROAR000000000000001", PrincipalType::assumed_role},
       {"root", "111122223333", "arn:aws:iam::111122223333:root", "", "111122223333", PrincipalType::root},
       {"redshift.amazonaws.com", "", "", "", "", PrincipalType::service},
       {"", "", "", "", "", PrincipalType::anonymous}});
  in.action = one_of<std::string>({"s3:GetObject", "s3:PutObject", "kms:Decrypt"});
  in.arn = one_of<std::string>(
      {"arn:aws:s3:::b/k", "arn:aws:s3:::b/a/k", "arn:aws:s3:::b/*", "arn:aws:s3:::c/k", "arn:aws:s3:::b/*/k", "*"});
  in.account = chance(75) ? "111122223333" : "444455556666";
  if (in.who.account.empty()) in.account = "111122223333";
  for (auto& key : kKeyNames)
    if (chance(60)) {
      std::vector<std::string> values;
      for (int n = chance(75) ? 1 : number(0, 3); n > 0; --n)
        values.push_back(
            one_of<std::string>({"a", "b", "A", "*", "?", "true", "2", "", "arn:aws:s3:::b", "arn:aws:s3:::*", "111122223333"}));
      in.keys[to_lower(key)] = values;
    }
  return in;
}

std::string shown(const Scene& in) {
  std::string out = in.who.name + " " + in.action + " " + in.arn + " in " + in.account + (in.required ? " required" : "") +
                    (in.granted ? " granted" : "");
  for (auto& [k, v] : in.keys) out += "\n " + k + "=[" + join(v, "|") + "]";
  for (auto& p : in.identity) out += "\n identity " + p.dump();
  for (auto& p : in.session) out += "\n session " + p.dump();
  if (in.boundary) out += "\n boundary " + in.boundary->dump();
  if (in.resource) out += "\n resource " + in.resource->dump();
  if (in.endpoint) out += "\n endpoint " + in.endpoint->dump();
  for (auto& l : in.scp)
    for (auto& p : l) out += "\n scp " + p.dump();
  return out;
}

RC_GTEST_PROP(Decide, AgreesWithItsNaiveTwin, ()) {
  Scene in = random_scene();
  std::vector<PolicyPtr> keep;
  auto load = [&](const Json& j, Kind kind) {
    auto p = parse(j.dump(), kind);
    RC_ASSERT(p.has_value());
    keep.push_back(*p);
    return NamedPolicy{"", keep.back().get()};
  };
  std::vector<NamedPolicy> identity, session;
  std::vector<std::vector<NamedPolicy>> scp;
  std::vector<std::span<const NamedPolicy>> levels;
  for (auto& p : in.identity) identity.push_back(load(p, Kind::identity));
  for (auto& p : in.session) session.push_back(load(p, Kind::session));
  for (auto& level : in.scp) {
    scp.emplace_back();
    for (auto& p : level) scp.back().push_back(load(p, Kind::scp));
  }
  levels.assign(scp.begin(), scp.end());
  Layers layers{.scp_levels = levels, .identity = identity, .session = session};
  if (in.boundary) layers.boundary = load(*in.boundary, Kind::boundary);
  if (in.resource) layers.resource = load(*in.resource, Kind::key);
  if (in.endpoint) layers.endpoint = load(*in.endpoint, Kind::endpoint);
  layers.resource_rule = in.required ? ResourceRule::required : ResourceRule::optional;
  layers.granted = in.granted;
  Principal principal{in.who.type, in.who.account, in.who.arn, in.who.issuer, in.who.id};
  if (in.who.type == PrincipalType::service) principal.service = in.who.name;
  Context context;
  for (auto& [k, v] : in.keys) context.set_list(k, v);
  Request request{principal, in.action, in.arn, in.account, context};
  Decision d = decide(layers, request);
  Effect wants = naive(in);
  RC_TAG(std::string(decision_text(wants)));
  if (d.effect != wants)
    RC_LOG() << shown(in) << "\n decide: " << decision_text(d.effect) << " naive: " << decision_text(wants) << std::endl;
  RC_ASSERT(d.effect == wants);
  RC_ASSERT(explain(layers, request).effect == wants);
  if (!d.allowed()) RC_ASSERT(!denial_text(d, request, DenialStyle::standard).empty());
}
}  // namespace
}  // namespace redoubt::policy
