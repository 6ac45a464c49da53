#pragma once
/// The roles that every cluster has: sys:monitor, sys:operator, sys:dba, sys:secadmin, sys:superuser. Nobody makes, alters or
/// drops them; they are in every snapshot and never in the stored rows. Source: Database Developer Guide, "Amazon Redshift
/// system-defined roles", "System permissions for RBAC".
#include <span>
#include <string_view>

#include "warehouse/catalog/objects.h"

namespace redoubt::warehouse::catalog {

/// Every system privilege that GRANT .. TO ROLE knows, as written: "CREATE USER".
std::span<const std::string_view> system_privilege_names();

inline constexpr Oid kSysMonitor = 1001, kSysOperator = 1002, kSysDba = 1003, kSysSecadmin = 1004, kSysSuperuser = 1005;

std::span<const Role> system_roles();
inline bool is_system_role(Oid role) { return role >= kSysMonitor && role <= kSysSuperuser; }
inline bool is_system_role(const Key& key) { return key.kind == ObjectKind::kRole && is_system_role(Oid(key.id)); }

}  // namespace redoubt::warehouse::catalog
