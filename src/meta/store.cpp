#include "meta/store.h"

#include <sqlite3.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace redoubt::meta {

std::string key(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (auto part : parts) {
    for (char c : part) {
      out += c;
      if (c == '\0') out += '\2';
    }
    out.append("\0\1", 2);
  }
  return out;
}
std::vector<std::string> key_parts(std::string_view k) {
  std::vector<std::string> out;
  std::string part;
  for (size_t i = 0; i < k.size(); ++i) {
    if (k[i] == '\0' && i + 1 < k.size()) {
      ++i;
      if (k[i] == '\1') {
        out.push_back(std::move(part));
        part.clear();
        continue;
      }
      part += '\0';
      continue;
    }
    part += k[i];
  }
  if (!part.empty()) out.push_back(std::move(part));
  return out;
}
std::string after_prefix(std::string_view prefix) {
  std::string out(prefix);
  while (!out.empty() && (unsigned char)out.back() == 0xFF) out.pop_back();
  if (!out.empty()) ++out.back();
  return out;
}
std::optional<std::string> Store::get(std::string_view collection, std::string_view k) {
  std::optional<std::string> out;
  read([&](Reader& r) { out = r.get(collection, k); });
  return out;
}
std::vector<Row> Store::scan_prefix(std::string_view collection, std::string_view prefix, size_t limit) {
  std::vector<Row> out;
  read([&](Reader& r) { out = r.scan_prefix(collection, prefix, limit); });
  return out;
}

namespace {

/// One SQLite connection with its prepared statements. A collection is a table "c:<name>" of (k, v).
class Db {
 public:
  ~Db() {
    for (auto& [name, s] : statements_) sqlite3_finalize(s);
    sqlite3_close(db_);
  }
  Result<void> open(const std::string& file, bool writer) {
    int flags = SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    if (sqlite3_open_v2(file.c_str(), &db_, flags, nullptr) != SQLITE_OK) return error("open");
    sqlite3_busy_timeout(db_, 10000);
    if (writer) {
      for (auto* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA wal_autocheckpoint=4000"})
        TRY_VOID(exec(sql));
    }
    TRY_VOID(exec("PRAGMA cache_size=-8000"));
    return {};
  }
  Result<void> exec(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error(sql);
    return {};
  }
  /// Whether the collection's table exists; with `create`, makes it.
  bool ensure(std::string_view collection, bool create) {
    if (tables_.count(std::string(collection))) return true;
    std::string name = quoted(collection);
    if (create) {
      auto made = exec(("CREATE TABLE IF NOT EXISTS " + name + "(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID").c_str());
      if (!made) return false;
    } else {
      sqlite3_stmt* s = nullptr;
      sqlite3_prepare_v2(db_, "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", -1, &s, nullptr);
      std::string plain = "c:" + std::string(collection);
      sqlite3_bind_text(s, 1, plain.data(), int(plain.size()), SQLITE_STATIC);
      bool there = sqlite3_step(s) == SQLITE_ROW;
      sqlite3_finalize(s);
      if (!there) return false;
    }
    tables_[std::string(collection)] = true;
    return true;
  }
  void forget_tables() { tables_.clear(); }

  sqlite3_stmt* statement(std::string_view collection, const char* before, const char* after) {
    std::string sql = before + quoted(collection) + after;
    auto [it, fresh] = statements_.try_emplace(sql, nullptr);
    if (fresh &&
        sqlite3_prepare_v3(db_, sql.c_str(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &it->second, nullptr) != SQLITE_OK) {
      log::error("meta: prepare: " + std::string(sqlite3_errmsg(db_)));
      statements_.erase(it);
      return nullptr;
    }
    return it->second;
  }
  std::unexpected<Error> error(const char* what) {
    int code = sqlite3_errcode(db_) & 0xFF;
    std::string text = std::string("metadata store: ") + what + ": " + sqlite3_errmsg(db_);
    log::error(text);
    if (code == SQLITE_FULL) return fail(kStorageFull, "There is no space left to store metadata.");
    return fail(kInternal, text);
  }
  sqlite3* raw() { return db_; }

 private:
  static std::string quoted(std::string_view collection) {
    std::string out = "\"c:";
    for (char c : collection) {
      CHECK(c != '"');  // collections are named by our code, never by input
      out += c;
    }
    return out + '"';
  }
  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
  std::map<std::string, bool> tables_;
};

void bind(sqlite3_stmt* s, int i, std::string_view bytes) {
  // A null pointer would bind NULL; an empty key is an empty blob.
  sqlite3_bind_blob64(s, i, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
}
std::string column(sqlite3_stmt* s, int i) {
  auto* p = static_cast<const char*>(sqlite3_column_blob(s, i));
  return std::string(p ? p : "", size_t(sqlite3_column_bytes(s, i)));
}

template <class Base>
class Access : public Base {
 public:
  explicit Access(Db& db) : db_(db) {}
  std::optional<std::string> get(std::string_view collection, std::string_view k) override {
    if (!db_.ensure(collection, false)) return std::nullopt;
    auto* s = db_.statement(collection, "SELECT v FROM ", " WHERE k=?1");
    if (!s) return failed(std::optional<std::string>());
    bind(s, 1, k);
    int rc = sqlite3_step(s);
    std::optional<std::string> out;
    if (rc == SQLITE_ROW)
      out = column(s, 0);
    else if (rc != SQLITE_DONE)
      note("get");
    sqlite3_reset(s);
    return out;
  }
  std::vector<Row> scan(std::string_view collection, std::string_view from, std::string_view to, size_t limit) override {
    std::vector<Row> out;
    if (limit == 0 || !db_.ensure(collection, false)) return out;
    auto* s = to.empty() ? db_.statement(collection, "SELECT k,v FROM ", " WHERE k>=?1 ORDER BY k")
                         : db_.statement(collection, "SELECT k,v FROM ", " WHERE k>=?1 AND k<?2 ORDER BY k");
    if (!s) return failed(out);
    bind(s, 1, from);
    if (!to.empty()) bind(s, 2, to);
    int rc = SQLITE_DONE;
    while (out.size() < limit && (rc = sqlite3_step(s)) == SQLITE_ROW) out.push_back({column(s, 0), column(s, 1)});
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) note("scan");
    sqlite3_reset(s);
    return out;
  }
  /// The first thing that went wrong on our side: the transaction must not commit.
  std::optional<Error> broken;

 protected:
  void note(const char* what) {
    if (!broken) broken = db_.error(what).error();
  }
  template <class T>
  T failed(T value) {
    note("prepare");
    return value;
  }
  Db& db_;
};

class Writer : public Access<Txn> {
 public:
  using Access::Access;
  void put(std::string_view collection, std::string_view k, std::string_view v) override {
    if (!db_.ensure(collection, true)) return note("create");
    auto* s = db_.statement(collection, "INSERT INTO ", "(k,v) VALUES(?1,?2) ON CONFLICT(k) DO UPDATE SET v=excluded.v");
    if (!s) return note("prepare");
    bind(s, 1, k);
    bind(s, 2, v);
    if (sqlite3_step(s) != SQLITE_DONE) note("put");
    sqlite3_reset(s);
  }
  bool erase(std::string_view collection, std::string_view k) override {
    if (!db_.ensure(collection, false)) return false;
    auto* s = db_.statement(collection, "DELETE FROM ", " WHERE k=?1");
    if (!s) return failed(false);
    bind(s, 1, k);
    if (sqlite3_step(s) != SQLITE_DONE) note("erase");
    sqlite3_reset(s);
    return sqlite3_changes(db_.raw()) > 0;
  }
};

class SqliteStore : public Store {
 public:
  ~SqliteStore() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    readers_.clear();
  }
  Result<void> start(const std::string& file) {
    file_ = file;
    TRY_VOID(writer_.open(file, true));
    thread_ = std::thread([this] { run(); });
    return {};
  }
  Result<void> transact(const std::function<Result<void>(Txn&)>& work) override {
    Job job{&work, {}, false};
    std::unique_lock lock(mutex_);
    CHECK(std::this_thread::get_id() != thread_.get_id());
    queue_.push_back(&job);
    wake_.notify_one();
    done_.wait(lock, [&] { return job.done; });
    return std::move(job.result);
  }
  void read(const std::function<void(Reader&)>& work) override {
    std::unique_ptr<Db> db;
    {
      std::lock_guard lock(readers_mutex_);
      if (!readers_.empty()) {
        db = std::move(readers_.back());
        readers_.pop_back();
      }
    }
    if (!db) {
      db = std::make_unique<Db>();
      CHECK(db->open(file_, false));
    }
    // One read transaction: everything `work` sees is one committed state.
    CHECK(db->exec("BEGIN"));
    {
      Access<Reader> reader(*db);
      work(reader);
    }
    (void)db->exec("COMMIT");
    std::lock_guard lock(readers_mutex_);
    if (readers_.size() < 8) readers_.push_back(std::move(db));
  }

 private:
  struct Job {
    const std::function<Result<void>(Txn&)>* work;
    Result<void> result;
    bool done;
  };

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      std::vector<Job*> group;
      while (!queue_.empty() && group.size() < 256) {
        group.push_back(queue_.front());
        queue_.pop_front();
      }
      lock.unlock();
      commit(group);
      lock.lock();
      for (auto* job : group) job->done = true;
      done_.notify_all();
    }
  }

  /// Each job in a savepoint of its own inside one transaction: one fsync for the group, and a job that fails undoes only itself.
  void commit(std::vector<Job*>& group) {
    auto fail_all = [&](const Error& error) {
      for (auto* job : group) job->result = std::unexpected(error);
      (void)sqlite3_exec(writer_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
      writer_.forget_tables();
    };
    if (auto begun = writer_.exec("BEGIN IMMEDIATE"); !begun) return fail_all(begun.error());
    for (auto* job : group) {
      if (auto sp = writer_.exec("SAVEPOINT job"); !sp) return fail_all(sp.error());
      Writer txn(writer_);
      job->result = (*job->work)(txn);
      if (txn.broken) job->result = std::unexpected(*txn.broken);
      if (!job->result) {
        writer_.forget_tables();  // a table made inside is gone again
        if (auto undone = writer_.exec("ROLLBACK TO job"); !undone) return fail_all(undone.error());
      }
      if (auto released = writer_.exec("RELEASE job"); !released) return fail_all(released.error());
    }
    if (auto committed = writer_.exec("COMMIT"); !committed) {
      Error error = committed.error();
      for (auto* job : group)
        if (job->result) job->result = std::unexpected(error);
      (void)sqlite3_exec(writer_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
      writer_.forget_tables();
    }
  }

  std::string file_;
  Db writer_;  // of thread_ alone, once started
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Db>> readers_;
  std::mutex mutex_;  // queue_, stop_, and every Job's done
  std::condition_variable wake_, done_;
  std::deque<Job*> queue_;
  bool stop_ = false;
  std::thread thread_;
};
}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& file) {
  auto store = std::make_unique<SqliteStore>();
  TRY_VOID(store->start(file));
  return store;
}
}  // namespace redoubt::meta
