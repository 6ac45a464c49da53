#include "policy/principals.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::policy {
namespace {
using Form = PrincipalPattern::Form;

bool is_account(std::string_view s) { return s.size() == 12 && std::all_of(s.begin(), s.end(), is_digit); }

bool has_wildcard(std::string_view s) { return s.find_first_of("*?") != s.npos; }

std::optional<Form> arn_form(std::string_view arn, std::string& account) {
  auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[1] != "aws" || !parts[3].empty() || !is_account(parts[4]))
    return std::nullopt;
  if (has_wildcard(arn)) return std::nullopt;
  std::string_view resource = parts[5];
  auto named = [&](std::string_view kind) {
    return resource.starts_with(kind) && resource.size() > kind.size() && !resource.ends_with('/');
  };
  account = parts[4];
  if (parts[2] == "iam") {
    if (resource == "root") return Form::account;
    if (named("user/")) return Form::user;
    if (named("role/")) return Form::role;
  } else if (parts[2] == "sts") {
    if (named("assumed-role/") && std::count(resource.begin(), resource.end(), '/') == 2) return Form::session;
    if (named("federated-user/")) return Form::federated_user;
  }
  return std::nullopt;
}

bool is_unique_id(std::string_view s) {
  return s.size() >= 16 && s.size() <= 128 && (s.starts_with("AIDA") || s.starts_with("AROA")) &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

bool is_host(std::string_view s) {
  return s.find('.') != s.npos && s.front() != '.' && s.back() != '.' &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-'; });
}

bool is_provider_arn(std::string_view s) {
  auto parts = split(s, ':');
  return parts.size() == 6 && parts[0] == "arn" && parts[1] == "aws" && parts[2] == "iam" && parts[3].empty() &&
         is_account(parts[4]) && (parts[5].starts_with("saml-provider/") || parts[5].starts_with("oidc-provider/")) &&
         !has_wildcard(s);
}

/// Does the pattern name the principal, and how?
Grade match_one(const PrincipalPattern& pattern, const Principal& p) {
  using enum PrincipalType;
  bool federated_user_type = p.type == federated_user;
  auto when = [](bool yes, Grade g) { return yes ? g : Grade::none; };
  switch (pattern.form) {
    case Form::everyone:
      return Grade::direct;
    case Form::account:
      return when(
          p.account == pattern.account && (p.type == root || p.type == user || p.type == assumed_role || federated_user_type),
          Grade::account);
    case Form::canonical:
      return when(!p.canonical_id.empty() && p.canonical_id == pattern.value, Grade::account);
    case Form::user:
      if (p.type == user) return when(p.arn == pattern.value, Grade::direct);
      return when(federated_user_type && p.issuer_arn == pattern.value, Grade::issuer);
    case Form::role:
      return when(p.type == assumed_role && p.issuer_arn == pattern.value, Grade::issuer);
    case Form::session:
      return when(p.type == assumed_role && p.arn == pattern.value, Grade::direct);
    case Form::federated_user:
      return when(federated_user_type && p.arn == pattern.value, Grade::direct);
    case Form::unique_id:
      if (p.type == user) return when(p.unique_id == pattern.value, Grade::direct);
      return when((p.type == assumed_role || federated_user_type) && p.unique_id == pattern.value, Grade::issuer);
    case Form::service:
      return when(p.type == service && p.service == pattern.value, Grade::direct);
    case Form::federated:
      return when(p.type == federated && p.provider == pattern.value, Grade::direct);
  }
  return Grade::none;
}

/// AWS judges a Deny with NotPrincipal for each of the principal's names: only who is listed by account, by role or user, and by
/// session is exempt.
bool exempt(const Statement& s, const Principal& p) {
  bool account = false, issuer = false, direct = false, everyone = false;
  for (auto& pattern : s.principals) {
    Grade g = match_one(pattern, p);
    everyone |= pattern.form == Form::everyone;
    account |= g == Grade::account;
    issuer |= g == Grade::issuer;
    direct |= g == Grade::direct;
  }
  if (everyone) return true;
  switch (p.type) {
    case PrincipalType::anonymous:
      return false;
    case PrincipalType::service:
    case PrincipalType::federated:
      return direct;
    case PrincipalType::root:
      return account;
    case PrincipalType::user:
    case PrincipalType::federated_user:
      return account && direct;
    case PrincipalType::assumed_role:
      return account && issuer && direct;
  }
  return false;
}
}  // namespace

std::optional<PrincipalPattern> compile_principal(std::string_view type, std::string_view value) {
  PrincipalPattern p;
  p.type = std::string(type);
  p.value = std::string(value);
  if (value.empty()) return std::nullopt;
  if (type == "AWS") {
    if (value == "*") {
      p.form = Form::everyone;
    } else if (is_account(value)) {
      p.form = Form::account;
      p.account = p.value;
    } else if (is_unique_id(value)) {
      p.form = Form::unique_id;
    } else {
      auto form = arn_form(value, p.account);
      if (!form) return std::nullopt;
      p.form = *form;
    }
    return p;
  }
  if (type == "Service") {
    if (!is_host(value) || !(value.ends_with(".amazonaws.com") || value.ends_with(".amazon.com"))) return std::nullopt;
    p.form = Form::service;
    return p;
  }
  if (type == "Federated") {
    if (!is_provider_arn(value) && !is_host(value)) return std::nullopt;
    p.form = Form::federated;
    return p;
  }
  if (type == "CanonicalUser") {
    bool hex = value.size() == 64 && value.find_first_not_of("0123456789abcdef") == value.npos;
    if (!hex) return std::nullopt;
    p.form = Form::canonical;
    return p;
  }
  return std::nullopt;
}

Grade grade(const Statement& s, const Principal& p, bool everyone_is_all, bool bounded) {
  bool named_only = s.allow && !everyone_is_all && (p.type == PrincipalType::service || p.type == PrincipalType::federated);
  if (s.not_principal) {
    if (!s.allow) {
      bool entity = p.type == PrincipalType::user || p.type == PrincipalType::assumed_role;
      return (bounded && entity) || !exempt(s, p) ? Grade::direct : Grade::none;
    }
    if (named_only) return Grade::none;
    for (auto& pattern : s.principals)
      if (match_one(pattern, p) != Grade::none) return Grade::none;
    return Grade::direct;
  }
  Grade best = Grade::none;
  for (auto& pattern : s.principals) {
    if (named_only && pattern.form == Form::everyone) continue;
    best = std::max(best, match_one(pattern, p));
    if (best == Grade::direct) break;
  }
  return best;
}

}  // namespace redoubt::policy
