#pragma once
/// For the files of engine/duckdb alone: DuckDB's header, and the way its errors become ours.
#include <duckdb.hpp>
#include <string>
#include <utility>

#include "base/result.h"
#include "warehouse/engine/duckdb/emit.h"
#include "warehouse/engine/errors.h"

namespace redoubt::warehouse::engine {

/// The attached database that holds everything; the main one is in memory and stays empty.
inline constexpr const char* kDatabaseName = "w";

inline Error to_error(const duckdb::ErrorData& error) {
  return client_error(duckdb::Exception::ExceptionTypeToString(error.Type()), error.RawMessage());
}

/// f() with DuckDB's exceptions as Errors. f returns a Result.
template <class F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::exception& e) {
    return std::unexpected(to_error(duckdb::ErrorData(e)));
  }
}

}  // namespace redoubt::warehouse::engine
