#include "stacks/document.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "stacks/errors.h"

namespace redoubt::stacks {
namespace {

std::string parsed(std::string_view text) {
  auto j = parse_document(text);
  return j ? j->dump() : "! " + j.error().message;
}

TEST(Document, YamlScalarsKeepWhatAWriterMeant) {
  EXPECT_EQ(
      parsed("a: 2012-10-17\nb: yes\nc: no\nd: True\ne: false\nf: 12\ng: 0123\nh: 1_000\ni: 1.50\nj: '12'\nk: on\nl: .5\nm: "
             "0x1F\nn: 190:20\n"),
      R"({"a":"2012-10-17","b":"yes","c":"no","d":true,"e":false,"f":12,"g":"0123","h":"1_000","i":1.50,"j":"12","k":"on","l":".5","m":"0x1F","n":"190:20"})");
  EXPECT_EQ(parsed("# a comment\n---\na: 'x '\nb: y   \nc: |\n  l1\n  l2\nd: >-\n  f1\n  f2\n"),
            R"({"a":"x ","b":"y","c":"l1\nl2\n","d":"f1 f2"})");
  EXPECT_EQ(parsed("a: 123456789012345678901234567890\n"), R"({"a":123456789012345678901234567890})");
  EXPECT_EQ(parsed("a:\nb: ~\nc: null\n"), R"({"a":null,"b":null,"c":null})");
  EXPECT_EQ(parsed("a: !!str 12\n"), R"({"a":"12"})");
}

TEST(Document, ShortTagsAreTheLongForms) {
  EXPECT_EQ(parsed("a: !Ref X\n"), R"({"a":{"Ref":"X"}})");
  EXPECT_EQ(parsed("a: !GetAtt X.Y.Z\nb: !GetAtt [X, Y.Z]\n"),
            R"({"a":{"Fn::GetAtt":["X","Y.Z"]},"b":{"Fn::GetAtt":["X","Y.Z"]}})");
  EXPECT_EQ(parsed("a: !Sub arn:aws:s3:::${B}/*\nb: [!Ref X, !Sub 'y']\n"),
            R"({"a":{"Fn::Sub":"arn:aws:s3:::${B}/*"},"b":[{"Ref":"X"},{"Fn::Sub":"y"}]})");
  EXPECT_EQ(parsed("a: !Join ['-', [x, !Select [0, !Split [',', 'p,q']]]]\n"),
            R"({"a":{"Fn::Join":["-",["x",{"Fn::Select":[0,{"Fn::Split":[",","p,q"]}]}]]}})");
  EXPECT_EQ(
      parsed("a: !If [C, !Ref 'AWS::NoValue', 1]\nb: !And\n  - !Condition X\n  - !Not [!Equals [a, b]]\n"),
      R"({"a":{"Fn::If":["C",{"Ref":"AWS::NoValue"},1]},"b":{"Fn::And":[{"Condition":"X"},{"Fn::Not":[{"Fn::Equals":["a","b"]}]}]}})");
  EXPECT_EQ(parsed("a: !Base64 |\n  echo\n"), R"({"a":{"Fn::Base64":"echo\n"}})");
  EXPECT_EQ(parsed("a: !Foo x\n"),
            "! Template format error: the tag !Foo is not a function of CloudFormation (line 1, column 4)");
}

TEST(Document, AnchorsWorkMergeKeysDoNot) {
  EXPECT_EQ(parsed("a: &x {p: 1, q: [2]}\nb: *x\nc: &y !Ref Z\nd: *y\n"),
            R"({"a":{"p":1,"q":[2]},"b":{"p":1,"q":[2]},"c":{"Ref":"Z"},"d":{"Ref":"Z"}})");
  EXPECT_EQ(parsed("a: &x {p: 1}\nb:\n  <<: *x\n"),
            "! Template format error: the YAML merge key << is not supported (line 3, column 3)");
  EXPECT_TRUE(parsed("a: &x [*x]\n").starts_with("! Template format error: an alias refers to the node that contains it"));
}

TEST(Document, ErrorsCarryPositions) {
  EXPECT_EQ(parsed("a: 1\nb: 2\na: 3\n"), "! Template format error: duplicate key \"a\" (line 3, column 1)");
  EXPECT_EQ(parsed("{\"a\": 1, \"a\": 2}"), "! Template format error: duplicate key \"a\" (line 1, column 13)");
  EXPECT_EQ(parsed("{\"a\": }"), "! Template format error: JSON not well-formed. (line 1, column 7)");
  EXPECT_TRUE(parsed("a: [1, 2\nb: 3\n").starts_with("! Template format error: YAML not well-formed. (line "));
  EXPECT_TRUE(parsed("a: b: c\n").starts_with("! Template format error: YAML not well-formed. (line 1"));
  EXPECT_TRUE(parsed("? [a]\n: 1\n").starts_with("! Template format error: a key must be a string"));
  EXPECT_TRUE(parsed("a: 1\n---\nb: 2\n").starts_with("! Template format error: a template is one document"));
  EXPECT_EQ(parsed(" \n\t"), "! Template format error: the template is empty");
  EXPECT_EQ(parsed("\xFF\xFE"), "! Template format error: YAML not well-formed. The text is not valid UTF-8.");
}

TEST(Document, HostileInputIsBounded) {
  std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    std::string p = "*a" + std::to_string(i - 1);
    std::string n = std::to_string(i);
    laughs += "a" + n + ": &a" + n + " [";
    for (int k = 0; k < 9; ++k) laughs += (k ? ", " : "") + p;
    laughs += "]\n";
  }
  EXPECT_TRUE(parsed(laughs).starts_with("! Template format error: the template expands to more than the server reads"))
      << parsed(laughs).substr(0, 200);
  std::string wide = "x: &x " + std::string(60000, 'y') + "\nz: [";
  for (int i = 0; i < 200; ++i) wide += "*x, ";
  EXPECT_TRUE(parsed(wide + "*x]\n").starts_with("! Template format error: the template expands"));
  for (std::string open : {"[", "{a: ", "- ", "{\"a\":", "!Ref ["}) {
    std::string deep;
    for (int i = 0; i < 20000; ++i) deep += open;
    EXPECT_TRUE(parsed(deep).starts_with("! Template format error")) << open;
    EXPECT_TRUE(parsed("x: " + deep).starts_with("! Template format error")) << open;
  }
  EXPECT_TRUE(parsed(std::string(100000, '[') + std::string(100000, ']')).starts_with("! Template format error"));
  EXPECT_TRUE(parsed("{" + std::string(1000, ' ') + "\"a\":" + std::string(150, '[') + std::string(150, ']') + "}")
                  .starts_with("! Template format error: nesting"));
  EXPECT_EQ(parsed("a: 1" + std::string(5000, '0')).size(), 5007u);
  for (std::string_view special : {std::string_view("a\0b: 1", 6), std::string_view("a: \x1B"), std::string_view("a: '\x7F'"),
                                   std::string_view("a: \xC2\x9F"), std::string_view("a: \xEF\xBF\xBF")})
    EXPECT_EQ(parsed(special), "! Template format error: YAML not well-formed. Special characters are not allowed.") << special;
  for (std::string_view latin : {R"(a: "x\Ny")", R"("\_": 1)"})
    EXPECT_TRUE(parsed(latin).starts_with("! Template format error: the escape sequences \\N and \\_ are not supported"))
        << parsed(latin);
  EXPECT_EQ(parsed("a: \xC2\xA0\xC3\xBC x"), "{\"a\":\"\xC2\xA0\xC3\xBC x\"}");
}

TEST(Document, PrintIsTheInverseOfParse) {
  rc::check([] {
    auto text = [] {
      return *rc::gen::container<std::string>(rc::gen::oneOf(
          rc::gen::inRange<char>(32, 126), rc::gen::element('\n', '"', '\\', ':', '#', '\t', '!', '\0', '\x1B', '\x7F')));
    };
    auto build = [&](auto&& self, int depth) -> Json {
      int kind = *rc::gen::inRange(0, depth > 0 ? 7 : 5);
      if (kind == 0) return Json(*rc::gen::arbitrary<bool>());
      if (kind == 1) return Json(*rc::gen::arbitrary<int64_t>());
      if (kind == 2) return Json();
      if (kind < 5) return Json(text());
      Json j = kind == 5 ? Json::array() : Json::object();
      int n = *rc::gen::inRange(0, 4);
      for (int i = 0; i < n; ++i) {
        if (kind == 5)
          j.push(self(self, depth - 1));
        else
          j.set(text() + std::to_string(i), self(self, depth - 1));
      }
      return j;
    };
    Json j = Json::object();
    j.set("top", build(build, 4));
    j.set("next", build(build, 4));
    auto yaml = parse_document(print_yaml(j));
    RC_ASSERT(yaml.has_value());
    RC_ASSERT(*yaml == j);
    auto json = parse_document(j.dump());
    RC_ASSERT(json.has_value());
    RC_ASSERT(*json == j);
  });
}

TEST(Document, NoBytesCrashTheReader) {
  const std::string seed = "A: &a !Sub 'x${B}'\nB: [1, *a, {c: !GetAtt d.e}]\nC:\n  - |\n    t\n  - ? k\n    : v\n";
  rc::check([&] {
    std::string s = seed;
    int edits = *rc::gen::inRange(1, 8);
    for (int i = 0; i < edits; ++i) {
      size_t at = *rc::gen::inRange<size_t>(0, s.size());
      char c = *rc::gen::oneOf(
          rc::gen::element('[', ']', '{', '}', '&', '*', '!', '?', ':', '-', '|', '>', '\n', ' ', '\t', '"', '\'', '%', '@', '#'),
          rc::gen::arbitrary<char>());
      if (*rc::gen::arbitrary<bool>())
        s[at] = c;
      else
        s.insert(at, 1, c);
    }
    auto j = parse_document(s);
    RC_ASSERT((j.has_value() || j.error().is(kValidation)));  // bare, || would not short-circuit
  });
}

}  // namespace
}  // namespace redoubt::stacks
