#include "warehouse/catalog/catalog.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/serial.h"
#include "warehouse/catalog/system_roles.h"

namespace redoubt::warehouse::catalog {

namespace {

std::unexpected<Error> conflict() {
  return fail(kConflict, "could not complete because of conflict with concurrent transaction");
}

bool grantee_exists(const Snapshot& snapshot, const Grantee& grantee) {
  switch (grantee.kind) {
    case GranteeKind::kUser:
      return snapshot.user(grantee.id);
    case GranteeKind::kGroup:
      return snapshot.group(grantee.id);
    case GranteeKind::kRole:
      return snapshot.role(grantee.id);
    case GranteeKind::kPublic:
      return true;
  }
  return false;
}

bool grantees_exist(const Snapshot& snapshot, const std::optional<Acl>& acl) {
  return !acl || std::all_of(acl->begin(), acl->end(), [&](auto& entry) {
    return grantee_exists(snapshot, entry.grantee) && snapshot.user(entry.grantor);
  });
}

template <class T>
bool all_exist(const std::vector<T>& ids, auto exists) {
  return std::all_of(ids.begin(), ids.end(), exists);
}

/// Is everything that the object refers to there?
bool is_anchored(const Snapshot& s, const Object& object) {
  if (auto* o = std::get_if<Database>(&object)) return s.user(o->owner) && grantees_exist(s, o->acl);
  if (auto* o = std::get_if<Schema>(&object)) return s.database(o->database) && s.user(o->owner) && grantees_exist(s, o->acl);
  if (auto* o = std::get_if<Relation>(&object))
    return s.schema(o->schema) && s.user(o->owner) && grantees_exist(s, o->acl) &&
           all_exist(o->columns, [&](auto& c) { return grantees_exist(s, c.acl); }) &&
           all_exist(o->depends_on, [&](Oid on) { return s.relation(on); }) &&
           all_exist(o->policies, [&](auto& a) { return s.policy(a.policy) && grantee_exists(s, a.grantee); });
  if (auto* o = std::get_if<Procedure>(&object)) return s.schema(o->schema) && s.user(o->owner) && grantees_exist(s, o->acl);
  if (auto* o = std::get_if<User>(&object))
    return all_exist(o->groups, [&](Oid g) { return s.group(g); }) &&
           all_exist(o->roles, [&](auto& m) { return s.role(m.role); });
  if (auto* o = std::get_if<Group>(&object)) return all_exist(o->members, [&](Oid u) { return s.user(u); });
  if (auto* o = std::get_if<Role>(&object))
    return s.user(o->owner) && all_exist(o->roles, [&](auto& m) { return s.role(m.role); });
  if (auto* o = std::get_if<AssumeRoleGrants>(&object)) return grantee_exists(s, o->grantee);
  if (auto* o = std::get_if<DefaultPrivileges>(&object))
    return s.user(o->user) && s.database(o->database) && grantees_exist(s, o->acl);
  if (auto* o = std::get_if<RlsPolicy>(&object))
    return s.database(o->database) && all_exist(o->lookups, [&](auto& l) { return s.relation(l.first); }) &&
           all_exist(o->granted, [&](Oid r) { return s.relation(r); });
  return false;
}

/// Does nothing in the snapshot hang on what was dropped?
bool leaves_nothing(const Snapshot& s, const Object& dropped) {
  if (auto* o = std::get_if<Database>(&dropped)) return s.schemas(o->oid).empty() && s.policies(o->oid).empty();
  if (auto* o = std::get_if<Schema>(&dropped)) return s.schema_is_empty(o->oid);
  if (auto* o = std::get_if<Relation>(&dropped)) return s.dependents(o->oid).empty() && policies_reading(s, *o).empty();
  if (auto* o = std::get_if<RlsPolicy>(&dropped)) return s.attached_to(o->oid).empty();
  if (auto* o = std::get_if<User>(&dropped))
    return !owns_anything(s, o->id) && !named_in_any_acl(s, Grantee::user(o->id)) && !has_policies(s, Grantee::user(o->id));
  if (auto* o = std::get_if<Group>(&dropped)) return !named_in_any_acl(s, Grantee::group(o->id));
  if (auto* o = std::get_if<Role>(&dropped))
    return !named_in_any_acl(s, Grantee::role(o->id)) && !has_policies(s, Grantee::role(o->id));
  return true;
}

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

/// The roles that every cluster has; they aren't stored.
SnapshotPtr with_system_roles(SnapshotPtr snapshot) {
  for (auto& role : system_roles()) snapshot = snapshot->with(std::make_shared<const Object>(role));
  return snapshot;
}

}  // namespace

Catalog::Catalog(std::string secret_key)
    : secret_key_(std::move(secret_key)), latest_(with_system_roles(std::make_shared<Snapshot>())) {}

SnapshotPtr Catalog::latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

std::vector<Row> Catalog::bootstrap(const Bootstrap& what) {
  Transaction t(*this);
  t.put(User{.id = kInternalUserId,
             .name = "rdsdb",
             .superuser = true,
             .createdb = true,
             .syslog_unrestricted = true,
             .password_disabled = true});
  t.put(User{.id = kMasterUserId,
             .name = what.master_user,
             .superuser = true,
             .createdb = true,
             .syslog_unrestricted = true,
             .verifier = what.master_verifier});
  Database database{.oid = new_oid(), .name = what.database, .owner = kMasterUserId};
  Acl open_to_all = default_acl(AclTarget::kSchema, kInternalUserId);
  acl_grant(open_to_all, Grantee::everyone(), kInternalUserId, kUsage | kCreate, false);
  Schema schema{.oid = new_oid(), .database = database.oid, .name = "public", .owner = kInternalUserId, .acl = open_to_all};
  t.put(database);
  t.put(schema);
  t.put(AssumeRoleGrants{Grantee::everyone(), {{std::string(AssumeRoleGrants::kEvery), kAssumeAll}}});
  std::vector<Row> rows = t.rows();
  t.publish();
  return rows;
}

Result<void> Catalog::load(std::span<const Row> rows) {
  std::unordered_map<std::string, const Row*> last;  // "kind oid" -> the row that counts
  std::vector<const Row*> order;
  for (auto& row : rows) {
    TRY(Key key, key_of_row(row));
    saw(key, nullptr);  // dropped numbers are never used again either
    last[row.kind + " " + std::to_string(row.oid)] = &row;
  }
  SnapshotPtr snapshot = with_system_roles(std::make_shared<const Snapshot>());
  for (auto& row : rows) {
    if (row.body.empty() || last[row.kind + " " + std::to_string(row.oid)] != &row) continue;
    TRY(Key key, key_of_row(row));
    TRY(Object object, from_body(key, row.body, secret_key_));
    saw(key, &object);
    snapshot = snapshot->with(std::make_shared<const Object>(std::move(object)));
  }
  std::lock_guard lock(mutex_);
  latest_ = std::move(snapshot);
  return {};
}

std::vector<Row> Catalog::dump() const {
  std::vector<std::pair<Key, Row>> found;
  latest()->for_each([&](const Key& key, const Object& object) {
    if (!is_system_role(key)) found.emplace_back(key, to_row(key, &object));
  });
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<Row> rows;
  for (auto& [key, row] : found) rows.push_back(std::move(row));
  // Tombstones of the highest numbers ever given, so that a compacted log doesn't let them be given again.
  Oid oid = next_oid_.load() - 1, user = next_user_.load() - 1, group = next_group_.load() - 1;
  auto s = latest();
  if (oid >= kFirstOid && !s->database(oid) && !s->schema(oid) && !s->relation(oid) && !s->role(oid) && !s->policy(oid) &&
      !s->procedure(oid))
    rows.push_back({"relation", oid, ""});
  if (!s->user(user)) rows.push_back({"user", user, ""});
  if (group >= 100 && !s->group(group)) rows.push_back({"group", group, ""});
  return rows;
}

Row Catalog::to_row(const Key& key, const Object* object) const {
  Row row = row_of(key);
  if (object) row.body = to_body(*object, secret_key_);
  return row;
}

void Catalog::saw(const Key& key, const Object* object) {
  auto beyond = [](std::atomic<Oid>& counter, uint64_t used) {
    if (counter.load() <= used) counter.store(Oid(used) + 1);
  };
  switch (key.kind) {
    case ObjectKind::kDatabase:
    case ObjectKind::kSchema:
    case ObjectKind::kRelation:
    case ObjectKind::kRole:
    case ObjectKind::kRlsPolicy:
    case ObjectKind::kProcedure:
      beyond(next_oid_, key.id);
      break;
    case ObjectKind::kUser:
      beyond(next_user_, key.id);
      break;
    case ObjectKind::kGroup:
      beyond(next_group_, key.id);
      break;
    default:
      break;
  }
  auto* relation = object ? std::get_if<Relation>(object) : nullptr;
  if (!relation) return;
  beyond(next_oid_, relation->storage);
  for (auto& constraint : relation->constraints) beyond(next_oid_, constraint.oid);
}

// ---------------------------------------------------------------------------------------------------------- transactions

Transaction::Transaction(Catalog& catalog) : catalog_(catalog) { reset(); }

void Transaction::reset() {
  changes_.clear();
  old_.clear();
  view_ = base_ = catalog_.latest();
}

void Transaction::show(SnapshotPtr next) { old_.push_back(std::exchange(view_, std::move(next))); }

const SnapshotPtr& Transaction::view() {
  SnapshotPtr latest = catalog_.latest();
  if (latest == base_) return view_;
  base_ = latest;
  for (auto& [key, change] : changes_) latest = change.after ? latest->with(change.after) : latest->without(key);
  show(std::move(latest));
  return view_;
}

void Transaction::put(Object object) {
  Key key = key_of(object);
  view();
  auto [at, fresh] = changes_.try_emplace(key);
  if (fresh) at->second.before = base_->object(key);
  at->second.after = std::make_shared<const Object>(std::move(object));
  show(view_->with(at->second.after));
}

void Transaction::drop(const Key& key) {
  view();
  auto [at, fresh] = changes_.try_emplace(key);
  if (fresh) at->second.before = base_->object(key);
  at->second.after = nullptr;
  show(view_->without(key));
}

std::vector<Row> Transaction::rows() const {
  std::vector<Row> rows;
  for (auto& [key, change] : changes_)
    if (change.before || change.after) rows.push_back(catalog_.to_row(key, change.after.get()));
  return rows;
}

Result<void> Transaction::check() const {
  SnapshotPtr latest = catalog_.latest();
  SnapshotPtr merged = latest;
  for (auto& [key, change] : changes_) {
    if (latest->object(key) != change.before) return conflict();
    merged = change.after ? merged->with(change.after) : merged->without(key);
  }
  auto taken = [&](const auto* theirs, Oid mine) {  // in the committed state, and not given up by this transaction
    if (!theirs) return false;
    auto change = changes_.find(theirs->key());
    return theirs->key().id != mine && change == changes_.end();
  };
  for (auto& [key, change] : changes_) {
    if (!change.after) {
      if (change.before && !leaves_nothing(*merged, *change.before)) return conflict();
      continue;
    }
    if (!is_anchored(*merged, *change.after)) return conflict();
    if (auto* o = std::get_if<Database>(change.after.get()); o && taken(latest->database(o->name), o->oid))
      return fail(kDuplicateDatabase, "database " + quoted(o->name) + " already exists");
    if (auto* o = std::get_if<Schema>(change.after.get()); o && taken(latest->schema(o->database, o->name), o->oid))
      return fail(kDuplicateSchema, "schema " + quoted(o->name) + " already exists");
    if (auto* o = std::get_if<Relation>(change.after.get()); o && taken(latest->relation(o->schema, o->name), o->oid))
      return fail(kDuplicateTable, "relation " + quoted(o->name) + " already exists");
    if (auto* o = std::get_if<Procedure>(change.after.get()); o && taken(latest->procedure(o->schema, o->signature()), o->oid))
      return fail(kDuplicateProcedure, "function " + quoted(o->name) + " already exists with same argument types");
    if (auto* o = std::get_if<User>(change.after.get()); o && taken(latest->user(o->name), o->id))
      return fail(kDuplicateObject, "user " + quoted(o->name) + " already exists");
    if (auto* o = std::get_if<Group>(change.after.get()); o && taken(latest->group(o->name), o->id))
      return fail(kDuplicateObject, "group " + quoted(o->name) + " already exists");
    if (auto* o = std::get_if<Role>(change.after.get()); o && taken(latest->role(o->name), o->id))
      return fail(kDuplicateObject, "role " + quoted(o->name) + " already exists");
    if (auto* o = std::get_if<RlsPolicy>(change.after.get()); o && taken(latest->policy(o->database, o->name), o->oid))
      return fail(kDuplicateObject, "RLS policy " + quoted(o->name) + " already exists");
  }
  return {};
}

void Transaction::publish() {
  std::lock_guard lock(catalog_.mutex_);
  SnapshotPtr merged = catalog_.latest_;
  for (auto& [key, change] : changes_) merged = change.after ? merged->with(change.after) : merged->without(key);
  catalog_.latest_ = base_ = view_ = std::move(merged);
  changes_.clear();
}

}  // namespace redoubt::warehouse::catalog
