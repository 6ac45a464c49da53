/// Users, privileges and policies as SQL.
#include "base/text.h"
#include "warehouse/sql/printer_impl.h"

namespace redoubt::warehouse::sql {

void Printer::security_command(const Command& node) {
  auto expressions = [&](const std::vector<ExprPtr>& list_of) {
    put(" USING (");
    exprs(list_of);
    put(")");
  };
  auto predicate = [&](const Expr& e) {
    put(" USING (");
    expr(e);
    put(")");
  };
  switch (node.kind) {
    case CommandKind::kCreateUser: {
      auto& user = as<CreateUser>(node);
      put("CREATE USER ");
      identifier(user.name.text);
      return user_options(user.options);
    }
    case CommandKind::kAlterUser:
      return alter_user(as<AlterUser>(node));
    case CommandKind::kCreateGroup: {
      auto& group = as<CreateGroup>(node);
      put("CREATE GROUP ");
      identifier(group.name.text);
      if (!group.users.empty()) put(" WITH USER "), identifiers(group.users);
      return;
    }
    case CommandKind::kAlterGroup: {
      auto& group = as<AlterGroup>(node);
      put("ALTER GROUP ");
      identifier(group.name.text);
      if (!group.add.empty()) put(" ADD USER "), identifiers(group.add);
      if (!group.drop.empty()) put(" DROP USER "), identifiers(group.drop);
      if (!group.rename_to.empty()) put(" RENAME TO "), identifier(group.rename_to);
      return;
    }
    case CommandKind::kCreateRole: {
      auto& role = as<CreateRole>(node);
      put("CREATE ROLE ");
      identifier(role.name.text);
      if (role.external_id) put(" EXTERNALID "), literal(*role.external_id);
      return;
    }
    case CommandKind::kAlterRole:
      return alter_role(as<AlterRole>(node));
    case CommandKind::kGrant:
      return grant(as<Grant>(node));
    case CommandKind::kAlterDefaultPrivileges:
      return alter_default_privileges(as<AlterDefaultPrivileges>(node));
    case CommandKind::kCreateRlsPolicy: {
      auto& policy = as<CreateRlsPolicy>(node);
      put("CREATE RLS POLICY ");
      if (policy.if_not_exists) put("IF NOT EXISTS ");
      // [database.]policy
      name(policy.policy);
      policy_columns(policy.columns);
      if (!policy.alias.empty()) put(" AS "), identifier(policy.alias);
      return predicate(*policy.predicate);
    }
    case CommandKind::kAlterRlsPolicy: {
      auto& policy = as<AlterRlsPolicy>(node);
      put("ALTER RLS POLICY ");
      name(policy.policy);
      return predicate(*policy.predicate);
    }
    case CommandKind::kAttachRlsPolicy: {
      auto& attach = as<AttachRlsPolicy>(node);
      put(attach.detach ? "DETACH RLS POLICY " : "ATTACH RLS POLICY ");
      name(attach.policy);
      put(" ON TABLE ");
      names(attach.tables);
      put(attach.detach ? " FROM " : " TO ");
      return grantees(attach.grantees, "");
    }
    case CommandKind::kCreateMaskingPolicy: {
      auto& policy = as<CreateMaskingPolicy>(node);
      put(policy.or_replace ? "CREATE OR REPLACE MASKING POLICY " : "CREATE MASKING POLICY ");
      if (policy.if_not_exists) put("IF NOT EXISTS ");
      name(policy.policy);
      policy_columns(policy.columns);
      return expressions(policy.expressions);
    }
    case CommandKind::kAlterMaskingPolicy: {
      auto& policy = as<AlterMaskingPolicy>(node);
      put("ALTER MASKING POLICY ");
      name(policy.policy);
      return expressions(policy.expressions);
    }
    case CommandKind::kAttachMaskingPolicy: {
      auto& attach = as<AttachMaskingPolicy>(node);
      put(attach.detach ? "DETACH MASKING POLICY " : "ATTACH MASKING POLICY ");
      name(attach.policy);
      put(" ON ");
      name(attach.table);
      put(" ");
      parenthesized(attach.output_columns);
      if (!attach.input_columns.empty()) put(" USING "), parenthesized(attach.input_columns);
      put(attach.detach ? " FROM " : " TO ");
      grantees(attach.grantees, "");
      if (attach.priority) put(" PRIORITY "), number(*attach.priority);
      return;
    }
    default:
      CHECK(false && "command() routes only these kinds here");
  }
}

// ---- Users and roles

void Printer::user_options(const UserOptions& node) {
  if (node.password_disabled) put(" PASSWORD DISABLE");
  if (node.password) put(" PASSWORD "), literal(*node.password);
  if (node.createdb) put(*node.createdb ? " CREATEDB" : " NOCREATEDB");
  if (node.createuser) put(*node.createuser ? " CREATEUSER" : " NOCREATEUSER");
  if (node.syslog_unrestricted) put(*node.syslog_unrestricted ? " SYSLOG ACCESS UNRESTRICTED" : " SYSLOG ACCESS RESTRICTED");
  if (!node.groups.empty()) put(" IN GROUP "), identifiers(node.groups);
  if (node.valid_until) put(" VALID UNTIL "), literal(*node.valid_until);
  if (node.connection_limit) {
    put(" CONNECTION LIMIT ");
    *node.connection_limit == UserOptions::kUnlimited ? put("UNLIMITED") : number(*node.connection_limit);
  }
  if (node.session_timeout) put(" SESSION TIMEOUT "), number(*node.session_timeout);
  if (node.external_id) put(" EXTERNALID "), literal(*node.external_id);
}

void Printer::alter_user(const AlterUser& node) {
  put("ALTER USER ");
  identifier(node.name.text);
  if (!node.rename_to.empty()) put(" RENAME TO "), identifier(node.rename_to);
  if (node.set) put(" SET "), setting(*node.set);
  if (node.reset_session_timeout) put(" RESET SESSION TIMEOUT");
  if (!node.reset.empty()) {
    put(" RESET ");
    node.reset == "all" ? put("ALL") : setting_name(node.reset);
  }
  user_options(node.options);
}

void Printer::alter_role(const AlterRole& node) {
  put("ALTER ROLE ");
  identifier(node.name.text);
  if (!node.rename_to.empty()) put(" RENAME TO "), identifier(node.rename_to);
  if (!node.owner_to.empty()) put(" OWNER TO "), identifier(node.owner_to);
  if (node.external_id) put(" EXTERNALID TO "), literal(*node.external_id);
}

// ---- GRANT and REVOKE

void Printer::privileges(const std::vector<PrivilegeSpec>& privileges) {
  list(privileges, [&](const PrivilegeSpec& spec) {
    put(to_upper(spec.name));
    if (!spec.columns.empty()) put(" "), parenthesized(spec.columns);
  });
}

void Printer::grantees(const std::vector<Grantee>& grantees, std::string_view option) {
  list(grantees, [&](const Grantee& grantee) {
    switch (grantee.kind) {
      case Grantee::Kind::kPublic:
        put("PUBLIC");
        break;
      case Grantee::Kind::kUser:
        identifier(grantee.name);
        break;
      case Grantee::Kind::kRole:
        put("ROLE "), identifier(grantee.name);
        break;
      case Grantee::Kind::kGroup:
        put("GROUP "), identifier(grantee.name);
        break;
    }
    if (grantee.with_option) put(" WITH "), put(option), put(" OPTION");
  });
}

namespace {

std::string_view grant_object_name(Grant::Object object) {
  switch (object) {
    case Grant::Object::kTable:
      return "TABLE";
    case Grant::Object::kSchema:
      return "SCHEMA";
    case Grant::Object::kDatabase:
      return "DATABASE";
    case Grant::Object::kFunction:
      return "FUNCTION";
    case Grant::Object::kProcedure:
      return "PROCEDURE";
    case Grant::Object::kLanguage:
      return "LANGUAGE";
  }
  return "";
}

}  // namespace

void Printer::grant(const Grant& node) {
  using Form = Grant::Form;
  std::string_view option = node.form == Form::kRole ? "ADMIN" : "GRANT";
  put(node.revoke ? "REVOKE " : "GRANT ");
  if (node.option_only) put(option), put(" OPTION FOR ");
  switch (node.form) {
    case Form::kObject:
    case Form::kPolicy:
      privileges(node.privileges);
      put(" ON ");
      put(grant_object_name(node.object));
      put(" ");
      names(node.names);
      list(node.routines, [&](const RoutineName& routine) { routine_name(routine); });
      break;
    case Form::kAllInSchema:
      privileges(node.privileges);
      put(" ON ALL ");
      put(grant_object_name(node.object));
      put("S IN SCHEMA ");
      names(node.names);
      break;
    case Form::kRole:
      list(node.roles, [&](const Identifier& role) { put("ROLE "), identifier(role.text); });
      break;
    case Form::kSystem:
      privileges(node.privileges);
      break;
    case Form::kAssumeRole:
      put("ASSUMEROLE ON ");
      if (node.assume_all) put("ALL");
      if (node.assume_default) put("DEFAULT");
      list(node.assume_arns, [&](const std::string& arn) { literal(arn); });
      break;
    case Form::kScoped:
      privileges(node.privileges);
      put(" FOR ");
      put(grant_object_name(node.object));
      put("S IN ");
      if (!node.names.empty()) put("SCHEMA "), names(node.names);
      if (!node.names.empty() && !node.database.text.empty()) put(" ");
      if (!node.database.text.empty()) put("DATABASE "), identifier(node.database.text);
      break;
  }
  put(node.revoke ? " FROM " : " TO ");
  if (node.form == Form::kPolicy) {
    put(object_kind_name(node.policy_object));
    put(" ");
    names(node.policies);
  }
  grantees(node.grantees, option);
  if (node.form == Form::kAssumeRole)
    put(" FOR "), list(node.assume_commands, [&](const std::string& command) { put(to_upper(command)); });
  if (node.cascade) put(" CASCADE");
}

void Printer::alter_default_privileges(const AlterDefaultPrivileges& node) {
  put("ALTER DEFAULT PRIVILEGES");
  if (!node.users.empty()) put(" FOR USER "), identifiers(node.users);
  if (!node.schemas.empty()) put(" IN SCHEMA "), identifiers(node.schemas);
  put(node.revoke ? " REVOKE " : " GRANT ");
  if (node.option_only) put("GRANT OPTION FOR ");
  privileges(node.privileges);
  put(" ON ");
  put(grant_object_name(node.object));
  put(node.revoke ? "S FROM " : "S TO ");
  grantees(node.grantees, "GRANT");
}

void Printer::policy_columns(const std::vector<PolicyColumn>& columns) {
  if (columns.empty()) return;
  put(" WITH (");
  list(columns, [&](const PolicyColumn& column) {
    identifier(column.name.text);
    put(" " + column.type.format());
  });
  put(")");
}

}  // namespace redoubt::warehouse::sql
