#include "stacks/provider.h"

namespace redoubt::stacks {

static const std::map<std::string_view, Provider>& table() {
  static const auto kTable = [] {
    std::map<std::string_view, Provider> out;
    for (auto& group : {iam_providers(), s3_providers(), kms_providers(), redshift_providers()})
      for (auto& p : group) out.emplace(p.type, p);
    return out;
  }();
  return kTable;
}

const Provider* find_provider(std::string_view type) {
  auto it = table().find(type);
  return it == table().end() ? nullptr : &it->second;
}

std::vector<const Provider*> all_providers() {
  std::vector<const Provider*> out;
  for (auto& [type, p] : table()) out.push_back(&p);
  return out;
}

}  // namespace redoubt::stacks
