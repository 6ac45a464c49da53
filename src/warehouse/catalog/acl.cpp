#include "warehouse/catalog/acl.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"

namespace redoubt::warehouse::catalog {

namespace {

struct PrivilegeRow {
  Privileges bit;
  std::string_view name;
  char letter;  // in aclitem text
};
// Letters are PostgreSQL 8.0's; D, A and P are Redshift's later DROP, ALTER and TRUNCATE.
constexpr std::array<PrivilegeRow, 12> kPrivilegeRows{{{kInsert, "INSERT", 'a'},
                                                       {kSelect, "SELECT", 'r'},
                                                       {kUpdate, "UPDATE", 'w'},
                                                       {kDelete, "DELETE", 'd'},
                                                       {kReferences, "REFERENCES", 'x'},
                                                       {kDrop, "DROP", 'D'},
                                                       {kAlter, "ALTER", 'A'},
                                                       {kTruncate, "TRUNCATE", 'P'},
                                                       {kExecute, "EXECUTE", 'X'},
                                                       {kUsage, "USAGE", 'U'},
                                                       {kCreate, "CREATE", 'C'},
                                                       {kTemp, "TEMP", 'T'}}};

AclEntry* find(Acl& acl, const Grantee& grantee, Oid grantor) {
  for (auto& entry : acl)
    if (entry.grantee == grantee && entry.grantor == grantor) return &entry;
  return nullptr;
}

/// Does each entry's grantor hold what it granted with the right to grant it, all the way up to the owner?
bool rooted_in(const Acl& acl, Oid owner) {
  std::map<Oid, Privileges> options{{owner, ~Privileges{0}}};
  for (bool grew = true; grew;) {
    grew = false;
    for (auto& entry : acl) {
      if (entry.grantee.kind != GranteeKind::kUser) continue;
      auto from = options.find(entry.grantor);
      if (from == options.end()) continue;
      Privileges gains = entry.grantable & from->second & ~options[entry.grantee.id];
      if (gains) options[entry.grantee.id] |= gains, grew = true;
    }
  }
  return std::all_of(acl.begin(), acl.end(), [&](auto& entry) {
    auto from = options.find(entry.grantor);
    return from != options.end() && (entry.privileges & ~from->second) == 0;
  });
}

}  // namespace

Privileges all_privileges(AclTarget target) {
  switch (target) {
    case AclTarget::kDatabase:
      return kCreate | kTemp | kUsage | kAlter;
    case AclTarget::kSchema:
      return kCreate | kUsage | kAlter | kDrop;
    case AclTarget::kRelation:
      return kSelect | kInsert | kUpdate | kDelete | kReferences | kDrop | kAlter | kTruncate;
    case AclTarget::kColumn:
      return kSelect | kUpdate;
    case AclTarget::kProcedure:
      return kExecute;
  }
  return 0;
}

Privileges privilege_from_name(std::string_view name) {
  if (iequals(name, "TEMPORARY")) return kTemp;
  for (auto& row : kPrivilegeRows)
    if (iequals(row.name, name)) return row.bit;
  return 0;
}

std::string_view privilege_name(Privileges one) {
  for (auto& row : kPrivilegeRows)
    if (row.bit == one) return row.name;
  return {};
}

Acl default_acl(AclTarget target, Oid owner) {
  if (target == AclTarget::kColumn) return {};
  Acl acl{{Grantee::user(owner), owner, all_privileges(target), 0}};
  if (target == AclTarget::kDatabase) acl.push_back({Grantee::everyone(), owner, kTemp, 0});
  return acl;
}

void acl_grant(Acl& acl, const Grantee& grantee, Oid grantor, Privileges privileges, bool with_grant_option) {
  if (!privileges) return;
  AclEntry* entry = find(acl, grantee, grantor);
  if (!entry) entry = &acl.emplace_back(AclEntry{grantee, grantor, 0, 0});
  entry->privileges |= privileges;
  if (with_grant_option) entry->grantable |= privileges;
}

Result<void> acl_revoke(Acl& acl, const Grantee& grantee, Oid grantor, Privileges privileges, bool option_only, Oid owner) {
  AclEntry* entry = find(acl, grantee, grantor);
  if (!entry) return {};
  Acl before = acl;
  entry->grantable &= ~privileges;
  if (!option_only) entry->privileges &= ~privileges;
  std::erase_if(acl, [](auto& e) { return e.privileges == 0; });
  // Entries that an earlier owner left behind were not rooted before either: only what this revoke cuts off counts.
  if (rooted_in(before, owner) && !rooted_in(acl, owner)) {
    acl = std::move(before);
    return fail(kDependentPrivileges, "dependent privileges exist");
  }
  return {};
}

void acl_new_owner(Acl& acl, Oid from, Oid to) {
  Acl out;
  for (auto& entry : acl) {
    Grantee grantee = entry.grantee == Grantee::user(from) ? Grantee::user(to) : entry.grantee;
    Oid grantor = entry.grantor == from ? to : entry.grantor;
    acl_grant(out, grantee, grantor, entry.privileges, false);
    acl_grant(out, grantee, grantor, entry.grantable, true);
  }
  acl = std::move(out);
}

bool acl_forget(Acl& acl, const Grantee& grantee) {
  return std::erase_if(acl, [&](auto& entry) {
           return entry.grantee == grantee || (grantee.kind == GranteeKind::kUser && entry.grantor == grantee.id);
         }) > 0;
}

std::string acl_item_text(const AclEntry& entry, std::string_view grantee_name, std::string_view grantor_name) {
  std::string text;
  if (entry.grantee.kind == GranteeKind::kGroup) text = "group ";
  if (entry.grantee.kind == GranteeKind::kRole) text = "role ";
  if (entry.grantee.kind != GranteeKind::kPublic) text += grantee_name;
  text += '=';
  for (auto& row : kPrivilegeRows) {
    if (!(entry.privileges & row.bit)) continue;
    text += row.letter;
    if (entry.grantable & row.bit) text += '*';
  }
  text += '/';
  text += grantor_name;
  return text;
}

}  // namespace redoubt::warehouse::catalog
