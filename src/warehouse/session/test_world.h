#pragma once
/// A cluster for this room's tests: a real engine in a temporary directory, and a Transfer that pretends. Tests only.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "warehouse/session/sql_service.h"

namespace redoubt::warehouse::session {

namespace fs = std::filesystem;

/// Pretends to load two rows of what the file name says, or to fail.
class FakeTransfer : public transfer::Transfer {
 public:
  Result<transfer::CopyOutcome> copy(const transfer::CopyRequest& request, const transfer::Context& context) override {
    transfer::CopyOutcome out;
    if (request.statement.source.ends_with("/bad")) {
      transfer::LoadError e;
      e.file_name = request.statement.source;
      e.line_number = 1;
      e.column = "a";
      e.raw_line = "x|y";
      e.err_code = 1207;
      e.err_reason = "Invalid digit, Value 'x', Pos 0, Type: Integer";
      out.errors.push_back(e);
      static constexpr ErrorKind kLoad{"LoadFailed", 400, "XX000"};
      out.failure = Error{
          &kLoad, "Load into table '" + request.relation.name + "' failed.  Check 'stl_load_errors' system table for details."};
      return out;
    }
    TRY(auto appender, context.connection.append_to(request.physical));
    for (int i = 1; i <= 2; i++) {
      std::vector<engine::Datum> row;
      for (auto& column : request.relation.columns) {
        if (column.dropped) continue;
        engine::Datum value = std::to_string(i);
        for (auto& [attnum, text] : request.defaults)
          if (attnum == column.attnum) value = text;
        row.push_back(value);
      }
      TRY_VOID(appender->append(row));
    }
    TRY(out.rows, appender->finish());
    return out;
  }
  Result<transfer::UnloadOutcome> unload(const transfer::UnloadRequest& request, const transfer::Context& context) override {
    TRY(auto stream, context.connection.query(request.select, {}, context.host));
    std::vector<std::vector<engine::Datum>> rows;
    TRY(auto got, stream->values(1000, rows));
    return transfer::UnloadOutcome{.rows = got.rows};
  }
};

struct World {
  fs::path directory;
  FakeTransfer transfer;
  const TokenVerifier* tokens = nullptr;
  std::unique_ptr<SqlService> service;
  std::map<std::string, std::unique_ptr<Session>> sessions;

  explicit World(const TokenVerifier* verifier = nullptr) : tokens(verifier) {
    std::string name = (fs::temp_directory_path() / "redoubt-session-XXXXXX").string();
    directory = mkdtemp(name.data());
    open();
  }
  ~World() {
    sessions.clear();
    service.reset();
    fs::remove_all(directory);
  }
  void open() {
    auto resources = std::make_shared<engine::Resources>(engine::Share{size_t{256} << 20, 2});
    auto engine =
        engine::Engine::open({.directory = (directory / "c").string(), .key = std::string(32, 'k'), .resources = resources});
    ASSERT_TRUE(engine) << engine.error().message;
    auto opened = SqlService::open({.engine = std::move(*engine),
                                    .cluster = {"111122223333", "us-east-1", "c1"},
                                    .secret_key = std::string(32, 's'),
                                    .transfer = &transfer,
                                    .tokens = tokens});
    ASSERT_TRUE(opened) << opened.error().message;
    service = std::move(*opened);
  }
  Result<Session*> session(const std::string& name) {
    auto& slot = sessions[name];
    if (!slot) {
      std::string user = name.substr(0, name.find_first_of("/@")), database = "dev";
      if (size_t at = name.find('@'); at != std::string::npos) database = name.substr(at + 1);
      TRY(auto identity, service->trusted({.db_user = user}, database));
      TRY(slot, service->connect(identity, {.application_name = "test"}));
    }
    return slot.get();
  }
};

}  // namespace redoubt::warehouse::session
