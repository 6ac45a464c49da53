#include "warehouse/sql/type.h"

#include "base/result.h"

namespace redoubt::warehouse::sql {

namespace {

using K = TypeKind;

struct Row {
  K kind;
  std::string_view type_name;  // pg_type.typname
  std::string_view format;     // format_type() without modifiers
  uint32_t oid;
  int16_t typlen;
  uint32_t array_oid;  // 0: no array type
};

/// In the order of TypeKind. Source: PostgreSQL's pg_type.h; clients.md for the OIDs above 1187 that are Redshift's own.
constexpr Row kRows[] = {
    {K::kUnknown, "unknown", "unknown", 705, -2, 0},
    {K::kBoolean, "bool", "boolean", 16, 1, 1000},
    {K::kSmallint, "int2", "smallint", 21, 2, 1005},
    {K::kInteger, "int4", "integer", 23, 4, 1007},
    {K::kBigint, "int8", "bigint", 20, 8, 1016},
    {K::kDecimal, "numeric", "numeric", 1700, -1, 1231},
    {K::kReal, "float4", "real", 700, 4, 1021},
    {K::kDouble, "float8", "double precision", 701, 8, 1022},
    {K::kChar, "bpchar", "character", 1042, -1, 1014},
    {K::kVarchar, "varchar", "character varying", 1043, -1, 1015},
    {K::kText, "text", "text", 25, -1, 1009},
    {K::kCharByte, "char", "\"char\"", 18, 1, 1002},
    {K::kName, "name", "name", 19, 128, 1003},
    {K::kDate, "date", "date", 1082, 4, 1182},
    {K::kTime, "time", "time without time zone", 1083, 8, 1183},
    {K::kTimeTz, "timetz", "time with time zone", 1266, 12, 1270},
    {K::kTimestamp, "timestamp", "timestamp without time zone", 1114, 8, 1115},
    {K::kTimestampTz, "timestamptz", "timestamp with time zone", 1184, 8, 1185},
    {K::kInterval, "interval", "interval", 1186, 16, 1187},
    {K::kIntervalYearToMonth, "intervaly2m", "interval year to month", 1188, 4, 0},
    {K::kIntervalDayToSecond, "intervald2s", "interval day to second", 1190, 8, 0},
    {K::kSuper, "super", "super", 4000, -1, 0},
    {K::kVarbyte, "varbyte", "binary varying", 6551, -1, 0},
    {K::kOid, "oid", "oid", 26, 4, 1028},
    {K::kXid, "xid", "xid", 28, 8, 1011},
    {K::kTid, "tid", "tid", 27, 6, 1010},
    {K::kCid, "cid", "cid", 29, 4, 1012},
    {K::kRegproc, "regproc", "regproc", 24, 4, 1008},
    {K::kRegprocedure, "regprocedure", "regprocedure", 2202, 4, 2207},
    {K::kRegoper, "regoper", "regoper", 2203, 4, 2208},
    {K::kRegoperator, "regoperator", "regoperator", 2204, 4, 2209},
    {K::kRegclass, "regclass", "regclass", 2205, 4, 2210},
    {K::kRegtype, "regtype", "regtype", 2206, 4, 2211},
    {K::kInt2Vector, "int2vector", "int2vector", 22, -1, 1006},
    {K::kOidVector, "oidvector", "oidvector", 30, -1, 1013},
    {K::kAclItem, "aclitem", "aclitem", 1033, 12, 1034},
    {K::kRefCursor, "refcursor", "refcursor", 1790, -1, 2201},
    {K::kCString, "cstring", "cstring", 2275, -2, 1263},
    {K::kRecord, "record", "record", 2249, 4, 0},
    {K::kVoid, "void", "void", 2278, 4, 0},
    {K::kTrigger, "trigger", "trigger", 2279, 4, 0},
    {K::kAnyElement, "anyelement", "anyelement", 2283, 4, 0},
    {K::kAnyArray, "anyarray", "anyarray", 2277, -1, 0},
};

/// Names of pg_type's array types, which are '_' and the element's.
struct ArrayName {
  K element;
  std::string_view name;
};
constexpr ArrayName kArrayNames[] = {
    {K::kBoolean, "_bool"},
    {K::kSmallint, "_int2"},
    {K::kInteger, "_int4"},
    {K::kBigint, "_int8"},
    {K::kDecimal, "_numeric"},
    {K::kReal, "_float4"},
    {K::kDouble, "_float8"},
    {K::kChar, "_bpchar"},
    {K::kVarchar, "_varchar"},
    {K::kText, "_text"},
    {K::kCharByte, "_char"},
    {K::kName, "_name"},
    {K::kDate, "_date"},
    {K::kTime, "_time"},
    {K::kTimeTz, "_timetz"},
    {K::kTimestamp, "_timestamp"},
    {K::kTimestampTz, "_timestamptz"},
    {K::kInterval, "_interval"},
    {K::kOid, "_oid"},
    {K::kXid, "_xid"},
    {K::kTid, "_tid"},
    {K::kCid, "_cid"},
    {K::kRegproc, "_regproc"},
    {K::kRegprocedure, "_regprocedure"},
    {K::kRegoper, "_regoper"},
    {K::kRegoperator, "_regoperator"},
    {K::kRegclass, "_regclass"},
    {K::kRegtype, "_regtype"},
    {K::kInt2Vector, "_int2vector"},
    {K::kOidVector, "_oidvector"},
    {K::kAclItem, "_aclitem"},
    {K::kRefCursor, "_refcursor"},
    {K::kCString, "_cstring"},
};

struct Alias {
  std::string_view name;
  K kind;
};
constexpr Alias kAliases[] = {
    {"smallint", K::kSmallint}, {"integer", K::kInteger},   {"int", K::kInteger}, {"bigint", K::kBigint},
    {"decimal", K::kDecimal},   {"dec", K::kDecimal},       {"real", K::kReal},   {"float", K::kDouble},
    {"boolean", K::kBoolean},   {"character", K::kChar},    {"char", K::kChar},   {"nchar", K::kChar},
    {"nvarchar", K::kVarchar},  {"varbinary", K::kVarbyte},
};

const Row& row_of(K kind) {
  const Row& row = kRows[static_cast<size_t>(kind)];
  CHECK(row.kind == kind);
  return row;
}

}  // namespace

bool Type::is_string() const {
  return kind == K::kChar || kind == K::kVarchar || kind == K::kText || kind == K::kCharByte || kind == K::kName;
}

bool Type::is_datetime() const { return kind == K::kDate || kind == K::kTimestamp || kind == K::kTimestampTz; }

bool Type::is_interval() const {
  return kind == K::kInterval || kind == K::kIntervalYearToMonth || kind == K::kIntervalDayToSecond;
}

bool Type::is_oid() const {
  return kind == K::kOid || kind == K::kRegproc || kind == K::kRegprocedure || kind == K::kRegoper || kind == K::kRegoperator ||
         kind == K::kRegclass || kind == K::kRegtype;
}

bool Type::is_storable() const {
  if (is_numeric() || is_datetime()) return true;
  switch (kind) {
    case K::kBoolean:
    case K::kChar:
    case K::kVarchar:
    case K::kTime:
    case K::kTimeTz:
    case K::kIntervalYearToMonth:
    case K::kIntervalDayToSecond:
    case K::kSuper:
    case K::kVarbyte:
      return true;
    default:
      return false;
  }
}

std::string Type::base_name() const {
  if (kind == K::kArray) return std::string(row_of(element).format) + "[]";
  return std::string(row_of(kind).format);
}

std::string Type::format() const {
  std::string text = base_name();
  if ((kind == K::kChar || kind == K::kVarchar || kind == K::kVarbyte) && length != kAny)
    text += "(" + std::to_string(length) + ")";
  if (kind == K::kDecimal && precision != kAny) text += "(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
  return text;
}

std::string_view Type::type_name() const {
  if (kind != K::kArray) return row_of(kind).type_name;
  for (const ArrayName& array : kArrayNames)
    if (array.element == element) return array.name;
  return "anyarray";
}

uint32_t Type::oid() const {
  if (kind != K::kArray) return row_of(kind).oid;
  uint32_t oid = row_of(element).array_oid;
  return oid ? oid : row_of(K::kAnyArray).oid;
}

int32_t Type::typmod() const {
  if ((kind == K::kChar || kind == K::kVarchar || kind == K::kVarbyte) && length != kAny) return length + 4;
  if (kind == K::kDecimal && precision != kAny) return (static_cast<int32_t>(precision) << 16 | static_cast<uint16_t>(scale)) + 4;
  return -1;
}

int16_t Type::typlen() const { return kind == K::kArray ? -1 : row_of(kind).typlen; }

std::optional<Type> type_from_oid(uint32_t oid, int32_t typmod) {
  if (oid == 0) return std::nullopt;
  for (const Row& row : kRows) {
    if (row.array_oid == oid) return Type::array(row.kind);
    if (row.oid != oid) continue;
    Type type{row.kind};
    if (typmod >= 4) {
      if (row.kind == K::kChar || row.kind == K::kVarchar || row.kind == K::kVarbyte) type.length = typmod - 4;
      if (row.kind == K::kDecimal) type = Type::decimal((typmod - 4) >> 16, (typmod - 4) & 0xffff);
    }
    return type;
  }
  return std::nullopt;
}

std::optional<Type> type_from_name(std::string_view name) {
  for (const Alias& alias : kAliases)
    if (alias.name == name) return Type{alias.kind};
  for (const Row& row : kRows)
    if (row.type_name == name) return Type{row.kind};
  for (const ArrayName& array : kArrayNames)
    if (array.name == name) return Type::array(array.element);
  return std::nullopt;
}

}  // namespace redoubt::warehouse::sql
