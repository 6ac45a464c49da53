#include "api/shape.h"

namespace redoubt::api {
constinit const StructShape Empty::kShape{.name = "Empty", .members = {}};

const OperationShape* ServiceShape::find(std::string_view operation) const {
  for (auto* o : operations)
    if (o->name == operation) return o;
  return nullptr;
}
const ErrorShape* ServiceShape::find_error(std::string_view code) const {
  for (auto* e : errors)
    if (e->code == code) return e;
  return nullptr;
}
}  // namespace redoubt::api
