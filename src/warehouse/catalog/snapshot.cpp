#include "warehouse/catalog/snapshot.h"

#include <algorithm>

namespace redoubt::warehouse::catalog {

namespace {

Oid id_of(const PersistentMap<std::string, Oid>& names, std::string_view name) {
  const Oid* id = names.find(std::string(name));
  return id ? *id : 0;
}

using Names = PersistentMap<std::string, Oid>;

void set_name(Names& names, const std::string& name, Oid id, bool add) {
  if (add) {
    names = names.set(name, id);
  } else if (const Oid* now = names.find(name); now && *now == id) {  // not when another has taken the name
    names = names.erase(name);
  }
}

void set_name(PersistentMap<Oid, Names>& by_parent, Oid parent, const std::string& name, Oid id, bool add) {
  const Names* old = by_parent.find(parent);
  Names names = old ? *old : Names{};
  set_name(names, name, id, add);
  by_parent = names.empty() ? by_parent.erase(parent) : by_parent.set(parent, std::move(names));
}

}  // namespace

const Database* Snapshot::database(std::string_view name) const { return database(id_of(databases_, name)); }
const User* Snapshot::user(std::string_view name) const { return user(id_of(users_, name)); }
const Group* Snapshot::group(std::string_view name) const { return group(id_of(groups_, name)); }
const Role* Snapshot::role(std::string_view name) const { return role(id_of(roles_, name)); }

const Schema* Snapshot::schema(Oid database, std::string_view name) const {
  const Names* names = schemas_.find(database);
  return names ? schema(id_of(*names, name)) : nullptr;
}

const RlsPolicy* Snapshot::policy(Oid database, std::string_view name) const {
  const Names* names = policies_.find(database);
  return names ? policy(id_of(*names, name)) : nullptr;
}

const Relation* Snapshot::relation(Oid schema, std::string_view name) const {
  const Names* names = relations_.find(schema);
  return names ? relation(id_of(*names, name)) : nullptr;
}

const Procedure* Snapshot::procedure(Oid schema, std::string_view signature) const {
  const Names* names = procedures_.find(schema);
  return names ? procedure(id_of(*names, signature)) : nullptr;
}

namespace {
template <class T, class Get>
std::vector<const T*> gather(const Names* names, Get get) {
  std::vector<Oid> ids;
  if (names) names->for_each([&](auto&, Oid id) { ids.push_back(id); });
  std::sort(ids.begin(), ids.end());
  std::vector<const T*> out;
  for (Oid id : ids) out.push_back(get(id));
  return out;
}
}  // namespace

std::vector<const Database*> Snapshot::databases() const {
  return gather<Database>(&databases_, [&](Oid id) { return database(id); });
}
std::vector<const User*> Snapshot::users() const {
  return gather<User>(&users_, [&](Oid id) { return user(id); });
}
std::vector<const Group*> Snapshot::groups() const {
  return gather<Group>(&groups_, [&](Oid id) { return group(id); });
}
std::vector<const Role*> Snapshot::roles() const {
  return gather<Role>(&roles_, [&](Oid id) { return role(id); });
}
template <class T>
std::vector<const T*> Snapshot::scan() const {
  std::vector<const T*> out;
  objects_.for_each([&](auto&, const Object& object) {
    if (auto* t = std::get_if<T>(&object)) out.push_back(t);
  });
  std::sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->key() < b->key(); });
  return out;
}
template std::vector<const AssumeRoleGrants*> Snapshot::scan() const;
template std::vector<const DefaultPrivileges*> Snapshot::scan() const;
template std::vector<const Relation*> Snapshot::scan() const;

std::vector<const Schema*> Snapshot::schemas(Oid database) const {
  return gather<Schema>(schemas_.find(database), [&](Oid id) { return schema(id); });
}

std::vector<const RlsPolicy*> Snapshot::policies(Oid database) const {
  return gather<RlsPolicy>(policies_.find(database), [&](Oid id) { return policy(id); });
}

std::vector<const Relation*> Snapshot::attached_to(Oid policy) const {
  std::vector<const Relation*> out;
  for (auto* relation : scan<Relation>())
    if (std::any_of(relation->policies.begin(), relation->policies.end(), [&](auto& a) { return a.policy == policy; }))
      out.push_back(relation);
  return out;
}

std::vector<const Relation*> Snapshot::relations(Oid schema) const {
  return gather<Relation>(relations_.find(schema), [&](Oid id) { return relation(id); });
}

std::vector<const Relation*> Snapshot::relations_of_database(Oid database) const {
  std::vector<const Relation*> out;
  for (auto* schema : schemas(database))
    for (auto* relation : relations(schema->oid)) out.push_back(relation);
  std::sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->oid < b->oid; });
  return out;
}

std::vector<const Procedure*> Snapshot::procedures(Oid schema) const {
  return gather<Procedure>(procedures_.find(schema), [&](Oid id) { return procedure(id); });
}

std::vector<const Procedure*> Snapshot::procedures_of_database(Oid database) const {
  std::vector<const Procedure*> out;
  for (auto* schema : schemas(database))
    for (auto* procedure : procedures(schema->oid)) out.push_back(procedure);
  std::sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->oid < b->oid; });
  return out;
}

std::vector<const Procedure*> Snapshot::procedures_named(Oid schema, std::string_view name) const {
  auto all = procedures(schema);
  std::erase_if(all, [&](auto* p) { return p->name != name; });
  return all;
}

bool Snapshot::schema_is_empty(Oid schema) const { return !relations_.find(schema) && !procedures_.find(schema); }

std::vector<Oid> Snapshot::dependents(Oid relation) const {
  const std::vector<Oid>* found = dependents_.find(relation);
  return found ? *found : std::vector<Oid>{};
}

std::string Snapshot::grantee_name(const Grantee& grantee) const {
  switch (grantee.kind) {
    case GranteeKind::kUser:
      return user_name(grantee.id);
    case GranteeKind::kGroup:
      return group(grantee.id) ? group(grantee.id)->name : "";
    case GranteeKind::kRole:
      return role(grantee.id) ? role(grantee.id)->name : "";
    case GranteeKind::kPublic:
      return "public";
  }
  return "";
}

std::string Snapshot::user_name(Oid id) const { return user(id) ? user(id)->name : ""; }

void Snapshot::index(const Object& object, bool add) {
  if (auto* o = std::get_if<Database>(&object)) set_name(databases_, o->name, o->oid, add);
  if (auto* o = std::get_if<User>(&object)) set_name(users_, o->name, o->id, add);
  if (auto* o = std::get_if<Group>(&object)) set_name(groups_, o->name, o->id, add);
  if (auto* o = std::get_if<Role>(&object)) set_name(roles_, o->name, o->id, add);
  if (auto* o = std::get_if<RlsPolicy>(&object)) set_name(policies_, o->database, o->name, o->oid, add);
  if (auto* o = std::get_if<Schema>(&object)) set_name(schemas_, o->database, o->name, o->oid, add);
  if (auto* o = std::get_if<Procedure>(&object)) set_name(procedures_, o->schema, o->signature(), o->oid, add);
  if (auto* o = std::get_if<Relation>(&object)) {
    set_name(relations_, o->schema, o->name, o->oid, add);
    for (Oid on : o->depends_on) {
      std::vector<Oid> views = dependents(on);
      std::erase(views, o->oid);
      if (add) views.insert(std::lower_bound(views.begin(), views.end(), o->oid), o->oid);
      dependents_ = views.empty() ? dependents_.erase(on) : dependents_.set(on, std::move(views));
    }
  }
}

SnapshotPtr Snapshot::with(const ObjectPtr& object) const {
  auto out = std::make_shared<Snapshot>(*this);
  Key key = key_of(*object);
  if (const Object* old = objects_.find(key)) out->index(*old, false);
  out->index(*object, true);
  out->objects_ = objects_.set(key, object);
  return out;
}

SnapshotPtr Snapshot::without(const Key& key) const {
  auto out = std::make_shared<Snapshot>(*this);
  if (const Object* old = objects_.find(key)) out->index(*old, false);
  out->objects_ = objects_.erase(key);
  return out;
}

bool Snapshot::operator==(const Snapshot& other) const {
  bool same = size() == other.size();
  objects_.for_each([&](const Key& key, const Object& object) {
    const Object* theirs = other.objects_.find(key);
    same = same && theirs && *theirs == object;
  });
  return same;
}

}  // namespace redoubt::warehouse::catalog
