/// COPY: options, role, files, then the reader for their format.
#include <algorithm>

#include "warehouse/engine/bulk.h"
#include "warehouse/secure/errors.h"
#include "warehouse/transfer/avro_scanner.h"
#include "warehouse/transfer/codec.h"
#include "warehouse/transfer/copy_parquet.h"
#include "warehouse/transfer/feed.h"
#include "warehouse/transfer/json_scanner.h"
#include "warehouse/transfer/load_log.h"
#include "warehouse/transfer/manifest.h"
#include "warehouse/transfer/options.h"
#include "warehouse/transfer/s3_transfer.h"
#include "warehouse/transfer/text_scanner.h"

namespace redoubt::warehouse::transfer {
namespace {

/// The files to load, in order; those of no bytes are left out as far as that is known.
Result<std::vector<ObjectEntry>> find_files(Buckets& buckets, const CopyOptions& options, const Where& base) {
  auto& source = options.source;
  if (options.manifest) {
    if (source.key.empty() || source.key.ends_with('/')) {
      Where where = base;
      where.context = "Manifest file location = " + source.url();
      where.location = "s3_utility.cpp:365";
      return fail(detailed(kTransferFailed, "COPY with MANIFEST parameter requires full path of an Amazon S3 object", where));
    }
    TRY(std::string text, buckets.read_small(source.bucket, source.key, kManifestBytesMax));
    return parse_manifest(text, source.url());
  }
  TRY(auto all, buckets.list(source.bucket, source.key));
  if (all.empty()) {
    Where where = base;
    where.context = "S3 key being read : " + source.url();
    where.location = "s3_utility.cpp:539";
    return fail(detailed(kTransferFailed, "The specified S3 prefix '" + source.key + "' does not exist", where));
  }
  // Keys that end in / are how consoles show folders; they and other empty objects hold no rows.
  std::erase_if(all, [](auto& object) { return object.size == 0; });
  return all;
}

struct Columns {
  std::vector<engine::BulkColumn> targets;
  std::vector<ColumnRule> rules;
  std::vector<engine::BulkColumn> identities;
};

Result<Columns> columns_of(const CopyRequest& request) {
  Columns out;
  auto& relation = request.relation;
  for (int16_t attnum : request.columns) {
    auto* column = relation.column(attnum);
    if (!column) return fail(secure::kUndefinedColumn, "a column to load does not exist");
    out.targets.push_back({attnum, column->type});
    out.rules.push_back({column->name, column->type, column->not_null});
  }
  for (auto& column : relation.columns) {
    if (column.dropped || std::find(request.columns.begin(), request.columns.end(), column.attnum) != request.columns.end())
      continue;
    if (column.identity) {
      out.identities.push_back({column.attnum, column.type});
      continue;
    }
    auto set = std::find_if(request.defaults.begin(), request.defaults.end(), [&](auto& d) { return d.first == column.attnum; });
    if (column.not_null && (set == request.defaults.end() || !set->second))
      return fail(secure::kNotNullViolation, "null value in column \"" + column.name + "\" violates not-null constraint");
  }
  return out;
}

std::vector<std::pair<engine::BulkColumn, engine::Datum>> constants_of(const CopyRequest& request) {
  std::vector<std::pair<engine::BulkColumn, engine::Datum>> out;
  for (auto& [attnum, value] : request.defaults)
    if (auto* column = request.relation.column(attnum)) out.push_back({{attnum, column->type}, value});
  return out;
}

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return "Parquet";
    case FileFormat::kJson:
      return "JSON";
    case FileFormat::kAvro:
      return "Avro";
    default:
      return "Text";
  }
}

/// 'auto' and the like, or a JSONPaths file, read as the load's role.
Result<FieldMap> read_field_map(Buckets& buckets, const CopyOptions& options, const std::vector<ColumnRule>& columns) {
  std::optional<std::string> file;
  if (auto location = parse_s3_url(options.json_paths)) {
    TRY(file, buckets.read_small(location->bucket, location->key, kManifestBytesMax));
  }
  return field_map(options.json_paths, file, columns);
}

Error load_failed(const std::string& table) {
  return {&kLoadFailed, "Load into table '" + table + "' failed.  Check 'stl_load_errors' system table for details."};
}

}  // namespace

Result<CopyOutcome> S3Transfer::copy(const CopyRequest& request, const Context& context) {
  TRY(CopyOptions options, copy_options(request.statement));
  if (!options.region.empty() && options.region != context.cluster.region && options.region != gate_.options().region)
    return fail(secure::kNotSupported, "REGION '" + options.region + "' is not a region of this server");
  if (options.compression == Compression::kLzop) return fail(secure::kNotSupported, "LZOP is not supported");
  if (options.format == FileFormat::kFixedWidth && options.widths.size() != request.columns.size())
    return fail(secure::kInvalidParameterValue, "FIXEDWIDTH has " + std::to_string(options.widths.size()) +
                                                    " columns, the table " + std::to_string(request.columns.size()));
  TRY(Columns columns, columns_of(request));
  TRY(auto authority, Authority::become(gate_, options_.roles, options.authorization, context));
  Buckets buckets(gate_, *authority);
  TRY(auto files, find_files(buckets, options, authority->where()));

  CopyOutcome outcome;
  outcome.noload = options.noload;
  if (options.format == FileFormat::kParquet) {
    TRY_VOID(copy_parquet(buckets, files, options, request, context, columns.rules, columns.identities, constants_of(request),
                          outcome));
    return outcome;
  }
  LoadLog log(options.max_errors, options.ignore_all_errors, context.clock);
  auto open = [&](const ObjectEntry& object) -> Result<std::shared_ptr<api::BodySource>> {
    TRY(auto body, buckets.open(object));
    if (!body) return nullptr;
    return to_utf8(decompress(std::move(body), options.compression), options.encoding);
  };
  // Whichever feed the format has; both report what they have seen of each file.
  std::optional<Feed> feed;
  std::optional<AvroFeed> avro_feed;
  std::unique_ptr<engine::LoadSource> source;
  auto scan = [&](std::shared_ptr<const RecordEnds> ends) -> ScanContext {
    feed.emplace(std::move(files), open, std::move(ends), options.ignore_header, context.canceled, options_.slices);
    return {.options = options,
            .columns = columns.rules,
            .feed = *feed,
            .log = log,
            .time_zone = context.time_zone,
            .threads = options_.load_threads};
  };
  switch (options.format) {
    case FileFormat::kJson: {
      TRY(FieldMap map, read_field_map(buckets, options, columns.rules));
      source = json_source(scan(json_record_ends()), std::move(map));
      break;
    }
    case FileFormat::kAvro: {
      TRY(FieldMap map, read_field_map(buckets, options, columns.rules));
      avro_feed.emplace(std::move(files), open, context.canceled, options_.slices);
      source = avro_source(options, columns.rules, *avro_feed, log, context.time_zone, std::move(map), options_.load_threads);
      break;
    }
    default:
      source = text_source(scan(text_record_ends(options)));
  }
  auto rows = context.connection.bulk().load({.table = request.physical,
                                              .columns = columns.targets,
                                              .constants = constants_of(request),
                                              .identities = columns.identities,
                                              .relation = request.relation.oid,
                                              .source = source.get(),
                                              .check_only = options.noload});
  if (rows) {
    outcome.rows = *rows;
  } else if (rows.error().is(kLoadFailed) && log.too_many()) {
    outcome.failure = load_failed(request.relation.name);
  } else {
    outcome.failure = rows.error();
  }
  outcome.rejected = log.count();
  outcome.errors = log.take();
  for (auto& file : feed ? feed->files() : avro_feed->files()) {
    if (file->skipped) continue;
    LoadedFile loaded;
    loaded.slice = file->slice;
    loaded.file_name = readable(file->object.url());
    loaded.lines_scanned = file->lines;
    loaded.errors = file->errors;
    loaded.at = context.clock.now();
    loaded.file_format = std::string(format_name(options.format));
    outcome.files.push_back(std::move(loaded));
  }
  return outcome;
}

}  // namespace redoubt::warehouse::transfer
