// Structures as JSON for people and the audit trail: CloudTrail's names, nothing sensitive.
#include "api/codec.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

constexpr const char* kHidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

Json describe(const Shape& shape, const void* v) {
  if (shape.sensitive || (shape.structure && shape.structure->sensitive)) return Json(kHidden);
  switch (shape.type) {
    case Type::structure:
      return to_json(*shape.structure, v);
    case Type::list: {
      Json out = Json::array();
      for (size_t i = 0; i < shape.list->size(v); ++i) out.push(describe(*shape.element, shape.list->at(v, i)));
      return out;
    }
    case Type::map: {
      struct Context {
        const Shape& shape;
        Json out = Json::object();
      } context{shape};
      shape.map->each(
          v,
          [](void* c, const std::string& key, const void* x) {
            auto& context = *static_cast<Context*>(c);
            context.out.set(key, describe(*context.shape.element, x));
          },
          &context);
      return std::move(context.out);
    }
    case Type::timestamp:
      return Json(iso8601(*static_cast<const Timestamp*>(v)));
    default:
      return wire::write_json_value(shape, v);
  }
}

}  // namespace

Json to_json(const StructShape& shape, const void* value) {
  Json out = Json::object();
  for (auto& m : shape.members) {
    if (m.streaming) continue;
    const void* v = m.get(value);
    if (!v) continue;
    std::string name(m.name);
    if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] += 'a' - 'A';
    out.set(std::move(name), describe(*m.shape, v));
  }
  return out;
}

}  // namespace redoubt::api
