#pragma once
/// What operators watch, as Prometheus reads it (text format 0.0.4). Names and labels are ours alone: no account, bucket, user or
/// cluster ever becomes a label.
///
///   auto& requests = metrics.counter("redoubt_http_requests_total", "HTTP requests answered.", {{"listener", "https"}});
///   requests.add();
///
/// Threads: any. Counters and histograms live as long as the Metrics; taking one twice gives the same.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt::server {

class Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Durations in seconds, in buckets from 0.5 ms to 30 s.
class Histogram {
 public:
  static constexpr std::array<double, 10> kBounds = {0.0005, 0.002, 0.005, 0.02, 0.05, 0.2, 0.5, 2, 10, 30};
  void observe(double seconds);

 private:
  friend class Metrics;
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<uint64_t> micros_{0};
};

class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {});
  /// Asks `read` whenever the metrics are. Replaces an earlier gauge of that name and labels; a null `read` takes it away, after
  /// which it isn't called any more.
  void gauge(const std::string& name, const std::string& help, const Labels& labels, std::function<double()> read);

  std::string text() const;

 private:
  struct Family {
    std::string help, type;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
    std::map<std::string, std::function<double()>> gauges;
  };
  Family& family(const std::string& name, const std::string& help, const char* type);
  mutable std::mutex mutex_;  // guards families_; the values themselves are atomic
  std::map<std::string, Family> families_;
};

}  // namespace redoubt::server
