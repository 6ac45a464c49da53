#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/plan_log.h"
#include "warehouse/session/table_shape.h"

namespace redoubt::warehouse::session {

namespace {

engine::Datum number(auto n) { return std::to_string(n); }
engine::Datum stamp(Timestamp t) { return sql_timestamp(t); }
engine::Datum text(std::string_view s, size_t bytes) { return std::string(secure::values::cut(s, bytes)); }

/// The role chain of the command as it is written, "default" for the default role; nullopt: keys of a user, no ASSUMEROLE.
template <class Command>
std::optional<std::string> role_chain(const Command& command) {
  if (auto* role = command.find("IAM_ROLE")) {
    if (role->text) return *role->text;
    return std::find(role->words.begin(), role->words.end(), "default") != role->words.end() ? "default" : "";
  }
  if (auto* credentials = command.find("CREDENTIALS"); credentials && credentials->text)
    for (auto part : split(*credentials->text, ';'))
      if (part.starts_with("aws_iam_role=")) return std::string(part.substr(13));
  return std::nullopt;
}

template <class Command>
Result<void> check_assume_role(Work& work, const Command& command, catalog::AssumeCommands bit, std::string_view verb) {
  auto chain = role_chain(command);
  if (!chain || catalog::may_assume_role(work.now(), work.who(), *chain, bit)) return {};
  return fail(secure::kPermissionDenied, "User " + work.now().user_name(work.facts->current_user) +
                                             " does not have ASSUMEROLE permission on IAM role \"" + *chain + "\" for " +
                                             std::string(verb));
}

transfer::Context make_context(Work& work, engine::Connection& engine, std::shared_ptr<const engine::HostContext> host) {
  return {.cluster = work.core.options.cluster,
          .db_user = work.now().user_name(work.facts->current_user),
          .user_id = work.facts->current_user,
          .database = work.facts->database_name,
          .query = work.session.current_query,
          .pid = work.facts->pid,
          .source_ip = work.session.options().remote_host,
          .time_zone = work.facts->values.get("timezone").value_or("UTC"),
          .connection = engine,
          .host = std::move(host),
          .clock = *work.core.options.clock,
          .canceled = work.session.cancel_probe()};
}

void log_copy(Work& work, const transfer::CopyOutcome& outcome, catalog::Oid table) {
  auto& log = *work.core.log;
  for (auto& e : outcome.errors)
    log.append("stl_load_errors", {number(work.facts->current_user), number(e.slice), number(table), stamp(e.start_time),
                                   number(work.facts->pid), number(work.session.current_query), text(e.file_name, 256),
                                   number(e.line_number), text(e.column, 127), text(e.type, 10), text(e.col_length, 10),
                                   number(e.position), text(e.raw_line, 1024), text(e.raw_field_value, 1024), number(e.err_code),
                                   text(e.err_reason, 100), number(int(e.is_partial)), number(e.start_offset), number(0)});
  for (auto& f : outcome.files)
    log.append("stl_load_commits",
               {number(work.facts->current_user), number(work.session.current_query), number(f.slice), std::string(),
                text(f.file_name, 256), number(0), number(f.lines_scanned), number(f.errors), stamp(f.at), number(1),
                text(f.file_format, 16), number(0), number(f.start_offset), number(0)});
  // In a transaction of its own: the rows outlive what happens to the load.
  if (auto kept = log.flush(); !kept) log::warn("stl_load_errors: " + kept.error().message);
}

Result<std::vector<int16_t>> columns_to_load(const sql::Copy& command, const catalog::Relation& relation) {
  std::vector<int16_t> out;
  bool explicit_ids = command.find("EXPLICIT_IDS") != nullptr;
  if (command.columns.empty()) {
    for (auto& column : relation.columns)
      if (!column.dropped && (!column.identity || !column.identity_always || explicit_ids)) out.push_back(column.attnum);
    return out;
  }
  for (auto& name : command.columns) {
    auto* column = relation.column(name.text);
    if (!column)
      return fail(secure::kUndefinedColumn, "column \"" + name.text + "\" of relation \"" + relation.name + "\" does not exist");
    if (column->identity && column->identity_always && !explicit_ids)
      return fail(secure::kInvalidColumnReference, "cannot set an identity column to a value");
    if (std::find(out.begin(), out.end(), column->attnum) != out.end())
      return fail(secure::kDuplicateColumn, "column \"" + name.text + "\" specified more than once");
    out.push_back(column->attnum);
  }
  return out;
}

Result<std::vector<std::pair<int16_t, engine::Datum>>> default_values(Work& work, const catalog::Relation& relation,
                                                                      const std::vector<int16_t>& loaded) {
  std::vector<std::string> texts;
  std::vector<sql::Type> types;
  std::vector<int16_t> attnums;
  std::vector<std::pair<int16_t, engine::Datum>> out;
  for (auto& column : relation.columns) {
    if (column.dropped || column.identity || std::find(loaded.begin(), loaded.end(), column.attnum) != loaded.end()) continue;
    if (!column.default_sql) {
      out.emplace_back(column.attnum, std::nullopt);
      continue;
    }
    texts.push_back(*column.default_sql);
    types.push_back(column.type);
    attnums.push_back(column.attnum);
  }
  TRY(auto values, evaluate(work, texts, types));
  for (size_t i = 0; i < attnums.size(); i++) out.emplace_back(attnums[i], values[i]);
  return out;
}

}  // namespace

Result<Outcome> copy(Work& work, const sql::Copy& command) {
  TRY(auto* relation, find_table(work, command.table));
  if (!catalog::may(work.who(), catalog::kInsert, *relation)) return fail(permission_denied("relation", relation->name));
  if (command.find("STATUPDATE") && !catalog::owns(work.who(), *relation)) return fail(must_be_owner("relation", relation->name));
  TRY_VOID(check_assume_role(work, command, catalog::kAssumeCopy, "COPY"));
  if (!work.core.options.transfer) return fail(secure::kNotSupported, "COPY is not supported here");
  LOCK_OR_WAIT(work, {table_lock(relation->oid)});
  TRY(relation, find_table(work, command.table));
  TRY(auto columns, columns_to_load(command, *relation));
  TRY(auto defaults, default_values(work, *relation, columns));
  TRY(auto* engine, work.engine());
  TRY_VOID(engine->note_write(relation->oid));
  auto context = make_context(work, *engine, make_host_context(work.facts));
  work.session.last_copy = work.session.last_query = work.session.current_query;
  work.session.last_copy_count = 0;
  TRY(auto outcome, work.core.options.transfer->copy({.statement = command,
                                                      .relation = *relation,
                                                      .physical = physical_of(*relation),
                                                      .columns = std::move(columns),
                                                      .defaults = std::move(defaults)},
                                                     context));
  log_copy(work, outcome, relation->oid);
  if (outcome.failure) return fail(*outcome.failure);
  if (outcome.noload) {
    work.notice("INFO", "Load into table '" + relation->name + "' validated, " + std::to_string(outcome.rows) +
                            " record(s) would be loaded.");
    return done("COPY");
  }
  if (auto keys = sort_attnums(*relation); !keys.empty()) {
    // A load into an empty table leaves it in the order of its sort key, as in Redshift.
    TRY(auto size, engine->size(physical_of(*relation)));
    if (size.rows == outcome.rows) TRY_VOID(engine->sort(physical_of(*relation), keys));
  }
  work.session.last_copy_count = outcome.rows;
  work.notice("INFO", "Load into table '" + relation->name + "' completed, " + std::to_string(outcome.rows) +
                          " record(s) loaded successfully.");
  if (outcome.rejected > 0)
    work.notice("INFO", "Load into table '" + relation->name + "' completed, " + std::to_string(outcome.rejected) +
                            " record(s) could not be loaded.  Check 'stl_load_errors' system table for details.");
  Outcome out = done("COPY");
  out.rows = outcome.rows;
  return out;
}

Result<Outcome> unload(Work& work, const sql::Unload& command) {
  sql::SelectCommand select;
  TRY(select.query, sql::parse_query(command.select, {.case_sensitive_identifiers =
                                                          work.facts->values.is_on("enable_case_sensitive_identifier")}));
  if (select.query->limit || select.query->select.top)
    return fail(secure::kNotSupported, "Limit clause is not supported in the outermost select of an UNLOAD statement");
  auto host = make_host_context(work.facts);
  TRY(auto plan, secure::analyze(select, {work.view, host->host_functions()}));
  if (plan.kind != secure::plan::StatementKind::kSelect) return fail(secure::kSyntaxError, "UNLOAD takes a SELECT");
  TRY_VOID(check_assume_role(work, command, catalog::kAssumeUnload, "UNLOAD"));
  if (!work.core.options.transfer) return fail(secure::kNotSupported, "UNLOAD is not supported here");
  TRY(auto* engine, work.engine());
  log_plan(work, plan, 'y');
  auto context = make_context(work, *engine, host);
  work.session.last_query = work.session.current_query;
  TRY(auto outcome, work.core.options.transfer->unload({.statement = command, .select = plan}, context));
  work.session.last_unload_count = outcome.rows;
  for (auto& f : outcome.files)
    work.core.log->append("stl_unload_log", {number(work.facts->current_user), number(work.session.current_query),
                                             number(f.slice), text(f.path, 1280), stamp(f.start_time), stamp(f.end_time),
                                             number(f.line_count), number(f.transfer_size), text(f.file_format, 10)});
  if (auto kept = work.core.log->flush(); !kept) log::warn("stl_unload_log: " + kept.error().message);
  work.notice("INFO", "UNLOAD completed, " + std::to_string(outcome.rows) + " record(s) unloaded successfully.");
  Outcome out = done("UNLOAD");
  out.rows = outcome.rows;
  return out;
}

}  // namespace redoubt::warehouse::session
