#include <cmath>

#include "warehouse/engine/duckdb/emit_define.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine::udf {
namespace {

namespace values = secure::values;
using secure::kDivisionByZero;
using secure::kOutOfRange;

const Error kZero{&kDivisionByZero, "division by zero"};
const Error kOverflow{&kOutOfRange, "Numeric data overflow (result precision)"};

template <class T>
void define_division(duckdb::ExtensionLoader& loader) {
  define(loader, "rs_div", [](T a, T b) -> Result<T> {
    if (b == 0) return fail(Error(kZero));
    if constexpr (std::is_integral_v<T>)
      if (b == -1 && a == std::numeric_limits<T>::min()) return fail(kOutOfRange, "value out of range");
    return T(a / b);
  });
}
template <class T>
void define_modulo(duckdb::ExtensionLoader& loader) {
  define(loader, "rs_mod", [](T a, T b) -> Result<T> {
    if (b == 0) return fail(Error(kZero));
    if constexpr (std::is_integral_v<T>)
      return T(b == -1 ? 0 : a % b);
    else
      return std::fmod(a, b);
  });
}

/// a * 10^shift / b, cut towards zero; nullopt if it needs more than 38 digits.
std::optional<Int128> scaled_quotient(Int128 a, Int128 b, int shift) {
  while (shift < 0) {
    // A divisor with more digits than fit: the quotient is 0 long before that.
    if (__builtin_mul_overflow(b, Int128(10), &b)) return Int128(0);
    shift++;
  }
  bool negative = (a < 0) != (b < 0);
  using U = unsigned __int128;
  U dividend = a < 0 ? -U(a) : U(a), divisor = b < 0 ? -U(b) : U(b);
  U quotient = dividend / divisor, rest = dividend % divisor;
  const U limit = U(values::power_of_ten(38));
  for (; shift > 0; shift--) {
    // rest * 10 / divisor without overflow: ten additions, each reduced.
    U digit = 0, sum = 0;
    for (int i = 0; i < 10; i++) {
      sum += rest;
      if (sum >= divisor) {
        sum -= divisor;
        digit++;
      }
    }
    rest = sum;
    if (quotient > limit / 10) return std::nullopt;
    quotient = quotient * 10 + digit;
    if (quotient >= limit) return std::nullopt;
  }
  if (quotient >= limit) return std::nullopt;
  return negative ? -Int128(quotient) : Int128(quotient);
}

enum class Rounding { kHalfAway, kTowardsZero, kUp, kDown };

Result<Int128> round_at(Int128 v, int scale, int digits, Rounding how) {
  int drop = scale - digits;
  if (drop <= 0) return v;
  if (drop > 38) return Int128(0);
  Int128 unit = values::power_of_ten(drop), rest = v % unit, base = v - rest;
  bool up = false, down = false;
  switch (how) {
    case Rounding::kHalfAway:
      up = rest >= unit - rest && rest > 0;
      down = -rest >= unit + rest && rest < 0;
      break;
    case Rounding::kTowardsZero:
      break;
    case Rounding::kUp:
      up = rest > 0;
      break;
    case Rounding::kDown:
      down = rest < 0;
      break;
  }
  if (up) base += unit;
  if (down) base -= unit;
  Int128 limit = values::power_of_ten(38);
  if (base >= limit || base <= -limit) return fail(Error(kOverflow));
  return base;
}

struct Scales final : duckdb::FunctionData {
  int result = 0, shift = 0, first = 0;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override { return duckdb::make_uniq<Scales>(*this); }
  bool Equals(const duckdb::FunctionData& o) const override {
    auto& s = o.Cast<Scales>();
    return result == s.result && shift == s.shift && first == s.first;
  }
};

const Scales& scales_of(duckdb::ExpressionState& state) {
  return state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<Scales>();
}

int scale_of(const duckdb::LogicalType& type) {
  return type.id() == duckdb::LogicalTypeId::DECIMAL ? duckdb::DecimalType::GetScale(type) : 0;
}

int constant_int(duckdb::ClientContext& context, const duckdb::Expression& e) {
  return duckdb::ExpressionExecutor::EvaluateScalar(context, e).GetValue<int32_t>();
}

duckdb::unique_ptr<duckdb::FunctionData> bind_divide(duckdb::ClientContext& context, duckdb::ScalarFunction& function,
                                                     duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& args) {
  auto data = duckdb::make_uniq<Scales>();
  int a = scale_of(args[0]->return_type), b = scale_of(args[1]->return_type);
  data->result = constant_int(context, *args[2]);
  data->shift = data->result + b - a;
  function.arguments[0] = duckdb::LogicalType::DECIMAL(38, a);
  function.arguments[1] = duckdb::LogicalType::DECIMAL(38, b);
  function.return_type = duckdb::LogicalType::DECIMAL(38, data->result);
  return data;
}

/// First argument a decimal of 38 digits that gives the result its scale.
duckdb::unique_ptr<duckdb::FunctionData> bind_same_scale(duckdb::ClientContext&, duckdb::ScalarFunction& function,
                                                         duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& args) {
  auto data = duckdb::make_uniq<Scales>();
  data->first = scale_of(args[0]->return_type);
  for (auto& type : function.arguments)
    if (type.id() == duckdb::LogicalTypeId::DECIMAL) type = duckdb::LogicalType::DECIMAL(38, data->first);
  function.return_type = duckdb::LogicalType::DECIMAL(38, data->first);
  return data;
}

template <class B>
duckdb::scalar_function_t decimal_executor(std::function<Result<std::optional<Int128>>(const Scales&, Int128, B)> f) {
  return [f](duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
    auto& scales = scales_of(state);
    executor<std::function<Result<std::optional<Int128>>(Int128, B)>, Result<std::optional<Int128>>, Int128, B>(
        [&](Int128 a, B b) { return f(scales, a, b); }, std::index_sequence_for<Int128, B>{})(args, state, result);
  };
}

void add_decimal(duckdb::ExtensionLoader& loader, const char* name, duckdb::vector<duckdb::LogicalType> args,
                 duckdb::bind_scalar_function_t bind, duckdb::scalar_function_t run) {
  duckdb::ScalarFunction function(name, std::move(args), duckdb::LogicalType::DECIMAL(38, 0), std::move(run), bind);
  add(loader, std::move(function));
}

}  // namespace

void register_numbers(duckdb::ExtensionLoader& loader) {
  using duckdb::LogicalType;
  using duckdb::LogicalTypeId;
  define_division<int16_t>(loader);
  define_division<int32_t>(loader);
  define_division<int64_t>(loader);
  define_division<float>(loader);
  define_division<double>(loader);
  define_modulo<int16_t>(loader);
  define_modulo<int32_t>(loader);
  define_modulo<int64_t>(loader);
  define_modulo<float>(loader);
  define_modulo<double>(loader);

  LogicalType decimal(LogicalTypeId::DECIMAL);
  add_decimal(loader, "rs_divide", {decimal, decimal, LogicalType::INTEGER}, bind_divide,
              [](duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
                int shift = scales_of(state).shift;
                auto f = [shift](Int128 a, Int128 b, int32_t) -> Result<Int128> {
                  if (b == 0) return fail(Error(kZero));
                  auto q = scaled_quotient(a, b, shift);
                  if (!q) return fail(Error(kOverflow));
                  return *q;
                };
                executor<decltype(f), Result<Int128>, Int128, Int128, int32_t>(
                    f, std::index_sequence_for<Int128, Int128, int32_t>{})(args, state, result);
              });
  add_decimal(loader, "rs_mod", {decimal, decimal}, bind_same_scale,
              decimal_executor<Int128>([](const Scales&, Int128 a, Int128 b) -> Result<std::optional<Int128>> {
                if (b == 0) return fail(Error(kZero));
                return a % b;
              }));
  add_decimal(loader, "rs_mean", {decimal, LogicalType::BIGINT}, bind_same_scale,
              decimal_executor<int64_t>([](const Scales&, Int128 sum, int64_t count) -> Result<std::optional<Int128>> {
                if (count == 0) return std::optional<Int128>();
                return sum / count;
              }));
  for (auto [name, how] :
       {std::pair{"rs_round_digits", Rounding::kHalfAway}, std::pair{"rs_trunc_digits", Rounding::kTowardsZero},
        std::pair{"rs_ceil_digits", Rounding::kUp}, std::pair{"rs_floor_digits", Rounding::kDown}})
    add_decimal(loader, name, {decimal, LogicalType::INTEGER}, bind_same_scale,
                decimal_executor<int32_t>([how](const Scales& s, Int128 v, int32_t digits) -> Result<std::optional<Int128>> {
                  TRY(Int128 out, round_at(v, s.first, digits, how));
                  return out;
                }));
  define(loader, "rs_round_float", [](double v, int32_t digits) {
    double unit = std::pow(10.0, digits), scaled = v * unit;
    return std::isfinite(scaled) ? std::round(scaled) / unit : v;
  });
  define(loader, "rs_trunc_float", [](double v, int32_t digits) {
    double unit = std::pow(10.0, digits), scaled = v * unit;
    return std::isfinite(scaled) ? std::trunc(scaled) / unit : v;
  });
  define(loader, "rs_interval_mul", [](Span s, double by) -> Result<Span> {
    double months = s.months * by, days = s.days * by + (months - std::trunc(months)) * 30;
    double micros = double(s.micros) * by + (days - std::trunc(days)) * 86400e6;
    if (!(std::abs(months) < 2e9 && std::abs(days) < 2e9 && std::abs(micros) < 9e18))
      return fail(secure::kDatetimeOverflow, "interval out of range");
    return Span{int32_t(months), int32_t(days), std::llround(micros)};
  });
  define(loader, "rs_interval_div", [](Span s, double by) -> Result<Span> {
    if (by == 0) return fail(Error(kZero));
    double months = s.months / by, days = s.days / by + (months - std::trunc(months)) * 30;
    double micros = double(s.micros) / by + (days - std::trunc(days)) * 86400e6;
    if (!(std::abs(months) < 2e9 && std::abs(days) < 2e9 && std::abs(micros) < 9e18))
      return fail(secure::kDatetimeOverflow, "interval out of range");
    return Span{int32_t(months), int32_t(days), std::llround(micros)};
  });
}

}  // namespace redoubt::warehouse::engine::udf
