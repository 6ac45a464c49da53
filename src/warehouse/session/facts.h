#pragma once
/// What one statement sees of its session: users, catalog, settings, times. Made when the statement starts and immutable while
/// it runs, so that the engine's threads may ask host functions and system relations at any time.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "warehouse/catalog/rights.h"
#include "warehouse/engine/engine.h"
#include "warehouse/session/core.h"
#include "warehouse/session/settings.h"
#include "warehouse/system/source.h"

namespace redoubt::warehouse::session {

inline constexpr int64_t kUnixToPostgresMicros = 946684800000000;  // 1970-01-01 to 2000-01-01

/// What functions ask to be done once the statement is over: set_config().
struct Effects {
  struct Setting {
    std::string name, value;
    bool local;
  };
  std::mutex mutex;
  std::vector<Setting> settings;
};

struct Facts : system::Source {
  catalog::Oid current_user = 0, session_user = 0;
  Settings values;
  std::string temp_schema;                           // name of this session's temporary schema
  bool temp_last = false;                            // it is searched after all others, not before
  int64_t transaction_time = 0, statement_time = 0;  // microseconds since 2000-01-01 UTC
  int last_query = -1, query = -1;
  int64_t last_copy_count = 0, last_unload_count = 0;
  int last_copy = -1;
  bool read_only = false;
  uint64_t transaction = 0;
  std::shared_ptr<Effects> effects = std::make_shared<Effects>();
  ServiceCore* core = nullptr;
};
using FactsPtr = std::shared_ptr<const Facts>;

std::string temp_schema_name(int pid);  // pg_temp_<pid>
inline bool is_temp_schema(std::string_view name) { return name.starts_with("pg_temp_"); }

/// What a statement may call back: host functions and system relations over the same facts.
std::shared_ptr<const engine::HostContext> make_host_context(FactsPtr facts);

}  // namespace redoubt::warehouse::session
