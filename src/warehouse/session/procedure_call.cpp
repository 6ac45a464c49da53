#include "warehouse/session/procedure_call.h"

#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/types.h"
#include "warehouse/secure/values.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/list_stream.h"
#include "warehouse/session/resolve.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::session {

using namespace sql::plpgsql;
using sql::as;

namespace {

constexpr size_t kDepthMax = 16;
constexpr int kTurn = 256;                            // instructions until others have their turn
constexpr size_t kMessagesPerTurn = size_t{1} << 20;  // bytes of notices, likewise
constexpr size_t kMessagesMax = size_t{16} << 20;     // unsent: nobody takes them

/// May EXCEPTION WHEN OTHERS see it? Everything but being stopped.
bool catchable(const Error& error) {
  return !error.is(engine::kQueryCanceled) && !error.is(kAdminShutdown) && !error.is(kIdleTransaction);
}

void add_context(Error& error, const std::string& line) {
  for (auto& [name, value] : error.more)
    if (name == "CONTEXT") {
      value += "\n" + line;
      return;
    }
  error.more.emplace_back("CONTEXT", line);
}

/// The rights of one frame's user, for as long as its instruction runs.
class Acting {
 public:
  explicit Acting(SqlSession& session) : session_(session) {}
  ~Acting() { session_.act_as(0); }

 private:
  SqlSession& session_;
};

/// A result under the names and types of a procedure's OUT arguments.
class CallResult : public engine::ResultStream {
 public:
  CallResult(StreamPtr from, std::vector<secure::plan::Output> columns) : from_(std::move(from)), columns_(std::move(columns)) {}
  const std::vector<secure::plan::Output>& columns() const override { return columns_; }
  Result<engine::Fetched> encode(const engine::RowFormat& format, int64_t max_rows, std::string& buffer) override {
    return from_->encode(format, max_rows, buffer);
  }
  Result<engine::Fetched> values(int64_t max_rows, std::vector<std::vector<engine::Datum>>& rows,
                                 const engine::RowFormat& format) override {
    return from_->values(max_rows, rows, format);
  }
  Result<void> materialise() override { return from_->materialise(); }

 private:
  StreamPtr from_;
  std::vector<secure::plan::Output> columns_;
};

/// What can be NULL or text of any type: decided by the procedure, not by the argument.
bool is_untyped(const sql::Expr& expr, std::span<const sql::Type> declared) {
  if (auto* literal = sql::get_if<sql::Literal>(&expr))
    return literal->value_kind == sql::Literal::Kind::kString || literal->value_kind == sql::Literal::Kind::kNull;
  auto* parameter = sql::get_if<sql::Parameter>(&expr);
  return parameter &&
         (size_t(parameter->number) > declared.size() || declared[size_t(parameter->number - 1)].is(sql::TypeKind::kUnknown));
}

Result<sql::Statement> select_arguments(const sql::Call& call) {
  std::string text = "SELECT ";
  for (const char* comma = ""; auto& arg : call.call->args) text += comma + sql::print(*arg), comma = ", ";
  return sql::parse_one(text, sql::ParseOptions::stored());
}

/// Total cost of calling `procedure` with these; nullopt: it can't be.
std::optional<int> cost_of(const catalog::Procedure& procedure, const std::vector<sql::Type>& types) {
  auto inputs = procedure.input_types();
  if (inputs.size() != types.size()) return std::nullopt;
  int total = 0;
  for (size_t i = 0; i < types.size(); i++) {
    sql::Type to = inputs[i].is(sql::TypeKind::kRefCursor) ? sql::Type::varchar() : inputs[i];
    auto cost = secure::implicit_cost(types[i], to);
    if (!cost) return std::nullopt;
    total += *cost;
  }
  return total;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------- which procedure

Result<CallTarget> resolve_call(Work& work, const sql::Call& call, std::span<const sql::Type> declared, int parameters) {
  const sql::ObjectName& name = call.call->name;
  CallTarget target;
  target.parameters.assign(declared.begin(), declared.end());
  target.parameters.resize(std::max(target.parameters.size(), size_t(parameters)));
  std::vector<sql::Type> types;
  if (!call.call->args.empty()) {
    TRY(auto select, select_arguments(call));
    auto host = make_host_context(work.facts);
    TRY(auto plan, secure::analyze(select, {work.view, host->host_functions()}, target.parameters));
    for (size_t i = 0; i < plan.columns.size(); i++) {
      if (plan.query->select.outputs[i]->has_query) return fail(secure::kNotSupported, "cannot use subquery in CALL argument");
      types.push_back(is_untyped(*call.call->args[i], declared) ? sql::Type{} : plan.columns[i].type);
    }
    if (types.size() != call.call->args.size()) return fail(secure::kSyntaxError, "invalid arguments of CALL");
  }

  TRY(auto schemas, schemas_to_search(work, name));
  std::optional<int> best;
  bool ambiguous = false;
  for (auto* schema : schemas)
    for (auto* procedure : work.now().procedures_named(schema->oid, name.name)) {
      auto cost = cost_of(*procedure, types);
      if (!cost) continue;
      if (best && *cost == *best) ambiguous |= procedure->schema == target.procedure->schema;
      if (best && *cost >= *best) continue;
      best = cost;
      ambiguous = false;
      target.procedure = procedure;
    }
  if (!target.procedure) {
    Error error{&secure::kUndefinedFunction, "procedure " + display(name) + "(" + procedure_types(types) + ") does not exist"};
    if (name.position > 0) error.more.emplace_back("POSITION", std::to_string(name.position));
    return fail(std::move(error).with(
        "HINT", "No procedure matches the given name and argument types. You may need to add explicit type casts."));
  }
  if (ambiguous) {
    Error error{&secure::kAmbiguousFunction, "procedure " + display(name) + "(" + procedure_types(types) + ") is not unique"};
    return fail(
        std::move(error).with("HINT", "Could not choose a best candidate procedure. You may need to add explicit type casts."));
  }
  if (!catalog::may(work.who(), catalog::kExecute, *target.procedure))
    return fail(permission_denied("procedure", target.procedure->name));
  auto inputs = target.procedure->input_types();
  for (size_t i = 0; i < call.call->args.size(); i++) {
    auto* parameter = sql::get_if<sql::Parameter>(call.call->args[i].get());
    if (!parameter) continue;
    auto& type = target.parameters[size_t(parameter->number - 1)];
    if (type.is(sql::TypeKind::kUnknown)) type = inputs[i].is(sql::TypeKind::kRefCursor) ? sql::Type::varchar() : inputs[i];
  }
  return target;
}

std::vector<secure::plan::Output> call_columns(const catalog::Procedure& procedure) {
  std::vector<secure::plan::Output> columns;
  for (auto& argument : procedure.arguments) {
    if (!argument.is_output()) continue;
    secure::plan::Output output;
    output.name = argument.name.empty() ? "column" + std::to_string(columns.size() + 1) : argument.name;
    output.type = argument.type;
    columns.push_back(std::move(output));
  }
  return columns;
}

// ---------------------------------------------------------------------------------------------------- begin, resume

ProcedureCall::~ProcedureCall() = default;

Result<std::vector<Value>> ProcedureCall::arguments(Work& work, const sql::Call& call, const CallTarget& target,
                                                    std::span<const engine::Parameter> values) {
  std::vector<Value> out;
  if (call.call->args.empty()) return out;
  TRY(auto select, select_arguments(call));
  auto host = make_host_context(work.facts);
  TRY(auto plan, secure::analyze(select, {work.view, host->host_functions()}, target.parameters));
  TRY(auto outcome, run_plan(work, plan, values));
  std::vector<std::vector<engine::Datum>> rows;
  TRY(auto got, outcome.stream->values(1, rows, exact_format()));
  if (got.rows != 1) return fail(kInternal, "the arguments of a CALL gave no row");
  outcome.stream.reset();
  TRY_VOID(session_.apply_effects());
  auto inputs = target.procedure->input_types();
  for (size_t i = 0; i < inputs.size(); i++) {
    TRY(auto datum, convert({plan.columns[i].type, std::move(rows[0][i])}, inputs[i]));
    out.push_back({inputs[i], std::move(datum)});
  }
  return out;
}

Result<std::shared_ptr<ProcedureCall>> ProcedureCall::begin(Work& work, const Running& running) {
  auto& command = sql::as<sql::Call>(*running.statement->command);
  std::shared_ptr<ProcedureCall> call(new ProcedureCall(work.session));
  TRY(auto target, resolve_call(work, command, running.declared, running.statement->parameters));
  if (running.parameters.size() < target.parameters.size())
    return fail(kProtocolViolation, "bind message supplies too few parameters");
  catalog::Procedure procedure = *target.procedure;
  TRY(auto values, call->arguments(work, command, target, running.parameters));
  TRY_VOID(call->push_frame(procedure, std::move(values), work.session.current_user()));
  return call;
}

Result<Outcome> ProcedureCall::resume() {
  Acting acting(session_);
  while (!outcome_) {
    auto waiting = step();
    if (!waiting) {
      frames_.clear();
      return fail(waiting.error());
    }
    if (*waiting) return Outcome{.wait = std::move(*waiting)};
    if (++since_yield_ < kTurn && session_.unsent_message_bytes() < kMessagesPerTurn) continue;
    if (session_.unsent_message_bytes() > kMessagesMax) return fail(engine::kOutOfMemory, "too many messages");
    since_yield_ = 0;
    auto turn = std::make_shared<LockWait>();
    turn->fire();
    return Outcome{.wait = std::move(turn)};
  }
  return std::move(*outcome_);
}

/// One instruction, and what its error leads to.
Result<ProcedureCall::Waiting> ProcedureCall::step() {
  TRY_VOID(session_.check_running());
  act();
  const Instruction& instruction = top().program->code[top().pc];
  auto done = execute(instruction);
  if (done) {
    if (!*done) sql_text_.clear();
    return std::move(*done);
  }
  Error error = std::move(done).error();
  std::erase_if(error.more, [](auto& member) { return member.first == "POSITION"; });
  // RAISE tells nothing of its own place, as in PostgreSQL; an error that comes out of its handler has told it.
  bool told = instruction.op == Op::kHandlerEnd || (instruction.op == Op::kRaise && error.is(kRaised)) || rethrown_;
  rethrown_ = false;
  if (!told && !frames_.empty()) add_place(error, top());
  sql_text_.clear();
  TRY_VOID(unwind(std::move(error)));
  return Waiting{};
}

// ---------------------------------------------------------------------------------------------------- frames

Result<void> ProcedureCall::push_frame(const catalog::Procedure& procedure, std::vector<Value> values, catalog::Oid caller) {
  if (frames_.size() >= kDepthMax)
    return fail(kTooManyCalls, "stored procedure call nesting exceeds the maximum of " + std::to_string(kDepthMax) + " levels");
  if (!frames_.empty() && top().procedure.nonatomic != procedure.nonatomic)
    return fail(secure::kNotSupported, "a procedure can only call procedures of its own transaction mode (NONATOMIC or not)");
  auto frame = std::make_unique<Frame>();
  frame->procedure = procedure;
  TRY(frame->program, session_.core().programs.get(procedure));
  frame->user = procedure.security_definer ? procedure.owner : caller;
  frame->temp_last =
      (!frames_.empty() && top().temp_last) || (procedure.security_definer && procedure.settings.contains("search_path"));
  auto& body = frame->program->body;
  frame->variables.resize(body.variables.size());
  frame->loops.resize(frame->program->loops);
  for (size_t i = 0; i < body.variables.size(); i++) frame->variables[i].value.type = body.variables[i].type;
  frame->variables[kFound].value.datum = "f";
  size_t next = 0;
  for (size_t i = 0; i < procedure.arguments.size(); i++) {
    auto& variable = frame->variables[size_t(body.arguments[i])];
    variable.value.type = procedure.arguments[i].type;
    if (!procedure.arguments[i].is_input()) continue;
    if (values[next].datum) bytes_ += values[next].datum->size();
    variable.value.datum = std::move(values[next++].datum);
  }
  frames_.push_back(std::move(frame));
  if (auto applied = apply_settings(top()); !applied) {
    drop_frame();
    return applied;
  }
  return {};
}

Result<void> ProcedureCall::apply_settings(Frame& frame) {
  frame.before.clear();
  for (auto& [name, value] : frame.procedure.settings) {
    frame.before[name] = session_.settings().keep(name);
    TRY_VOID(session_.settings().set_text(name, value, false));
  }
  return {};
}

void ProcedureCall::drop_frame() {
  Frame& frame = top();
  for (auto& [name, kept] : frame.before) session_.settings().put_back(name, kept);
  for (auto& variable : frame.variables) {
    if (variable.value.datum) bytes_ -= variable.value.datum->size();
    for (auto& field : variable.fields)
      if (field.value.datum) bytes_ -= field.value.datum->size();
  }
  frames_.pop_back();
}

/// The procedure has returned: its caller gets what the OUT arguments hold.
Result<void> ProcedureCall::pop_frame() {
  Frame& frame = top();
  std::vector<Value> outputs;
  for (size_t i = 0; i < frame.procedure.arguments.size(); i++)
    if (frame.procedure.arguments[i].is_output())
      outputs.push_back(frame.variables[size_t(frame.program->body.arguments[i])].value);
  catalog::Procedure procedure = frame.procedure;
  auto results = std::move(frame.results);
  auto into = std::move(frame.into);
  drop_frame();
  if (frames_.empty()) return finish_call(procedure, outputs);
  act();
  if (!into.empty()) {
    Row row{.columns = call_columns(procedure), .values = {}, .rows = outputs.empty() ? 0 : 1};
    for (auto& output : outputs) row.values.push_back(output.datum);
    TRY_VOID(assign_row(into, row));
  }
  for (size_t i = 0; i < results.size(); i++)
    if (results[i]) TRY_VOID(assign(*results[i], outputs[i]));
  top().pc++;
  return {};
}

/// The row of the whole CALL goes through the engine, which knows every type's wire forms.
Result<void> ProcedureCall::finish_call(const catalog::Procedure& procedure, const std::vector<Value>& outputs) {
  session_.act_as(0);
  Outcome outcome = done("CALL");
  auto columns = call_columns(procedure);
  if (!columns.empty()) {
    std::string text = "SELECT ";
    std::vector<sql::Type> types;
    std::vector<engine::Parameter> values;
    for (auto& output : outputs) {
      values.push_back({output.datum});
      types.push_back(output.type.is(sql::TypeKind::kRefCursor) ? sql::Type::varchar() : output.type);
      text += (values.size() > 1 ? ", $" : "$") + std::to_string(values.size());
    }
    TRY(auto select, sql::parse_one(text));
    Running inner{
        .statement = std::make_shared<const sql::Statement>(std::move(select)), .declared = types, .parameters = values};
    TRY(Outcome row, session_.run_inside(inner));
    outcome.stream = std::make_unique<CallResult>(std::move(row.stream), std::move(columns));
  }
  outcome_ = std::move(outcome);
  return {};
}

// ---------------------------------------------------------------------------------------------------- errors

void ProcedureCall::add_place(Error& error, const Frame& frame) const {
  if (!sql_text_.empty()) add_context(error, "SQL statement \"" + sql_text_ + "\"");
  const Instruction& at = frame.program->code[frame.pc];
  if (at.line > 0)
    add_context(error, "PL/pgSQL function \"" + frame.procedure.name + "\" line " + std::to_string(at.line) + " at " + at.what);
}

Result<void> ProcedureCall::unwind(Error error) {
  while (!frames_.empty()) {
    if (!top().handlers.empty() && catchable(error)) return enter_handler(top(), std::move(error));
    std::string called_as = top().called_as;
    drop_frame();
    if (frames_.empty()) break;
    act();
    sql_text_ = called_as;
    add_place(error, top());
    sql_text_.clear();
  }
  return fail(std::move(error));
}

Result<void> ProcedureCall::enter_handler(Frame& frame, Error error) {
  const Instruction& push = frame.program->code[frame.handlers.back()];
  frame.handlers.pop_back();
  close_streams();
  if (!restricted_) {
    if (session_.in_block()) {
      restricted_ = true;
      session_.abort_block();
    } else {
      restricted_ = atomic_context();
      session_.rollback();
      session_.ensure_transaction();
    }
    explicit_transaction_ = false;
    for (auto& each : frames_) TRY_VOID(apply_settings(*each));
  }
  auto& block = as<Block>(*push.node);
  TRY_VOID(put(block.sqlstate, std::string(error.kind->sqlstate)));
  TRY_VOID(put(block.sqlerrm, std::string(secure::values::cut(error.message, sql::Type::kVarcharMax))));
  frame.handling.push_back(std::move(error));
  frame.pc = push.target;
  return {};
}

/// Default mode: what the handler did is committed, and the error goes on. NONATOMIC: it has been dealt with.
Result<void> ProcedureCall::end_handler(Frame& frame) {
  Error error = std::move(frame.handling.back());
  frame.handling.pop_back();
  if (frame.procedure.nonatomic && !restricted_) {
    frame.pc++;
    return {};
  }
  if (!restricted_) {
    TRY_VOID(session_.commit());
    committed_inside();
  }
  return fail(std::move(error));
}

// ---------------------------------------------------------------------------------------------------- transactions

/// Is the transaction somebody else's to end: a user's block, or a procedure with SET clauses around?
bool ProcedureCall::atomic_context() const {
  return session_.in_block() ||
         std::any_of(frames_.begin(), frames_.end(), [](auto& frame) { return !frame->procedure.settings.empty(); });
}

Error ProcedureCall::refused_in_atomic_context(const std::string& what) const {
  Error error{&kAtomicContext, what + " cannot be invoked from a procedure that is executing in an atomic context."};
  return std::move(error).with(
      "HINT",
      "Try calling the procedure as a top-level call i.e. not from within an explicit transaction block. Or, "
      "if this procedure (or one of its ancestors in the call chain) was created with SET config options, "
      "recreate the procedure without them.");
}

Result<void> ProcedureCall::transaction_control(TransactionControl::Action action) {
  using A = TransactionControl::Action;
  const char* name = action == A::kCommit ? "COMMIT" : action == A::kRollback ? "ROLLBACK" : "START TRANSACTION";
  if (restricted_)
    return fail(engine::kTransactionAborted, "current transaction is aborted, commands ignored until end of transaction block");
  if (atomic_context()) return fail(refused_in_atomic_context(name));
  if (action == A::kStart) {
    if (explicit_transaction_)
      session_.notice({.severity = "WARNING", .sqlstate = "25001", .message = "there is already a transaction in progress"});
    explicit_transaction_ = true;
    return {};
  }
  if (action == A::kCommit)
    TRY_VOID(session_.commit());
  else
    session_.rollback();
  explicit_transaction_ = false;
  committed_inside();
  return {};
}

/// After COMMIT, ROLLBACK or TRUNCATE: cursors are closed, and a new transaction has begun.
void ProcedureCall::committed_inside() {
  close_streams();
  session_.ensure_transaction();
}

void ProcedureCall::close_streams() {
  for (auto& frame : frames_)
    for (auto& loop : frame->loops) {
      loop.closed |= loop.stream != nullptr;
      loop.stream.reset();
    }
}

}  // namespace redoubt::warehouse::session
