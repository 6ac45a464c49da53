#include "warehouse/sql/parser.h"

#include <unordered_map>

#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

// ---- Tokens

const Token& Parser::peek(size_t n) {
  while (ahead_.size() <= n) {
    auto token = lexer_.next();
    if (!token) throw Failure{std::move(token).error()};
    ahead_.push_back(*std::move(token));
  }
  return ahead_[n];
}

Token Parser::take() {
  peek();
  Token token = std::move(ahead_.front());
  ahead_.pop_front();
  last_end_ = token.end;
  if (token.kind == TokenKind::kParameter) parameters_ = std::max(parameters_, token.number);
  return token;
}

bool Parser::at_words(std::initializer_list<std::string_view> words) {
  size_t n = 0;
  for (std::string_view word : words)
    if (!at(word, n++)) return false;
  return true;
}

bool Parser::at_any(std::initializer_list<std::string_view> words, size_t n) {
  if (!peek(n).is_word()) return false;
  for (std::string_view word : words)
    if (ahead_[n].text == word) return true;
  return false;
}

bool Parser::at_identifier(size_t n) {
  const Token& token = peek(n);
  return token.kind == TokenKind::kQuoted || (token.is_word() && !is_reserved_word(token.text));
}

bool Parser::accept(std::string_view word) {
  if (!at(word)) return false;
  take();
  return true;
}

bool Parser::accept_words(std::initializer_list<std::string_view> words) {
  if (!at_words(words)) return false;
  for (size_t i = 0; i < words.size(); ++i) take();
  return true;
}

bool Parser::accept_op(std::string_view op) {
  if (!at_op(op)) return false;
  take();
  return true;
}

void Parser::expect(std::string_view word) {
  if (!accept(word)) syntax_error();
}

void Parser::expect_words(std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) expect(word);
}

void Parser::expect_op(std::string_view op) {
  if (!accept_op(op)) syntax_error();
}

std::string Parser::expect_string() {
  if (!at_string()) syntax_error();
  return take().text;
}

std::string Parser::expect_secret() {
  if (!at_string()) syntax_error();
  secrets_.push_back({peek().begin, peek().end});
  return take().text;
}

int64_t Parser::expect_integer() {
  bool negative = false;
  if (accept_op("-"))
    negative = true;
  else
    accept_op("+");
  if (peek().kind != TokenKind::kInteger) syntax_error();
  auto value = parse_int((negative ? "-" : "") + peek().text);
  if (!value) raise(kInvalidParameterValue, "value \"" + peek().text + "\" is out of range for type bigint", peek().position);
  take();
  return *value;
}

bool Parser::accept_cascade() {
  if (accept("cascade")) return true;
  accept("restrict");
  return false;
}

void Parser::raise(const ErrorKind& kind, std::string message, Position position) {
  throw Failure{Error{&kind, std::move(message)}.with("POSITION", std::to_string(position))};
}

void Parser::syntax_error(const Token& token) {
  if (token.kind == TokenKind::kEnd) raise(kSyntaxError, "syntax error at end of input", token.position);
  raise(kSyntaxError, "syntax error at or near \"" + std::string(text_.substr(token.begin, token.end - token.begin)) + "\"",
        token.position);
}

void Parser::not_supported(const std::string& what, Position position) {
  raise(kNotSupported, what + " is not supported", position);
}

// ---- Nesting

Parser::Nest::Nest(Parser& parser) : parser_(parser), outer_height_(parser.height_), outer_nesting_(parser.nesting_) {
  if (parser_.depth_ >= parser_.options_.max_depth) parser_.too_deep();
  ++parser_.depth_;
  parser_.height_ = parser_.nesting_ = 0;
}

Parser::Nest::~Nest() {
  --parser_.depth_;
  parser_.height_ = std::max(outer_height_, parser_.height_ + 1);
  parser_.nesting_ = std::max(outer_nesting_, parser_.nesting_ + 1);
}

void Parser::grow() {
  if (++height_ > options_.max_height) too_deep();
}

void Parser::grow_deep() {
  grow();
  if (++nesting_ > options_.max_depth) too_deep();
}

void Parser::too_deep() { raise(kTooComplex, "stack depth limit exceeded: the statement is nested too deeply", peek().position); }

// ---- Names

Identifier Parser::parse_identifier() {
  if (!at_identifier()) syntax_error();
  Token token = take();
  return {std::move(token.text), token.position};
}

Identifier Parser::parse_label() {
  if (!peek().is_word() && peek().kind != TokenKind::kQuoted) syntax_error();
  Token token = take();
  return {std::move(token.text), token.position};
}

Identifier Parser::parse_role_name() {
  Identifier name = parse_identifier();
  if (accept_op(":")) name.text += ":" + parse_label().text;
  return name;
}

ObjectName Parser::parse_object_name() {
  Identifier first = parse_identifier();
  ObjectName name{.database = "", .schema = "", .name = std::move(first.text), .position = first.position};
  for (int parts = 1; at_op("."); ++parts) {
    if (parts == 3) raise(kSyntaxError, "improper qualified name (too many dotted names)", name.position);
    take();
    name.database = std::move(name.schema);
    name.schema = std::move(name.name);
    name.name = parse_label().text;
  }
  return name;
}

std::vector<Identifier> Parser::parse_identifier_list() {
  std::vector<Identifier> list;
  do list.push_back(parse_identifier());
  while (accept_op(","));
  return list;
}

std::vector<Identifier> Parser::parse_parenthesized_identifiers() {
  expect_op("(");
  std::vector<Identifier> list = parse_identifier_list();
  expect_op(")");
  return list;
}

std::vector<ObjectName> Parser::parse_object_names() {
  std::vector<ObjectName> list;
  do list.push_back(parse_object_name());
  while (accept_op(","));
  return list;
}

// ---- Statements

CommandPtr Parser::parse_command() {
  static const std::unordered_map<std::string_view, Rule> rules = {
      {"select", &Parser::parse_query_command},
      {"values", &Parser::parse_query_command},
      {"table", &Parser::parse_query_command},
      {"with", &Parser::parse_with_command},
      {"insert", &Parser::parse_insert},
      {"update", &Parser::parse_update_command},
      {"delete", &Parser::parse_delete_command},
      {"merge", &Parser::parse_merge},
      {"truncate", &Parser::parse_truncate},
      {"copy", &Parser::parse_copy},
      {"unload", &Parser::parse_unload},
      {"create", &Parser::parse_create},
      {"alter", &Parser::parse_alter},
      {"drop", &Parser::parse_drop},
      {"comment", &Parser::parse_comment},
      {"refresh", &Parser::parse_refresh},
      {"begin", &Parser::parse_transaction},
      {"start", &Parser::parse_transaction},
      {"commit", &Parser::parse_transaction},
      {"end", &Parser::parse_transaction},
      {"rollback", &Parser::parse_transaction},
      {"abort", &Parser::parse_transaction},
      {"savepoint", &Parser::parse_transaction},
      {"release", &Parser::parse_transaction},
      {"set", &Parser::parse_set},
      {"reset", &Parser::parse_reset},
      {"show", &Parser::parse_show},
      {"use", &Parser::parse_use},
      {"discard", &Parser::parse_discard},
      {"prepare", &Parser::parse_prepare},
      {"execute", &Parser::parse_execute},
      {"deallocate", &Parser::parse_deallocate},
      {"declare", &Parser::parse_declare},
      {"fetch", &Parser::parse_fetch},
      {"close", &Parser::parse_close},
      {"call", &Parser::parse_call_command},
      {"explain", &Parser::parse_explain},
      {"lock", &Parser::parse_lock},
      {"vacuum", &Parser::parse_vacuum},
      {"analyze", &Parser::parse_analyze},
      {"analyse", &Parser::parse_analyze},
      {"cancel", &Parser::parse_cancel},
      {"grant", &Parser::parse_grant_command},
      {"revoke", &Parser::parse_grant_command},
      {"attach", &Parser::parse_attach},
      {"detach", &Parser::parse_attach},
  };
  Position position = peek().position;
  CommandPtr command;
  if (at_op("(")) {
    command = parse_query_command();
  } else if (peek().is_word()) {
    auto rule = rules.find(peek().text);
    if (rule == rules.end()) {
      if (at_any(
              {"listen", "notify", "unlisten", "do", "move", "cluster", "reindex", "checkpoint", "load", "reassign", "security"}))
        not_supported(to_upper(peek().text));
      syntax_error();
    }
    command = (this->*rule->second)();
  } else {
    syntax_error();
  }
  command->position = position;
  return command;
}

Statement Parser::parse_statement() {
  Statement statement;
  parameters_ = 0;
  secrets_.clear();
  into_.reset();
  statement.span.begin = peek().begin;
  statement.command = parse_command();
  statement.span.end = last_end_;
  statement.text = text_since(statement.span.begin);
  statement.parameters = parameters_;
  for (Span secret : secrets_)
    statement.secrets.push_back({secret.begin - statement.span.begin, secret.end - statement.span.begin});
  return statement;
}

std::vector<Statement> Parser::parse_statements() {
  std::vector<Statement> statements;
  for (;;) {
    while (accept_op(";")) {
    }
    if (peek().kind == TokenKind::kEnd) return statements;
    statements.push_back(parse_statement());
    if (peek().kind != TokenKind::kEnd && !at_op(";")) syntax_error();
  }
}

void Parser::expect_end() {
  while (accept_op(";")) {
  }
  if (peek().kind != TokenKind::kEnd) syntax_error();
}

// ---- Entry points

namespace {

template <class Rule>
auto run(std::string_view text, const ParseOptions& options, Rule rule) -> Result<decltype(rule(std::declval<Parser&>()))> {
  try {
    Parser parser(text, options);
    return rule(parser);
  } catch (Failure& failure) {
    return fail(std::move(failure.error));
  }
}

}  // namespace

Result<std::vector<Statement>> parse(std::string_view text, const ParseOptions& options) {
  return run(text, options, [](Parser& parser) { return parser.parse_statements(); });
}

Result<Statement> parse_one(std::string_view text, const ParseOptions& options) {
  return run(text, options, [](Parser& parser) {
    Statement statement = parser.parse_statement();
    parser.expect_end();
    return statement;
  });
}

Result<QueryPtr> parse_query(std::string_view text, const ParseOptions& options) {
  return run(text, options, [](Parser& parser) {
    QueryPtr query = parser.parse_query();
    parser.expect_end();
    return query;
  });
}

Result<ExprPtr> parse_expression(std::string_view text, const ParseOptions& options) {
  return run(text, options, [](Parser& parser) {
    ExprPtr expr = parser.parse_expr();
    parser.expect_end();
    return expr;
  });
}

Result<Type> parse_type(std::string_view text) {
  return run(text, {}, [](Parser& parser) {
    Type type = parser.parse_type();
    parser.expect_end();
    return type;
  });
}

Result<ObjectName> parse_name(std::string_view text, const ParseOptions& options) {
  return run(text, options, [](Parser& parser) {
    ObjectName name = parser.parse_object_name();
    parser.expect_end();
    return name;
  });
}

const CopyOption* find_option(const std::vector<CopyOption>& options, std::string_view name) {
  for (const CopyOption& option : options)
    if (option.name == name) return &option;
  return nullptr;
}

const CopyOption* Copy::find(std::string_view name) const { return find_option(options, name); }
const CopyOption* Unload::find(std::string_view name) const { return find_option(options, name); }

}  // namespace redoubt::warehouse::sql
