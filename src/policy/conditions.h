#pragma once
/// The Condition element. Source: IAM User Guide, "Condition operators" and "Conditions with multiple context keys or values".
///
/// Several values in a policy are OR, for negated operators NOR. A key that is absent: positive operators false, negated ones and
/// IfExists true, ForAllValues true, ForAnyValue false (IfExists doesn't change that: it is asked of each value, and there is
/// none).
///
/// A key with several values under an operator without ForAllValues/ForAnyValue is undefined by AWS. We read it the way that
/// refuses: in an Allow every value must satisfy the operator, in a Deny one is enough.
///
/// A value with a variable that can't be resolved equals nothing; under a negated operator it makes the condition false, since
/// AWS calls a statement with such a variable invalid.
#include <optional>
#include <string_view>
#include <vector>

#include "policy/compiled.h"
#include "policy/context.h"

namespace redoubt::policy {

/// "ForAllValues:StringLikeIfExists" into its parts; nullopt: no such operator. Case doesn't matter, as in AWS.
struct OperatorName {
  const Operator* op = nullptr;
  Quantifier quantifier = Quantifier::none;
  bool if_exists = false;
};
std::optional<OperatorName> find_operator(std::string_view text);

/// One value as the operator's type wants it; nullopt: it isn't one (a word for a number, a variable in a date, ..).
std::optional<ConditionValue> compile_condition_value(const Operator& op, std::string_view text, bool variables);

/// `allow`: the statement's effect.
bool holds(const Condition& condition, const Context& context, bool allow);

}  // namespace redoubt::policy
