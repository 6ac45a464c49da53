/// SELECT, set operations, VALUES, WITH, and what FROM lists.
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

bool Parser::at_query() { return at_any({"select", "with", "values"}); }

QueryPtr Parser::parse_query() {
  Nest nest(*this);
  Position position = peek().position;
  With with;
  if (at("with")) with = parse_with();
  QueryPtr query = parse_query_tail(parse_set_operations(parse_query_primary(), 0));
  if (!with.ctes.empty()) {
    if (!query->with.ctes.empty()) raise(kSyntaxError, "multiple WITH clauses not allowed", position);
    query->with = std::move(with);
    query->position = position;
  }
  return query;
}

With Parser::parse_with() {
  expect("with");
  With with;
  with.recursive = accept("recursive");
  do {
    Cte cte;
    cte.position = peek().position;
    cte.name = parse_identifier().text;
    if (at_op("("))
      for (Identifier& column : parse_parenthesized_identifiers()) cte.columns.push_back(std::move(column.text));
    expect("as");
    expect_op("(");
    cte.query = parse_query();
    expect_op(")");
    with.ctes.push_back(std::move(cte));
  } while (accept_op(","));
  return with;
}

/// UNION, EXCEPT and MINUS bind alike and weaker than INTERSECT; all are left associative.
QueryPtr Parser::parse_set_operations(QueryPtr left, int min_power) {
  for (;;) {
    int power = at_any({"union", "except", "minus"}) ? 1 : at("intersect") ? 2 : 0;
    if (power == 0 || power < min_power) return left;
    auto query = std::make_unique<Query>();
    query->kind = Query::Kind::kSetOperation;
    query->position = left->position;
    query->set_operator = at("union") ? SetOperator::kUnion : at("intersect") ? SetOperator::kIntersect : SetOperator::kExcept;
    take();
    query->all = accept("all");
    if (!query->all) accept("distinct");
    query->left = std::move(left);
    query->right = parse_set_operations(parse_query_primary(), power + 1);
    left = std::move(query);
    grow();
  }
}

QueryPtr Parser::parse_query_primary() {
  if (at_op("(")) {
    take();
    QueryPtr query = parse_query();
    expect_op(")");
    return query;
  }
  if (at("values")) return parse_values();
  if (at("table")) {
    auto query = std::make_unique<Query>();
    query->position = take().position;
    auto table = make<TableName>();
    table->name = parse_object_name();
    SelectItem all;
    all.expr = std::make_unique<Star>();
    query->select.items.push_back(std::move(all));
    query->select.from.push_back(std::move(table));
    return query;
  }
  if (!at("select")) syntax_error();
  return parse_select();
}

/// [ORDER BY ..] [LIMIT ..] [OFFSET ..].
QueryPtr Parser::parse_query_tail(QueryPtr query) {
  if (at_words({"order", "by"})) {
    if (!query->order_by.empty()) raise(kSyntaxError, "multiple ORDER BY clauses not allowed", peek().position);
    query->order_by = parse_order_by();
  }
  for (;;) {
    Position position = peek().position;
    if (accept("limit")) {
      if (query->limit) raise(kSyntaxError, "multiple LIMIT clauses not allowed", position);
      if (accept("all")) continue;
      query->limit = parse_expr();
    } else if (accept("offset")) {
      if (query->offset) raise(kSyntaxError, "multiple OFFSET clauses not allowed", position);
      query->offset = parse_expr();
      if (at_any({"row", "rows"})) take();
    } else {
      break;
    }
  }
  if (at("for") && at_any({"update", "share"}, 1)) not_supported("SELECT FOR UPDATE/SHARE");
  return query;
}

QueryPtr Parser::parse_values() {
  auto query = std::make_unique<Query>();
  query->kind = Query::Kind::kValues;
  query->position = peek().position;
  expect("values");
  do {
    Position position = peek().position;
    expect_op("(");
    std::vector<ExprPtr> row;
    do row.push_back(parse_value());
    while (accept_op(","));
    expect_op(")");
    if (!query->rows.empty() && query->rows[0].size() != row.size())
      raise(kSyntaxError, "VALUES lists must all be the same length", position);
    query->rows.push_back(std::move(row));
  } while (accept_op(","));
  return query;
}

QueryPtr Parser::parse_select() {
  auto query = std::make_unique<Query>();
  query->position = peek().position;
  bool outermost = into_allowed_;
  into_allowed_ = false;
  expect("select");
  Select& select = query->select;
  if (accept("distinct")) {
    if (at("on") && at_op("(", 1)) not_supported("SELECT DISTINCT ON");
    select.distinct = true;
  } else {
    accept("all");
  }
  if (accept("top")) {
    if (at_op("("))
      select.top = parse_parenthesized();
    else if (peek().kind == TokenKind::kInteger || peek().kind == TokenKind::kParameter)
      select.top = parse_primary();
    else
      syntax_error();
  }
  do select.items.push_back(parse_select_item());
  while (accept_op(","));
  if (at("into")) {
    if (!outermost) syntax_error();
    take();
    IntoTarget target;
    target.temporary = at_any({"temp", "temporary"});
    if (target.temporary) take();
    accept("table");
    target.table = parse_object_name();
    into_ = std::move(target);
  }
  if (accept("from")) select.from = parse_from();
  if (accept("where")) select.where = parse_expr();
  if (at_words({"start", "with"}) || at_words({"connect", "by"})) not_supported("CONNECT BY");
  if (accept_words({"group", "by"})) {
    if (at("all")) {
      take();
      select.group_by_all = true;
    } else {
      do select.group_by.push_back(parse_grouping_element());
      while (accept_op(","));
    }
  }
  if (accept("having")) select.having = parse_expr();
  if (accept("qualify")) select.qualify = parse_expr();
  return query;
}

SelectItem Parser::parse_select_item() {
  SelectItem item;
  item.position = peek().position;
  std::vector<std::string> qualifier;
  size_t n = 0;
  while (n < 8 && (peek(n).kind == TokenKind::kQuoted || peek(n).is_word()) && at_op(".", n + 1)) {
    qualifier.push_back(peek(n).text);
    n += 2;
  }
  if (at_op("*", n) && (n == 0 || at_identifier())) {
    auto star = make<Star>();
    star->qualifier = std::move(qualifier);
    for (size_t i = 0; i <= n; ++i) take();
    if (accept("exclude")) {
      if (at_op("("))
        star->exclude = parse_parenthesized_identifiers();
      else
        star->exclude.push_back(parse_identifier());
    }
    item.expr = std::move(star);
    return item;
  }
  item.expr = parse_expr();
  if (accept("as"))
    item.alias = parse_label().text;
  else if (at_identifier())
    item.alias = take().text;
  return item;
}

std::vector<OrderItem> Parser::parse_order_by() {
  expect_words({"order", "by"});
  std::vector<OrderItem> items;
  do {
    OrderItem item;
    item.expr = parse_expr();
    if (at("using")) not_supported("ORDER BY .. USING");
    if (accept("desc"))
      item.descending = true;
    else
      accept("asc");
    if (at("nulls")) {
      take();
      item.nulls_first = at("first");
      if (!at_any({"first", "last"})) syntax_error();
      take();
    }
    items.push_back(std::move(item));
  } while (accept_op(","));
  return items;
}

GroupingElement Parser::parse_grouping_element() {
  Nest nest(*this);
  GroupingElement element;
  if (at_op("(") && at_op(")", 1)) {
    take(), take();
    element.kind = GroupingElement::Kind::kEmpty;
  } else if (at_any({"rollup", "cube"}) && at_op("(", 1)) {
    element.kind = take().text == "rollup" ? GroupingElement::Kind::kRollup : GroupingElement::Kind::kCube;
    take();
    element.exprs = parse_expr_list();
    expect_op(")");
  } else if (at_words({"grouping", "sets"})) {
    take(), take();
    element.kind = GroupingElement::Kind::kSets;
    expect_op("(");
    do element.elements.push_back(parse_grouping_element());
    while (accept_op(","));
    expect_op(")");
  } else {
    element.exprs.push_back(parse_expr());
  }
  return element;
}

/// After '('. `((SELECT ..) UNION ..)` is a query and `((SELECT ..) + 1)` an expression: what follows the inner parenthesis
/// tells, so that nothing is read twice.
std::variant<QueryPtr, ExprPtr> Parser::parse_query_or_expr() {
  if (at_query() && !(at("values") && !at_op("(", 1))) return parse_query();
  if (!at_op("(")) return parse_expr();
  Nest nest(*this);
  Position position = peek().position;
  take();
  auto content = parse_query_or_expr();
  if (auto* inner = std::get_if<QueryPtr>(&content)) {
    expect_op(")");
    if (at_op(")") || at_any({"union", "intersect", "except", "minus", "order", "limit", "offset"}))
      return parse_query_tail(parse_set_operations(std::move(*inner), 0));
    auto subquery = std::make_unique<Subquery>();
    subquery->position = position;
    subquery->query = std::move(*inner);
    return parse_operators(parse_postfix(std::move(subquery)), 0);
  }
  ExprPtr first = std::move(std::get<ExprPtr>(content));
  if (at_op(",")) {
    auto row = std::make_unique<Row>();
    row->position = position;
    row->items.push_back(std::move(first));
    while (accept_op(",")) row->items.push_back(parse_expr());
    first = std::move(row);
  }
  expect_op(")");
  return parse_operators(parse_postfix(std::move(first)), 0);
}

// ---- FROM

std::vector<TableRefPtr> Parser::parse_from() {
  std::vector<TableRefPtr> list;
  do list.push_back(parse_table_ref());
  while (accept_op(","));
  return list;
}

TableRefPtr Parser::parse_table_ref() {
  Nest nest(*this);
  return parse_joins(parse_table_primary());
}

TableRefPtr Parser::parse_joins(TableRefPtr left) {
  for (;;) {
    if (at_any({"pivot", "unpivot"})) not_supported(at("pivot") ? "PIVOT" : "UNPIVOT");
    if (!at_any({"join", "inner", "left", "right", "full", "cross", "natural"})) return left;
    auto join = make<Join>();
    join->natural = accept("natural");
    if (accept("cross")) {
      join->type = JoinType::kCross;
    } else if (at_any({"left", "right", "full"})) {
      join->type = at("left") ? JoinType::kLeft : at("right") ? JoinType::kRight : JoinType::kFull;
      take();
      accept("outer");
    } else {
      accept("inner");
    }
    if (join->natural && join->type == JoinType::kCross) syntax_error();
    expect("join");
    join->left = std::move(left);
    // a JOIN b JOIN c ON x ON y: the second JOIN belongs to the right side.
    join->right = parse_table_primary();
    if (join->type != JoinType::kCross && !join->natural) {
      if (at_any({"join", "inner", "left", "right", "full", "cross", "natural"})) {
        Nest nest(*this);
        join->right = parse_joins(std::move(join->right));
      }
      if (accept("on"))
        join->on = parse_expr();
      else if (accept("using"))
        join->columns = parse_parenthesized_identifiers();
      else
        syntax_error();
    }
    left = std::move(join);
    grow();
    // The join that a nested JOIN belongs to goes on with its own ON or USING.
    if (at_any({"on", "using"})) return left;
  }
}

TableRefPtr Parser::parse_table_primary() {
  Position position = peek().position;
  if (at_any({"pivot", "unpivot"})) not_supported(at("pivot") ? "PIVOT" : "UNPIVOT");
  bool lateral = at("lateral") && (at_op("(", 1) || at_identifier(1));
  if (lateral) take();
  if (at_op("(")) {
    take();
    auto content = parse_from_parenthesized();
    expect_op(")");
    TableRefPtr ref;
    if (auto* query = std::get_if<QueryPtr>(&content)) {
      ref = finish_subquery(std::move(*query), position);
    } else {
      ref = std::move(std::get<TableRefPtr>(content));
      if (at_alias()) {
        if (ref->kind != TableRefKind::kJoin) syntax_error();
        parse_alias(*ref);
      }
    }
    ref->lateral = ref->lateral || lateral;
    return ref;
  }
  ObjectName name = parse_object_name();
  if (at_op("(")) {
    auto function = std::make_unique<TableFunction>();
    function->position = position;
    function->lateral = lateral;
    function->call = parse_call(std::move(name));
    parse_alias(*function, &function->column_definitions);
    return function;
  }
  auto table = std::make_unique<TableName>();
  table->position = position;
  table->lateral = lateral;
  table->name = std::move(name);
  if (at_op("[")) not_supported("a subscript in FROM");
  parse_alias(*table);
  if (at("at") && at_identifier(1)) {
    take();
    table->at = parse_identifier().text;
  }
  return table;
}

TableRefPtr Parser::finish_subquery(QueryPtr query, Position position) {
  auto subquery = std::make_unique<TableSubquery>();
  subquery->position = position;
  subquery->query = std::move(query);
  parse_alias(*subquery);
  return subquery;
}

/// After '(' in FROM: a query or a join. As in parse_query_or_expr(), an inner parenthesis is read once.
std::variant<QueryPtr, TableRefPtr> Parser::parse_from_parenthesized() {
  if (at_query()) return parse_query();
  if (!at_op("(")) {
    TableRefPtr ref = parse_table_ref();
    if (ref->kind != TableRefKind::kJoin) syntax_error();
    return ref;
  }
  Nest nest(*this);
  Position position = peek().position;
  take();
  auto content = parse_from_parenthesized();
  expect_op(")");
  if (auto* inner = std::get_if<QueryPtr>(&content)) {
    if (at_op(")") || at_any({"union", "intersect", "except", "minus", "order", "limit", "offset"}))
      return parse_query_tail(parse_set_operations(std::move(*inner), 0));
    TableRefPtr ref = parse_joins(finish_subquery(std::move(*inner), position));
    if (ref->kind != TableRefKind::kJoin) syntax_error();
    return ref;
  }
  TableRefPtr ref = std::move(std::get<TableRefPtr>(content));
  if (at_alias()) parse_alias(*ref);
  return parse_joins(std::move(ref));
}

bool Parser::at_alias() {
  if (at_words({"start", "with"}) || at_words({"connect", "by"})) not_supported("CONNECT BY");
  return at("as") || (at_identifier() && !at_any({"set", "at"}));
}

/// [AS] alias [(a, b)] or, for functions, [AS] [alias] (a name, b int).
void Parser::parse_alias(TableRef& ref, std::vector<ColumnDef>* definitions) {
  if (accept("as")) {
    if (!(definitions && at_op("("))) ref.alias = parse_identifier().text;
  } else if (at_alias()) {
    ref.alias = take().text;
  } else {
    return;
  }
  if (!at_op("(")) return;
  take();
  bool typed = definitions && !at_op(",", 1) && !at_op(")", 1);
  do {
    Identifier column = parse_identifier();
    if (typed)
      definitions->push_back({std::move(column.text), parse_type()});
    else
      ref.column_aliases.push_back(std::move(column.text));
  } while (accept_op(","));
  expect_op(")");
}

}  // namespace redoubt::warehouse::sql
