#pragma once
/// A CloudFormation template, read and checked: sections, names, references, functions, conditions, quotas and the order its
/// resources must be made in. Pure. Whether its resource types and properties exist is the providers' business (provider.h).
/// Source: CloudFormation User Guide, "Template anatomy", "Intrinsic function reference", "Quotas".
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace redoubt::stacks {

struct Parameter {
  std::string name, type = "String", description, constraint_description, allowed_pattern;
  std::optional<std::string> default_value;
  std::vector<std::string> allowed_values;
  std::optional<int64_t> min_length, max_length;
  std::optional<double> min_value, max_value;
  std::string min_value_text, max_value_text;  // as written, for messages
  bool no_echo = false;
  bool is_list() const { return type == "CommaDelimitedList" || type.starts_with("List<"); }
  bool is_number() const { return type == "Number" || type == "List<Number>"; }
};

struct Resource {
  std::string id, type, condition;
  Json properties = Json::object();
  std::vector<std::string> depends_on;  // explicit
  std::string deletion_policy;          // "", Delete, Retain, RetainExceptOnCreate, Snapshot
  std::string update_replace_policy;    // "", Delete, Retain, Snapshot
  Json metadata;
};

struct Output {
  std::string id, description, condition;
  Json value;
  Json export_name;  // null: not exported
};

struct Template {
  std::string text;  // as it came
  std::string description;
  Json metadata;
  bool language_extensions = false;
  std::vector<std::string> transforms;
  std::vector<Parameter> parameters;
  Json mappings = Json::object();
  Json conditions = Json::object();
  std::vector<Resource> resources;  // in the template's order
  std::vector<Output> outputs;

  const Parameter* parameter(std::string_view name) const;
  const Resource* resource(std::string_view id) const;
  /// Logical ids that it names by Ref, GetAtt, Sub or DependsOn, sorted by the template's order.
  std::vector<std::string> dependencies(const Resource& resource) const;
  /// All resources, each after everything it depends on; among the possible orders the one closest to the template's.
  std::vector<std::string> order() const;
};

/// Everything that can be said without parameter values. Errors: ValidationError in CloudFormation's words.
Result<Template> parse_template(std::string_view text);

/// What `j` refers to, by any function at any depth. `Ref` to pseudo parameters is left out.
struct References {
  std::vector<std::string> refs;                              // logical names of Ref and ${X}
  std::vector<std::pair<std::string, std::string>> get_atts;  // (logical id, attribute)
  std::vector<std::string> conditions;                        // of Fn::If and {"Condition": ..} inside condition functions
  bool imports = false;
  std::vector<std::string> import_refs;  // refs inside Fn::ImportValue: they may not be resources
};
/// Also checks each function's shape. `in_conditions`: the section where {"Condition": "X"} is a function.
Result<References> find_references(const Json& j, bool in_conditions = false, bool language_extensions = false);

/// One piece of a Fn::Sub string: literal text, or a variable name ("X", "X.Attr", "AWS::Region").
struct SubPiece {
  bool variable;
  std::string text;
};
Result<std::vector<SubPiece>> split_sub(std::string_view text);

bool is_pseudo_parameter(std::string_view name);

}  // namespace redoubt::stacks
