#pragma once
/// Time zones by ICU's tables, which DuckDB brings along.
#include <memory>
#include <string>

#include "warehouse/engine/duckdb/row_encoder.h"

namespace redoubt::warehouse::engine {

/// Null for UTC. kInvalidParameterValue: no such zone. Threads: any; the object itself one at a time.
Result<std::shared_ptr<ZoneOffsets>> zone_offsets(const std::string& zone);

}  // namespace redoubt::warehouse::engine
