#pragma once
/// COPY and UNLOAD as the SQL session hands them over. The session has resolved names, checked table privileges and ASSUMEROLE,
/// locked the table and opened the transaction; what is left is to become the role chain, move the bytes, and report.
///
/// Neither function writes system tables: they report what happened, and the session writes stl_load_errors, stl_load_commits
/// and stl_unload_log in a transaction of their own, which outlives a rolled-back one.
/// Threads: any, several at once; blocks for as long as the transfer takes.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "warehouse/catalog/objects.h"
#include "warehouse/engine/engine.h"
#include "warehouse/secure/plan.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::transfer {

using catalog::Oid;

/// Which cluster it is, for role chains and external ids.
struct ClusterIdentity {
  std::string account;     // 12 digits
  std::string region;      // "us-east-1"
  std::string identifier;  // the cluster's name
};

/// For whom and within what. References live until the call returns.
struct Context {
  const ClusterIdentity& cluster;
  std::string db_user;  // current_user: sts:ExternalId is arn:aws:redshift:<region>:<account>:dbuser:<cluster>/<db_user>
  Oid user_id = 0;
  std::string database;
  int query = 0;  // pg_last_query_id() of this statement
  int pid = 0;
  std::string source_ip;           // of the client
  std::string time_zone = "UTC";   // of the session: timestamps without an offset
  engine::Connection& connection;  // in an open transaction, snapshot taken; don't end it
  std::shared_ptr<const engine::HostContext> host;
  const Clock& clock;
  std::function<bool()> canceled;  // asked between pieces; then end with engine::kQueryCanceled
};

// ---- COPY -----------------------------------------------------------------------------------------------------------

struct CopyRequest {
  const sql::Copy& statement;  // every option as written; unknown or contradicting ones are the transfer's to refuse
  const catalog::Relation& relation;
  std::string physical;          // `s<oid>.t<oid>`, for Connection::append_to
  std::vector<int16_t> columns;  // attnums to load, in file order; all but IDENTITY columns if none were named
  /// The value of a column that isn't loaded, or NULL: its DEFAULT, evaluated; IDENTITY columns have none (the next number).
  std::vector<std::pair<int16_t, engine::Datum>> defaults;
};

/// A row of STL_LOAD_ERRORS, without what the session knows (userid, tbl, session, query).
struct LoadError {
  int slice = 0;
  Timestamp start_time;
  std::string file_name;
  int64_t line_number = 0;
  std::string column, type, col_length;
  int position = 0;
  std::string raw_line, raw_field_value;
  int err_code = 0;
  std::string err_reason;
  bool is_partial = false;
  int64_t start_offset = 0;
};

/// A row of STL_LOAD_COMMITS.
struct LoadedFile {
  int slice = 0;
  std::string file_name;
  int64_t lines_scanned = 0, errors = 0;
  Timestamp at;
  std::string file_format;
  int64_t start_offset = 0;
};

struct CopyOutcome {
  int64_t rows = 0;      // loaded
  int64_t rejected = 0;  // could not be loaded, within MAXERROR
  std::vector<LoadError> errors;
  std::vector<LoadedFile> files;
  /// The load failed after it had begun: `errors` is kept all the same, the transaction isn't.
  std::optional<Error> failure;
  bool noload = false;  // NOLOAD: checked only
};

// ---- UNLOAD ---------------------------------------------------------------------------------------------------------

struct UnloadRequest {
  const sql::Unload& statement;
  const secure::plan::Statement&
      select;  // analyzed for the current user: run it by context.connection.query(select, {}, context.host)
};

/// A row of STL_UNLOAD_LOG.
struct UnloadedFile {
  int slice = 0;
  std::string path;
  Timestamp start_time, end_time;
  int64_t line_count = 0, transfer_size = 0;
  std::string file_format;
};

struct UnloadOutcome {
  int64_t rows = 0;
  std::vector<UnloadedFile> files;
};

class Transfer {
 public:
  virtual ~Transfer() = default;
  /// Errors before anything was loaded: the Result's. After that: CopyOutcome::failure.
  virtual Result<CopyOutcome> copy(const CopyRequest& request, const Context& context) = 0;
  virtual Result<UnloadOutcome> unload(const UnloadRequest& request, const Context& context) = 0;
};

}  // namespace redoubt::warehouse::transfer
