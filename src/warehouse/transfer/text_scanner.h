#pragma once
/// Delimited, CSV and fixed-width text as rows in the engine's columns, on as many threads as the engine gives.
/// Rows are found by memchr, fields parsed in place; nothing is allocated for a row that is good.
#include <memory>
#include <vector>

#include "warehouse/engine/bulk.h"
#include "warehouse/transfer/feed.h"
#include "warehouse/transfer/fields.h"
#include "warehouse/transfer/load_log.h"

namespace redoubt::warehouse::transfer {

/// Where records of such text end: at line breaks, but for escaped ones and those inside of CSV's quotes.
std::shared_ptr<const RecordEnds> text_record_ends(const CopyOptions& options);

/// What a load shares: all outlives the source.
struct ScanContext {
  const CopyOptions& options;
  std::vector<ColumnRule> columns;
  Feed& feed;
  LoadLog& log;
  std::string time_zone;
  size_t threads = 1;
};

/// Errors of its readers: the feed's; kLoadFailed when the log says that it is too much.
std::unique_ptr<engine::LoadSource> text_source(ScanContext context);

}  // namespace redoubt::warehouse::transfer
