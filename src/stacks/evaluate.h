#pragma once
/// Parameter values, conditions and functions: what turns a checked template into concrete properties. Pure: resources and
/// exports are reached through the Environment. Values are never read as template text again, so that no parameter can add
/// structure, a function or a reference. Source: CloudFormation User Guide, "Parameters", "Intrinsic function reference".
#include <functional>
#include <map>
#include <set>

#include "stacks/template.h"

namespace redoubt::stacks {

struct GivenParameter {
  std::string name;
  std::optional<std::string> value;
  bool use_previous = false;
};

/// The text of every parameter of the template: given, previous or default. Errors: ValidationError `Parameters: [X] must have
/// values`, `Parameters: [Y] do not exist in the template`, constraints; no error quotes a value (it may be NoEcho).
Result<std::map<std::string, std::string>> resolve_parameters(const Template& t, const std::vector<GivenParameter>& given,
                                                              const std::map<std::string, std::string>& previous);

struct Environment {
  const Template* t = nullptr;
  std::map<std::string, std::string> parameters;  // as resolve_parameters made them
  std::string account, region, stack_id, stack_name;
  std::vector<std::string> notification_arns;
  std::map<std::string, bool> conditions;  // as resolve_conditions made them
  /// Physical id and attribute of a resource. Errors end the evaluation.
  std::function<Result<Json>(const std::string& id)> ref;
  std::function<Result<Json>(const std::string& id, const std::string& attribute)> get_att;
  std::function<Result<std::string>(const std::string& export_name)> import_value;
  /// Filled by evaluate: the exports that were imported.
  std::set<std::string>* imported = nullptr;
};

/// All conditions of env.t, each decided once.
Result<std::map<std::string, bool>> resolve_conditions(const Environment& env);

/// `j` with its functions replaced by values; nullopt for AWS::NoValue. Errors: ValidationError.
Result<std::optional<Json>> evaluate(const Json& j, const Environment& env);

/// Whether a resource or output with that condition exists ("": always).
bool included(const std::string& condition, const Environment& env);

}  // namespace redoubt::stacks
