#pragma once
/// `redoubt serve`: the server as a process. Prints "ready" on stdout when every port accepts, logs to stderr, ends on SIGTERM or
/// SIGINT.
#include <string>
#include <vector>

namespace redoubt::cli {

/// The exit status: 0 after a clean stop or --help; 2, with one sentence on stderr, when the operator has to change something; 1
/// when the fault is ours.
int serve(const std::vector<std::string>& args);

}  // namespace redoubt::cli
