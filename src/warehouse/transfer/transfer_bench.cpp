/// COPY and UNLOAD of 2,000,000 rows by 10 columns (about 166 MB delimited), objects decrypted as they are read, as S3 does it.
#include <benchmark/benchmark.h>

#include "warehouse/transfer/world_for_test.h"

namespace redoubt::warehouse::transfer {
namespace {

constexpr int kRows = 2'000'000;

std::string line_items() {
  std::string out;
  out.reserve(size_t{180} << 20);
  char line[256];
  uint64_t x = 88172645463325252ull;
  auto next = [&] { return x ^= x << 13, x ^= x >> 7, x ^= x << 17; };
  for (int i = 0; i < kRows; ++i) {
    int n = std::snprintf(line, sizeof line, "%d|%d|%d|%d|%d|%d.%02d|%d.%02d|%d-%02d-%02d|%s|carefully final deposits %09d\n", i,
                          int(next() % 200000), int(next() % 10000), int(next() % 7), int(next() % 50), int(next() % 90000),
                          int(next() % 100), int(next() % 10), int(next() % 100), 1992 + int(next() % 7), 1 + int(next() % 12),
                          1 + int(next() % 28), next() % 2 ? "TRUCK" : "AIR", int(next() % 1000000000));
    out.append(line, static_cast<size_t>(n));
  }
  return out;
}

class BenchWorld {
 public:
  BenchWorld() {
    world.object("in/lineitem.tbl") = line_items();
    bytes = world.object("in/lineitem.tbl").size();
    fresh();
  }
  void fresh() {
    world.table({{"a", sql::TypeKind::kBigint},
                 {"b", sql::TypeKind::kInteger},
                 {"c", sql::TypeKind::kInteger},
                 {"d", sql::TypeKind::kInteger},
                 {"e", sql::TypeKind::kInteger},
                 {"f", sql::Type::decimal(15, 2)},
                 {"g", sql::Type::decimal(15, 2)},
                 {"h", sql::TypeKind::kDate},
                 {"i", sql::Type::character(10)},
                 {"j", sql::Type::varchar(44)}});
  }
  World world;
  size_t bytes = 0;
  static BenchWorld& shared() {
    static BenchWorld world;
    return world;
  }
};

void copy_delimited(benchmark::State& state) {
  auto& b = BenchWorld::shared();
  for (auto _ : state) {
    state.PauseTiming();
    b.fresh();
    state.ResumeTiming();
    auto done = b.world.copy("in/");
    if (!done || done->failure || done->rows != kRows) return state.SkipWithError("the load failed");
  }
  state.SetBytesProcessed(int64_t(state.iterations()) * int64_t(b.bytes));
}
BENCHMARK(copy_delimited)->Unit(benchmark::kMillisecond)->Iterations(5)->MeasureProcessCPUTime()->UseRealTime();

void unload_as(benchmark::State& state, const std::string& words) {
  auto& b = BenchWorld::shared();
  if (b.world.rows().empty()) b.fresh(), static_cast<void>(b.world.copy("in/"));
  for (auto _ : state) {
    auto done = b.world.unload("out/", words + " allowoverwrite", false);
    if (!done || done->rows != kRows) return state.SkipWithError("the unload failed");
  }
  state.SetBytesProcessed(int64_t(state.iterations()) * int64_t(b.bytes));
}
void unload_delimited(benchmark::State& state) { unload_as(state, ""); }
void unload_csv(benchmark::State& state) { unload_as(state, "csv"); }
void unload_parquet_files(benchmark::State& state) { unload_as(state, "parquet"); }
BENCHMARK(unload_delimited)->Unit(benchmark::kMillisecond)->Iterations(5)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(unload_csv)->Unit(benchmark::kMillisecond)->Iterations(5)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(unload_parquet_files)->Unit(benchmark::kMillisecond)->Iterations(5)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace redoubt::warehouse::transfer
