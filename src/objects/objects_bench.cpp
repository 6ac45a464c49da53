/// What a PUT and a GET of a small object cost beside the network and the disk's sync: the Gate, the decision, KMS, the index.
#include <benchmark/benchmark.h>

#include "objects/test_support.h"

namespace redoubt::objects {
namespace {

struct KmsRoom : Room {
  KmsRoom() {
    CHECK(make_bucket("b-1").has_value());
    put_in.Bucket = get_in.Bucket = "b-1";
    put_in.ServerSideEncryption = "aws:kms";
  }
  api::s3::PutObjectRequest put_in;
  api::s3::GetObjectRequest get_in;
  std::string body = std::string(1024, 'x');
};

void put_1k(benchmark::State& state) {
  KmsRoom room;
  int i = 0;
  for (auto _ : state) {
    room.put_in.Key = "k" + std::to_string(i++);
    auto done = room.put(room.alice(), room.put_in, room.body);
    CHECK(done.has_value());
  }
}
BENCHMARK(put_1k)->MeasureProcessCPUTime();

void get_1k(benchmark::State& state) {
  KmsRoom room;
  room.put_in.Key = room.get_in.Key = "k";
  CHECK(room.put(room.alice(), room.put_in, room.body).has_value());
  for (auto _ : state) CHECK(room.get(room.alice(), room.get_in)->size() == 1024);
}
BENCHMARK(get_1k);

void list_1000(benchmark::State& state) {
  KmsRoom room;
  for (int i = 0; i < 1000; ++i) {
    room.put_in.Key = "k" + std::to_string(i);
    CHECK(room.put(room.alice(), room.put_in, "x").has_value());
  }
  for (auto _ : state) CHECK((room.call<api::s3::op::ListObjectsV2>(room.alice(), {.Bucket = "b-1"})->KeyCount == 1000));
}
BENCHMARK(list_1000)->Unit(benchmark::kMillisecond);

/// Bytes a second through encryption and, for 16 MiB, the disk.
void put_bytes(benchmark::State& state) {
  KmsRoom room;
  room.put_in.Key = "k";
  std::string piece(256 << 10, 'x');
  for (auto _ : state) {
    auto upload = room.gate->upload<api::s3::op::PutObject>(room.alice(), room.put_in);
    for (int i = 0; i < 64; ++i) CHECK((*upload)->write(piece).has_value());
    CHECK((*upload)->finish().has_value());
  }
  state.SetBytesProcessed(state.iterations() * 64 * int64_t(piece.size()));
}
BENCHMARK(put_bytes);

void get_bytes(benchmark::State& state) {
  KmsRoom room;
  room.put_in.Key = room.get_in.Key = "k";
  CHECK(room.put(room.alice(), room.put_in, std::string(16 << 20, 'x')).has_value());
  for (auto _ : state) CHECK(room.get(room.alice(), room.get_in)->size() == 16 << 20);
  state.SetBytesProcessed(state.iterations() * (16 << 20));
}
BENCHMARK(get_bytes);

}  // namespace
}  // namespace redoubt::objects
