#include "access/compact.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace redoubt::access {
namespace {

RC_GTEST_PROP(Compact, WhatGoesInComesOut, (const std::string& text)) {
  auto back = expand(compact(text));
  RC_ASSERT(back);
  RC_ASSERT(*back == text);
}

RC_GTEST_PROP(Compact, DamageIsNoticedOrHarmless, (const std::string& noise)) { (void)expand(noise); }

TEST(Compact, ARecordShrinks) {
  std::string record =
      R"({"id":"7d0c7f0e-4d0f-4f38-9d6f-0d9b8a8a4a11","request":"3af2e983-e315-43ff-ac49-366d26847c4e","name":"GetObject","source":"s3.amazonaws.com","user":"team1","key":"AKIAIOSFODNN7EXAMPLE","resource":"arn:aws:s3:::team1-data/in/file.txt","time":1764000000000000,"read":true,"data":true,"record":{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::111122223333:user/team1","accountId":"111122223333"}}})";
  EXPECT_LT(compact(record).size(), record.size() / 2);
}

TEST(Compact, WhatItDidNotMakeIsRefused) {
  for (std::string_view text : {"", "\1", "\1garbage", "\2x"}) EXPECT_FALSE(expand(text)) << text;
}

}  // namespace
}  // namespace redoubt::access
