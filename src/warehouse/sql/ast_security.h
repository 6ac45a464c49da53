#pragma once
/// Users, groups, roles, privileges and policies in the AST. Source: redshift-security facts; Database Developer Guide,
/// GRANT, REVOKE, CREATE USER, CREATE RLS POLICY, CREATE MASKING POLICY. Include ast.h.
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::sql {

// ---- Users, groups, roles -------------------------------------------------------------------------------------------

struct UserOptions {
  static constexpr int64_t kUnlimited = -1;
  bool password_disabled = false;            // PASSWORD DISABLE
  std::optional<std::string> password;       // as written: plain, md5.., sha256|..
  std::optional<bool> createdb, createuser;  // NOCREATEDB: false
  std::optional<bool> syslog_unrestricted;
  std::vector<std::string> groups;  // IN GROUP
  std::optional<std::string> valid_until;
  std::optional<int64_t> connection_limit;
  std::optional<int64_t> session_timeout;  // seconds
  std::optional<std::string> external_id;
};

struct CreateUser : CommandOf<CommandKind::kCreateUser> {
  Identifier name;
  UserOptions options;
};

struct AlterUser : CommandOf<CommandKind::kAlterUser> {
  Identifier name;
  UserOptions options;
  std::string rename_to;
  bool reset_session_timeout = false;
  std::optional<Setting> set;
  std::string reset;  // RESET parameter
};

struct CreateGroup : CommandOf<CommandKind::kCreateGroup> {
  Identifier name;
  std::vector<Identifier> users;  // may be empty
};

struct AlterGroup : CommandOf<CommandKind::kAlterGroup> {
  Identifier name;
  std::vector<Identifier> add, drop;  // exactly one of the three
  std::string rename_to;
};

struct CreateRole : CommandOf<CommandKind::kCreateRole> {
  Identifier name;
  std::optional<std::string> external_id;
};

struct AlterRole : CommandOf<CommandKind::kAlterRole> {
  Identifier name;
  std::string rename_to, owner_to;
  std::optional<std::string> external_id;
};

/// Who receives: a user, ROLE r, GROUP g, or PUBLIC.
struct Grantee {
  enum class Kind : uint8_t { kUser, kRole, kGroup, kPublic };
  Kind kind = Kind::kUser;
  std::string name;  // empty: PUBLIC
  Position position = 0;
  bool with_option = false;  // WITH GRANT OPTION; of roles: WITH ADMIN OPTION
};

// ---- GRANT and REVOKE -----------------------------------------------------------------------------------------------

/// Lower case, single blanks: "select", "create or replace procedure", "all" (ALL [PRIVILEGES]).
struct PrivilegeSpec {
  std::string name;
  std::vector<Identifier> columns;  // SELECT (a, b); empty: the whole object
  Position position = 0;
};

/// GRANT and REVOKE in all their forms:
///
///   form          grammar                                                   members used
///   kObject       privileges ON [kind] names TO grantees                    privileges, object, names or routines
///   kAllInSchema  privileges ON ALL TABLES|FUNCTIONS|PROCEDURES IN SCHEMA s privileges, object, names (schemas)
///   kRole         [ROLE] r TO grantees                                      roles
///   kSystem       CREATE USER, VACUUM, EXPLAIN RLS .. TO ROLE r             privileges
///   kAssumeRole   ASSUMEROLE ON 'arn' TO .. FOR COPY                        assume_*
///   kScoped       privileges FOR TABLES IN SCHEMA s [DATABASE d]            privileges, object, names (schemas), database
///   kPolicy       SELECT ON t TO RLS POLICY p                               names, policy_object, policies; no grantees
struct Grant : CommandOf<CommandKind::kGrant> {
  enum class Form : uint8_t { kObject, kAllInSchema, kRole, kSystem, kAssumeRole, kScoped, kPolicy };
  enum class Object : uint8_t { kTable, kSchema, kDatabase, kFunction, kProcedure, kLanguage };
  bool revoke = false;
  bool option_only = false;  // REVOKE GRANT OPTION FOR, ADMIN OPTION FOR
  Form form = Form::kObject;
  std::vector<PrivilegeSpec> privileges;
  Object object = Object::kTable;  // kScoped also kSchema: FOR SCHEMAS
  std::vector<ObjectName> names;   // databases, schemas and languages have `name` only
  std::vector<RoutineName> routines;
  std::vector<Identifier> roles;
  Identifier database;                       // kScoped
  std::vector<std::string> assume_arns;      // each a role or a comma-joined chain
  bool assume_default = false;               // ON default
  bool assume_all = false;                   // ON ALL
  std::vector<std::string> assume_commands;  // "all", "copy", "unload", "external function", "create model"
  ObjectKind policy_object = ObjectKind::kRlsPolicy;
  std::vector<ObjectName> policies;
  std::vector<Grantee> grantees;
  bool cascade = false;  // accepted by PostgreSQL's grammar; RESTRICT is the default
};

struct AlterDefaultPrivileges : CommandOf<CommandKind::kAlterDefaultPrivileges> {
  std::vector<Identifier> users;    // FOR USER; empty: the current user
  std::vector<Identifier> schemas;  // IN SCHEMA; empty: everywhere
  bool revoke = false, option_only = false;
  std::vector<PrivilegeSpec> privileges;
  Grant::Object object = Grant::Object::kTable;  // kTable, kFunction, kProcedure
  std::vector<Grantee> grantees;
};

// ---- Row-level security and masking ---------------------------------------------------------------------------------

struct PolicyColumn {
  Identifier name;
  Type type;
};

struct CreateRlsPolicy : CommandOf<CommandKind::kCreateRlsPolicy> {
  ObjectName policy;  // [database.]policy: database is in `database`
  bool if_not_exists = false;
  std::vector<PolicyColumn> columns;  // WITH (..); may be empty
  std::string alias;                  // empty: rls_table
  ExprPtr predicate;                  // USING
  std::string predicate_text;         // as written, without the parentheses
};

struct AlterRlsPolicy : CommandOf<CommandKind::kAlterRlsPolicy> {
  ObjectName policy;
  ExprPtr predicate;
  std::string predicate_text;
};

/// ATTACH and DETACH RLS POLICY.
struct AttachRlsPolicy : CommandOf<CommandKind::kAttachRlsPolicy> {
  bool detach = false;
  ObjectName policy;
  std::vector<ObjectName> tables;
  std::vector<Grantee> grantees;  // no groups
};

struct CreateMaskingPolicy : CommandOf<CommandKind::kCreateMaskingPolicy> {
  ObjectName policy;
  bool or_replace = false, if_not_exists = false;
  std::vector<PolicyColumn> columns;
  std::vector<ExprPtr> expressions;  // USING
  std::string expressions_text;      // as written, without the parentheses
};

struct AlterMaskingPolicy : CommandOf<CommandKind::kAlterMaskingPolicy> {
  ObjectName policy;
  std::vector<ExprPtr> expressions;
  std::string expressions_text;
};

/// ATTACH and DETACH MASKING POLICY.
struct AttachMaskingPolicy : CommandOf<CommandKind::kAttachMaskingPolicy> {
  bool detach = false;
  ObjectName policy;
  ObjectName table;
  std::vector<Identifier> output_columns;
  std::vector<Identifier> input_columns;  // USING; empty: the output columns
  std::vector<Grantee> grantees;          // no groups
  std::optional<int64_t> priority;
};

}  // namespace redoubt::warehouse::sql
