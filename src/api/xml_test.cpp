#include "api/xml.h"

#include <gtest/gtest.h>

namespace redoubt::api {
namespace {

TEST(Xml, Reads) {
  auto x = parse_xml(
      "<?xml version=\"1.0\"?>\n<a:Tag xmlns:a=\"u\" a:type=\"T\">\n <Key>a&amp;&lt;b&#x20;</Key><Value> </Value><!-- c "
      "--><E/><K><![CDATA[<x>]]>y</K></a:Tag>");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->name, "Tag");
  EXPECT_EQ(x->attribute("type"), "T");
  EXPECT_EQ(x->attributes.size(), 1u);
  EXPECT_EQ(x->child("Key")->text, "a&<b ");
  EXPECT_EQ(x->child("Value")->text, " ");
  EXPECT_EQ(x->child("K")->text, "<x>y");
  EXPECT_EQ(x->text, "");
}

TEST(Xml, RefusesWhatCouldHurt) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (int i = 0; i < 100; ++i) deep += "</a>";
  for (std::string text :
       {std::string(""), std::string("x"), std::string("<a>"), std::string("<a></b>"), std::string("<a/><b/>"), deep,
        std::string("<a>\xFF</a>"), std::string("<a>\x03</a>"), std::string("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>"),
        std::string("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), std::string("<a/>\0<b/>", 9)})
    EXPECT_FALSE(parse_xml(text)) << text;
}

TEST(Xml, WriterAndReaderAgree) {
  XmlWriter w;
  w.open("A", "urn:x&y");
  w.element("B", "<&>'\"\r\n\xC3\xBC");
  w.close();
  auto x = parse_xml(std::move(w).take());
  ASSERT_TRUE(x);
  EXPECT_EQ(x->child("B")->text, "<&>'\"\r\n\xC3\xBC");
}

}  // namespace
}  // namespace redoubt::api
