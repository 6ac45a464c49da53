/// Expressions. Binding powers are those of PostgreSQL 8.0's grammar, which Redshift inherited: comparison with = and < > binds
/// weaker than <=, >=, <> and other operators, and IS binds tighter than all of these.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

namespace {

enum Power : int {
  kOr = 1,
  kAnd = 2,
  kNot = 3,
  kEqual = 4,  // right associative
  kLess = 5,   // does not associate
  kLike = 6,
  kBetween = 7,
  kIn = 8,
  kOperator = kOperatorPower,
  kIs = 10,
  kAdd = 11,
  kMultiply = 12,
  kPower = 13,
  kAtTimeZone = 14,
  kSign = 15,
};

template <class T>
std::unique_ptr<T> node_at(Position position) {
  auto node = std::make_unique<T>();
  node->position = position;
  return node;
}

}  // namespace

int operator_power(std::string_view op) {
  if (op == "=") return kEqual;
  if (op == "<" || op == ">") return kLess;
  if (op == "+" || op == "-") return kAdd;
  if (op == "*" || op == "/" || op == "%") return kMultiply;
  if (op == "^") return kPower;
  for (std::string_view other :
       {"(", ")", ",", ";", ".", "..", "[", "]", ":", "::", ":=", "=>", "?", "!", "!!", "|/", "||/", "@"})
    if (op == other) return 0;
  return kOperator;
}

ExprPtr Parser::parse_expr(int min_power) {
  Nest nest(*this);
  return parse_operators(parse_prefix(), min_power);
}

std::vector<ExprPtr> Parser::parse_expr_list() {
  std::vector<ExprPtr> list;
  do list.push_back(parse_expr());
  while (accept_op(","));
  return list;
}

ExprPtr Parser::parse_prefix() {
  Position position = peek().position;
  if (at("not")) {
    take();
    auto negation = node_at<Not>(position);
    negation->operand = parse_expr(kNot);
    return negation;
  }
  if (at("operator") && at_op("(", 1)) {
    auto unary = node_at<Unary>(position);
    unary->op = parse_operator_name(unary->schema);
    unary->operand = parse_expr(kOperator);
    return unary;
  }
  if (peek().kind == TokenKind::kOperator) {
    for (std::string_view op : {"-", "+", "~", "@", "|/", "||/", "!!"}) {
      if (!at_op(op)) continue;
      auto unary = node_at<Unary>(position);
      unary->op = take().text;
      unary->operand = parse_expr(op == "-" || op == "+" ? kSign : kOperator);
      return unary;
    }
  }
  return parse_postfix(parse_primary());
}

/// Casts, subscripts and field access bind tightest.
ExprPtr Parser::parse_postfix(ExprPtr base) {
  for (;;) {
    Position position = peek().position;
    if (accept_op("::")) {
      auto cast = node_at<Cast>(position);
      cast->operand = std::move(base);
      cast->type = parse_type();
      base = std::move(cast);
    } else if (accept_op("[")) {
      if (base->kind == ExprKind::kCast) grow_deep();
      auto subscript = node_at<Subscript>(position);
      subscript->base = std::move(base);
      if (!at_op(":")) subscript->index = parse_expr();
      if (accept_op(":")) {
        subscript->slice = true;
        if (!at_op("]")) subscript->upper = parse_expr();
      }
      expect_op("]");
      base = std::move(subscript);
    } else if (accept_op(".")) {
      auto field = node_at<Field>(position);
      field->base = std::move(base);
      field->name = parse_label().text;
      base = std::move(field);
    } else if (at("collate")) {
      not_supported("COLLATE in an expression");
    } else {
      return base;
    }
    grow();
  }
}

ExprPtr Parser::parse_operators(ExprPtr left, int min_power) {
  // AND and OR become one node as long as they follow each other without parentheses.
  Logical* chain = nullptr;
  for (;;) {
    const Token& token = peek();
    Position position = token.position;
    if (token.is_word()) {
      bool is_and = token.text == "and";
      if (is_and || token.text == "or") {
        int power = is_and ? kAnd : kOr;
        if (power < min_power) return left;
        take();
        ExprPtr right = parse_expr(power + 1);
        if (!chain || chain->is_and != is_and) {
          grow();
          auto logical = node_at<Logical>(position);
          logical->is_and = is_and;
          logical->args.push_back(std::move(left));
          chain = logical.get();
          left = std::move(logical);
        }
        chain->args.push_back(std::move(right));
        continue;
      }
    }
    chain = nullptr;

    if (token.kind == TokenKind::kOperator) {
      int power = operator_power(token.text);
      if (power == 0 || power < min_power) return left;
      left = parse_binary(std::move(left), power, power == kEqual);
      if (power == kLess && peek().kind == TokenKind::kOperator && operator_power(peek().text) == kLess) syntax_error();
      grow();
      continue;
    } else if (at("operator") && at_op("(", 1)) {
      if (kOperator < min_power) return left;
      left = parse_binary(std::move(left), kOperator, false);
      grow();
      continue;
    } else if (at_any({"is", "isnull", "notnull"})) {
      if (kIs < min_power) return left;
      left = parse_is(std::move(left), position);
    } else if (at("not") && at_any({"in", "between", "like", "ilike", "similar"}, 1)) {
      if (kNot < min_power) return left;
      take();
      if (at("in"))
        left = parse_in(std::move(left), true, position);
      else if (at("between"))
        left = parse_between(std::move(left), true, position);
      else
        left = parse_like(std::move(left), true, position);
    } else if (at("in")) {
      if (kIn < min_power) return left;
      left = parse_in(std::move(left), false, position);
    } else if (at("between")) {
      if (kBetween < min_power) return left;
      left = parse_between(std::move(left), false, position);
    } else if (at_any({"like", "ilike", "similar"})) {
      if (kLike < min_power) return left;
      left = parse_like(std::move(left), false, position);
    } else if (at_words({"at", "time", "zone"})) {
      if (kAtTimeZone < min_power) return left;
      take(), take(), take();
      auto call = node_at<FunctionCall>(position);
      call->name.name = "timezone";
      call->name.position = position;
      call->args.push_back(parse_expr(kAtTimeZone + 1));
      call->args.push_back(std::move(left));
      left = std::move(call);
    } else if (at("overlaps")) {
      not_supported("OVERLAPS");
    } else {
      return left;
    }
    grow_deep();
  }
}

/// OPERATOR(schema.op).
std::string Parser::parse_operator_name(std::string& schema) {
  expect("operator");
  expect_op("(");
  if (at_identifier()) {
    schema = parse_identifier().text;
    expect_op(".");
  }
  if (peek().kind != TokenKind::kOperator) syntax_error();
  for (std::string_view punctuation : {"(", ")", ",", ";", ".", "[", "]", "::", ":"})
    if (at_op(punctuation)) syntax_error();
  std::string op = take().text;
  expect_op(")");
  return op;
}

ExprPtr Parser::parse_binary(ExprPtr left, int power, bool right_associative) {
  Position position = peek().position;
  std::string schema;
  std::string op = at("operator") ? parse_operator_name(schema) : take().text;
  if (at_any({"any", "some", "all"}) && at_op("(", 1))
    return parse_quantified(std::move(left), std::move(op), std::move(schema), position);
  auto binary = node_at<Binary>(position);
  binary->op = std::move(op);
  binary->schema = std::move(schema);
  binary->left = std::move(left);
  binary->right = parse_expr(right_associative ? power : power + 1);
  return binary;
}

ExprPtr Parser::parse_quantified(ExprPtr left, std::string op, std::string schema, Position position) {
  auto quantified = node_at<Quantified>(position);
  quantified->op = std::move(op);
  quantified->schema = std::move(schema);
  quantified->all = take().text == "all";
  quantified->left = std::move(left);
  expect_op("(");
  auto content = parse_query_or_expr();
  if (auto* query = std::get_if<QueryPtr>(&content))
    quantified->query = std::move(*query);
  else
    quantified->array = std::move(std::get<ExprPtr>(content));
  expect_op(")");
  return quantified;
}

ExprPtr Parser::parse_is(ExprPtr left, Position position) {
  if (at_any({"isnull", "notnull"})) {
    auto test = node_at<IsNull>(position);
    test->negated = take().text == "notnull";
    test->operand = std::move(left);
    return test;
  }
  expect("is");
  bool negated = accept("not");
  if (accept("null")) {
    auto test = node_at<IsNull>(position);
    test->negated = negated;
    test->operand = std::move(left);
    return test;
  }
  if (accept_words({"distinct", "from"})) {
    auto test = node_at<IsDistinct>(position);
    test->negated = negated;
    test->left = std::move(left);
    test->right = parse_expr(kIs + 1);
    return test;
  }
  auto test = node_at<IsTruth>(position);
  test->negated = negated;
  if (accept("true"))
    test->value = IsTruth::Value::kTrue;
  else if (accept("false"))
    test->value = IsTruth::Value::kFalse;
  else if (accept("unknown"))
    test->value = IsTruth::Value::kUnknown;
  else
    syntax_error();
  test->operand = std::move(left);
  return test;
}

ExprPtr Parser::parse_in(ExprPtr left, bool negated, Position position) {
  expect("in");
  expect_op("(");
  auto content = parse_query_or_expr();
  if (auto* query = std::get_if<QueryPtr>(&content)) {
    auto in = node_at<InQuery>(position);
    in->negated = negated;
    in->operand = std::move(left);
    in->query = std::move(*query);
    expect_op(")");
    return in;
  }
  auto in = node_at<InList>(position);
  in->negated = negated;
  in->operand = std::move(left);
  in->items.push_back(std::move(std::get<ExprPtr>(content)));
  while (accept_op(",")) in->items.push_back(parse_expr());
  expect_op(")");
  return in;
}

ExprPtr Parser::parse_between(ExprPtr left, bool negated, Position position) {
  expect("between");
  auto between = node_at<Between>(position);
  between->negated = negated;
  between->symmetric = accept("symmetric");
  if (!between->symmetric) accept("asymmetric");
  between->operand = std::move(left);
  between->low = parse_expr(kOperator);
  expect("and");
  between->high = parse_expr(kOperator);
  return between;
}

ExprPtr Parser::parse_like(ExprPtr left, bool negated, Position position) {
  Like::Kind kind = at("like") ? Like::Kind::kLike : at("ilike") ? Like::Kind::kILike : Like::Kind::kSimilarTo;
  take();
  if (kind == Like::Kind::kSimilarTo) expect("to");
  if (kind != Like::Kind::kSimilarTo && at_any({"any", "some", "all"}) && at_op("(", 1)) {
    std::string op = kind == Like::Kind::kLike ? "~~" : "~~*";
    return parse_quantified(std::move(left), (negated ? "!" : "") + op, "", position);
  }
  auto like = node_at<Like>(position);
  like->like_kind = kind;
  like->negated = negated;
  like->operand = std::move(left);
  like->pattern = parse_expr(kLike + 1);
  if (accept("escape")) like->escape = parse_expr(kLike + 1);
  return like;
}

// ---- Primaries

ExprPtr Parser::parse_primary() {
  if (ExprPtr variable = parse_variable()) return variable;
  switch (peek().kind) {
    case TokenKind::kString: {
      auto literal = make<Literal>();
      literal->value_kind = Literal::Kind::kString;
      literal->text = take().text;
      return literal;
    }
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat: {
      auto literal = make<Literal>();
      literal->value_kind = peek().kind == TokenKind::kInteger   ? Literal::Kind::kInteger
                            : peek().kind == TokenKind::kDecimal ? Literal::Kind::kDecimal
                                                                 : Literal::Kind::kFloat;
      literal->text = take().text;
      return literal;
    }
    case TokenKind::kParameter: {
      auto parameter = make<Parameter>();
      parameter->number = take().number;
      return parameter;
    }
    case TokenKind::kQuoted:
      return parse_name_or_call();
    case TokenKind::kWord:
      return parse_word();
    case TokenKind::kOperator:
      if (at_op("(")) return parse_parenthesized();
      [[fallthrough]];
    case TokenKind::kEnd:
      syntax_error();
  }
  syntax_error();
}

/// (expr), (a, b) or (query).
ExprPtr Parser::parse_parenthesized() {
  Position position = peek().position;
  expect_op("(");
  auto content = parse_query_or_expr();
  if (auto* query = std::get_if<QueryPtr>(&content)) {
    auto subquery = node_at<Subquery>(position);
    subquery->query = std::move(*query);
    expect_op(")");
    return subquery;
  }
  ExprPtr first = std::move(std::get<ExprPtr>(content));
  if (accept_op(")")) return first;
  auto row = node_at<Row>(position);
  row->items.push_back(std::move(first));
  while (accept_op(",")) row->items.push_back(parse_expr());
  expect_op(")");
  return row;
}

ExprPtr Parser::parse_word() {
  const std::string& word = peek().text;
  bool call = at_op("(", 1);
  Position position = peek().position;
  if (word == "null") {
    auto literal = make<Literal>();
    take();
    return literal;
  }
  if (word == "true" || word == "false") {
    auto literal = make<Literal>();
    literal->value_kind = Literal::Kind::kBoolean;
    literal->boolean = take().text == "true";
    return literal;
  }
  if (word == "case") return parse_case();
  if (word == "default") syntax_error();
  if (word == "interval" && !call) return parse_interval();
  if ((word == "cast" || word == "try_cast" || word == "convert") && call) return parse_cast();
  if (word == "array") return parse_array();
  if (word == "exists" && call) {
    auto exists = node_at<Exists>(position);
    take(), take();
    exists->query = parse_query();
    expect_op(")");
    return exists;
  }
  if (word == "row" && call) {
    auto row = node_at<Row>(position);
    take(), take();
    if (!at_op(")")) row->items = parse_expr_list();
    expect_op(")");
    return row;
  }
  for (std::string_view bare : {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
                                "current_user", "session_user", "user", "current_user_id", "sysdate", "current_catalog"}) {
    if (word != bare) continue;
    auto function = node_at<FunctionCall>(position);
    function->name = {.name = take().text, .position = position};
    function->bare = true;
    return function;
  }
  if (call && (word == "extract" || word == "position" || word == "substring" || word == "trim" || word == "overlay"))
    return parse_special_call(std::string(word));
  if (call && (word == "left" || word == "right")) {
    ObjectName name{.name = take().text, .position = position};
    return parse_call(std::move(name));
  }
  if (word == "approximate" && at_identifier(1)) {
    take();
    auto function = parse_call(parse_object_name());
    function->approximate = true;
    return function;
  }
  if (at_typed_literal()) return parse_typed_literal();
  return parse_name_or_call();
}

/// DATE '..', TIMESTAMP WITH TIME ZONE '..', int4 '..'.
bool Parser::at_typed_literal() {
  if (!at_identifier()) return false;
  if (at_any({"time", "timestamp"}) && at_any({"with", "without"}, 1) && at("time", 2) && at("zone", 3)) return at_string(4);
  if (at_words({"double", "precision"})) return at_string(2);
  return at_string(1);
}

ExprPtr Parser::parse_typed_literal() {
  auto literal = make<TypedLiteral>();
  literal->type = parse_type();
  literal->text = expect_string();
  return literal;
}

/// INTERVAL '1' DAY, INTERVAL '1 day', INTERVAL (3) '..', INTERVAL '1-2' YEAR TO MONTH; also INTERVAL YEAR TO MONTH '1-2'.
ExprPtr Parser::parse_interval() {
  auto literal = make<TypedLiteral>();
  if (at_string(1)) {
    take();
    literal->type = TypeKind::kInterval;
    literal->text = expect_string();
  } else {
    literal->type = parse_type();
    literal->text = expect_string();
    if (literal->type.kind != TypeKind::kInterval) return literal;
  }
  constexpr std::string_view kFields[] = {"year", "month", "day", "hour", "minute", "second"};
  auto field = [&]() -> std::string {
    for (std::string_view name : kFields)
      if (at(name)) return take().text;
    return "";
  };
  literal->interval_fields = field();
  if (literal->interval_fields.empty()) return literal;
  auto precision = [&](std::string_view last) {
    if (last != "second" || !at_op("(")) return;
    take();
    int64_t digits = expect_integer();
    if (digits < 0 || digits > 6) raise(kInvalidParameterValue, "INTERVAL precision must be between 0 and 6", literal->position);
    literal->interval_precision = static_cast<int>(digits);
    expect_op(")");
  };
  precision(literal->interval_fields);
  if (literal->interval_precision < 0 && at("to") && at_any({"month", "day", "hour", "minute", "second"}, 1)) {
    take();
    std::string last = field();
    literal->interval_fields += " to " + last;
    precision(last);
  }
  return literal;
}

ExprPtr Parser::parse_case() {
  auto node = make<Case>();
  expect("case");
  if (!at("when")) node->operand = parse_expr();
  while (accept("when")) {
    Case::Branch branch;
    branch.condition = parse_expr();
    expect("then");
    branch.result = parse_expr();
    node->branches.push_back(std::move(branch));
  }
  if (node->branches.empty()) syntax_error();
  if (accept("else")) node->otherwise = parse_expr();
  expect("end");
  return node;
}

/// CAST(x AS t), TRY_CAST(x AS t), CONVERT(t, x).
ExprPtr Parser::parse_cast() {
  auto cast = make<Cast>();
  std::string word = take().text;
  cast->lenient = word == "try_cast";
  expect_op("(");
  if (word == "convert") {
    cast->type = parse_type();
    expect_op(",");
    cast->operand = parse_expr();
  } else {
    cast->operand = parse_expr();
    expect("as");
    cast->type = parse_type();
  }
  expect_op(")");
  return cast;
}

/// ARRAY[..], ARRAY(SELECT ..), and the function array(..).
ExprPtr Parser::parse_array() {
  Position position = peek().position;
  take();
  if (accept_op("[")) {
    auto array = node_at<Array>(position);
    if (!at_op("]")) array->items = parse_expr_list();
    expect_op("]");
    return array;
  }
  auto call = node_at<FunctionCall>(position);
  call->name = {.name = "array", .position = position};
  expect_op("(");
  if (!at_op(")")) {
    auto content = parse_query_or_expr();
    if (auto* query = std::get_if<QueryPtr>(&content)) {
      auto array = node_at<ArrayQuery>(position);
      array->query = std::move(*query);
      expect_op(")");
      return array;
    }
    call->args.push_back(std::move(std::get<ExprPtr>(content)));
    while (accept_op(",")) call->args.push_back(parse_expr());
  }
  expect_op(")");
  return call;
}

/// a.b.c or a.b.f(..).
ExprPtr Parser::parse_name_or_call() {
  Position position = peek().position;
  std::vector<std::string> parts = {parse_identifier().text};
  while (at_op(".") && (peek(1).is_word() || peek(1).kind == TokenKind::kQuoted)) {
    take();
    parts.push_back(take().text);
  }
  if (at_op("(")) {
    if (parts.size() > 3) raise(kSyntaxError, "improper qualified name (too many dotted names)", position);
    ObjectName name{.position = position};
    name.name = std::move(parts.back());
    if (parts.size() > 1) name.schema = std::move(parts[parts.size() - 2]);
    if (parts.size() > 2) name.database = std::move(parts[0]);
    return parse_call(std::move(name));
  }
  auto column = node_at<ColumnRef>(position);
  column->parts = std::move(parts);
  return column;
}

}  // namespace redoubt::warehouse::sql
