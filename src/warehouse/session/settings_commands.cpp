#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/list_stream.h"

namespace redoubt::warehouse::session {

namespace {

Result<void> isolation_ok(const sql::TransactionModes& modes) {
  // Weaker levels are accepted and run serializable, as in Redshift.
  (void)modes;
  return {};
}

Result<void> refuse_in_caller(Work& work) {
  if (work.session.authenticated_user() == work.session.session_user()) {
    if (work.superuser()) return {};
  } else if (auto* user = work.now().user(work.session.authenticated_user()); user && user->superuser) {
    return {};  // it was a superuser that became somebody else, and may go on or back
  }
  return fail(secure::kPermissionDenied, "permission denied to set session authorization");
}

/// The session's own, in every database it was in; nobody else can name them, so that nothing is asked.
Result<void> drop_temporary_tables(Work& work) {
  std::vector<catalog::Oid> oids;
  for (auto* database : work.now().databases())
    if (auto* schema = work.now().schema(database->oid, work.facts->temp_schema))
      for (auto* relation : work.now().relations(schema->oid)) oids.push_back(relation->oid);
  for (auto oid : oids) TRY_VOID(drop_relation(work, oid));
  return {};
}

}  // namespace

Result<Outcome> set(Work& work, const sql::Set& command) {
  using K = sql::Set::Kind;
  switch (command.set_kind) {
    case K::kSetting:
      TRY_VOID(work.session.settings().set(command.setting.name, command.setting.values, command.local));
      return done("SET");
    case K::kSessionAuthorization: {
      if (command.user.empty()) {
        TRY_VOID(work.session.become(0));
        return done("SET");
      }
      auto* user = work.now().user(command.user);
      if (user && user->id == work.session.authenticated_user()) {
        TRY_VOID(work.session.become(0));
        return done("SET");
      }
      TRY_VOID(refuse_in_caller(work));
      TRY(user, find_user(work, command.user));
      TRY_VOID(work.session.become(user->id));
      return done("SET");
    }
    case K::kTransaction:
    case K::kSessionCharacteristics: {
      TRY_VOID(isolation_ok(command.modes));
      if (command.modes.read_only) {
        std::vector<sql::SetValue> value{{sql::SetValue::Kind::kWord, *command.modes.read_only ? "on" : "off"}};
        TRY_VOID(work.session.settings().set("readonly", value, command.set_kind == K::kTransaction));
      }
      return done("SET");
    }
  }
  return fail(secure::kNotSupported, "this form of SET is not supported");
}

Result<Outcome> reset(Work& work, const sql::Reset& command) {
  using K = sql::Reset::Kind;
  switch (command.reset_kind) {
    case K::kSetting:
      TRY_VOID(work.session.settings().reset(command.name));
      break;
    case K::kAll:
      work.session.settings().reset_all();
      break;
    case K::kSessionAuthorization:
      TRY_VOID(work.session.become(0));
      break;
    case K::kUse:
      if (work.session.in_block()) return fail(kActiveTransaction, "RESET USE cannot run inside a transaction block");
      if (auto* database = work.now().database(work.session.use_origin()))
        work.session.use_database(database->oid, database->name);
      break;
  }
  return done("RESET");
}

Result<Outcome> show(Work& work, const sql::Show& command) {
  if (command.all) {
    std::vector<secure::plan::Output> columns(3);
    const char* names[] = {"name", "setting", "description"};
    for (size_t i = 0; i < 3; i++) columns[i].name = names[i], columns[i].type = sql::TypeKind::kText;
    std::vector<std::vector<engine::Datum>> rows;
    for (auto& setting : work.facts->settings) rows.push_back({setting.name, setting.value, setting.description});
    return Outcome{.tag = "SHOW", .stream = std::make_unique<ListStream>(std::move(columns), std::move(rows))};
  }
  auto value = work.facts->values.get(command.name);
  if (!value) return fail(secure::kUndefinedObject, "unrecognized configuration parameter \"" + command.name + "\"");
  if (command.name == "query_group" && value->empty()) value = "unset";
  return Outcome{.tag = "SHOW", .stream = text_rows(command.name, {*value})};
}

/// USE db: names are looked up in that database from now on.
Result<Outcome> use(Work& work, const sql::Use& command) {
  if (work.session.in_block()) return fail(kActiveTransaction, "USE cannot run inside a transaction block");
  TRY(auto* database, find_database(work, command.database.text));
  work.session.use_database(database->oid, database->name);
  return done("USE");
}

Result<Outcome> discard(Work& work, const sql::Discard& command) {
  if (command.what == "all" && work.session.in_block())
    return fail(kActiveTransaction, "DISCARD ALL cannot run inside a transaction block");
  if (command.what == "temp") {
    TRY_VOID(drop_temporary_tables(work));
    return done("DISCARD TEMP");
  }
  work.session.prepared().clear();
  if (command.what != "all") return done("DISCARD PLANS");
  // What a pooler sends between two tenants: the session is as it was at its start.
  work.session.cursors().clear();
  TRY_VOID(drop_temporary_tables(work));
  work.session.settings().reset_all();
  TRY_VOID(work.session.become(0));
  if (auto* database = work.now().database(work.session.use_origin())) work.session.use_database(database->oid, database->name);
  work.session.forget_past();
  return done("DISCARD ALL");
}

}  // namespace redoubt::warehouse::session
