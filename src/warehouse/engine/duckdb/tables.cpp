/// Connection's calls on tables: DDL of opaque names, rewriting, sizes, the catalog's log.
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/duck_table_entry.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/main/appender.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/storage/data_table.hpp>
#include <duckdb/storage/storage_info.hpp>
#include <duckdb/storage/table_storage_info.hpp>
#include <set>

#include "base/text.h"
#include "warehouse/engine/duckdb/connection.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/values.h"

namespace redoubt::warehouse::engine {
namespace {

namespace plan = secure::plan;

struct Name {
  std::string schema, table;
  std::string quoted(const std::string& other = {}) const {
    return std::string(kDatabaseName) + "." + schema + "." + (other.empty() ? table : other);
  }
};

/// Names come from our catalog; one of another shape is a bug, and must not reach SQL text.
Name parse_name(std::string_view physical) {
  auto parts = split(physical, '.');
  auto opaque = [](std::string_view s, char letter) {
    return s.size() > 1 && s[0] == letter && s.size() <= 11 && std::all_of(s.begin() + 1, s.end(), is_digit);
  };
  CHECK(parts.size() == 2 && opaque(parts[0], 's') && opaque(parts[1], 't'));
  return {std::string(parts[0]), std::string(parts[1])};
}

std::string column_name(int16_t attnum) { return "c" + std::to_string(attnum); }
std::string column_list(std::span<const int16_t> columns) {
  std::vector<std::string> names;
  for (int16_t c : columns) names.push_back(column_name(c));
  return join(names, ", ");
}
std::string definition(const PhysicalColumn& column) {
  return column_name(column.attnum) + " " + duckdb_type(column.type) + (column.not_null ? " NOT NULL" : "");
}

duckdb::DuckTableEntry& find_table(duckdb::ClientContext& context, const Name& name) {
  return duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(context, kDatabaseName, name.schema, name.table)
      .Cast<duckdb::DuckTableEntry>();
}

Result<void> ignore_count(Result<int64_t> r) {
  if (!r) return std::unexpected(std::move(r).error());
  return {};
}

class TableAppender final : public Appender {
 public:
  TableAppender(DuckConnection& connection, std::unique_ptr<duckdb::Appender> appender)
      : connection_(connection), appender_(std::move(appender)) {
    chunk_.Initialize(duckdb::Allocator::DefaultAllocator(), appender_->GetActiveTypes());
  }

  Result<void> append(std::span<const Datum> row) override {
    auto& types = appender_->GetActiveTypes();
    if (row.size() != types.size()) return fail(kInternal, "a row of another width than its table");
    return guarded([&]() -> Result<void> {
      for (size_t c = 0; c < row.size(); ++c) {
        if (!row[c]) {
          duckdb::FlatVector::SetNull(chunk_.data[c], chunk_.size(), true);
        } else if (types[c].id() == duckdb::LogicalTypeId::VARCHAR) {
          duckdb::FlatVector::GetData<duckdb::string_t>(chunk_.data[c])[chunk_.size()] =
              duckdb::StringVector::AddString(chunk_.data[c], row[c]->data(), row[c]->size());
        } else {
          chunk_.SetValue(c, chunk_.size(), duckdb::Value(*row[c]).DefaultCastAs(types[c]));
        }
      }
      chunk_.SetCardinality(chunk_.size() + 1);
      ++rows_;
      if (chunk_.size() == STANDARD_VECTOR_SIZE) push();
      return {};
    });
  }

  Result<int64_t> finish() override {
    try {
      push();
      appender_->Close();
      return rows_;
    } catch (const std::exception& e) {
      return std::unexpected(connection_.failed(duckdb::ErrorData(e)));
    }
  }

 private:
  void push() {
    if (chunk_.size() > 0) appender_->AppendDataChunk(chunk_);
    chunk_.Reset();
  }

  DuckConnection& connection_;
  std::unique_ptr<duckdb::Appender> appender_;
  duckdb::DataChunk chunk_;
  int64_t rows_ = 0;
};

}  // namespace

Result<int64_t> DuckConnection::create_table_as(const plan::Statement& statement, std::string_view table,
                                                std::span<const Parameter> parameters, std::shared_ptr<const HostContext> host) {
  if (statement.kind != plan::StatementKind::kCreateTableAs) return fail(kInternal, "create_table_as() of something else");
  Name name = parse_name(table);
  statement_->tables.clear();
  plan::Statement with_target = statement;  // so that the guard lets it write there
  with_target.writes.push_back(static_cast<Oid>(*parse_int(std::string_view(name.table).substr(1))));
  TRY(auto result, start_plan(with_target, "INSERT INTO " + name.quoted() + " ", parameters, std::move(host), false));
  return guarded([&]() -> Result<int64_t> {
    auto chunk = result->Fetch();
    return chunk && chunk->size() == 1 ? chunk->GetValue(0, 0).GetValue<int64_t>() : 0;
  });
}

Result<void> DuckConnection::create_schema(Oid schema) {
  return ignore_count(run(std::string("CREATE SCHEMA IF NOT EXISTS ") + kDatabaseName + ".s" + std::to_string(schema)));
}
Result<void> DuckConnection::drop_schema(Oid schema) {
  return ignore_count(run(std::string("DROP SCHEMA IF EXISTS ") + kDatabaseName + ".s" + std::to_string(schema)));
}

Result<void> DuckConnection::create_table(std::string_view table, std::span<const PhysicalColumn> columns) {
  TRY_VOID(note_shape(table));
  std::vector<std::string> definitions;
  for (auto& column : columns) definitions.push_back(definition(column));
  return ignore_count(run("CREATE TABLE " + parse_name(table).quoted() + " (" + join(definitions, ", ") + ")"));
}

Result<void> DuckConnection::drop_table(std::string_view table) {
  Name name = parse_name(table);
  std::vector<std::string> sequences;
  TRY_VOID(inside([&](duckdb::ClientContext& context) {
    auto& schema = duckdb::Catalog::GetSchema(context, kDatabaseName, name.schema);
    std::string prefix = "i" + name.table.substr(1) + "_c";
    schema.Scan(context, duckdb::CatalogType::SEQUENCE_ENTRY, [&](duckdb::CatalogEntry& entry) {
      if (entry.name.starts_with(prefix)) sequences.push_back(entry.name);
    });
  }));
  TRY_VOID(run("DROP TABLE " + name.quoted()));
  for (auto& sequence : sequences) TRY_VOID(run("DROP SEQUENCE " + name.quoted(sequence)));
  changed_.erase(std::string(table));
  return {};
}

Result<int64_t> DuckConnection::copy_rows(std::string_view from, std::span<const int16_t> from_columns, std::string_view to,
                                          std::span<const int16_t> to_columns) {
  return run("INSERT INTO " + parse_name(to).quoted() + " (" + column_list(to_columns) + ") SELECT " + column_list(from_columns) +
             " FROM " + parse_name(from).quoted());
}

/// A new table of the same definition, filled by `INSERT INTO new SELECT * FROM old <tail>`, takes the old one's place.
Result<void> DuckConnection::rewrite(std::string_view table, const std::string& tail) {
  Name name = parse_name(table);
  std::string create, next = name.table + "_next";
  TRY_VOID(inside([&](duckdb::ClientContext& context) {
    auto info = find_table(context, name).GetInfo();
    info->Cast<duckdb::CreateTableInfo>().table = next;
    create = info->ToString();
  }));
  TRY_VOID(run(create));
  if (!tail.starts_with("LIMIT 0"))
    TRY_VOID(run("INSERT INTO " + name.quoted(next) + " SELECT * FROM " + name.quoted() + " " + tail));
  TRY_VOID(run("DROP TABLE " + name.quoted()));
  TRY_VOID(run("ALTER TABLE " + name.quoted(next) + " RENAME TO " + name.table));
  changed_.erase(std::string(table));
  return {};
}

Result<void> DuckConnection::truncate(std::string_view table) { return rewrite(table, "LIMIT 0"); }
Result<void> DuckConnection::sort(std::string_view table, std::span<const int16_t> columns) {
  return rewrite(table, columns.empty() ? "" : "ORDER BY " + column_list(columns));
}

Result<void> DuckConnection::add_column(std::string_view table, const PhysicalColumn& column, const Datum& value) {
  Name name = parse_name(table);
  TRY_VOID(note_shape(table));
  // The engine fails the commit of a table that was updated and then altered in one transaction.
  if (changed_.contains(std::string(table))) TRY_VOID(rewrite(table, ""));
  std::string add = "ALTER TABLE " + name.quoted() + " ADD COLUMN " + column_name(column.attnum) + " " + duckdb_type(column.type);
  if (value) {
    auto read = to_value(column.type, *value);
    if (!read) return std::unexpected(failed(std::move(read).error()));
    std::string literal = guarded([&]() -> Result<std::string> { return read->ToSQLString(); }).value_or("NULL");
    TRY_VOID(run(add + " DEFAULT " + literal));
    TRY_VOID(run("ALTER TABLE " + name.quoted() + " ALTER COLUMN " + column_name(column.attnum) + " DROP DEFAULT"));
  } else {
    TRY_VOID(run(add));
  }
  return column.not_null ? set_not_null(table, column.attnum, true) : Result<void>();
}

Result<void> DuckConnection::drop_column(std::string_view table, int16_t attnum) {
  TRY_VOID(note_shape(table));
  if (changed_.contains(std::string(table))) TRY_VOID(rewrite(table, ""));
  return ignore_count(run("ALTER TABLE " + parse_name(table).quoted() + " DROP COLUMN " + column_name(attnum)));
}

Result<void> DuckConnection::alter_column_type(std::string_view table, const PhysicalColumn& column) {
  TRY_VOID(note_shape(table));
  if (changed_.contains(std::string(table))) TRY_VOID(rewrite(table, ""));
  return ignore_count(run("ALTER TABLE " + parse_name(table).quoted() + " ALTER COLUMN " + column_name(column.attnum) + " TYPE " +
                          duckdb_type(column.type)));
}

Result<void> DuckConnection::set_not_null(std::string_view table, int16_t attnum, bool not_null) {
  if (changed_.contains(std::string(table))) TRY_VOID(rewrite(table, ""));
  return ignore_count(run("ALTER TABLE " + parse_name(table).quoted() + " ALTER COLUMN " + column_name(attnum) +
                          (not_null ? " SET NOT NULL" : " DROP NOT NULL")));
}

Result<void> DuckConnection::create_identity(std::string_view table, int16_t attnum, int64_t seed, int64_t step) {
  Name name = parse_name(table);
  return ignore_count(run("CREATE SEQUENCE " + name.quoted("i" + name.table.substr(1) + "_" + column_name(attnum)) +
                          " INCREMENT BY " + std::to_string(step) +
                          " MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807 START WITH " + std::to_string(seed) +
                          " NO CYCLE"));
}

Result<std::unique_ptr<Appender>> DuckConnection::append_to(std::string_view table) {
  Name name = parse_name(table);
  TRY_VOID(ready());
  try {
    return std::make_unique<TableAppender>(
        *this, std::make_unique<duckdb::Appender>(connection_, kDatabaseName, name.schema, name.table));
  } catch (const std::exception& e) {
    return std::unexpected(failed(duckdb::ErrorData(e)));
  }
}

Result<TableSize> DuckConnection::size(std::string_view table) {
  Name name = parse_name(table);
  TableSize out;
  TRY_VOID(inside([&](duckdb::ClientContext& context) {
    auto& storage = find_table(context, name).GetStorage();
    out.rows = static_cast<int64_t>(storage.GetTotalRows());
    std::set<duckdb::block_id_t> blocks;
    for (auto& segment : storage.GetColumnSegmentInfo(context)) {
      if (!segment.persistent) continue;
      if (segment.block_id >= 0) blocks.insert(segment.block_id);
      for (auto id : segment.additional_blocks)
        if (id >= 0) blocks.insert(id);
    }
    out.bytes = static_cast<int64_t>(blocks.size() * DEFAULT_BLOCK_ALLOC_SIZE);
  }));
  return out;
}

// ------------------------------------------------------------------------------------------------------------ catalog's log

Result<std::vector<CatalogRow>> DuckConnection::load_catalog() {
  TRY(auto result, rows(std::string("SELECT seq, oid, kind, body FROM ") + kDatabaseName + ".catalog.log ORDER BY seq"));
  return guarded([&]() -> Result<std::vector<CatalogRow>> {
    std::vector<CatalogRow> out;
    while (auto chunk = result->Fetch()) {
      if (chunk->size() == 0) break;
      chunk->Flatten();
      auto* seq = duckdb::FlatVector::GetData<int64_t>(chunk->data[0]);
      auto* oid = duckdb::FlatVector::GetData<int64_t>(chunk->data[1]);
      auto* kind = duckdb::FlatVector::GetData<duckdb::string_t>(chunk->data[2]);
      auto* body = duckdb::FlatVector::GetData<duckdb::string_t>(chunk->data[3]);
      for (size_t i = 0; i < chunk->size(); ++i)
        out.push_back({seq[i], static_cast<Oid>(oid[i]), kind[i].GetString(), body[i].GetString()});
    }
    return out;
  });
}

Result<void> DuckConnection::append_catalog(std::span<const CatalogRow> rows) {
  if (rows.empty()) return {};
  TRY_VOID(ready());
  try {
    duckdb::Appender appender(connection_, kDatabaseName, "catalog", "log");
    for (auto& row : rows)
      appender.AppendRow(database_.next_catalog_seq(), static_cast<int64_t>(row.oid), duckdb::Value(row.kind),
                         duckdb::Value(row.body));
    appender.Close();
    return {};
  } catch (const std::exception& e) {
    return std::unexpected(failed(duckdb::ErrorData(e)));
  }
}

Result<void> DuckConnection::compact_catalog(std::span<const CatalogRow> rows) {
  TRY_VOID(run(std::string("DELETE FROM ") + kDatabaseName + ".catalog.log"));
  return append_catalog(rows);
}

}  // namespace redoubt::warehouse::engine
