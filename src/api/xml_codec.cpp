// Structures as XML elements and back.
#include "api/errors.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api::wire {
namespace {

constexpr const char* kMalformed = "The XML you provided was not well-formed or did not validate against our published schema";

std::string_view local(std::string_view name) {
  auto colon = name.find(':');
  return colon == name.npos ? name : name.substr(colon + 1);
}

/// Namespace declarations and attribute members of a structure's element.
std::string attributes(std::string_view xml_namespace, const Shape& shape, const void* value) {
  std::string out;
  if (!xml_namespace.empty()) out += " xmlns=\"" + xml_escape(xml_namespace) + "\"";
  if (shape.type != Type::structure) return out;
  const StructShape& s = *shape.structure;
  if (!s.xml_namespace.empty() && !s.xml_prefix.empty())
    out += " xmlns:" + std::string(s.xml_prefix) + "=\"" + xml_escape(s.xml_namespace) + "\"";
  for (auto& m : s.members)
    if (m.xml_attribute)
      if (const void* v = m.get(value))
        out += " " + std::string(m.wire_name) + "=\"" + xml_escape(scalar_to_text(*m.shape, v, TimeFormat::iso8601)) + "\"";
  return out;
}

struct MapWriter {
  XmlWriter& writer;
  const Shape& shape;
  std::string_view entry;
  const XmlStyle& style;
};

void write_map_entry(void* context, const std::string& key, const void* value) {
  auto& w = *static_cast<MapWriter*>(context);
  w.writer.open(w.entry);
  w.writer.element(w.shape.key_name, key);
  write_xml(w.writer, w.shape.element_name, {}, *w.shape.element, value, w.style);
  w.writer.close();
}

/// The elements named `name` that a flattened list or map is spread over.
std::vector<const XmlElement*> named(const XmlElement& parent, std::string_view name) {
  std::vector<const XmlElement*> out;
  for (auto& c : parent.children)
    if (c.name == name) out.push_back(&c);
  return out;
}

Result<void> read_elements(const std::vector<const XmlElement*>& elements, const Shape& shape, void* out, ReadContext& context) {
  if (shape.type == Type::list) {
    size_t i = 0;
    for (auto* e : elements) {
      Path::Step step(context.path, ++i);
      TRY_VOID(read_xml_value(*e, *shape.element, shape.list->append(out), context));
    }
    return {};
  }
  for (auto* e : elements) {
    const XmlElement* key = e->child(shape.key_name);
    const XmlElement* value = e->child(shape.element_name);
    if (!key || !value) return fail(*context.malformed, kMalformed);
    TRY_VOID(read_xml_value(*value, *shape.element, shape.map->insert(out, key->text), context));
  }
  return {};
}

bool known_element(const StructShape& shape, std::string_view name) {
  for (auto& m : shape.members)
    if (m.location == Location::body && !m.xml_attribute && m.wire_name == name) return true;
  return false;
}

}  // namespace

void write_xml(XmlWriter& writer, std::string_view name, std::string_view xml_namespace, const Shape& shape, const void* value,
               const XmlStyle& style) {
  writer.open_raw(name, attributes(xml_namespace, shape, value));
  switch (shape.type) {
    case Type::structure:
      write_xml_members(writer, *shape.structure, value, style);
      break;
    case Type::list:
      for (size_t i = 0; i < shape.list->size(value); ++i)
        write_xml(writer, shape.element_name, {}, *shape.element, shape.list->at(value, i), style);
      break;
    case Type::map: {
      MapWriter w{writer, shape, "entry", style};
      shape.map->each(value, write_map_entry, &w);
      break;
    }
    default:
      writer.text(scalar_to_text(shape, value, TimeFormat::iso8601, style.millis));
  }
  writer.close();
}

void write_xml_members(XmlWriter& writer, const StructShape& shape, const void* value, const XmlStyle& style) {
  for (auto& m : shape.members) {
    if (m.location != Location::body || m.xml_attribute || m.streaming) continue;
    const void* v = m.get(value);
    if (!v) continue;
    if (m.shape->flattened && m.shape->type == Type::list) {
      for (size_t i = 0; i < m.shape->list->size(v); ++i)
        write_xml(writer, m.wire_name, {}, *m.shape->element, m.shape->list->at(v, i), style);
    } else if (m.shape->flattened && m.shape->type == Type::map) {
      MapWriter w{writer, *m.shape, m.wire_name, style};
      m.shape->map->each(v, write_map_entry, &w);
    } else {
      write_xml(writer, m.wire_name, m.xml_namespace, *m.shape, v, style);
    }
  }
}

Result<void> read_xml_value(const XmlElement& element, const Shape& shape, void* out, ReadContext& context) {
  switch (shape.type) {
    case Type::structure:
      return read_xml(element, *shape.structure, out, context);
    case Type::list:
    case Type::map: {
      std::string_view name = shape.type == Type::list ? shape.element_name : std::string_view("entry");
      auto elements = named(element, name);
      if (context.strict && elements.size() != element.children.size()) return fail(*context.malformed, kMalformed);
      return read_elements(elements, shape, out, context);
    }
    default:
      if (context.strict && !element.children.empty()) return fail(*context.malformed, kMalformed);
      return scalar_from_text(shape, shape.type == Type::string ? std::string_view(element.text) : trim(element.text), out,
                              TimeFormat::iso8601, context);
  }
}

Result<void> read_xml(const XmlElement& element, const StructShape& shape, void* out, ReadContext& context) {
  if (context.strict)
    for (auto& c : element.children)
      if (!known_element(shape, c.name)) return fail(*context.malformed, kMalformed);
  for (auto& m : shape.members) {
    if (m.location != Location::body || m.streaming) continue;
    if (m.xml_attribute) {
      std::string_view text = element.attribute(local(m.wire_name));
      if (text.empty()) {
        if (m.required) context.note_missing(m);
        continue;
      }
      Path::Step step(context.path, m.name);
      TRY_VOID(scalar_from_text(*m.shape, text, m.make(out), TimeFormat::iso8601, context));
      continue;
    }
    auto elements = named(element, m.wire_name);
    if (elements.empty()) {
      if (m.required) context.note_missing(m);
      continue;
    }
    Path::Step step(context.path, m.name);
    if (m.shape->flattened) {
      TRY_VOID(read_elements(elements, *m.shape, m.make(out), context));
      continue;
    }
    if (context.strict && elements.size() > 1) return fail(*context.malformed, kMalformed);
    TRY_VOID(read_xml_value(*elements.front(), *m.shape, m.make(out), context));
  }
  return {};
}

}  // namespace redoubt::api::wire
