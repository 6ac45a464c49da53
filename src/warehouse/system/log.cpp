#include "warehouse/system/log.h"

#include <algorithm>

#include "base/log.h"

namespace redoubt::warehouse::system {

namespace {

constexpr Oid kLogSchema = 50;  // engine schema s50 holds the log tables; catalog numbers start far above
constexpr std::string_view kKind = "systemlog";

using sql::Type;
using sql::TypeKind;

/// "userid int, filename char(256)": the columns of a log.
std::vector<engine::SystemColumn> columns(std::string_view text) {
  std::vector<engine::SystemColumn> out;
  size_t at = 0;
  while (at < text.size()) {
    size_t space = text.find(' ', at), comma = std::min(text.find(',', at), text.size());
    std::string_view name = text.substr(at, space - at), type = text.substr(space + 1, comma - space - 1);
    Type t = TypeKind::kInteger;
    if (type == "bigint") t = TypeKind::kBigint;
    if (type == "timestamp") t = TypeKind::kTimestamp;
    if (type == "smallint") t = TypeKind::kSmallint;
    if (type.starts_with("char(")) t = Type::character(std::stoi(std::string(type.substr(5))));
    if (type.starts_with("varchar(")) t = Type::varchar(std::stoi(std::string(type.substr(8))));
    out.push_back({std::string(name), t});
    at = comma + 1;
    while (at < text.size() && text[at] == ' ') at++;
  }
  return out;
}

/// Columns as the engine stores them: text of any length for strings, so that a log never fails on a value.
std::vector<engine::PhysicalColumn> physical(const LogTable& table) {
  std::vector<engine::PhysicalColumn> out;
  for (auto& column : table.columns)
    out.push_back({int16_t(out.size() + 1), column.type.is_string() ? Type::varchar(65535) : column.type, false});
  return out;
}

/// SELECT every column, as a plan: a log isn't in the catalog, so there is nothing to analyze.
secure::plan::Statement select_all(const LogTable& table) {
  namespace plan = secure::plan;
  auto query = std::make_shared<plan::Query>();
  auto from = std::make_shared<plan::From>();
  from->id = 1;
  from->relation = table.oid;
  from->physical = engine::physical_name(kLogSchema, table.oid);
  for (auto& column : physical(table)) {
    from->columns.push_back({column.attnum, column.type});
    auto expr = std::make_shared<plan::Expr>();
    expr->kind = plan::ExprKind::kColumn;
    expr->type = column.type;
    expr->relation = 1;
    expr->column = column.attnum;
    query->select.outputs.push_back(expr);
    query->outputs.push_back({.name = table.columns[size_t(column.attnum) - 1].name, .type = column.type});
  }
  query->select.from = from;
  plan::Statement statement;
  statement.columns = query->outputs;
  statement.query = query;
  statement.reads = {table.oid};
  return statement;
}

}  // namespace

std::span<const LogTable> log_tables() {
  static const std::vector<LogTable> tables = {
      {"stl_load_errors", 1001,
       columns(
           "userid int, slice int, tbl int, starttime timestamp, session int, query int, filename char(256), line_number bigint, "
           "colname char(127), type char(10), col_length char(10), position int, raw_line char(1024), raw_field_value "
           "char(1024), "
           "err_code int, err_reason char(100), is_partial int, start_offset bigint, copy_job_id bigint"),
       5000},
      {"stl_load_commits", 1002,
       columns("userid int, query int, slice int, name char(256), filename char(256), byte_offset int, lines_scanned int, errors "
               "int, "
               "curtime timestamp, status int, file_format char(16), is_partial int, start_offset bigint, copy_job_id bigint"),
       5000},
      {"stl_unload_log", 1003,
       columns("userid int, query int, slice int, path char(1280), start_time timestamp, end_time timestamp, line_count bigint, "
               "transfer_size bigint, file_format char(10)"),
       5000},
      {"stl_connection_log", 1004,
       columns("userid int, event char(50), recordtime timestamp, remotehost char(45), remoteport char(32), pid int, dbname "
               "char(50), "
               "username char(50), authmethod char(32), duration bigint, sslversion char(50), sslcipher char(128), mtu int, "
               "sslcompression char(64), sslexpansion char(64), iamauthguid char(36), application_name char(250), os_version "
               "char(64), "
               "driver_version char(64), plugin_name char(32), protocol_version int, sessionid char(50), compression char(8)"),
       5000, false},
      {"stl_query", 1005,
       columns("userid int, query int, label char(320), xid bigint, pid int, database char(32), querytxt char(4000), starttime "
               "timestamp, "
               "endtime timestamp, aborted int, insert_pristine int, concurrency_scaling_status int"),
       5000, false},
      {"stl_ddltext", 1006,
       columns("userid int, xid bigint, pid int, label char(320), starttime timestamp, endtime timestamp, sequence int, text "
               "char(200)"),
       2000, false},
      {"stl_undone", 1007,
       columns(
           "userid int, xact_id bigint, xact_id_undone bigint, undo_start_ts timestamp, undo_end_ts timestamp, table_id bigint"),
       1000, false},
      {"stl_userlog", 1008,
       columns(
           "userid int, username char(50), oldusername char(50), action char(10), usecreatedb int, usesuper int, usecatupd int, "
           "valuntil timestamp, pid int, xid bigint, recordtime timestamp"),
       2000},
      {"stl_error", 1009,
       columns("userid int, process char(12), recordtime timestamp, pid int, errcode int, file char(90), linenum int, context "
               "char(100), "
               "error char(512)"),
       2000, false},
      {"stl_explain", 1010, columns("userid int, query int, nodeid int, parentid int, plannode char(400), info char(400)"), 20000,
       false},
      {"_rls_applied_policy", 1011,
       columns(
           "userid int, username varchar(128), query int, xid bigint, pid int, recordtime timestamp, command char(1), datname "
           "varchar(128), relschema varchar(128), relname varchar(128), polname varchar(128), poldefault char(1)"),
       10000, false},
  };
  return tables;
}

const LogTable* find_log_table(std::string_view name) {
  for (auto& table : log_tables())
    if (table.name == name) return &table;
  return nullptr;
}

bool SystemLog::is_own(const engine::CatalogRow& row) { return row.kind == kKind; }

Result<std::unique_ptr<SystemLog>> SystemLog::open(engine::Engine& engine) {
  std::unique_ptr<SystemLog> log(new SystemLog(engine));
  TRY_VOID(log->load());
  return log;
}

SystemLog::~SystemLog() {
  if (auto flushed = flush(); !flushed) log::warn("system log: the last rows were not written: " + flushed.error().message);
}

Result<void> SystemLog::load() {
  TRY(auto connection, engine_.connect());
  TRY_VOID(connection->begin());
  TRY(auto stored, connection->load_catalog());
  std::map<Oid, std::string> known;  // table -> its columns when it was made
  for (auto& row : stored)
    if (is_own(row)) known[row.oid] = row.body;
  std::vector<engine::CatalogRow> made;
  for (auto& table : log_tables()) {
    if (!table.durable) continue;
    std::string shape;
    for (auto& column : table.columns) shape += column.name + " " + column.type.format() + ",";
    std::string name = engine::physical_name(kLogSchema, table.oid);
    auto at = known.find(table.oid);
    if (at == known.end() || at->second != shape) {  // new, or its columns changed: start afresh
      TRY_VOID(connection->create_schema(kLogSchema));
      if (at != known.end()) TRY_VOID(connection->drop_table(name));
      TRY_VOID(connection->create_table(name, physical(table)));
      made.push_back({0, table.oid, std::string(kKind), shape});
      continue;
    }
    TRY(auto rows, connection->query(select_all(table), {}, nullptr));
    Kept& kept = kept_[std::string(table.name)];
    for (bool done = false; !done;) {
      std::vector<Row> some;
      TRY(auto got, rows->values(1000, some));
      for (auto& row : some) kept.rows.push_back(std::move(row));
      done = got.done;
    }
    kept.stored = kept.rows.size();
    while (kept.rows.size() > table.rows_max) kept.rows.pop_front();
  }
  if (!made.empty()) TRY_VOID(connection->append_catalog(made));
  TRY_VOID(connection->commit());
  return {};
}

void SystemLog::append(std::string_view name, Row row) {
  const LogTable* table = find_log_table(name);
  CHECK(table && row.size() == table->columns.size());
  std::lock_guard lock(mutex_);
  Kept& kept = kept_[std::string(name)];
  kept.rows.push_back(std::move(row));
  if (table->durable) kept.unwritten++;
  if (kept.rows.size() > table->rows_max) kept.rows.pop_front();
  kept.unwritten = std::min(kept.unwritten, kept.rows.size());
}

Result<void> SystemLog::write(engine::Connection& connection, const LogTable& table, std::span<const Row> rows, bool replace) {
  std::string name = engine::physical_name(kLogSchema, table.oid);
  if (replace) TRY_VOID(connection.truncate(name));
  TRY(auto appender, connection.append_to(name));
  for (auto& row : rows) TRY_VOID(appender->append(row));
  TRY_VOID(appender->finish());
  return {};
}

Result<void> SystemLog::flush() {
  std::lock_guard one(flush_mutex_);
  struct Batch {
    const LogTable* table;
    std::vector<Row> rows;
    bool replace;
    size_t taken;
  };
  std::vector<Batch> batches;
  {
    std::lock_guard lock(mutex_);
    for (auto& table : log_tables()) {
      auto at = kept_.find(table.name);
      if (!table.durable || at == kept_.end() || at->second.unwritten == 0) continue;
      Kept& kept = at->second;
      bool replace = kept.stored + kept.unwritten > 2 * table.rows_max;  // forget on disk what memory has forgotten
      auto from = replace ? kept.rows.begin() : kept.rows.end() - ptrdiff_t(kept.unwritten);
      batches.push_back({&table, {from, kept.rows.end()}, replace, kept.unwritten});
    }
  }
  if (batches.empty()) return {};
  TRY(auto connection, engine_.connect());
  TRY_VOID(connection->begin());
  for (auto& batch : batches) TRY_VOID(write(*connection, *batch.table, batch.rows, batch.replace));
  TRY_VOID(connection->commit());
  std::lock_guard lock(mutex_);
  for (auto& batch : batches) {
    Kept& kept = kept_[std::string(batch.table->name)];
    kept.unwritten -= std::min(kept.unwritten, batch.taken);
    kept.stored = batch.replace ? batch.rows.size() : kept.stored + batch.rows.size();
  }
  return {};
}

std::vector<Row> SystemLog::rows(std::string_view table) const {
  std::lock_guard lock(mutex_);
  auto at = kept_.find(table);
  if (at == kept_.end()) return {};
  return {at->second.rows.begin(), at->second.rows.end()};
}

}  // namespace redoubt::warehouse::system
