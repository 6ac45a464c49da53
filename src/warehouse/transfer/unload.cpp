/// UNLOAD: options, role, the place, then the writer for its format.
#include <algorithm>
#include <cstdio>

#include "warehouse/engine/bulk.h"
#include "warehouse/secure/errors.h"
#include "warehouse/transfer/options.h"
#include "warehouse/transfer/s3_transfer.h"
#include "warehouse/transfer/slices.h"
#include "warehouse/transfer/unload_parquet.h"

namespace redoubt::warehouse::transfer {
namespace {

std::string numbered(int n, int digits) {
  char out[16];
  std::snprintf(out, sizeof out, "%0*d", digits, n);
  return out;
}

Sealing sealing_of(const UnloadOptions& options) {
  switch (options.sealing) {
    case UnloadOptions::Sealing::kKms:
      return {"aws:kms", options.kms_key};
    case UnloadOptions::Sealing::kBucketDefault:
      return {};
    case UnloadOptions::Sealing::kS3:
      break;
  }
  // Said, not left out: as in Redshift, it overrides a bucket's default key, and a policy that insists on KMS sees it.
  return {"AES256", std::nullopt};
}

/// What is at the target already: refused, removed, or overwritten.
Result<void> prepare_target(Buckets& buckets, const UnloadOptions& options) {
  auto& target = options.target;
  bool partitioned = !options.partition_by.empty();
  std::string prefix = target.key;
  if (options.clean_path) {
    if (partitioned) return {};  // only the folders that receive files are cleaned, once they are known
    TRY(auto there, buckets.list(target.bucket, prefix));
    std::vector<std::string> keys;
    for (auto& object : there) keys.push_back(object.key);
    return buckets.remove(target.bucket, keys);
  }
  TRY(auto there, buckets.list(target.bucket, prefix, 1));
  if (there.empty() || options.allow_overwrite) return {};
  return fail(
      kDestinationNotEmpty,
      "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually removing the target "
      "files in S3, or using the ALLOWOVERWRITE option.");
}

Result<std::vector<WrittenFile>> unload_text(Buckets& buckets, const UnloadOptions& options, const UnloadRequest& request,
                                             const Context& context, int slice_count, int64_t& rows) {
  TRY(TextWriter writer, TextWriter::make(options, request.select.columns));
  std::string ending;
  if (!options.extension.empty()) ending = "." + options.extension;
  ending += suffix(options.compression);
  std::vector<Slice::Plan> plans;
  int slices = options.parallel ? std::max(1, slice_count) : 1;
  plans.reserve(static_cast<size_t>(slices));
  for (int s = 0; s < slices; ++s) {
    auto key = [&options, ending, s](int part) {
      return options.target.key + (options.parallel ? numbered(s, 4) + "_part_" + numbered(part, 2) : numbered(part, 3)) + ending;
    };
    plans.push_back({.buckets = buckets,
                     .writer = writer,
                     .bucket = options.target.bucket,
                     .key = key,
                     .sealing = sealing_of(options),
                     .compression = options.compression,
                     .file_size_max = options.file_size_max,
                     .clock = context.clock});
  }
  TRY(auto stream, context.connection.query(request.select, {}, context.host));
  // Floating point exactly, so that what is loaded again is what was there.
  engine::RowFormat format{.time_zone = context.time_zone, .extra_float_digits = 1};
  std::vector<std::unique_ptr<Slice>> running;
  bool failed = false;
  for (size_t turn = 0; !failed; ++turn) {
    if (context.canceled && context.canceled()) return fail(engine::kQueryCanceled, "Query cancelled on user's request");
    std::string piece;
    TRY(engine::Fetched got, stream->encode(format, engine::kAllRows, piece));
    rows += got.rows;
    // An empty result is one file without rows, so that whoever lists the prefix finds what the manifest names.
    bool empty_file = got.done && running.empty() && options.format != FileFormat::kJson;
    if (got.rows > 0 || empty_file) {
      size_t s = turn % plans.size();
      if (s == running.size()) running.push_back(std::make_unique<Slice>(plans[s], static_cast<int>(s)));
      failed = !running[s]->put(std::move(piece), got.rows);
    }
    if (got.done) break;
  }
  std::vector<WrittenFile> files;
  for (auto& slice : running) {
    TRY(auto written, slice->finish());
    files.insert(files.end(), std::make_move_iterator(written.begin()), std::make_move_iterator(written.end()));
  }
  if (failed) return fail(kTransferFailed, "UNLOAD failed");
  return files;
}

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return "PARQUET";
    case FileFormat::kJson:
      return "JSON";
    case FileFormat::kCsv:
      return "CSV";
    default:
      return "TEXT";
  }
}

}  // namespace

Result<UnloadOutcome> S3Transfer::unload(const UnloadRequest& request, const Context& context) {
  TRY(UnloadOptions options, unload_options(request.statement));
  if (!options.region.empty() && options.region != context.cluster.region && options.region != gate_.options().region)
    return fail(secure::kNotSupported, "REGION '" + options.region + "' is not a region of this server");
  if (!options.partition_by.empty() && options.format != FileFormat::kParquet)
    return fail(secure::kNotSupported, "PARTITION BY is supported with PARQUET only");
  if (request.select.columns.empty()) return fail(secure::kSyntaxError, "UNLOAD needs a query with columns");
  TRY(auto authority, Authority::become(gate_, options_.roles, options.authorization, context));
  Buckets buckets(gate_, *authority);
  if (!options.partition_by.empty() && !options.target.key.empty() && !options.target.key.ends_with('/'))
    options.target.key += '/';
  TRY_VOID(prepare_target(buckets, options));

  UnloadOutcome outcome;
  std::vector<WrittenFile> files;
  if (options.format == FileFormat::kParquet) {
    TRY(files, unload_parquet(buckets, options, sealing_of(options), request, context, outcome.rows));
  } else {
    TRY(files, unload_text(buckets, options, request, context, options_.slices, outcome.rows));
  }
  std::vector<UnloadedObject> written;
  for (auto& file : files) {
    std::string url = "s3://" + options.target.bucket + "/" + file.key;
    written.push_back({url, file.bytes, file.rows});
    outcome.files.push_back({.slice = file.slice,
                             .path = url,
                             .start_time = file.start,
                             .end_time = file.end,
                             .line_count = file.rows,
                             .transfer_size = file.bytes,
                             .file_format = std::string(format_name(options.format))});
  }
  if (options.manifest) {
    auto object = buckets.create(options.target.bucket, options.target.key + "manifest", sealing_of(options));
    TRY_VOID(object->write(write_manifest(written, request.select.columns, options.manifest_verbose)));
    TRY_VOID(object->finish());
  }
  return outcome;
}

}  // namespace redoubt::warehouse::transfer
