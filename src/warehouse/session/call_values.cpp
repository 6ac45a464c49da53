#include "warehouse/session/call_values.h"

#include <charconv>

#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::session {

using K = sql::TypeKind;

namespace {

int rank(const sql::Type& type) { return type.is(K::kSmallint) ? 1 : type.is(K::kInteger) ? 2 : type.is(K::kBigint) ? 3 : 0; }

bool plain_text(const sql::Type& type) {
  return type.is(K::kVarchar) || type.is(K::kText) || type.is(K::kRefCursor) || type.is(K::kName) || type.is(K::kUnknown);
}

}  // namespace

Result<std::optional<engine::Datum>> convert_here(const Value& value, const sql::Type& to) {
  using Done = std::optional<engine::Datum>;
  if (!value.datum) return Done(engine::Datum{});
  const std::string& text = *value.datum;
  if (to.is(K::kVarchar) || to.is(K::kRefCursor) || to.is(K::kText)) {
    if (!plain_text(value.type) && !value.type.is(K::kChar) && !value.type.is_integer()) return Done{};
    size_t most = size_t(to.is(K::kVarchar) && to.length != sql::Type::kAny ? to.length : sql::Type::kVarcharMax);
    if (text.size() <= most) return Done(text);
    if (secure::values::trim_trailing_blanks(text).size() > most)
      return fail(secure::kStringTruncation,
                  "value too long for type " + (to.is(K::kVarchar) && to.length != sql::Type::kAny
                                                    ? to.format()
                                                    : sql::Type::varchar(sql::Type::kVarcharMax).format()));
    return Done(std::string(secure::values::cut(text, most)));
  }
  if (to.is(K::kChar) && to.length != sql::Type::kAny && (plain_text(value.type) || value.type.is(K::kChar))) {
    auto trimmed = secure::values::trim_trailing_blanks(text);
    if (trimmed.size() > size_t(to.length)) return fail(secure::kStringTruncation, "value too long for type " + to.format());
    return Done(std::string(trimmed));
  }
  if (value.type == to) return Done(text);
  if (rank(value.type) && rank(to) >= rank(value.type)) return Done(text);
  return Done{};
}

std::string shown(const Value& value) {
  if (!value.datum) return "<NULL>";
  const std::string& text = *value.datum;
  if (value.type.is(K::kBoolean)) return text == "true" || text == "t" ? "t" : "f";
  if (value.type.is(K::kDouble))
    if (auto number = secure::values::parse_double(text)) return secure::values::format_double(*number);
  if (value.type.is(K::kReal))
    if (auto number = secure::values::parse_float(text)) return secure::values::format_float(*number);
  return text;
}

}  // namespace redoubt::warehouse::session
