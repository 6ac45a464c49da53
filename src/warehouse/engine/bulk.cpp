#include "warehouse/engine/bulk.h"

namespace redoubt::warehouse::engine {

Storage storage_of(const sql::Type& type) {
  switch (type.kind) {
    case sql::TypeKind::kBoolean:
      return Storage::kBool;
    case sql::TypeKind::kSmallint:
      return Storage::kInt16;
    case sql::TypeKind::kInteger:
    case sql::TypeKind::kDate:
      return Storage::kInt32;
    case sql::TypeKind::kDecimal:
      if (type.precision == sql::Type::kAny || type.precision > 18) return Storage::kInt128;
      return type.precision <= 4 ? Storage::kInt16 : type.precision <= 9 ? Storage::kInt32 : Storage::kInt64;
    case sql::TypeKind::kReal:
      return Storage::kFloat;
    case sql::TypeKind::kDouble:
      return Storage::kDouble;
    case sql::TypeKind::kChar:
    case sql::TypeKind::kVarchar:
    case sql::TypeKind::kText:
    case sql::TypeKind::kName:
    case sql::TypeKind::kCharByte:
    case sql::TypeKind::kSuper:
    case sql::TypeKind::kVarbyte:
      return Storage::kBytes;
    default:
      return Storage::kInt64;
  }
}

}  // namespace redoubt::warehouse::engine
