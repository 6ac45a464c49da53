#pragma once
/// The emitter's inside; others use emit.h. emit.cpp writes statements and queries, emit_expr.cpp expressions and
/// conversions, emit_functions.cpp what each function of secure/functions.h is in DuckDB.
///
/// Invariant: the text written for an expression has exactly the type duckdb_type(expr.type).
#include <map>
#include <optional>
#include <string>

#include "warehouse/engine/duckdb/emit.h"

namespace redoubt::warehouse::engine {

class Emitter {
 public:
  explicit Emitter(const EmitOptions& options) : options_(options) {}
  Result<Emitted> run(const secure::plan::Statement& statement);
  Result<std::string> authorised(const secure::plan::Authorised& authorised);

 private:
  using Expr = secure::plan::Expr;
  using Query = secure::plan::Query;

  // emit.cpp
  void top_query(const Query& query, const std::vector<secure::plan::Output>& columns);
  void query(const Query& query, bool top = false);
  void with(const std::vector<secure::plan::Cte>& ctes);
  void select(const Query& query, bool top);
  void values(const Query& query);
  void order_and_limit(const Query& query);
  void from(const secure::plan::From& from, bool lateral);
  void table_function(const secure::plan::From& from);
  void insert(const secure::plan::Statement& s);
  void update(const secure::plan::Statement& s);
  void remove(const secure::plan::Statement& s);
  void merge(const secure::plan::Statement& s);
  void assignments(const std::vector<secure::plan::Assignment>& list);
  void assigned_value(const secure::plan::Assignment& a);

  // emit_secured.cpp
  void secured_scan(const std::string& physical_name, int id, int secured_id, const Expr& condition,
                    const std::vector<secure::plan::ScanColumn>& columns, bool with_rowid);
  void secured_target(const secure::plan::Target& target);
  void secured_rows(const secure::plan::Statement& s);
  void secured_update(const secure::plan::Statement& s);
  void secured_remove(const secure::plan::Statement& s);
  void secured_merge(const secure::plan::Statement& s);
  void merge_actions(const secure::plan::Statement& s);
  void count_cte_uses(const secure::plan::Statement& s);

  std::string physical(std::string_view name) const;
  void column_list(int id, size_t count);

  // emit_expr.cpp
  void expr(const Expr& e);
  void constant(const Expr& e);
  void cast(const Expr& e);
  /// `x` is the text of a value of type `from`.
  std::string cast_text(const std::string& x, const sql::Type& from, const sql::Type& to, secure::plan::Coercion coercion,
                        bool lenient = false);
  std::string to_string(const std::string& x, const sql::Type& from);
  std::string from_string(const std::string& x, const sql::Type& to, secure::plan::Coercion coercion, bool lenient);
  std::string fit_string(const std::string& x, const sql::Type& from, const sql::Type& to, secure::plan::Coercion coercion);
  void quantified(const Expr& e);
  void host_call(const Expr& e);
  void sort_keys(const std::vector<secure::plan::SortKey>& keys);
  std::string text_of(const Expr& e);
  std::string over(const secure::plan::Window& window);

  // emit_functions.cpp
  void call(const Expr& e);
  void aggregate(const Expr& e, const std::string& over);
  void window(const Expr& e);
  bool operator_call(const Expr& e);
  bool date_call(const Expr& e);
  bool number_call(const Expr& e);
  bool string_call(const Expr& e);

  void fail_with(const ErrorKind& kind, std::string message);

  const EmitOptions& options_;
  std::string out_;
  std::map<int, int> parameter_index_;
  Emitted emitted_;
  std::optional<Error> error_;
  secure::Oid target_relation_ = 0;
  std::string target_physical_;
  int next_name_ = 1;
  std::map<std::pair<int, int>, std::string> renamed_;  // (leaf, column) -> what it is called where the text is now
  std::map<int, int> cte_uses_;                         // counted in statements over protected tables
};

/// May `text` stand in a literal: UTF-8 without NUL?
bool valid_text(std::string_view text);
/// 'text' with its quotes doubled.
std::string literal(std::string_view text);
/// For a test: does emit_functions.cpp know this function id (or do our own functions provide it)?
bool is_template(std::string_view id);

}  // namespace redoubt::warehouse::engine
