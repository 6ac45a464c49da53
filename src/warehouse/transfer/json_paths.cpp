#include "warehouse/transfer/json_paths.h"

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/transfer/errors.h"

namespace redoubt::warehouse::transfer {

std::optional<JsonPath> parse_json_path(std::string_view s) {
  if (!s.starts_with('$')) return std::nullopt;
  s.remove_prefix(1);
  JsonPath out;
  while (!s.empty()) {
    if (s[0] == '.') {
      size_t n = 1;
      while (n < s.size() && s[n] != '.' && s[n] != '[') ++n;
      if (n == 1) return std::nullopt;
      out.push_back({std::string(s.substr(1, n - 1))});
      s.remove_prefix(n);
      continue;
    }
    if (s[0] != '[' || s.size() < 3) return std::nullopt;
    if (s[1] == '\'' || s[1] == '"') {
      auto end = s.find(s[1], 2);
      if (end == s.npos || end + 1 >= s.size() || s[end + 1] != ']') return std::nullopt;
      out.push_back({std::string(s.substr(2, end - 2))});
      s.remove_prefix(end + 2);
      continue;
    }
    auto end = s.find(']');
    auto index = end == s.npos ? std::nullopt : parse_int(s.substr(1, end - 1));
    if (!index || *index < 0) return std::nullopt;
    out.push_back({{}, *index});
    s.remove_prefix(end + 1);
  }
  return out;
}

Result<FieldMap> field_map(const std::string& argument, const std::optional<std::string>& file,
                           const std::vector<ColumnRule>& columns) {
  FieldMap out;
  if (argument == "auto") return out;
  if (argument == "auto ignorecase") {
    out.kind = FieldMap::Kind::kByNameIgnoringCase;
    return out;
  }
  if (argument == "noshred") {
    out.kind = FieldMap::Kind::kWhole;
    if (columns.size() != 1 || !columns[0].type.is(sql::TypeKind::kSuper))
      return fail(secure::kInvalidParameterValue, "'noshred' loads into exactly one column of type SUPER");
    return out;
  }
  if (!file) return fail(secure::kInvalidParameterValue, "Invalid JSON argument '" + argument + "'");
  auto json = Json::parse(*file);
  if (!json || !json->is_object()) return fail(kTransferFailed, "The JSONPaths file is not a JSON object");
  const Json& paths = (*json)["jsonpaths"];
  if (!paths.is_array()) return out;  // another name for the list means 'auto', as in Redshift
  out.kind = FieldMap::Kind::kByPath;
  for (auto& path : paths.items()) {
    auto parsed = parse_json_path(path.text());
    if (!path.is_string() || !parsed) return fail(kTransferFailed, "Invalid JSONPath format: " + path.dump());
    out.paths.push_back(*std::move(parsed));
  }
  if (out.paths.size() != columns.size())
    return fail(kTransferFailed,
                "Number of jsonpaths and the number of columns should match. JSONPath size: " + std::to_string(out.paths.size()) +
                    ", Number of columns in table or column list: " + std::to_string(columns.size()));
  return out;
}

Result<const Json*> find_value(const Json& record, const FieldMap& map, const std::vector<ColumnRule>& columns, size_t column) {
  switch (map.kind) {
    case FieldMap::Kind::kWhole:
      return &record;
    case FieldMap::Kind::kByName:
      return record.find(columns[column].name);
    case FieldMap::Kind::kByNameIgnoringCase:
      for (auto& [name, value] : record.members())
        if (iequals(name, columns[column].name)) return &value;
      return nullptr;
    case FieldMap::Kind::kByPath:
      break;
  }
  const Json* at = &record;
  for (auto& step : map.paths[column]) {
    if (step.index < 0) {
      at = at->find(step.name);
      if (!at) return nullptr;
      continue;
    }
    if (!at->is_array() || static_cast<size_t>(step.index) >= at->items().size())
      return fail(secure::kInvalidText, "Invalid JSONPath format: Not an array or index out of range.");
    at = &at->items()[static_cast<size_t>(step.index)];
  }
  return at;
}

}  // namespace redoubt::warehouse::transfer
