#pragma once
/// The stored form of audit records: Zstandard with a dictionary of what records have in common, so that each can be read alone.
/// 1.4 KB of JSON take about 0.4 KB.
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::access {

std::string compact(std::string_view text);
/// nullopt: not what compact() makes (damaged).
std::optional<std::string> expand(std::string_view stored);

}  // namespace redoubt::access
