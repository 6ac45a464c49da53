#pragma once
/// Serializable on top of snapshots: which tables a transaction has read and written, and whether committing it could close a
/// cycle. Pure bookkeeping: the caller holds one lock around everything here, commits its engine inside it, and holds exclusive
/// table locks for writers.
///
///   Isolation::Id t = isolation.begin();           // with the snapshot, in the same critical section
///   TRY_VOID(isolation.read(t, table));            // TRY_VOID(isolation.write(t, table));
///   TRY_VOID(isolation.may_commit(t));             // then the engine's commit, then
///   Sequence s = isolation.commit(t);              // or isolation.abort(t)
///
/// The rule (Cahill, Fekete, Röhm: Serializable Isolation for Snapshot Databases; PostgreSQL's refinements): A -> B is a
/// rw-conflict when A read a table that B wrote and A's snapshot doesn't have it. Every cycle holds T1 -> P -> T3 where T3
/// commits first, so that a transaction is refused when it would complete such a pair; a T1 that wrote nothing matters only if T3
/// had committed before T1's snapshot. Granularity is the table, as in Redshift.
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>

#include "base/result.h"
#include "warehouse/engine/errors.h"
#include "warehouse/secure/scope.h"

namespace redoubt::warehouse::engine {

using Sequence = uint64_t;

class Isolation {
 public:
  using Id = uint64_t;
  using Oid = secure::Oid;

  Id begin();
  Sequence snapshot(Id id) const;
  /// kSerializationFailure if the table has got another shape since this one's snapshot.
  Result<void> read(Id id, Oid table);
  /// kSerializationFailure if somebody's write of the table was committed after this one's snapshot.
  Result<void> write(Id id, Oid table);
  /// A table made or altered: whoever has an older snapshot can't read it any more.
  void reshape(Id id, Oid table) { all_.at(id).shapes.insert(table); }
  Result<void> may_commit(Id id) const;
  Sequence commit(Id id);  // every commit has a sequence of its own
  void abort(Id id);

  Sequence last() const { return last_; }
  size_t remembered() const { return all_.size(); }  // active ones, and committed ones that those overlap

 private:
  struct Transaction {
    Sequence snapshot = 0;
    Sequence committed = 0;  // 0: active
    std::set<Oid> reads, writes, shapes;
    Sequence earliest_out = 0;  // of those in `out`, the first to commit, if that was before this one
    std::map<Id, Oid> in, out;  // rw-conflicts: in = those that read before my write; with the table it was about
  };

  void conflict(Id reader, Id writer, Oid table);
  bool overlaps(const Transaction& mine, const Transaction& other) const {
    return other.committed == 0 || other.committed > mine.snapshot;
  }
  void unlink(Id id, const Transaction& t);
  void forget();

  std::unordered_map<Oid, Sequence> last_write_, last_shape_;
  std::map<Id, Transaction> all_;
  Sequence last_ = 0;
  Id next_ = 1;
};

}  // namespace redoubt::warehouse::engine
