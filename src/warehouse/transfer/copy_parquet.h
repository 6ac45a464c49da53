#pragma once
/// COPY .. FORMAT PARQUET: the engine reads the files by ranged requests; which types fit which columns is decided here.
/// Columns are taken by position, as Redshift does. There are no rejected rows: the first one ends the load.
/// Source: Database Developer Guide, "COPY from columnar data formats".
#include "warehouse/transfer/bucket.h"
#include "warehouse/transfer/fields.h"

namespace redoubt::warehouse::transfer {

/// Fills `outcome`; an Error is one before anything was loaded.
Result<void> copy_parquet(Buckets& buckets, const std::vector<ObjectEntry>& files, const CopyOptions& options,
                          const CopyRequest& request, const Context& context, const std::vector<ColumnRule>& rules,
                          const std::vector<engine::BulkColumn>& identities,
                          std::vector<std::pair<engine::BulkColumn, engine::Datum>> constants, CopyOutcome& outcome);

}  // namespace redoubt::warehouse::transfer
