#pragma once
/// The functions that SQL may call: an allow-list. What isn't a row here, a form that the analyzer builds itself (COALESCE,
/// DECODE ..) or one of HostFunctions doesn't exist, whatever the engine could do under that name.
/// Source: Database Developer Guide, "SQL functions reference".
///
///   for (const Function* f : find_functions("substring")) ..     // its overloads, in order of preference
///
/// `id` is what a plan calls it by; several names may share one. engine/duckdb/emit_functions.cpp says what each id means.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/type.h"

namespace redoubt::warehouse::secure {

enum class FunctionKind : uint8_t {
  kScalar,
  kAggregate,   // also with OVER
  kOrderedSet,  // an aggregate that needs WITHIN GROUP
  kWindow,      // needs OVER
};

/// What a parameter accepts.
enum class ParameterKind : uint8_t {
  kType,      // what converts to `type`
  kString,    // any string, as it is
  kNumber,    // any number, as it is
  kDecimal,   // any decimal, integers become decimals
  kAny,       // anything, as it is; an untyped literal becomes varchar
  kSame,      // all parameters of this kind are brought to one type
  kArray,     // an array of the catalog
  kDatePart,  // a date part, as word or literal: a constant with its canonical name
};

struct FunctionParameter {
  ParameterKind kind = ParameterKind::kType;
  sql::Type type;
};

/// How the result's type follows from the arguments (after their conversion).
enum class ResultRule : uint8_t {
  kType,      // `result`
  kArgument,  // that of argument `from`
  kLength,    // varchar as long as argument `from`
  kConcat,    // varchar as long as all arguments together
  kSum,
  kAverage,
  kRound,  // decimals: scale is the constant second argument, or 0
  kModulo,
  kElement,  // of the array argument
  kArrayOf,  // an array of the argument's type
};

struct Function {
  std::string_view name, id;
  FunctionKind kind = FunctionKind::kScalar;
  std::vector<FunctionParameter> parameters;
  bool variadic = false;  // the last parameter may be repeated
  ResultRule rule = ResultRule::kType;
  sql::Type result;
  size_t from = 0;
  bool is_volatile = false;
  bool takes_frame = true;  // kWindow: first_value yes, rank no
};

/// Empty if there is no function of that name. Pointers live forever.
std::span<const Function* const> find_functions(std::string_view name);
/// Every row, for tests and documentation.
std::span<const Function> all_functions();

/// "mon" -> "month"; "" if it isn't a date part.
std::string_view date_part(std::string_view word);

}  // namespace redoubt::warehouse::secure
