#pragma once
/// Variables of a plpgsql body and the SQL inside it: what parse_plpgsql.cpp's statements are made of. Include plpgsql.h instead.
#include <algorithm>
#include <map>

#include "warehouse/sql/parser_impl.h"
#include "warehouse/sql/plpgsql.h"

namespace redoubt::warehouse::sql::plpgsql {

/// The SQL parser, in which names of variables are parameters.
class BodyNames : public Parser {
 public:
  BodyNames(const BodyText& body, const ParseOptions& options) : Parser(body.text, options) {
    add_variable({.name = "found", .type = TypeKind::kBoolean});
    Scope scope{.label = std::string(body.name), .names = {{"found", kFound}}};
    for (auto& argument : body.arguments) {
      bool cursor = argument.type.is(TypeKind::kRefCursor);
      int index = add_variable(
          {.name = argument.name, .kind = cursor ? Variable::Kind::kCursor : Variable::Kind::kScalar, .type = argument.type});
      out_.arguments.push_back(index);
      if (!argument.name.empty() && !scope.names.emplace(argument.name, index).second)
        raise(kSyntaxError, "parameter name \"" + argument.name + "\" used more than once", argument.position);
    }
    scopes_.push_back(std::move(scope));
    body_ = body.text;
  }

  int line_of(size_t offset) const {
    size_t first = body_.starts_with("\r\n") ? 2 : body_.starts_with("\n") || body_.starts_with("\r") ? 1 : 0;
    if (offset <= first) return 1;
    return 1 + int(std::count(body_.begin() + ptrdiff_t(first), body_.begin() + ptrdiff_t(std::min(offset, body_.size())), '\n'));
  }

 protected:
  struct Scope {
    std::string label;
    std::map<std::string, int, std::less<>> names;
    bool loop = false;
  };

  // ---- variables

  int add_variable(Variable variable) {
    if (out_.variables.size() >= kVariablesMax)
      raise(kTooComplex, "a procedure can have at most " + std::to_string(kVariablesMax) + " variables", 1);
    out_.variables.push_back(std::move(variable));
    return int(out_.variables.size() - 1);
  }

  Variable& variable(int index) { return out_.variables[size_t(index)]; }

  int find_variable(std::string_view name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (auto at = scope->names.find(name); at != scope->names.end()) return at->second;
    return -1;
  }

  int find_in_label(std::string_view label, std::string_view name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (scope->label != label) continue;
      auto at = scope->names.find(name);
      return at == scope->names.end() ? -1 : at->second;
    }
    return -1;
  }

  bool at_name(size_t n) { return peek(n).is_word() || peek(n).kind == TokenKind::kQuoted; }

  /// What the next tokens name, and how many they are; 0 if it isn't a variable.
  size_t find_place(Place& place) {
    if (peek().kind == TokenKind::kParameter) {
      size_t n = size_t(peek().number);
      if (n > out_.arguments.size()) raise(kSyntaxError, "there is no parameter $" + std::to_string(n), peek().position);
      place = {out_.arguments[n - 1], ""};
      return 1;
    }
    if (!at_identifier()) return 0;
    if (!at_op(".", 1)) {
      place = {find_variable(peek().text), ""};
      return place.variable < 0 ? 0 : 1;
    }
    if (!at_name(2)) return 0;
    int first = find_variable(peek().text);
    if (first >= 0 && variable(first).is_record()) {
      place = {first, peek(2).text};
      return 3;
    }
    int labelled = find_in_label(peek().text, peek(2).text);
    if (labelled < 0) return 0;
    if (variable(labelled).is_record() && at_op(".", 3) && at_name(4)) {
      place = {labelled, peek(4).text};
      return 5;
    }
    place = {labelled, ""};
    return 3;
  }

  /// The variable that an assignment or INTO names.
  Place parse_place() {
    Place place;
    size_t tokens = find_place(place);
    if (tokens == 0) {
      if (!at_identifier()) syntax_error();
      raise(kSyntaxError, "\"" + peek().text + "\" is not a known variable", peek().position);
    }
    if (variable(place.variable).constant)
      raise(kErrorInAssignment, "\"" + variable(place.variable).name + "\" is declared CONSTANT", peek().position);
    for (size_t i = 0; i < tokens; ++i) take();
    return place;
  }

  /// One record, or a list of scalars and fields.
  Target parse_target() {
    if (at("strict") && find_variable("strict") < 0) not_supported("INTO STRICT");
    Target target;
    Position position = peek().position;
    do target.push_back(parse_place());
    while (accept_op(","));
    if (target.size() > 1)
      for (auto& place : target)
        if (place.field.empty() && variable(place.variable).is_record())
          raise(kSyntaxError, "record variable cannot be part of multiple-item INTO list", position);
    return target;
  }

  int parse_cursor_variable() {
    Position position = peek().position;
    Place place;
    size_t tokens = find_place(place);
    if (tokens == 0) {
      if (!at_identifier()) syntax_error();
      raise(kSyntaxError, "\"" + peek().text + "\" is not a known variable", position);
    }
    if (variable(place.variable).kind != Variable::Kind::kCursor)
      raise(kDatatypeMismatch, "variable \"" + peek().text + "\" must be of type cursor or refcursor", position);
    for (size_t i = 0; i < tokens; ++i) take();
    return place.variable;
  }

  // ---- SQL inside

  /// LOOP ends a query, so it can't be an alias in one.
  bool at_identifier(size_t n = 0) override { return !at("loop", n) && Parser::at_identifier(n); }

  ExprPtr parse_variable() override {
    if (!sql_) return nullptr;
    if (peek().kind != TokenKind::kParameter && (at_op("(", 1) || at_string(1))) return nullptr;
    Place place;
    size_t tokens = find_place(place);
    if (tokens == 0) return nullptr;
    if (place.field.empty() && variable(place.variable).is_record())
      not_supported("record variable \"" + variable(place.variable).name + "\" as a value: name one of its fields; this");
    auto at = std::find(sql_->parameters.begin(), sql_->parameters.end(), place);
    if (at == sql_->parameters.end()) at = sql_->parameters.insert(at, place);
    auto parameter = make<Parameter>();
    parameter->number = int(at - sql_->parameters.begin()) + 1;
    size_t begin = peek().begin;
    for (size_t i = 0; i < tokens; ++i) take();
    edits_.push_back({{begin, last_end_}, " $" + std::to_string(parameter->number) + " "});
    return parameter;
  }

  template <class Rule>
  SqlPtr parse_sql(Rule rule, std::string_view prefix = "") {
    auto sql = std::make_unique<Sql>();
    sql_ = sql.get();
    edits_.clear();
    secrets_.clear();
    size_t begin = peek().begin;
    Position position = peek().position;
    sql->statement.command = rule();
    sql->statement.command->position = position;
    sql_ = nullptr;
    for (Span secret : secrets_) edits_.push_back({secret, "'***'"});
    std::sort(edits_.begin(), edits_.end(), [](auto& a, auto& b) { return a.span.begin < b.span.begin; });
    sql->text = prefix;
    size_t next = begin;
    for (auto& edit : edits_) {
      if (edit.span.begin < next || edit.span.end > last_end_) continue;
      sql->text += body_.substr(next, edit.span.begin - next) + edit.text;
      next = edit.span.end;
    }
    sql->text += body_.substr(next, last_end_ - next);
    sql->statement.text = sql->text;
    sql->statement.parameters = int(sql->parameters.size());
    return sql;
  }

  static CommandPtr select_of(ExprPtr expr) {
    auto query = std::make_unique<Query>();
    query->position = expr->position;
    SelectItem item;
    item.position = expr->position;
    item.expr = std::move(expr);
    query->select.items.push_back(std::move(item));
    auto command = std::make_unique<SelectCommand>();
    command->query = std::move(query);
    return command;
  }

  SqlPtr parse_expression() {
    return parse_sql([&] { return select_of(parse_expr()); }, "SELECT ");
  }

  /// Words of the current statement at its outermost level.
  size_t find_word(std::string_view word) {
    int depth = 0;
    for (size_t n = 0;; ++n) {
      const Token& token = peek(n);
      if (token.kind == TokenKind::kEnd || token.is(";")) return 0;
      if (token.is("(") || token.is("[")) ++depth;
      if (token.is(")") || token.is("]")) --depth;
      if (depth == 0 && n > 0 && token.is_word(word)) return n;
    }
  }

  /// A SELECT whose first word was taken or never written.
  CommandPtr parse_rest_of_select() {
    Token select{.kind = TokenKind::kWord, .text = "select"};
    select.begin = select.end = peek().begin;
    select.position = peek().position;
    ahead_.push_front(std::move(select));
    auto command = std::make_unique<SelectCommand>();
    command->query = parse_query();
    return command;
  }

  /// The right side of an assignment: `a + 1`, also `max(a) FROM t WHERE ..`.
  SqlPtr parse_assigned() {
    if (find_word("from")) return parse_sql([&] { return parse_rest_of_select(); }, "SELECT ");
    return parse_expression();
  }

  SqlPtr parse_query_sql() {
    return parse_sql([&]() -> CommandPtr {
      auto command = std::make_unique<SelectCommand>();
      command->query = parse_query();
      return command;
    });
  }

  bool at_select() { return at_any({"select", "with", "values"}) || (at_op("(") && at_any({"select", "with"}, 1)); }

  void end_statement() { expect_op(";"); }

  template <class T>
  std::unique_ptr<T> node() {
    auto out = std::make_unique<T>();
    out->line = line_of(peek().begin);
    return out;
  }

  /// Takes INTO and its targets out of the middle of a SELECT.
  Target take_into(size_t into) {
    std::deque<Token> before(std::make_move_iterator(ahead_.begin()), std::make_move_iterator(ahead_.begin() + ptrdiff_t(into)));
    ahead_.erase(ahead_.begin(), ahead_.begin() + ptrdiff_t(into));
    size_t begin = peek().begin;
    take();
    Target target = parse_target();
    take_into_edit_ = Edit{{begin, std::max(last_end_, peek().begin)}, ""};
    ahead_.insert(ahead_.begin(), std::make_move_iterator(before.begin()), std::make_move_iterator(before.end()));
    return target;
  }

  struct Edit {
    Span span;
    std::string text;
  };

  std::string body_;
  Body out_;
  std::vector<Scope> scopes_;
  Sql* sql_ = nullptr;
  std::vector<Edit> edits_;  // of the current Sql's text
  std::optional<Edit> take_into_edit_;
};

}  // namespace redoubt::warehouse::sql::plpgsql
