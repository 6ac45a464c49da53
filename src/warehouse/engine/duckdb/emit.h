#pragma once
/// plan -> DuckDB SQL, and back: DuckDB's errors -> Redshift's. The only reader of plans.
///
///   TRY(Emitted emitted, emit(statement, {.database = "w"}));
///   prepare(emitted.sql), bind value i as a duckdb::Value of duckdb_type(emitted.parameters[i].type), execute
///   on error: client_error(exception type name, its text)
///
/// The text holds no name that a user chose: relations are r<id>, columns c<number>, tables s<oid>.t<oid>; user text stands
/// in string literals only, quotes doubled. Every function called is one that a plan function maps to (emit_functions.cpp).
///
/// What the engine room must offer, on the database that the text runs on:
/// - the functions of emit_udf.h, registered once per database instance;
/// - `redoubt_system('schema.relation')`: a table function; its columns are named and typed as declared by the provider;
/// - `redoubt_host('name', VARCHAR..)` -> VARCHAR: calls HostFunctions::call of the running session, text in and out;
/// - for each IDENTITY column a sequence `<schema of table>.i<table oid>_c<attnum>` (seed and step are the sequence's).
///
/// Values: char(n) is kept without its trailing blanks, in tables too (COPY must trim), and padded only in the result of a
/// SELECT to the client. oid and "char" as BIGINT and VARCHAR; super as VARCHAR holding JSON text.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/secure/plan.h"

namespace redoubt::warehouse::engine {

struct EmitOptions {
  std::string database;          // attached database that holds the physical schemas; "" if it is the default one
  bool pad_char_results = true;  // false inside UNLOAD, CTAS and the like
};

struct EmittedParameter {
  int parameter = 0;  // $n of the statement, from 1
  sql::Type type;
};

struct Emitted {
  std::string sql;
  std::vector<EmittedParameter> parameters;  // in the order of the text's $1, $2, ..
};

/// kSelect: a SELECT whose columns are statement.columns in order. kCreateTableAs: `CREATE TABLE` is the session's; this is
/// the SELECT that fills it, each column cast to its declared type. DML: the statement; the engine counts the rows.
/// Errors: kNotSupported, kTooComplex. Pure; any thread.
Result<Emitted> emit(const secure::plan::Statement& statement, const EmitOptions& options);

/// The one way in which the statement may read a protected table, as a query of the table's rowid: what the guard binds for
/// itself and compares with.
Result<std::string> emit_authorised(const secure::plan::Authorised& authorised, const EmitOptions& options);

/// The engine type that stores and computes a Redshift type: `VARCHAR`, `DECIMAL(12,2)`.
std::string duckdb_type(const sql::Type& type);

/// What the client is told about an engine error. Engine text is never forwarded: errors raised by our own functions
/// carry code and wording behind a mark that no value can forge, others are told by kind.
/// `type` is duckdb::Exception::ExceptionTypeToString (e.g. "Conversion"), `message` the raw message.
Error client_error(std::string_view type, std::string_view message);

}  // namespace redoubt::warehouse::engine
