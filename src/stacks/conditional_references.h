#pragma once
/// References to what a condition leaves out. Source: CloudFormation User Guide, "Condition functions"; the sentence as the
/// service was seen to answer it.
#include "stacks/evaluate.h"

namespace redoubt::stacks {

/// What is included refers to nothing that its condition leaves out: asked before anything is made. `env.conditions` are decided.
/// Errors: ValidationError `Unresolved resource dependencies [X] in the Outputs block of the template`.
Result<void> check_conditional_references(const Environment& env);

}  // namespace redoubt::stacks
