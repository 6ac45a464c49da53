#include "warehouse/engine/duckdb/zone.h"

#include <mutex>

#include "base/text.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine {
namespace {

constexpr int64_t kQuarter = 900'000'000;

class Fixed final : public ZoneOffsets {
 public:
  explicit Fixed(int32_t seconds) : seconds_(seconds) {}
  void at(std::span<const int64_t> micros, std::vector<int32_t>& seconds) override { seconds.assign(micros.size(), seconds_); }

 private:
  int32_t seconds_;
};

/// An in-memory database of our own that knows nothing but functions: asked for zones only.
class Icu {
 public:
  static Icu& shared() {
    static Icu& icu = *new Icu;  // never destroyed: at exit the library's own statics may go first
    return icu;
  }
  /// Seconds east of UTC for each of `count` quarters of an hour from `micros` on; nullopt: ICU doesn't know the zone.
  std::optional<std::vector<int32_t>> offsets(const std::string& zone, int64_t micros, int64_t count) {
    std::lock_guard lock(mutex_);
    auto result =
        prepared_->Execute(duckdb::Value(zone), duckdb::Value::BIGINT(micros), duckdb::Value::BIGINT(micros + count * kQuarter));
    if (result->HasError()) return std::nullopt;
    std::vector<int32_t> out;
    out.reserve(static_cast<size_t>(count));
    while (auto chunk = result->Fetch()) {
      auto* local_minus_utc = duckdb::FlatVector::GetData<int64_t>(chunk->data[0]);
      for (size_t i = 0; i < chunk->size(); ++i) out.push_back(static_cast<int32_t>(local_minus_utc[i] / 1000000));
    }
    return out;
  }

 private:
  static duckdb::DBConfig& config() {
    static duckdb::DBConfig config;
    config.SetOptionByName("threads", duckdb::Value::INTEGER(1));
    config.SetOptionByName("memory_limit", duckdb::Value("32MB"));
    config.SetOptionByName("temp_directory", duckdb::Value(""));
    config.SetOptionByName("enable_external_access", duckdb::Value(false));
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value(false));
    return config;
  }
  duckdb::DuckDB database_{nullptr, &config()};
  duckdb::Connection connection_{database_};
  duckdb::unique_ptr<duckdb::PreparedStatement> prepared_ = connection_.Prepare(
      "SELECT epoch_us(timezone($1::VARCHAR, make_timestamptz(i))) - i FROM range($2::BIGINT, $3::BIGINT, 900000000) r(i)");
  std::mutex mutex_;
};

/// Offsets change at a quarter of an hour and a few times a year: asked for in pieces of 416 days, kept as the changes in them.
class ByIcu final : public ZoneOffsets {
 public:
  explicit ByIcu(std::string zone) : zone_(std::move(zone)) {}

  void at(std::span<const int64_t> micros, std::vector<int32_t>& seconds) override {
    seconds.resize(micros.size());
    for (size_t i = 0; i < micros.size(); ++i) {
      if (micros[i] < from_ || micros[i] >= until_) look_up(micros[i]);
      seconds[i] = offset_;
    }
  }

 private:
  static constexpr int64_t kPiece = 40000 * kQuarter;
  using Changes = std::vector<std::pair<int64_t, int32_t>>;  // from this instant on; the first one is the piece's start

  /// Sets offset_ and how long it holds.
  void look_up(int64_t micros) {
    int64_t piece = micros / kPiece - (micros % kPiece < 0);
    auto [at, fresh] = pieces_.try_emplace(piece);
    Changes& changes = at->second;
    if (fresh) {
      auto offsets = Icu::shared().offsets(zone_, piece * kPiece, kPiece / kQuarter);
      changes.emplace_back(piece * kPiece, offsets && !offsets->empty() ? offsets->front() : 0);  // 0: beyond ICU's years
      for (size_t i = 1; offsets && i < offsets->size(); ++i)
        if ((*offsets)[i] != changes.back().second)
          changes.emplace_back(piece * kPiece + static_cast<int64_t>(i) * kQuarter, (*offsets)[i]);
    }
    auto next =
        std::upper_bound(changes.begin(), changes.end(), micros, [](int64_t m, auto& change) { return m < change.first; });
    until_ = next == changes.end() ? (piece + 1) * kPiece : next->first;
    --next;
    from_ = next->first;
    offset_ = next->second;
  }

  std::string zone_;
  std::unordered_map<int64_t, Changes> pieces_;
  int64_t from_ = 0, until_ = 0;
  int32_t offset_ = 0;
};

}  // namespace

Result<std::shared_ptr<ZoneOffsets>> zone_offsets(const std::string& zone) {
  if (zone.empty() || iequals(zone, "UTC") || iequals(zone, "GMT")) return nullptr;
  if (auto fixed = secure::values::fixed_offset(zone)) return *fixed == 0 ? nullptr : std::make_shared<Fixed>(*fixed);
  return guarded([&]() -> Result<std::shared_ptr<ZoneOffsets>> {
    if (!Icu::shared().offsets(zone, 0, 1))
      return fail(secure::kInvalidParameterValue, "unrecognized time zone name: \"" + zone + "\"");
    return std::make_shared<ByIcu>(zone);
  });
}

}  // namespace redoubt::warehouse::engine
