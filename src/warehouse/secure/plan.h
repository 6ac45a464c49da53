#pragma once
/// The plan: a SQL statement after analysis. Every name is resolved to an id, every cast written out, every sort key says
/// where NULLs go, every output has a name and a type with its length or precision; privileges have been checked, protected
/// relations replaced by their secured form, context values folded. It holds no name that a user chose except in
/// `columns` (output names) and text constants, and nothing that belongs to one engine: an emitter (engine/duckdb/emit.h)
/// turns it into that engine's language, and is the only reader that may.
///
/// A plan is good for one execution: rights, settings and the time were judged while it was made. Prepared statements keep
/// their AST and are analyzed again at each Execute.
///
/// Shape: a Statement holds a Query or DML around one; a Query is a Select, a set operation or VALUES with its CTEs, order
/// and limit; a Select reads a From tree. Each From leaf has an id unique in the statement; a column is (leaf id, column
/// number), wherever it is used, so that a correlated subquery needs nothing special. Column numbers are attnums for Scan
/// and DML targets, positions from 1 for everything else.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/secure/scope.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::secure::plan {

struct Query;
struct Expr;
/// Immutable once made, and shared: an alias used twice is one expression with two parents.
using ExprPtr = std::shared_ptr<const Expr>;
using QueryPtr = std::shared_ptr<const Query>;

struct SortKey {
  ExprPtr expr;  // null: the output column `output` (from 1)
  int output = 0;
  bool descending = false;
  bool nulls_first = false;  // PostgreSQL's default is already applied: last when ascending, first when descending
};

struct Frame {
  enum class Unit : uint8_t { kRows, kRange };
  enum class Bound : uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Unit unit = Unit::kRange;
  Bound start = Bound::kUnboundedPreceding, end = Bound::kCurrentRow;
  ExprPtr start_offset, end_offset;
};

struct Window {
  std::vector<ExprPtr> partition_by;
  std::vector<SortKey> order_by;
  std::optional<Frame> frame;  // nullopt: the function takes none (rank) or the whole partition or the default frame
};

enum class ExprKind : uint8_t {
  kConst,        // value
  kColumn,       // relation, column
  kParameter,    // parameter (from 1), bound by the client at execution
  kCast,         // args[0] to type; coercion tells what too long or too large a value means
  kCall,         // function(args): id of a row in functions.h
  kCase,         // args: condition, result, condition, result, .., else
  kIn,           // args[0] IN (args[1..]); all of one type
  kScalarQuery,  // query: one column, at most one row (else 21000)
  kExists,       // query
  kQuantified,   // args compared as a row by `function` (eq, ne, lt ..) with ANY (or ALL, if all) row of query
  kArrayQuery,   // ARRAY(query)
  kAggregate,    // function(args), distinct, filter, order_by (listagg's and percentile's WITHIN GROUP)
  kWindow,       // function(args) OVER window; an aggregate or a ranking function
  kHostCall,     // host function by name, evaluated by HostFunctions::call for each row; `function` is its name
  kIdentity,     // the next value of the target's IDENTITY column `column`
};

enum class Coercion : uint8_t {
  kExplicit,    // CAST, ::, implicit widening: too long a string is cut
  kAssignment,  // INSERT and UPDATE: too long a string is error 22001, unless only blanks are lost
};

struct Expr {
  ExprKind kind = ExprKind::kConst;
  sql::Type type;
  Datum value;  // kConst: text form of `type`, canonical (values.h); nullopt: NULL
  int relation = 0, column = 0;
  int parameter = 0;
  Coercion coercion = Coercion::kExplicit;
  std::string function;
  const HostFunction* host = nullptr;  // kHostCall
  std::vector<ExprPtr> args;
  QueryPtr query;
  bool distinct = false, ignore_nulls = false, negated = false, all = false, has_else = false;
  ExprPtr filter;
  std::vector<SortKey> order_by;
  std::shared_ptr<const Window> window;

  // Computed when the node is made, so that walks over shared nodes stay linear.
  uint32_t weight = 1;         // nodes below, counted as a tree
  bool has_aggregate = false;  // outside of subqueries, of this query level
  bool has_window = false;
  bool has_query = false;
  bool is_volatile = false;  // random(), identity, sequences
};

struct Output {
  std::string name;
  sql::Type type;
  /// The base column it is, unchanged, if it is one: for the extended RowDescription and ResultSetMetaData.
  Oid origin_relation = 0;
  int16_t origin_attnum = 0;
  std::string origin_database, origin_schema, origin_table, origin_column;
  bool not_null = false;
  bool identity = false;
};

enum class FromKind : uint8_t { kScan, kSystemScan, kQuery, kCte, kFunction, kJoin };
enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kCross };

struct ScanColumn {
  int16_t attnum;
  sql::Type type;
};

struct From {
  FromKind kind = FromKind::kScan;
  int id = 0;  // leaves; 0 for joins
  // kScan: exactly these columns are read from the physical table, no others. Empty (count(*)): rows only.
  // A scan of a protected relation carries its policy, and `condition` is evaluated before anything else sees a row.
  Oid relation = 0;
  std::string physical;  // `s<oid>.t<oid>`
  std::vector<ScanColumn> columns;
  /// Row security: only rows that satisfy this exist for the statement; null: not protected. It reads the table under a leaf
  /// id of its own, secured_id, and perhaps columns that `columns` doesn't have.
  ExprPtr secured_by;
  int secured_id = 0;
  // kSystemScan: name is `schema.relation`, column numbers are positions in its declaration
  std::string system_relation;
  std::vector<std::string> system_columns;  // the names at these positions
  // kQuery (also views: their bodies are ordinary subqueries here), lateral if it may refer to leaves on its left
  QueryPtr query;
  bool lateral = false;
  // kCte: id of the Cte; its columns are positions in the CTE's outputs
  int cte = 0;
  // kFunction: a set-returning function, e.g. generate_series; one column
  ExprPtr call;
  // kJoin
  JoinKind join = JoinKind::kInner;
  std::shared_ptr<From> left, right;
  ExprPtr on;  // null only for kCross
};
using FromPtr = std::shared_ptr<From>;

struct Select {
  bool distinct = false;
  std::vector<ExprPtr> outputs;
  FromPtr from;  // null: one row without columns
  ExprPtr where;
  bool grouped = false;  // GROUP BY, HAVING or an aggregate: one row per group
  std::vector<ExprPtr> group_by;
  /// GROUPING SETS, ROLLUP, CUBE: each set as indexes (from 0) into group_by. Empty: one grouping by all of them.
  std::vector<std::vector<size_t>> grouping_sets;
  ExprPtr having;
  ExprPtr qualify;
};

enum class SetOp : uint8_t { kUnion, kIntersect, kExcept };

struct Cte {
  int id = 0;
  bool recursive = false;
  QueryPtr query;
};

struct Query {
  enum class Kind : uint8_t { kSelect, kSetOp, kValues } kind = Kind::kSelect;
  std::vector<Cte> ctes;
  Select select;                 // kSelect
  SetOp set_op = SetOp::kUnion;  // kSetOp: both sides already have the same types
  bool all = false;
  QueryPtr left, right;
  std::vector<std::vector<ExprPtr>> rows;  // kValues
  std::vector<SortKey> order_by;
  ExprPtr limit, offset;  // bigint; null: none
  std::vector<Output> outputs;
};

/// A table that a statement writes.
struct Target {
  int id = 0;  // From-leaf id under which its columns are read (UPDATE, DELETE, MERGE)
  Oid relation = 0;
  std::string physical;
  ExprPtr secured_by;  // as in From; INSERT has none: new rows aren't filtered
  int secured_id = 0;
  std::vector<ScanColumn> readable;  // columns that expressions read
};

/// What a statement may do with a protected table, worked out anew from the catalog after the plan was made: the second line
/// of defence compares the engine's plan with it.
struct Authorised {
  Oid relation = 0;
  std::string physical;
  int id = 0;                    // leaf id that `condition` reads the table under
  ExprPtr condition;             // every row that is read satisfies it
  std::vector<int16_t> columns;  // those that the statement may read, ascending
};

struct Assignment {
  int16_t attnum = 0;
  sql::Type type;
  ExprPtr value;  // already cast to the column's type
  bool not_null = false;
  std::string column_name;  // for error 23502
};

struct MergeAction {
  bool matched = true;
  enum class Kind : uint8_t { kUpdate, kDelete, kInsert } kind = Kind::kUpdate;
  std::vector<Assignment> assignments;  // kInsert: every column of the table
};

enum class StatementKind : uint8_t { kSelect, kInsert, kUpdate, kDelete, kMerge, kCreateTableAs, kCreateView };

struct Statement {
  StatementKind kind = StatementKind::kSelect;
  /// kSelect: the result. kInsert: what to insert, `assignments` has one entry per table column, each value reading the
  /// query's leaf `source_id` or being a default. kCreateTableAs, kCreateView: the body. kUpdate, kDelete: null, or a query
  /// that holds nothing but the statement's CTEs.
  QueryPtr query;
  Target target;  // kInsert, kUpdate, kDelete, kMerge
  int source_id = 0;
  std::vector<Assignment> assignments;  // kInsert (every column of the table), kUpdate (those set)
  FromPtr from;                         // kUpdate: FROM; kDelete: USING; kMerge: the source
  ExprPtr where;                        // kUpdate, kDelete; kMerge: ON
  std::vector<MergeAction> actions;     // kMerge

  /// Result columns of kSelect; columns of the new relation for kCreateTableAs and kCreateView.
  std::vector<Output> columns;
  /// kCreateView: the body with every relation name qualified and every * spelled out, to be stored as
  /// Relation::view_sql, with Relation::pins. Empty for WITH NO SCHEMA BINDING, where the text is kept as written.
  std::string definition;
  std::vector<std::pair<std::string, Oid>> pins;

  /// Types of $1, $2, .. after inference. Values arrive in them.
  std::vector<sql::Type> parameters;
  /// Base tables by oid, ascending, no duplicates, those under views included: for locks and serializability.
  std::vector<Oid> reads, writes;
  /// Views passed through: dependencies together with `reads`.
  std::vector<Oid> views;
  bool reads_system = false;           // a system relation or host function is involved
  bool touches_protected = false;      // some table in it is filtered by row security
  std::vector<Authorised> authorised;  // one for each protected table and each user in whose name it is read
  std::vector<Oid> policy_only;        // tables that only policies may read here, never the statement itself; ascending
};

}  // namespace redoubt::warehouse::secure::plan
