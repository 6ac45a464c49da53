#pragma once
/// What the catalog holds. Every object is an immutable value, replaced whole; its Key says what it is and where it is found.
/// Users, groups, roles and ASSUMEROLE grants belong to the cluster, schemas and relations to one database.
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "warehouse/catalog/acl.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::catalog {

enum class ObjectKind : uint8_t {
  kDatabase,
  kSchema,
  kRelation,
  kUser,
  kGroup,
  kRole,
  kAssumeRole,
  kDefaultPrivileges,
  kRlsPolicy,
  kProcedure
};

struct Key {
  ObjectKind kind = ObjectKind::kDatabase;
  uint64_t id = 0;
  uint64_t sub = 0;
  auto operator<=>(const Key&) const = default;
};

struct Database {
  Oid oid = 0;
  std::string name = {};
  Oid owner = 0;
  std::optional<Acl> acl = {};
  int connection_limit = -1;      // -1: unlimited
  bool case_insensitive = false;  // COLLATE CASE_INSENSITIVE; recorded
  std::string comment = {};
  Key key() const { return {ObjectKind::kDatabase, oid}; }
  bool operator==(const Database&) const = default;
};

struct Schema {
  Oid oid = 0;
  Oid database = 0;
  std::string name = {};
  Oid owner = 0;
  std::optional<Acl> acl = {};
  int64_t quota_mb = -1;  // recorded; -1: unlimited
  std::string comment = {};
  Key key() const { return {ObjectKind::kSchema, oid}; }
  bool operator==(const Schema&) const = default;
};

struct Column {
  std::string name = {};
  sql::Type type;
  int16_t attnum = 0;  // from 1, never reused
  bool dropped = false;
  bool not_null = false;
  std::optional<std::string> default_sql = {};  // expression text
  bool identity = false, identity_always = false;
  int64_t identity_seed = 1, identity_step = 1;
  std::string encoding = "none";  // ENCODE as declared: "az64", "lzo", ..
  bool distkey = false;
  int16_t sortkey_position = 0;  // from 1; negative for an interleaved sort key's odd positions, as pg_attribute writes it
  std::optional<Acl> acl = {};   // nullopt: nothing granted on the column
  std::string comment = {};
  bool operator==(const Column&) const = default;
};

/// Informational, as in Redshift: planned with, never enforced. Only NOT NULL is.
struct Constraint {
  enum class Kind : uint8_t { kPrimaryKey, kUnique, kForeignKey } kind = Kind::kPrimaryKey;
  Oid oid = 0;
  std::string name = {};
  std::vector<int16_t> columns = {};
  Oid references = 0;  // kForeignKey: relation
  std::vector<int16_t> referenced_columns = {};
  bool operator==(const Constraint&) const = default;
};

enum class RelationKind : uint8_t { kTable, kView, kLateBindingView };
enum class DistStyle : uint8_t { kEven, kKey, kAll, kAuto };
enum class SortStyle : uint8_t { kNone, kCompound, kInterleaved, kAuto };

/// A row-level security policy that filters a relation for one grantee (never a group).
struct PolicyAttachment {
  Oid policy = 0;
  Grantee grantee;
  Oid grantor = 0;
  bool operator==(const PolicyAttachment&) const = default;
};

struct Relation {
  Oid oid = 0;
  Oid schema = 0;
  Oid database = 0;
  std::string name = {};
  Oid owner = 0;
  RelationKind kind = RelationKind::kTable;
  bool temporary = false;            // in a schema pg_temp_<pid>, which only its session can name; gone when that ends
  Oid storage = 0;                   // number in the physical name; the oid, until the table is rewritten
  std::vector<Column> columns = {};  // in attnum order, dropped ones included
  std::vector<Constraint> constraints = {};
  DistStyle dist_style = DistStyle::kAuto;
  SortStyle sort_style = SortStyle::kNone;
  bool backup = true;
  std::optional<Acl> acl = {};
  std::string comment = {};
  Timestamp created = {};
  // Views
  std::string view_sql = {};                           // the SELECT, names qualified; WITH NO SCHEMA BINDING: as written
  std::vector<std::pair<std::string, Oid>> pins = {};  // what names in view_sql meant
  std::vector<Oid> depends_on = {};                    // relations a bound view reads; they can't be dropped without it
  // Row security: what rights.h's row_security() decides by. Policies may hang here while it is off.
  bool rls_on = false;
  bool rls_conjunction_or = false;
  std::vector<PolicyAttachment> policies = {};  // in order of attachment

  Key key() const { return {ObjectKind::kRelation, oid}; }
  const Column* column(std::string_view column_name) const;  // live ones; nullptr: none
  const Column* column(int16_t attnum) const;
  int16_t next_attnum() const { return columns.empty() ? int16_t(1) : int16_t(columns.back().attnum + 1); }
  /// Live sort key columns in key order.
  std::vector<const Column*> sort_key() const;
  bool operator==(const Relation&) const = default;
};

/// How a password is checked; what is known depends on how it was set. All empty: no password (DISABLE), or `disabled`.
/// A clear-text password gives all three; 'md5..' md5 alone; 'sha256|..' sha256 alone.
struct Verifier {
  std::string md5 = {};          // 32 hex digits: md5(password || user name)
  std::string sha256 = {};       // 64 hex digits: sha256(password || salt)
  std::string sha256_salt = {};  // raw bytes
  std::string scram = {};        // SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, base64, as PostgreSQL stores it
  bool empty() const { return md5.empty() && sha256.empty() && scram.empty(); }
  bool operator==(const Verifier&) const = default;
};

struct RoleMembership {
  Oid role = 0;
  bool admin_option = false;  // users only
  Oid grantor = 0;
  bool operator==(const RoleMembership&) const = default;
};

struct User {
  Oid id = 0;  // usesysid
  std::string name = {};
  bool superuser = false;
  bool createdb = false;
  bool syslog_unrestricted = false;
  Verifier verifier = {};
  bool password_disabled = false;
  std::optional<Timestamp> valid_until = {};  // of the password
  int connection_limit = -1;
  int session_timeout_s = 0;  // 0: none
  std::string external_id = {};
  std::vector<Oid> groups = {};
  std::vector<RoleMembership> roles = {};
  std::map<std::string, std::string> settings = {};  // ALTER USER .. SET
  std::string comment = {};
  Key key() const { return {ObjectKind::kUser, id}; }
  bool operator==(const User&) const = default;
};

struct Group {
  Oid id = 0;  // grosysid
  std::string name = {};
  std::vector<Oid> members = {};  // users; each user names the group too
  Key key() const { return {ObjectKind::kGroup, id}; }
  bool operator==(const Group&) const = default;
};

struct Role {
  Oid id = 0;
  std::string name = {};
  Oid owner = 0;
  std::string external_id = {};
  std::vector<RoleMembership> roles = {};           // granted to this role
  std::vector<std::string> system_privileges = {};  // "CREATE USER", "IGNORE RLS"
  Key key() const { return {ObjectKind::kRole, id}; }
  bool operator==(const Role&) const = default;
};

/// Commands an ASSUMEROLE grant speaks of, one bit each; they are independent of one another.
using AssumeCommands = uint8_t;
inline constexpr AssumeCommands kAssumeCopy = 1, kAssumeUnload = 2, kAssumeExternalFunction = 4, kAssumeCreateModel = 8,
                                kAssumeAll = 15;

/// Every ASSUMEROLE grant of one grantee. Source: GRANT usage notes, "ASSUMEROLE".
struct AssumeRoleGrants {
  /// Stands for every chain: ON ALL. No ARN looks like it.
  static constexpr std::string_view kEvery = "*";

  Grantee grantee;
  /// By the text between the quotes: a chain 'A,B' is one object and says nothing about A or B. "default" is the
  /// cluster's default role.
  std::map<std::string, AssumeCommands> by_chain = {};
  Key key() const { return {ObjectKind::kAssumeRole, (uint64_t(grantee.kind) << 32) | grantee.id}; }
  bool operator==(const AssumeRoleGrants&) const = default;
};

/// ALTER DEFAULT PRIVILEGES: what relations and procedures that `user` will make get on top of their kind's default. One list
/// holds the privileges of every kind; each object takes those that exist on it.
struct DefaultPrivileges {
  Oid user = 0;
  Oid database = 0;
  Oid schema = 0;  // 0: every schema of the database
  Acl acl = {};
  Key key() const { return {ObjectKind::kDefaultPrivileges, (uint64_t(database) << 32) | user, schema}; }
  bool operator==(const DefaultPrivileges&) const = default;
};

struct PolicyColumn {
  std::string name = {};
  sql::Type type;
  bool operator==(const PolicyColumn&) const = default;
};

/// CREATE RLS POLICY. What relations it filters stands with them (Relation::policies).
struct RlsPolicy {
  static constexpr std::string_view kDefaultAlias = "rls_table";
  Oid oid = 0;
  Oid database = 0;
  std::string name = {};
  std::string alias = std::string(kDefaultAlias);                  // what the predicate calls the filtered relation
  std::vector<PolicyColumn> columns = {};                          // WITH (..): columns of the relation that the predicate reads
  std::string predicate = {};                                      // expression text, relation names qualified
  std::vector<std::pair<std::string, Oid>> pins = {};              // what these names meant
  std::vector<std::pair<Oid, std::vector<int16_t>>> lookups = {};  // relations that the predicate reads, and their columns
  std::vector<Oid> granted = {};  // GRANT SELECT ON .. TO RLS POLICY: those it may read; ascending
  std::string modified_by = {};
  Timestamp modified = {};
  Key key() const { return {ObjectKind::kRlsPolicy, oid}; }
  bool operator==(const RlsPolicy&) const = default;
};

enum class ArgumentMode : uint8_t { kIn, kOut, kInOut };

struct Argument {
  std::string name = {};  // empty: none
  ArgumentMode mode = ArgumentMode::kIn;
  sql::Type type;
  bool is_input() const { return mode != ArgumentMode::kOut; }
  bool is_output() const { return mode != ArgumentMode::kIn; }
  bool operator==(const Argument&) const = default;
};

/// A stored procedure. Its identity within a schema is name and input types: see signature().
struct Procedure {
  Oid oid = 0;
  Oid schema = 0;
  Oid database = 0;
  std::string name = {};
  Oid owner = 0;
  std::optional<Acl> acl = {};  // nullopt: EXECUTE for the owner alone
  std::vector<Argument> arguments = {};
  std::string body = {};        // plpgsql, as written
  bool case_sensitive = false;  // the session's enable_case_sensitive_identifier when it was made: how the body is read
  bool nonatomic = false;
  bool security_definer = false;
  std::map<std::string, std::string> settings = {};  // SET name TO value, values canonical
  std::string comment = {};
  Timestamp created = {};
  Key key() const { return {ObjectKind::kProcedure, oid}; }
  std::vector<sql::Type> input_types() const;
  /// What tells overloads apart: the name and the input types without their modifiers, "f(integer,character varying)".
  std::string signature() const;
  bool operator==(const Procedure&) const = default;
};

using Object =
    std::variant<Database, Schema, Relation, User, Group, Role, AssumeRoleGrants, DefaultPrivileges, RlsPolicy, Procedure>;
using ObjectPtr = std::shared_ptr<const Object>;

inline Key key_of(const Object& object) {
  return std::visit([](auto& o) { return o.key(); }, object);
}

}  // namespace redoubt::warehouse::catalog
