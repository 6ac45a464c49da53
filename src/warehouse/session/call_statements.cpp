// What the instructions of a procedure do; see procedure_call.h.
#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/procedure_call.h"
#include "warehouse/sql/parser.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::session {

using namespace sql::plpgsql;
using sql::as;
using sql::CommandKind;

namespace {

bool is_dml(CommandKind kind) {
  return kind == CommandKind::kInsert || kind == CommandKind::kUpdate || kind == CommandKind::kDelete ||
         kind == CommandKind::kMerge;
}

/// Statements in which values can be bound.
bool takes_values(CommandKind kind) {
  return is_dml(kind) || kind == CommandKind::kSelect || kind == CommandKind::kCreateTableAs || kind == CommandKind::kCall;
}

std::string refused_name(const sql::Command& command) {
  switch (command.kind) {
    case CommandKind::kPrepare:
      return "PREPARE";
    case CommandKind::kExecute:
      return "EXECUTE of a prepared statement";
    case CommandKind::kDeallocate:
      return "DEALLOCATE";
    case CommandKind::kDiscard:
      return "DISCARD";
    case CommandKind::kUse:
      return "USE";
    case CommandKind::kVacuum:
      return "VACUUM";
    case CommandKind::kCreateDatabase:
      return "CREATE DATABASE";
    case CommandKind::kAlterDatabase:
      return "ALTER DATABASE";
    case CommandKind::kDeclareCursor:
      return "DECLARE CURSOR";
    case CommandKind::kFetch:
      return "FETCH";
    case CommandKind::kCloseCursor:
      return "CLOSE";
    case CommandKind::kCopyStdio:
      return "COPY FROM STDIN";
    case CommandKind::kDrop:
      return as<sql::Drop>(command).object == sql::ObjectKind::kDatabase ? "DROP DATABASE" : "";
    case CommandKind::kSet: {
      auto& set = as<sql::Set>(command);
      if (set.set_kind == sql::Set::Kind::kSessionAuthorization) return "SET SESSION AUTHORIZATION";
      if (set.set_kind != sql::Set::Kind::kSetting) return "SET TRANSACTION";
      return set.local ? "SET LOCAL" : "";
    }
    case CommandKind::kReset:
      return as<sql::Reset>(command).reset_kind == sql::Reset::Kind::kSetting ? "" : "this form of RESET";
    default:
      return "";
  }
}

std::unexpected<Error> no_cursor(const std::string& name) {
  return fail(kInvalidCursorName, "cursor \"" + name + "\" does not exist");
}

}  // namespace

Result<ProcedureCall::Waiting> ProcedureCall::execute(const Instruction& at) {
  Frame& frame = top();
  auto next = [&]() -> Waiting {
    frame.pc++;
    return nullptr;
  };
  switch (at.op) {
    case Op::kEnterBlock:
      TRY_VOID(enter_block(as<Block>(*at.node)));
      return next();
    case Op::kAssign: {
      auto& node = as<Assign>(*at.node);
      TRY(Value value, evaluate(*node.value));
      TRY_VOID(assign(node.target, value));
      return next();
    }
    case Op::kJump:
      frame.pc = at.target;
      return Waiting{};
    case Op::kJumpUnless: {
      TRY(bool yes, condition(*at.sql));
      frame.pc = yes ? frame.pc + 1 : at.target;
      return Waiting{};
    }
    case Op::kRangeStart:
      TRY_VOID(range_start(at));
      return next();
    case Op::kRangeNext: {
      auto& loop = frame.loops[at.loop];
      bool over = loop.step > 0 ? loop.next > loop.last : loop.next < loop.last;
      if (over) {
        frame.pc = at.target;
        return Waiting{};
      }
      TRY_VOID(put(as<ForRange>(*at.node).variable, std::to_string(loop.next)));
      loop.next += loop.step;
      loop.iterated = true;
      return next();
    }
    case Op::kQueryStart: {
      TRY(Waiting wait, query_start(at));
      return wait ? wait : next();
    }
    case Op::kQueryNext: {
      TRY(bool row, query_next(at));
      frame.pc = row ? frame.pc + 1 : at.target;
      return Waiting{};
    }
    case Op::kLoopEnd: {
      auto& loop = frame.loops[at.loop];
      TRY_VOID(put(kFound, loop.iterated ? "t" : "f"));
      loop = {};
      return next();
    }
    case Op::kLoopDrop:
      frame.loops[at.loop] = {};
      return next();
    case Op::kRun: {
      size_t depth = frames_.size();
      TRY(Waiting wait, run(at));
      if (wait || frames_.size() > depth) return wait;  // EXECUTE 'CALL ..': its return goes on
      return next();
    }
    case Op::kCall:
      TRY_VOID(call(as<CallProcedure>(*at.node)));
      return Waiting{};
    case Op::kDiagnostics:
      for (auto& place : as<Diagnostics>(*at.node).targets)
        TRY_VOID(assign(place, {sql::TypeKind::kBigint, std::to_string(frame.row_count)}));
      return next();
    case Op::kOpen: {
      TRY(Waiting wait, open(as<Open>(*at.node)));
      return wait ? wait : next();
    }
    case Op::kFetch:
      TRY_VOID(fetch(as<FetchRow>(*at.node)));
      return next();
    case Op::kClose:
      TRY_VOID(close(as<Close>(*at.node)));
      return next();
    case Op::kTransaction:
      TRY_VOID(transaction_control(as<TransactionControl>(*at.node).action));
      return next();
    case Op::kRaise:
      TRY_VOID(raise(as<Raise>(*at.node)));
      return next();
    case Op::kCaseMissing: {
      Error error{&kCaseNotFound, "case not found"};
      return fail(std::move(error).with("HINT", "CASE statement is missing ELSE part."));
    }
    case Op::kPushHandler:
      frame.handlers.push_back(frame.pc);
      return next();
    case Op::kPopHandler:
      frame.handlers.pop_back();
      return next();
    case Op::kHandlerEnd:
      TRY_VOID(end_handler(frame));
      return Waiting{};
    case Op::kReturn:
      TRY_VOID(pop_frame());
      return Waiting{};
  }
  return fail(kInternal, "an instruction of a procedure that nothing runs");
}

Result<void> ProcedureCall::enter_block(const Block& block) {
  auto& body = top().program->body;
  for (int index : block.variables) {
    const Variable& variable = body.variables[size_t(index)];
    VariableState& state = top().variables[size_t(index)];
    TRY_VOID(resolve_type(variable, state));
    if (variable.is_record()) continue;
    engine::Datum initial;
    if (variable.initial) {
      TRY(Value value, evaluate(*variable.initial));
      TRY(initial, convert(value, state.value.type));
    } else if (variable.query) {
      initial = variable.name;  // a bound cursor is called as its variable is
    }
    if (!initial && variable.not_null)
      return fail(kNullNotAllowed, "null value cannot be assigned to variable \"" + variable.name + "\" declared NOT NULL");
    TRY_VOID(put(index, std::move(initial)));
  }
  return {};
}

// ---------------------------------------------------------------------------------------------------- SQL statements

Result<void> ProcedureCall::check_inside(const sql::Statement& statement) const {
  const sql::Command& command = *statement.command;
  if (restricted_)
    return fail(engine::kTransactionAborted, "current transaction is aborted, commands ignored until end of transaction block");
  if (command.kind == CommandKind::kTransaction)
    return fail(secure::kNotSupported, "EXECUTE of transaction commands is not supported");
  if (std::string name = refused_name(command); !name.empty())
    return fail(kActiveTransaction, name + " cannot be executed from a procedure");
  if (command.kind == CommandKind::kTruncate && atomic_context()) return fail(refused_in_atomic_context("TRUNCATE"));
  if (statement.parameters > 0 && !takes_values(command.kind))
    return fail(secure::kNotSupported, "variables in this kind of statement are not supported: use EXECUTE");
  return {};
}

Result<ProcedureCall::Waiting> ProcedureCall::run(const Instruction& at) {
  if (auto* text = sql::get_if<RunText>(at.node)) return run_text(*text);
  auto* perform = sql::get_if<Perform>(at.node);
  const Sql& sql = perform ? *perform->query : *as<RunSql>(*at.node).sql;
  static const Target kNowhere;
  std::vector<sql::Type> types;
  std::vector<engine::Parameter> values;
  TRY_VOID(bind(sql, types, values));
  sql_text_ = sql.text;
  return run_statement(StatementPtr(top().program, &sql.statement), types, std::move(values),
                       perform ? kNowhere : as<RunSql>(*at.node).into, perform != nullptr);
}

Result<ProcedureCall::Waiting> ProcedureCall::run_text(const RunText& node) {
  TRY(std::string text, text_of(*node.text, "EXECUTE"));
  sql_text_ = text;
  TRY(auto parsed,
      sql::parse_one(text, {.case_sensitive_identifiers = session_.settings().is_on("enable_case_sensitive_identifier")}));
  if (parsed.parameters > 0) return fail(secure::kUndefinedParameter, "there is no parameter $1");
  sql_text_ = sql::redacted_text(parsed);
  auto statement = std::make_shared<const sql::Statement>(std::move(parsed));
  if (statement->command->kind == CommandKind::kCall) {
    TRY_VOID(check_inside(*statement));
    TRY_VOID(call_text(statement, node.into));
    return Waiting{};
  }
  return run_statement(std::move(statement), {}, {}, node.into, true);
}

Result<ProcedureCall::Waiting> ProcedureCall::run_statement(StatementPtr statement, std::span<const sql::Type> types,
                                                            std::vector<engine::Parameter> values, const Target& into,
                                                            bool discard) {
  TRY_VOID(check_inside(*statement));
  CommandKind kind = statement->command->kind;
  Running inner{.statement = statement, .declared = {types.begin(), types.end()}, .parameters = std::move(values)};
  TRY(Outcome outcome, session_.run_inside(inner));
  if (outcome.wait) return std::move(outcome.wait);
  Frame& frame = top();
  if (outcome.stream) {
    if (!into.empty()) {
      TRY(Row row, read_row(*outcome.stream, 1));
      outcome.stream.reset();
      TRY_VOID(assign_row(into, row));
      frame.row_count = row.rows;
    } else if (discard) {
      TRY(frame.row_count, read_away(*outcome.stream));
      outcome.stream.reset();
    } else {
      Error error{&secure::kSyntaxError, "SELECT query has no destination for result data"};
      return fail(std::move(error).with("HINT", "If you want to discard the results, use PERFORM instead."));
    }
    bool dynamic = frame.program->code[frame.pc].node->kind == NodeKind::kExecute;
    if (!dynamic) TRY_VOID(put(kFound, frame.row_count > 0 ? "t" : "f"));
  } else {
    if (!into.empty()) return fail(secure::kSyntaxError, "INTO used with a command that cannot return data");
    frame.row_count = outcome.rows;
    if (is_dml(kind) && !discard) TRY_VOID(put(kFound, outcome.rows > 0 ? "t" : "f"));
  }
  TRY_VOID(session_.apply_effects());
  if (kind == CommandKind::kTruncate) {
    explicit_transaction_ = false;
    committed_inside();
  }
  if (frame.procedure.nonatomic && !explicit_transaction_ && !session_.in_block()) {
    TRY_VOID(session_.commit());
    committed_inside();
  }
  return Waiting{};
}

// ---------------------------------------------------------------------------------------------------- nested calls

Result<void> ProcedureCall::call(const CallProcedure& node) {
  StatementPtr statement(top().program, &node.call->statement);
  TRY_VOID(check_inside(*statement));
  std::vector<sql::Type> types;
  std::vector<engine::Parameter> values;
  TRY_VOID(bind(*node.call, types, values));
  sql_text_ = node.call->text;
  std::vector<std::optional<Place>> results;
  auto check = [&](const catalog::Procedure& procedure) -> Result<void> {
    size_t input = 0;
    for (auto& argument : procedure.arguments) {
      if (argument.mode == catalog::ArgumentMode::kOut)
        return fail(secure::kNotSupported, "OUT arguments in a nested call are not supported: use INOUT");
      if (argument.is_output()) {
        auto& variable = node.variables[input];
        if (!variable || top().program->body.variables[size_t(variable->variable)].constant)
          return fail(secure::kSyntaxError,
                      "INOUT argument " + std::to_string(input + 1) + " of a nested call must be a nonconstant variable");
        results.push_back(variable);
      }
      input++;
    }
    return {};
  };
  TRY_VOID(enter(statement, types, values, check));
  top().results = std::move(results);
  top().called_as = node.call->text;
  return {};
}

Result<void> ProcedureCall::call_text(StatementPtr statement, const Target& into) {
  std::string text = sql_text_;
  TRY_VOID(enter(statement, {}, {}, [](auto&) -> Result<void> { return {}; }));
  top().into = into;
  top().called_as = std::move(text);
  return {};
}

/// Resolves a CALL with the current frame's rights and pushes the callee's frame.
Result<void> ProcedureCall::enter(const StatementPtr& statement, std::span<const sql::Type> types,
                                  const std::vector<engine::Parameter>& values,
                                  const std::function<Result<void>(const catalog::Procedure&)>& check) {
  session_.ensure_transaction();
  auto facts = session_.make_facts();
  View view(facts);
  Work work{session_, session_.core(), *statement, facts, view, session_.changes(), values, types};
  auto& command = as<sql::Call>(*statement->command);
  TRY(auto target, resolve_call(work, command, types, statement->parameters));
  catalog::Procedure procedure = *target.procedure;
  TRY_VOID(check(procedure));
  TRY(auto arguments_of_call, arguments(work, command, target, values));
  return push_frame(procedure, std::move(arguments_of_call), top().user);
}

// ---------------------------------------------------------------------------------------------------- messages

Result<void> ProcedureCall::raise(const Raise& node) {
  using Level = Raise::Level;
  if (node.level == Level::kAgain) {
    if (top().handling.empty())
      return fail(secure::kSyntaxError, "RAISE without parameters cannot be used outside an exception handler");
    rethrown_ = true;
    return fail(top().handling.back());
  }
  std::string message;
  size_t next = 0;
  for (size_t i = 0; i < node.format.size(); i++) {
    char c = node.format[i];
    if (c != '%') {
      message += c;
    } else if (i + 1 < node.format.size() && node.format[i + 1] == '%') {
      message += '%';
      i++;
    } else {
      TRY(Value value, evaluate(*node.arguments[next++]));
      message += shown(value);
    }
  }
  if (node.level == Level::kException) return fail(kRaised, std::move(message));
  static constexpr std::pair<const char*, int> kLevels[] = {{"DEBUG", 0}, {"LOG", 1}, {"INFO", 9}, {"NOTICE", 2}, {"WARNING", 3}};
  auto& [severity, rank] = kLevels[size_t(node.level)];
  std::string least = session_.settings().get("client_min_messages").value_or("notice");
  int wanted = least.starts_with("debug")             ? 0
               : least == "log"                       ? 1
               : least == "warning"                   ? 3
               : least == "error" || least == "panic" ? 4
                                                      : 2;
  if (rank < wanted) return {};
  session_.notice(
      {.severity = severity, .sqlstate = node.level == Level::kWarning ? "01000" : "00000", .message = std::move(message)});
  return {};
}

// ---------------------------------------------------------------------------------------------------- loops

Result<void> ProcedureCall::range_start(const Instruction& at) {
  auto& node = as<ForRange>(*at.node);
  auto bound = [&](const Sql& sql, const char* which) -> Result<int64_t> {
    TRY(Value value, evaluate(sql));
    TRY(auto datum, convert(value, sql::TypeKind::kInteger));
    if (!datum) return fail(kNullNotAllowed, std::string(which) + " bound of FOR loop cannot be NULL");
    auto number = parse_int(*datum);
    if (!number) return fail(secure::kInvalidText, "invalid input syntax for integer: \"" + *datum + "\"");
    return *number;
  };
  LoopState loop;
  TRY(loop.next, bound(*node.from, "lower"));
  TRY(loop.last, bound(*node.to, "upper"));
  loop.step = node.reverse ? -1 : 1;
  top().loops[at.loop] = std::move(loop);
  return {};
}

Result<ProcedureCall::Waiting> ProcedureCall::open_stream(const Sql* query, const Sql* dynamic, StreamPtr& out) {
  Running inner;
  if (dynamic) {
    TRY(std::string text, text_of(*dynamic, "EXECUTE"));
    sql_text_ = text;
    TRY(auto parsed,
        sql::parse_one(text, {.case_sensitive_identifiers = session_.settings().is_on("enable_case_sensitive_identifier")}));
    if (parsed.parameters > 0) return fail(secure::kUndefinedParameter, "there is no parameter $1");
    inner.statement = std::make_shared<const sql::Statement>(std::move(parsed));
  } else {
    TRY_VOID(bind(*query, inner.declared, inner.parameters));
    sql_text_ = query->text;
    inner.statement = StatementPtr(top().program, &query->statement);
  }
  TRY_VOID(check_inside(*inner.statement));
  if (inner.statement->command->kind != CommandKind::kSelect)
    return fail(secure::kSyntaxError, "cannot open a cursor on a command that returns no rows");
  TRY(Outcome outcome, session_.run_inside(inner));
  if (outcome.wait) return std::move(outcome.wait);
  // The next expression on this connection would do it anyway; now set_config() in the query has its effect before the loop.
  TRY_VOID(outcome.stream->materialise());
  TRY_VOID(session_.apply_effects());
  out = std::move(outcome.stream);
  return Waiting{};
}

Result<ProcedureCall::Waiting> ProcedureCall::query_start(const Instruction& at) {
  auto& node = as<ForQuery>(*at.node);
  StreamPtr stream;
  TRY(Waiting wait, open_stream(node.query.get(), node.dynamic.get(), stream));
  if (wait) return wait;
  auto& loop = top().loops[at.loop];
  loop = {};
  loop.stream = std::move(stream);
  return Waiting{};
}

Result<bool> ProcedureCall::query_next(const Instruction& at) {
  auto& node = as<ForQuery>(*at.node);
  auto& loop = top().loops[at.loop];
  if (loop.closed) return no_cursor("<unnamed portal " + std::to_string(at.loop + 1) + ">");
  TRY(Row row, read_row(*loop.stream, 1));
  TRY_VOID(session_.apply_effects());
  if (row.rows == 0) return false;
  loop.iterated = true;
  TRY_VOID(assign_row(node.target, row));
  return true;
}

// ---------------------------------------------------------------------------------------------------- cursors

Result<ProcedureCall::Waiting> ProcedureCall::open(const Open& node) {
  auto& variable = top().program->body.variables[size_t(node.cursor)];
  auto& cursors = session_.cursors();
  TRY(Value name, read({node.cursor, ""}));
  if (!name.datum) {
    std::string generated;
    do generated = "<unnamed portal " + std::to_string(++portals_) + ">";
    while (cursors.contains(generated));
    name.datum = generated;
  }
  if (cursors.contains(*name.datum)) return fail(kDuplicateCursor, "cursor \"" + *name.datum + "\" already in use");
  if (cursors.size() >= 100) return fail(secure::kTooComplex, "too many cursors");
  for (size_t i = 0; i < node.arguments.size(); i++) {
    TRY(Value value, evaluate(*node.arguments[i]));
    TRY_VOID(assign({variable.parameters[i], ""}, value));
  }
  StreamPtr stream;
  TRY(Waiting wait, open_stream(variable.query ? variable.query.get() : node.query.get(), node.dynamic.get(), stream));
  if (wait) return wait;
  cursors[*name.datum] = {std::shared_ptr<engine::ResultStream>(std::move(stream)), false};
  TRY_VOID(put(node.cursor, name.datum));
  return Waiting{};
}

Result<void> ProcedureCall::fetch(const FetchRow& node) {
  TRY(Value name, read({node.cursor, ""}));
  if (!name.datum)
    return fail(kNullNotAllowed, "cursor variable \"" + top().program->body.variables[size_t(node.cursor)].name + "\" is NULL");
  auto at = session_.cursors().find(*name.datum);
  if (at == session_.cursors().end()) return no_cursor(*name.datum);
  auto stream = at->second.stream;
  TRY(Row row, read_row(*stream, 1));
  TRY_VOID(session_.apply_effects());
  TRY_VOID(assign_row(node.into, row));
  TRY_VOID(put(kFound, row.rows > 0 ? "t" : "f"));
  top().row_count = row.rows;
  return {};
}

Result<void> ProcedureCall::close(const Close& node) {
  TRY(Value name, read({node.cursor, ""}));
  if (!name.datum)
    return fail(kNullNotAllowed, "cursor variable \"" + top().program->body.variables[size_t(node.cursor)].name + "\" is NULL");
  if (session_.cursors().erase(*name.datum) == 0) return no_cursor(*name.datum);
  return {};
}

}  // namespace redoubt::warehouse::session
