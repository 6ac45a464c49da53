// Structures as JSON objects and back.
#include <cmath>

#include "api/errors.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api::wire {
namespace {

std::string_view token(const Json& j) {
  switch (j.type()) {
    case Json::Type::null:
      return "NULL_VALUE";
    case Json::Type::boolean:
      return j.boolean() ? "TRUE_VALUE" : "FALSE_VALUE";
    case Json::Type::number:
      return "NUMBER_VALUE";
    case Json::Type::string:
      return "STRING_VALUE";
    case Json::Type::array:
      return "START_ARRAY";
    case Json::Type::object:
      return "START_OBJECT";
  }
  return "VALUE";
}

/// In the words of AWS's JSON services: "NUMBER_VALUE can not be converted to a String".
std::unexpected<Error> wrong(const Json& j, std::string_view wanted, const ReadContext& context) {
  if (j.is_object()) return fail(*context.malformed, "Start of structure or map found where not expected.");
  if (j.is_array()) return fail(*context.malformed, "Start of list found where not expected");
  std::string article = wanted == "Integer" ? "an " : "a ";
  return fail(*context.malformed, std::string(token(j)) + " can not be converted to " + article + std::string(wanted));
}

std::optional<int64_t> whole_number(const Json& j) {
  if (auto v = parse_int(j.text())) return v;
  double d = j.real(NAN);
  if (!std::isfinite(d) || std::fabs(d) > 9.0e15 || d != std::floor(d)) return std::nullopt;
  return int64_t(d);
}

struct MapWriter {
  const Shape& shape;
  Json out = Json::object();
};

}  // namespace

Json write_json_value(const Shape& shape, const void* value) {
  switch (shape.type) {
    case Type::structure:
      return write_json(*shape.structure, value);
    case Type::list: {
      Json out = Json::array();
      for (size_t i = 0; i < shape.list->size(value); ++i) out.push(write_json_value(*shape.element, shape.list->at(value, i)));
      return out;
    }
    case Type::map: {
      MapWriter w{shape};
      shape.map->each(
          value,
          [](void* context, const std::string& key, const void* v) {
            auto& w = *static_cast<MapWriter*>(context);
            w.out.set(key, write_json_value(*w.shape.element, v));
          },
          &w);
      return std::move(w.out);
    }
    case Type::boolean:
      return Json(*static_cast<const bool*>(value));
    case Type::integer:
      return Json(*static_cast<const int64_t*>(value));
    case Type::real: {
      double d = *static_cast<const double*>(value);
      return std::isfinite(d) ? Json::number_text(scalar_to_text(shape, value, TimeFormat::unspecified))
                              : Json(scalar_to_text(shape, value, TimeFormat::unspecified));
    }
    case Type::timestamp: {
      auto format = shape.time_format == TimeFormat::unspecified ? TimeFormat::unix_seconds : shape.time_format;
      std::string text = timestamp_to_text(*static_cast<const Timestamp*>(value), format, true);
      return format == TimeFormat::unix_seconds ? Json::number_text(std::move(text)) : Json(std::move(text));
    }
    default:
      return Json(scalar_to_text(shape, value, TimeFormat::unspecified));
  }
}

Json write_json(const StructShape& shape, const void* value) {
  Json out = Json::object();
  for (auto& m : shape.members) {
    if (m.location != Location::body || m.streaming) continue;
    if (const void* v = m.get(value)) out.set(std::string(m.wire_name), write_json_value(*m.shape, v));
  }
  return out;
}

Result<void> read_json_value(const Json& j, const Shape& shape, void* out, ReadContext& context) {
  switch (shape.type) {
    case Type::structure:
      if (!j.is_object()) return wrong(j, "structure", context);
      return read_json(j, *shape.structure, out, context);
    case Type::list: {
      if (!j.is_array()) return wrong(j, "List", context);
      size_t i = 0;
      for (auto& item : j.items()) {
        Path::Step step(context.path, ++i);
        if (item.is_null()) return fail(*context.malformed, "null is not a valid list element");
        TRY_VOID(read_json_value(item, *shape.element, shape.list->append(out), context));
      }
      return {};
    }
    case Type::map:
      if (!j.is_object()) return wrong(j, "Map", context);
      for (auto& [key, v] : j.members()) {
        if (v.is_null()) continue;
        Path::Step step(context.path, key);
        TRY_VOID(read_json_value(v, *shape.element, shape.map->insert(out, key), context));
      }
      return {};
    case Type::string:
      if (!j.is_string()) return wrong(j, "String", context);
      *static_cast<std::string*>(out) = j.text();
      return {};
    case Type::blob:
      if (!j.is_string()) return wrong(j, "Blob", context);
      return scalar_from_text(shape, j.text(), out, TimeFormat::unspecified, context);
    case Type::boolean:
      if (!j.is_bool()) return wrong(j, "Boolean", context);
      *static_cast<bool*>(out) = j.boolean();
      return {};
    case Type::integer: {
      auto v = j.is_number() ? whole_number(j) : std::nullopt;
      if (!v) return wrong(j, "Integer", context);
      *static_cast<int64_t*>(out) = *v;
      return {};
    }
    case Type::real:
      if (!j.is_number() && !j.is_string()) return wrong(j, "Double", context);
      return scalar_from_text(shape, j.text(), out, TimeFormat::unspecified, context);
    case Type::timestamp:
      if (!j.is_number() && !j.is_string()) return wrong(j, "Timestamp", context);
      return scalar_from_text(shape, j.text(), out, TimeFormat::unix_seconds, context);
  }
  return {};
}

Result<void> read_json(const Json& j, const StructShape& shape, void* out, ReadContext& context) {
  for (auto& m : shape.members) {
    if (m.location != Location::body || m.streaming) continue;
    const Json* v = j.find(m.wire_name);
    if (!v || v->is_null()) {
      if (m.required) context.note_missing(m);
      continue;
    }
    Path::Step step(context.path, m.name);
    TRY_VOID(read_json_value(*v, *m.shape, m.make(out), context));
  }
  return {};
}

}  // namespace redoubt::api::wire
