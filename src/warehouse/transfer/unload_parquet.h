#pragma once
/// UNLOAD .. FORMAT PARQUET [PARTITION BY]: the engine writes the files, each into an object of its own.
#include "warehouse/transfer/slices.h"

namespace redoubt::warehouse::transfer {

/// The files; `rows` is how many rows they hold. Errors: kSyntaxError (partition columns), those of the engine and of S3.
Result<std::vector<WrittenFile>> unload_parquet(Buckets& buckets, const UnloadOptions& options, const Sealing& sealing,
                                                const UnloadRequest& request, const Context& context, int64_t& rows);

}  // namespace redoubt::warehouse::transfer
