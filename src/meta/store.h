#pragma once
/// The metadata store: ordered key-value collections with transactions, durable when transact() returns. All control-plane state
/// and the object index live here. One narrow interface, so that another database can stand behind it one day; nothing outside
/// meta/ knows that it is SQLite.
///
///   store.transact([&](Txn& t) -> Result<void> {
///     if (t.get("iam.users", key)) return fail(kEntityAlreadyExists, ..);   // an Err rolls everything back
///     t.put("iam.users", key, record.dump());
///     return {};
///   });
///
/// Keys are bytes and sort by memcmp; build compound keys with key({a, b}) whose parts can't run into each other.
/// Transactions are serialized (one writer thread) and commit in groups: one fsync for all that wait. transact() blocks the
/// caller until its group is durable: pool threads only, never an io thread. Reads see the last committed state.
/// Errors: what the closure returned; kStorageFull; kInternal for a corrupt or unwritable store (the store then refuses writes).
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::meta {

inline constexpr ErrorKind kStorageFull{"ServiceUnavailable", 503, "53100"};

/// Compound key: each part ends in \0\1 and a \0 inside a part becomes \0\2, so that order is part by part and key({"a"}) is a
/// prefix of every key({"a", ..}) and of nothing else.
std::string key(std::initializer_list<std::string_view> parts);
std::vector<std::string> key_parts(std::string_view key);
/// The least key greater than every key that begins with `prefix`; "" if there is none.
std::string after_prefix(std::string_view prefix);

struct Row {
  std::string key, value;
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::optional<std::string> get(std::string_view collection, std::string_view key) = 0;
  /// Rows with from <= key < to in key order ("" for `to`: no end), at most `limit`.
  virtual std::vector<Row> scan(std::string_view collection, std::string_view from, std::string_view to, size_t limit) = 0;
  /// All rows whose key begins with `prefix`.
  std::vector<Row> scan_prefix(std::string_view collection, std::string_view prefix, size_t limit = SIZE_MAX) {
    return scan(collection, prefix, after_prefix(prefix), limit);
  }
};

class Txn : public Reader {
 public:
  virtual void put(std::string_view collection, std::string_view key, std::string_view value) = 0;
  virtual bool erase(std::string_view collection, std::string_view key) = 0;  // whether it was there
};

class Store {
 public:
  virtual ~Store() = default;
  /// Runs `work` in a transaction of its own and makes it durable. `work` runs on the writer thread: it must be quick and must
  /// not call back into the store or wait for anything.
  virtual Result<void> transact(const std::function<Result<void>(Txn&)>& work) = 0;
  /// Runs `work` over one consistent state, concurrently with writers.
  virtual void read(const std::function<void(Reader&)>& work) = 0;
  std::optional<std::string> get(std::string_view collection, std::string_view k);
  std::vector<Row> scan_prefix(std::string_view collection, std::string_view prefix, size_t limit = SIZE_MAX);

  /// Opens or creates `file`. Collections come into being when first written.
  static Result<std::unique_ptr<Store>> open(const std::string& file);
};

}  // namespace redoubt::meta
