#include "warehouse/transfer/unload_parquet.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "base/text.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::TypeKind;

bool may_partition(const sql::Type& type) {
  switch (type.kind) {
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
    case TypeKind::kReal:
    case TypeKind::kBoolean:
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kText:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
      return true;
    default:
      return false;
  }
}

/// Removes from a finished upload's report what the engine never saw: size and times.
class Measured final : public engine::SequentialFile {
 public:
  struct Report {
    std::string key;
    int64_t bytes = 0;
    Timestamp start, end;
  };
  Measured(std::unique_ptr<ObjectWriter> object, const Clock& clock, std::function<void(Report)> done)
      : object_(std::move(object)), clock_(clock), done_(std::move(done)), start_(clock.now()) {}
  Result<void> write(std::string_view bytes) override { return object_->write(bytes); }
  Result<void> finish() override {
    TRY_VOID(object_->finish());
    done_({object_->key(), object_->size(), start_, clock_.now()});
    return {};
  }

 private:
  std::unique_ptr<ObjectWriter> object_;
  const Clock& clock_;
  const std::function<void(Report)> done_;
  const Timestamp start_;
};

}  // namespace

Result<std::vector<WrittenFile>> unload_parquet(Buckets& buckets, const UnloadOptions& options, const Sealing& sealing,
                                                const UnloadRequest& request, const Context& context, int64_t& rows) {
  engine::ParquetWrite write;
  std::set<std::string> seen;
  for (auto& column : request.select.columns) {
    if (!seen.insert(to_lower(column.name)).second)
      return fail(secure::kNotSupported, "UNLOAD as PARQUET requires unique column names: \"" + column.name + "\" occurs twice");
    if (column.type.is_interval())
      return fail(secure::kNotSupported, "UNLOAD as PARQUET does not support " + column.type.format());
    write.names.push_back(column.name);
  }
  for (auto& name : options.partition_by) {
    auto found =
        std::find_if(request.select.columns.begin(), request.select.columns.end(), [&](auto& c) { return c.name == name; });
    if (found == request.select.columns.end())
      return fail(secure::kUndefinedColumn, "PARTITION BY column \"" + name + "\" is not in the select list");
    if (!may_partition(found->type))
      return fail(secure::kNotSupported, "PARTITION BY is not supported for a column of type " + found->type.format());
    write.partition_by.push_back(name);
  }
  if (!write.partition_by.empty() && !options.include_partitions && write.partition_by.size() >= write.names.size())
    return fail(secure::kSyntaxError, "UNLOAD needs at least one column that is not a partition column");
  write.include_partitions = options.include_partitions;
  // Files that are begun by size hold row groups in any order: no promise can be kept that the rows are in the query's.
  if (!options.parallel && options.file_size_given && request.select.query && !request.select.query->order_by.empty())
    return fail(secure::kNotSupported, "MAXFILESIZE with PARALLEL OFF and ORDER BY is not supported for PARQUET");
  write.file_size_max = options.parallel || options.file_size_given ? options.file_size_max : 0;
  write.row_group_bytes = options.row_group_bytes;
  write.one_at_a_time = !options.parallel;

  std::mutex mutex;
  std::map<std::pair<std::string, int>, Measured::Report> reports;  // guarded by mutex
  std::set<std::string> cleaned;                                    // guarded by mutex: partitions whose old files are gone
  std::string ending = options.extension.empty() ? ".parquet" : "." + options.extension;
  write.open = [&](const std::string& partition, int n) -> Result<std::unique_ptr<engine::SequentialFile>> {
    if (context.canceled && context.canceled()) return fail(engine::kQueryCanceled, "Query cancelled on user's request");
    std::string folder = options.target.key + (partition.empty() ? "" : partition + "/");
    if (options.clean_path && !partition.empty()) {
      std::lock_guard lock(mutex);
      if (cleaned.insert(partition).second) {
        TRY(auto there, buckets.list(options.target.bucket, folder));
        std::vector<std::string> keys;
        for (auto& object : there) keys.push_back(object.key);
        TRY_VOID(buckets.remove(options.target.bucket, keys));
      }
    }
    char name[32];
    if (options.parallel)
      std::snprintf(name, sizeof name, "%04d_part_%02d", n, 0);
    else
      std::snprintf(name, sizeof name, "%03d", n);
    auto done = [&, partition, n](Measured::Report report) {
      std::lock_guard lock(mutex);
      reports[{partition, n}] = std::move(report);
    };
    return std::make_unique<Measured>(buckets.create(options.target.bucket, folder + name + ending, sealing), context.clock,
                                      done);
  };
  TRY(auto written, context.connection.bulk().write_parquet(request.select, context.host, write));
  std::vector<WrittenFile> files;
  for (auto& file : written) {
    auto& report = reports[{file.partition, file.n}];
    files.push_back({file.n, 0, report.key, file.rows, report.bytes, report.start, report.end});
    rows += file.rows;
  }
  std::sort(files.begin(), files.end(), [](auto& a, auto& b) { return a.key < b.key; });
  return files;
}

}  // namespace redoubt::warehouse::transfer
