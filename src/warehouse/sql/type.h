#pragma once
/// The SQL types of Redshift as values: what a column, an expression or a parameter is. Cheap to copy, compared by value.
/// Source: Database Developer Guide, "Data types"; OIDs and typmods as Redshift's drivers expect them on the wire.
///
///   Type t = Type::decimal(10, 2);   t.format() == "numeric(10,2)"   t.oid() == 1700   t.typmod() == 655366
///
/// A length of kAny means "not declared": `x::varchar` is as long as x. Column definitions never have it: the parser
/// fills in Redshift's defaults there (CHAR 1, BPCHAR and VARCHAR and TEXT 256, VARBYTE 64000). NUMERIC without arguments is
/// (18,0) everywhere, but an expression whose scale isn't known yet may carry precision kAny.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::warehouse::sql {

enum class TypeKind : uint8_t {
  kUnknown,  // a string literal or NULL before inference
  kBoolean,
  kSmallint,
  kInteger,
  kBigint,
  kDecimal,  // precision, scale
  kReal,
  kDouble,
  kChar,      // length in bytes; blank padded
  kVarchar,   // length in bytes
  kText,      // catalog columns and ::text; a column declared TEXT is varchar(256)
  kCharByte,  // the catalog's one-byte "char"
  kName,      // the catalog's 128-byte name
  kDate,
  kTime,
  kTimeTz,
  kTimestamp,
  kTimestampTz,
  kInterval,  // INTERVAL without fields; only inside expressions
  kIntervalYearToMonth,
  kIntervalDayToSecond,
  kSuper,
  kVarbyte,  // length in bytes
  kOid,
  kXid,
  kTid,
  kCid,
  kRegproc,
  kRegprocedure,
  kRegoper,
  kRegoperator,
  kRegclass,
  kRegtype,
  kInt2Vector,
  kOidVector,
  kAclItem,
  kRefCursor,
  kCString,
  kRecord,
  kVoid,
  kTrigger,
  kAnyElement,
  kAnyArray,
  kArray,  // element
};

struct Type {
  static constexpr int kAny = -1;
  static constexpr int kVarcharMax = 65535;
  static constexpr int kCharMax = 4096;
  static constexpr int kVarbyteMax = 16777216;
  static constexpr int kDecimalPrecisionMax = 38;
  static constexpr int kDecimalScaleMax = 37;

  TypeKind kind = TypeKind::kUnknown;
  TypeKind element = TypeKind::kUnknown;  // kArray
  int32_t length = kAny;                  // kChar, kVarchar, kVarbyte
  int16_t precision = kAny;               // kDecimal
  int16_t scale = 0;                      // kDecimal

  bool operator==(const Type&) const = default;

  constexpr Type() = default;
  constexpr Type(TypeKind k) : kind(k) {}  // NOLINT: a kind without modifiers is a type
  static constexpr Type character(int length) { return with_length(TypeKind::kChar, length); }
  static constexpr Type varchar(int length = kAny) { return with_length(TypeKind::kVarchar, length); }
  static constexpr Type varbyte(int length = kAny) { return with_length(TypeKind::kVarbyte, length); }
  static constexpr Type decimal(int precision = 18, int scale = 0) {
    Type t{TypeKind::kDecimal};
    t.precision = static_cast<int16_t>(precision);
    t.scale = static_cast<int16_t>(scale);
    return t;
  }
  static constexpr Type array(TypeKind element) {
    Type t{TypeKind::kArray};
    t.element = element;
    return t;
  }

  bool is(TypeKind k) const { return kind == k; }
  bool is_integer() const { return kind == TypeKind::kSmallint || kind == TypeKind::kInteger || kind == TypeKind::kBigint; }
  bool is_float() const { return kind == TypeKind::kReal || kind == TypeKind::kDouble; }
  bool is_numeric() const { return is_integer() || is_float() || kind == TypeKind::kDecimal; }
  /// CHAR, VARCHAR, TEXT, name and "char": what LIKE and || take.
  bool is_string() const;
  /// DATE, TIMESTAMP, TIMESTAMPTZ (not TIME).
  bool is_datetime() const;
  bool is_interval() const;
  /// OID and the reg* aliases that look like names and compare as numbers.
  bool is_oid() const;
  /// May a table column be declared so?
  bool is_storable() const;

  /// PostgreSQL's format_type(): "character varying(256)", "numeric(10,2)", "timestamp without time zone", "text[]".
  std::string format() const;
  /// The same without modifiers: "character varying", "numeric".
  std::string base_name() const;
  /// pg_type.typname: "varchar", "numeric", "int4", "_text".
  std::string_view type_name() const;
  /// pg_type.oid.
  uint32_t oid() const;
  /// pg_attribute.atttypmod: length + 4, (precision << 16 | scale) + 4, or -1.
  int32_t typmod() const;
  /// pg_type.typlen: bytes, -1 for variable length, -2 for cstring.
  int16_t typlen() const;

 private:
  static constexpr Type with_length(TypeKind kind, int length) {
    Type t{kind};
    t.length = length;
    return t;
  }
};

/// By pg_type.oid and atttypmod; nullopt for an OID that isn't a type of ours.
std::optional<Type> type_from_oid(uint32_t oid, int32_t typmod = -1);
/// By one lower-case name of one word, with no modifiers: pg_type.typname or an SQL alias ("int8", "bigint", "varchar",
/// "_text", "char" is the SQL CHAR). nullopt: no such type. Whole declarations ("character varying(20)[]"): parse_type().
std::optional<Type> type_from_name(std::string_view name);

}  // namespace redoubt::warehouse::sql
