#include "objects/conditional.h"

#include <gtest/gtest.h>

namespace redoubt::objects {
namespace {

const Timestamp kModified = Timestamp::from_seconds(1000000), kNow = Timestamp::from_seconds(2000000);

struct Case {
  const char* because;
  Conditions conditions;
  const char* read;         // "" or the error code
  const char* copy_source;  // the same for a copy
};

TEST(Conditional, AsTheGuideTablesThem) {
  auto before = Timestamp::from_seconds(999999), after = Timestamp::from_seconds(1000001),
       future = Timestamp::from_seconds(3000000);
  const Case cases[] = {
      {"no condition", {}, "", ""},
      {"If-Match holds", {.if_match = "\"e\""}, "", ""},
      {"without quotes", {.if_match = "e"}, "", ""},
      {"any", {.if_match = "*"}, "", ""},
      {"one of a list", {.if_match = "\"x\", \"e\""}, "", ""},
      {"If-Match differs", {.if_match = "\"x\""}, "PreconditionFailed", "PreconditionFailed"},
      {"If-None-Match holds", {.if_none_match = "\"x\""}, "", ""},
      {"If-None-Match differs", {.if_none_match = "\"e\""}, "NotModified", "PreconditionFailed"},
      {"weak comparison", {.if_none_match = "W/\"e\""}, "NotModified", "PreconditionFailed"},
      {"modified since", {.if_modified_since = before}, "", ""},
      {"not modified since", {.if_modified_since = after}, "NotModified", "PreconditionFailed"},
      {"not modified since that very second", {.if_modified_since = kModified}, "NotModified", "PreconditionFailed"},
      {"a date in the future says nothing", {.if_modified_since = future}, "", ""},
      {"unmodified since", {.if_unmodified_since = after}, "", ""},
      {"unmodified since that very second", {.if_unmodified_since = kModified}, "", ""},
      {"modified meanwhile", {.if_unmodified_since = before}, "PreconditionFailed", "PreconditionFailed"},
      {"If-Match beats If-Unmodified-Since", {.if_match = "e", .if_unmodified_since = before}, "", ""},
      {"If-None-Match beats If-Modified-Since: read", {.if_none_match = "x", .if_modified_since = after}, "", ""},
      {"both say unchanged", {.if_none_match = "e", .if_modified_since = before}, "NotModified", "PreconditionFailed"},
  };
  for (auto& c : cases) {
    auto read = check_read(c.conditions, "e", kModified, kNow);
    EXPECT_EQ(read ? "" : read.error().kind->code, c.read) << c.because;
    auto copy = check_copy_source(c.conditions, "e", kModified, kNow);
    EXPECT_EQ(copy ? "" : copy.error().kind->code, c.copy_source) << c.because;
  }
}

TEST(Conditional, NotModifiedCarriesItsHeaders) {
  auto r = check_read({.if_none_match = "e"}, "e", kModified, kNow);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind->http_status, 304);
  EXPECT_EQ(r.error().get("header:ETag"), "\"e\"");
  EXPECT_EQ(r.error().get("header:Last-Modified"), "Mon, 12 Jan 1970 13:46:40 GMT");
}

TEST(Range, EveryForm) {
  struct {
    const char* header;
    uint64_t size;
    const char* want;  // "whole", "416" or "from+length"
  } cases[] = {
      {"bytes=0-0", 10, "0+1"},    {"bytes=2-5", 10, "2+4"},       {"bytes=2-", 10, "2+8"},
      {"bytes=-3", 10, "7+3"},     {"bytes=-30", 10, "0+10"},      {"bytes=9-9", 10, "9+1"},
      {"bytes=5-100", 10, "5+5"},  {"bytes= 2 - 5 ", 10, "whole"}, {"bytes=0-99999999999999999999999", 10, "0+10"},
      {"bytes=10-", 10, "416"},    {"bytes=10-12", 10, "416"},     {"bytes=99999999999999999999999-", 10, "416"},
      {"bytes=-0", 10, "416"},     {"bytes=0-", 0, "416"},         {"bytes=-5", 0, "416"},
      {"bytes=5-2", 10, "whole"},  {"bytes=-", 10, "whole"},       {"bytes=", 10, "whole"},
      {"bytes=a-b", 10, "whole"},  {"bytes=1-2,4-5", 10, "whole"}, {"bytes=+1-2", 10, "whole"},
      {"bytes=1--2", 10, "whole"}, {"bytes= -1", 10, "whole"},     {"items=0-1", 10, "whole"},
      {"Bytes 0-1", 10, "whole"},
  };
  for (auto& c : cases) {
    auto r = parse_range(std::string(c.header), c.size);
    std::string got = !r           ? std::to_string(r.error().kind->http_status)
                      : r->partial ? std::to_string(r->from) + "+" + std::to_string(r->length)
                                   : "whole";
    EXPECT_EQ(got, c.want) << c.header << " of " << c.size;
    if (r && !r->partial) EXPECT_EQ(r->length, c.size);
  }
  EXPECT_EQ(content_range({2, 4, true}, 10), "bytes 2-5/10");
}

TEST(Range, OfACopyMustLieWithinItsSource) {
  EXPECT_EQ(parse_copy_range("bytes=0-9", 10)->length, 10u);
  EXPECT_EQ(parse_copy_range("bytes=3-4", 10)->from, 3u);
  for (auto* bad :
       {"bytes=0-10", "bytes=5-4", "bytes=5-", "bytes=-5", "0-5", "bytes=a-5", "bytes=0-5x", "bytes=0-99999999999999999999"})
    EXPECT_FALSE(parse_copy_range(bad, 10)) << bad;
}

TEST(Etag, Quotes) {
  EXPECT_EQ(quoted("e"), "\"e\"");
  EXPECT_EQ(unquoted("\"e\""), "e");
  EXPECT_EQ(unquoted("W/\"e\""), "e");
  EXPECT_EQ(unquoted("e"), "e");
  EXPECT_EQ(unquoted("\"e"), "e");
  EXPECT_EQ(unquoted("e\""), "e");
  EXPECT_EQ(unquoted("\""), "");
}

}  // namespace
}  // namespace redoubt::objects
