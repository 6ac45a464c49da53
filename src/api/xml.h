#pragma once
/// Small XML: a writer and a reader for what AWS's protocols carry. Elements, attributes, text; namespace prefixes are dropped
/// when reading. No DTD, no entities beyond XML's five and character references, bounded depth and size.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace redoubt::api {

struct XmlElement {
  std::string name;                                             // local name
  std::vector<std::pair<std::string, std::string>> attributes;  // local names, without namespace declarations
  std::vector<XmlElement> children;
  std::string text;  // of this element alone; blanks between child elements are dropped

  const XmlElement* child(std::string_view child_name) const;
  std::string_view attribute(std::string_view attribute_name) const;  // "" when absent
};

/// The root element. Errors: kMalformedXml (not well-formed, not UTF-8, a DOCTYPE, deeper than 64, more than 200,000 elements).
Result<XmlElement> parse_xml(std::string_view text);

class XmlWriter {
 public:
  explicit XmlWriter(bool declaration = true);
  void open(std::string_view name, std::string_view xml_namespace = {});
  /// `attributes`: raw text that follows the name, already escaped: ` xmlns:xsi="…"`.
  void open_raw(std::string_view name, std::string_view attributes);
  void close();
  void text(std::string_view value);  // escaped
  void element(std::string_view name, std::string_view value);
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace redoubt::api
