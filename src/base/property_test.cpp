/// Properties over random values and bytes: text forms are inverses of their readers, and no bytes break a reader.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/json.h"
#include "base/text.h"

namespace redoubt {
namespace {

std::string bytes() { return *rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }

Json value(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0:
      return Json();
    case 1:
      return Json(*rc::gen::arbitrary<bool>());
    case 2:
      return Json(*rc::gen::arbitrary<int64_t>());
    case 3:
      return Json::number_text(*rc::gen::element<std::string>("0", "-0", "1.50", "12e-3", "123456789012345678901234567890"));
    case 4: {
      static constexpr std::string_view kPieces[] = {
          "a", "\"", "\\", "/", "\n", "\x01", "\x7F", "\xC3\xBC", "\xF0\x9D\x84\x9E", "\\u0041"};
      std::string text;
      for (int n = *rc::gen::inRange(0, 5); n > 0; --n) text += kPieces[*rc::gen::inRange<size_t>(0, std::size(kPieces))];
      return Json(text);
    }
    case 5: {
      Json array = Json::array();
      for (int n = *rc::gen::inRange(0, 4); n > 0; --n) array.push(value(depth - 1));
      return array;
    }
    default: {
      Json object = Json::object();
      for (int n = *rc::gen::inRange(0, 4); n > 0; --n) object.set(value(0).str() + std::to_string(n), value(depth - 1));
      return object;
    }
  }
}

RC_GTEST_PROP(JsonProperty, WhatIsDumpedIsParsed, ()) {
  Json j = value(5);
  for (int indent : {-1, 0, 2}) {
    auto parsed = Json::parse(j.dump(indent));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == j);
    RC_ASSERT(parsed->dump(indent) == j.dump(indent));
  }
}

RC_GTEST_PROP(JsonProperty, DamagedTextIsReadOrRefusedNeverMore, ()) {
  std::string text = value(4).dump(*rc::gen::element(-1, 1));
  for (int n = *rc::gen::inRange(1, 5); n > 0; --n) {
    size_t at = *rc::gen::inRange<size_t>(0, text.size() + 1);
    char c = *rc::gen::oneOf(rc::gen::element('{', '}', '[', ']', ',', ':', '"', '\\', 'e', '-', '.', '0'),
                             rc::gen::arbitrary<char>());
    if (at < text.size() && *rc::gen::arbitrary<bool>())
      text[at] = c;
    else
      text.insert(at, 1, c);
  }
  auto parsed = Json::parse(text);
  if (!parsed) {
    RC_ASSERT(parsed.error().is(kMalformedJson));
    RC_ASSERT(!parsed.error().message.empty());
    return;
  }
  auto again = Json::parse(parsed->dump());
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == *parsed);
}

RC_GTEST_PROP(TextProperty, EncodingsAreUndone, ()) {
  std::string s = bytes();
  RC_ASSERT(unhex(hex(s)) == s);
  RC_ASSERT(unbase64(base64(s)) == s);
  RC_ASSERT(unbase64url(base64url(s)) == s);
  RC_ASSERT(url_decode(url_encode(s)) == s);
  RC_ASSERT(url_decode(url_encode(s, true), true) == s);
}

RC_GTEST_PROP(TextProperty, OneTextOnlyStandsForBytes, ()) {
  std::string s = bytes();
  if (auto plain = unbase64(s)) RC_ASSERT(base64(*plain) == s);
  if (auto plain = unbase64url(s)) RC_ASSERT(base64url(*plain) == s);
  if (auto plain = unhex(s)) RC_ASSERT(iequals(hex(*plain), s));
}

}  // namespace
}  // namespace redoubt
