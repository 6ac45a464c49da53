#pragma once
/// A template's text as a tree: JSON, or the YAML that CloudFormation reads. Pure.
///
/// YAML here is 1.1 without its surprises: plain true/True/TRUE/false/.. are booleans, plain JSON numbers are numbers, everything
/// else that is plain is a string (dates, yes/no, 0777, 1_000). Short tags become their long forms: `!Ref x` {"Ref": "x"},
/// `!GetAtt a.b.c` {"Fn::GetAtt": ["a", "b.c"]}, `!Sub x` {"Fn::Sub": "x"}; `!Condition x` {"Condition": "x"}.
/// Anchors and aliases work, within a bound on what they expand to; the merge key `<<` doesn't, as in CloudFormation.
/// Source: CloudFormation User Guide, "Template formats" and "Intrinsic function reference".
#include <string>
#include <string_view>

#include "base/json.h"

namespace redoubt::stacks {

/// Text that begins with '{' is JSON, anything else YAML. Errors: ValidationError "Template format error: .. (line l, column c)":
/// not well-formed, a duplicate or non-scalar key, an unknown tag, more than one document, nesting deeper than 60 levels,
/// aliases that expand to more than 100,000 nodes or 4 MiB.
Result<Json> parse_document(std::string_view text);

/// YAML whose parse_document is `value` again: block style, every string quoted. Null members stay null.
std::string print_yaml(const Json& value);

}  // namespace redoubt::stacks
