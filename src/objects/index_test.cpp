#include "objects/index.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <thread>

#include "objects/test_support.h"

namespace redoubt::objects {
namespace {

class IndexTest : public testing::Test {
 public:
  IndexTest() {
    store = *meta::Store::open(folder / "meta.db");
    blobs = *BlobStore::open(*store, clock, folder / "objects");
    index = std::make_unique<Index>(*store, *blobs);
    buckets = std::make_unique<BucketStore>(*store);
  }
  BucketPtr make_bucket(Versioning versioning = Versioning::never) {
    Bucket b{
        .name = "bucket" + std::to_string(++made), .uid = hex(crypto::random_bytes(8)), .account = kAlice, .region = "us-east-1"};
    b.versioning = versioning;
    return *buckets->add(std::move(b));
  }
  void set_versioning(BucketPtr& b, Versioning v) {
    b = *buckets->update(*b, [&](Bucket& x) -> Result<void> {
      x.versioning = v;
      return {};
    });
  }
  ObjectVersion version(const std::string& key, const std::string& body = "") {
    ObjectVersion v{.key = key, .size = body.size(), .etag = hex(crypto::md5(body))};
    auto w = blobs->writer(data_key);
    EXPECT_TRUE(w.write(body));
    v.pieces = {{.blob = *w.finish()}};
    return v;
  }
  Result<std::string> put(const Bucket& b, const std::string& key, const std::string& body = "", WriteCondition c = {}) {
    auto v = version(key, body);
    TRY_VOID(index->put(b, v, clock.now(), c));
    return v.version_id;
  }
  Result<Index::Removed> remove(const Bucket& b, const std::string& key, std::optional<std::string> id = {}) {
    TRY(auto all, index->remove(b, {{key, id, {}}}, clock.now(), kAlice));
    return all[0];
  }
  std::string body(const Bucket& b, const std::string& key, std::optional<std::string> id = {}) {
    auto found = index->find_readable(b, key, id).value();
    if (!found) return "none";
    if (found->version.delete_marker) return "marker";
    auto source = blobs->open(found->version.pieces[0].blob, data_key, 0, found->version.size, found->pins);
    return source ? Room::read(**source).value_or("broken") : "broken";
  }
  size_t rows(std::string_view collection) { return store->scan_prefix(collection, "").size(); }

  TestFolder folder;
  ManualClock clock;
  std::string data_key = crypto::random_bytes(32);
  int made = 0;
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<Index> index;
  std::unique_ptr<BucketStore> buckets;
};

TEST_F(IndexTest, WithoutVersioningTheLastPutWinsAndTheOldBytesGo) {
  auto b = make_bucket();
  EXPECT_EQ(*put(*b, "k", "one"), "null");
  EXPECT_EQ(*put(*b, "k", std::string(100000, 'x')), "null");
  EXPECT_EQ(*put(*b, "k", "three"), "null");
  EXPECT_EQ(body(*b, "k"), "three");
  EXPECT_EQ(body(*b, "k", "null"), "three");
  EXPECT_EQ(rows("s3.objects"), 1u);
  EXPECT_EQ(rows("s3.inline"), 1u);
  EXPECT_EQ(rows("s3.files"), 0u);
  EXPECT_FALSE(remove(*b, "k")->marker_made);
  EXPECT_EQ(body(*b, "k"), "none");
  EXPECT_EQ(rows("s3.inline"), 0u);
  EXPECT_TRUE(remove(*b, "k"));  // again: nothing to do is fine
}

TEST_F(IndexTest, VersioningThroughAllItsStates) {
  auto b = make_bucket();
  put(*b, "k", "before");
  set_versioning(b, Versioning::enabled);
  auto v1 = *put(*b, "k", "one"), v2 = *put(*b, "k", "two");
  EXPECT_TRUE(is_version_id(v1));
  EXPECT_NE(v1, v2);
  EXPECT_EQ(body(*b, "k"), "two");
  EXPECT_EQ(body(*b, "k", v1), "one");
  EXPECT_EQ(body(*b, "k", "null"), "before");
  set_versioning(b, Versioning::suspended);
  EXPECT_EQ(*put(*b, "k", "null again"), "null");
  EXPECT_EQ(body(*b, "k"), "null again");
  EXPECT_EQ(body(*b, "k", "null"), "null again");  // "before" is gone: there is one null version
  EXPECT_EQ(rows("s3.objects"), 3u);
  auto gone = *remove(*b, "k");  // a null delete marker takes the null version's place
  EXPECT_TRUE(gone.marker_made);
  EXPECT_EQ(gone.version_id, "null");
  EXPECT_EQ(rows("s3.objects"), 3u);
  EXPECT_EQ(body(*b, "k"), "marker");
  set_versioning(b, Versioning::enabled);
  auto marker = *remove(*b, "k");
  EXPECT_TRUE(marker.marker_made);
  EXPECT_NE(marker.version_id, "null");
  EXPECT_TRUE(remove(*b, "k", marker.version_id)->was_marker);
  EXPECT_EQ(body(*b, "k"), "marker");  // the null one
  EXPECT_TRUE(remove(*b, "k", "null")->was_marker);
  EXPECT_EQ(body(*b, "k"), "two");
  EXPECT_FALSE(remove(*b, "k", v2)->was_marker);
  EXPECT_EQ(body(*b, "k"), "one");
  EXPECT_TRUE(remove(*b, "k", "null"));  // what isn't there
  remove(*b, "k", v1);
  EXPECT_EQ(rows("s3.objects"), 0u);
  EXPECT_EQ(rows("s3.nulls"), 0u);
  EXPECT_EQ(rows("s3.inline"), 0u);
}

TEST_F(IndexTest, TheNewestVersionIsTheNewestAlsoWhenTheClockGoesBack) {
  auto b = make_bucket(Versioning::enabled);
  put(*b, "k", "one");
  clock.advance_seconds(-3600);
  put(*b, "k", "two");
  put(*b, "k", "three");
  EXPECT_EQ(body(*b, "k"), "three");
  set_versioning(b, Versioning::suspended);
  put(*b, "k", "four");
  EXPECT_EQ(body(*b, "k"), "four");
}

TEST_F(IndexTest, VersionIdsOfOtherKeysFindNothing) {
  auto b = make_bucket(Versioning::enabled);
  auto id = *put(*b, "k", "one");
  put(*b, "other", "two");
  EXPECT_EQ(body(*b, "other", id), "none");
  auto forged = id;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';  // the right age, other random bytes
  EXPECT_EQ(body(*b, "k", forged), "none");
  EXPECT_TRUE(remove(*b, "k", forged));
  EXPECT_EQ(body(*b, "k", id), "one");
}

TEST_F(IndexTest, Conditions) {
  auto b = make_bucket();
  auto code = [](const Result<std::string>& r) { return r ? "ok" : std::string(r.error().kind->code); };
  EXPECT_EQ(code(put(*b, "k", "x", {.if_match = "*"})), "NoSuchKey");
  EXPECT_EQ(code(put(*b, "k", "one", {.if_none_match = true})), "ok");
  EXPECT_EQ(code(put(*b, "k", "x", {.if_none_match = true})), "PreconditionFailed");
  EXPECT_EQ(code(put(*b, "k", "x", {.if_match = "other"})), "PreconditionFailed");
  EXPECT_EQ(code(put(*b, "k", "two", {.if_match = hex(crypto::md5("one"))})), "ok");
  EXPECT_EQ(body(*b, "k"), "two");
  EXPECT_EQ(rows("s3.inline"), 1u);
  set_versioning(b, Versioning::enabled);
  remove(*b, "k");
  EXPECT_EQ(code(put(*b, "k", "x", {.if_match = "*"})), "NoSuchKey");  // a delete marker is no object
  EXPECT_EQ(code(put(*b, "k", "three", {.if_none_match = true})), "ok");
}

TEST_F(IndexTest, ARefusedPutLeavesNoFile) {
  auto b = make_bucket();
  put(*b, "k", "one");
  EXPECT_FALSE(put(*b, "k", std::string(100000, 'x'), {.if_none_match = true}));
  size_t files = 0;
  for (auto& f : std::filesystem::recursive_directory_iterator(folder / "objects")) files += f.is_regular_file();
  EXPECT_EQ(files, 0u);
}

TEST_F(IndexTest, WritesToABucketThatWasMadeAnewFail) {
  auto old = make_bucket();
  put(*old, "k", "one");
  remove(*old, "k");
  std::vector<Blob> discarded;
  ASSERT_TRUE(buckets->remove(*old, [&](meta::Txn& t) { return index->check_empty(t, *old, discarded); }));
  Bucket again{.name = old->name, .uid = "another", .account = kMallory, .region = "us-east-1"};
  ASSERT_TRUE(buckets->add(again));
  auto code = [](auto&& r) { return r ? "ok" : std::string(r.error().kind->code); };
  EXPECT_EQ(code(put(*old, "k", "two")), "NoSuchBucket");
  EXPECT_EQ(code(index->remove(*old, {{"k", {}, {}}}, clock.now(), kAlice)), "NoSuchBucket");
  EXPECT_EQ(code(index->start_upload(*old, {.bucket_uid = old->uid, .key = "k", .id = "u"})), "NoSuchBucket");
  EXPECT_EQ(code(buckets->update(*old, [](Bucket&) -> Result<void> { return {}; })), "NoSuchBucket");
  EXPECT_EQ(code(buckets->remove(*old, [](meta::Txn&) -> Result<void> { return {}; })), "NoSuchBucket");
  EXPECT_NE(buckets->find(old->name), nullptr);
}

TEST_F(IndexTest, ABucketWithVersionsIsNotEmpty) {
  auto b = make_bucket(Versioning::enabled);
  remove(*b, "k");  // a delete marker
  std::vector<Blob> discarded;
  auto gone = buckets->remove(*b, [&](meta::Txn& t) { return index->check_empty(t, *b, discarded); });
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "The bucket you tried to delete is not empty. You must delete all versions in the bucket.");
}

TEST_F(IndexTest, ChangingWhatWasReplacedMeanwhileFails) {
  auto b = make_bucket();
  put(*b, "k", "one");
  auto old = **index->find(*b, "k", {});
  clock.advance_seconds(1);
  put(*b, "k", "two");
  EXPECT_FALSE(index->change(*b, old, [](ObjectVersion& v) { v.meta.tags["team"] = "red"; }));
  EXPECT_TRUE((*index->find(*b, "k", {}))->meta.tags.empty());
}

TEST_F(IndexTest, AReaderKeepsItsBytesThroughOverwriteAndDeletion) {
  auto b = make_bucket();
  std::string large(300000, 'x');
  put(*b, "k", large);
  auto found = index->find_readable(*b, "k", {}).value();
  ASSERT_TRUE(found);
  put(*b, "k", "small");
  auto source = blobs->open(found->version.pieces[0].blob, data_key, 0, large.size(), found->pins);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_TRUE(Room::read(**source).value() == large);
  auto small = index->find_readable(*b, "k", {}).value();
  remove(*b, "k");
  auto inline_source = blobs->open(small->version.pieces[0].blob, data_key, 0, 5);
  EXPECT_EQ(Room::read(**inline_source).value(), "small");
}

TEST_F(IndexTest, ReadersAndWritersOfOneKeyNeverSeeHalfOfAnything) {
  auto b = make_bucket();
  put(*b, "k", std::string(100000, 'a'));
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (char c : {'b', 'c'})
    threads.emplace_back([&, c] {
      for (int i = 0; i < 40; ++i) put(*b, "k", std::string(i % 2 ? 100000 : 500, c));
      stop = true;
    });
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      while (!stop) {
        auto text = body(*b, "k");
        if ((text.size() != 100000 && text.size() != 500) || text != std::string(text.size(), text[0])) ++wrong;
      }
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(rows("s3.objects"), 1u);
  EXPECT_EQ(rows("s3.files") + rows("s3.inline"), 1u);
}

// ---- multipart

class UploadTest : public IndexTest {
 public:
  UploadRecord start(const BucketPtr& b, const std::string& key = "k") {
    UploadRecord u{.bucket_uid = b->uid, .key = key, .id = "upload" + std::to_string(++made)};
    EXPECT_TRUE(index->start_upload(*b, u));
    return u;
  }
  PartRecord part(const UploadRecord& u, int number, const std::string& body) {
    PartRecord p{.number = number, .etag = hex(crypto::md5(body))};
    auto w = blobs->writer(data_key);
    EXPECT_TRUE(w.write(body));
    p.blob = *w.finish();
    EXPECT_TRUE(index->put_part(u, p));
    return p;
  }
  Result<void> complete(const BucketPtr& b, const UploadRecord& u, const std::vector<PartRecord>& parts) {
    ObjectVersion v{.key = u.key, .etag = "e-" + std::to_string(parts.size()), .piece_count = parts.size()};
    for (auto& p : parts) {
      v.pieces.push_back({p.number, "", p.blob});
      v.size += p.blob.size;
    }
    return index->complete(*b, v, clock.now(), {}, u);
  }
  size_t files() {
    size_t n = 0;
    for (auto& f : std::filesystem::recursive_directory_iterator(folder / "objects")) n += f.is_regular_file();
    return n;
  }
};

TEST_F(UploadTest, PartsBecomeAnObjectAndTheRestGoes) {
  auto b = make_bucket();
  auto u = start(b);
  std::string large(100000, 'x');
  auto first = part(u, 1, large);
  part(u, 2, large);  // not part of the object
  part(u, 7, "old");
  auto last = part(u, 7, "tail");
  EXPECT_EQ(files(), 2u);
  ASSERT_TRUE(complete(b, u, {first, last}));
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(rows("s3.parts") + rows("s3.uploads"), 0u);
  EXPECT_EQ(rows("s3.inline"), 1u);
  auto v = index->find_readable(*b, "k", {}).value()->version;
  ASSERT_EQ(v.pieces.size(), 2u);
  EXPECT_EQ(v.pieces[1].number, 7);
  EXPECT_EQ(v.size, large.size() + 4);
  EXPECT_TRUE((*index->find(*b, "k", {}))->pieces.empty());  // a listing doesn't load them
  remove(*b, "k");
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(rows("s3.manifests") + rows("s3.inline") + rows("s3.files"), 0u);
}

TEST_F(UploadTest, APartUploadedAnewMeanwhileIsNotLost) {
  auto b = make_bucket();
  auto u = start(b);
  auto old = part(u, 1, std::string(100000, 'x'));
  part(u, 1, std::string(100000, 'y'));
  auto done = complete(b, u, {old});  // decided on what is gone
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind->code, "InvalidPart");
  EXPECT_EQ(index->parts(u)->size(), 1u);
  EXPECT_TRUE(index->find_upload(*b, "k", u.id).value());
}

TEST_F(UploadTest, AnUploadEndsOnce) {
  auto b = make_bucket();
  auto u = start(b);
  auto p = part(u, 1, "bytes");
  ASSERT_TRUE(complete(b, u, {p}));
  auto code = [](const Result<void>& r) { return r ? "ok" : std::string(r.error().kind->code); };
  EXPECT_EQ(code(complete(b, u, {p})), "NoSuchUpload");
  EXPECT_EQ(code(index->abort_upload(u)), "NoSuchUpload");
  auto v = start(b, "other");
  part(v, 1, std::string(100000, 'x'));
  EXPECT_EQ(code(index->abort_upload(v)), "ok");
  EXPECT_EQ(code(index->abort_upload(v)), "NoSuchUpload");
  EXPECT_EQ(files(), 0u);
  auto w = blobs->writer(data_key);
  ASSERT_TRUE(w.write(std::string(100000, 'x')));
  EXPECT_EQ(code(index->put_part(v, {.number = 1, .blob = *w.finish()})), "NoSuchUpload");
  EXPECT_EQ(files(), 0u);
}

TEST_F(UploadTest, UploadsAreNoContentsButGoWithTheirBucket) {
  auto b = make_bucket();
  auto u = start(b);
  part(u, 1, std::string(100000, 'x'));
  std::vector<Blob> discarded;
  ASSERT_TRUE(buckets->remove(*b, [&](meta::Txn& t) { return index->check_empty(t, *b, discarded); }));
  index->collect(discarded);
  EXPECT_EQ(files() + rows("s3.parts") + rows("s3.uploads") + rows("s3.files"), 0u);
}

// ---- listings against a model that does the obvious

/// Every version of every key, newest first.
using Model = std::map<std::string, std::vector<std::pair<std::string, bool>>>;  // key -> (version id, delete marker)

struct Shown {
  std::string text;  // "k key version", "p prefix"
  bool operator==(const Shown&) const = default;
};
std::ostream& operator<<(std::ostream& os, const Shown& s) { return os << s.text; }

/// All that a listing shows, from the first page to the last.
std::vector<Shown> obvious(const Model& model, const std::string& prefix, const std::string& delimiter, bool versions) {
  std::vector<Shown> out;
  std::set<std::string> seen;
  for (auto& [key, all] : model) {
    if (!key.starts_with(prefix)) continue;
    auto cut = delimiter.empty() ? key.npos : key.find(delimiter, prefix.size());
    bool first = true;
    for (auto& [id, marker] : all) {
      bool latest = std::exchange(first, false);
      if (!versions && (!latest || marker)) continue;
      if (cut != key.npos) {
        auto p = key.substr(0, cut + delimiter.size());
        if (seen.insert(p).second) out.push_back({"p " + p});
      } else {
        out.push_back({"k " + key + " " + id + (marker ? " marker" : "") + (versions && latest ? " latest" : "")});
      }
    }
  }
  return out;
}

TEST_F(IndexTest, ListingsPageThroughExactlyWhatIsThere) {
  rc::check([&] {
    auto b = make_bucket();
    Model model;
    // Few names that share much, with bytes that sort in every direction.
    auto a_key =
        rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
                         "a", "b", "/", "//", "a/", "-", "\x01", "\x7f", "\xc3\xa9", "\xf0\x9f\x98\x80", std::string("\0", 1)})),
                     [](std::vector<std::string> parts) {
                       parts.resize(std::min<size_t>(parts.size(), 4));
                       auto k = join(parts, "");
                       return k.empty() ? std::string("a") : k;
                     });
    auto keys = *rc::gen::container<std::vector<std::string>>(a_key);
    keys.resize(std::min<size_t>(keys.size(), 12));
    for (auto& key : keys) {
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          set_versioning(b, Versioning::enabled);
          break;
        case 1:
          if (b->versioning != Versioning::never) set_versioning(b, Versioning::suspended);
          break;
        default:
          break;
      }
      auto& all = model[key];
      auto drop_null = [&] { std::erase_if(all, [](auto& v) { return v.first == "null"; }); };
      int action = *rc::gen::inRange(0, 6);
      if (action < 4) {
        auto id = *put(*b, key, "x");
        if (id == "null") drop_null();
        all.insert(all.begin(), {id, false});
      } else if (action == 4) {
        auto gone = *remove(*b, key);
        if (!gone.marker_made || gone.version_id == "null") drop_null();
        if (gone.marker_made) all.insert(all.begin(), {gone.version_id, true});
      } else if (!all.empty()) {
        auto id = all[*rc::gen::inRange<size_t>(0, all.size())].first;
        remove(*b, key, id);
        std::erase_if(all, [&](auto& v) { return v.first == id; });
      }
      if (all.empty()) model.erase(key);
    }
    for (auto& prefix : {std::string(""), std::string("a"), std::string("a/"), std::string("/"), std::string("\xc3\xa9")})
      for (auto& delimiter : {std::string(""), std::string("/"), std::string("//"), std::string("b")})
        for (bool versions : {false, true}) {
          auto want = obvious(model, prefix, delimiter, versions);
          size_t page = *rc::gen::inRange<size_t>(1, 6);
          std::vector<Shown> got;
          ListOptions o{.prefix = prefix, .delimiter = delimiter, .max = page, .versions = versions};
          for (size_t pages = 0;; ++pages) {
            RC_ASSERT(pages <= want.size());
            auto r = index->list(*b, o);
            RC_ASSERT(r.has_value());
            for (auto& e : r->entries) {
              o.after = e.is_prefix ? e.prefix : e.object.key;
              o.after_version = e.is_prefix || !versions ? "" : e.object.version_id;
              got.push_back({e.is_prefix
                                 ? "p " + e.prefix
                                 : "k " + e.object.key + " " + e.object.version_id + (e.object.delete_marker ? " marker" : "") +
                                       (versions && e.latest ? " latest" : "")});
            }
            RC_ASSERT(!r->truncated || r->entries.size() == page);
            if (!r->truncated) break;
          }
          RC_ASSERT(got == want);
        }
  });
}

TEST_F(IndexTest, StartAfterWithinACommonPrefixPassesOverAllOfIt) {
  auto b = make_bucket();
  for (auto* k : {"a/1", "a/2", "b/1", "c"}) put(*b, k);
  auto r = *index->list(*b, {.delimiter = "/", .after = "a/1"});
  ASSERT_EQ(r.entries.size(), 2u);
  EXPECT_EQ(r.entries[0].prefix, "b/");
  EXPECT_EQ(r.entries[1].object.key, "c");
  // A key between two keys need not exist.
  EXPECT_EQ((*index->list(*b, {.after = "a/1x"})).entries.size(), 3u);
  EXPECT_TRUE((*index->list(*b, {.max = 0})).entries.empty());
}

TEST_F(IndexTest, ALongHistoryOfOneKeyIsPassedOver) {
  auto b = make_bucket(Versioning::enabled);
  for (int i = 0; i < 60; ++i) put(*b, "k", std::to_string(i));
  put(*b, "l", "x");
  auto r = *index->list(*b, {});
  ASSERT_EQ(r.entries.size(), 2u);
  EXPECT_EQ(r.entries[1].object.key, "l");
  EXPECT_EQ((*index->list(*b, {.versions = true})).entries.size(), 61u);
}

TEST_F(UploadTest, UploadListingsPageByKeyAndAge) {
  auto b = make_bucket();
  for (auto* k : {"a/1", "a/2", "b", "b", "b", "c"}) start(b, k);
  std::vector<std::string> seen;
  UploadListOptions o{.delimiter = "/", .max = 2};
  for (;;) {
    auto r = *index->uploads(*b, o);
    for (auto& e : r.entries) {
      seen.push_back(e.is_prefix ? e.prefix : e.upload.key + " " + e.upload.id);
      o.after = e.is_prefix ? e.prefix : e.upload.key;
      o.after_id = e.upload.id;
    }
    if (!r.truncated) break;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a/", "b upload4", "b upload5", "b upload6", "c upload7"}));
}

TEST(VersionIds, HaveOneShape) {
  EXPECT_TRUE(is_version_id("null"));
  EXPECT_TRUE(is_version_id(std::string(32, 'A')));
  for (auto* bad :
       {"", "x", "Null", "../../../../etc/passwd", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAA AAAAAAAAAAAAAAA"})
    EXPECT_FALSE(is_version_id(bad)) << bad;
}

}  // namespace
}  // namespace redoubt::objects
