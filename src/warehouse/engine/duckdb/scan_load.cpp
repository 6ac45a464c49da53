#include "warehouse/engine/duckdb/scan_load.h"

#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/main/extension/extension_loader.hpp>

#include "base/text.h"
#include "warehouse/engine/duckdb/connection.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/scan_files.h"
#include "warehouse/engine/duckdb/values.h"
#include "warehouse/engine/duckdb/zone.h"

namespace redoubt::warehouse::engine {
namespace {

using sql::TypeKind;

/// What redoubt_load() reads, for the length of one statement.
struct LoadState final : duckdb::ClientContextState {
  static constexpr const char* kKey = "redoubt_load";
  LoadSource* source = nullptr;
  std::vector<BulkColumn> columns;
};

duckdb::shared_ptr<LoadState> load_state(duckdb::ClientContext& context) {
  auto state = context.registered_state->Get<LoadState>(LoadState::kKey);
  if (!state || !state->source) throw duckdb::BinderException("redoubt_load outside of a load");
  return state;
}

[[noreturn]] void raise(duckdb::ClientContext& context, Error error) {
  if (auto state = statement_state(context)) state->raise(std::move(error));
  throw duckdb::InvalidInputException("load");
}

duckdb::unique_ptr<duckdb::FunctionData> bind_load(duckdb::ClientContext& context, duckdb::TableFunctionBindInput&,
                                                   duckdb::vector<duckdb::LogicalType>& types,
                                                   duckdb::vector<std::string>& names) {
  auto state = load_state(context);
  for (auto& column : state->columns) {
    types.push_back(logical_type(column.type));
    names.push_back("v" + std::to_string(names.size()));
  }
  return duckdb::make_uniq<duckdb::TableFunctionData>();
}

struct LoadGlobal final : duckdb::GlobalTableFunctionState {
  duckdb::shared_ptr<LoadState> state;
  duckdb::idx_t MaxThreads() const override { return state->source->readers_max(); }
};

struct LoadLocal final : duckdb::LocalTableFunctionState {
  std::unique_ptr<LoadReader> reader;
  std::vector<LoadColumn> columns;
  std::vector<std::vector<std::string_view>> texts;  // of kBytes columns
};

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start_load(duckdb::ClientContext& context, duckdb::TableFunctionInitInput&) {
  auto global = duckdb::make_uniq<LoadGlobal>();
  global->state = load_state(context);
  return global;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_thread(duckdb::ExecutionContext&, duckdb::TableFunctionInitInput&,
                                                                 duckdb::GlobalTableFunctionState* global) {
  auto& state = *global->Cast<LoadGlobal>().state;
  auto local = duckdb::make_uniq<LoadLocal>();
  local->reader = state.source->reader();
  local->columns.resize(state.columns.size());
  local->texts.resize(state.columns.size());
  for (size_t c = 0; c < state.columns.size(); ++c)
    if (storage_of(state.columns[c].type) == Storage::kBytes) local->texts[c].resize(STANDARD_VECTOR_SIZE);
  return local;
}

void scan_load(duckdb::ClientContext& context, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  auto& local = input.local_state->Cast<LoadLocal>();
  for (size_t c = 0; c < local.columns.size(); ++c) {
    auto& vector = output.data[c];
    auto& validity = duckdb::FlatVector::Validity(vector);
    validity.Initialize(STANDARD_VECTOR_SIZE);
    local.columns[c].valid = validity.GetData();
    local.columns[c].values =
        local.texts[c].empty() ? static_cast<void*>(vector.GetData()) : static_cast<void*>(local.texts[c].data());
  }
  auto rows = local.reader->fill(local.columns, STANDARD_VECTOR_SIZE);
  if (!rows) raise(context, std::move(rows).error());
  for (size_t c = 0; c < local.columns.size(); ++c) {
    if (local.texts[c].empty()) continue;
    auto& validity = duckdb::FlatVector::Validity(output.data[c]);
    auto* out = duckdb::FlatVector::GetData<duckdb::string_t>(output.data[c]);
    for (size_t row = 0; row < *rows; ++row)
      if (validity.RowIsValid(row))
        out[row] = duckdb::string_t(local.texts[c][row].data(), static_cast<uint32_t>(local.texts[c][row].size()));
  }
  output.SetCardinality(*rows);
}

class EngineLocalTime final : public LocalTime {
 public:
  explicit EngineLocalTime(std::shared_ptr<ZoneOffsets> zone) : zone_(std::move(zone)) {}
  int64_t to_utc(int64_t local) override {
    // The offset at a local time that was read as UTC is right but near a change; there the second look decides.
    int64_t guess = local - offset(local);
    return local - offset(guess);
  }

 private:
  int64_t offset(int64_t micros) {
    zone_->at({&micros, 1}, seconds_);
    return int64_t{seconds_[0]} * 1000000;
  }
  std::shared_ptr<ZoneOffsets> zone_;
  std::vector<int32_t> seconds_;
};

}  // namespace

Result<std::shared_ptr<LocalTime>> local_time(const std::string& zone) {
  TRY(auto offsets, zone_offsets(zone));
  if (!offsets) return nullptr;
  return std::make_shared<EngineLocalTime>(std::move(offsets));
}

Result<BulkInsert> bulk_insert(std::string_view table, std::span<const BulkColumn> columns, std::span<const std::string> select,
                               std::span<const std::pair<BulkColumn, Datum>> constants, std::span<const BulkColumn> identities,
                               Oid relation, const std::string& from, bool check_only) {
  auto dot = table.find('.');
  CHECK(dot != table.npos && table.find_first_not_of("st0123456789.") == table.npos);
  std::string schema(table.substr(0, dot));
  BulkInsert out;
  std::vector<std::string> names, expressions;
  auto add = [&](const BulkColumn& column, std::string expression) {
    names.push_back("c" + std::to_string(column.attnum));
    expressions.push_back(std::move(expression));
  };
  for (size_t i = 0; i < columns.size(); ++i) add(columns[i], select[i]);
  for (auto& [column, value] : constants) {
    if (!value) continue;  // absent columns are NULL
    TRY(duckdb::Value constant, to_value(column.type, *value));
    out.values.push_back(std::move(constant));
    add(column, "CAST($" + std::to_string(out.values.size()) + " AS " + duckdb_type(column.type) + ")");
  }
  for (auto& column : identities)
    add(column, std::string("CAST(nextval('\"") + kDatabaseName + "\".\"" + schema + "\".\"i" + std::to_string(relation) + "_c" +
                    std::to_string(column.attnum) + "\"') AS " + duckdb_type(column.type) + ")");
  if (check_only) {
    // Aggregates that look at every column, so that none is left unread.
    std::vector<std::string> looks{"count(*)"};
    for (size_t i = 0; i < columns.size(); ++i) looks.push_back("count(" + select[i] + ")");
    out.sql = "SELECT " + join(looks, ", ") + " FROM " + from;
    out.values.clear();
  } else {
    out.sql = std::string("INSERT INTO ") + kDatabaseName + "." + std::string(table) + " (" + join(names, ", ") + ") SELECT " +
              join(expressions, ", ") + " FROM " + from;
  }
  return out;
}

Result<int64_t> DuckBulk::load(const BulkLoad& load) {
  std::vector<std::string> select;
  for (size_t i = 0; i < load.columns.size(); ++i) select.push_back("v" + std::to_string(i));
  TRY(BulkInsert insert, bulk_insert(load.table, load.columns, select, load.constants, load.identities, load.relation,
                                     "redoubt_load()", load.check_only));
  auto state = duckdb::make_shared_ptr<LoadState>();
  state->source = load.source;
  state->columns = load.columns;
  auto& registered = *connection_.context().registered_state;
  registered.Remove(LoadState::kKey);
  registered.Insert(LoadState::kKey, state);
  auto rows = connection_.run(insert.sql, std::move(insert.values));
  registered.Remove(LoadState::kKey);
  return rows;
}

void register_bulk(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "redoubt");
  duckdb::TableFunction load("redoubt_load", {}, scan_load, bind_load, start_load, start_thread);
  loader.RegisterFunction(load);
  register_files(database);
}

}  // namespace redoubt::warehouse::engine
