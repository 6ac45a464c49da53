#pragma once
/// A session without an engine, for tests and the fuzzer: it answers a handful of statements by their text.
///   one            1 row: (1)
///   rows N         N rows of one text column
///   notice         a notice, then INSERT 0 1
///   wait           kWaiting until canceled or released
///   slow           runs until canceled, on its thread
///   error          42601
///   internal       an error of ours, whose text nobody may see
///   begin, commit  the transaction's state
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/crypto.h"
#include "base/text.h"
#include "warehouse/wire/backend.h"
#include "warehouse/wire/protocol.h"

namespace redoubt::warehouse::wire {

inline constexpr ErrorKind kFakeSyntax{"SyntaxError", 400, "42601"};
inline constexpr ErrorKind kFakeCanceled{"QueryCanceled", 400, "57014"};
inline constexpr ErrorKind kFakeMissing{"InvalidSqlStatementName", 400, "26000"};
inline constexpr ErrorKind kFakeShutdown{"AdminShutdown", 503, "57P01"};

struct FakeWait final : session::Wait {
  std::mutex mutex;
  std::function<void()> on_ready;
  bool over = false;
  void when_ready(std::function<void()> f) override {
    std::unique_lock lock(mutex);
    if (!over) {
      on_ready = std::move(f);
      return;
    }
    lock.unlock();
    f();
  }
  void release() {
    std::unique_lock lock(mutex);
    over = true;
    auto f = std::move(on_ready);
    lock.unlock();
    if (f) f();
  }
};

class FakeSession final : public session::Session {
 public:
  FakeSession(int pid, int secret, int protocol, std::atomic<int>* alive)
      : pid_(pid), secret_(secret), protocol_(protocol), alive_(alive) {
    if (alive_) ++*alive_;
  }
  ~FakeSession() override {
    if (alive_) --*alive_;
  }

  Result<void> start_simple(std::string_view sql) override {
    canceled_ = impatient_;
    todo_.clear();
    for (auto part : split(sql, ';'))
      if (!trim(part).empty()) todo_.push_back(std::string(trim(part)));
    if (todo_.empty()) todo_.push_back("");
    at_ = 0;
    described_ = false;
    return {};
  }

  Result<session::Step> step(session::Output& output) override {
    if (at_ == todo_.size()) return session::Step{};
    bool describes = todo_[at_] == "one" || todo_[at_].starts_with("rows");
    if (describes && !described_) {
      described_ = true;
      session::Step step{session::StepKind::kDescribed};
      step.columns = columns();
      return step;
    }
    TRY(auto step, run(todo_[at_], INT64_MAX, output));
    if (step.kind == session::StepKind::kComplete || step.kind == session::StepKind::kEmpty) {
      ++at_;
      described_ = false;
    }
    return step;
  }

  Result<void> parse(const std::string& statement, std::string_view sql, std::span<const uint32_t> types) override {
    if (sql == "error") return fail(kFakeSyntax, "syntax error");
    statements_[statement] = std::string(trim(sql));
    types_.assign(types.begin(), types.end());
    return {};
  }
  Result<void> bind(const std::string& portal, const std::string& statement, std::vector<engine::Parameter> parameters,
                    std::vector<int16_t> formats) override {
    canceled_ = impatient_;
    auto at = statements_.find(statement);
    if (at == statements_.end()) return fail(kFakeMissing, "prepared statement \"" + statement + "\" does not exist");
    portals_[portal] = at->second;
    last_parameters = std::move(parameters);
    last_formats = std::move(formats);
    return {};
  }
  Result<session::Description> describe_statement(const std::string& statement) override {
    auto at = statements_.find(statement);
    if (at == statements_.end()) return fail(kFakeMissing, "prepared statement \"" + statement + "\" does not exist");
    session::Description d;
    for (auto oid : types_) d.parameters.push_back(oid);
    d.has_rows = at->second == "one" || at->second.starts_with("rows");
    if (d.has_rows) d.columns = columns();
    return d;
  }
  Result<session::Description> describe_portal(const std::string& portal) override {
    auto at = portals_.find(portal);
    if (at == portals_.end()) return fail(kFakeMissing, "portal \"" + portal + "\" does not exist");
    session::Description d;
    d.has_rows = at->second == "one" || at->second.starts_with("rows");
    if (d.has_rows) d.columns = columns();
    return d;
  }
  Result<session::Step> execute(const std::string& portal, int64_t max_rows, session::Output& output) override {
    auto at = portals_.find(portal);
    if (at == portals_.end()) return fail(kFakeMissing, "portal \"" + portal + "\" does not exist");
    return run(at->second, max_rows == 0 ? INT64_MAX : max_rows, output);
  }
  void close_statement(const std::string& statement) override { statements_.erase(statement); }
  void close_portal(const std::string& portal) override { portals_.erase(portal); }
  Result<void> sync() override {
    if (status_ != 'T') portals_.clear();
    return {};
  }

  char transaction_status() const override { return status_; }
  std::vector<session::Notice> take_notices() override { return std::exchange(notices_, {}); }
  std::vector<std::pair<std::string, std::string>> take_parameter_changes() override { return std::exchange(changes_, {}); }
  int pid() const override { return pid_; }
  int secret() const override { return secret_; }
  const std::string& database() const override { return database_; }
  int protocol() const override { return protocol_; }

  /// From now on every statement is canceled as it starts: nothing takes long, whatever is asked for.
  void be_impatient() { impatient_ = canceled_ = true; }

  void cancel() override {
    std::lock_guard lock(mutex_);
    canceled_ = true;
    if (wait_) wait_->release();
  }
  void terminate(Error why) override {
    std::function<void()> callback;
    {
      std::lock_guard lock(mutex_);
      terminated_ = std::move(why);
      callback = on_terminate_;
    }
    cancel();
    if (callback) callback();
  }
  void on_terminate(std::function<void()> callback) override {
    std::lock_guard lock(mutex_);
    on_terminate_ = std::move(callback);
  }
  std::optional<Error> terminated() const override {
    std::lock_guard lock(mutex_);
    return terminated_;
  }
  void release() {
    std::lock_guard lock(mutex_);
    if (wait_) wait_->release();
  }

  std::vector<engine::Parameter> last_parameters;
  std::vector<int16_t> last_formats;
  std::atomic<int64_t> rows_made{0};

 private:
  static std::vector<secure::plan::Output> columns() {
    secure::plan::Output o;
    o.name = "x";
    o.type = sql::Type::decimal(10, 2);
    o.origin_relation = 100;
    o.origin_attnum = 2;
    o.origin_schema = "public";
    o.origin_table = "t";
    o.origin_column = "x";
    o.origin_database = "dev";
    o.not_null = true;
    return {o};
  }

  Result<session::Step> run(std::string sql, int64_t max_rows, session::Output& output) {
    using session::StepKind;
    if (terminated()) return std::unexpected(*terminated());
    session::Step step{StepKind::kComplete};
    if (sql.empty()) {
      step.kind = StepKind::kEmpty;
    } else if (sql == "one" || sql.starts_with("rows ")) {
      int64_t n = sql == "one" ? 1 : parse_int(std::string_view(sql).substr(5)).value_or(0);
      int64_t made = 0;
      while (given_ < n && made < max_rows && output.buffer.size() < (256 << 10) && !canceled_) {
        std::string value = sql == "one" ? "1.00" : "row " + std::to_string(given_);
        Reply(output.buffer, 'D').int16(1).int32(static_cast<int64_t>(value.size())).raw(value);
        ++given_, ++made, ++rows_made;
      }
      if (canceled_) {
        given_ = 0;
        return fail(kFakeCanceled, "Query cancelled on user's request");
      }
      if (given_ < n) {
        step.kind = made == max_rows ? StepKind::kSuspended : StepKind::kRows;
        return step;
      }
      given_ = 0;
      step.tag = "SELECT";
    } else if (sql == "notice") {
      notices_.push_back({"INFO", "00000", "hello"});
      changes_.emplace_back("application_name", "changed");
      step.tag = "INSERT 0 1";
    } else if (sql == "begin") {
      status_ = 'T';
      step.tag = "BEGIN";
    } else if (sql == "commit") {
      status_ = 'I';
      step.tag = "COMMIT";
    } else if (sql == "wait") {
      std::lock_guard lock(mutex_);
      if (canceled_) {
        wait_.reset();
        return fail(kFakeCanceled, "Query cancelled on user's request");
      }
      if (!wait_ || !wait_->over) {
        if (!wait_) wait_ = std::make_shared<FakeWait>();
        step.kind = StepKind::kWaiting;
        step.wait = wait_;
        return step;
      }
      wait_.reset();
      step.tag = "LOCK TABLE";
    } else if (sql == "slow") {
      while (!canceled_) std::this_thread::yield();
      if (terminated()) return std::unexpected(*terminated());
      return fail(kFakeCanceled, "Query cancelled on user's request");
    } else if (sql == "internal") {
      return fail(kInternal, "secret: select * from w.s1.t2");
    } else {
      auto error = Error{&kFakeSyntax, "syntax error at or near \"" + sql + "\""}.with("POSITION", "1");
      todo_.clear();  // sql was in there
      at_ = 0;
      return std::unexpected(std::move(error));
    }
    return step;
  }

  int pid_, secret_, protocol_;
  std::atomic<int>* alive_;
  std::string database_ = "dev";
  char status_ = 'I';
  std::vector<std::string> todo_;
  size_t at_ = 0;
  bool described_ = false;
  int64_t given_ = 0;
  std::map<std::string, std::string> statements_, portals_;
  std::vector<uint32_t> types_;
  std::vector<session::Notice> notices_;
  std::vector<std::pair<std::string, std::string>> changes_{
      {"server_version", "8.0.2"}, {"client_encoding", "UTF8"}, {"integer_datetimes", "on"}};

  mutable std::mutex mutex_;
  std::atomic<bool> canceled_{false};
  bool impatient_ = false;
  std::shared_ptr<FakeWait> wait_;
  std::optional<Error> terminated_;
  std::function<void()> on_terminate_;
};

}  // namespace redoubt::warehouse::wire
