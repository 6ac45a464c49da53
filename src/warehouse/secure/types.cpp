#include "warehouse/secure/types.h"

#include <algorithm>

namespace redoubt::warehouse::secure {

using sql::Type;
using K = sql::TypeKind;

namespace {

int number_rank(const Type& t) {
  switch (t.kind) {
    case K::kSmallint:
      return 1;
    case K::kInteger:
      return 2;
    case K::kBigint:
      return 3;
    case K::kDecimal:
      return 4;
    case K::kReal:
      return 5;
    case K::kDouble:
      return 6;
    default:
      return 0;
  }
}

bool same_kind(const Type& a, const Type& b) { return a.kind == b.kind && a.element == b.element; }

Type wider_string(const Type& a, const Type& b) {
  if (same_kind(a, b) && a.kind == K::kChar) return Type::character(std::max(byte_length(a), byte_length(b)));
  if (a.kind == K::kText || b.kind == K::kText || a.kind == K::kName || b.kind == K::kName) {
    return a.kind == b.kind ? a : Type(K::kText);
  }
  if (a.kind == K::kCharByte && b.kind == K::kCharByte) return a;
  if (a.length == Type::kAny || b.length == Type::kAny) return Type::varchar();
  return Type::varchar(std::max(byte_length(a), byte_length(b)));
}

}  // namespace

TypeClass type_class(const Type& t) {
  switch (t.kind) {
    case K::kUnknown:
      return TypeClass::kUnknown;
    case K::kBoolean:
      return TypeClass::kBoolean;
    case K::kSmallint:
    case K::kInteger:
    case K::kBigint:
    case K::kDecimal:
    case K::kReal:
    case K::kDouble:
      return TypeClass::kNumber;
    case K::kChar:
    case K::kVarchar:
    case K::kText:
    case K::kCharByte:
    case K::kName:
    case K::kAclItem:
    case K::kCString:
    case K::kRefCursor:
      return TypeClass::kString;
    case K::kDate:
      return TypeClass::kDate;
    case K::kTime:
    case K::kTimeTz:
      return TypeClass::kTime;
    case K::kTimestamp:
    case K::kTimestampTz:
      return TypeClass::kTimestamp;
    case K::kInterval:
    case K::kIntervalYearToMonth:
    case K::kIntervalDayToSecond:
      return TypeClass::kInterval;
    case K::kSuper:
      return TypeClass::kSuper;
    case K::kVarbyte:
      return TypeClass::kVarbyte;
    case K::kOid:
    case K::kXid:
    case K::kTid:
    case K::kCid:
    case K::kRegproc:
    case K::kRegprocedure:
    case K::kRegoper:
    case K::kRegoperator:
    case K::kRegclass:
    case K::kRegtype:
      return TypeClass::kOid;
    case K::kArray:
    case K::kInt2Vector:
    case K::kOidVector:
    case K::kAnyArray:
      return TypeClass::kArray;
    default:
      return TypeClass::kOther;
  }
}

int byte_length(const Type& t) {
  switch (t.kind) {
    case K::kChar:
    case K::kVarchar:
      return t.length == Type::kAny ? Type::kVarcharMax : t.length;
    case K::kCharByte:
      return 1;
    case K::kName:
      return 128;
    case K::kBoolean:
      return 5;
    case K::kSmallint:
      return 6;
    case K::kInteger:
      return 11;
    case K::kBigint:
    case K::kOid:
      return 20;
    case K::kDecimal:
      return t.precision + 3;
    case K::kReal:
    case K::kDouble:
      return 32;
    case K::kDate:
      return 16;
    case K::kTimestamp:
    case K::kTimestampTz:
    case K::kTime:
    case K::kTimeTz:
      return 64;
    default:
      return Type::kVarcharMax;
  }
}

std::optional<int> implicit_cost(const Type& from, const Type& to) {
  if (to.kind == K::kAnyElement) return 3;
  if (same_kind(from, to)) return 0;
  auto f = type_class(from), t = type_class(to);
  if (f == TypeClass::kUnknown) return t == TypeClass::kString ? 1 : 2;
  if (f == TypeClass::kNumber && t == TypeClass::kNumber) {
    int up = number_rank(to) - number_rank(from);
    return up > 0 ? 2 * up : 20 - up;  // narrowing exists but is the last choice
  }
  if (f == t) return f == TypeClass::kTime || f == TypeClass::kTimestamp ? 3 : 1;
  if (f == TypeClass::kDate && t == TypeClass::kTimestamp) return to.kind == K::kTimestamp ? 2 : 4;
  if (f == TypeClass::kTimestamp && t == TypeClass::kDate) return 15;
  if (t == TypeClass::kString && to.kind != K::kCharByte)
    return f == TypeClass::kNumber || f == TypeClass::kDate || f == TypeClass::kTimestamp || f == TypeClass::kTime ||
                   f == TypeClass::kOid || f == TypeClass::kSuper
               ? std::optional(30)
               : std::nullopt;
  if (f == TypeClass::kNumber && t == TypeClass::kOid) return 10;
  if (f == TypeClass::kOid && to.kind == K::kBigint) return 5;
  if (f == TypeClass::kOid && t == TypeClass::kNumber) return 10;
  if (t == TypeClass::kSuper) return 25;
  if (f == TypeClass::kSuper && t != TypeClass::kArray && t != TypeClass::kOther) return 26;
  return std::nullopt;
}

bool assignable(const Type& from, const Type& to) {
  if (implicit_cost(from, to)) return true;
  auto f = type_class(from), t = type_class(to);
  // Redshift assigns a string to any column that a literal of it would fit, booleans and numbers to each other.
  if (f == TypeClass::kString) return t != TypeClass::kArray && t != TypeClass::kOther && t != TypeClass::kVarbyte;
  if (f == TypeClass::kBoolean) return t == TypeClass::kNumber;
  if (f == TypeClass::kNumber) return t == TypeClass::kBoolean;
  return false;
}

bool castable(const Type& from, const Type& to) {
  if (assignable(from, to)) return true;
  auto f = type_class(from), t = type_class(to);
  if (f == TypeClass::kArray && t == TypeClass::kArray) return true;
  if (f == TypeClass::kArray && t == TypeClass::kString) return true;
  if (f == TypeClass::kTimestamp && t == TypeClass::kTime) return true;
  if ((f == TypeClass::kBoolean || f == TypeClass::kInterval || f == TypeClass::kVarbyte) && t == TypeClass::kString) return true;
  if (f == TypeClass::kString && t == TypeClass::kVarbyte) return true;
  return false;
}

Type as_decimal(const Type& t) {
  switch (t.kind) {
    case K::kSmallint:
      return Type::decimal(5, 0);
    case K::kInteger:
      return Type::decimal(10, 0);
    case K::kBigint:
      return Type::decimal(19, 0);
    case K::kDecimal:
      return t.precision == Type::kAny ? Type::decimal(38, t.scale) : t;
    default:
      return Type::decimal(38, 0);
  }
}

Type wider_decimal(const Type& a, const Type& b) {
  Type x = as_decimal(a), y = as_decimal(b);
  int scale = std::max(x.scale, y.scale);
  int whole = std::max(x.precision - x.scale, y.precision - y.scale);
  return Type::decimal(std::min(38, whole + scale), scale);
}

Type arithmetic_type(char op, const Type& a, const Type& b) {
  if (a.is_float() || b.is_float()) return a.kind == K::kReal && b.kind == K::kReal ? Type(K::kReal) : Type(K::kDouble);
  if (a.is_integer() && b.is_integer()) return number_rank(a) >= number_rank(b) ? a : b;
  Type x = as_decimal(a), y = as_decimal(b);
  int p1 = x.precision, s1 = x.scale, p2 = y.precision, s2 = y.scale;
  int precision = 0, scale = 0;
  switch (op) {
    case '*':
      scale = s1 + s2;
      precision = p1 + p2 + 1;
      break;
    case '/':
      scale = std::max(4, s1 + p2 - s2 + 1);
      precision = p1 - s1 + s2 + scale;
      // (19,2)/(38,19) is (38,4): what exceeds 38 digits is taken from the scale, down to 4.
      if (precision > 38) scale = std::max(4, scale - (precision - 38));
      break;
    case '%':
      return wider_decimal(x, y);
    default:
      scale = std::max(s1, s2);
      precision = std::max(p1 - s1, p2 - s2) + scale + 1;
  }
  return Type::decimal(std::min(precision, 38), std::min(scale, int(Type::kDecimalScaleMax)));
}

std::optional<Type> comparison_type(const Type& a, const Type& b) {
  auto x = type_class(a), y = type_class(b);
  if (x == TypeClass::kUnknown && y == TypeClass::kUnknown) return Type::varchar();
  if (x == TypeClass::kUnknown) return b;
  if (y == TypeClass::kUnknown) return a;
  if (x == TypeClass::kNumber && y == TypeClass::kNumber) {
    if (a.is_integer() && b.is_integer()) return number_rank(a) >= number_rank(b) ? a : b;
    if (a.is_float() || b.is_float()) return Type(K::kDouble);
    return wider_decimal(a, b);
  }
  if (x == TypeClass::kString && y == TypeClass::kString) return wider_string(a, b);
  if (x == y) {
    if (same_kind(a, b)) return a;
    if (x == TypeClass::kTimestamp) return Type(K::kTimestampTz);
    if (x == TypeClass::kTime) return Type(K::kTimeTz);
    if (x == TypeClass::kInterval) return Type(K::kInterval);
    if (x == TypeClass::kOid) return Type(K::kOid);
    if (x == TypeClass::kArray) return a.kind == K::kArray ? a : b;
    return std::nullopt;
  }
  if (x == TypeClass::kDate && y == TypeClass::kTimestamp) return b;
  if (x == TypeClass::kTimestamp && y == TypeClass::kDate) return a;
  if ((x == TypeClass::kOid && y == TypeClass::kNumber) || (x == TypeClass::kNumber && y == TypeClass::kOid))
    return Type(K::kBigint);
  auto yields = [](TypeClass c) {
    return c == TypeClass::kNumber || c == TypeClass::kDate || c == TypeClass::kTimestamp || c == TypeClass::kTime ||
           c == TypeClass::kBoolean || c == TypeClass::kOid;
  };
  if (x == TypeClass::kString && yields(y)) return b;
  if (y == TypeClass::kString && yields(x)) return a;
  if ((x == TypeClass::kBoolean && y == TypeClass::kNumber && b.is_integer()) ||
      (y == TypeClass::kBoolean && x == TypeClass::kNumber && a.is_integer()))
    return Type(K::kBoolean);
  if (x == TypeClass::kSuper || y == TypeClass::kSuper) return Type(K::kSuper);
  return std::nullopt;
}

std::optional<Type> common_type(std::span<const Type> types) {
  Type result;
  for (const Type& t : types) {
    if (t.is(K::kUnknown)) continue;
    if (result.is(K::kUnknown)) {
      result = t;
      continue;
    }
    auto x = type_class(result), y = type_class(t);
    if (x == TypeClass::kNumber && y == TypeClass::kNumber && (result.kind == K::kReal && t.kind == K::kReal)) continue;
    if ((x == TypeClass::kString) != (y == TypeClass::kString) && x != TypeClass::kSuper && y != TypeClass::kSuper) {
      return std::nullopt;
    }
    if ((x == TypeClass::kBoolean) != (y == TypeClass::kBoolean)) return std::nullopt;
    auto both = comparison_type(result, t);
    if (!both) return std::nullopt;
    result = *both;
  }
  if (result.is(K::kUnknown)) return Type::varchar();
  return result;
}

Type storable(const Type& t) {
  switch (t.kind) {
    case K::kUnknown:
    case K::kText:
    case K::kCString:
    case K::kRefCursor:
      return Type::varchar(t.is(K::kUnknown) ? 1 : 65535);
    case K::kVarchar:
      return Type::varchar(t.length == Type::kAny ? Type::kVarcharMax : std::max(t.length, 1));
    case K::kChar:
      return Type::character(std::clamp(t.length, 1, int(Type::kCharMax)));
    case K::kCharByte:
      return Type::character(1);
    case K::kName:
    case K::kAclItem:
      return Type::varchar(128);
    case K::kDecimal:
      return as_decimal(t);
    case K::kVarbyte:
      return Type::varbyte(t.length == Type::kAny ? 64000 : t.length);
    case K::kArray:
    case K::kInt2Vector:
    case K::kOidVector:
      return Type::varchar(Type::kVarcharMax);
    default:
      return type_class(t) == TypeClass::kOid ? Type(K::kBigint) : t;
  }
}

}  // namespace redoubt::warehouse::secure
