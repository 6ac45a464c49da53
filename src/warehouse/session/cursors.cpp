#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/explain.h"
#include "warehouse/session/list_stream.h"
#include "warehouse/session/plan_log.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::session {

namespace {

/// The next `count` rows of a cursor.
class FetchStream : public engine::ResultStream {
 public:
  FetchStream(std::shared_ptr<engine::ResultStream> from, int64_t count) : from_(std::move(from)), left_(count) {}
  const std::vector<secure::plan::Output>& columns() const override { return from_->columns(); }
  Result<engine::Fetched> encode(const engine::RowFormat& format, int64_t max_rows, std::string& buffer) override {
    return limited(max_rows, [&](int64_t most) { return from_->encode(format, most, buffer); });
  }
  Result<engine::Fetched> values(int64_t max_rows, std::vector<std::vector<engine::Datum>>& rows,
                                 const engine::RowFormat& format) override {
    return limited(max_rows, [&](int64_t most) { return from_->values(most, rows, format); });
  }
  Result<void> materialise() override { return from_->materialise(); }

 private:
  template <class F>
  Result<engine::Fetched> limited(int64_t max_rows, F fetch) {
    if (left_ == 0) return engine::Fetched{.rows = 0, .done = true};
    TRY(auto got, fetch(std::min(max_rows, left_)));
    if (left_ != engine::kAllRows) left_ -= got.rows;
    got.done = got.done || left_ == 0;
    return got;
  }
  std::shared_ptr<engine::ResultStream> from_;
  int64_t left_;
};

}  // namespace

Result<std::vector<engine::Datum>> evaluate(Work& work, const std::vector<std::string>& texts,
                                            const std::vector<sql::Type>& types) {
  if (texts.empty()) return std::vector<engine::Datum>{};
  std::string select = "SELECT ";
  for (size_t i = 0; i < texts.size(); i++) {
    if (i) select += ", ";
    select += i < types.size() && !types[i].is(sql::TypeKind::kUnknown) ? "CAST(" + texts[i] + " AS " + types[i].format() + ")"
                                                                        : texts[i];
  }
  TRY(auto statement, sql::parse_one(select, sql::ParseOptions::stored()));
  auto host = make_host_context(work.facts);
  TRY(auto plan, secure::analyze(statement, {work.view, host->host_functions()}));
  TRY(auto* engine, work.engine());
  TRY(auto stream, engine->query(plan, {}, host));
  std::vector<std::vector<engine::Datum>> rows;
  TRY(auto got, stream->values(1, rows));
  (void)got;
  if (rows.size() != 1) return fail(kInternal, "an expression without FROM gave no row");
  return std::move(rows[0]);
}

Result<Outcome> prepare(Work& work, const StatementPtr& statement) {
  auto& command = sql::as<sql::Prepare>(*statement->command);
  auto& prepared = work.session.prepared();
  if (prepared.contains(command.name.text))
    return fail(kDuplicateStatement, "prepared statement \"" + command.name.text + "\" already exists");
  // Analyzed now for its errors, and again at each EXECUTE for its rights.
  auto host = make_host_context(work.facts);
  TRY_VOID(secure::analyze(*command.statement, {work.view, host->host_functions()}, command.types));
  prepared[command.name.text] = {StatementPtr(statement, command.statement.get()), command.types};
  return done("PREPARE");
}

Result<Outcome> execute_prepared(Work& work, const sql::Execute& command) {
  auto at = work.session.prepared().find(command.name.text);
  if (at == work.session.prepared().end() || !at->second.statement)
    return fail(kInvalidStatementName, "prepared statement \"" + command.name.text + "\" does not exist");
  Prepared prepared = at->second;
  auto host = make_host_context(work.facts);
  auto declared = types_for_description(prepared.declared);
  TRY(auto plan, secure::analyze(*prepared.statement, {work.view, host->host_functions()}, declared));
  if (plan.parameters.size() != command.args.size())
    return fail(secure::kSyntaxError, "wrong number of parameters for prepared statement \"" + command.name.text + "\"");
  std::vector<std::string> texts;
  for (auto& arg : command.args) texts.push_back(sql::print(*arg));
  TRY(auto values, evaluate(work, texts, plan.parameters));
  std::vector<engine::Parameter> parameters;
  for (auto& value : values) parameters.push_back({value});
  return run_plan(work, plan, parameters);
}

Result<Outcome> deallocate(Work& work, const sql::Deallocate& command) {
  auto& prepared = work.session.prepared();
  if (command.name.text.empty()) {
    prepared.clear();
    return done("DEALLOCATE");
  }
  if (prepared.erase(command.name.text) == 0)
    return fail(kInvalidStatementName, "prepared statement \"" + command.name.text + "\" does not exist");
  return done("DEALLOCATE");
}

Result<Outcome> declare_cursor(Work& work, const sql::DeclareCursor& command) {
  if (!work.session.in_block() && !command.with_hold)
    return fail(engine::kNoTransaction, "DECLARE CURSOR may only be used in transaction blocks");
  auto& cursors = work.session.cursors();
  if (cursors.contains(command.name.text)) return fail(kDuplicateCursor, "cursor \"" + command.name.text + "\" already exists");
  if (cursors.size() >= 100) return fail(secure::kTooComplex, "too many cursors");
  auto host = make_host_context(work.facts);
  TRY(auto plan, analyze_with_values(command, {work.view, host->host_functions()}, work.declared, work.parameters));
  TRY(auto* engine, work.engine());
  TRY(auto stream, engine->query(plan, work.parameters, host));
  log_plan(work, plan, 's');
  cursors[command.name.text] = {std::shared_ptr<engine::ResultStream>(std::move(stream)), command.with_hold};
  return done("DECLARE CURSOR");
}

Result<Outcome> fetch(Work& work, const sql::Fetch& command) {
  auto at = work.session.cursors().find(command.cursor.text);
  if (at == work.session.cursors().end())
    return fail(kInvalidCursorName, "cursor \"" + command.cursor.text + "\" does not exist");
  int64_t count = command.count == sql::Fetch::kAll ? engine::kAllRows : command.count;
  if (count < 0) return fail(secure::kNotSupported, "cursors only go forward");
  return Outcome{.tag = "FETCH", .stream = std::make_unique<FetchStream>(at->second.stream, count), .count_in_tag = true};
}

Result<Outcome> close_cursor(Work& work, const sql::CloseCursor& command) {
  auto& cursors = work.session.cursors();
  if (command.name.text.empty()) {
    cursors.clear();
  } else if (cursors.erase(command.name.text) == 0) {
    return fail(kInvalidCursorName, "cursor \"" + command.name.text + "\" does not exist");
  }
  return done("CLOSE CURSOR");
}

Result<Outcome> explain(Work& work, const sql::Explain& command) {
  auto host = make_host_context(work.facts);
  TRY(auto plan, secure::analyze(*command.command, {work.view, host->host_functions()}));
  return Outcome{.tag = "EXPLAIN",
                 .stream = text_rows("QUERY PLAN", explain_lines(plan_nodes(plan, work.now(), shows_policies(*work.facts))))};
}

Result<Outcome> cancel_session(Work& work, const sql::Cancel& command) {
  TRY_VOID(signal_session(*work.facts, int(command.pid), false));
  return done("CANCEL");
}

}  // namespace redoubt::warehouse::session
