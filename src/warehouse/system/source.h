#pragma once
/// What system relations are computed from: one statement's view of its cluster. Made by the session for each statement, and not
/// changed while that runs.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/engine/engine.h"

namespace redoubt::warehouse::system {

using catalog::Oid;
using engine::Datum;
using Row = std::vector<Datum>;

struct SessionRow {
  int pid = 0;
  Oid user = 0;
  std::string user_name, database, application_name, remote_host;
  int remote_port = 0;
  bool tls = false;
  Timestamp started, statement_started;
  uint64_t transaction = 0;
  std::string statement;  // secrets hidden; empty: idle
};

struct LockedRow {
  Oid relation = 0;
  int pid = 0;
  uint64_t transaction = 0;
  bool granted = true;
};

struct SettingInfo {
  std::string name, value, description;
};

class SystemLog;

struct Source {
  catalog::SnapshotPtr snapshot;  // with the transaction's own changes
  Oid database = 0;
  std::string database_name;
  catalog::Identities who;  // current user: what is shown depends on it
  bool sees_all = false;    // superuser or SYSLOG ACCESS UNRESTRICTED: others' rows of logs too
  int pid = 0;
  std::vector<SettingInfo> settings;
  std::function<std::vector<SessionRow>()> sessions;
  std::function<std::vector<LockedRow>()> locks;
  std::function<std::optional<engine::TableSize>(const catalog::Relation&)> size;
  const SystemLog* log = nullptr;
  Timestamp now;
};

}  // namespace redoubt::warehouse::system
