#include "warehouse/catalog/system_roles.h"

namespace redoubt::warehouse::catalog {

std::span<const std::string_view> system_privilege_names() {
  static constexpr std::string_view kNames[] = {"CREATE USER",
                                                "DROP USER",
                                                "ALTER USER",
                                                "CREATE SCHEMA",
                                                "DROP SCHEMA",
                                                "ALTER DEFAULT PRIVILEGES",
                                                "ACCESS CATALOG",
                                                "ACCESS SYSTEM TABLE",
                                                "CREATE TABLE",
                                                "DROP TABLE",
                                                "ALTER TABLE",
                                                "CREATE OR REPLACE FUNCTION",
                                                "CREATE OR REPLACE EXTERNAL FUNCTION",
                                                "DROP FUNCTION",
                                                "CREATE OR REPLACE PROCEDURE",
                                                "DROP PROCEDURE",
                                                "CREATE OR REPLACE VIEW",
                                                "DROP VIEW",
                                                "CREATE MODEL",
                                                "DROP MODEL",
                                                "CREATE DATASHARE",
                                                "ALTER DATASHARE",
                                                "DROP DATASHARE",
                                                "CREATE LIBRARY",
                                                "DROP LIBRARY",
                                                "CREATE ROLE",
                                                "DROP ROLE",
                                                "TRUNCATE TABLE",
                                                "VACUUM",
                                                "ANALYZE",
                                                "CANCEL",
                                                "IGNORE RLS",
                                                "EXPLAIN RLS",
                                                "EXPLAIN MASKING"};
  return kNames;
}

std::span<const Role> system_roles() {
  static const auto* roles = [] {
    constexpr Oid owner = 1;  // rdsdb
    Role monitor{.id = kSysMonitor, .name = "sys:monitor", .owner = owner};
    monitor.system_privileges = {"ACCESS CATALOG", "ACCESS SYSTEM TABLE"};
    Role operate{.id = kSysOperator, .name = "sys:operator", .owner = owner};
    operate.roles = {{kSysMonitor, false, owner}};
    operate.system_privileges = {"ANALYZE", "CANCEL", "VACUUM"};
    Role dba{.id = kSysDba, .name = "sys:dba", .owner = owner};
    dba.roles = {{kSysOperator, false, owner}};
    dba.system_privileges = {"CREATE OR REPLACE EXTERNAL FUNCTION",
                             "CREATE OR REPLACE FUNCTION",
                             "CREATE OR REPLACE PROCEDURE",
                             "CREATE OR REPLACE VIEW",
                             "CREATE SCHEMA",
                             "CREATE TABLE",
                             "DROP PROCEDURE",
                             "DROP SCHEMA",
                             "DROP TABLE",
                             "DROP VIEW",
                             "TRUNCATE TABLE"};
    Role secadmin{.id = kSysSecadmin, .name = "sys:secadmin", .owner = owner};
    secadmin.system_privileges = {"ALTER USER", "CREATE ROLE", "CREATE USER",     "DROP ROLE",
                                  "DROP USER",  "EXPLAIN RLS", "EXPLAIN MASKING", "IGNORE RLS"};
    Role superuser{.id = kSysSuperuser, .name = "sys:superuser", .owner = owner};
    superuser.roles = {{kSysDba, false, owner}, {kSysSecadmin, false, owner}};
    for (auto name : system_privilege_names()) superuser.system_privileges.emplace_back(name);
    return new std::vector<Role>{monitor, operate, dba, secadmin, superuser};
  }();
  return *roles;
}

}  // namespace redoubt::warehouse::catalog
