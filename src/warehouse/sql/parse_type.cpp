/// Type names with their modifiers. Redshift has no user-defined types, so every name is decided here.
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

namespace {

constexpr int kDefaultLength = 256;
constexpr int kDefaultVarbyte = 64000;

struct Limits {
  TypeKind kind;
  int max;
  int column_default;
};
constexpr Limits kLimits[] = {
    {TypeKind::kChar, Type::kCharMax, 1},
    {TypeKind::kVarchar, Type::kVarcharMax, kDefaultLength},
    {TypeKind::kVarbyte, Type::kVarbyteMax, kDefaultVarbyte},
};

}  // namespace

Type Parser::parse_type(TypeUse use) {
  Position position = peek().position;
  if (at("setof")) not_supported("SETOF");
  bool qualified = false;
  if (at("pg_catalog") && at_op(".", 1)) {
    take(), take();
    qualified = true;
  }
  if (!peek().is_word() && peek().kind != TokenKind::kQuoted) syntax_error();
  Token token = take();
  std::string name = token.text;
  bool quoted = token.kind == TokenKind::kQuoted;
  Type type;

  if (name == "char" && (quoted || qualified)) {
    // SQL's CHAR is a keyword; the catalog's type of that name is one byte.
    type = TypeKind::kCharByte;
  } else if (!quoted && (name == "character" || name == "char") && accept("varying")) {
    type = TypeKind::kVarchar;
  } else if (!quoted && name == "national" && (at_any({"character", "char"}))) {
    take();
    type = accept("varying") ? TypeKind::kVarchar : TypeKind::kChar;
  } else if (!quoted && name == "binary" && at("varying")) {
    take();
    type = TypeKind::kVarbyte;
  } else if (!quoted && name == "double" && at("precision")) {
    take();
    type = TypeKind::kDouble;
  } else if (auto known = type_from_name(name)) {
    type = *known;
  } else {
    for (std::string_view unbuilt : {"geometry", "geography", "hllsketch"})
      if (name == unbuilt) not_supported("type \"" + name + "\"", position);
    raise(kUndefinedType, "type \"" + name + "\" does not exist", position);
  }

  if (type.is(TypeKind::kInterval) && !quoted) {
    auto at_field = [&] { return at_any({"year", "month", "day", "hour", "minute", "second"}); };
    // A field after the word INTERVAL makes it one of the two interval types of Redshift: year-month or day-time.
    if (at_field() && !at_string(1)) {
      std::string first = take().text;
      std::string last = first;
      if (accept("to")) {
        if (!at_field()) syntax_error();
        last = take().text;
      }
      bool year_month = first == "year" || first == "month";
      if (year_month != (last == "year" || last == "month")) syntax_error(token);
      if (last == "second" && at_op("(")) {
        take();
        if (expect_integer() != 6) not_supported("an interval precision other than 6", position);
        expect_op(")");
      }
      type = year_month ? TypeKind::kIntervalYearToMonth : TypeKind::kIntervalDayToSecond;
    }
  }

  for (const Limits& limits : kLimits) {
    if (limits.kind != type.kind) continue;
    if (at_op("(")) {
      take();
      int64_t length = limits.max;
      if (!accept("max")) length = expect_integer();
      if (length < 1) raise(kInvalidParameterValue, "length for type " + type.base_name() + " must be at least 1", position);
      if (length > limits.max)
        raise(kInvalidParameterValue, "length for type " + type.base_name() + " cannot exceed " + std::to_string(limits.max),
              position);
      expect_op(")");
      type.length = static_cast<int32_t>(length);
    } else if (use == TypeUse::kColumn) {
      type.length = name == "bpchar" ? kDefaultLength : limits.column_default;
    }
  }
  if (type.is(TypeKind::kText) && use == TypeUse::kColumn) type = Type::varchar(kDefaultLength);

  if (type.is(TypeKind::kDecimal)) {
    int64_t precision = 18, scale = 0;
    if (accept_op("(")) {
      precision = expect_integer();
      if (accept_op(",")) scale = expect_integer();
      expect_op(")");
      if (precision < 1 || precision > Type::kDecimalPrecisionMax)
        raise(kInvalidParameterValue,
              "DECIMAL precision " + std::to_string(precision) + " must be between 1 and " +
                  std::to_string(Type::kDecimalPrecisionMax),
              position);
      if (scale < 0 || scale > precision || scale > Type::kDecimalScaleMax)
        raise(kInvalidParameterValue,
              "DECIMAL scale " + std::to_string(scale) + " must be between 0 and " +
                  std::to_string(std::min<int64_t>(precision, Type::kDecimalScaleMax)),
              position);
    }
    type = Type::decimal(static_cast<int>(precision), static_cast<int>(scale));
  } else if (type.is(TypeKind::kDouble) && name == "float" && accept_op("(")) {
    int64_t bits = expect_integer();
    expect_op(")");
    if (bits < 1 || bits > 53) raise(kInvalidParameterValue, "precision for type float must be between 1 and 53 bits", position);
    type = bits <= 24 ? TypeKind::kReal : TypeKind::kDouble;
  } else if (type.is(TypeKind::kTime) || type.is(TypeKind::kTimestamp)) {
    if (at_op("(")) {
      take();
      if (expect_integer() != 6) not_supported("a precision other than 6 for " + name, position);
      expect_op(")");
    }
    if (at_any({"with", "without"}) && at("time", 1) && at("zone", 2)) {
      bool zone = take().text == "with";
      take(), take();
      if (zone) type = type.is(TypeKind::kTime) ? TypeKind::kTimeTz : TypeKind::kTimestampTz;
    }
  }

  while (at_op("[")) {
    // int[], int[3], int[][]: the dimensions don't matter, as in PostgreSQL.
    if (!at_op("]", 1) && !(peek(1).kind == TokenKind::kInteger && at_op("]", 2))) break;
    while (!accept_op("]")) take();
    if (!type.is(TypeKind::kArray)) type = Type::array(type.kind);
  }
  if (at("array") && use == TypeUse::kColumn) not_supported("an array column");
  return type;
}

}  // namespace redoubt::warehouse::sql
