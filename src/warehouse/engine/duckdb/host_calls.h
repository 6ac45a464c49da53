#pragma once
/// The two ways in which an emitted statement calls back into its session (emit.h says how they are written):
///   redoubt_system('schema.relation')      rows of a system relation
///   redoubt_host('name', VARCHAR..)        a host function; `name(type, type)` picks one overload, a bare name the one of that
///   arity
/// They ask the HostContext of the running statement. On a connection without one they raise an error.
#include <duckdb/main/database.hpp>

namespace redoubt::warehouse::engine {

void register_host_calls(duckdb::DatabaseInstance& database);

}  // namespace redoubt::warehouse::engine
