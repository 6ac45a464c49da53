#include "base/log.h"

#include <unistd.h>

#include <atomic>

#include "base/clock.h"

namespace redoubt::log {
namespace {
std::atomic<Level> g_level{Level::info};
}
void set_level(Level level) { g_level = level; }
void write(Level level, std::string_view text) {
  if (level < g_level) return;
  static constexpr std::string_view names[] = {"debug", "info", "warn", "error"};
  std::string line = iso8601_millis(Clock::system().now());
  line += ' ';
  line += names[int(level)];
  line += ' ';
  for (char c : text) line += (unsigned char)c < 0x20 ? ' ' : c;  // one event, one line: no forged entries
  line += '\n';
  (void)!::write(2, line.data(), line.size());
}
}  // namespace redoubt::log
