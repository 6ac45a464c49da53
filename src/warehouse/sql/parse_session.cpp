/// Transactions, settings, prepared statements, cursors, maintenance.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

TransactionModes Parser::parse_transaction_modes() {
  TransactionModes modes;
  for (;;) {
    Position position = peek().position;
    bool redundant = false;
    if (accept_words({"isolation", "level"})) {
      redundant = modes.isolation.has_value();
      if (accept("serializable"))
        modes.isolation = IsolationLevel::kSerializable;
      else if (accept_words({"repeatable", "read"}))
        modes.isolation = IsolationLevel::kRepeatableRead;
      else if (accept_words({"read", "committed"}))
        modes.isolation = IsolationLevel::kReadCommitted;
      else if (accept_words({"read", "uncommitted"}))
        modes.isolation = IsolationLevel::kReadUncommitted;
      else
        syntax_error();
    } else if (accept("read")) {
      redundant = modes.read_only.has_value();
      if (!at_any({"only", "write"})) syntax_error();
      modes.read_only = take().text == "only";
    } else {
      return modes;
    }
    if (redundant) raise(kSyntaxError, "conflicting or redundant options", position);
    if (at_op(",")) {
      take();
      if (!at_any({"isolation", "read"})) syntax_error();
    }
  }
}

CommandPtr Parser::parse_transaction() {
  using Action = Transaction::Action;
  auto transaction = make<Transaction>();
  std::string word = take().text;
  if (word == "start") {
    expect("transaction");
    transaction->start = true;
    transaction->modes = parse_transaction_modes();
  } else if (word == "savepoint") {
    transaction->action = Action::kSavepoint;
    transaction->savepoint = parse_identifier().text;
  } else if (word == "release") {
    transaction->action = Action::kRelease;
    accept("savepoint");
    transaction->savepoint = parse_identifier().text;
  } else {
    if (at_any({"work", "transaction"})) take();
    if (word == "begin") {
      transaction->modes = parse_transaction_modes();
    } else if (word == "commit" || word == "end") {
      transaction->action = Action::kCommit;
      if (at("prepared")) not_supported("COMMIT PREPARED");
    } else {
      transaction->action = Action::kRollback;
      if (at("prepared")) not_supported("ROLLBACK PREPARED");
      if (word == "rollback" && accept("to")) {
        accept("savepoint");
        transaction->action = Action::kRollbackTo;
        transaction->savepoint = parse_identifier().text;
      }
    }
    if (at_words({"and", "chain"})) not_supported("AND CHAIN");
  }
  return transaction;
}

// ---- Settings

std::string Parser::parse_setting_name() {
  std::string name = parse_label().text;
  if (accept_op(".")) name += "." + parse_label().text;
  return name;
}

std::vector<SetValue> Parser::parse_set_values() {
  std::vector<SetValue> values;
  if (at("default")) {
    take();
    return values;
  }
  do {
    SetValue value;
    bool negative = at_op("-");
    if (negative || at_op("+")) take();
    switch (peek().kind) {
      case TokenKind::kInteger:
      case TokenKind::kDecimal:
      case TokenKind::kFloat:
        value.kind = SetValue::Kind::kNumber;
        value.text = (negative ? "-" : "") + take().text;
        break;
      case TokenKind::kString:
        value.kind = SetValue::Kind::kString;
        if (negative) syntax_error();
        value.text = take().text;
        break;
      case TokenKind::kWord:
      case TokenKind::kQuoted:
        if (negative) syntax_error();
        value.text = take().text;
        break;
      default:
        syntax_error();
    }
    values.push_back(std::move(value));
  } while (accept_op(","));
  return values;
}

/// name {TO | =} values.
Setting Parser::parse_setting() {
  Setting setting;
  setting.name = parse_setting_name();
  if (!accept_op("=")) expect("to");
  setting.values = parse_set_values();
  return setting;
}

CommandPtr Parser::parse_set() {
  auto set = make<Set>();
  expect("set");
  if (at_words({"session", "characteristics", "as", "transaction"})) {
    take(), take(), take(), take();
    set->set_kind = Set::Kind::kSessionCharacteristics;
    set->modes = parse_transaction_modes();
    if (!set->modes.isolation && !set->modes.read_only) syntax_error();
    return set;
  }
  if (at("session") && !at_op("=", 1) && !at("to", 1)) {
    take();
  } else if (at("local") && !at_op("=", 1) && !at("to", 1)) {
    take();
    set->local = true;
  }
  if (at("transaction") && at_any({"isolation", "read"}, 1)) {
    take();
    set->set_kind = Set::Kind::kTransaction;
    set->modes = parse_transaction_modes();
    return set;
  }
  // SET SESSION AUTHORIZATION x; SET [LOCAL] SESSION AUTHORIZATION x.
  if (at("session") && at("authorization", 1)) take();
  if (at("authorization") && !at_op("=", 1) && !at("to", 1)) {
    take();
    set->set_kind = Set::Kind::kSessionAuthorization;
    if (at_string())
      set->user = take().text;
    else if (!accept("default"))
      set->user = parse_identifier().text;
    return set;
  }
  if (accept_words({"time", "zone"})) {
    set->setting.name = "timezone";
    if (!accept("local")) set->setting.values = parse_set_values();
    return set;
  }
  if (at("role") && !at_op("=", 1) && !at("to", 1)) {
    take();
    set->setting.name = "role";
    set->setting.values = parse_set_values();
    return set;
  }
  if (at("names") && (at_string(1) || at("default", 1))) {
    take();
    set->setting.name = "client_encoding";
    set->setting.values = parse_set_values();
    return set;
  }
  set->setting = parse_setting();
  return set;
}

CommandPtr Parser::parse_reset() {
  auto reset = make<Reset>();
  expect("reset");
  if (accept("all")) {
    reset->reset_kind = Reset::Kind::kAll;
  } else if (accept("use")) {
    reset->reset_kind = Reset::Kind::kUse;
  } else if (accept_words({"session", "authorization"})) {
    reset->reset_kind = Reset::Kind::kSessionAuthorization;
  } else if (accept_words({"time", "zone"})) {
    reset->name = "timezone";
  } else {
    reset->name = parse_setting_name();
  }
  return reset;
}

CommandPtr Parser::parse_use() {
  auto use = make<Use>();
  expect("use");
  use->database = parse_identifier();
  return use;
}

CommandPtr Parser::parse_discard() {
  auto discard = make<Discard>();
  expect("discard");
  if (!at_any({"all", "plans", "temp", "temporary", "sequences"})) syntax_error();
  if (at("sequences")) not_supported("DISCARD SEQUENCES");
  discard->what = take().text;
  if (discard->what == "temporary") discard->what = "temp";
  return discard;
}

// ---- Prepared statements and cursors

CommandPtr Parser::parse_prepare() {
  auto prepare = make<Prepare>();
  expect("prepare");
  if (at("transaction") && at_string(1)) not_supported("PREPARE TRANSACTION");
  prepare->name = parse_identifier();
  if (accept_op("(")) {
    do prepare->types.push_back(parse_type());
    while (accept_op(","));
    expect_op(")");
  }
  expect("as");
  if (!at_any({"select", "with", "values", "insert", "update", "delete"}) && !at_op("(")) syntax_error();
  auto statement = std::make_unique<Statement>();
  statement->span.begin = peek().begin;
  statement->command = parse_command();
  statement->span.end = last_end_;
  statement->text = text_since(statement->span.begin);
  // Parameters belong to the prepared statement, not to the PREPARE itself.
  statement->parameters = std::exchange(parameters_, 0);
  prepare->statement = std::move(statement);
  return prepare;
}

CommandPtr Parser::parse_execute() {
  auto execute = make<Execute>();
  expect("execute");
  execute->name = parse_identifier();
  if (accept_op("(")) {
    if (!at_op(")")) execute->args = parse_expr_list();
    expect_op(")");
  }
  return execute;
}

CommandPtr Parser::parse_deallocate() {
  auto deallocate = make<Deallocate>();
  expect("deallocate");
  if (at("prepare") && peek(1).kind != TokenKind::kEnd && !at_op(";", 1)) take();
  if (!accept("all")) deallocate->name = parse_identifier();
  return deallocate;
}

CommandPtr Parser::parse_declare() {
  auto declare = make<DeclareCursor>();
  expect("declare");
  declare->name = parse_identifier();
  if (at("binary")) not_supported("a BINARY cursor");
  accept("insensitive");
  if (at("scroll")) not_supported("a SCROLL cursor");
  if (accept("no")) expect("scroll");
  expect("cursor");
  if (at_any({"with", "without"}) && at("hold", 1)) {
    declare->with_hold = take().text == "with";
    take();
  }
  expect("for");
  declare->query = parse_query();
  return declare;
}

CommandPtr Parser::parse_fetch() {
  auto fetch = make<Fetch>();
  expect("fetch");
  if (at_any({"prior", "first", "last", "absolute", "relative", "backward"}) &&
      (at_any({"from", "in"}, 1) || peek(1).kind == TokenKind::kInteger || at("all", 1)))
    not_supported("FETCH " + to_upper(peek().text));
  auto count = [&] {
    if (accept("all"))
      fetch->count = Fetch::kAll;
    else if (peek().kind == TokenKind::kInteger)
      fetch->count = expect_integer();
    else
      return false;
    return true;
  };
  bool directed = true;
  if (at("next") && (at_any({"from", "in"}, 1) || at_identifier(1)))
    take();
  else if (at("forward") && peek(1).kind != TokenKind::kEnd && !at_op(";", 1))
    take(), count();
  else
    directed = count();
  if (at_op("-")) not_supported("FETCH backwards");
  if (at_any({"from", "in"}))
    take();
  else if (!directed && !at_identifier())
    syntax_error();
  fetch->cursor = parse_identifier();
  return fetch;
}

CommandPtr Parser::parse_close() {
  auto close = make<CloseCursor>();
  expect("close");
  if (!accept("all")) close->name = parse_identifier();
  return close;
}

CommandPtr Parser::parse_call_command() {
  auto command = make<Call>();
  expect("call");
  ObjectName name = parse_object_name();
  command->call = std::make_unique<FunctionCall>();
  command->call->position = name.position;
  command->call->name = std::move(name);
  expect_op("(");
  if (!at_op(")")) command->call->args = parse_expr_list();
  expect_op(")");
  return command;
}

// ---- Maintenance

CommandPtr Parser::parse_explain() {
  auto explain = make<Explain>();
  expect("explain");
  if (at_any({"analyze", "analyse"})) not_supported("EXPLAIN ANALYZE");
  explain->verbose = accept("verbose");
  if (!at_any({"select", "with", "values", "table", "insert", "update", "delete", "merge", "create"}) && !at_op("("))
    syntax_error();
  Nest nest(*this);
  Position position = peek().position;
  explain->command = parse_command();
  if (explain->command->kind != CommandKind::kCreateTableAs && explain->command->kind > CommandKind::kMerge)
    not_supported("EXPLAIN of this command", position);
  return explain;
}

CommandPtr Parser::parse_lock() {
  auto lock = make<Lock>();
  expect("lock");
  accept("table");
  lock->tables = parse_object_names();
  if (at("in")) not_supported("LOCK with a mode");
  return lock;
}

CommandPtr Parser::parse_vacuum() {
  using Mode = Vacuum::Mode;
  auto vacuum = make<Vacuum>();
  expect("vacuum");
  if (at("analyze")) not_supported("VACUUM ANALYZE");
  if (accept("full"))
    vacuum->mode = Mode::kFull;
  else if (accept_words({"sort", "only"}))
    vacuum->mode = Mode::kSortOnly;
  else if (accept_words({"delete", "only"}))
    vacuum->mode = Mode::kDeleteOnly;
  else if (at("reindex") && !at_op(".", 1))
    take(), vacuum->mode = Mode::kReindex;
  else if (at("recluster") && !at_op(".", 1))
    take(), vacuum->mode = Mode::kRecluster;
  if (at_identifier() && !at("boost")) vacuum->table = parse_object_name();
  if (accept("to")) {
    Position position = peek().position;
    int64_t percent = expect_integer();
    expect("percent");
    if (percent < 0 || percent > 100)
      raise(kInvalidParameterValue, "the threshold of VACUUM must be between 0 and 100", position);
    vacuum->threshold_percent = static_cast<int>(percent);
  }
  vacuum->boost = accept("boost");
  return vacuum;
}

CommandPtr Parser::parse_analyze() {
  auto analyze = make<Analyze>();
  take();
  analyze->compression = accept("compression");
  analyze->verbose = !analyze->compression && accept("verbose");
  if (at_identifier() && !at("comprows") && !(at("predicate") && at("columns", 1))) {
    analyze->table = parse_object_name();
    if (at_op("(")) analyze->columns = parse_parenthesized_identifiers();
  }
  if (analyze->compression) {
    if (accept("comprows")) analyze->comprows = expect_integer();
  } else if (accept_words({"predicate", "columns"})) {
    analyze->which = Analyze::Columns::kPredicate;
  } else if (accept_words({"all", "columns"})) {
    analyze->which = Analyze::Columns::kAll;
  }
  return analyze;
}

CommandPtr Parser::parse_cancel() {
  auto cancel = make<Cancel>();
  expect("cancel");
  cancel->pid = expect_integer();
  if (at_string()) cancel->message = take().text;
  return cancel;
}

}  // namespace redoubt::warehouse::sql
