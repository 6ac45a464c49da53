#include "base/arn.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt {
std::optional<Arn> Arn::parse(std::string_view text) {
  std::string_view parts[6];
  for (int i = 0; i < 5; ++i) {
    size_t colon = text.find(':');
    if (colon == text.npos) return std::nullopt;
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  parts[5] = text;
  if (parts[0] != "arn" || parts[5].empty()) return std::nullopt;
  return Arn{std::string(parts[1]), std::string(parts[2]), std::string(parts[3]), std::string(parts[4]), std::string(parts[5])};
}
bool is_account_id(std::string_view s) { return s.size() == 12 && std::all_of(s.begin(), s.end(), is_digit); }
}  // namespace redoubt
