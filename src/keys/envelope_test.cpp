#include "keys/envelope.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::keys {
namespace {

Key make_key(const std::string& id = "1234abcd-12ab-34cd-56ef-1234567890ab") {
  Key k{.account = "111122223333", .region = "us-east-1", .id = id};
  k.materials.push_back({.id = hex(crypto::random_bytes(32)), .bytes = crypto::random_bytes(32)});
  return k;
}

RC_GTEST_PROP(Envelope, OpensWithItsOwnContextAndNoOther,
              (const std::string& plain, const EncryptionContext& context, const EncryptionContext& other)) {
  auto key = make_key();
  auto blob = encrypt(key, plain, context);
  RC_ASSERT(decrypt(key, blob, context) == plain);
  if (other != context) RC_ASSERT(!decrypt(key, blob, other));
}

RC_GTEST_PROP(Envelope, AnyChangedByteIsNoticed, (const std::string& plain)) {
  auto key = make_key();
  auto blob = encrypt(key, plain, {{"a", "b"}});
  auto at = *rc::gen::inRange<size_t>(0, blob.size());
  blob[at] ^= char(*rc::gen::inRange(1, 256));
  RC_ASSERT(!decrypt(key, blob, {{"a", "b"}}));
}

RC_GTEST_PROP(Envelope, AnyBytesParseToAnAnswer, (const std::string& bytes)) {
  parse_blob(bytes);
  parse_blob("\x01RDK" + bytes);
  RC_ASSERT(!decrypt(make_key(), bytes, {}));
}

TEST(Envelope, PairsCantRunIntoEachOther) {
  auto key = make_key();
  auto blob = encrypt(key, "x", {{"a", "bc"}, {"d", "e"}});
  for (EncryptionContext other : std::vector<EncryptionContext>{{},
                                                                {{"ab", "c"}, {"d", "e"}},
                                                                {{"a", "bcd"}, {"e", ""}},
                                                                {{"a", "bc"}},
                                                                {{"A", "bc"}, {"d", "e"}},
                                                                {{"d", "e"}, {"bc", "a"}}})
    EXPECT_FALSE(decrypt(key, blob, other));
  // A value may be as long as it likes without wrapping its length.
  auto long_blob = encrypt(key, "x", {{"a", std::string(65536, 'v')}});
  EXPECT_FALSE(decrypt(key, long_blob, {{"a", ""}}));
}

TEST(Envelope, AnotherKeyOpensNothing) {
  auto key = make_key(), other = make_key("9876abcd-12ab-34cd-56ef-1234567890ab");
  auto blob = encrypt(key, "secret", {});
  EXPECT_FALSE(decrypt(other, blob, {}));
  other.id = key.id;  // the name alone isn't enough
  EXPECT_FALSE(decrypt(other, blob, {}));
  other.materials = key.materials;
  EXPECT_EQ(decrypt(other, blob, {}), "secret");
  other.account = "444455556666";
  EXPECT_FALSE(decrypt(other, blob, {}));
}

TEST(Envelope, OldMaterialOpensWhatItSealed) {
  auto key = make_key();
  auto before = encrypt(key, "old", {});
  key.materials.push_back({.id = hex(crypto::random_bytes(32)), .bytes = crypto::random_bytes(32)});
  auto after = encrypt(key, "new", {});
  EXPECT_EQ(decrypt(key, before, {}), "old");
  EXPECT_EQ(decrypt(key, after, {}), "new");
  EXPECT_NE(parse_blob(before)->material_id, parse_blob(after)->material_id);
  key.materials.pop_back();
  EXPECT_FALSE(decrypt(key, after, {}));
}

TEST(Envelope, AHeaderIsPlainText) {
  auto header = parse_blob(encrypt(make_key(), "x", {}));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->account, "111122223333");
  EXPECT_EQ(header->region, "us-east-1");
  // What somebody else wrote must not reach messages and logs.
  auto put = [](std::string_view part) {
    return std::string(1, char(part.size() >> 8)) + char(part.size() & 255) + std::string(part);
  };
  for (auto* region : {"us\neast", "", "us east", "\"", "\xff"})
    EXPECT_FALSE(parse_blob("\x01RDK" + put("111122223333") + put(region) + put("key") + put("material"))) << region;
  EXPECT_FALSE(parse_blob("\x01RDK" + put("1111") + put("us-east-1") + put("key") + put("material")));
  EXPECT_TRUE(parse_blob("\x01RDK" + put("111122223333") + put("us-east-1") + put("key") + put("material")));
}

TEST(Envelope, TheSamePlaintextNeverLooksTheSame) {
  auto key = make_key();
  EXPECT_NE(encrypt(key, "x", {}), encrypt(key, "x", {}));
}

}  // namespace
}  // namespace redoubt::keys
