#pragma once
/// DIR/env: what a shell sources to be the first account's admin. Rewritten at each start, because ports may change; what is
/// secret in it (keys, the cluster's password) exists in clear nowhere else, so it is carried over from the file itself.
#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace redoubt::server {

/// NAME -> value, in the order of the file.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// The variables of an existing file; empty when there is none. Errors: kCannotStart.
Result<std::map<std::string, std::string>> read_environment(const std::filesystem::path& file);
/// `export NAME='value'` lines, mode 0600. Errors: kCannotStart.
Result<void> write_environment(const std::filesystem::path& file, const Environment& environment);

}  // namespace redoubt::server
