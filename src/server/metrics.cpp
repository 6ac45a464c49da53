#include "server/metrics.h"

#include <fmt/format.h>

#include "base/result.h"

namespace redoubt::server {
namespace {
std::string render(const Metrics::Labels& labels) {
  std::string out;
  for (auto& [name, value] : labels) out += (out.empty() ? "" : ",") + name + "=\"" + value + "\"";
  return out;
}
std::string braces(const std::string& labels, const std::string& more = {}) {
  auto all = labels + (labels.empty() || more.empty() ? "" : ",") + more;
  return all.empty() ? "" : "{" + all + "}";
}
}  // namespace

void Histogram::observe(double seconds) {
  size_t i = 0;
  while (i < kBounds.size() && seconds > kBounds[i]) ++i;
  buckets_[i].fetch_add(1, std::memory_order_relaxed);
  micros_.fetch_add(static_cast<uint64_t>(seconds * 1e6), std::memory_order_relaxed);
}

Metrics::Family& Metrics::family(const std::string& name, const std::string& help, const char* type) {
  auto& f = families_[name];
  if (f.type.empty()) {
    f.type = type;
    f.help = help;
  }
  CHECK(f.type == type);
  return f;
}

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "counter").counters[render(labels)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "histogram").histograms[render(labels)];
  if (!slot) slot = std::make_unique<Histogram>();
  return *slot;
}

void Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels, std::function<double()> read) {
  std::lock_guard lock(mutex_);
  auto& gauges = family(name, help, "gauge").gauges;
  if (read) {
    gauges[render(labels)] = std::move(read);
  } else {
    gauges.erase(render(labels));
  }
}

std::string Metrics::text() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (auto& [name, f] : families_) {
    out += "# HELP " + name + " " + f.help + "\n# TYPE " + name + " " + f.type + "\n";
    for (auto& [labels, counter] : f.counters) out += fmt::format("{}{} {}\n", name, braces(labels), counter->value());
    for (auto& [labels, read] : f.gauges) out += fmt::format("{}{} {}\n", name, braces(labels), read());
    for (auto& [labels, h] : f.histograms) {
      uint64_t total = 0;
      for (size_t i = 0; i < h->buckets_.size(); ++i) {
        total += h->buckets_[i].load(std::memory_order_relaxed);
        auto bound = i < Histogram::kBounds.size() ? fmt::format("{}", Histogram::kBounds[i]) : "+Inf";
        out += fmt::format("{}_bucket{} {}\n", name, braces(labels, "le=\"" + bound + "\""), total);
      }
      out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces(labels),
                         static_cast<double>(h->micros_.load(std::memory_order_relaxed)) / 1e6, name, braces(labels), total);
    }
  }
  return out;
}

}  // namespace redoubt::server
