#include "warehouse/session/statements.h"

#include <algorithm>
#include <iterator>

namespace redoubt::warehouse::session {
namespace {

using K = sql::CommandKind;

constexpr StatementRow kRows[] = {
    {K::kSelect, "SELECT, WITH, VALUES"},
    {K::kInsert, "INSERT"},
    {K::kUpdate, "UPDATE"},
    {K::kDelete, "DELETE"},
    {K::kMerge, "MERGE"},
    {K::kTruncate, "TRUNCATE"},
    {K::kCopy, "COPY"},
    {K::kUnload, "UNLOAD"},
    {K::kCopyStdio, "COPY FROM STDIN and COPY TO STDOUT", false},
    {K::kCreateTable, "CREATE TABLE"},
    {K::kCreateTableAs, "CREATE TABLE AS, SELECT INTO"},
    {K::kCreateView, "CREATE VIEW, CREATE VIEW .. WITH NO SCHEMA BINDING"},
    {K::kRefreshMaterializedView, "REFRESH MATERIALIZED VIEW", false},
    {K::kAlterTable, "ALTER TABLE"},
    {K::kDrop,
     "DROP TABLE, DROP VIEW, DROP SCHEMA, DROP DATABASE, DROP USER, DROP GROUP, DROP ROLE, DROP PROCEDURE, DROP RLS POLICY"},
    {K::kCreateSchema, "CREATE SCHEMA"},
    {K::kAlterSchema, "ALTER SCHEMA"},
    {K::kCreateDatabase, "CREATE DATABASE"},
    {K::kAlterDatabase, "ALTER DATABASE"},
    {K::kCreateRoutine, "CREATE PROCEDURE"},
    {K::kAlterRoutine, "ALTER PROCEDURE"},
    {K::kComment, "COMMENT"},
    {K::kTransaction, "BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT"},
    {K::kSet, "SET, SET SESSION AUTHORIZATION"},
    {K::kReset, "RESET"},
    {K::kShow, "SHOW"},
    {K::kShowObjects,
     "SHOW DATABASES, SHOW SCHEMAS, SHOW TABLES, SHOW COLUMNS, SHOW TABLE, SHOW VIEW, SHOW GRANTS, SHOW PROCEDURE"},
    {K::kUse, "USE"},
    {K::kDiscard, "DISCARD"},
    {K::kPrepare, "PREPARE"},
    {K::kExecute, "EXECUTE"},
    {K::kDeallocate, "DEALLOCATE"},
    {K::kDeclareCursor, "DECLARE"},
    {K::kFetch, "FETCH"},
    {K::kCloseCursor, "CLOSE"},
    {K::kCall, "CALL"},
    {K::kExplain, "EXPLAIN"},
    {K::kLock, "LOCK"},
    {K::kVacuum, "VACUUM"},
    {K::kAnalyze, "ANALYZE"},
    {K::kCancel, "CANCEL"},
    {K::kCreateUser, "CREATE USER"},
    {K::kAlterUser, "ALTER USER"},
    {K::kCreateGroup, "CREATE GROUP"},
    {K::kAlterGroup, "ALTER GROUP"},
    {K::kCreateRole, "CREATE ROLE"},
    {K::kAlterRole, "ALTER ROLE"},
    {K::kGrant, "GRANT, REVOKE"},
    {K::kAlterDefaultPrivileges, "ALTER DEFAULT PRIVILEGES"},
    {K::kCreateRlsPolicy, "CREATE RLS POLICY"},
    {K::kAlterRlsPolicy, "ALTER RLS POLICY"},
    {K::kAttachRlsPolicy, "ATTACH RLS POLICY, DETACH RLS POLICY"},
    {K::kCreateMaskingPolicy, "CREATE MASKING POLICY", false},
    {K::kAlterMaskingPolicy, "ALTER MASKING POLICY", false},
    {K::kAttachMaskingPolicy, "ATTACH MASKING POLICY, DETACH MASKING POLICY", false},
};

static_assert(std::size(kRows) == size_t(K::kAttachMaskingPolicy) + 1, "a row for every kind");
static_assert(std::ranges::is_sorted(kRows, {}, &StatementRow::kind), "in the enum's order");

}  // namespace

std::span<const StatementRow> statement_table() { return kRows; }
const StatementRow& statement_row(sql::CommandKind kind) { return kRows[size_t(kind)]; }

}  // namespace redoubt::warehouse::session
