/// Users, groups, roles; GRANT and REVOKE in all their forms; row-level security and masking policies.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

// ---- Users, groups, roles

/// One option of CREATE or ALTER USER; false at anything else.
bool Parser::parse_user_option(UserOptions& options) {
  Position position = peek().position;
  auto once = [&](bool given) {
    if (given) raise(kSyntaxError, "conflicting or redundant options", position);
  };
  if (accept("password")) {
    once(options.password.has_value() || options.password_disabled);
    if (accept("disable"))
      options.password_disabled = true;
    else
      options.password = expect_secret();
  } else if (at_any({"createdb", "nocreatedb"})) {
    once(options.createdb.has_value());
    options.createdb = take().text == "createdb";
  } else if (at_any({"createuser", "nocreateuser"})) {
    once(options.createuser.has_value());
    options.createuser = take().text == "createuser";
  } else if (accept_words({"syslog", "access"})) {
    once(options.syslog_unrestricted.has_value());
    if (!at_any({"restricted", "unrestricted"})) syntax_error();
    options.syslog_unrestricted = take().text == "unrestricted";
  } else if (accept_words({"in", "group"})) {
    once(!options.groups.empty());
    for (Identifier& group : parse_identifier_list()) options.groups.push_back(std::move(group.text));
  } else if (accept_words({"valid", "until"})) {
    once(options.valid_until.has_value());
    options.valid_until = expect_string();
  } else if (accept_words({"connection", "limit"})) {
    once(options.connection_limit.has_value());
    options.connection_limit = parse_limit_or_unlimited();
  } else if (accept_words({"session", "timeout"})) {
    once(options.session_timeout.has_value());
    options.session_timeout = expect_integer();
  } else if (accept("externalid")) {
    once(options.external_id.has_value());
    accept("to");
    options.external_id = at_string() ? take().text : parse_identifier().text;
  } else {
    return false;
  }
  return true;
}

CommandPtr Parser::parse_create_user() {
  auto user = make<CreateUser>();
  user->name = parse_identifier();
  accept("with");
  while (parse_user_option(user->options)) {
  }
  if (at_any({"sysid", "encrypted", "unencrypted"}) || at_words({"in", "role"}))
    not_supported(to_upper(peek().text) + " in CREATE USER");
  if (!user->options.password && !user->options.password_disabled) syntax_error();
  return user;
}

CommandPtr Parser::parse_alter_user() {
  auto user = make<AlterUser>();
  user->name = parse_identifier();
  if (accept_words({"rename", "to"})) {
    user->rename_to = parse_identifier().text;
    return user;
  }
  if (accept("set")) {
    user->set = parse_setting();
    return user;
  }
  if (accept("reset")) {
    if (accept_words({"session", "timeout"}))
      user->reset_session_timeout = true;
    else
      user->reset = accept("all") ? "all" : parse_setting_name();
    return user;
  }
  accept("with");
  if (!parse_user_option(user->options)) syntax_error();
  while (parse_user_option(user->options)) {
  }
  if (!user->options.groups.empty()) not_supported("IN GROUP in ALTER USER (use ALTER GROUP)", user->position);
  return user;
}

CommandPtr Parser::parse_create_group() {
  auto group = make<CreateGroup>();
  group->name = parse_identifier();
  bool with = accept("with");
  if (accept("user"))
    group->users = parse_identifier_list();
  else if (with)
    syntax_error();
  return group;
}

CommandPtr Parser::parse_alter_group() {
  auto group = make<AlterGroup>();
  group->name = parse_identifier();
  if (accept_words({"rename", "to"})) {
    group->rename_to = parse_identifier().text;
  } else if (accept("add")) {
    expect("user");
    group->add = parse_identifier_list();
  } else {
    expect_words({"drop", "user"});
    group->drop = parse_identifier_list();
  }
  return group;
}

CommandPtr Parser::parse_create_role() {
  auto role = make<CreateRole>();
  role->name = parse_role_name();
  if (accept("externalid")) {
    accept("to");
    role->external_id = at_string() ? take().text : parse_identifier().text;
  }
  return role;
}

CommandPtr Parser::parse_alter_role() {
  auto role = make<AlterRole>();
  role->name = parse_role_name();
  accept("with");
  do {
    if (role->rename_to.empty() && accept_words({"rename", "to"})) {
      role->rename_to = parse_identifier().text;
    } else if (role->owner_to.empty() && accept_words({"owner", "to"})) {
      role->owner_to = parse_identifier().text;
    } else if (!role->external_id && accept("externalid")) {
      accept("to");
      role->external_id = at_string() ? take().text : parse_identifier().text;
    } else {
      syntax_error();
    }
    accept_op(",");
  } while (peek().kind != TokenKind::kEnd && !at_op(";"));
  return role;
}

// ---- GRANT and REVOKE

namespace {

constexpr std::string_view kObjectPrivileges[] = {"all",   "select",   "insert", "update", "delete",  "drop",      "references",
                                                  "alter", "truncate", "create", "usage",  "execute", "temporary", "assumerole"};

/// Source: Database Developer Guide, "System permissions for RBAC".
constexpr std::string_view kSystemPrivileges[] = {"create user",
                                                  "drop user",
                                                  "alter user",
                                                  "create schema",
                                                  "drop schema",
                                                  "alter default privileges",
                                                  "access catalog",
                                                  "access system table",
                                                  "create table",
                                                  "drop table",
                                                  "alter table",
                                                  "create or replace function",
                                                  "create or replace external function",
                                                  "drop function",
                                                  "create or replace procedure",
                                                  "drop procedure",
                                                  "create or replace view",
                                                  "drop view",
                                                  "create model",
                                                  "drop model",
                                                  "create datashare",
                                                  "alter datashare",
                                                  "drop datashare",
                                                  "create library",
                                                  "drop library",
                                                  "create role",
                                                  "drop role",
                                                  "truncate table",
                                                  "vacuum",
                                                  "analyze",
                                                  "cancel",
                                                  "ignore rls",
                                                  "explain rls",
                                                  "explain masking"};

template <size_t N>
bool contains(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

/// Words up to ON, TO, FROM, FOR, a comma or a column list; "temp" and "all privileges" are spelled out.
std::vector<PrivilegeSpec> Parser::parse_privileges() {
  std::vector<PrivilegeSpec> list;
  do {
    PrivilegeSpec spec;
    spec.position = peek().position;
    while ((peek().is_word() || peek().kind == TokenKind::kQuoted) && !at_any({"on", "to", "from", "for"}))
      spec.name += (spec.name.empty() ? "" : " ") + take().text;
    if (spec.name.empty()) syntax_error();
    if (spec.name == "temp") spec.name = "temporary";
    if (spec.name == "all privileges") spec.name = "all";
    if (at_op("(")) spec.columns = parse_parenthesized_identifiers();
    list.push_back(std::move(spec));
  } while (accept_op(","));
  return list;
}

void Parser::check_privileges(const std::vector<PrivilegeSpec>& privileges) {
  for (const PrivilegeSpec& spec : privileges) {
    if (!contains(kObjectPrivileges, spec.name))
      raise(kSyntaxError, "unrecognized privilege type \"" + spec.name + "\"", spec.position);
    if (!spec.columns.empty() && spec.name != "select" && spec.name != "update" && spec.name != "all")
      raise(kSyntaxError, "column privileges are only valid for SELECT and UPDATE", spec.position);
  }
}

std::vector<Grantee> Parser::parse_grantees() {
  std::vector<Grantee> list;
  do {
    Grantee grantee;
    grantee.position = peek().position;
    auto names_follow = [&] {
      return peek(1).is_word() ? !at_any({"with", "for", "restrict", "cascade"}, 1) : peek(1).kind == TokenKind::kQuoted;
    };
    if (at("public")) {
      take();
      grantee.kind = Grantee::Kind::kPublic;
    } else if (at("group")) {
      take();
      grantee.kind = Grantee::Kind::kGroup;
      grantee.name = parse_identifier().text;
    } else if (at("role") && names_follow()) {
      take();
      grantee.kind = Grantee::Kind::kRole;
      grantee.name = parse_role_name().text;
    } else {
      if (at("user")) take();
      grantee.name = parse_identifier().text;
    }
    if (accept("with")) {
      if (!at_any({"grant", "admin"})) syntax_error();
      take();
      expect("option");
      grantee.with_option = true;
    }
    list.push_back(std::move(grantee));
  } while (accept_op(","));
  return list;
}

CommandPtr Parser::parse_grant_command() {
  bool revoke = take().text == "revoke";
  return parse_grant(revoke);
}

CommandPtr Parser::parse_grant(bool revoke) {
  using Form = Grant::Form;
  auto grant = make<Grant>();
  grant->revoke = revoke;
  if (revoke) grant->option_only = accept_words({"grant", "option", "for"}) || accept_words({"admin", "option", "for"});
  std::string_view direction = revoke ? "from" : "to";

  if (at("role") && !at(direction, 1) && !at_op(",", 1)) {
    grant->form = Form::kRole;
    do {
      accept("role");
      grant->roles.push_back(parse_role_name());
    } while (accept_op(","));
    expect(direction);
    grant->grantees = parse_grantees();
  } else {
    grant->privileges = parse_privileges();
    if (grant->privileges[0].name == "assumerole") {
      parse_grant_assume_role(*grant);
    } else if (accept("on")) {
      check_privileges(grant->privileges);
      parse_grant_on(*grant);
      expect(direction);
      if (grant->form == Form::kObject && grant->object == Grant::Object::kTable &&
          (at_words({"rls", "policy"}) || at_words({"masking", "policy"}))) {
        grant->form = Form::kPolicy;
        grant->policy_object = take().text == "rls" ? ObjectKind::kRlsPolicy : ObjectKind::kMaskingPolicy;
        take();
        if (grant->privileges.size() != 1 || grant->privileges[0].name != "select" || !grant->privileges[0].columns.empty())
          raise(kSyntaxError, "only SELECT can be granted to a policy", grant->position);
        do grant->policies.push_back(parse_policy_name());
        while (accept_op(","));
      } else {
        grant->grantees = parse_grantees();
      }
    } else if (at("for")) {
      check_privileges(grant->privileges);
      parse_grant_scope(*grant);
      expect(direction);
      grant->grantees = parse_grantees();
    } else {
      expect(direction);
      bool system = true;
      for (const PrivilegeSpec& spec : grant->privileges)
        system = system && spec.columns.empty() && (spec.name == "all" || contains(kSystemPrivileges, spec.name));
      grant->grantees = parse_grantees();
      grant->form = system ? Form::kSystem : Form::kRole;
      if (!system) {
        // GRANT r TO u: the word ROLE may be left out.
        for (PrivilegeSpec& spec : grant->privileges) {
          if (spec.name.find(' ') != std::string::npos || !spec.columns.empty())
            raise(kSyntaxError, "unrecognized privilege type \"" + spec.name + "\"", spec.position);
          grant->roles.push_back({std::move(spec.name), spec.position});
        }
        grant->privileges.clear();
      }
    }
  }
  if (revoke) {
    for (const Grantee& grantee : grant->grantees)
      if (grantee.with_option) raise(kSyntaxError, "WITH GRANT OPTION is not valid in REVOKE", grantee.position);
    grant->cascade = accept_cascade();
  }
  return grant;
}

/// After ON: what the privileges are for.
void Parser::parse_grant_on(Grant& grant) {
  using Object = Grant::Object;
  struct Kind {
    std::string_view one, many;
    Object object;
  };
  constexpr Kind kKinds[] = {{"table", "tables", Object::kTable},
                             {"schema", "schemas", Object::kSchema},
                             {"database", "databases", Object::kDatabase},
                             {"function", "functions", Object::kFunction},
                             {"procedure", "procedures", Object::kProcedure},
                             {"language", "languages", Object::kLanguage}};
  if (at("all") && at_any({"tables", "functions", "procedures"}, 1)) {
    take();
    for (const Kind& kind : kKinds)
      if (at(kind.many)) grant.object = kind.object;
    take();
    expect_words({"in", "schema"});
    grant.form = Grant::Form::kAllInSchema;
    grant.names = parse_object_names();
    return;
  }
  // A word that names a kind is one only if a name follows it.
  bool name_follows = peek(1).kind == TokenKind::kQuoted || (peek(1).is_word() && !at_any({"to", "from"}, 1));
  if (name_follows) {
    for (std::string_view unbuilt : {"datashare", "model", "external", "template", "copy", "integration"})
      if (at(unbuilt)) not_supported("GRANT ON " + to_upper(unbuilt));
    for (const Kind& kind : kKinds) {
      if (!at(kind.one)) continue;
      take();
      grant.object = kind.object;
      break;
    }
  }
  if (grant.object == Object::kFunction || grant.object == Object::kProcedure) {
    do grant.routines.push_back(parse_routine_name());
    while (accept_op(","));
  } else {
    grant.names = parse_object_names();
  }
}

/// ON {'arn'[,..] | DEFAULT | ALL} {TO | FROM} grantees FOR {ALL | COPY | UNLOAD | EXTERNAL FUNCTION | CREATE MODEL}[,..].
void Parser::parse_grant_assume_role(Grant& grant) {
  grant.form = Grant::Form::kAssumeRole;
  if (grant.privileges.size() != 1 || !grant.privileges[0].columns.empty()) syntax_error();
  grant.privileges.clear();
  expect("on");
  if (accept("all")) {
    grant.assume_all = true;
  } else if (accept("default")) {
    grant.assume_default = true;
  } else {
    do grant.assume_arns.push_back(expect_string());
    while (accept_op(","));
  }
  expect(grant.revoke ? "from" : "to");
  grant.grantees = parse_grantees();
  expect("for");
  do {
    if (at_any({"all", "copy", "unload"})) {
      grant.assume_commands.push_back(take().text);
    } else if (accept_words({"external", "function"})) {
      grant.assume_commands.push_back("external function");
    } else if (accept_words({"create", "model"})) {
      grant.assume_commands.push_back("create model");
    } else {
      syntax_error();
    }
  } while (accept_op(","));
}

/// FOR {TABLES | SCHEMAS | ..} IN {SCHEMA s [DATABASE d] | DATABASE d}.
void Parser::parse_grant_scope(Grant& grant) {
  using Object = Grant::Object;
  grant.form = Grant::Form::kScoped;
  expect("for");
  if (at_words({"copy", "jobs"}) || at("templates")) not_supported("GRANT FOR " + to_upper(peek().text));
  grant.object = at("tables")       ? Object::kTable
                 : at("schemas")    ? Object::kSchema
                 : at("functions")  ? Object::kFunction
                 : at("procedures") ? Object::kProcedure
                                    : Object::kLanguage;
  if (!at_any({"tables", "schemas", "functions", "procedures", "languages"})) syntax_error();
  take();
  expect("in");
  if (accept("schema")) {
    grant.names = parse_object_names();
    if (accept("database")) grant.database = parse_identifier();
  } else {
    expect("database");
    grant.database = parse_identifier();
  }
}

CommandPtr Parser::parse_alter_default_privileges() {
  auto alter = make<AlterDefaultPrivileges>();
  if (accept("for")) {
    expect("user");
    alter->users = parse_identifier_list();
  }
  if (accept("in")) {
    expect("schema");
    alter->schemas = parse_identifier_list();
  }
  if (!at_any({"grant", "revoke"})) syntax_error();
  alter->revoke = take().text == "revoke";
  if (alter->revoke) alter->option_only = accept_words({"grant", "option", "for"});
  alter->privileges = parse_privileges();
  check_privileges(alter->privileges);
  expect("on");
  if (!at_any({"tables", "functions", "procedures"})) syntax_error();
  alter->object = at("tables") ? Grant::Object::kTable : at("functions") ? Grant::Object::kFunction : Grant::Object::kProcedure;
  take();
  expect(alter->revoke ? "from" : "to");
  alter->grantees = parse_grantees();
  if (alter->revoke) accept("restrict");
  return alter;
}

// ---- Policies

ObjectName Parser::parse_policy_name() {
  ObjectName name = parse_object_name();
  if (!name.database.empty()) raise(kSyntaxError, "improper qualified name (too many dotted names)", name.position);
  std::swap(name.database, name.schema);
  return name;
}

/// WITH (column type, ..).
std::vector<PolicyColumn> Parser::parse_policy_columns() {
  std::vector<PolicyColumn> columns;
  expect("with");
  expect_op("(");
  do {
    PolicyColumn column;
    column.name = parse_identifier();
    column.type = parse_type(TypeUse::kColumn);
    columns.push_back(std::move(column));
  } while (accept_op(","));
  expect_op(")");
  return columns;
}

CommandPtr Parser::parse_create_rls_policy() {
  auto policy = make<CreateRlsPolicy>();
  policy->if_not_exists = accept_if_not_exists();
  policy->policy = parse_policy_name();
  if (at("with")) {
    policy->columns = parse_policy_columns();
    if (accept("as"))
      policy->alias = parse_identifier().text;
    else if (at_identifier())
      policy->alias = take().text;
  }
  expect("using");
  expect_op("(");
  size_t begin = peek().begin;
  policy->predicate = parse_expr();
  policy->predicate_text = text_since(begin);
  expect_op(")");
  return policy;
}

CommandPtr Parser::parse_alter_rls_policy() {
  auto policy = make<AlterRlsPolicy>();
  policy->policy = parse_policy_name();
  expect("using");
  expect_op("(");
  size_t begin = peek().begin;
  policy->predicate = parse_expr();
  policy->predicate_text = text_since(begin);
  expect_op(")");
  return policy;
}

CommandPtr Parser::parse_create_masking_policy(bool or_replace) {
  auto policy = make<CreateMaskingPolicy>();
  policy->or_replace = or_replace;
  policy->if_not_exists = accept_if_not_exists();
  policy->policy = parse_policy_name();
  policy->columns = parse_policy_columns();
  expect("using");
  expect_op("(");
  size_t begin = peek().begin;
  policy->expressions = parse_expr_list();
  policy->expressions_text = text_since(begin);
  expect_op(")");
  return policy;
}

CommandPtr Parser::parse_alter_masking_policy() {
  auto policy = make<AlterMaskingPolicy>();
  policy->policy = parse_policy_name();
  expect("using");
  expect_op("(");
  size_t begin = peek().begin;
  policy->expressions = parse_expr_list();
  policy->expressions_text = text_since(begin);
  expect_op(")");
  return policy;
}

/// ATTACH and DETACH of both kinds of policy.
CommandPtr Parser::parse_attach() {
  bool detach = take().text == "detach";
  auto grantees = [&] {
    expect(detach ? "from" : "to");
    std::vector<Grantee> list = parse_grantees();
    for (const Grantee& grantee : list) {
      if (grantee.kind == Grantee::Kind::kGroup) not_supported("a policy for a group", grantee.position);
      if (grantee.with_option) raise(kSyntaxError, "a policy can't be attached with an option", grantee.position);
    }
    return list;
  };
  if (accept_words({"rls", "policy"})) {
    auto attach = make<AttachRlsPolicy>();
    attach->detach = detach;
    attach->policy = parse_policy_name();
    expect("on");
    accept("table");
    attach->tables = parse_object_names();
    attach->grantees = grantees();
    return attach;
  }
  auto attach = make<AttachMaskingPolicy>();
  attach->detach = detach;
  expect_words({"masking", "policy"});
  attach->policy = parse_policy_name();
  expect("on");
  accept("table");
  attach->table = parse_object_name();
  attach->output_columns = parse_parenthesized_identifiers();
  if (!detach && accept("using")) attach->input_columns = parse_parenthesized_identifiers();
  attach->grantees = grantees();
  if (!detach && accept("priority")) attach->priority = expect_integer();
  return attach;
}

}  // namespace redoubt::warehouse::sql
