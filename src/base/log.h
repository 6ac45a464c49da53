#pragma once
/// The server's own log, on stderr, one line an event: time, level, words. Never a secret: no password, key material, session
/// token, signature, row value or request body goes in here. What users need is in an error's message; this is for operators.
#include <string_view>

namespace redoubt::log {
enum class Level { debug, info, warn, error };
void set_level(Level);
void write(Level, std::string_view text);
inline void info(std::string_view t) { write(Level::info, t); }
inline void warn(std::string_view t) { write(Level::warn, t); }
inline void error(std::string_view t) { write(Level::error, t); }
inline void debug(std::string_view t) { write(Level::debug, t); }
}  // namespace redoubt::log
