#include <algorithm>
#include <array>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "policy/compiled.h"
#include "policy/conditions.h"
#include "policy/json_cursor.h"
#include "policy/match.h"
#include "policy/principals.h"
#include "policy/s3_names.h"
#include "policy/wording.h"

namespace redoubt::policy {
namespace {
bool needs_principal(Kind k) {
  return k == Kind::bucket || k == Kind::key || k == Kind::trust || k == Kind::endpoint || k == Kind::rcp;
}
bool is_iam(Kind k) { return k == Kind::identity || k == Kind::session || k == Kind::boundary || k == Kind::trust; }

/// A string or a list of strings.
bool is_string_or_list(const Json& j) {
  if (j.is_string()) return true;
  return j.is_array() && std::all_of(j.items().begin(), j.items().end(), [](const Json& i) { return i.is_string(); });
}

std::vector<std::string> strings(const Json& j) {
  std::vector<std::string> out;
  if (j.is_array())
    for (auto& i : j.items()) out.push_back(i.str());
  else
    out.push_back(j.str());
  return out;
}

/// AWS's checks run in phases over the whole document, each over every statement: which of two faults is reported depends on it.
class Parser {
 public:
  Parser(std::string_view text, Kind kind) : text_(text), kind_(kind), out_(std::make_unique<Compiled>()) {}

  Result<PolicyPtr> run() {
    if (text_.size() > kDocumentSizeMax) return refuse(Fault::too_long);
    auto json = Json::parse(text_);
    if (!json) return refuse(Fault::json, text_.substr(0, 1));
    document_ = std::move(*json);
    TRY_VOID(check_shape());
    TRY_VOID(compile_conditions_and_effects());
    TRY_VOID(compile_resources());
    TRY_VOID(check_sids());
    TRY_VOID(check_actions_exist());
    if (!resource_problem_.empty()) return refuse(Fault::resource_invalid, resource_problem_);
    TRY_VOID(compile_actions());
    TRY_VOID(check_resources_exist());
    TRY_VOID(compile_principals());
    TRY_VOID(check_kind());
    out_->kind = kind_;
    out_->document = std::string(text_);
    place_statements();
    return std::make_shared<const Policy>(std::move(out_));
  }

 private:
  std::unexpected<Error> refuse(Fault fault, std::string_view detail = {}) const { return policy::refuse(kind_, fault, detail); }

  Result<void> check_shape() {
    if (!document_.is_object()) return refuse(Fault::json, text_.substr(0, 1));
    for (auto& [name, value] : document_.members()) {
      if (name != "Version" && name != "Id" && name != "Statement") return refuse(Fault::unknown_field, name);
      if (name == "Id" && !value.is_string()) return refuse(Fault::syntax);
      if (name == "Version" && !(value.is_string() && (value.str() == "2012-10-17" || value.str() == "2008-10-17")))
        return refuse(Fault::version);
    }
    out_->version = document_.has("Version") ? document_["Version"].str() : "2008-10-17";
    const Json* list = document_.find("Statement");
    if (!list) return refuse(kind_ == Kind::bucket ? Fault::missing_field : Fault::syntax, "Statement");
    if (list->is_object())
      statements_.push_back(list);
    else
      for (auto& s : list->items()) statements_.push_back(&s);
    if (statements_.empty()) return refuse(Fault::syntax);
    for (auto* s : statements_) TRY_VOID(check_statement_shape(*s));
    out_->statements.resize(statements_.size());
    for (size_t i = 0; i < statements_.size(); ++i) {
      out_->statements[i].index = i;
      out_->statements[i].sid = (*statements_[i])["Sid"].str();
    }
    return {};
  }

  Result<void> check_statement_shape(const Json& s) {
    if (!s.is_object()) return refuse(Fault::syntax);
    static constexpr std::string_view kNames[] = {"Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                                  "NotAction", "Resource", "NotResource", "Condition"};
    for (auto& [name, value] : s.members())
      if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) return refuse(Fault::unknown_field, name);
    for (auto name : {"Action", "Resource", "Principal"})
      if (s.has(name) && s.has("Not" + std::string(name))) return refuse(Fault::syntax);
    for (auto name : {"Action", "NotAction", "Resource", "NotResource"})
      if (auto* v = s.find(name); v && !is_string_or_list(*v)) return refuse(Fault::syntax);
    for (auto name : {"Principal", "NotPrincipal"})
      if (auto* v = s.find(name)) TRY_VOID(check_principal_shape(*v));
    if (auto* sid = s.find("Sid"); sid && !sid->is_string()) return refuse(Fault::syntax);
    auto* effect = s.find("Effect");
    if (!effect) return refuse(kind_ == Kind::bucket ? Fault::missing_field : Fault::syntax, "Effect");
    if (!effect->is_string() || !(iequals(effect->str(), "Allow") || iequals(effect->str(), "Deny")))
      return refuse(Fault::syntax);
    if (auto* condition = s.find("Condition")) TRY_VOID(check_condition_shape(*condition));
    bool names_principal = s.has("Principal") || s.has("NotPrincipal");
    if (names_principal && !needs_principal(kind_)) return refuse(Fault::principal_forbidden);
    if (!names_principal && needs_principal(kind_)) return refuse(Fault::missing_field, "Principal");
    return {};
  }

  Result<void> check_principal_shape(const Json& p) {
    if (p.is_string()) {
      if (p.str() != "*") return refuse(Fault::principal_invalid, json_quote("STAR") + ":" + json_quote(p.str()));
      return {};
    }
    if (!p.is_object() || p.members().empty()) return refuse(Fault::syntax);
    for (auto& [type, values] : p.members()) {
      if (!is_string_or_list(values)) return refuse(Fault::syntax);
      if (type != "AWS" && type != "Service" && type != "Federated" && type != "CanonicalUser") return refuse(Fault::syntax);
    }
    return {};
  }

  Result<void> check_condition_shape(const Json& condition) {
    if (!condition.is_object()) return refuse(Fault::syntax);
    for (auto& [op, keys] : condition.members()) {
      if (!keys.is_object()) return refuse(Fault::syntax);
      if (keys.members().empty()) continue;  // means nothing, whatever the operator
      if (!find_operator(op)) return refuse(Fault::condition_operator, op);
      std::set<std::string, ILess> seen;
      for (auto& [key, values] : keys.members()) {
        if (key.empty() || !seen.insert(key).second) return refuse(Fault::syntax);
        auto scalar = [](const Json& v) { return v.is_string() || v.is_number() || v.is_bool(); };
        if (!scalar(values) && !(values.is_array() && std::all_of(values.items().begin(), values.items().end(), scalar)))
          return refuse(Fault::syntax);
      }
    }
    return {};
  }

  Result<void> compile_conditions_and_effects() {
    for (size_t i = 0; i < statements_.size(); ++i) {
      const Json& s = *statements_[i];
      Statement& out = out_->statements[i];
      if (s["Effect"].str() != "Allow" && s["Effect"].str() != "Deny") return refuse(Fault::legacy);
      out.allow = s["Effect"].str() == "Allow";
      for (auto& [op, keys] : s["Condition"].members())
        for (auto& [key, values] : keys.members()) TRY_VOID(compile_condition(out, op, key, values));
    }
    return {};
  }

  Result<void> compile_condition(Statement& out, const std::string& op, const std::string& key, const Json& values) {
    auto name = find_operator(op);
    CHECK(name);
    Condition c;
    c.op = name->op;
    c.quantifier = name->quantifier;
    c.if_exists = name->if_exists;
    c.operator_text = op;
    c.key = key;
    c.hash = key_hash(key);
    if (kind_ == Kind::bucket && !is_bucket_condition_key(key)) return refuse(Fault::condition_key);
    for (auto& text : strings(values)) {
      auto v = compile_condition_value(*c.op, text, variables());
      if (!v) return refuse(Fault::condition_value);
      c.values.push_back(std::move(*v));
    }
    out.conditions.push_back(std::move(c));
    return {};
  }

  Result<void> check_sids() {
    std::set<std::string_view> seen;
    bool strict = is_iam(kind_) || kind_ == Kind::scp || kind_ == Kind::rcp;
    for (auto& s : out_->statements) {
      if (strict && !std::all_of(s.sid.begin(), s.sid.end(), is_alnum)) return refuse(Fault::sid_characters);
      if (!s.sid.empty() && !seen.insert(s.sid).second) return refuse(Fault::sid_twice);
    }
    return {};
  }

  Result<void> check_actions_exist() {
    for (auto* s : statements_) {
      const Json& a = (*s)[s->has("NotAction") ? "NotAction" : "Action"];
      if (a.is_null() || (a.is_array() && a.items().empty())) return refuse(Fault::no_actions);
    }
    return {};
  }

  /// IAM's older parser fails here and now; the first sentence about a resource is kept for later.
  Result<void> compile_resources() {
    for (size_t i = 0; i < statements_.size(); ++i) {
      const Json& s = *statements_[i];
      Statement& out = out_->statements[i];
      out.not_resource = s.has("NotResource");
      out.has_resource = out.not_resource || s.has("Resource");
      out.without_resource_applies = kind_ == Kind::trust;
      if (!out.has_resource) continue;
      if (kind_ == Kind::trust) return refuse(Fault::prohibited_field, out.not_resource ? "NotResource" : "Resource");
      for (auto& text : strings(s[out.not_resource ? "NotResource" : "Resource"])) {
        std::string found = resource_problem(text);
        if (resource_problem_.empty()) resource_problem_ = found;
        auto pattern = compile_pattern(text, {.wildcards = true, .variables = variables()});
        if (resource_problem_.empty() && (!pattern || legacy_fails(text))) return refuse(Fault::legacy);
        if (!pattern) continue;
        out.resources.push_back(std::move(*pattern));
        out.resource_texts.push_back(text);
      }
    }
    return {};
  }

  /// With the colons inside variables out of the way of splitting.
  static std::string without_variable_colons(std::string text) {
    bool inside = false;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 2, "${") == 0) inside = true;
      if (text[i] == '}') inside = false;
      if (text[i] == ':' && inside) text[i] = '.';
    }
    return text;
  }

  static bool legacy_fails(const std::string& text) {
    if (text == "*") return false;
    std::string plain = without_variable_colons(text);
    auto parts = split(plain, ':');
    return (parts.size() < 6 && text.find("::") != text.npos) || parts.size() < 3 || parts[2].empty();
  }

  /// IAM's sentence about a Resource, "" if it has none.
  static std::string resource_problem(const std::string& text) {
    if (text == "*") return {};
    std::string plain = without_variable_colons(text);
    auto parts = split(plain, ':');
    if (parts.size() == 1) return "Resource " + text + " must be in ARN format or \"*\".";
    if (parts[1] != "aws") {
      std::string partition(parts[1]), arn = "arn:" + partition;
      for (size_t i = 2; i < 6; ++i) {
        bool given = parts.size() > i && !(i == 2 && parts.size() == 3 && parts[2].empty());
        arn.append(":").append(given ? parts[i] : "*");
      }
      for (size_t i = 6; i < parts.size(); ++i) arn.append(":").append(parts[i]);
      return "Partition \"" + partition + "\" is not valid for resource \"" + arn + "\".";
    }
    if (parts.size() == 2 || parts[2].find_first_of("*?") != std::string::npos)
      return "Resource vendor must be fully qualified and cannot contain regexes.";
    std::string_view service = parts[2];
    bool region = parts.size() > 3 && !parts[3].empty();
    bool short_arn = parts.size() == 3;
    if (service == "iam" && (region || short_arn)) return "IAM resource " + text + " cannot contain region information.";
    bool account = parts.size() > 4 && !parts[4].empty();  // access points have both
    if (service == "s3" && ((region && !account) || short_arn))
      return "Resource " + text + " can not contain region information.";
    if (service == "iam") {
      static constexpr std::string_view kStarts[] = {"user/",
                                                     "federated-user/",
                                                     "role/",
                                                     "group/",
                                                     "instance-profile/",
                                                     "mfa/",
                                                     "server-certificate/",
                                                     "policy/",
                                                     "sms-mfa/",
                                                     "saml-provider/",
                                                     "oidc-provider/",
                                                     "report/",
                                                     "access-report/"};
      std::string path;
      for (size_t i = 5; i < parts.size(); ++i) path.append(i > 5 ? ":" : "").append(parts[i]);
      bool known = path == "*";
      for (auto start : kStarts) known |= path.starts_with(start);
      if (!known) {
        std::string all;
        for (auto start : kStarts) all += (all.empty() ? "" : ", ") + std::string(start);
        return "IAM resource path must either be \"*\" or start with " + all + ".";
      }
    }
    return {};
  }

  Result<void> compile_actions() {
    for (size_t i = 0; i < statements_.size(); ++i) {
      const Json& s = *statements_[i];
      Statement& out = out_->statements[i];
      out.not_action = s.has("NotAction");
      for (auto& text : strings(s[out.not_action ? "NotAction" : "Action"])) {
        TRY_VOID(check_action(text));
        out.actions.push_back(*compile_pattern(text, {.wildcards = true, .fold = true}));
      }
    }
    return {};
  }

  Result<void> check_action(const std::string& text) {
    auto parts = split(text, ':');
    if (parts.size() == 1 && text != "*") return refuse(Fault::action_vendor_missing);
    if (parts.size() > 2) return refuse(Fault::action_colons);
    auto vendor_char = [](char c) { return is_alnum(c) || c == '-' || c == '.'; };
    if (parts[0] != "*" && (parts[0].empty() || !std::all_of(parts[0].begin(), parts[0].end(), vendor_char)))
      return refuse(Fault::action_vendor, parts[0]);
    return {};
  }

  Result<void> check_resources_exist() {
    if (kind_ == Kind::trust || kind_ == Kind::key) return {};  // KMS: a statement without one has no effect
    for (auto& s : out_->statements)
      if (s.resources.empty()) return refuse(Fault::no_resources);
    return {};
  }

  Result<void> compile_principals() {
    for (size_t i = 0; i < statements_.size(); ++i) {
      const Json& s = *statements_[i];
      Statement& out = out_->statements[i];
      out.not_principal = s.has("NotPrincipal");
      const Json& p = s[out.not_principal ? "NotPrincipal" : "Principal"];
      out.has_principal = !p.is_null();
      if (p.is_string()) out.principals.push_back({.type = "AWS", .value = "*"});
      for (auto& [type, values] : p.members())
        for (auto& value : strings(values)) {
          auto compiled = compile_principal(type, value);
          bool canonical = type == "CanonicalUser" && kind_ != Kind::bucket && kind_ != Kind::endpoint;
          if (!compiled || canonical)
            return refuse(Fault::principal_invalid, json_quote(to_upper(type)) + ":" + json_quote(value));
          out.principals.push_back(std::move(*compiled));
        }
      if (out.has_principal && out.principals.empty()) return refuse(Fault::syntax);  // "AWS": []
    }
    return {};
  }

  /// What only one kind of policy asks for.
  Result<void> check_kind() {
    for (auto& s : out_->statements) {
      if (kind_ == Kind::trust) TRY_VOID(check_trust(s));
      if (kind_ == Kind::bucket) TRY_VOID(check_bucket(s));
      if (kind_ == Kind::rcp) TRY_VOID(check_rcp(s));
    }
    return {};
  }

  Result<void> check_trust(const Statement& s) {
    if (s.not_action) return refuse(Fault::action_not_sts);
    for (auto& action : strings((*statements_[s.index])["Action"])) {
      std::string a = to_lower(action);
      static constexpr std::string_view kActions[] = {"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
                                                      "sts:TagSession", "sts:SetSourceIdentity",  "sts:SetContext"};
      bool some = false;
      for (auto known : kActions) some |= a.starts_with("sts:") && action_matches(a, known);
      if (!some) return refuse(Fault::action_not_sts);
    }
    return {};
  }

  Result<void> check_bucket(const Statement& s) {
    for (auto& action : strings((*statements_[s.index])[s.not_action ? "NotAction" : "Action"])) {
      if (action == "*") continue;
      if (!iequals(action.substr(0, 3), "s3:")) return refuse(Fault::action_invalid);
      if (s.not_action || s.not_resource) continue;
      bool applies = false;
      for (auto& resource : s.resource_texts) applies |= bucket_action_applies(action, resource);
      if (!applies) return refuse(Fault::action_without_resource);
    }
    return {};
  }

  /// Customers' RCPs only deny; AWS's own RCPFullAWSAccess is the one that allows, and it allows everything.
  Result<void> check_rcp(const Statement& s) {
    bool everyone = s.principals.size() == 1 && s.principals[0].form == PrincipalPattern::Form::everyone;
    if (s.not_principal || s.not_action || !everyone) return refuse(Fault::syntax);
    bool full = s.actions.size() == 1 && s.actions[0].shape == Pattern::Shape::any && s.resources.size() == 1 &&
                !s.not_resource && s.resources[0].shape == Pattern::Shape::any && s.conditions.empty();
    if (s.allow && !full) return refuse(Fault::syntax);
    return {};
  }

  void place_statements() {
    JsonCursor cursor(text_);
    cursor.each_member([&](std::string name) {
      if (name != "Statement") return cursor.skip();
      size_t next = 0;
      auto place = [&] {
        size_t begin = cursor.at();
        cursor.skip();
        out_->statements[next].begin = begin;
        out_->statements[next++].end = cursor.at();
      };
      if (cursor.peek() == '{')
        place();
      else
        cursor.each_item(place);
    });
  }

  bool variables() const { return out_->version == "2012-10-17"; }

  std::string_view text_;
  Kind kind_;
  std::unique_ptr<Compiled> out_;
  Json document_;
  std::vector<const Json*> statements_;
  std::string resource_problem_;
};
}  // namespace

Result<PolicyPtr> parse(std::string_view document, Kind kind) { return Parser(document, kind).run(); }

}  // namespace redoubt::policy
