#pragma once
/// The catalog of one cluster: the latest committed snapshot, and transactions that will change it.
///
///   Catalog catalog;  TRY_VOID(catalog.load(rows));            // or catalog.bootstrap(..) for a new cluster
///   Transaction t(catalog);
///   t.view()->user("alice");                                    // latest committed + own changes, always
///   t.put(group);  t.drop(key);
///   rows = t.rows();                                            // the engine appends them in the same transaction
///   // under the cluster's commit mutex: TRY_VOID(t.check());  engine commit;  t.publish();
///
/// Rights are judged by view(): a REVOKE that commits elsewhere bites here at the next statement, whatever data snapshot the
/// engine's transaction reads from. Two transactions that change one object: the later commit is refused (check), nothing is
/// ever merged or lost.
///
/// Rows are opaque to whoever stores them; the latest row of (kind, oid) counts, and load() takes them in the order they were
/// appended. Password verifiers inside are sealed with the catalog's secret key.
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/snapshot.h"

namespace redoubt::warehouse::catalog {

/// A change as the engine stores it.
struct Row {
  std::string kind;  // "relation", "assumerole/group", ..
  Oid oid = 0;
  std::string body;  // JSON; empty: dropped
  bool operator==(const Row&) const = default;
};

/// First number of things that users make; below are the system's own (types, pg_catalog).
inline constexpr Oid kFirstOid = 100000;
inline constexpr Oid kMasterUserId = 100;  // usesysid of the user made with the cluster
inline constexpr Oid kInternalUserId = 1;  // rdsdb: owns the system schemas, can't sign on

struct Bootstrap {
  std::string database = "dev";
  std::string master_user = "awsuser";
  Verifier master_verifier = {};
};

class Catalog {
 public:
  /// `secret_key`: 32 bytes that seal verifiers in rows; empty: they are stored in clear (tests).
  explicit Catalog(std::string secret_key = {});

  /// What a new cluster has: rdsdb, the master user, its database with schema public, ASSUMEROLE ON ALL FROM PUBLIC FOR ALL.
  /// Publishes it and returns the rows to store.
  std::vector<Row> bootstrap(const Bootstrap& what);
  /// Errors: kCorruptCatalog. Publishes what the rows say. Also sets the counters beyond every number ever used.
  Result<void> load(std::span<const Row> rows);
  /// The whole state as rows: what a compacted log would hold.
  std::vector<Row> dump() const;

  SnapshotPtr latest() const;
  /// Next number: databases, schemas, relations, constraints and storage share one counter; users, groups and roles have theirs.
  Oid new_oid() { return next_oid_.fetch_add(1); }
  Oid new_user_id() { return next_user_.fetch_add(1); }
  Oid new_group_id() { return next_group_.fetch_add(1); }

 private:
  friend class Transaction;
  Row to_row(const Key& key, const Object* object) const;
  void saw(const Key& key, const Object* object);

  const std::string secret_key_;
  mutable std::mutex mutex_;  // guards latest_
  SnapshotPtr latest_;
  std::atomic<Oid> next_oid_{kFirstOid}, next_user_{kMasterUserId + 1}, next_group_{100};
};

/// The changes of one transaction. Used by one thread at a time.
class Transaction {
 public:
  explicit Transaction(Catalog& catalog);

  /// Latest committed state with the own changes over it. The same pointer until something changes. Every state it gave lives
  /// until release_old(), so that pointers into them survive the changes that a statement makes.
  const SnapshotPtr& view();
  void release_old() { old_.clear(); }
  void put(Object object);
  void drop(const Key& key);
  bool empty() const { return changes_.empty(); }
  std::vector<Row> rows() const;

  /// Do the changes still fit the latest committed state? Errors: kConflict if an object they replace or drop was changed
  /// meanwhile, or a parent, owner or grantee is gone, or a name is taken (kDuplicate.. then).
  /// Call under the mutex that serializes commits; publish() must follow under it once the engine has committed.
  Result<void> check() const;
  void publish();
  void reset();  // forgets the changes

 private:
  struct Change {
    ObjectPtr before;  // in the committed state when first touched; null: it didn't exist
    ObjectPtr after;   // null: dropped
  };
  Catalog& catalog_;
  std::map<Key, Change> changes_;
  void show(SnapshotPtr next);
  SnapshotPtr base_, view_;
  std::vector<SnapshotPtr> old_;
};

}  // namespace redoubt::warehouse::catalog
