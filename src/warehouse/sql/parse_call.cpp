/// Function calls: special syntax, arguments, aggregates' clauses, windows.
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

ExprPtr Parser::parse_special_call(std::string_view word) {
  auto call = make<FunctionCall>();
  call->name = {.name = std::string(word), .position = call->position};
  take();
  expect_op("(");
  if (word == "extract") return parse_extract(std::move(call));
  if (word == "trim") return parse_trim(std::move(call));
  if (word == "position") {
    call->args.push_back(parse_expr(kOperatorPower));
    if (!accept("in")) expect_op(",");
    call->args.push_back(parse_expr());
    expect_op(")");
    return call;
  }
  call->args.push_back(parse_expr());
  if (word == "overlay" && accept("placing")) call->args.push_back(parse_expr());
  if (accept("from")) {
    call->args.push_back(parse_expr());
    if (accept("for")) call->args.push_back(parse_expr());
  } else if (word == "substring" && accept("for")) {
    auto one = make<Literal>();
    one->value_kind = Literal::Kind::kInteger;
    one->text = "1";
    call->args.push_back(std::move(one));
    call->args.push_back(parse_expr());
  } else {
    while (accept_op(",")) call->args.push_back(parse_expr());
  }
  expect_op(")");
  return call;
}

ExprPtr Parser::parse_extract(std::unique_ptr<FunctionCall> call) {
  auto field = make<Literal>();
  field->value_kind = Literal::Kind::kString;
  if (at_string())
    field->text = take().text;
  else
    field->text = parse_label().text;
  call->args.push_back(std::move(field));
  expect("from");
  call->args.push_back(parse_expr());
  expect_op(")");
  return call;
}

ExprPtr Parser::parse_trim(std::unique_ptr<FunctionCall> call) {
  call->name.name = "btrim";
  bool sided = true;
  if (accept("leading"))
    call->name.name = "ltrim";
  else if (accept("trailing"))
    call->name.name = "rtrim";
  else
    sided = accept("both");
  if (sided && accept("from")) {
    call->args.push_back(parse_expr());
  } else {
    ExprPtr first = parse_expr();
    if (accept("from")) {
      call->args.push_back(parse_expr());
      call->args.push_back(std::move(first));
    } else {
      call->args.push_back(std::move(first));
      while (accept_op(",")) call->args.push_back(parse_expr());
    }
  }
  expect_op(")");
  return call;
}

std::unique_ptr<FunctionCall> Parser::parse_call(ObjectName name) {
  auto call = make<FunctionCall>();
  call->position = name.position;
  call->name = std::move(name);
  expect_op("(");
  if (at_op("*") && at_op(")", 1)) {
    take();
    call->star = true;
  } else if (!at_op(")")) {
    call->distinct = accept("distinct");
    if (!call->distinct) accept("all");
    call->args = parse_expr_list();
    if (at_any({"ignore", "respect"}) && at("nulls", 1)) {
      call->ignore_nulls = take().text == "ignore";
      take();
    }
    if (at_words({"order", "by"})) call->order_by = parse_order_by();
  }
  expect_op(")");
  parse_call_tail(*call);
  return call;
}

void Parser::parse_call_tail(FunctionCall& call) {
  if (at_words({"within", "group"}) && at_op("(", 2)) {
    take(), take(), take();
    call.within_group = parse_order_by();
    expect_op(")");
  }
  if (at("filter") && at_op("(", 1)) {
    take(), take();
    expect("where");
    call.filter = parse_expr();
    expect_op(")");
  }
  if (at_any({"ignore", "respect"}) && at("nulls", 1)) {
    call.ignore_nulls = take().text == "ignore";
    take();
  }
  if (at("over") && at_op("(", 1)) {
    take();
    call.over = parse_window();
  } else if (at("over") && at_identifier(1)) {
    not_supported("a named window");
  }
}

std::unique_ptr<WindowSpec> Parser::parse_window() {
  auto window = std::make_unique<WindowSpec>();
  expect_op("(");
  if (accept_words({"partition", "by"})) window->partition_by = parse_expr_list();
  if (at_words({"order", "by"})) window->order_by = parse_order_by();
  if (at_any({"rows", "range"})) window->frame = parse_frame();
  if (at("groups")) not_supported("a GROUPS frame");
  expect_op(")");
  return window;
}

WindowFrame Parser::parse_frame() {
  WindowFrame frame;
  frame.unit = take().text == "rows" ? WindowFrame::Unit::kRows : WindowFrame::Unit::kRange;
  bool between = accept("between");
  Position position = peek().position;
  frame.start = parse_frame_bound(frame.start_offset);
  if (between) {
    expect("and");
    frame.end = parse_frame_bound(frame.end_offset);
  }
  if (frame.start == WindowFrame::Bound::kUnboundedFollowing)
    raise(kSyntaxError, "frame start cannot be UNBOUNDED FOLLOWING", position);
  if (frame.end == WindowFrame::Bound::kUnboundedPreceding)
    raise(kSyntaxError, "frame end cannot be UNBOUNDED PRECEDING", position);
  return frame;
}

WindowFrame::Bound Parser::parse_frame_bound(ExprPtr& offset) {
  using Bound = WindowFrame::Bound;
  if (accept_words({"current", "row"})) return Bound::kCurrentRow;
  if (accept("unbounded")) {
    if (accept("preceding")) return Bound::kUnboundedPreceding;
    expect("following");
    return Bound::kUnboundedFollowing;
  }
  offset = parse_expr(kOperatorPower);
  if (accept("preceding")) return Bound::kPreceding;
  expect("following");
  return Bound::kFollowing;
}

}  // namespace redoubt::warehouse::sql
