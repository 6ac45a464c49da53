#pragma once
/// The recursive-descent parser behind parser.h; include that instead. One parse_x() per grammar rule, grouped by file:
/// parse_expr, parse_call, parse_query, parse_type, parse_data, parse_copy, parse_table, parse_object, parse_session, parse_show,
/// parse_security, parse_plpgsql .cpp.
///
/// Inside, an error is thrown as Failure and caught at parser.cpp's entry points: hundreds of rules that can each fail at
/// every token stay readable, and nothing crosses the room's boundary.
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/errors.h"
#include "warehouse/sql/lexer.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::sql {

struct Failure {
  Error error;
};

class Parser {
 public:
  virtual ~Parser() = default;
  Parser(std::string_view text, const ParseOptions& options)
      : text_(text), options_(options), lexer_(text, {options.case_sensitive_identifiers, options.max_bytes}) {}

  // ---- parser.cpp: entry points
  std::vector<Statement> parse_statements();
  Statement parse_statement();
  void expect_end();

  // ---- parse_expr.cpp
  ExprPtr parse_expr(int min_power = 0);
  /// Continues an expression whose first operand has already been read.
  ExprPtr parse_operators(ExprPtr left, int min_power);
  std::vector<ExprPtr> parse_expr_list();  // a, b: without parentheses

  // ---- parse_query.cpp
  QueryPtr parse_query();
  /// After '(': a query if it is one, else an expression. Stops before ')' or ','.
  std::variant<QueryPtr, ExprPtr> parse_query_or_expr();

  // ---- parse_type.cpp
  enum class TypeUse : uint8_t { kExpression, kColumn };  // a column gets Redshift's default lengths
  Type parse_type(TypeUse use = TypeUse::kExpression);

  // ---- names (parser.cpp)
  Identifier parse_identifier();                              // not a reserved word
  Identifier parse_label();                                   // any word: after AS
  Identifier parse_role_name();                               // also sys:operator without quotes
  ObjectName parse_object_name();                             // up to three parts
  std::vector<Identifier> parse_identifier_list();            // a, b
  std::vector<Identifier> parse_parenthesized_identifiers();  // (a, b)
  std::vector<ObjectName> parse_object_names();

 protected:  // parse_plpgsql.cpp builds on the rules
  using Rule = CommandPtr (Parser::*)();

  /// Counts nesting, so that neither we nor those who walk the tree run out of stack. See max_depth and max_height.
  class Nest {
   public:
    explicit Nest(Parser& parser);
    ~Nest();

   private:
    Parser& parser_;
    int outer_height_, outer_nesting_;
  };
  void grow();       // one more link in a left-deep chain that is printed flat: a || b || c, UNION, JOIN, x::t::t
  void grow_deep();  // one more link that is printed with parentheses: a IS NULL IS NULL

  // ---- tokens (parser.cpp)
  const Token& peek(size_t n = 0);
  Token take();
  bool at(std::string_view word, size_t n = 0) { return peek(n).is_word(word); }
  bool at_op(std::string_view op, size_t n = 0) { return peek(n).is(op); }
  bool at_words(std::initializer_list<std::string_view> words);
  bool at_any(std::initializer_list<std::string_view> words, size_t n = 0);
  virtual bool at_identifier(size_t n = 0);
  bool at_string(size_t n = 0) { return peek(n).kind == TokenKind::kString; }
  bool accept(std::string_view word);
  bool accept_words(std::initializer_list<std::string_view> words);
  bool accept_op(std::string_view op);
  void expect(std::string_view word);
  void expect_words(std::initializer_list<std::string_view> words);
  void expect_op(std::string_view op);
  std::string expect_string();
  std::string expect_secret();  // a string that logs must not show
  int64_t expect_integer();     // optional sign
  [[noreturn]] void syntax_error() { syntax_error(peek()); }
  [[noreturn]] void syntax_error(const Token& token);
  [[noreturn]] void not_supported(const std::string& what, Position position);
  [[noreturn]] void not_supported(const std::string& what) { not_supported(what, peek().position); }
  [[noreturn]] void too_deep();
  [[noreturn]] void raise(const ErrorKind& kind, std::string message, Position position);
  std::string text_since(size_t begin) const { return std::string(text_.substr(begin, last_end_ - begin)); }
  bool accept_if_exists() { return accept_words({"if", "exists"}); }
  bool accept_if_not_exists() { return accept_words({"if", "not", "exists"}); }
  bool accept_cascade();  // [CASCADE | RESTRICT]
  CommandPtr parse_command();

  template <class T>
  std::unique_ptr<T> make() {
    auto node = std::make_unique<T>();
    node->position = peek().position;
    return node;
  }

  // ---- parse_expr.cpp
  ExprPtr parse_prefix();
  ExprPtr parse_postfix(ExprPtr base);
  ExprPtr parse_primary();
  /// What a name or $n means to who embeds SQL: null for what it means to SQL itself.
  virtual ExprPtr parse_variable() { return nullptr; }
  ExprPtr parse_parenthesized();
  ExprPtr parse_word();
  ExprPtr parse_name_or_call();
  ExprPtr parse_interval();
  ExprPtr parse_case();
  ExprPtr parse_cast();
  ExprPtr parse_array();
  ExprPtr parse_typed_literal();
  bool at_typed_literal();
  ExprPtr parse_is(ExprPtr left, Position position);
  ExprPtr parse_in(ExprPtr left, bool negated, Position position);
  ExprPtr parse_between(ExprPtr left, bool negated, Position position);
  ExprPtr parse_like(ExprPtr left, bool negated, Position position);
  ExprPtr parse_quantified(ExprPtr left, std::string op, std::string schema, Position position);
  ExprPtr parse_binary(ExprPtr left, int power, bool right_associative);
  std::string parse_operator_name(std::string& schema);

  // ---- parse_call.cpp
  ExprPtr parse_special_call(std::string_view word);
  ExprPtr parse_extract(std::unique_ptr<FunctionCall> call);
  ExprPtr parse_trim(std::unique_ptr<FunctionCall> call);
  std::unique_ptr<FunctionCall> parse_call(ObjectName name);
  void parse_call_tail(FunctionCall& call);
  std::unique_ptr<WindowSpec> parse_window();
  WindowFrame parse_frame();
  WindowFrame::Bound parse_frame_bound(ExprPtr& offset);

  // ---- parse_query.cpp
  bool at_query();
  With parse_with();
  QueryPtr parse_set_operations(QueryPtr left, int min_power);
  QueryPtr parse_query_primary();
  QueryPtr parse_query_tail(QueryPtr query);
  QueryPtr parse_values();
  QueryPtr parse_select();
  SelectItem parse_select_item();
  std::vector<OrderItem> parse_order_by();
  GroupingElement parse_grouping_element();
  std::vector<TableRefPtr> parse_from();
  TableRefPtr parse_table_ref();
  TableRefPtr parse_joins(TableRefPtr left);
  TableRefPtr parse_table_primary();
  std::variant<QueryPtr, TableRefPtr> parse_from_parenthesized();
  TableRefPtr finish_subquery(QueryPtr query, Position position);
  void parse_alias(TableRef& ref, std::vector<ColumnDef>* definitions = nullptr);
  bool at_alias();

  // ---- parse_data.cpp
  CommandPtr parse_query_command();
  CommandPtr parse_with_command();
  CommandPtr parse_insert();
  CommandPtr parse_update(With with);
  CommandPtr parse_delete(With with);
  CommandPtr parse_update_command() { return parse_update({}); }
  CommandPtr parse_delete_command() { return parse_delete({}); }
  CommandPtr parse_merge();
  MergeClause parse_merge_clause();
  CommandPtr parse_truncate();
  std::vector<Assignment> parse_assignments();
  ExprPtr parse_value();  // expression or DEFAULT
  std::string parse_target_alias();

  // ---- parse_copy.cpp
  CommandPtr parse_copy();
  CommandPtr parse_copy_stdio(std::unique_ptr<CopyStdio> copy);
  CommandPtr parse_unload();
  std::vector<CopyOption> parse_copy_options(bool unload);
  CopyOption parse_copy_option(bool unload);
  void parse_format(CopyOption& option, bool unload);
  CopyOption parse_stdio_option();

  // ---- parse_table.cpp
  CommandPtr parse_create_table(bool temporary);
  void parse_table_element(CreateTable& table, std::vector<Identifier>& bare_names);
  ColumnDefinition parse_column_definition(Identifier name);
  void parse_column_attributes(ColumnDefinition& column);
  References parse_references();
  TableConstraint parse_table_constraint();
  bool at_table_constraint();
  void parse_table_attributes(TableAttributes& attributes);
  bool parse_table_attribute(TableAttributes& attributes);
  DistStyle parse_dist_style();
  CommandPtr parse_create_view(bool or_replace, bool materialized);
  CommandPtr parse_alter_table(AlterTable::Target target);
  AlterAction parse_alter_action(AlterTable::Target target);
  void parse_alter_add(AlterAction& action);
  void parse_alter_alter(AlterAction& action);
  void parse_row_level_security(AlterAction& action);
  bool parse_on_off();
  std::string parse_encoding();

  // ---- parse_object.cpp
  CommandPtr parse_create();
  CommandPtr parse_alter();
  CommandPtr parse_drop();
  CommandPtr parse_create_schema();
  CommandPtr parse_alter_schema();
  CommandPtr parse_create_database();
  CommandPtr parse_alter_database();
  CommandPtr parse_create_routine(bool or_replace, bool procedure);
  CommandPtr parse_alter_routine(bool procedure);
  CommandPtr parse_comment();
  CommandPtr parse_refresh();
  void parse_database_option(DatabaseOptions& options);
  Quota parse_quota();
  int64_t parse_limit_or_unlimited();
  RoutineName parse_routine_name();
  std::vector<RoutineArg> parse_routine_args();
  RoutineArg parse_routine_arg();
  ObjectKind parse_object_kind();
  [[noreturn]] void unsupported_object(std::string_view command);

  // ---- parse_session.cpp
  CommandPtr parse_transaction();
  TransactionModes parse_transaction_modes();
  CommandPtr parse_set();
  CommandPtr parse_reset();
  Setting parse_setting();
  std::string parse_setting_name();
  std::vector<SetValue> parse_set_values();
  CommandPtr parse_use();
  CommandPtr parse_discard();
  CommandPtr parse_prepare();
  CommandPtr parse_execute();
  CommandPtr parse_deallocate();
  CommandPtr parse_declare();
  CommandPtr parse_fetch();
  CommandPtr parse_close();
  CommandPtr parse_call_command();
  CommandPtr parse_explain();
  CommandPtr parse_lock();
  CommandPtr parse_vacuum();
  CommandPtr parse_analyze();
  CommandPtr parse_cancel();

  // ---- parse_show.cpp
  CommandPtr parse_show();
  bool parse_show_objects(ShowObjects& show);
  bool parse_show_from(ShowObjects& show);
  void parse_show_grants(ShowObjects& show);
  void parse_show_filters(ShowObjects& show);
  ShowPart parse_show_part();
  std::vector<ShowPart> parse_show_name();
  void parse_show_args(ShowObjects& show);
  ShowPart parse_show_text();

  // ---- parse_security.cpp
  CommandPtr parse_create_user();
  CommandPtr parse_alter_user();
  bool parse_user_option(UserOptions& options);
  CommandPtr parse_create_group();
  CommandPtr parse_alter_group();
  CommandPtr parse_create_role();
  CommandPtr parse_alter_role();
  CommandPtr parse_grant_command();
  CommandPtr parse_grant(bool revoke);
  void parse_grant_on(Grant& grant);
  void parse_grant_assume_role(Grant& grant);
  void parse_grant_scope(Grant& grant);
  void check_privileges(const std::vector<PrivilegeSpec>& privileges);
  std::vector<PrivilegeSpec> parse_privileges();
  std::vector<Grantee> parse_grantees();
  CommandPtr parse_alter_default_privileges();
  std::vector<PolicyColumn> parse_policy_columns();
  CommandPtr parse_create_rls_policy();
  CommandPtr parse_alter_rls_policy();
  CommandPtr parse_create_masking_policy(bool or_replace);
  CommandPtr parse_alter_masking_policy();
  CommandPtr parse_attach();
  ObjectName parse_policy_name();

  std::string_view text_;
  ParseOptions options_;
  Lexer lexer_;
  std::deque<Token> ahead_;
  size_t last_end_ = 0;           // byte after the last token taken
  int depth_ = 0;                 // levels above the current rule
  int height_ = 0, nesting_ = 0;  // levels below: with flat chains, and without
  int parameters_ = 0;
  std::vector<Span> secrets_;
  /// SELECT .. INTO of the statement being parsed; allowed in the outermost SELECT only.
  struct IntoTarget {
    ObjectName table;
    bool temporary = false;
  };
  std::optional<IntoTarget> into_;
  bool into_allowed_ = false;
};

/// What most operators bind with. Where a keyword such as AND or NOT NULL may follow, only operators from here on are read.
inline constexpr int kOperatorPower = 9;
/// What an operator binds with; see parse_expr.cpp. 0: no infix operator.
int operator_power(std::string_view op);

}  // namespace redoubt::warehouse::sql
