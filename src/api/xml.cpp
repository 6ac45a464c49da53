#include "api/xml.h"

#include <algorithm>
#include <pugixml.hpp>

#include "api/errors.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

constexpr int kDepthMax = 64;
constexpr size_t kElementsMax = 200000;
constexpr const char* kMalformed = "The XML you provided was not well-formed or did not validate against our published schema";

std::string_view local_name(std::string_view name) {
  auto colon = name.find(':');
  return colon == name.npos ? name : name.substr(colon + 1);
}

bool copy(const pugi::xml_node& node, XmlElement& out, int depth, size_t& elements) {
  if (depth > kDepthMax || ++elements > kElementsMax) return false;
  out.name = local_name(node.name());
  for (auto a : node.attributes()) {
    std::string_view name = a.name();
    if (name == "xmlns" || name.starts_with("xmlns:")) continue;
    out.attributes.emplace_back(std::string(local_name(name)), a.value());
  }
  for (auto c : node.children()) {
    switch (c.type()) {
      case pugi::node_element:
        if (!copy(c, out.children.emplace_back(), depth + 1, elements)) return false;
        break;
      case pugi::node_pcdata:
      case pugi::node_cdata:
        out.text += c.value();
        break;
      default:
        break;
    }
  }
  return true;
}

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
  for (auto& c : children)
    if (c.name == child_name) return &c;
  return nullptr;
}

std::string_view XmlElement::attribute(std::string_view attribute_name) const {
  for (auto& [n, v] : attributes)
    if (n == attribute_name) return v;
  return {};
}

Result<XmlElement> parse_xml(std::string_view text) {
  // pugixml takes control characters, which XML 1.0 forbids; a NUL would even end its strings early and hide what follows.
  auto forbidden = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r'; };
  if (!is_valid_utf8(text) || std::any_of(text.begin(), text.end(), forbidden)) return fail(kMalformedXml, kMalformed);
  pugi::xml_document document;
  unsigned flags = pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol | pugi::parse_wconv_attribute | pugi::parse_doctype |
                   pugi::parse_ws_pcdata_single;
  auto parsed = document.load_buffer(text.data(), text.size(), flags, pugi::encoding_utf8);
  if (!parsed) return fail(kMalformedXml, kMalformed);
  const pugi::xml_node root = document.document_element();
  if (!root) return fail(kMalformedXml, kMalformed);
  for (auto n : document.children())
    if (n.type() == pugi::node_doctype || (n.type() == pugi::node_element && n != root)) return fail(kMalformedXml, kMalformed);
  XmlElement out;
  size_t elements = 0;
  if (!copy(root, out, 0, elements)) return fail(kMalformedXml, kMalformed);
  return out;
}

XmlWriter::XmlWriter(bool declaration) {
  if (declaration) out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
}
void XmlWriter::open(std::string_view name, std::string_view xml_namespace) {
  if (xml_namespace.empty()) return open_raw(name, {});
  open_raw(name, " xmlns=\"" + xml_escape(xml_namespace) + "\"");
}
void XmlWriter::open_raw(std::string_view name, std::string_view attributes) {
  out_.append("<").append(name).append(attributes).append(">");
  open_.emplace_back(name);
}
void XmlWriter::close() {
  out_.append("</").append(open_.back()).append(">");
  open_.pop_back();
}
void XmlWriter::text(std::string_view value) { out_ += xml_escape(value); }
void XmlWriter::element(std::string_view name, std::string_view value) {
  open_raw(name, {});
  text(value);
  close();
}

}  // namespace redoubt::api
