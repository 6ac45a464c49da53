#pragma once
/// Redshift's functions that DuckDB lacks, or has with other rules, as scalar functions of a database instance: rs_int4 reads
/// an integer as strictly as Redshift does, rs_divide divides decimals at their scale. Only emitted text calls them.
///
/// Errors are thrown with a mark that no value can forge (random, once a process) before kind and wording; client_error()
/// recognises it.
#include <string>

#include "base/result.h"

namespace duckdb {
class DatabaseInstance;
}

namespace redoubt::warehouse::engine {

/// Once per instance, before the first statement.
void register_udfs(duckdb::DatabaseInstance& database);

/// The message under which one of our functions throws `error`: client_error() turns it back.
std::string marked(const Error& error);

}  // namespace redoubt::warehouse::engine
