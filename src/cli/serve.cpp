#include "cli/serve.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "net/errors.h"
#include "server/server.h"

namespace redoubt::cli {
namespace {

/// As many connections as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("the limit of open files stays as it is");
}

int refuse(const Error& error) {
  std::fprintf(stderr, "redoubt: %s\n", error.message.c_str());
  return error.is(server::kCannotStart) || error.is(net::kCannotListen) ? 2 : 1;
}

}  // namespace

int serve(const std::vector<std::string>& args) {
  auto parsed = server::parse_config(args);
  if (!parsed) return refuse(parsed.error());
  if (!parsed->help.empty()) {
    std::fputs(parsed->help.c_str(), stdout);
    return 0;
  }
  // Blocked before the first thread starts, so that only sigwait below sees them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  raise_descriptor_limit();
  ::umask(077);  // whatever a library creates in DIR is nobody else's

  auto server = server::Server::open(std::move(parsed->config), Clock::system());
  if (!server) return refuse(server.error());
  (*server)->start();
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stop, &signal);
  log::info(signal == SIGINT ? "stopping on SIGINT" : "stopping on SIGTERM");
  // A second signal ends a stop that takes too long.
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  server->reset();
  log::info("stopped");
  return 0;
}

}  // namespace redoubt::cli
