#include "warehouse/catalog/objects.h"

#include <algorithm>
#include <cstdlib>

namespace redoubt::warehouse::catalog {

const Column* Relation::column(std::string_view column_name) const {
  for (auto& c : columns)
    if (!c.dropped && c.name == column_name) return &c;
  return nullptr;
}

const Column* Relation::column(int16_t attnum) const {
  for (auto& c : columns)
    if (!c.dropped && c.attnum == attnum) return &c;
  return nullptr;
}

std::vector<const Column*> Relation::sort_key() const {
  std::vector<const Column*> keys;
  for (auto& c : columns)
    if (!c.dropped && c.sortkey_position != 0) keys.push_back(&c);
  std::sort(keys.begin(), keys.end(),
            [](auto* a, auto* b) { return std::abs(a->sortkey_position) < std::abs(b->sortkey_position); });
  return keys;
}

std::vector<sql::Type> Procedure::input_types() const {
  std::vector<sql::Type> types;
  for (auto& argument : arguments)
    if (argument.is_input()) types.push_back(argument.type);
  return types;
}

std::string Procedure::signature() const {
  std::string text = name + "(";
  for (const char* comma = ""; auto& type : input_types()) text += comma + type.base_name(), comma = ",";
  return text + ")";
}

}  // namespace redoubt::warehouse::catalog
