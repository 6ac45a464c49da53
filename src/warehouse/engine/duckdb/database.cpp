#include "warehouse/engine/duckdb/database.h"

#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/config.hpp>
#include <duckdb/main/database_manager.hpp>
#include <duckdb/parallel/task_scheduler.hpp>
#include <duckdb/storage/buffer_manager.hpp>
#include <filesystem>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/connection.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/emit_udf.h"
#include "warehouse/engine/duckdb/encryption.h"
#include "warehouse/engine/duckdb/guard.h"
#include "warehouse/engine/duckdb/host_calls.h"
#include "warehouse/engine/duckdb/scan_load.h"

namespace redoubt::warehouse::engine {
namespace {

namespace fs = std::filesystem;
using duckdb::Value;

/// The same file in two instances of one process corrupts it silently (POSIX locks don't see it).
Result<std::shared_ptr<void>> register_open(const std::string& directory) {
  static std::mutex mutex;
  static std::set<std::string> open;
  std::error_code ec;
  std::string path = fs::canonical(directory, ec).string();
  if (ec) return fail(kCannotOpen, "cannot open " + directory + ": " + ec.message());
  std::lock_guard lock(mutex);
  if (!open.insert(path).second) return fail(kAlreadyOpen, directory + " is open already");
  return std::shared_ptr<void>(nullptr, [path](void*) {
    std::lock_guard inner(mutex);
    open.erase(path);
  });
}

Result<void> run(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) return fail(kCannotOpen, result->GetErrorObject().RawMessage());
  return {};
}

}  // namespace

Result<std::unique_ptr<DuckDatabase>> DuckDatabase::open(Options options) {
  CHECK(options.key.size() == 32 && options.resources);
  std::unique_ptr<DuckDatabase> self(new DuckDatabase);
  self->options_ = std::move(options);
  std::error_code ec;
  fs::create_directories(self->options_.directory, ec);
  fs::permissions(self->options_.directory, fs::perms::owner_all, ec);
  TRY(self->opened_, register_open(self->options_.directory));
  fs::remove_all(self->options_.directory + "/tmp", ec);  // spilled by a process that was killed
  try {
    TRY_VOID(self->set_up());
  } catch (const std::exception& e) {
    return fail(kCannotOpen, "cannot open " + self->options_.directory + ": " + duckdb::ErrorData(e).RawMessage());
  }
  return self;
}

Result<void> DuckDatabase::set_up() {
  Share share = options_.resources->part();
  duckdb::DBConfig config;
  auto set = [&](const char* name, Value value) { config.SetOptionByName(name, value); };
  set("threads", Value::BIGINT(static_cast<int64_t>(share.threads)));
  set("memory_limit", Value(std::to_string(share.memory_bytes >> 10) + "KiB"));
  set("temp_directory", Value(options_.directory + "/tmp"));
  set("temp_file_encryption", Value(true));
  set("autoinstall_known_extensions", Value(false));
  set("autoload_known_extensions", Value(false));
  set("allow_community_extensions", Value(false));
  set("allow_persistent_secrets", Value(false));
  set("preserve_insertion_order", Value(false));
  try {
    database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  } catch (const duckdb::Exception& e) {
    return fail(kCannotOpen, std::string("the engine doesn't start: ") + e.what());
  }
  auto& instance = *database_->instance;
  auto& live = duckdb::DBConfig::GetConfig(instance);
  live.encryption_util = duckdb::make_shared_ptr<OpenSslEncryption>();
  register_guard(live);
  register_host_calls(instance);
  register_udfs(instance);
  register_bulk(instance);

  duckdb::Connection connection(*database_);
  TRY_VOID(run(connection, "ATTACH '" + replace_all(options_.directory, "'", "''") + "/warehouse.db' AS " + kDatabaseName +
                               " (ENCRYPTION_KEY '" + hex(options_.key) + "')"));
  TRY_VOID(run(connection, std::string("CREATE SCHEMA IF NOT EXISTS ") + kDatabaseName + ".catalog"));
  TRY_VOID(run(connection,
               std::string("CREATE TABLE IF NOT EXISTS ") + kDatabaseName +
                   ".catalog.log (seq BIGINT NOT NULL, oid BIGINT NOT NULL, kind VARCHAR NOT NULL, body VARCHAR NOT NULL)"));
  auto last = connection.Query(std::string("SELECT coalesce(max(seq), 0) FROM ") + kDatabaseName + ".catalog.log");
  if (last->HasError()) return fail(kCannotOpen, "the catalog's log can't be read");
  catalog_seq_ = last->GetValue(0, 0).GetValue<int64_t>() + 1;

  TRY_VOID(run(connection, std::string("SET allowed_directories = ['") + kFileScheme + "']"));
  TRY_VOID(run(connection, "SET enable_external_access = false"));
  TRY_VOID(run(connection, "SET lock_configuration = true"));
  attached_ = duckdb::DatabaseManager::Get(instance).GetDatabase(kDatabaseName);
  CHECK(attached_);
  share_ = share;
  membership_ = options_.resources->join([this](Share s) { apply(s); });
  return {};
}

DuckDatabase::~DuckDatabase() {
  membership_.reset();
  if (attached_) {
    if (auto done = checkpoint(); !done) log::warn("engine: no checkpoint at closing, the log is kept: " + done.error().message);
  }
  attached_.reset();
  database_.reset();
}

void DuckDatabase::apply(Share share) {
  // A lower limit than what is in use right now is refused: then it stays as it is until the next time.
  auto done = guarded([&]() -> Result<void> {
    if (share.threads != share_.threads) {
      auto& scheduler = duckdb::TaskScheduler::GetScheduler(*database_->instance);
      scheduler.SetThreads(share.threads, 1);
      scheduler.RelaunchThreads();
    }
    if (share.memory_bytes != share_.memory_bytes) database_->instance->GetBufferManager().SetMemoryLimit(share.memory_bytes);
    return {};
  });
  share_ = share;
  if (!done) log::warn("engine: memory or threads can't be changed now");
}

void DuckDatabase::release_memory() {
  auto& buffers = database_->instance->GetBufferManager();
  auto done = guarded([&]() -> Result<void> {
    buffers.SetMemoryLimit(Resources::kMemoryFloor / 8);
    return {};
  });
  static_cast<void>(done);  // in use after all: nothing to give back
  guarded([&]() -> Result<void> {
    buffers.SetMemoryLimit(share_.memory_bytes);
    return {};
  });
}

Result<std::unique_ptr<Connection>> DuckDatabase::connect() {
  return guarded([&]() -> Result<std::unique_ptr<Connection>> { return std::make_unique<DuckConnection>(*this); });
}

Result<void> DuckDatabase::checkpoint() {
  return guarded([&]() -> Result<void> {
    duckdb::Connection connection(*database_);
    auto result = connection.Query(std::string("CHECKPOINT ") + kDatabaseName);
    if (result->HasError()) return std::unexpected(to_error(result->GetErrorObject()));
    return {};
  });
}

Sequence DuckDatabase::last_sequence() const {
  auto& self = const_cast<DuckDatabase&>(*this);
  std::lock_guard lock(self.commit_mutex);
  return isolation.last();
}

std::string physical_name(Oid schema, Oid table) { return "s" + std::to_string(schema) + ".t" + std::to_string(table); }

Result<std::unique_ptr<Engine>> Engine::open(Options options) {
  TRY(std::unique_ptr<Engine> engine, DuckDatabase::open(std::move(options)));
  return engine;
}

std::shared_future<std::shared_ptr<Result<std::unique_ptr<Engine>>>> Engine::open_in_background(Options options) {
  return std::async(std::launch::async,
                    [options = std::move(options)]() mutable {
                      return std::make_shared<Result<std::unique_ptr<Engine>>>(Engine::open(std::move(options)));
                    })
      .share();
}

}  // namespace redoubt::warehouse::engine
