#include "warehouse/transfer/copy_parquet.h"

#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::TypeKind;

/// May values of a file's column go into a column of the table? Narrower integers are checked value by value.
bool fits(const engine::ParquetColumn& from, const sql::Type& to, bool serialize) {
  if (to.is(TypeKind::kSuper)) return serialize || !from.nested;
  if (from.nested) return serialize && to.is_string();
  auto& f = from.type;
  switch (to.kind) {
    case TypeKind::kBoolean:
      return f.is(TypeKind::kBoolean);
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return f.is_integer();
    case TypeKind::kDecimal:
      return f.is(TypeKind::kDecimal) || f.is_integer();
    case TypeKind::kReal:
      return f.is(TypeKind::kReal);
    case TypeKind::kDouble:
      return f.is_float();
    case TypeKind::kDate:
      return f.is(TypeKind::kDate);
    case TypeKind::kTime:
      return f.is(TypeKind::kTime);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return f.is(TypeKind::kTimestamp) || f.is(TypeKind::kTimestampTz);
    case TypeKind::kVarbyte:
      return f.is(TypeKind::kVarbyte) || f.is_string();
    default:
      return to.is_string() && (f.is_string() || f.is(TypeKind::kVarbyte));
  }
}

}  // namespace

Result<void> copy_parquet(Buckets& buckets, const std::vector<ObjectEntry>& files, const CopyOptions& options,
                          const CopyRequest& request, const Context& context, const std::vector<ColumnRule>& rules,
                          const std::vector<engine::BulkColumn>& identities,
                          std::vector<std::pair<engine::BulkColumn, engine::Datum>> constants, CopyOutcome& outcome) {
  auto& bulk = context.connection.bulk();
  for (size_t n = 0; n < files.size(); ++n) {
    auto& object = files[n];
    if (context.canceled && context.canceled()) return fail(engine::kQueryCanceled, "Query cancelled on user's request");
    auto opened = buckets.random(object);
    if (!opened && !object.mandatory && opened.error().message.find("Error NoSuchKey") != std::string::npos) continue;
    if (!opened) return fail(opened.error());
    auto wrong = [&](const std::string& what) {
      Where where;
      where.query = context.query;
      where.pid = context.pid;
      where.context = "File '" + object.url() + "'";
      where.location = "dory_util.cpp:1509";
      return fail(detailed(kTransferFailed, "Spectrum Scan Error. File '" + object.url() + "' " + what, where, 15007));
    };
    auto columns = bulk.parquet_columns(*opened);
    if (!columns) return wrong("has an invalid or unsupported Parquet structure");
    if (columns->size() > rules.size() || (columns->size() < rules.size() && !options.fill_record))
      return wrong("has " + std::to_string(columns->size()) + " columns, but the COPY has " + std::to_string(rules.size()) +
                   " columns");
    engine::ParquetLoad load{.table = request.physical,
                             .columns = {},
                             .constants = constants,
                             .identities = identities,
                             .relation = request.relation.oid,
                             .files = {*opened},
                             .check_only = options.noload};
    for (size_t c = 0; c < rules.size(); ++c) {
      engine::ParquetLoad::Column column{
          .target = {request.columns[c], rules[c].type}, .name = rules[c].name, .not_null = rules[c].not_null};
      if (c < columns->size()) {
        if (!fits((*columns)[c], rules[c].type, options.serialize_to_json))
          return wrong("has an incompatible Parquet schema for column '" + (*columns)[c].name +
                       "'. Column type: " + rules[c].type.format() + ", Parquet schema: " + (*columns)[c].written);
        column.position = static_cast<int>(c);
      }
      load.columns.push_back(std::move(column));
    }
    auto rows = bulk.load_parquet(load);
    if (!rows) {
      outcome.failure = rows.error();
      return {};
    }
    outcome.rows += *rows;
    LoadedFile loaded;
    loaded.slice = static_cast<int>(n % 4);
    loaded.file_name = readable(object.url());
    loaded.lines_scanned = *rows;
    loaded.at = context.clock.now();
    loaded.file_format = "Parquet";
    outcome.files.push_back(std::move(loaded));
  }
  return {};
}

}  // namespace redoubt::warehouse::transfer
