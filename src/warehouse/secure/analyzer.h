#pragma once
/// The analyzer's inside; others use analyze.h. One Analyzer works on one statement:
///   analyze.cpp       entry, parameters, what is left to do at the end
///   names.cpp         relations and columns by name, and the rights to them
///   from.cpp          FROM: tables, views, joins, functions
///   query.cpp         SELECT, set operations, VALUES, WITH; grouping
///   expressions.cpp   expressions, by kind
///   operators.cpp     conversions and operators
///   calls.cpp         functions, aggregates, windows
///   dml.cpp           INSERT, UPDATE, DELETE, MERGE, CREATE TABLE AS, CREATE VIEW
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/functions.h"
#include "warehouse/secure/nodes.h"
#include "warehouse/secure/plan.h"
#include "warehouse/secure/scope.h"
#include "warehouse/secure/types.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::secure {

/// A column that a query can see, and what it is.
struct VisibleColumn {
  std::string name;
  plan::ExprPtr expr;
  plan::Output origin;
};

/// What `alias.` names.
struct Range {
  std::string alias, schema, database;
  std::vector<VisibleColumn> columns;
};

/// What a FROM item gives to the query around it: columns for plain names and *, ranges for qualified ones.
struct Bound {
  plan::FromPtr from;
  std::vector<Range> ranges;
  std::vector<VisibleColumn> columns;
};

/// Where an expression stands: what may occur in it.
enum class Place : uint8_t {
  kSelect,
  kWhere,
  kOn,
  kGroupBy,
  kHaving,
  kQualify,
  kOrderBy,
  kAggregate,
  kWindow,
  kFrom,
  kLimit,
  kValues,
  kDefault,
  kSet,
  kReturnless,
};

/// One query (or DML statement) while its names are resolved.
struct Level {
  Level* parent = nullptr;
  std::vector<Range> ranges;
  std::vector<VisibleColumn> columns;
  /// Redshift sees select aliases in WHERE, GROUP BY, later items ..; bound when first asked for.
  const sql::Select* select = nullptr;
  std::vector<plan::ExprPtr> items;  // by position in select->items; stars are null
  std::vector<bool> binding;
  size_t alias_limit = 0;  // items before this one may be named
  std::set<int> leaves;    // ids of this level's FROM
};

class Analyzer {
 public:
  Analyzer(const Scope& scope, std::span<const sql::Type> declared);
  Result<plan::Statement> run(const sql::Command& command);
  Result<PolicyDefinition> define(const Policy& policy, const sql::Expr& predicate);
  Result<void> check(const Policy& policy, const Relation& relation);

 private:
  // What names mean and whose rights count: the statement's own, or a view's inside its body.
  struct Context {
    Oid user = 0;
    const std::vector<std::pair<std::string, Oid>>* pins = nullptr;
    std::vector<std::pair<std::string, plan::Cte>> ctes;  // innermost last; the Cte's query is null while it is recursive
    std::map<int, std::vector<plan::Output>> cte_outputs;
    int depth = 0;                   // of views
    bool defining = false;           // CREATE VIEW's own body: names are recorded and the text rewritten
    const Policy* policy = nullptr;  // inside a policy's predicate: only what it was granted can be read
  };
  struct Scan {
    const Relation* relation = nullptr;
    Oid user = 0;
    bool whole = false;   // may read every column
    plan::FromPtr from;   // null for views
    bool lookup = false;  // read by a policy
    std::set<int16_t> used;
  };

  // names.cpp
  Result<const Relation*> find_relation(const sql::ObjectName& name);
  Result<const Relation*> find_target(const sql::ObjectName& name, const char* verb);
  std::unexpected<Error> denied(const Relation& relation) const;
  Result<void> require(Privilege privilege, const Relation& relation);
  Result<void> touch(const plan::ExprPtr& expr);
  bool readable(const VisibleColumn& column) const;
  Result<plan::ExprPtr> resolve(const sql::ColumnRef& ref);
  Result<plan::ExprPtr> resolve_alias(Level& level, std::string_view name);
  const VisibleColumn* find_qualified(const std::vector<std::string>& parts, size_t count, const Range** range, bool* ambiguous);
  std::unexpected<Error> no_column(const sql::ColumnRef& ref);
  const VisibleColumn* origin_of(const sql::ColumnRef& ref);

  // from.cpp
  Result<Bound> bind_from(const sql::TableRef& ref, Level& lateral);
  Result<Bound> bind_table(const sql::TableName& ref, Level& lateral);
  Result<Bound> bind_relation(const Relation& relation, const sql::TableRef& ref, std::string_view name);
  Result<Bound> bind_view(const Relation& view, const sql::TableRef& ref);
  Result<Bound> bind_subquery(const sql::TableSubquery& ref, Level& lateral);
  Result<Bound> bind_function(const sql::TableFunction& ref, Level& lateral);
  Result<Bound> bind_unnest(const sql::TableName& ref, Level& lateral);
  Result<Bound> bind_join(const sql::Join& join, Level& lateral);
  Result<void> join_using(const std::vector<sql::Identifier>& names, Bound& left, Bound& right, Bound& out);
  Result<void> bind_from_list(const std::vector<sql::TableRefPtr>& list, Level& level, plan::FromPtr& from);
  Result<Bound> leaf(plan::FromPtr from, std::vector<VisibleColumn> columns, const sql::TableRef& ref, std::string alias);
  plan::FromPtr make_leaf(plan::FromKind kind);

  // query.cpp
  Result<plan::QueryPtr> bind_query(const sql::Query& query, Level* parent);
  Result<void> bind_with(const sql::With& with, Level* parent, std::vector<plan::Cte>& out);
  Result<plan::QueryPtr> bind_recursive(const sql::Cte& cte, Level* parent, plan::Cte& out);
  Result<void> bind_select(const sql::Query& query, Level* parent, plan::Query& out);
  Result<void> bind_items(const sql::Select& select, Level& level, plan::Query& out);
  Result<void> expand_star(const sql::Star& star, Level& level, plan::Query& out, std::vector<const VisibleColumn*>& expanded);
  Result<plan::ExprPtr> bind_item(Level& level, size_t index);
  Result<void> bind_group_by(const sql::Select& select, plan::Query& out);
  using GroupingSets = std::vector<std::vector<size_t>>;
  Result<GroupingSets> grouping_sets(const sql::GroupingElement& element, plan::Query& out);
  Result<size_t> grouping_key(const sql::Expr& expr, plan::Query& out);
  Result<void> bind_order_by(const sql::Query& query, plan::Query& out);
  Result<void> bind_limit(const sql::Query& query, plan::Query& out);
  Result<void> bind_set_operation(const sql::Query& query, Level* parent, plan::Query& out);
  Result<void> bind_values(const sql::Query& query, Level* parent, plan::Query& out);
  Result<void> check_grouping(const Level& level, const plan::Query& query);
  Result<void> check_grouped(const plan::ExprPtr& expr, const Level& level, const std::vector<plan::ExprPtr>& keys);
  Result<plan::QueryPtr> coerce_query(plan::QueryPtr query, const std::vector<sql::Type>& types);
  Result<void> name_columns(plan::Query& query, const std::vector<std::string>& names, std::string_view what);
  plan::QueryPtr with_reg_names(plan::QueryPtr query);
  static std::string output_name(const sql::Expr& expr);

  // expressions.cpp
  Result<plan::ExprPtr> bind(const sql::Expr& expr);
  Result<plan::ExprPtr> bind_in(Place place, const sql::Expr& expr);
  Result<plan::ExprPtr> bind_condition(const sql::Expr& expr, Place place, const char* clause);
  Result<plan::ExprPtr> bind_literal(const sql::Literal& literal, bool negative = false);
  Result<plan::ExprPtr> bind_typed_literal(const sql::TypedLiteral& literal);
  Result<plan::ExprPtr> bind_parameter(const sql::Parameter& parameter);
  Result<plan::ExprPtr> bind_unary(const sql::Unary& unary);
  Result<plan::ExprPtr> bind_logical(const sql::Logical& logical);
  Result<plan::ExprPtr> bind_is_null(const sql::IsNull& test);
  Result<plan::ExprPtr> bind_is_truth(const sql::IsTruth& test);
  Result<plan::ExprPtr> bind_between(const sql::Between& between);
  Result<plan::ExprPtr> bind_like(const sql::Like& like);
  Result<plan::ExprPtr> bind_in_list(const sql::InList& in);
  Result<plan::ExprPtr> bind_in_query(const sql::InQuery& in);
  Result<plan::ExprPtr> bind_quantified(const sql::Quantified& quantified);
  Result<plan::ExprPtr> bind_quantified_query(const std::vector<plan::ExprPtr>& left, const std::string& op, bool all,
                                              bool negated, const sql::Query& query, sql::Position position);
  Result<plan::ExprPtr> bind_subquery_value(const sql::Subquery& subquery);
  Result<plan::ExprPtr> bind_array(const sql::Array& array);
  Result<plan::ExprPtr> bind_array_query(const sql::ArrayQuery& array);
  Result<plan::ExprPtr> bind_case(const sql::Case& c);
  Result<plan::ExprPtr> bind_cast(const sql::Cast& cast);
  Result<plan::ExprPtr> bind_field(const sql::Field& field);
  Result<plan::ExprPtr> bind_subscript(const sql::Subscript& subscript);
  Result<plan::ExprPtr> bind_binary(const sql::Binary& binary);
  Result<plan::ExprPtr> bind_rows(const std::string& op, const sql::Expr& left, const sql::Expr& right, sql::Position position);
  Result<std::vector<plan::ExprPtr>> bind_row_items(const sql::Expr& expr);
  Result<plan::QueryPtr> bind_nested(const sql::Query& query);

  // operators.cpp
  enum class Conversion : uint8_t { kImplicit, kAssignment, kExplicit };
  /// Takes its argument by reference on purpose: callers write convert(std::move(e), type of e).
  Result<plan::ExprPtr> convert(const plan::ExprPtr& from_expr, const sql::Type& to, Conversion how, sql::Position position = 0);
  Result<plan::ExprPtr> convert_text(const plan::Expr& constant, const sql::Type& to, Conversion how, sql::Position position);
  Result<plan::ExprPtr> convert_number(const plan::ExprPtr& constant, const sql::Type& to);
  Result<plan::ExprPtr> convert_zoned(plan::ExprPtr expr, const sql::Type& to, Conversion how);
  Result<plan::ExprPtr> convert_reg(plan::ExprPtr expr, const sql::Type& to, sql::Position position);
  Result<plan::ExprPtr> text_to_array(const std::string& text, const sql::Type& to, sql::Position position);
  Result<plan::ExprPtr> text_to_oid(const std::string& text, const sql::Type& to, sql::Position position);
  Result<plan::ExprPtr> finish(const plan::ExprPtr& expr);  // an untyped literal or parameter becomes varchar
  Result<plan::ExprPtr> comparison(const std::string& op, plan::ExprPtr a, plan::ExprPtr b, sql::Position position);
  Result<plan::ExprPtr> operate(const std::string& op, plan::ExprPtr a, plan::ExprPtr b, sql::Position position);
  Result<plan::ExprPtr> arithmetic(char op, plan::ExprPtr a, plan::ExprPtr b, sql::Position position);
  Result<plan::ExprPtr> date_arithmetic(char op, plan::ExprPtr a, plan::ExprPtr b, sql::Position position);
  Result<plan::ExprPtr> concatenate(plan::ExprPtr a, plan::ExprPtr b, sql::Position position);
  Result<sql::Type> unify(std::vector<plan::ExprPtr>& exprs, const char* what, sql::Position position);
  std::unexpected<Error> no_operator(const std::string& op, const plan::ExprPtr& a, const plan::ExprPtr& b,
                                     sql::Position position);
  plan::ExprPtr with_parameter_type(const plan::Expr& parameter, const sql::Type& type);

  // calls.cpp
  Result<plan::ExprPtr> bind_call(const sql::FunctionCall& call);
  Result<std::optional<plan::ExprPtr>> bind_special(const sql::FunctionCall& call);
  Result<std::vector<plan::ExprPtr>> bind_args(const std::vector<sql::ExprPtr>& args);
  Result<plan::ExprPtr> bind_decode(const sql::FunctionCall& call);
  Result<plan::ExprPtr> bind_current(const sql::FunctionCall& call, bool& known);
  Result<plan::ExprPtr> bind_zone_call(const sql::FunctionCall& call);
  Result<plan::ExprPtr> bind_extract(const sql::FunctionCall& call);
  Result<plan::ExprPtr> bind_host_call(const sql::FunctionCall& call, std::vector<plan::ExprPtr> args);
  Result<plan::ExprPtr> host_call(std::string_view name, std::vector<plan::ExprPtr> args, sql::Position position);
  Result<plan::ExprPtr> bind_aggregate(const sql::FunctionCall& call, const Function* f, std::vector<plan::ExprPtr> args);
  Result<plan::ExprPtr> bind_window_call(const sql::FunctionCall& call, plan::Expr inner, bool aggregate, bool takes_frame);
  Result<std::shared_ptr<plan::Window>> bind_window(const sql::WindowSpec& spec);
  Result<std::vector<plan::SortKey>> bind_sort_keys(const std::vector<sql::OrderItem>& items);
  Result<const Function*> choose(const sql::FunctionCall& call, std::span<const Function* const> candidates,
                                 const std::vector<plan::ExprPtr>& args, const std::vector<std::string_view>& words);
  Result<void> convert_args(const Function& f, std::vector<plan::ExprPtr>& args, sql::Position position);
  static sql::Type result_type(const Function& f, const std::vector<plan::ExprPtr>& args);
  std::unexpected<Error> no_function(const sql::FunctionCall& call, const std::vector<plan::ExprPtr>& args);
  plan::ExprPtr session_time(int64_t micros_since_2000);
  plan::ExprPtr zone() const;
  std::string database_path_schemas(bool with_system) const;

  // dml.cpp
  Result<void> bind_insert(const sql::Insert& insert);
  Result<void> bind_update(const sql::Update& update);
  Result<void> bind_delete(const sql::Delete& del);
  Result<void> bind_merge(const sql::Merge& merge);
  Result<void> bind_create_table_as(const sql::CreateTableAs& create);
  Result<void> bind_create_view(const sql::CreateView& create);
  Result<Bound> bind_target(const Relation& relation, const std::string& alias);
  Result<plan::ExprPtr> default_of(const Column& column);
  Result<plan::Assignment> assign(const Column& column, plan::ExprPtr value, sql::Position position);
  Result<std::vector<plan::Assignment>> bind_assignments(const Relation& relation, const std::vector<sql::Assignment>& list);
  Result<std::vector<const Column*>> insert_columns(const Relation& relation, const std::vector<sql::Identifier>& names);
  Result<std::vector<plan::Assignment>> complete_row(const Relation& relation, const std::vector<const Column*>& columns,
                                                     const std::vector<plan::ExprPtr>& values,
                                                     const std::vector<sql::Position>& at);
  Result<void> bind_insert_source(const sql::Insert& insert, const std::vector<const Column*>& columns);

  // row_security.cpp
  Result<void> secure_scan(const Relation& relation, plan::From& from);
  Result<void> secure_target(const Relation& relation);
  Result<plan::ExprPtr> row_condition(const Relation& relation, const RowSecurity& security, int id);
  Result<plan::ExprPtr> bind_policy(const Policy& policy, const Relation& relation, int id);
  Result<Bound> bind_lookup(const Relation& relation, const sql::TableRef& ref, std::string_view name);
  Result<void> check_session_for_rls(const Relation& relation) const;
  Result<void> authorise();

  std::unexpected<Error> error(const ErrorKind& kind, std::string message, sql::Position position) const;
  Result<void> check_weight(uint64_t weight) const;
  Result<void> finish_statement();

  const Scope& scope_;
  plan::Statement out_;
  Context context_;
  Level* level_ = nullptr;
  Place place_ = Place::kSelect;
  int next_id_ = 1;
  int next_cte_ = 1;
  std::vector<sql::Type> parameters_;
  std::map<int, Scan> scans_;
  std::set<Oid> reads_, writes_, views_;
  std::map<Oid, std::set<int16_t>> lookups_;  // what policies read
  std::set<Oid> named_;                       // what the statement itself reads or writes
  std::vector<std::function<void()>> edits_;  // CREATE VIEW: what makes its text independent of the session
  std::map<std::string, Oid> pins_;

  friend class PlaceScope;
};

/// Sets a member for the life of a block.
template <class T>
class Restore {
 public:
  Restore(T& slot, T value) : slot_(slot), before_(std::move(slot)) { slot_ = std::move(value); }
  ~Restore() { slot_ = std::move(before_); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T& slot_;
  T before_;
};

}  // namespace redoubt::warehouse::secure
