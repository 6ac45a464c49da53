/// Parquet in both directions, by the engine's own reader and writer over the files of a FileSet.
#include <duckdb.hpp>

#include "base/text.h"
#include "warehouse/engine/duckdb/connection.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/scan_files.h"
#include "warehouse/engine/duckdb/scan_load.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::engine {
namespace {

using duckdb::LogicalTypeId;
using sql::Type;
using sql::TypeKind;

ParquetColumn describe(const std::string& name, const duckdb::LogicalType& type) {
  ParquetColumn out{.name = name, .written = type.ToString()};
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
      out.type = TypeKind::kBoolean;
      break;
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::SMALLINT:
      out.type = TypeKind::kSmallint;
      break;
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::INTEGER:
      out.type = TypeKind::kInteger;
      break;
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::BIGINT:
      out.type = TypeKind::kBigint;
      break;
    case LogicalTypeId::DECIMAL:
      out.type = Type::decimal(duckdb::DecimalType::GetWidth(type), duckdb::DecimalType::GetScale(type));
      break;
    case LogicalTypeId::FLOAT:
      out.type = TypeKind::kReal;
      break;
    case LogicalTypeId::DOUBLE:
      out.type = TypeKind::kDouble;
      break;
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::UUID:
    case LogicalTypeId::ENUM:
      out.type = Type::varchar();
      break;
    case LogicalTypeId::BLOB:
      out.type = Type::varbyte();
      break;
    case LogicalTypeId::DATE:
      out.type = TypeKind::kDate;
      break;
    case LogicalTypeId::TIME:
      out.type = TypeKind::kTime;
      break;
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_SEC:
      out.type = TypeKind::kTimestamp;
      break;
    case LogicalTypeId::TIMESTAMP_TZ:
      out.type = TypeKind::kTimestampTz;
      break;
    default:
      out.nested = type.IsNested();
      out.type = out.nested ? Type(TypeKind::kSuper) : Type(TypeKind::kUnknown);
  }
  return out;
}

std::string read_parquet(const FileSet& set) {
  std::vector<std::string> paths;
  for (size_t i = 0; i < set.reads.size(); ++i) paths.push_back("'" + set.read_path(i) + "'");
  return "read_parquet([" + join(paths, ", ") + "], hive_partitioning = false, union_by_name = false)";
}

/// A file's column as a value of a table's: names from the file don't enter the text, columns are renamed p0, p1, ..
std::string value_of(const ParquetLoad::Column& column, const duckdb::LogicalType& from) {
  std::string p = "p" + std::to_string(column.position);
  auto& to = column.target.type;
  std::string plain = "CAST(" + p + " AS " + duckdb_type(to) + ")";
  if (to.is(TypeKind::kSuper)) return "CAST(to_json(" + p + ") AS VARCHAR)";
  if (to.is(TypeKind::kTimestamp)) return from.id() == LogicalTypeId::TIMESTAMP_TZ ? "timezone('UTC', " + p + ")" : plain;
  if (to.is(TypeKind::kTimestampTz))
    return from.id() == LogicalTypeId::TIMESTAMP_TZ ? plain : "timezone('UTC', CAST(" + p + " AS TIMESTAMP))";
  if (!to.is_string()) return plain;
  std::string text = from.IsNested()                    ? "CAST(to_json(" + p + ") AS VARCHAR)"
                     : from.id() == LogicalTypeId::BLOB ? "decode(" + p + ")"
                                                        : "CAST(" + p + " AS VARCHAR)";
  if (to.is(TypeKind::kChar)) text = "rtrim(" + text + ", ' ')";
  if (to.length == Type::kAny) return text;
  return "rs_fit(" + text + ", " + std::to_string(to.length) + ", '" + to.format() + "')";
}

}  // namespace

Result<std::vector<ParquetColumn>> DuckBulk::parquet_columns(std::shared_ptr<RandomFile> file) {
  FileSet set;
  set.reads = {std::move(file)};
  auto result = connection_.rows("SELECT * FROM " + read_parquet(set) + " LIMIT 0");
  if (!result) {
    if (auto ours = set.take_error()) return fail(*std::move(ours));
    return fail(secure::kInvalidText, "not a Parquet file");
  }
  std::vector<ParquetColumn> out;
  for (size_t i = 0; i < (*result)->names.size(); ++i) out.push_back(describe((*result)->names[i], (*result)->types[i]));
  return out;
}

Result<int64_t> DuckBulk::load_parquet(const ParquetLoad& load) {
  FileSet set;
  set.reads = load.files;
  auto named = [&](Result<int64_t> failed) -> Result<int64_t> {
    if (failed) return failed;
    if (auto ours = set.take_error()) return fail(*std::move(ours));
    return failed;
  };
  std::string from = read_parquet(set);
  auto shape = connection_.rows("SELECT * FROM " + from + " LIMIT 0");
  if (!shape) return named(std::unexpected(shape.error()));
  std::vector<std::string> names, select;
  for (size_t i = 0; i < (*shape)->types.size(); ++i) names.push_back("p" + std::to_string(i));
  std::vector<BulkColumn> columns;
  for (auto& column : load.columns) {
    if (column.position < 0) continue;
    columns.push_back(column.target);
    select.push_back(value_of(column, (*shape)->types[static_cast<size_t>(column.position)]));
  }
  TRY(BulkInsert insert, bulk_insert(load.table, columns, select, load.constants, load.identities, load.relation,
                                     from + " AS f(" + join(names, ", ") + ")", load.check_only));
  return named(connection_.run(insert.sql, std::move(insert.values)));
}

Result<std::vector<ParquetWritten>> DuckBulk::write_parquet(const secure::plan::Statement& statement,
                                                            std::shared_ptr<const HostContext> host, const ParquetWrite& write) {
  FileSet set;
  set.write = &write;
  auto identifier = [](const std::string& name) { return "\"" + replace_all(name, "\"", "\"\"") + "\""; };
  std::vector<std::string> names, partitions;
  for (auto& name : write.names) names.push_back(identifier(name));
  for (auto& name : write.partition_by) partitions.push_back(identifier(name));
  std::string options = "FORMAT parquet, COMPRESSION snappy, RETURN_STATS true";
  if (!partitions.empty()) {
    options += ", PARTITION_BY (" + join(partitions, ", ") + "), OVERWRITE_OR_IGNORE true";
    if (write.include_partitions) options += ", WRITE_PARTITION_COLUMNS true";
  } else if (write.one_at_a_time && !write.file_size_max) {
    options += ", USE_TMP_FILE false";  // one file, in the order of the rows
  } else {
    // A directory of numbered files; a row group is finished before a file can be, and they finish in any order.
    if (!write.one_at_a_time) options += ", PER_THREAD_OUTPUT true";
    if (write.file_size_max) options += ", FILE_SIZE_BYTES " + std::to_string(write.file_size_max);
    options += ", OVERWRITE_OR_IGNORE true";
  }
  if (write.row_group_bytes) options += ", ROW_GROUP_SIZE_BYTES " + std::to_string(write.row_group_bytes);
  auto result = connection_.run_around(statement, "COPY (SELECT * FROM (",
                                       ") AS x(" + join(names, ", ") + ")) TO '" + set.write_path() + "' (" + options + ")",
                                       std::move(host), true);
  if (!result) {
    if (auto ours = set.take_error()) return fail(*std::move(ours));
    return std::unexpected(result.error());
  }
  return guarded([&]() -> Result<std::vector<ParquetWritten>> {
    std::vector<ParquetWritten> out;
    while (auto chunk = (*result)->Fetch()) {
      if (chunk->size() == 0) break;
      for (size_t i = 0; i < chunk->size(); ++i) {
        auto file = set.written(chunk->GetValue(0, i).ToString());
        file.rows = chunk->GetValue(1, i).GetValue<int64_t>();
        out.push_back(std::move(file));
      }
    }
    return out;
  });
}

}  // namespace redoubt::warehouse::engine
