#pragma once
/// Wildcards and policy variables. `*` is any run of characters (across / and : too), `?` one character (a UTF-8 sequence, not
/// a byte). A variable's value, fallback included, is matched literally: a tag value "*" is an asterisk and nothing else.
///
/// Matching takes at most length(pattern) x length(value) steps: only the last `*` is ever retried.
#include <optional>
#include <string>
#include <string_view>

#include "policy/compiled.h"
#include "policy/context.h"

namespace redoubt::policy {

struct PatternOptions {
  bool wildcards = true;   // `*` and `?` are wildcards; else literal
  bool variables = false;  // ${..} is a variable or an escape; else literal
  bool fold = false;       // without regard to ASCII case
};
/// nullopt: a broken variable (no closing brace or quote, an empty or ill-formed key).
std::optional<Pattern> compile_pattern(std::string_view text, PatternOptions options);

/// A pattern of six ARN parts, split at colons that stand outside variables; the sixth part holds all further colons.
/// Fewer than six parts: an empty vector, which matches no ARN. nullopt: a broken variable.
std::optional<std::vector<Pattern>> compile_arn_pattern(std::string_view text, bool variables);

enum class Match : uint8_t {
  no,
  yes,
  unresolved,  // a variable has no value, or several, and no fallback: the comparison can't be made
};
Match match(const Pattern& pattern, std::string_view value, const Context& context);

bool fold_equal(std::string_view a, std::string_view b);  // ASCII case-insensitive

}  // namespace redoubt::policy
