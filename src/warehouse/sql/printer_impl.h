#pragma once
/// The printer behind printer.h; include that instead. Appends to one string; print_x() per kind of node, grouped as the
/// headers of the AST are: printer_expr, printer_query, printer_command, printer_object, printer_security .cpp.
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/lexer.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::sql {

class Printer {
 public:
  std::string take() { return std::move(out_); }

  // ---- printer_expr.cpp
  void expr(const Expr& expr);
  void query(const Query& query);        // printer_query.cpp
  void command(const Command& command);  // printer_command.cpp
  void name(const ObjectName& name);

 private:
  void put(std::string_view text) { out_ += text; }
  /// Always quoted, as Redshift's own deparser does: no word is ever taken for a keyword.
  void identifier(std::string_view text);
  void literal(std::string_view text) { out_ += quote_literal(text); }
  void number(int64_t value) { out_ += std::to_string(value); }
  template <class List, class Item>
  void list(const List& items, Item item, std::string_view separator = ", ") {
    bool first = true;
    for (const auto& each : items) {
      if (!first) put(separator);
      first = false;
      item(each);
    }
  }
  void names(const std::vector<ObjectName>& names) {
    list(names, [&](const ObjectName& each) { name(each); });
  }
  void identifiers(const std::vector<Identifier>& names) {
    list(names, [&](const Identifier& each) { identifier(each.text); });
  }
  void identifiers(const std::vector<std::string>& names) {
    list(names, [&](const std::string& each) { identifier(each); });
  }
  void parenthesized(const std::vector<Identifier>& names) { put("("), identifiers(names), put(")"); }
  void exprs(const std::vector<ExprPtr>& list_of) {
    list(list_of, [&](const ExprPtr& each) { expr(*each); });
  }

  // ---- printer_expr.cpp
  void literal_value(const Literal& literal);
  void typed_literal(const TypedLiteral& literal);
  void operator_name(std::string_view op, std::string_view schema);
  void binary(const Binary& binary);
  void postfix_base(const Expr& base, bool subscript);
  void call(const FunctionCall& call);
  void function_name(const ObjectName& function, bool as_is = false);
  void call_arguments(const FunctionCall& call);
  void window(const WindowSpec& window);
  void frame_bound(WindowFrame::Bound bound, const ExprPtr& offset);
  void order_by(const std::vector<OrderItem>& items);
  void case_when(const Case& node);

  // ---- printer_query.cpp
  void with(const With& with);
  void select(const Select& select);
  void select_item(const SelectItem& item);
  void grouping(const GroupingElement& element);
  void set_operand(const Query& query, const Query& parent, bool left);
  void table_refs(const std::vector<TableRefPtr>& refs);
  void table_ref(const TableRef& ref, bool operand = false);
  void alias(const TableRef& ref);
  void join(const Join& join);

  // ---- printer_command.cpp: data, sessions and transactions
  void insert(const Insert& insert);
  void update(const Update& update);
  void delete_from(const Delete& command);
  void merge(const Merge& merge);
  void assignments(const std::vector<Assignment>& list_of);
  void copy_options(const std::vector<CopyOption>& options);
  void copy_stdio(const CopyStdio& copy);
  void transaction(const Transaction& transaction);
  void transaction_modes(const TransactionModes& modes);
  void set(const Set& set);
  void set_values(const std::vector<SetValue>& values);
  void setting_name(std::string_view name);
  void setting(const Setting& setting);
  void reset(const Reset& reset);
  void show_objects(const ShowObjects& show);
  void show_grants(const ShowObjects& show);
  void show_args(const ShowObjects& show);
  void show_from(const ShowObjects& show);
  void show_filters(const ShowObjects& show);
  void show_name(const std::vector<ShowPart>& name);
  void show_part(const ShowPart& part, bool text);
  void prepare(const Prepare& prepare);
  void vacuum(const Vacuum& vacuum);
  void analyze(const Analyze& analyze);

  // ---- printer_object.cpp
  void object_command(const Command& command);
  void create_table(const CreateTable& table);
  void create_table_as(const CreateTableAs& create);
  void create_view(const CreateView& view);
  void column_definition(const ColumnDefinition& column);
  void constraint(const TableConstraint& constraint);
  void references(const References& references);
  void table_attributes(const TableAttributes& attributes);
  void sort_key(SortStyle style, const std::vector<Identifier>& columns);
  void alter_table(const AlterTable& alter);
  void alter_action(const AlterAction& action);
  void drop(const Drop& drop);
  void quota(const Quota& quota);
  void database_options(const DatabaseOptions& options);
  void routine_name(const RoutineName& routine);
  void routine_arg(const RoutineArg& arg);
  void create_routine(const CreateRoutine& routine);
  void comment(const Comment& comment);

  // ---- printer_security.cpp
  void security_command(const Command& command);
  void user_options(const UserOptions& options);
  void alter_user(const AlterUser& user);
  void alter_role(const AlterRole& role);
  void grant(const Grant& grant);
  void privileges(const std::vector<PrivilegeSpec>& privileges);
  void grantees(const std::vector<Grantee>& grantees, std::string_view option);
  void alter_default_privileges(const AlterDefaultPrivileges& alter);
  void policy_columns(const std::vector<PolicyColumn>& columns);

  std::string out_;
};

std::string_view object_kind_name(ObjectKind kind);  // "MATERIALIZED VIEW"
std::string_view dist_style_name(DistStyle style);

}  // namespace redoubt::warehouse::sql
