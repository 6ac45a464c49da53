/// CREATE, ALTER and DROP by kind of object; schemas, databases, procedures and functions; COMMENT.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

/// What other SQL has, or Redshift has and we don't: refused by name.
void Parser::unsupported_object(std::string_view command) {
  for (std::string_view kind :
       {"external", "datashare", "model",     "library", "index",      "sequence",    "trigger",      "type",
        "operator", "aggregate", "language",  "cast",    "conversion", "domain",      "rule",         "tablespace",
        "identity", "template",  "extension", "server",  "statistics", "publication", "subscription", "policy"})
    if (at(kind)) not_supported(std::string(command) + " " + to_upper(kind));
  syntax_error();
}

CommandPtr Parser::parse_create() {
  Position position = peek().position;
  expect("create");
  bool or_replace = accept_words({"or", "replace"});
  if (at_any({"temp", "temporary", "local"})) {
    accept("local");
    if (!accept("temp")) expect("temporary");
    if (or_replace) syntax_error();
    if (at("view")) not_supported("CREATE TEMPORARY VIEW");
    return parse_create_table(true);
  }
  if (at("view")) return parse_create_view(or_replace, false);
  if (at("procedure") || at("function")) {
    bool procedure = take().text == "procedure";
    return parse_create_routine(or_replace, procedure);
  }
  if (accept_words({"masking", "policy"})) return parse_create_masking_policy(or_replace);
  if (or_replace) unsupported_object("CREATE OR REPLACE");
  if (at("table")) return parse_create_table(false);
  if (accept("materialized")) return parse_create_view(false, true);
  if (accept("schema")) return parse_create_schema();
  if (accept("database")) return parse_create_database();
  if (accept("user")) return parse_create_user();
  if (accept("group")) return parse_create_group();
  if (accept("role")) return parse_create_role();
  if (accept_words({"rls", "policy"})) return parse_create_rls_policy();
  if (at("unique") && at("index", 1)) not_supported("CREATE INDEX", position);
  unsupported_object("CREATE");
}

CommandPtr Parser::parse_alter() {
  expect("alter");
  if (at("table") && at("append", 1)) syntax_error();
  if (accept("table")) return parse_alter_table(AlterTable::Target::kTable);
  if (accept("view")) return parse_alter_table(AlterTable::Target::kView);
  if (accept_words({"materialized", "view"})) return parse_alter_table(AlterTable::Target::kMaterializedView);
  if (accept("schema")) return parse_alter_schema();
  if (accept("database")) return parse_alter_database();
  if (accept("user")) return parse_alter_user();
  if (accept("group")) return parse_alter_group();
  if (accept("role")) return parse_alter_role();
  if (accept("procedure")) return parse_alter_routine(true);
  if (accept("function")) return parse_alter_routine(false);
  if (accept_words({"default", "privileges"})) return parse_alter_default_privileges();
  if (accept_words({"rls", "policy"})) return parse_alter_rls_policy();
  if (accept_words({"masking", "policy"})) return parse_alter_masking_policy();
  if (at("system")) not_supported("ALTER SYSTEM");
  unsupported_object("ALTER");
}

ObjectKind Parser::parse_object_kind() {
  if (accept("table")) return ObjectKind::kTable;
  if (accept("view")) return ObjectKind::kView;
  if (accept_words({"materialized", "view"})) return ObjectKind::kMaterializedView;
  if (accept("schema")) return ObjectKind::kSchema;
  if (accept("database")) return ObjectKind::kDatabase;
  if (accept("user")) return ObjectKind::kUser;
  if (accept("group")) return ObjectKind::kGroup;
  if (accept("role")) return ObjectKind::kRole;
  if (accept("procedure")) return ObjectKind::kProcedure;
  if (accept("function")) return ObjectKind::kFunction;
  if (accept_words({"rls", "policy"})) return ObjectKind::kRlsPolicy;
  if (accept_words({"masking", "policy"})) return ObjectKind::kMaskingPolicy;
  unsupported_object("DROP");
}

CommandPtr Parser::parse_drop() {
  auto drop = make<Drop>();
  expect("drop");
  drop->object = parse_object_kind();
  drop->if_exists = accept_if_exists();
  if (drop->object == ObjectKind::kProcedure || drop->object == ObjectKind::kFunction) {
    do drop->routines.push_back(parse_routine_name());
    while (accept_op(","));
  } else if (drop->object == ObjectKind::kRlsPolicy || drop->object == ObjectKind::kMaskingPolicy) {
    do drop->names.push_back(parse_policy_name());
    while (accept_op(","));
  } else if (drop->object == ObjectKind::kRole) {
    do {
      Identifier role = parse_role_name();
      drop->names.push_back({.database = "", .schema = "", .name = std::move(role.text), .position = role.position});
    } while (accept_op(","));
  } else {
    drop->names = parse_object_names();
  }
  if (drop->object == ObjectKind::kRole && accept("force"))
    drop->force = true;
  else
    drop->cascade = accept_cascade();
  return drop;
}

// ---- Schemas and databases

Quota Parser::parse_quota() {
  Quota quota;
  if (accept("unlimited")) return quota;
  Position position = peek().position;
  int64_t amount = expect_integer();
  int64_t factor = 1;
  if (at_any({"mb", "gb", "tb"})) {
    std::string unit = take().text;
    factor = unit == "mb" ? 1 : unit == "gb" ? 1024 : 1024 * 1024;
  }
  if (amount < 0 || amount > (int64_t{1} << 40))
    raise(kInvalidParameterValue, "invalid schema quota " + std::to_string(amount), position);
  quota.megabytes = amount * factor;
  return quota;
}

CommandPtr Parser::parse_create_schema() {
  auto schema = make<CreateSchema>();
  schema->if_not_exists = accept_if_not_exists();
  if (!at("authorization")) {
    ObjectName name = parse_object_name();
    if (!name.database.empty()) raise(kSyntaxError, "improper qualified name (too many dotted names)", name.position);
    schema->schema = std::move(name);
    std::swap(schema->schema.database, schema->schema.schema);
  }
  if (accept("authorization")) schema->authorization = parse_identifier().text;
  if (accept("quota")) schema->quota = parse_quota();
  if (at_any({"create", "grant"})) not_supported("CREATE SCHEMA with schema elements");
  if (at("from")) not_supported("CREATE SCHEMA FROM a datashare");
  return schema;
}

CommandPtr Parser::parse_alter_schema() {
  auto schema = make<AlterSchema>();
  ObjectName name = parse_object_name();
  if (!name.database.empty()) raise(kSyntaxError, "improper qualified name (too many dotted names)", name.position);
  schema->schema = std::move(name);
  std::swap(schema->schema.database, schema->schema.schema);
  if (accept_words({"rename", "to"}))
    schema->rename_to = parse_identifier().text;
  else if (accept_words({"owner", "to"}))
    schema->owner_to = parse_identifier().text;
  else if (accept("quota"))
    schema->quota = parse_quota();
  else
    syntax_error();
  return schema;
}

int64_t Parser::parse_limit_or_unlimited() {
  if (accept("unlimited")) return DatabaseOptions::kUnlimited;
  Position position = peek().position;
  int64_t limit = expect_integer();
  if (limit < 0) raise(kInvalidParameterValue, "invalid connection limit " + std::to_string(limit), position);
  return limit;
}

void Parser::parse_database_option(DatabaseOptions& options) {
  if (accept("connection")) {
    expect("limit");
    accept_op("=");
    options.connection_limit = parse_limit_or_unlimited();
  } else if (accept("collate")) {
    if (!at_any({"case_sensitive", "case_insensitive", "cs", "ci"})) syntax_error();
    options.collate = at_any({"case_sensitive", "cs"}) ? "case_sensitive" : "case_insensitive";
    take();
  } else if (accept_words({"isolation", "level"})) {
    if (!at_any({"serializable", "snapshot"})) syntax_error();
    options.isolation_level = take().text;
  } else {
    if (at_any({"encoding", "template", "tablespace", "from"})) not_supported("CREATE DATABASE with " + to_upper(peek().text));
    syntax_error();
  }
}

CommandPtr Parser::parse_create_database() {
  auto database = make<CreateDatabase>();
  database->name = parse_identifier();
  accept("with");
  while (peek().kind != TokenKind::kEnd && !at_op(";")) {
    if (accept("owner")) {
      accept_op("=");
      database->options.owner = parse_identifier().text;
    } else {
      parse_database_option(database->options);
    }
  }
  return database;
}

CommandPtr Parser::parse_alter_database() {
  auto database = make<AlterDatabase>();
  database->name = parse_identifier();
  if (accept_words({"rename", "to"}))
    database->rename_to = parse_identifier().text;
  else if (accept_words({"owner", "to"}))
    database->options.owner = parse_identifier().text;
  else
    parse_database_option(database->options);
  return database;
}

// ---- Procedures and functions

/// [name] [mode] type or [mode] [name] type; a lone word is a type.
RoutineArg Parser::parse_routine_arg() {
  RoutineArg arg;
  arg.position = peek().position;
  auto mode = [&] {
    if (!at_any({"in", "out", "inout"}) || at_op(",", 1) || at_op(")", 1)) return false;
    arg.mode = at("in") ? RoutineArg::Mode::kIn : at("out") ? RoutineArg::Mode::kOut : RoutineArg::Mode::kInOut;
    take();
    return true;
  };
  bool moded = mode();
  // A name stands before the type unless what follows can only continue the type.
  bool two_words = at_words({"double", "precision"}) || (at_any({"character", "char", "binary"}) && at("varying", 1)) ||
                   (at_any({"time", "timestamp"}) && at_any({"with", "without"}, 1)) ||
                   (at("national") && at_any({"character", "char"}, 1)) ||
                   (at("interval") && at_any({"year", "month", "day", "hour", "minute", "second"}, 1));
  const Token& next = peek(1);
  bool named = !two_words && (next.is_word() || next.kind == TokenKind::kQuoted) && !next.is_word("default");
  if (named) arg.name = parse_identifier().text;
  if (!moded) mode();
  arg.type = parse_type();
  if (at("default") || at_op("=")) not_supported("a default value for an argument");
  return arg;
}

std::vector<RoutineArg> Parser::parse_routine_args() {
  std::vector<RoutineArg> args;
  expect_op("(");
  if (!at_op(")")) {
    do args.push_back(parse_routine_arg());
    while (accept_op(","));
  }
  expect_op(")");
  return args;
}

RoutineName Parser::parse_routine_name() {
  RoutineName routine;
  routine.name = parse_object_name();
  routine.has_args = at_op("(");
  if (routine.has_args) routine.args = parse_routine_args();
  return routine;
}

/// After CREATE [OR REPLACE] PROCEDURE | FUNCTION. The clauses after the arguments come in any order.
CommandPtr Parser::parse_create_routine(bool or_replace, bool procedure) {
  auto routine = make<CreateRoutine>();
  routine->procedure = procedure;
  routine->or_replace = or_replace;
  routine->name = parse_object_name();
  routine->args = parse_routine_args();
  bool has_body = false;
  while (peek().kind != TokenKind::kEnd && !at_op(";")) {
    using Volatility = CreateRoutine::Volatility;
    if (!procedure && !routine->returns && accept("returns")) {
      if (at("table")) not_supported("RETURNS TABLE");
      routine->returns = parse_type();
    } else if (procedure && accept("nonatomic")) {
      routine->nonatomic = true;
    } else if (!has_body && accept("as")) {
      routine->body_position = peek().position;
      if (at_string() && text_[peek().begin] == '$')  // $tag$: characters, not bytes
        for (size_t i = peek().begin, dollars = 0; dollars < 2; ++i) {
          dollars += text_[i] == '$';
          if ((static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80) ++routine->body_text_position;
        }
      if (routine->body_text_position) routine->body_text_position += routine->body_position;
      routine->body = expect_string();
      has_body = true;
    } else if (routine->language.empty() && accept("language")) {
      routine->language = at_string() ? to_lower(take().text) : parse_identifier().text;
    } else if (!routine->volatility && at_any({"volatile", "stable", "immutable"})) {
      routine->volatility = at("volatile") ? Volatility::kVolatile : at("stable") ? Volatility::kStable : Volatility::kImmutable;
      take();
    } else if (!routine->security_definer && accept("security")) {
      if (!at_any({"definer", "invoker"})) syntax_error();
      routine->security_definer = take().text == "definer";
    } else if (accept("set")) {
      routine->settings.push_back(parse_setting());
    } else if (at_any({"strict", "called", "cost", "rows", "leakproof", "parallel"}) || at_words({"returns", "null"})) {
      not_supported(to_upper(peek().text) + " in CREATE " + (procedure ? "PROCEDURE" : "FUNCTION"));
    } else {
      syntax_error();
    }
  }
  if (!has_body || routine->language.empty() || (!procedure && !routine->returns)) syntax_error();
  return routine;
}

CommandPtr Parser::parse_alter_routine(bool procedure) {
  auto alter = make<AlterRoutine>();
  alter->procedure = procedure;
  alter->routine = parse_routine_name();
  if (accept_words({"rename", "to"})) {
    alter->rename_to = parse_identifier().text;
  } else {
    expect_words({"owner", "to"});
    alter->owner_to = parse_identifier().text;
  }
  return alter;
}

// ---- COMMENT, REFRESH

CommandPtr Parser::parse_comment() {
  auto comment = make<Comment>();
  expect_words({"comment", "on"});
  if (accept("column")) {
    comment->object = ObjectKind::kColumn;
    Position position = peek().position;
    std::vector<std::string> parts = {parse_identifier().text};
    while (accept_op(".")) parts.push_back(parse_label().text);
    if (parts.size() < 2) raise(kSyntaxError, "column name must be qualified", position);
    if (parts.size() > 4) raise(kSyntaxError, "improper qualified name (too many dotted names)", position);
    comment->sub_name = std::move(parts.back());
    parts.pop_back();
    comment->name.position = position;
    comment->name.name = std::move(parts.back());
    if (parts.size() > 1) comment->name.schema = std::move(parts[parts.size() - 2]);
    if (parts.size() > 2) comment->name.database = std::move(parts[0]);
  } else if (accept("constraint")) {
    comment->object = ObjectKind::kConstraint;
    comment->sub_name = parse_identifier().text;
    expect("on");
    comment->name = parse_object_name();
  } else {
    if (at_any({"index", "type", "trigger", "sequence", "operator", "aggregate", "domain", "rule"}))
      not_supported("COMMENT ON " + to_upper(peek().text));
    comment->object = parse_object_kind();
    if (comment->object == ObjectKind::kProcedure || comment->object == ObjectKind::kFunction)
      comment->routine = parse_routine_name();
    else
      comment->name = parse_object_name();
  }
  expect("is");
  if (!accept("null")) comment->text = expect_string();
  return comment;
}

CommandPtr Parser::parse_refresh() {
  auto refresh = make<RefreshMaterializedView>();
  expect_words({"refresh", "materialized", "view"});
  refresh->view = parse_object_name();
  refresh->cascade = accept_cascade();
  return refresh;
}

}  // namespace redoubt::warehouse::sql
