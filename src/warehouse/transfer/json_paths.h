#pragma once
/// Which value of a JSON or Avro record belongs to which column. Source: Database Developer Guide, "COPY from JSON format",
/// "JSONPaths". Pure.
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "warehouse/transfer/fields.h"

namespace redoubt::warehouse::transfer {

struct PathStep {
  std::string name;
  int64_t index = -1;  // of a list; then there is no name
};
using JsonPath = std::vector<PathStep>;

struct FieldMap {
  enum class Kind : uint8_t { kByName, kByNameIgnoringCase, kByPath, kWhole } kind = Kind::kByName;
  std::vector<JsonPath> paths;  // kByPath: one a column
};

/// "$.a.b[0]", "$['a']['b']". nullopt: not of that form.
std::optional<JsonPath> parse_json_path(std::string_view text);

/// `argument` is what follows JSON or AVRO ("auto"); `file` is the text of a JSONPaths file, if it names one.
/// Errors: kInvalidParameterValue, kTransferFailed.
Result<FieldMap> field_map(const std::string& argument, const std::optional<std::string>& file,
                           const std::vector<ColumnRule>& columns);

/// The value of a column; nullptr: it isn't there. kInvalidText: an index beyond its list.
Result<const Json*> find_value(const Json& record, const FieldMap& map, const std::vector<ColumnRule>& columns, size_t column);

}  // namespace redoubt::warehouse::transfer
