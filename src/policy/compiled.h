#pragma once
/// What a policy document is compiled to. Only the room's own files look in here; everybody else sees Policy.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "policy/policy.h"

namespace redoubt::policy {

/// A piece of a Pattern. Escapes (${*}, ${?}, ${$}) are literals by now.
struct Token {
  enum class Kind : uint8_t { literal, any_run, any_char, variable };
  Kind kind = Kind::literal;
  bool has_fallback = false;  // ${key, 'fallback'}
  uint32_t hash = 0;          // of a variable's key
  std::string text;           // literal text (lower case when the pattern folds), or a variable's key
  std::string fallback;
};

/// Text with wildcards and policy variables: an action, a resource, a condition value. See match.h.
struct Pattern {
  enum class Shape : uint8_t {
    any,     // "*"
    exact,   // text
    prefix,  // text*
    glob,    // tokens
  };
  Shape shape = Shape::exact;
  bool fold = false;  // compare without regard to ASCII case
  uint16_t variables = 0;
  std::string text;
  std::vector<Token> tokens;
};

/// A number of a Numeric condition. Integers compare as integers, so that account ids and large counters stay exact.
struct Number {
  bool whole = false;
  int64_t integer = 0;
  double real = 0;
};

enum class Family : uint8_t { string, arn, numeric, date, boolean, binary, ip, null };
enum class Order : uint8_t { equal, less, less_equal, greater, greater_equal };

/// One of the base operators of identity.md §3.
struct Operator {
  std::string_view name;
  Family family;
  Order order = Order::equal;
  bool negated = false;
  bool fold = false;       // ..IgnoreCase
  bool wildcards = false;  // ..Like and the ARN operators
};

struct ConditionValue {
  std::string text;                // as written (numbers and booleans as their JSON text); binary: canonical base64
  Pattern pattern;                 // string; arn when the whole value is one variable
  std::vector<Pattern> arn_parts;  // arn: six, or none when the value is one variable or no ARN
  Number number;                   // numeric
  int64_t time_us = 0;             // date
  Cidr cidr;                       // ip
  bool boolean = false;            // boolean, null
};

enum class Quantifier : uint8_t { none, for_all_values, for_any_value };

struct Condition {
  const Operator* op = nullptr;
  Quantifier quantifier = Quantifier::none;
  bool if_exists = false;
  std::string operator_text;  // as written
  std::string key;
  uint32_t hash = 0;
  std::vector<ConditionValue> values;
};

struct PrincipalPattern {
  enum class Form : uint8_t { everyone, account, user, role, session, federated_user, unique_id, service, federated, canonical };
  Form form = Form::everyone;
  std::string type;     // "AWS", "Service", "Federated", "CanonicalUser"
  std::string value;    // as written; account: as written too
  std::string account;  // account: its 12 digits
};

struct Statement {
  std::string sid;
  size_t index = 0;
  bool allow = false;
  bool not_action = false, not_resource = false, not_principal = false;
  bool has_resource = false, has_principal = false;
  bool without_resource_applies = false;  // a trust policy's does; a key policy's has no effect
  std::vector<Pattern> actions;
  std::vector<Pattern> resources;
  std::vector<std::string> resource_texts;
  std::vector<PrincipalPattern> principals;
  std::vector<Condition> conditions;
  size_t begin = 0, end = 0;  // bytes of the document
};

struct Compiled {
  Kind kind = Kind::identity;
  std::string document;
  std::string version;
  std::vector<Statement> statements;
};

}  // namespace redoubt::policy
