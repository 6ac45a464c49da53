#include "access/audit.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "access/compact.h"
#include "base/log.h"
#include "base/text.h"
#include "meta/store.h"

namespace redoubt::access {

namespace {
constexpr size_t kQueueMax = 10000, kBatchMax = 1000;
constexpr auto kBatchEvery = std::chrono::seconds(1);

// Collections. A position is 16 bytes, big-endian and inverted, so that ascending key order is newest first:
//   "management"  key({account}) + position -> event
//   "data"        key({account, request id}) + position -> event (found by request id only)
//   "requests"    key({account, request id}) + position -> the management event's key
constexpr std::string_view kManagement = "management", kData = "data", kRequests = "requests";

std::string be64(uint64_t v) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, v >>= 8) out[size_t(i)] = char(v & 0xFF);
  return out;
}
std::string position(Timestamp time, uint64_t sequence) { return be64(~uint64_t(time.us)) + be64(~sequence); }

std::string encode(const AuditEvent& e) {
  Json j = Json::object();
  j.set("id", e.event_id).set("request", e.request_id).set("name", e.event_name).set("source", e.event_source);
  j.set("user", e.username).set("key", e.access_key_id).set("resource", e.resource).set("time", e.time.us);
  j.set("read", e.read_only).set("data", e.data_event);
  std::string text = j.dump();
  text.pop_back();
  text += ",\"record\":" + e.record.dump() + "}";  // the largest part isn't copied
  return compact(text);
}
std::optional<AuditEvent> decode(std::string_view account, std::string_view text) {
  auto plain = expand(text);
  if (!plain) return std::nullopt;
  auto j = Json::parse(*plain);
  if (!j) return std::nullopt;
  AuditEvent e;
  e.account = account;
  e.event_id = (*j)["id"].str();
  e.request_id = (*j)["request"].str();
  e.event_name = (*j)["name"].str();
  e.event_source = (*j)["source"].str();
  e.username = (*j)["user"].str();
  e.access_key_id = (*j)["key"].str();
  e.resource = (*j)["resource"].str();
  e.time = {(*j)["time"].integer()};
  e.read_only = (*j)["read"].boolean();
  e.data_event = (*j)["data"].boolean();
  if (auto* record = j->find("record")) e.record = std::move(*record);
  return e;
}

/// CloudTrail finds a resource by its name or its ARN.
bool names_resource(const std::string& arn, const std::string& wanted) {
  if (arn == wanted) return true;
  auto at = arn.find_last_of(":/");
  return at != arn.npos && std::string_view(arn).substr(at + 1) == wanted;
}
bool has_type(const Json& record, const std::string& type) {
  for (auto& r : record["resources"].items())
    if (r["type"].str() == type) return true;
  return false;
}
bool matches(const AuditEvent& e, const AuditQuery& q) {
  auto is = [](const std::string& wanted, const std::string& has) { return wanted.empty() || wanted == has; };
  return is(q.event_id, e.event_id) && is(q.request_id, e.request_id) && is(q.event_name, e.event_name) &&
         is(q.event_source, e.event_source) && is(q.username, e.username) && is(q.access_key_id, e.access_key_id) &&
         (q.resource.empty() || names_resource(e.resource, q.resource)) &&
         (q.resource_type.empty() || has_type(e.record, q.resource_type)) && (!q.read_only || *q.read_only == e.read_only) &&
         e.time >= q.from && (q.to.us == 0 || e.time <= q.to);
}

class StoredAudit : public Audit {
 public:
  explicit StoredAudit(std::unique_ptr<meta::Store> store) : store_(std::move(store)) {
    auto last = store_->get("state", "sequence");
    sequence_ = last ? uint64_t(parse_int(*last).value_or(0)) : 0;
    thread_ = std::thread([this] { run(); });
  }
  ~StoredAudit() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  void record(AuditEvent event) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return queue_.size() < kQueueMax; });
    queue_.push_back(std::move(event));
    ++accepted_;
    if (queue_.size() == 1 || queue_.size() >= kBatchMax) wake_.notify_one();
  }

  void flush() override {
    std::unique_lock lock(mutex_);
    uint64_t wanted = accepted_;
    flush_to_ = std::max(flush_to_, wanted);
    wake_.notify_one();
    room_.wait(lock, [&] { return written_ >= wanted; });
  }

  Result<AuditPage> lookup(const AuditQuery& query) override {
    flush();
    AuditPage page;
    store_->read([&](meta::Reader& reader) {
      if (!query.request_id.empty()) return of_request(reader, query, page);
      std::string prefix = meta::key({query.account}), end = meta::after_prefix(prefix);
      std::string from = query.before.empty() ? prefix + (query.to.us ? position(query.to, ~uint64_t(0)) : "")
                                              : prefix + query.before + std::string(1, '\0');
      std::string last;  // position of the last event on the page
      for (bool more = true; more;) {
        auto rows = reader.scan(kManagement, from, end, 200);
        more = rows.size() == 200;
        for (auto& row : rows) {
          auto event = decode(query.account, row.value);
          if (!event) continue;
          if (event->time < query.from) return;
          if (!matches(*event, query)) continue;
          if (page.events.size() == query.limit) {
            page.next = last;
            return;
          }
          last = row.key.substr(prefix.size());
          page.events.push_back(std::move(*event));
        }
        if (more) from = rows.back().key + std::string(1, '\0');
      }
    });
    return page;
  }

 private:
  /// All of one request, nested calls included; few, so never paged.
  static void of_request(meta::Reader& reader, const AuditQuery& query, AuditPage& page) {
    std::string prefix = meta::key({query.account, query.request_id});
    std::vector<std::pair<std::string, AuditEvent>> found;  // by position: newest first
    auto take = [&](const meta::Row& row, const std::string& text) {
      auto event = decode(query.account, text);
      if (event && matches(*event, query)) found.emplace_back(row.key.substr(prefix.size()), std::move(*event));
    };
    for (auto& row : reader.scan_prefix(kRequests, prefix, 1000))
      if (auto text = reader.get(kManagement, row.value)) take(row, *text);
    if (query.data_events)
      for (auto& row : reader.scan_prefix(kData, prefix, 1000)) take(row, row.value);
    std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first < b.first; });
    for (auto& [at, event] : found) page.events.push_back(std::move(event));
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      wake_.wait_for(lock, kBatchEvery, [&] { return stop_ || queue_.size() >= kBatchMax || flush_to_ > written_; });
      std::vector<AuditEvent> batch;
      while (!queue_.empty() && batch.size() < kBatchMax) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      lock.unlock();
      bool stored = write(batch);
      lock.lock();
      if (!stored) {
        // The trail is complete or the server waits: callers of record() stand still once the queue is full.
        queue_.insert(queue_.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
        if (stop_) {
          log::error("audit: " + std::to_string(queue_.size()) + " records could not be stored before the stop");
          return;
        }
        wake_.wait_for(lock, kBatchEvery, [&] { return stop_; });
        continue;
      }
      written_ += batch.size();
      room_.notify_all();
    }
  }

  bool write(const std::vector<AuditEvent>& batch) {
    std::vector<std::string> texts;
    for (auto& event : batch) texts.push_back(encode(event));
    auto done = store_->transact([&](meta::Txn& txn) -> Result<void> {
      uint64_t sequence = sequence_;
      for (size_t i = 0; i < batch.size(); ++i) {
        const AuditEvent& e = batch[i];
        std::string at = position(e.time, ++sequence);
        if (e.data_event) {
          txn.put(kData, meta::key({e.account, e.request_id}) + at, texts[i]);
        } else {
          std::string key = meta::key({e.account}) + at;
          txn.put(kManagement, key, texts[i]);
          txn.put(kRequests, meta::key({e.account, e.request_id}) + at, key);
        }
      }
      txn.put("state", "sequence", std::to_string(sequence));
      return {};
    });
    if (!done) {
      log::error("audit: " + done.error().message);
      return false;
    }
    sequence_ += batch.size();
    return true;
  }

  std::unique_ptr<meta::Store> store_;
  uint64_t sequence_ = 0;  // of thread_ alone
  std::mutex mutex_;       // all below
  std::condition_variable wake_, room_;
  std::deque<AuditEvent> queue_;
  uint64_t accepted_ = 0, written_ = 0, flush_to_ = 0;
  bool stop_ = false;
  std::thread thread_;
};
}  // namespace

Result<std::unique_ptr<Audit>> Audit::open(const std::string& file) {
  TRY(auto store, meta::Store::open(file));
  return std::make_unique<StoredAudit>(std::move(store));
}

}  // namespace redoubt::access
