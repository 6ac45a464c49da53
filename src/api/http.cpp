#include "api/http.h"

#include "base/text.h"

namespace redoubt::api {
void Headers::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const Field& f) { return iequals(f.first, name); });
  fields_.emplace_back(std::string(name), std::move(value));
}
const std::string* Headers::find(std::string_view name) const {
  for (auto& f : fields_)
    if (iequals(f.first, name)) return &f.second;
  return nullptr;
}
std::string_view Headers::get(std::string_view name) const {
  auto* v = find(name);
  return v ? std::string_view(*v) : std::string_view();
}
}  // namespace redoubt::api
