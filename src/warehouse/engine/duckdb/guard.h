#pragma once
/// Looks at every bound plan before it is optimised and refuses what no emitted plan contains. The
/// first line is that the emitter never writes it.
///
/// For guarded statements: operators by allow-list (no COPY, ATTACH, SET, LOAD, EXPORT, PRAGMA, EXPLAIN ..); table functions by
/// allow-list; tables only of the cluster's database, only `t<oid>` whose oid the plan names in reads or writes (so never the
/// catalog's log); functions that reach the process (environment, settings, variables, files, network) by deny-list.
#include <duckdb/main/config.hpp>

namespace redoubt::warehouse::engine {

/// Called once per database instance, after it is open.
void register_guard(duckdb::DBConfig& config);

}  // namespace redoubt::warehouse::engine
