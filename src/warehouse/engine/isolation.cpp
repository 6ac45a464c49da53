#include "warehouse/engine/isolation.h"

#include <algorithm>
#include <string>

namespace redoubt::warehouse::engine {
namespace {

std::unexpected<Error> violation(secure::Oid table, Isolation::Id a, Isolation::Id b) {
  return std::unexpected(Error{&kSerializationFailure, "1023"}.with(
      "DETAIL", "Serializable isolation violation on table - " + std::to_string(table) +
                    ", transactions forming the cycle are: " + std::to_string(a) + ", " + std::to_string(b)));
}

}  // namespace

Isolation::Id Isolation::begin() {
  Id id = next_++;
  all_[id].snapshot = last_;
  return id;
}

Sequence Isolation::snapshot(Id id) const { return all_.at(id).snapshot; }

void Isolation::conflict(Id reader, Id writer, Oid table) {
  all_.at(reader).out.emplace(writer, table);
  all_.at(writer).in.emplace(reader, table);
}

Result<void> Isolation::read(Id id, Oid table) {
  Transaction& me = all_.at(id);
  if (auto shape = last_shape_.find(table); shape != last_shape_.end() && shape->second > me.snapshot)
    return violation(table, id, id);
  if (!me.reads.insert(table).second) return {};
  for (auto& [other_id, other] : all_)
    if (other_id != id && other.writes.contains(table) && overlaps(me, other)) conflict(id, other_id, table);
  return {};
}

Result<void> Isolation::write(Id id, Oid table) {
  Transaction& me = all_.at(id);
  if (auto shape = last_shape_.find(table); shape != last_shape_.end() && shape->second > me.snapshot)
    return violation(table, id, id);
  auto last = last_write_.find(table);
  if (last != last_write_.end() && last->second > me.snapshot) {
    Id culprit = id;
    for (auto& [other_id, other] : all_)
      if (other.committed == last->second) culprit = other_id;
    return violation(table, id, culprit);
  }
  if (!me.writes.insert(table).second) return {};
  for (auto& [other_id, other] : all_)
    if (other_id != id && other.reads.contains(table) && overlaps(me, other)) conflict(other_id, id, table);
  return {};
}

Result<void> Isolation::may_commit(Id id) const {
  const Transaction& me = all_.at(id);
  // As the middle one: a third has committed first, and the first one isn't known to have been done before that.
  for (auto& [third_id, third_table] : me.out) {
    const Transaction& third = all_.at(third_id);
    if (third.committed == 0) continue;
    for (auto& [first_id, first_table] : me.in) {
      const Transaction& first = all_.at(first_id);
      bool done_before = first.committed != 0 && first.committed < third.committed;
      // It has only read so far. Should it write before it commits, then the check below is its own.
      bool only_read = first.writes.empty() && third.committed > first.snapshot;
      if (!done_before && !only_read) return violation(third_table, id, third_id);
    }
  }
  // As the first one, of a middle one that has committed already, after its third.
  for (auto& [middle_id, middle_table] : me.out) {
    Sequence third = all_.at(middle_id).earliest_out;
    if (third != 0 && (!me.writes.empty() || third <= me.snapshot)) return violation(middle_table, id, middle_id);
  }
  return {};
}

Sequence Isolation::commit(Id id) {
  Transaction& me = all_.at(id);
  Sequence mine = me.committed = ++last_;
  for (Oid table : me.writes) last_write_[table] = mine;
  for (Oid table : me.shapes) last_shape_[table] = mine;
  for (auto& [third_id, table] : me.out) {
    Sequence third = all_.at(third_id).committed;
    if (third != 0 && (me.earliest_out == 0 || third < me.earliest_out)) me.earliest_out = third;
  }
  forget();
  return mine;
}

void Isolation::unlink(Id id, const Transaction& t) {
  for (auto& [other, table] : t.in) all_.at(other).out.erase(id);
  for (auto& [other, table] : t.out) all_.at(other).in.erase(id);
}

void Isolation::abort(Id id) {
  auto at = all_.find(id);
  if (at == all_.end()) return;
  unlink(id, at->second);
  all_.erase(at);
  forget();
}

void Isolation::forget() {
  Sequence oldest = last_ + 1;
  for (auto& [id, t] : all_)
    if (t.committed == 0) oldest = std::min(oldest, t.snapshot);
  for (auto at = all_.begin(); at != all_.end();) {
    auto& [id, t] = *at;
    if (t.committed != 0 && t.committed <= oldest) {
      unlink(id, t);
      at = all_.erase(at);
    } else {
      ++at;
    }
  }
}

}  // namespace redoubt::warehouse::engine
