#pragma once
/// From a plain C++ function to a DuckDB scalar function, for emit_udf*.cpp alone (includes duckdb.hpp):
///
///   define(loader, "rs_int4", [](std::string_view text) -> Result<int32_t> { .. });
///
/// Argument and result types follow from the signature. A NULL argument gives NULL without a call; so does an empty
/// std::optional. An Error ends the statement. Every function is registered as able to throw.
#include <duckdb.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "warehouse/engine/duckdb/emit_udf.h"

namespace redoubt::warehouse::engine::udf {

using Int128 = __int128;

/// DATE, TIMESTAMP, TIMESTAMPTZ, TIME, INTERVAL, BLOB in signatures.
struct Date {
  int32_t days;
};
struct Stamp {
  int64_t micros;
};
struct ZonedStamp {
  int64_t micros;
};
struct TimeOfDay {
  int64_t micros;
};
struct Span {
  int32_t months, days;
  int64_t micros;
};
struct Blob {
  std::string_view bytes;
};
struct BlobResult {
  std::string bytes;
};

inline Int128 from_huge(duckdb::hugeint_t h) { return (Int128(h.upper) << 64) | Int128(h.lower); }
inline duckdb::hugeint_t to_huge(Int128 v) {
  duckdb::hugeint_t h;
  h.lower = uint64_t(v);
  h.upper = int64_t(v >> 64);
  return h;
}

template <class T>
struct Native {  // numbers and bool are stored as they are
  using Stored = T;
  static T load(const T& v) { return v; }
  static T store(duckdb::Vector&, const T& v) { return v; }
};
#define REDOUBT_NATIVE(T, S, LOAD, STORE)                                              \
  template <>                                                                          \
  struct Native<T> {                                                                   \
    using Stored = S;                                                                  \
    static T load(const S& v) { return LOAD; }                                         \
    static S store([[maybe_unused]] duckdb::Vector& out, const T& v) { return STORE; } \
  };
REDOUBT_NATIVE(Date, duckdb::date_t, Date{v.days}, duckdb::date_t(v.days))
REDOUBT_NATIVE(Stamp, duckdb::timestamp_t, Stamp{v.value}, duckdb::timestamp_t(v.micros))
REDOUBT_NATIVE(ZonedStamp, duckdb::timestamp_t, ZonedStamp{v.value}, duckdb::timestamp_t(v.micros))
REDOUBT_NATIVE(TimeOfDay, duckdb::dtime_t, TimeOfDay{v.micros}, duckdb::dtime_t(v.micros))
REDOUBT_NATIVE(Int128, duckdb::hugeint_t, from_huge(v), to_huge(v))
template <>
struct Native<Span> {
  using Stored = duckdb::interval_t;
  static Span load(const Stored& v) { return {v.months, v.days, v.micros}; }
  static Stored store(duckdb::Vector&, const Span& v) {
    Stored i;
    i.months = v.months;
    i.days = v.days;
    i.micros = v.micros;
    return i;
  }
};
template <>
struct Native<std::string_view> {
  using Stored = duckdb::string_t;
  static std::string_view load(const Stored& v) { return {v.GetData(), v.GetSize()}; }
};
template <>
struct Native<std::string> {
  using Stored = duckdb::string_t;
  static Stored store(duckdb::Vector& out, const std::string& v) {
    return duckdb::StringVector::AddStringOrBlob(out, v.data(), v.size());
  }
};
template <>
struct Native<Blob> {
  using Stored = duckdb::string_t;
  static Blob load(const Stored& v) { return {{v.GetData(), v.GetSize()}}; }
};
template <>
struct Native<BlobResult> {
  using Stored = duckdb::string_t;
  static Stored store(duckdb::Vector& out, const BlobResult& v) {
    return duckdb::StringVector::AddStringOrBlob(out, v.bytes.data(), v.bytes.size());
  }
};
#undef REDOUBT_NATIVE

template <class T>
duckdb::LogicalType logical() {
  using duckdb::LogicalType;
  if constexpr (std::is_same_v<T, bool>)
    return LogicalType::BOOLEAN;
  else if constexpr (std::is_same_v<T, int16_t>)
    return LogicalType::SMALLINT;
  else if constexpr (std::is_same_v<T, int32_t>)
    return LogicalType::INTEGER;
  else if constexpr (std::is_same_v<T, int64_t>)
    return LogicalType::BIGINT;
  else if constexpr (std::is_same_v<T, float>)
    return LogicalType::FLOAT;
  else if constexpr (std::is_same_v<T, double>)
    return LogicalType::DOUBLE;
  else if constexpr (std::is_same_v<T, Date>)
    return LogicalType::DATE;
  else if constexpr (std::is_same_v<T, Stamp>)
    return LogicalType::TIMESTAMP;
  else if constexpr (std::is_same_v<T, ZonedStamp>)
    return LogicalType::TIMESTAMP_TZ;
  else if constexpr (std::is_same_v<T, TimeOfDay>)
    return LogicalType::TIME;
  else if constexpr (std::is_same_v<T, Span>)
    return LogicalType::INTERVAL;
  else if constexpr (std::is_same_v<T, Blob> || std::is_same_v<T, BlobResult>)
    return LogicalType::BLOB;
  else if constexpr (std::is_same_v<T, Int128>)
    return LogicalType::DECIMAL(38, 0);
  else
    return LogicalType::VARCHAR;
}

template <class R>
struct Unwrapped {
  using Value = R;
};
template <class T>
struct Unwrapped<Result<T>> {
  using Value = typename Unwrapped<T>::Value;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using Value = T;
};

[[noreturn]] inline void raise(const Error& error) { throw duckdb::InvalidInputException(marked(error)); }

/// Writes what a function returned into a row.
template <class R>
void put(duckdb::Vector& out, duckdb::idx_t row, R&& value) {
  using V = std::decay_t<R>;
  if constexpr (requires {
                  value.has_value();
                  value.error();
                }) {
    if (!value) raise(value.error());
    put(out, row, *std::move(value));
  } else if constexpr (requires { value.has_value(); }) {
    if (!value)
      duckdb::FlatVector::SetNull(out, row, true);
    else
      put(out, row, *std::move(value));
  } else {
    duckdb::FlatVector::GetData<typename Native<V>::Stored>(out)[row] = Native<V>::store(out, value);
  }
}

template <class F, class R, class... A, size_t... I>
duckdb::scalar_function_t executor(F f, std::index_sequence<I...>) {
  return [f](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::idx_t rows = args.AllConstant() ? 1 : args.size();
    std::array<duckdb::UnifiedVectorFormat, sizeof...(A)> in;
    for (size_t i = 0; i < in.size(); i++) args.data[i].ToUnifiedFormat(rows, in[i]);
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    for (duckdb::idx_t row = 0; row < rows; row++) {
      std::array<duckdb::idx_t, sizeof...(A)> at{in[I].sel->get_index(row)...};
      if (!(in[I].validity.RowIsValid(at[I]) && ...)) {
        duckdb::FlatVector::SetNull(result, row, true);
        continue;
      }
      put(result, row, f(Native<A>::load(duckdb::UnifiedVectorFormat::GetData<typename Native<A>::Stored>(in[I])[at[I]])...));
    }
    if (args.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  };
}

inline void add(duckdb::ExtensionLoader& loader, duckdb::ScalarFunction function) {
  function.SetFallible();
  duckdb::ScalarFunctionSet set(function.name);
  set.AddFunction(std::move(function));
  duckdb::CreateScalarFunctionInfo info(std::move(set));
  info.on_conflict = duckdb::OnCreateConflict::ALTER_ON_CONFLICT;
  loader.RegisterFunction(std::move(info));
}

template <class F, class R, class... A>
void define_typed(duckdb::ExtensionLoader& loader, const char* name, F f, R (F::*)(A...) const) {
  using Value = typename Unwrapped<R>::Value;
  duckdb::ScalarFunction function(name, {logical<A>()...}, logical<Value>(),
                                  executor<F, R, A...>(f, std::index_sequence_for<A...>{}));
  add(loader, std::move(function));
}

template <class F>
void define(duckdb::ExtensionLoader& loader, const char* name, F f) {
  define_typed(loader, name, f, &F::operator());
}

/// A function of any number of strings; with `nulls`, NULLs reach it as nullopt.
using Texts = std::vector<std::optional<std::string_view>>;
template <class F>
void define_variadic(duckdb::ExtensionLoader& loader, const char* name, bool nulls, F f) {
  auto run = [f, nulls](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::idx_t rows = args.AllConstant() && args.ColumnCount() > 0 ? 1 : args.size();
    std::vector<duckdb::UnifiedVectorFormat> in(args.ColumnCount());
    for (size_t i = 0; i < in.size(); i++) args.data[i].ToUnifiedFormat(rows, in[i]);
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    Texts texts(in.size());
    for (duckdb::idx_t row = 0; row < rows; row++) {
      bool null = false;
      for (size_t i = 0; i < in.size(); i++) {
        auto at = in[i].sel->get_index(row);
        texts[i].reset();
        if (in[i].validity.RowIsValid(at))
          texts[i] = Native<std::string_view>::load(duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(in[i])[at]);
        null |= !texts[i];
      }
      if (null && !nulls)
        duckdb::FlatVector::SetNull(result, row, true);
      else
        put(result, row, f(texts));
    }
    if (args.AllConstant() && args.ColumnCount() > 0) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  };
  using R = decltype(f(std::declval<const Texts&>()));
  duckdb::ScalarFunction function(name, {}, logical<typename Unwrapped<R>::Value>(), run);
  function.varargs = duckdb::LogicalType::VARCHAR;
  if (nulls) function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  add(loader, std::move(function));
}

// The parts of register_udfs().
void register_conversions(duckdb::ExtensionLoader& loader);  // emit_udf_values.cpp
void register_numbers(duckdb::ExtensionLoader& loader);      // emit_udf_numbers.cpp
void register_texts(duckdb::ExtensionLoader& loader);        // emit_udf_texts.cpp: strings, JSON, dates by format

}  // namespace redoubt::warehouse::engine::udf
