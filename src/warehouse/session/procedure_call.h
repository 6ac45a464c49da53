#pragma once
/// One CALL: resolves the procedure, checks EXECUTE, runs its program. Source: Database Developer Guide, CALL, "Managing
/// transactions", "Trapping errors".
///
///   TRY(auto call, ProcedureCall::begin(work, running));
///   TRY(Outcome outcome, call->resume());      // again and again while outcome.wait; then tag CALL and, with OUT arguments, a
///   row
///
/// Every SQL statement and expression inside goes the ordinary way (SqlSession::run_inside): parsed, analyzed and checked at
/// each execution by the latest committed catalog, with the rights of the frame's user (the caller's, or the owner's for SECURITY
/// DEFINER), variables bound as typed parameters. EXECUTE parses its text as a client's would be.
///
/// A wait (a lock, its turn) leaves the call where it is: the instruction runs again from its start. Errors unwind frames to the
/// nearest EXCEPTION block, and carry PostgreSQL's CONTEXT lines. Bounds: 16 nested calls, 64 MB of variables, 4 MB of unsent
/// messages between two turns; an endless loop gives way to others every few hundred instructions and ends by cancel and
/// statement_timeout.
/// Threads: one at a time.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/session/call_values.h"
#include "warehouse/session/program.h"
#include "warehouse/session/sql_session.h"

namespace redoubt::warehouse::session {

/// Which procedure a CALL means, and the types of its parameters ($1 of the client, or variables).
struct CallTarget {
  const catalog::Procedure* procedure = nullptr;  // lives as long as the statement's catalog
  std::vector<sql::Type> parameters;
};
/// Errors: kUndefinedFunction, kAmbiguousFunction, kPermissionDenied; those of analysis for the arguments.
Result<CallTarget> resolve_call(Work& work, const sql::Call& call, std::span<const sql::Type> declared, int parameters);
/// Columns of the row that a call gives; empty: none.
std::vector<secure::plan::Output> call_columns(const catalog::Procedure& procedure);

class ProcedureCall {
 public:
  static Result<std::shared_ptr<ProcedureCall>> begin(Work& work, const Running& running);
  ~ProcedureCall();
  Result<Outcome> resume();

 private:
  struct LoopState {
    int64_t next = 0, last = 0, step = 1;
    bool iterated = false, closed = false;
    StreamPtr stream;
  };
  struct Frame {
    catalog::Procedure procedure;
    std::shared_ptr<const Program> program;
    catalog::Oid user = 0;   // whose rights count here
    bool temp_last = false;  // inside a SECURITY DEFINER procedure with a search_path of its own
    std::vector<VariableState> variables;
    std::vector<LoopState> loops;
    std::vector<size_t> handlers;                  // kPushHandler instructions, innermost last
    std::vector<Error> handling;                   // errors whose handlers run, innermost last
    std::map<std::string, Settings::Kept> before;  // what SET clauses replaced
    size_t pc = 0;
    int64_t row_count = 0;
    // What the caller gets of it.
    std::vector<std::optional<sql::plpgsql::Place>> results;  // by output, of a nested call
    sql::plpgsql::Target into;                                // of EXECUTE 'call ..' INTO
    std::string called_as;                                    // "CALL p( $1 )", for CONTEXT
  };
  /// Rows and columns of a query that ran.
  struct Row {
    std::vector<secure::plan::Output> columns;
    std::vector<engine::Datum> values;  // of the first row
    int64_t rows = 0;                   // read, not all there are
  };
  using Waiting = std::shared_ptr<Wait>;  // null: done

  explicit ProcedureCall(SqlSession& session) : session_(session) {}

  // procedure_call.cpp: frames, transactions, errors
  Result<Waiting> step();
  Result<void> push_frame(const catalog::Procedure& procedure, std::vector<Value> arguments, catalog::Oid caller);
  Result<std::vector<Value>> arguments(Work& work, const sql::Call& call, const CallTarget& target,
                                       std::span<const engine::Parameter> values);
  Result<void> pop_frame();
  void drop_frame();
  Result<void> apply_settings(Frame& frame);
  Result<void> unwind(Error error);
  Result<void> enter_handler(Frame& frame, Error error);
  Result<void> end_handler(Frame& frame);
  Result<void> finish_call(const catalog::Procedure& procedure, const std::vector<Value>& outputs);
  bool atomic_context() const;
  Error refused_in_atomic_context(const std::string& what) const;
  Result<void> transaction_control(sql::plpgsql::TransactionControl::Action action);
  void committed_inside();
  void close_streams();
  void add_place(Error& error, const Frame& frame) const;
  Frame& top() { return *frames_.back(); }
  void act() { session_.act_as(top().user, top().temp_last); }

  // call_statements.cpp: what instructions do
  Result<Waiting> execute(const Instruction& instruction);
  Result<void> enter_block(const sql::plpgsql::Block& block);
  Result<Waiting> run(const Instruction& instruction);
  Result<Waiting> run_text(const sql::plpgsql::RunText& node);
  Result<Waiting> run_statement(StatementPtr statement, std::span<const sql::Type> types, std::vector<engine::Parameter> values,
                                const sql::plpgsql::Target& into, bool discard);
  Result<void> check_inside(const sql::Statement& statement) const;
  Result<void> call(const sql::plpgsql::CallProcedure& node);
  Result<void> enter(const StatementPtr& statement, std::span<const sql::Type> types,
                     const std::vector<engine::Parameter>& values,
                     const std::function<Result<void>(const catalog::Procedure&)>& check);
  Result<void> call_text(StatementPtr statement, const sql::plpgsql::Target& into);
  Result<void> raise(const sql::plpgsql::Raise& node);
  Result<void> range_start(const Instruction& instruction);
  Result<Waiting> query_start(const Instruction& instruction);
  Result<bool> query_next(const Instruction& instruction);
  Result<Waiting> open(const sql::plpgsql::Open& node);
  Result<void> fetch(const sql::plpgsql::FetchRow& node);
  Result<void> close(const sql::plpgsql::Close& node);
  Result<Waiting> open_stream(const sql::plpgsql::Sql* query, const sql::plpgsql::Sql* dynamic, StreamPtr& out);

  // call_expressions.cpp: values
  Result<Value> evaluate(const sql::plpgsql::Sql& sql);
  Result<bool> condition(const sql::plpgsql::Sql& sql);
  Result<std::string> text_of(const sql::plpgsql::Sql& sql, std::string_view what);
  Result<void> bind(const sql::plpgsql::Sql& sql, std::vector<sql::Type>& types, std::vector<engine::Parameter>& values);
  Result<Value> read(const sql::plpgsql::Place& place);
  Result<void> assign(const sql::plpgsql::Place& place, const Value& value);
  Result<void> assign_row(const sql::plpgsql::Target& target, const Row& row);
  Result<void> put(int variable, engine::Datum value);
  Result<void> store(engine::Datum& slot, engine::Datum value);
  Result<engine::Datum> convert(const Value& value, const sql::Type& to);
  Result<Row> query_row(StatementPtr statement, std::span<const sql::Type> types, std::vector<engine::Parameter> values);
  Result<Row> read_row(engine::ResultStream& stream, int64_t most);
  Result<int64_t> read_away(engine::ResultStream& stream);
  Result<void> resolve_type(const sql::plpgsql::Variable& variable, VariableState& state);
  engine::RowFormat exact_format() const;

  SqlSession& session_;
  std::vector<std::unique_ptr<Frame>> frames_;
  std::optional<Outcome> outcome_;  // when the last frame is gone
  bool rethrown_ = false;           // RAISE; gave the handler's own error
  bool restricted_ = false;         // a handler runs in an atomic context: no SQL until the error is out
  bool explicit_transaction_ = false;
  size_t bytes_ = 0;  // of all variables
  int portals_ = 0;   // unnamed cursors so far
  int since_yield_ = 0;
  std::string sql_text_;  // what runs now, for CONTEXT; empty: an expression
  std::map<std::string, StatementPtr> casts_;
};

}  // namespace redoubt::warehouse::session
