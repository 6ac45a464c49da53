#pragma once
/// Expressions and queries of the AST. A node is a struct with a kind; `as<T>(node)` gives the derived struct:
///
///   switch (expr.kind) { case ExprKind::kColumnRef: { auto& c = as<ColumnRef>(expr); .. } }
///
/// The parser resolves no names and checks no types, but it desugars: special call syntax becomes FunctionCall (see there),
/// a AT TIME ZONE b is timezone(b, a), CONVERT(t, x) and x::t are Cast. Parentheses leave no trace. AND and OR are n-ary, so
/// the depth of a tree is bounded by ParseOptions::max_depth (plus chains of other operators, bounded by max_height).
/// Identifiers are already folded and truncated. A position is the 1-based character number in the text given to parse(), what
/// ErrorResponse's P field wants; 0 is unknown.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::sql {

using Position = uint32_t;

struct Expr;
struct Query;
struct TableRef;
using ExprPtr = std::unique_ptr<Expr>;
using QueryPtr = std::unique_ptr<Query>;
using TableRefPtr = std::unique_ptr<TableRef>;

template <class T, class Base>
const T& as(const Base& node) {
  CHECK(node.kind == T::kKind);
  return static_cast<const T&>(node);
}
template <class T, class Base>
T& as(Base& node) {
  CHECK(node.kind == T::kKind);
  return static_cast<T&>(node);
}
/// nullptr if the node is something else.
template <class T, class Base>
const T* get_if(const Base* node) {
  return node && node->kind == T::kKind ? static_cast<const T*>(node) : nullptr;
}

/// [[database.]schema.]name; parts that weren't written are empty (an empty quoted identifier is a syntax error).
struct ObjectName {
  std::string database, schema, name;
  Position position = 0;
  bool empty() const { return name.empty(); }
};

/// An identifier where its position matters.
struct Identifier {
  std::string text;
  Position position = 0;
};

// ---- Expressions ----------------------------------------------------------------------------------------------------

enum class ExprKind : uint8_t {
  kLiteral,
  kTypedLiteral,
  kParameter,
  kColumnRef,
  kStar,
  kField,
  kSubscript,
  kUnary,
  kBinary,
  kLogical,
  kNot,
  kIsNull,
  kIsTruth,
  kIsDistinct,
  kBetween,
  kLike,
  kInList,
  kInQuery,
  kQuantified,
  kExists,
  kSubquery,
  kArrayQuery,
  kArray,
  kRow,
  kCase,
  kCast,
  kFunctionCall,
  kDefault,
};

struct Expr {
  const ExprKind kind;
  Position position = 0;
  virtual ~Expr() = default;

 protected:
  explicit Expr(ExprKind k) : kind(k) {}
};

template <ExprKind K>
struct ExprOf : Expr {
  static constexpr ExprKind kKind = K;
  ExprOf() : Expr(K) {}
};

/// NULL, TRUE, 'text' (escapes decoded), 42, 4.2, 4.2e1.
struct Literal : ExprOf<ExprKind::kLiteral> {
  enum class Kind : uint8_t { kNull, kBoolean, kString, kInteger, kDecimal, kFloat };
  Kind value_kind = Kind::kNull;
  bool boolean = false;
  /// kString: the value. Numbers: as written; kInteger has digits only, of any length; kDecimal has a point; kFloat an
  /// exponent. Never a sign: -1 is Unary("-", 1).
  std::string text;
};

/// DATE '2020-01-01', TIMESTAMP '..', INTERVAL '1' DAY, or any `type 'text'`.
struct TypedLiteral : ExprOf<ExprKind::kTypedLiteral> {
  Type type;
  std::string text;
  /// Intervals only: lower-case field or range as written ("day", "year to month", "day to second"), or empty.
  std::string interval_fields;
  int interval_precision = -1;  // SECOND(p); -1: not written
};

/// $1 has number 1.
struct Parameter : ExprOf<ExprKind::kParameter> {
  int number = 0;
};

/// a, t.a, s.t.a, db.s.t.a; also the start of a SUPER path (t.a.b.c). Quoted or not makes no difference.
/// Date parts written as bare words (dateadd(month, ..)) arrive as ColumnRef too.
struct ColumnRef : ExprOf<ExprKind::kColumnRef> {
  std::vector<std::string> parts;  // at least one
};

/// *, t.*, s.t.*: only in select lists; count(*) is FunctionCall::star.
struct Star : ExprOf<ExprKind::kStar> {
  std::vector<std::string> qualifier;
  std::vector<Identifier> exclude;  // * EXCLUDE (a, b)
};

/// (expr).name, and .name after a subscript: SUPER navigation.
struct Field : ExprOf<ExprKind::kField> {
  ExprPtr base;
  std::string name;
};

/// base[index], or base[index:upper] if slice (either bound may be null then).
struct Subscript : ExprOf<ExprKind::kSubscript> {
  ExprPtr base, index, upper;
  bool slice = false;
};

/// - + ~ @ |/ ||/ !! applied to an operand. OPERATOR(schema.op) keeps its schema.
struct Unary : ExprOf<ExprKind::kUnary> {
  std::string op;
  std::string schema;
  ExprPtr operand;
};

/// + - * / % ^ || = <> < <= > >= ~ ~* !~ !~* ~~ & | # << >> and other operator names. != arrives as <>.
/// OPERATOR(pg_catalog.~) has op "~" and schema "pg_catalog".
struct Binary : ExprOf<ExprKind::kBinary> {
  std::string op;
  std::string schema;
  ExprPtr left, right;
};

/// a AND b AND c, a OR b OR c: two arguments or more.
struct Logical : ExprOf<ExprKind::kLogical> {
  bool is_and = true;
  std::vector<ExprPtr> args;
};

struct Not : ExprOf<ExprKind::kNot> {
  ExprPtr operand;
};

/// x IS [NOT] NULL, ISNULL, NOTNULL.
struct IsNull : ExprOf<ExprKind::kIsNull> {
  ExprPtr operand;
  bool negated = false;
};

/// x IS [NOT] TRUE | FALSE | UNKNOWN.
struct IsTruth : ExprOf<ExprKind::kIsTruth> {
  enum class Value : uint8_t { kTrue, kFalse, kUnknown };
  ExprPtr operand;
  Value value = Value::kTrue;
  bool negated = false;
};

/// a IS [NOT] DISTINCT FROM b.
struct IsDistinct : ExprOf<ExprKind::kIsDistinct> {
  ExprPtr left, right;
  bool negated = false;  // IS NOT DISTINCT FROM
};

struct Between : ExprOf<ExprKind::kBetween> {
  ExprPtr operand, low, high;
  bool negated = false, symmetric = false;
};

struct Like : ExprOf<ExprKind::kLike> {
  enum class Kind : uint8_t { kLike, kILike, kSimilarTo };
  Kind like_kind = Kind::kLike;
  bool negated = false;
  ExprPtr operand, pattern;
  ExprPtr escape;  // null: backslash
};

struct InList : ExprOf<ExprKind::kInList> {
  ExprPtr operand;  // may be a Row
  std::vector<ExprPtr> items;
  bool negated = false;
};

/// ARRAY[a, b]. (Redshift's array(a, b) is a FunctionCall.)
struct Array : ExprOf<ExprKind::kArray> {
  std::vector<ExprPtr> items;
};

/// (a, b) or ROW(a, b): two items or more, any number after ROW.
struct Row : ExprOf<ExprKind::kRow> {
  std::vector<ExprPtr> items;
};

struct Case : ExprOf<ExprKind::kCase> {
  struct Branch {
    ExprPtr condition, result;
  };
  ExprPtr operand;  // null: searched CASE
  std::vector<Branch> branches;
  ExprPtr otherwise;  // null: no ELSE
};

/// CAST(x AS t), x::t, CONVERT(t, x); TRY_CAST(x AS t) if `lenient`.
struct Cast : ExprOf<ExprKind::kCast> {
  ExprPtr operand;
  Type type;
  bool lenient = false;
};

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;  // nullopt: not written
};

struct WindowFrame {
  enum class Unit : uint8_t { kRows, kRange };
  enum class Bound : uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Unit unit = Unit::kRows;
  Bound start = Bound::kUnboundedPreceding, end = Bound::kCurrentRow;
  ExprPtr start_offset, end_offset;  // kPreceding, kFollowing
};

struct WindowSpec {
  std::vector<ExprPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<WindowFrame> frame;
};

/// name(args), with everything a call can carry. Special syntax arrives as ordinary calls:
///   CURRENT_DATE, CURRENT_TIME, CURRENT_TIMESTAMP, LOCALTIME, LOCALTIMESTAMP, CURRENT_USER, SESSION_USER, USER,
///   CURRENT_USER_ID, SYSDATE (bare = true: written without parentheses)
///   EXTRACT(f FROM x)          extract('f', x)
///   POSITION(a IN b)           position(a, b)
///   SUBSTRING(x FROM a FOR b)  substring(x, a, b)
///   TRIM(LEADING c FROM x)     ltrim(x, c); TRAILING: rtrim; BOTH or neither: btrim; trim(x) is btrim(x)
///   OVERLAY(x PLACING y FROM a FOR b)  overlay(x, y, a, b)
///   x AT TIME ZONE z           timezone(z, x)
/// LISTAGG, PERCENTILE_CONT and the like have their WITHIN GROUP in `within_group`.
struct FunctionCall : ExprOf<ExprKind::kFunctionCall> {
  ObjectName name;
  std::vector<ExprPtr> args;
  bool star = false;  // count(*)
  bool distinct = false;
  bool bare = false;
  bool approximate = false;          // APPROXIMATE COUNT(DISTINCT x)
  std::optional<bool> ignore_nulls;  // IGNORE NULLS / RESPECT NULLS
  std::vector<OrderItem> order_by;   // array_agg(x ORDER BY y)
  std::vector<OrderItem> within_group;
  ExprPtr filter;  // FILTER (WHERE ..)
  std::unique_ptr<WindowSpec> over;
};

/// DEFAULT in INSERT .. VALUES and UPDATE .. SET.
struct Default : ExprOf<ExprKind::kDefault> {};

// ---- Queries --------------------------------------------------------------------------------------------------------

struct SelectItem {
  ExprPtr expr;       // may be Star
  std::string alias;  // empty: none
  Position position = 0;
};

struct GroupingElement {
  enum class Kind : uint8_t { kExpr, kEmpty, kRollup, kCube, kSets };
  Kind kind = Kind::kExpr;
  std::vector<ExprPtr> exprs;             // kExpr: one (may be a Row). kRollup, kCube: their list
  std::vector<GroupingElement> elements;  // kSets
};

enum class TableRefKind : uint8_t { kTable, kSubquery, kFunction, kJoin };

struct ColumnDef {  // of a function's result: AS t(a name, b int)
  std::string name;
  std::optional<Type> type;
};

struct TableRef {
  const TableRefKind kind;
  Position position = 0;
  std::string alias;  // empty: none
  std::vector<std::string> column_aliases;
  bool lateral = false;
  virtual ~TableRef() = default;

 protected:
  explicit TableRef(TableRefKind k) : kind(k) {}
};

template <TableRefKind K>
struct TableRefOf : TableRef {
  static constexpr TableRefKind kKind = K;
  TableRefOf() : TableRef(K) {}
};

struct Select {
  bool distinct = false;
  ExprPtr top;                    // TOP n: as LIMIT
  std::vector<SelectItem> items;  // never empty
  std::vector<TableRefPtr> from;
  ExprPtr where;
  bool group_by_all = false;  // GROUP BY ALL
  std::vector<GroupingElement> group_by;
  ExprPtr having;
  ExprPtr qualify;
};

struct Cte {
  std::string name;
  std::vector<std::string> columns;
  QueryPtr query;
  Position position = 0;
};

/// What UPDATE, DELETE and queries may begin with.
struct With {
  bool recursive = false;
  std::vector<Cte> ctes;  // empty: no WITH
};

enum class SetOperator : uint8_t { kUnion, kIntersect, kExcept };  // MINUS is EXCEPT

struct Query {
  enum class Kind : uint8_t { kSelect, kSetOperation, kValues };
  Kind kind = Kind::kSelect;
  Position position = 0;
  With with;
  Select select;                                   // kSelect
  SetOperator set_operator = SetOperator::kUnion;  // kSetOperation
  bool all = false;
  QueryPtr left, right;
  std::vector<std::vector<ExprPtr>> rows;  // kValues: rows of equal width; INSERT's may contain Default
  std::vector<OrderItem> order_by;
  ExprPtr limit, offset;  // null: none, or LIMIT ALL
};

// ---- What FROM lists ------------------------------------------------------------------------------------------------

/// A table, view or CTE by name; also a SUPER array to unnest (FROM t, t.items AS i AT n).
struct TableName : TableRefOf<TableRefKind::kTable> {
  ObjectName name;
  std::string at;  // AT n: the index of an unnested array; empty: none
};

/// (query) [[AS] alias]; Redshift allows it without an alias.
struct TableSubquery : TableRefOf<TableRefKind::kSubquery> {
  QueryPtr query;
};

/// f(..) [AS] alias [(columns)], or with a column definition list: column_definitions has types then.
struct TableFunction : TableRefOf<TableRefKind::kFunction> {
  std::unique_ptr<FunctionCall> call;
  std::vector<ColumnDef> column_definitions;
};

enum class JoinType : uint8_t { kInner, kLeft, kRight, kFull, kCross };

/// A comma in FROM is not a join: Select::from is a list.
struct Join : TableRefOf<TableRefKind::kJoin> {
  JoinType type = JoinType::kInner;
  bool natural = false;
  TableRefPtr left, right;
  ExprPtr on;                       // null with USING, NATURAL and CROSS
  std::vector<Identifier> columns;  // USING (..)
};

// ---- Expressions with a query inside ---------------------------------------------------------------------------------

struct InQuery : ExprOf<ExprKind::kInQuery> {
  ExprPtr operand;  // may be a Row
  QueryPtr query;
  bool negated = false;
};

/// a op ANY|SOME|ALL (query or array). Also a [NOT] LIKE|ILIKE ANY (..), with op "~~", "!~~", "~~*", "!~~*".
struct Quantified : ExprOf<ExprKind::kQuantified> {
  std::string op, schema;
  bool all = false;
  ExprPtr left;
  QueryPtr query;  // one of the two
  ExprPtr array;
};

struct Exists : ExprOf<ExprKind::kExists> {
  QueryPtr query;
};

/// A query in parentheses as a value; the left or right side of a row comparison if it has several columns.
struct Subquery : ExprOf<ExprKind::kSubquery> {
  QueryPtr query;
};

/// ARRAY(SELECT ..).
struct ArrayQuery : ExprOf<ExprKind::kArrayQuery> {
  QueryPtr query;
};

}  // namespace redoubt::warehouse::sql
