#include "objects/blobs.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/crypto.h"
#include "objects/test_support.h"

namespace redoubt::objects {
namespace {

namespace fs = std::filesystem;

/// A store and a blob folder of a test's own.
class BlobsTest : public testing::Test {
 public:
  BlobsTest() {
    store = *meta::Store::open((dir / "meta.db").string());
    open();
  }
  ~BlobsTest() override {
    blobs.reset();
    store.reset();
  }
  void open() { blobs = *BlobStore::open(*store, clock, (dir / "objects").string()); }
  Blob put(const std::string& bytes, size_t piece = 100000, bool adopted = true) {
    auto w = blobs->writer(key);
    for (size_t at = 0; at < bytes.size(); at += piece) EXPECT_TRUE(w.write(std::string_view(bytes).substr(at, piece)));
    auto blob = w.finish();
    EXPECT_TRUE(blob) << blob.error().message;
    if (adopted) adopt(*blob);
    return *blob;
  }
  void adopt(const Blob& blob) {
    EXPECT_TRUE(store->transact([&](meta::Txn& t) -> Result<void> {
      BlobStore::adopt(t, blob);
      return {};
    }));
  }
  void discard(const Blob& blob) {
    EXPECT_TRUE(store->transact([&](meta::Txn& t) -> Result<void> {
      BlobStore::discard(t, blob);
      return {};
    }));
    blobs->collect({blob});
  }
  Result<std::string> get(Blob blob, uint64_t offset, uint64_t length, size_t piece = 70000) {
    store->read([&](meta::Reader& r) { EXPECT_TRUE(BlobStore::load(r, blob)); });
    TRY(auto source, blobs->open(blob, key, offset, length));
    std::string out;
    for (size_t before = 1; before != out.size() || before == 1;) {
      before = out.size();
      TRY_VOID(source->read(out, piece));
      if (out.size() == before) break;
    }
    return out;
  }
  std::vector<fs::path> files() {
    std::vector<fs::path> out;
    for (auto& f : fs::recursive_directory_iterator(dir / "objects"))
      if (f.is_regular_file()) out.push_back(f.path());
    return out;
  }

  TestFolder folder;
  fs::path dir = folder / "";
  ManualClock clock;
  std::string key = crypto::random_bytes(32);
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<BlobStore> blobs;
};

std::string text_of(size_t size) {
  std::string out(size, '\0');
  uint32_t x = 12345;
  for (auto& c : out) c = char((x = x * 1664525 + 1013904223) >> 24);
  return out;
}

TEST_F(BlobsTest, SizesAroundAFrameReadBack) {
  for (size_t size :
       {size_t(0), size_t(1), kFrame - 1, kFrame, kFrame + 1, 2 * kFrame - 1, 2 * kFrame, 2 * kFrame + 1, 5 * kFrame}) {
    auto bytes = text_of(size);
    for (size_t piece : {size_t(7919), kFrame - 1, kFrame, kFrame + 1, size_t(1) << 20}) {
      auto blob = put(bytes, piece);
      EXPECT_EQ(blob.size, size);
      EXPECT_EQ(blob.in_file, size > kInlineMax);
      auto back = get(blob, 0, size);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_TRUE(*back == bytes) << size << " in pieces of " << piece;
    }
  }
}

TEST_F(BlobsTest, EveryRangeIsTheSubstring) {
  rc::check([&] {
    auto size = *rc::gen::inRange<size_t>(1, 4 * kFrame);
    auto offset = *rc::gen::inRange<size_t>(0, size);
    auto length = *rc::gen::inRange<size_t>(0, size - offset + 1);
    auto piece = *rc::gen::inRange<size_t>(1, 2 * kFrame);
    auto bytes = text_of(size);
    auto back = get(put(bytes), offset, length, piece);
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == bytes.substr(offset, length));
  });
}

TEST_F(BlobsTest, NothingReadableIsOnTheDisk) {
  std::string secret(3 * kFrame, 's');
  put(secret);
  put("a small secret");
  for (auto& f : fs::recursive_directory_iterator(dir)) {
    if (!f.is_regular_file()) continue;
    std::ifstream in(f.path(), std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(all.find("ssssssss"), all.npos) << f.path();
    EXPECT_EQ(all.find("a small secret"), all.npos) << f.path();
  }
}

TEST_F(BlobsTest, ChangedCutAndSwappedFramesAreNoticed) {
  auto bytes = text_of(3 * kFrame);
  const size_t sealed = kFrame + 16;
  struct Damage {
    const char* name;
    std::function<void(std::string&)> done;
  };
  std::vector<Damage> damages = {
      {"a bit", [&](std::string& f) { f[sealed + 5] ^= 1; }},
      {"a tag", [&](std::string& f) { f[2 * sealed - 1] ^= 1; }},
      {"the last frame gone", [&](std::string& f) { f.resize(2 * sealed); }},
      {"half a frame gone", [&](std::string& f) { f.resize(2 * sealed + 100); }},
      {"frames swapped",
       [&](std::string& f) { std::swap_ranges(f.begin(), f.begin() + long(sealed), f.begin() + long(sealed)); }},
      {"the first frame twice", [&](std::string& f) { std::copy_n(f.begin(), sealed, f.begin() + long(sealed)); }},
  };
  for (auto& damage : damages) {
    auto blob = put(bytes);
    auto path = dir / "objects" / blob.id.substr(0, 2) / blob.id.substr(2);
    std::ifstream in(path, std::ios::binary);
    std::string file((std::istreambuf_iterator<char>(in)), {});
    ASSERT_EQ(file.size(), 3 * sealed);
    damage.done(file);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << file;
    EXPECT_FALSE(get(blob, 0, bytes.size())) << damage.name;
  }
}

TEST_F(BlobsTest, ARecordCantClaimFewerFrames) {
  auto blob = put(text_of(3 * kFrame));
  blob.size = 2 * kFrame;  // the second frame isn't marked as the last one
  EXPECT_FALSE(get(blob, 0, 2 * kFrame));
}

TEST_F(BlobsTest, AnotherKeyOpensNothing) {
  auto blob = put("bytes");
  key = crypto::random_bytes(32);
  EXPECT_FALSE(get(blob, 0, 5));
}

TEST_F(BlobsTest, TwoBlobsUnderOneKeyShareNoNonce) {
  auto a = put("same"), b = put("same");
  EXPECT_NE(a.nonce, b.nonce);
  EXPECT_NE(a.id, b.id);
}

TEST_F(BlobsTest, AnUnfinishedWriterLeavesNothing) {
  {
    auto w = blobs->writer(key);
    ASSERT_TRUE(w.write(text_of(3 * kFrame)));
    EXPECT_EQ(files().size(), 1u);
  }
  EXPECT_TRUE(files().empty());
}

TEST_F(BlobsTest, SweepRemovesWhatACrashLeftAndNothingElse) {
  auto kept = put(text_of(2 * kFrame));
  auto small = put("small");
  put(text_of(2 * kFrame), 100000, false);  // finished, never referred to
  std::ofstream(dir / "objects/tmp/half") << "half a blob";
  EXPECT_EQ(files().size(), 3u);
  open();
  EXPECT_EQ(blobs->sweep(), 2u);
  EXPECT_TRUE(get(kept, 0, kept.size));
  EXPECT_TRUE(get(small, 0, small.size));
  EXPECT_EQ(blobs->sweep(), 0u);
}

TEST_F(BlobsTest, APinnedFileOutlivesItsDeletion) {
  auto bytes = text_of(2 * kFrame);
  auto blob = put(bytes);
  auto pins = blobs->pin({blob.id});
  discard(blob);
  auto source = blobs->open(blob, key, 0, blob.size, pins);
  ASSERT_TRUE(source) << source.error().message;
  pins.reset();
  std::string out;
  ASSERT_TRUE((*source)->read(out, SIZE_MAX));
  EXPECT_TRUE(out == bytes);
  EXPECT_EQ(files().size(), 1u);
  source->reset();  // the last one lets go
  EXPECT_TRUE(files().empty());
}

TEST_F(BlobsTest, AnOpenReaderSurvivesDeletion) {
  auto bytes = text_of(5 * kFrame);
  auto blob = put(bytes);
  auto source = blobs->open(blob, key, 0, blob.size);
  ASSERT_TRUE(source);
  std::string out;
  ASSERT_TRUE((*source)->read(out, 10));
  discard(blob);
  EXPECT_TRUE(files().empty());
  ASSERT_TRUE((*source)->read(out, SIZE_MAX));
  EXPECT_TRUE(out == bytes);
}

/// A disk that refuses to grow: the write fails by an error, and nothing stays behind.
TEST_F(BlobsTest, AFailingDiskLeavesNothingBehind) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100000;
  setrlimit(RLIMIT_FSIZE, &small);
  Result<Blob> blob = Blob{};
  {
    auto w = blobs->writer(key);
    auto written = w.write(text_of(4 * kFrame));
    blob = written ? w.finish() : fail(written.error());
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(blob);
  EXPECT_TRUE(files().empty());
}

}  // namespace
}  // namespace redoubt::objects
