#pragma once
/// Values of plpgsql variables.
#include <string>
#include <vector>

#include "warehouse/engine/engine.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::session {

struct Value {
  sql::Type type;
  engine::Datum datum;  // exact text form of `type`
};

struct VariableState {
  Value value;  // scalars
  struct Field {
    std::string name;
    Value value;
  };
  std::vector<Field> fields;  // records
  bool shaped = false;        // a record that has fields: %ROWTYPE always, RECORD once assigned
};

/// Conversions that need no engine: same type, text to text (with its length), integers to wider ones and to text. nullopt: ask
/// the engine. Errors: kStringTruncation `value too long for type character varying(5)`.
Result<std::optional<engine::Datum>> convert_here(const Value& value, const sql::Type& to);

/// As a client sees it: floats with the session's digits, booleans t and f.
std::string shown(const Value& value);

}  // namespace redoubt::warehouse::session
