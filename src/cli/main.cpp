// redoubt: one program, one subcommand a task.
#include <cstdio>
#include <string>
#include <vector>

#include "cli/serve.h"
#include "cli/why.h"
#include "server/reference.h"

namespace {
constexpr const char* kVersion = "0.1.0";
constexpr const char* kUsage =
    "usage: redoubt COMMAND [OPTIONS]\n"
    "\n"
    "  serve     starts the server (redoubt serve --help)\n"
    "  why       says which statement of which policy decided a request (redoubt why --help)\n"
    "  docs      prints the reference: docs sql, docs apis\n"
    "  version   prints the version\n"
    "  help      prints this\n";
}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  std::string command = args.empty() ? "" : args[0];
  if (!args.empty()) args.erase(args.begin());
  if (command == "serve") return redoubt::cli::serve(args);
  if (command == "why") return redoubt::cli::why(args);
  if (command == "docs" && args == std::vector<std::string>{"sql"}) {
    std::fputs(redoubt::server::sql_reference().c_str(), stdout);
    return 0;
  }
  if (command == "docs" && args == std::vector<std::string>{"apis"}) {
    auto text = redoubt::server::api_reference();
    std::fputs(text ? text->c_str() : ("redoubt docs: " + text.error().message + "\n").c_str(), text ? stdout : stderr);
    return text ? 0 : 1;
  }
  if (command == "version" || command == "--version") {
    std::printf("redoubt %s\n", kVersion);
    return 0;
  }
  if (command == "help" || command == "--help" || command == "-h") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  std::fprintf(stderr, "redoubt: %s\n%s",
               command.empty() ? "no command given" : ("there is no command '" + command + "'").c_str(), kUsage);
  return 2;
}
