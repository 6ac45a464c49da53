#pragma once
/// One state of the catalog: immutable, cheap to derive (with/without share structure), O(1) to look up in.
/// Pointers that it gives live as long as the snapshot. Threads: any.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/objects.h"
#include "warehouse/catalog/persistent_map.h"

namespace redoubt::warehouse::catalog {

class Snapshot;
using SnapshotPtr = std::shared_ptr<const Snapshot>;

class Snapshot {
 public:
  // Look-ups by id and by name (as stored: folded). nullptr: there is none.
  const Database* database(Oid oid) const { return get<Database>({ObjectKind::kDatabase, oid}); }
  const Schema* schema(Oid oid) const { return get<Schema>({ObjectKind::kSchema, oid}); }
  const Relation* relation(Oid oid) const { return get<Relation>({ObjectKind::kRelation, oid}); }
  const User* user(Oid id) const { return get<User>({ObjectKind::kUser, id}); }
  const Group* group(Oid id) const { return get<Group>({ObjectKind::kGroup, id}); }
  const Role* role(Oid id) const { return get<Role>({ObjectKind::kRole, id}); }
  const RlsPolicy* policy(Oid oid) const { return get<RlsPolicy>({ObjectKind::kRlsPolicy, oid}); }
  const AssumeRoleGrants* assume_role(const Grantee& grantee) const {
    return get<AssumeRoleGrants>(AssumeRoleGrants{.grantee = grantee}.key());
  }
  const DefaultPrivileges* default_privileges(Oid user, Oid database, Oid schema) const {
    return get<DefaultPrivileges>(DefaultPrivileges{.user = user, .database = database, .schema = schema}.key());
  }
  const Procedure* procedure(Oid oid) const { return get<Procedure>({ObjectKind::kProcedure, oid}); }
  const Database* database(std::string_view name) const;
  const Schema* schema(Oid database, std::string_view name) const;
  const Relation* relation(Oid schema, std::string_view name) const;
  /// The one of this signature (Procedure::signature()).
  const Procedure* procedure(Oid schema, std::string_view signature) const;
  const User* user(std::string_view name) const;
  const Group* group(std::string_view name) const;
  const Role* role(std::string_view name) const;
  const RlsPolicy* policy(Oid database, std::string_view name) const;
  ObjectPtr object(const Key& key) const { return objects_.find_shared(key); }

  // Walks in ascending id order (sorted at the call: for system relations and DROP, not for hot paths).
  std::vector<const Database*> databases() const;
  std::vector<const Schema*> schemas(Oid database) const;
  std::vector<const Relation*> relations(Oid schema) const;
  std::vector<const Relation*> relations_of_database(Oid database) const;
  std::vector<const Procedure*> procedures(Oid schema) const;
  std::vector<const Procedure*> procedures_of_database(Oid database) const;
  /// The overloads of a name, ascending.
  std::vector<const Procedure*> procedures_named(Oid schema, std::string_view name) const;
  std::vector<const User*> users() const;
  std::vector<const Group*> groups() const;
  std::vector<const Role*> roles() const;
  std::vector<const AssumeRoleGrants*> assume_role_grants() const { return scan<AssumeRoleGrants>(); }
  std::vector<const DefaultPrivileges*> all_default_privileges() const { return scan<DefaultPrivileges>(); }
  std::vector<const RlsPolicy*> policies(Oid database) const;
  /// Relations that the policy is attached to, ascending. A walk over the catalog: for DDL.
  std::vector<const Relation*> attached_to(Oid policy) const;
  bool schema_is_empty(Oid schema) const;  // no relations, no procedures
  /// Bound views that read the relation, ascending.
  std::vector<Oid> dependents(Oid relation) const;

  /// The names of a grantee, "" if it is gone; "public" for PUBLIC.
  std::string grantee_name(const Grantee& grantee) const;
  std::string user_name(Oid id) const;

  /// A new snapshot with the object put (replacing the one of its key) or dropped.
  [[nodiscard]] SnapshotPtr with(const ObjectPtr& object) const;
  [[nodiscard]] SnapshotPtr without(const Key& key) const;
  size_t size() const { return objects_.size(); }

  bool operator==(const Snapshot& other) const;  // same objects; for tests

  /// Calls f for every object, in no useful order.
  void for_each(const std::function<void(const Key&, const Object&)>& f) const { objects_.for_each(f); }

 private:
  struct KeyHash {
    size_t operator()(const Key& k) const {
      return std::hash<uint64_t>{}(k.id * 0x9e3779b97f4a7c15ull + k.sub * 0xc2b2ae3d27d4eb4full + uint64_t(k.kind));
    }
  };
  using Names = PersistentMap<std::string, Oid>;

  template <class T>
  const T* get(const Key& key) const {
    const Object* object = objects_.find(key);
    return object ? std::get_if<T>(object) : nullptr;
  }
  template <class T>
  std::vector<const T*> scan() const;
  void index(const Object& object, bool add);

  PersistentMap<Key, Object, KeyHash> objects_;
  // Names -> ids. One small map per kind, per database and per schema, so that a change copies little.
  Names databases_, users_, groups_, roles_;
  PersistentMap<Oid, Names> schemas_;     // by database
  PersistentMap<Oid, Names> relations_;   // by schema
  PersistentMap<Oid, Names> policies_;    // by database
  PersistentMap<Oid, Names> procedures_;  // by schema; their signatures
  PersistentMap<Oid, std::vector<Oid>> dependents_;
};

}  // namespace redoubt::warehouse::catalog
