#include "warehouse/session/parameter_types.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::session {
namespace {
using sql::Type;
using sql::TypeKind;

constexpr int kMaxDigits = 38;
constexpr uint32_t kBytea = 17;

bool is_open(const Type& t) { return t.is(TypeKind::kDecimal) && t.precision == Type::kAny; }

Type decimal_of(int64_t whole, int64_t scale) {
  scale = std::clamp<int64_t>(scale, 0, kMaxDigits - 1);
  return Type::decimal(int(std::clamp<int64_t>(whole + scale, std::max<int64_t>(scale, 1), kMaxDigits)), int(scale));
}

/// PostgreSQL's form: digits of base 10,000, the weight of the first, the sign, the digits behind the point.
std::optional<Type> measure_binary(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  auto word = [&](size_t at) { return int16_t(uint16_t(uint8_t(bytes[at])) << 8 | uint8_t(bytes[at + 1])); };
  return decimal_of(std::max(word(2) + 1, 0) * 4, word(6));
}

std::optional<Type> measure_text(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  auto digits = [&] {
    size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    text.remove_prefix(n);
    return int64_t(n);
  };
  int64_t whole = digits(), scale = 0, exponent = 0;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    scale = digits();
  }
  if (whole + scale == 0) return std::nullopt;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc() || std::abs(exponent) > 1000) return std::nullopt;
    text.remove_prefix(size_t(end - text.data()));
  }
  if (!text.empty()) return std::nullopt;
  return decimal_of(std::max<int64_t>(whole + exponent, 0), scale - exponent);
}

/// True when one changed.
bool widen(std::vector<Type>& declared, std::span<const Type> found, std::span<const engine::Parameter> values) {
  bool changed = false;
  for (size_t i = 0; i < found.size() && i < values.size(); i++) {
    if (!found[i].is(TypeKind::kDecimal)) continue;
    if (i < declared.size() && declared[i].is(TypeKind::kDecimal)) continue;  // told by the client, or measured
    auto own = measure_decimal(values[i]);
    if (!own || own->scale <= found[i].scale) continue;
    declared.resize(std::max(declared.size(), i + 1));
    declared[i] = *own;
    changed = true;
  }
  return changed;
}

Result<std::string> bytea_bytes(std::string_view text) {
  auto bad = [] { return fail(secure::kInvalidText, "invalid input syntax for type bytea"); };
  if (text.starts_with("\\x")) {
    auto bytes = unhex(text.substr(2));
    if (!bytes) return bad();
    return *std::move(bytes);
  }
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
    } else if (text.substr(i, 2) == "\\\\") {
      out += text[i++];
    } else {
      int value = 0;
      for (size_t k = 1; k <= 3; ++k) {
        if (i + k >= text.size() || text[i + k] < '0' || text[i + k] > '7') return bad();
        value = value * 8 + (text[i + k] - '0');
      }
      if (value > 255) return bad();
      out += char(value);
      i += 3;
    }
  }
  return out;
}

}  // namespace

Result<Type> declared_type(uint32_t oid) {
  if (!is_declared(oid)) return Type{};
  if (oid == kBytea) return Type::varbyte();
  auto type = sql::type_from_oid(oid);
  if (!type) return fail(secure::kUndefinedObject, "type with OID " + std::to_string(oid) + " does not exist");
  return type->is(TypeKind::kDecimal) ? Type::decimal(Type::kAny) : *type;
}

Result<void> read_byteas(std::span<const uint32_t> oids, std::span<engine::Parameter> values) {
  for (size_t i = 0; i < values.size() && i < oids.size(); i++) {
    if (oids[i] != kBytea || values[i].binary || !values[i].value) continue;
    TRY(values[i].value, bytea_bytes(*values[i].value));
    values[i].binary = true;
  }
  return {};
}

std::optional<Type> measure_decimal(const engine::Parameter& value) {
  if (!value.value) return std::nullopt;
  return value.binary ? measure_binary(*value.value) : measure_text(*value.value);
}

std::vector<Type> types_for_description(std::span<const Type> declared) {
  std::vector<Type> out(declared.begin(), declared.end());
  for (Type& t : out)
    if (is_open(t)) t = Type::decimal(kMaxDigits, 12);
  return out;
}

std::vector<Type> types_for_values(std::span<const Type> declared, std::span<const engine::Parameter> values) {
  std::vector<Type> out(declared.begin(), declared.end());
  for (size_t i = 0; i < out.size(); i++)
    if (is_open(out[i])) out[i] = (i < values.size() ? measure_decimal(values[i]) : std::nullopt).value_or(Type::decimal());
  return out;
}

std::vector<Type> types_of(std::span<const secure::plan::Output> columns) {
  std::vector<Type> out;
  for (auto& column : columns) out.push_back(column.type);
  return out;
}

Result<secure::plan::Statement> analyze_with_values(const sql::Command& command, const secure::Scope& scope,
                                                    std::span<const Type> declared, std::span<const engine::Parameter> values) {
  TRY(auto plan, secure::analyze(command, scope, declared));
  std::vector<Type> wider(declared.begin(), declared.end());
  if (!widen(wider, plan.parameters, values)) return plan;
  return secure::analyze(command, scope, wider);
}

}  // namespace redoubt::warehouse::session
