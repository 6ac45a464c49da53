/// SELECT as a command, INSERT, UPDATE, DELETE, MERGE, TRUNCATE.
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

CommandPtr Parser::parse_query_command() {
  into_allowed_ = at("select");
  QueryPtr query = parse_query();
  into_allowed_ = false;
  if (into_) {
    auto create = std::make_unique<CreateTableAs>();
    create->select_into = true;
    create->table = std::move(into_->table);
    create->temporary = into_->temporary;
    create->query = std::move(query);
    into_.reset();
    return create;
  }
  auto select = std::make_unique<SelectCommand>();
  select->query = std::move(query);
  return select;
}

/// WITH .. SELECT, UPDATE or DELETE.
CommandPtr Parser::parse_with_command() {
  Position position = peek().position;
  Nest nest(*this);
  With with = parse_with();
  if (at("update")) return parse_update(std::move(with));
  if (at("delete")) return parse_delete(std::move(with));
  if (at("insert")) not_supported("WITH before INSERT (write INSERT INTO .. WITH ..)");
  CommandPtr command = parse_query_command();
  Query& query = command->kind == CommandKind::kSelect ? *as<SelectCommand>(*command).query : *as<CreateTableAs>(*command).query;
  if (!query.with.ctes.empty()) raise(kSyntaxError, "multiple WITH clauses not allowed", position);
  query.with = std::move(with);
  query.position = position;
  return command;
}

CommandPtr Parser::parse_insert() {
  auto insert = make<Insert>();
  expect_words({"insert", "into"});
  insert->table = parse_object_name();
  if (accept_words({"default", "values"})) return insert;
  // (columns) or the parenthesis of a query.
  if (at_op("(") && !at_op("(", 1) && !at_any({"select", "with", "values"}, 1))
    insert->columns = parse_parenthesized_identifiers();
  if (!at_query() && !at_op("(") && !at("table")) syntax_error();
  insert->query = parse_query();
  if (at("returning")) not_supported("RETURNING");
  if (at_words({"on", "conflict"})) not_supported("ON CONFLICT");
  return insert;
}

/// An expression, or DEFAULT where a column's value stands.
ExprPtr Parser::parse_value() {
  if (at("default")) {
    auto value = make<Default>();
    take();
    return value;
  }
  return parse_expr();
}

std::vector<Assignment> Parser::parse_assignments() {
  std::vector<Assignment> list;
  do {
    if (at_op("(")) not_supported("assignment to a list of columns");
    Assignment assignment;
    assignment.column = parse_identifier();
    if (at_op(".")) {
      // Redshift takes only the bare column; PostgreSQL 8 too.
      syntax_error();
    }
    expect_op("=");
    assignment.value = parse_value();
    list.push_back(std::move(assignment));
  } while (accept_op(","));
  return list;
}

std::string Parser::parse_target_alias() {
  if (accept("as")) return parse_identifier().text;
  if (at_identifier() && !at("set")) return take().text;
  return "";
}

CommandPtr Parser::parse_update(With with) {
  auto update = make<Update>();
  update->with = std::move(with);
  expect("update");
  update->table = parse_object_name();
  update->alias = parse_target_alias();
  expect("set");
  update->assignments = parse_assignments();
  if (accept("from")) update->from = parse_from();
  if (accept("where")) update->where = parse_expr();
  if (at("returning")) not_supported("RETURNING");
  return update;
}

CommandPtr Parser::parse_delete(With with) {
  auto command = make<Delete>();
  command->with = std::move(with);
  expect("delete");
  accept("from");
  command->table = parse_object_name();
  command->alias = parse_target_alias();
  if (accept("using")) command->from = parse_from();
  if (accept("where")) command->where = parse_expr();
  if (at("returning")) not_supported("RETURNING");
  return command;
}

CommandPtr Parser::parse_merge() {
  auto merge = make<Merge>();
  expect_words({"merge", "into"});
  merge->table = parse_object_name();
  merge->alias = parse_target_alias();
  expect("using");
  merge->source = parse_table_primary();
  expect("on");
  merge->on = parse_expr();
  if (accept_words({"remove", "duplicates"})) {
    merge->remove_duplicates = true;
    return merge;
  }
  do merge->clauses.push_back(parse_merge_clause());
  while (at("when"));
  return merge;
}

MergeClause Parser::parse_merge_clause() {
  MergeClause clause;
  clause.position = peek().position;
  expect("when");
  clause.matched = !accept("not");
  expect("matched");
  if (at("and")) not_supported("WHEN .. MATCHED AND a condition");
  expect("then");
  if (clause.matched && accept("delete")) {
    clause.action = MergeClause::Action::kDelete;
  } else if (clause.matched) {
    expect_words({"update", "set"});
    clause.assignments = parse_assignments();
  } else {
    clause.action = MergeClause::Action::kInsert;
    expect("insert");
    if (at_op("(")) clause.columns = parse_parenthesized_identifiers();
    expect("values");
    expect_op("(");
    do clause.values.push_back(parse_value());
    while (accept_op(","));
    expect_op(")");
  }
  return clause;
}

CommandPtr Parser::parse_truncate() {
  auto truncate = make<Truncate>();
  expect("truncate");
  accept("table");
  truncate->table = parse_object_name();
  if (at_op(",")) not_supported("TRUNCATE of several tables");
  return truncate;
}

}  // namespace redoubt::warehouse::sql
