#include "server/environment.h"

#include "base/text.h"
#include "server/data_dir.h"

namespace redoubt::server {

Result<std::map<std::string, std::string>> read_environment(const std::filesystem::path& file) {
  TRY(auto text, read_file(file));
  std::map<std::string, std::string> out;
  if (!text) return out;
  for (auto& line : split(*text, '\n')) {
    std::string_view rest = line;
    if (!rest.starts_with("export ")) continue;
    rest.remove_prefix(7);
    auto equals = rest.find("='");
    if (equals == rest.npos || !rest.ends_with('\'') || rest.size() < equals + 3) continue;
    out[std::string(rest.substr(0, equals))] = replace_all(rest.substr(equals + 2, rest.size() - equals - 3), "'\\''", "'");
  }
  return out;
}

Result<void> write_environment(const std::filesystem::path& file, const Environment& environment) {
  std::string text = "# Written by redoubt serve at each start. Source it: . " + file.string() + "\n";
  for (auto& [name, value] : environment) text += "export " + name + "='" + replace_all(value, "'", "'\\''") + "'\n";
  return write_private_file(file, text);
}

}  // namespace redoubt::server
