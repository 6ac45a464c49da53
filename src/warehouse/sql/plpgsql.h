#pragma once
/// Bodies of stored procedures: plpgsql as an AST. Source: Database Developer Guide, "PL/pgSQL language reference"; wording and
/// line numbers are those of PostgreSQL 8.0's plpgsql, which Redshift inherited.
///
///   TRY(plpgsql::Body body, plpgsql::parse_body({.name = "p", .text = text, .arguments = arguments}));
///
/// SQL inside a body is parsed by the ordinary parser. Where an expression names a variable, the AST holds a Parameter: values
/// are bound, never spliced into text. A variable wins over a column of its name, as in Redshift. Nothing is looked up here.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::sql::plpgsql {

/// Where a value comes from or goes to: a variable, or a field of a record.
struct Place {
  int variable = -1;  // index into Body::variables
  std::string field;  // empty: the whole variable
  bool operator==(const Place&) const = default;
};

/// A SQL statement or expression of the body. An expression is the SELECT of it.
struct Sql {
  Statement statement;
  std::vector<Place> parameters;  // what $1, $2 .. stand for
  std::string text;               // for CONTEXT: as written, variables shown as $n
};
using SqlPtr = std::unique_ptr<Sql>;

struct Variable {
  enum class Kind : uint8_t {
    kScalar,  // type, or that of a column (like)
    kRecord,  // RECORD: takes the shape of what is assigned
    kRow,     // table%ROWTYPE
    kCursor,  // refcursor: a scalar that holds a cursor's name
  };
  std::string name;  // empty: a hidden one
  Kind kind = Kind::kScalar;
  Type type;
  ObjectName like;          // table of %TYPE and %ROWTYPE, looked up when the block is entered; empty: none
  std::string like_column;  // %TYPE
  bool constant = false, not_null = false;
  SqlPtr initial;               // null: NULL
  SqlPtr query;                 // kCursor bound to one
  std::vector<int> parameters;  // variables that stand for a bound cursor's arguments
  int line = 0;
  bool is_record() const { return kind == Kind::kRecord || kind == Kind::kRow; }
};

enum class NodeKind : uint8_t {
  kBlock,
  kAssign,
  kIf,
  kLoop,
  kWhile,
  kForRange,
  kForQuery,
  kExit,
  kReturn,
  kRaise,
  kSql,
  kPerform,
  kExecute,
  kCall,
  kDiagnostics,
  kOpen,
  kFetch,
  kClose,
  kTransaction,
  kCaseMissing,
  kNull,
};

/// One plpgsql statement. Lines count from 1 at the body's first line; a line break right after $$ doesn't count.
struct Node {
  const NodeKind kind;
  int line = 0;
  virtual ~Node() = default;

 protected:
  explicit Node(NodeKind k) : kind(k) {}
};
using NodePtr = std::unique_ptr<Node>;
using Nodes = std::vector<NodePtr>;

template <NodeKind K>
struct NodeOf : Node {
  static constexpr NodeKind kKind = K;
  NodeOf() : Node(K) {}
};

/// Targets of INTO and FOR: one record, or scalars and fields.
using Target = std::vector<Place>;

/// [DECLARE ..] BEGIN .. [EXCEPTION WHEN OTHERS THEN ..] END.
struct Block : NodeOf<NodeKind::kBlock> {
  std::string label;
  std::vector<int> variables;  // initialised at every entry, in this order
  Nodes body;
  bool has_handler = false;
  Nodes handler;
  int sqlstate = -1, sqlerrm = -1;  // variables of the handler
};

struct Assign : NodeOf<NodeKind::kAssign> {
  Place target;
  SqlPtr value;
};

/// IF, and CASE turned into one (the operand is assigned to a hidden variable before).
struct If : NodeOf<NodeKind::kIf> {
  struct Branch {
    SqlPtr condition;
    Nodes body;
  };
  std::vector<Branch> branches;
  Nodes otherwise;
};

struct Loop : NodeOf<NodeKind::kLoop> {
  std::string label;
  Nodes body;
};

struct While : NodeOf<NodeKind::kWhile> {
  std::string label;
  SqlPtr condition;
  Nodes body;
};

struct ForRange : NodeOf<NodeKind::kForRange> {
  std::string label;
  int variable = -1;
  bool reverse = false;
  SqlPtr from, to;
  Nodes body;
};

/// FOR target IN query | EXECUTE text.
struct ForQuery : NodeOf<NodeKind::kForQuery> {
  std::string label;
  Target target;
  SqlPtr query, dynamic;  // one of the two
  Nodes body;
};

/// EXIT and CONTINUE [label] [WHEN condition].
struct Exit : NodeOf<NodeKind::kExit> {
  bool is_continue = false;
  std::string label;
  SqlPtr condition;
};

struct Return : NodeOf<NodeKind::kReturn> {};

struct Raise : NodeOf<NodeKind::kRaise> {
  enum class Level : uint8_t { kDebug, kLog, kInfo, kNotice, kWarning, kException, kAgain };
  Level level = Level::kException;  // kAgain: RAISE; in a handler
  std::string format;
  std::vector<SqlPtr> arguments;  // as many as format has %
};

/// A SQL statement as it stands.
struct RunSql : NodeOf<NodeKind::kSql> {
  SqlPtr sql;
  Target into;  // of a SELECT; may be empty
};

struct Perform : NodeOf<NodeKind::kPerform> {
  SqlPtr query;
};

/// EXECUTE text [INTO target].
struct RunText : NodeOf<NodeKind::kExecute> {
  SqlPtr text;
  Target into;
};

/// CALL p(..). An argument that is a variable and nothing else can take the value of an INOUT argument.
struct CallProcedure : NodeOf<NodeKind::kCall> {
  SqlPtr call;
  std::vector<std::optional<Place>> variables;  // by argument
};

/// GET DIAGNOSTICS target := ROW_COUNT.
struct Diagnostics : NodeOf<NodeKind::kDiagnostics> {
  std::vector<Place> targets;
};

struct Open : NodeOf<NodeKind::kOpen> {
  int cursor = -1;
  SqlPtr query, dynamic;          // neither: a bound cursor
  std::vector<SqlPtr> arguments;  // of a bound cursor
};

struct FetchRow : NodeOf<NodeKind::kFetch> {
  int cursor = -1;
  Target into;
};

struct Close : NodeOf<NodeKind::kClose> {
  int cursor = -1;
};

struct TransactionControl : NodeOf<NodeKind::kTransaction> {
  enum class Action : uint8_t { kCommit, kRollback, kStart };
  Action action = Action::kCommit;
};

/// What a CASE without ELSE ends with when nothing matches.
struct CaseMissing : NodeOf<NodeKind::kCaseMissing> {};

struct Null : NodeOf<NodeKind::kNull> {};

inline constexpr int kFound = 0;  // the variable FOUND
inline constexpr int kVariablesMax = 1024;
inline constexpr size_t kBodyMax = size_t{2} << 20;

struct Body {
  std::vector<Variable> variables;  // of all blocks; FOUND first
  std::vector<int> arguments;       // variables, by argument
  std::unique_ptr<Block> block;
};

struct BodyText {
  std::string_view name;  // of the procedure
  std::string_view text;
  std::span<const RoutineArg> arguments;
  bool case_sensitive_identifiers = false;
};

/// Errors: those of parse(), with POSITION in the text and CONTEXT `compile of PL/pgSQL function "p" near line 3`.
Result<Body> parse_body(const BodyText& body);

}  // namespace redoubt::warehouse::sql::plpgsql
