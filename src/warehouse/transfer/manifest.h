#pragma once
/// Manifests: which files COPY loads, which files UNLOAD has written. Source: Database Developer Guide, "Using a manifest to
/// specify data files", UNLOAD "MANIFEST". Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/secure/plan.h"
#include "warehouse/transfer/bucket.h"

namespace redoubt::warehouse::transfer {

inline constexpr size_t kManifestBytesMax = size_t{64} << 20;

/// The files of {"entries":[{"url":"s3://bucket/key","mandatory":true},..]}, in order, duplicates kept; sizes from
/// meta.content_length. Entries are any buckets: S3 decides whether the caller may read them.
/// Errors: kTransferFailed, saying what of the manifest is wrong.
Result<std::vector<ObjectEntry>> parse_manifest(std::string_view text, const std::string& url);

struct UnloadedObject {
  std::string url;
  int64_t bytes = 0, records = 0;
};
/// What MANIFEST [VERBOSE] writes.
std::string write_manifest(const std::vector<UnloadedObject>& files, const std::vector<secure::plan::Output>& columns,
                           bool verbose);

}  // namespace redoubt::warehouse::transfer
