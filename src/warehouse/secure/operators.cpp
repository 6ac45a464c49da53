#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "warehouse/secure/analyzer.h"
#include "warehouse/secure/values.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using sql::Type;
using TK = sql::TypeKind;

namespace {

constexpr int64_t kEpoch2000 = 946684800LL * 1000000;  // 2000-01-01 in microseconds since 1970

bool is_unknown_parameter(const plan::Expr& e) { return e.kind == plan::ExprKind::kParameter && e.type.is(TK::kUnknown); }

std::string hex_of(std::string_view bytes) { return hex(bytes); }

plan::Coercion coercion_of(bool assignment) { return assignment ? plan::Coercion::kAssignment : plan::Coercion::kExplicit; }

}  // namespace

ExprPtr Analyzer::with_parameter_type(const plan::Expr& parameter, const Type& type) {
  Type plain = type.is(TK::kVarchar) || type.is(TK::kChar) ? Type::varchar() : type;
  Type& slot = parameters_[size_t(parameter.parameter - 1)];
  if (slot.is(TK::kUnknown)) slot = plain;
  plan::Expr e = parameter;
  e.type = slot;
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::finish(const ExprPtr& expr) {
  if (!expr->type.is(TK::kUnknown)) return expr;
  return convert(expr, Type::varchar(), Conversion::kImplicit);
}

Result<ExprPtr> Analyzer::convert(const ExprPtr& from_expr, const Type& target, Conversion how, sql::Position position) {
  ExprPtr expr = from_expr;
  Type to = target;
  if (is_unknown_parameter(*expr)) {
    expr = with_parameter_type(*expr, to);
  } else if (expr->type.is(TK::kUnknown)) {
    return convert_text(*expr, to, how, position);
  }
  const Type& from = expr->type;
  if (to.is(TK::kDecimal) && to.precision == Type::kAny) to = as_decimal(from);
  if (from == to || to.is(TK::kAnyElement)) return expr;
  bool allowed = how == Conversion::kExplicit     ? castable(from, to)
                 : how == Conversion::kAssignment ? assignable(from, to)
                                                  : implicit_cost(from, to).has_value();
  if (!allowed) return error(kCannotCoerce, "cannot cast type " + from.base_name() + " to " + to.base_name(), position);

  auto f = type_class(from), t = type_class(to);
  if (is_null(*expr)) return make_constant(to, std::nullopt);
  if (f == TypeClass::kOid || (t == TypeClass::kOid && !to.is(TK::kOid))) {
    if (to.kind != TK::kOid && f != TypeClass::kNumber && !(t == TypeClass::kNumber))
      return convert_reg(std::move(expr), to, position);
    return make_cast(std::move(expr), to, plan::Coercion::kExplicit);
  }
  if (f == TypeClass::kString && t == TypeClass::kString) {
    if (how == Conversion::kImplicit) return expr;
    if (is_constant(*expr)) {
      plan::Expr text = *expr;
      return convert_text(text, to, how, position);
    }
    bool fits = byte_length(from) <= byte_length(to) && (!to.is(TK::kChar) || from.is(TK::kChar));
    if (fits && to.is(TK::kVarchar) && to.length == Type::kAny && from.is(TK::kVarchar)) return expr;
    return make_cast(std::move(expr), to, coercion_of(how == Conversion::kAssignment && !fits));
  }
  if (is_constant(*expr) && f == TypeClass::kString) {
    plan::Expr text = *expr;
    return convert_text(text, to, how, position);
  }
  if (is_constant(*expr) && f == TypeClass::kNumber && t == TypeClass::kNumber) return convert_number(expr, to);
  if (from.is(TK::kTimestampTz) || to.is(TK::kTimestampTz) || from.is(TK::kTimeTz) || to.is(TK::kTimeTz))
    return convert_zoned(std::move(expr), to, how);
  return make_cast(std::move(expr), to, coercion_of(how == Conversion::kAssignment));
}

/// A literal becomes a constant of the type, in canonical text.
Result<ExprPtr> Analyzer::convert_text(const plan::Expr& constant, const Type& to, Conversion how, sql::Position position) {
  if (!constant.value) return make_constant(to, std::nullopt);
  const std::string& text = *constant.value;
  int64_t now = scope_.catalog.transaction_time() + kEpoch2000 +
                int64_t(values::fixed_offset(scope_.catalog.time_zone()).value_or(0)) * 1000000;
  auto relay = [&](const Error& e) { return error(*e.kind, e.message, position); };
  auto done = [&](std::string canonical) -> Result<ExprPtr> { return make_constant(to, std::move(canonical)); };
  switch (to.kind) {
    case TK::kUnknown:
      return make_constant(to, text);
    case TK::kChar:
    case TK::kVarchar: {
      std::string_view s = text;
      if (to.is(TK::kChar)) s = values::trim_trailing_blanks(s);
      if (to.length == Type::kAny)
        return make_constant(to.is(TK::kChar) ? Type::character(std::max(1, int(s.size()))) : Type::varchar(int(s.size())),
                             std::string(s));
      if (s.size() > size_t(to.length)) {
        if (how == Conversion::kAssignment && values::trim_trailing_blanks(s).size() > size_t(to.length))
          return error(kStringTruncation, "value too long for type " + to.format(), position);
        s = values::cut(s, size_t(to.length));
      }
      return done(std::string(s));
    }
    case TK::kText:
    case TK::kName:
    case TK::kCString:
    case TK::kAclItem:
    case TK::kRefCursor:
      return done(text);
    case TK::kCharByte:
      return done(text.substr(0, 1));
    case TK::kBoolean: {
      auto v = values::parse_bool(text);
      return v ? done(*v ? "true" : "false") : relay(v.error());
    }
    case TK::kSmallint:
    case TK::kInteger:
    case TK::kBigint: {
      auto v = values::parse_integer(text, to.is(TK::kSmallint)  ? values::Width::k16
                                           : to.is(TK::kInteger) ? values::Width::k32
                                                                 : values::Width::k64);
      return v ? done(std::to_string(*v)) : relay(v.error());
    }
    case TK::kDecimal: {
      auto v = values::parse_decimal(text);
      if (!v) return relay(v.error());
      if (to.precision == Type::kAny)
        return make_constant(Type::decimal(v->precision, std::min(v->scale, int(Type::kDecimalScaleMax))),
                             values::format_decimal(v->units, v->scale));
      auto units = values::rescale(*v, to.precision, to.scale);
      return units ? done(values::format_decimal(*units, to.scale)) : relay(units.error());
    }
    case TK::kReal:
    case TK::kDouble: {
      auto v = values::parse_double(text);
      if (!v) return relay(v.error());
      char buffer[64];
      auto [end, ec] = to.is(TK::kReal) ? std::to_chars(buffer, buffer + sizeof buffer, float(*v))
                                        : std::to_chars(buffer, buffer + sizeof buffer, *v);
      return done(std::string(buffer, end));
    }
    case TK::kDate: {
      auto v = values::parse_date(text, now);
      return v ? done(values::format_date(*v)) : relay(v.error());
    }
    case TK::kTime: {
      auto v = values::parse_time(text, now);
      return v ? done(values::format_time(*v)) : relay(v.error());
    }
    case TK::kTimeTz: {
      auto v = values::parse_timetz(text, now);
      return v ? done(values::format_time(*v) + "+00") : relay(v.error());
    }
    case TK::kTimestamp: {
      auto v = values::parse_timestamp(text, now);
      return v ? done(values::format_timestamp(*v)) : relay(v.error());
    }
    case TK::kTimestampTz: {
      auto v = values::parse_datetime(text, "timestamp with time zone", now);
      if (!v) return relay(v.error());
      if (!v->has_date)
        return error(kInvalidDatetime, "invalid input syntax for type timestamp with time zone: \"" + text + "\"", position);
      int64_t micros = int64_t(v->days) * 86400 * 1000000 + v->micros;
      std::string zone_name = v->zone.empty() ? scope_.catalog.time_zone() : v->zone;
      auto offset = v->offset_seconds ? v->offset_seconds : values::fixed_offset(zone_name);
      if (offset) return done(values::format_timestamp(micros - int64_t(*offset) * 1000000) + "+00");
      return make_call("timezone", TK::kTimestampTz,
                       {make_text(zone_name), make_constant(TK::kTimestamp, values::format_timestamp(micros))});
    }
    case TK::kInterval:
    case TK::kIntervalDayToSecond:
    case TK::kIntervalYearToMonth: {
      auto v = values::parse_interval(text);
      return v ? done(values::format_interval(*v)) : relay(v.error());
    }
    case TK::kSuper:
      return done(json_quote(text));
    case TK::kVarbyte:
      if (to.length != Type::kAny && text.size() > size_t(to.length)) {
        if (how == Conversion::kAssignment) return error(kStringTruncation, "value too long for type " + to.format(), position);
        return done(hex_of(std::string_view(text).substr(0, size_t(to.length))));
      }
      return done(hex_of(text));
    default:
      break;
  }
  if (type_class(to) == TypeClass::kArray) return text_to_array(text, to, position);
  if (type_class(to) == TypeClass::kOid) return text_to_oid(text, to, position);
  return error(kNotSupported, "a literal of type " + to.format() + " is not supported", position);
}

/// {a,"b c",NULL}, or the blank-separated form of int2vector and oidvector.
Result<ExprPtr> Analyzer::text_to_array(const std::string& text, const Type& to, sql::Position position) {
  Type element = to.is(TK::kInt2Vector) ? Type(TK::kSmallint) : to.is(TK::kOidVector) ? Type(TK::kOid) : Type(to.element);
  std::vector<Datum> items;
  auto malformed = [&] { return error(kInvalidText, "malformed array literal: \"" + text + "\"", position); };
  if (!to.is(TK::kArray)) {
    for (auto word : split(text, ' '))
      if (!word.empty()) items.emplace_back(std::string(word));
  } else {
    std::string_view s = trim(text);
    if (s.size() < 2 || s.front() != '{' || s.back() != '}') return malformed();
    s = s.substr(1, s.size() - 2);
    for (size_t i = 0; i < s.size();) {
      std::string item;
      bool quoted = s[i] == '"';
      if (quoted) i++;
      while (i < s.size() && (quoted ? s[i] != '"' : s[i] != ',')) {
        if (s[i] == '{') return error(kNotSupported, "arrays of arrays are not supported", position);
        if (s[i] == '\\' && i + 1 < s.size()) i++;
        item += s[i++];
      }
      if (quoted && (i >= s.size() || s[i++] != '"')) return malformed();
      if (i < s.size() && s[i++] != ',') return malformed();
      if (!quoted && iequals(trim(item), "null"))
        items.emplace_back();
      else
        items.emplace_back(std::move(item));
    }
  }
  std::vector<ExprPtr> values;
  for (auto& item : items) {
    TRY(ExprPtr value, convert_text(*make_constant(Type(), item), element, Conversion::kExplicit, position));
    values.push_back(std::move(value));
  }
  return make_call("array_list", to, std::move(values));
}

Result<ExprPtr> Analyzer::text_to_oid(const std::string& text, const Type& to, sql::Position position) {
  auto trimmed = trim(text);
  if (!trimmed.empty() && std::all_of(trimmed.begin(), trimmed.end(), is_digit)) {
    auto v = parse_int(trimmed);
    if (!v || *v > UINT32_MAX) return error(kOutOfRange, "value \"" + text + "\" is out of range for type oid", position);
    return make_constant(to, std::to_string(*v));
  }
  if (to.is(TK::kRegclass)) {
    TRY(sql::ObjectName name, sql::parse_name(text));
    name.position = position;
    Restore<bool> plain(context_.defining, false);
    TRY(const Relation* relation, find_relation(name));
    return make_constant(to, std::to_string(relation->oid));
  }
  if (to.is(TK::kRegtype)) {
    auto type = sql::parse_type(text);
    if (!type && text.starts_with("pg_catalog.")) type = sql::parse_type(text.substr(11));
    if (!type) return error(kUndefinedObject, "type \"" + text + "\" does not exist", position);
    return make_constant(to, std::to_string(type->oid()));
  }
  if (to.is(TK::kOid)) return error(kInvalidText, "invalid input syntax for type oid: \"" + text + "\"", position);
  std::string reader = std::string(to.type_name()) + "in";
  if (scope_.host.find(reader).empty()) return error(kUndefinedFunction, "function \"" + text + "\" does not exist", position);
  TRY(ExprPtr value, host_call(reader, {make_text(text)}, position));
  if (is_constant(*value)) return make_constant(to, value->value);
  return make_cast(std::move(value), to, plan::Coercion::kExplicit);
}

/// oid, regclass and the like, to and from text: only the server knows the names.
Result<ExprPtr> Analyzer::convert_reg(ExprPtr expr, const Type& to, sql::Position position) {
  auto from_class = type_class(expr->type), to_class = type_class(to);
  if (from_class == TypeClass::kOid && to_class == TypeClass::kOid) {
    if (is_constant(*expr)) return make_constant(to, expr->value);
    return make_cast(std::move(expr), to, plan::Coercion::kExplicit);
  }
  if (to_class == TypeClass::kString) {
    if (expr->type.is(TK::kOid) || expr->type.is(TK::kXid) || expr->type.is(TK::kCid))
      return make_cast(std::move(expr), to, plan::Coercion::kExplicit);
    auto as_oid =
        is_constant(*expr) ? make_constant(TK::kOid, expr->value) : make_cast(expr, TK::kOid, plan::Coercion::kExplicit);
    if (expr->type.is(TK::kRegtype))
      return host_call("format_type", {as_oid, make_constant(TK::kInteger, std::nullopt)}, position);
    return host_call(std::string(expr->type.type_name()) + "out", {as_oid}, position);
  }
  if (from_class == TypeClass::kString) {
    if (is_constant(*expr) && expr->value) return text_to_oid(*expr->value, to, position);
    if (to.is(TK::kOid)) return make_cast(std::move(expr), to, plan::Coercion::kExplicit);
    TRY(ExprPtr value, host_call(std::string(to.type_name()) + "in", {expr}, position));
    return make_cast(std::move(value), to, plan::Coercion::kExplicit);
  }
  return make_cast(std::move(expr), to, plan::Coercion::kExplicit);
}

Result<ExprPtr> Analyzer::convert_number(const ExprPtr& constant, const Type& to) {
  const std::string& text = *constant->value;
  if (to.is_float()) return make_constant(to, text);
  if (constant->type.is_float()) return make_cast(constant, to, plan::Coercion::kExplicit);
  TRY(auto d, values::parse_decimal(text));
  if (to.is(TK::kDecimal)) {
    TRY(auto units, values::rescale(d, to.precision, to.scale));
    return make_constant(to, values::format_decimal(units, to.scale));
  }
  TRY(auto units, values::rescale(d, 38, 0));
  auto width = to.is(TK::kSmallint) ? values::Width::k16 : to.is(TK::kInteger) ? values::Width::k32 : values::Width::k64;
  TRY(int64_t v, values::parse_integer(values::format_decimal(units, 0), width));
  return make_constant(to, std::to_string(v));
}

/// Conversions that depend on the session's time zone: written out as calls with the zone.
Result<ExprPtr> Analyzer::convert_zoned(ExprPtr expr, const Type& to, Conversion how) {
  const Type& from = expr->type;
  auto zoned = [&](ExprPtr e, TK kind) { return make_call("timezone", kind, {zone(), std::move(e)}); };
  if (to.is(TK::kTimestampTz)) {
    if (type_class(from) == TypeClass::kString) return make_call("text_to_timestamptz", to, {expr, zone()});
    if (from.is(TK::kDate)) expr = make_cast(std::move(expr), TK::kTimestamp, plan::Coercion::kExplicit);
    if (from.is(TK::kDate) || from.is(TK::kTimestamp)) return zoned(std::move(expr), TK::kTimestampTz);
  }
  if (from.is(TK::kTimestampTz)) {
    if (type_class(to) == TypeClass::kString) {
      auto text = make_call("timestamptz_to_text", Type::varchar(64), {expr, zoned(expr, TK::kTimestamp)});
      return convert(std::move(text), to, how);
    }
    auto local = zoned(std::move(expr), TK::kTimestamp);
    return to.is(TK::kTimestamp) ? Result<ExprPtr>(local) : convert(std::move(local), to, Conversion::kExplicit);
  }
  return make_cast(std::move(expr), to, plan::Coercion::kExplicit);
}

// ---- Operators ------------------------------------------------------------------------------------------------------

std::unexpected<Error> Analyzer::no_operator(const std::string& op, const ExprPtr& a, const ExprPtr& b, sql::Position position) {
  auto name = [](const ExprPtr& e) { return e->type.is(TK::kUnknown) ? std::string("\"unknown\"") : e->type.base_name(); };
  auto e = error(kUndefinedFunction, "operator does not exist: " + name(a) + " " + op + " " + name(b), position);
  return std::unexpected(std::move(e).error().with(
      "HINT", "No operator matches the given name and argument type(s). You may need to add explicit type casts."));
}

Result<Type> Analyzer::unify(std::vector<ExprPtr>& exprs, const char* what, sql::Position position) {
  std::vector<Type> types;
  for (auto& e : exprs) types.push_back(e->type);
  auto type = common_type(types);
  if (!type) {
    Type first, second;
    for (auto& t : types) {
      if (t.is(TK::kUnknown)) continue;
      if (first.is(TK::kUnknown)) first = t;
      Type pair[] = {first, t};
      if (!common_type(pair)) {
        second = t;
        break;
      }
    }
    return error(kDatatypeMismatch,
                 std::string(what) + " types " + first.base_name() + " and " + second.base_name() + " cannot be matched",
                 position);
  }
  if (type->is(TK::kVarchar)) {  // literals count with their length
    int longest = type->length == Type::kAny ? Type::kVarcharMax : type->length;
    bool all_literals = std::all_of(types.begin(), types.end(), [](auto& t) { return t.is(TK::kUnknown); });
    if (all_literals) longest = 1;
    for (auto& e : exprs)
      if (e->type.is(TK::kUnknown) && is_constant(*e) && e->value) longest = std::max(longest, int(e->value->size()));
    bool parameter = std::any_of(exprs.begin(), exprs.end(), [](auto& e) { return e->kind == plan::ExprKind::kParameter; });
    *type = Type::varchar(parameter ? Type::kAny : std::min(longest, int(Type::kVarcharMax)));
  }
  if (type->is(TK::kChar))
    for (auto& e : exprs)
      if (e->type.is(TK::kUnknown) && is_constant(*e) && e->value)
        type->length = std::max(type->length, int32_t(e->value->size()));
  for (auto& e : exprs) {
    bool strings = type_class(e->type) == TypeClass::kString && type_class(*type) == TypeClass::kString;
    if (strings) continue;  // the longest fits all: nothing to convert
    TRY(e, convert(std::move(e), *type, Conversion::kExplicit, position));
  }
  return *type;
}

Result<ExprPtr> Analyzer::comparison(const std::string& op, ExprPtr a, ExprPtr b, sql::Position position) {
  static const std::unordered_map<std::string, std::string> kIds{
      {"=", "eq"},
      {"<>", "ne"},
      {"<", "lt"},
      {"<=", "le"},
      {">", "gt"},
      {">=", "ge"},
      {"distinct", "distinct"},
      {"not_distinct", "not_distinct"},
  };
  auto id = kIds.find(op);
  if (id == kIds.end()) return no_operator(op, a, b, position);
  // A SUPER beside a value of another type is read as that type; where it holds something else it is NULL.
  for (auto [super, other] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
    if (!(*super)->type.is(TK::kSuper) || (*other)->type.is(TK::kSuper)) continue;
    TRY(*other, finish(*other));
    auto c = type_class((*other)->type);
    Type as = c == TypeClass::kNumber ? Type(TK::kDouble) : c == TypeClass::kString ? Type::varchar() : (*other)->type;
    if ((*other)->type.is(TK::kBigint) || (*other)->type.is(TK::kDecimal))
      as = Type::decimal(38, std::max<int>(10, (*other)->type.is(TK::kDecimal) ? (*other)->type.scale : 0));
    *super = make_call("try_cast", as, {*super});
  }
  auto type = comparison_type(a->type, b->type);
  if (!type) return no_operator(op, a, b, position);
  // Both are strings: compared as they are. Otherwise the string side is read as the other's type, as Redshift does.
  bool strings = type_class(a->type) == TypeClass::kString && type_class(b->type) == TypeClass::kString;
  if (!strings) {
    Type plain = type->is(TK::kVarchar) ? Type::varchar() : *type;
    // A literal beside char(n) must not be cut to n bytes: 'abc' = char(2) is false.
    if (plain.is(TK::kChar)) plain = Type::character(Type::kAny);
    TRY(a, convert(std::move(a), type_class(a->type) == TypeClass::kUnknown ? plain : *type, Conversion::kExplicit, position));
    TRY(b, convert(std::move(b), type_class(b->type) == TypeClass::kUnknown ? plain : *type, Conversion::kExplicit, position));
  }
  return make_call(id->second, TK::kBoolean, {std::move(a), std::move(b)});
}

Result<ExprPtr> Analyzer::operate(const std::string& op, ExprPtr a, ExprPtr b, sql::Position position) {
  if (op == "||") return concatenate(std::move(a), std::move(b), position);
  if (op.size() == 1 && std::string_view("+-*/%").find(op[0]) != std::string_view::npos)
    return arithmetic(op[0], std::move(a), std::move(b), position);
  if (op == "^") {
    for (auto* e : {&a, &b}) {
      if (!(*e)->type.is_numeric() && !(*e)->type.is(TK::kUnknown)) return no_operator(op, a, b, position);
      TRY(*e, convert(std::move(*e), TK::kDouble, Conversion::kImplicit, position));
    }
    return make_call("power", TK::kDouble, {a, b});
  }
  static const std::unordered_map<std::string, std::pair<const char*, bool>> kPatterns{
      {"~~", {"like", false}}, {"!~~", {"like", true}}, {"~~*", {"ilike", false}}, {"!~~*", {"ilike", true}},
      {"~", {"regex", false}}, {"!~", {"regex", true}}, {"~*", {"iregex", false}}, {"!~*", {"iregex", true}},
  };
  if (auto it = kPatterns.find(op); it != kPatterns.end()) {
    for (auto* e : {&a, &b}) {
      auto c = type_class((*e)->type);
      if (c != TypeClass::kString && c != TypeClass::kUnknown) return no_operator(op, a, b, position);
      TRY(*e, convert(std::move(*e), Type::varchar(), Conversion::kImplicit, position));
    }
    auto call = make_call(it->second.first, TK::kBoolean, {a, b});
    return it->second.second ? make_not(std::move(call)) : call;
  }
  static const std::unordered_map<std::string, const char*> kBits{
      {"&", "bit_and"}, {"|", "bit_or"}, {"#", "bit_xor"}, {"<<", "shift_left"}, {">>", "shift_right"}};
  if (auto it = kBits.find(op); it != kBits.end()) {
    for (auto* e : {&a, &b})
      if ((*e)->type.is(TK::kUnknown)) {
        TRY(*e, convert(std::move(*e), TK::kInteger, Conversion::kImplicit, position));
      }
    if (!a->type.is_integer() || !b->type.is_integer()) return no_operator(op, a, b, position);
    bool shift = op == "<<" || op == ">>";
    Type type = shift ? a->type : arithmetic_type('+', a->type, b->type);
    TRY(a, convert(std::move(a), type, Conversion::kImplicit, position));
    TRY(b, convert(std::move(b), shift ? Type(TK::kInteger) : type, Conversion::kImplicit, position));
    return make_call(it->second, type, {a, b});
  }
  return comparison(op, std::move(a), std::move(b), position);
}

Result<ExprPtr> Analyzer::concatenate(ExprPtr a, ExprPtr b, sql::Position position) {
  auto stringy = [](const ExprPtr& e) {
    auto c = type_class(e->type);
    return c == TypeClass::kString || c == TypeClass::kUnknown;
  };
  if (type_class(a->type) == TypeClass::kArray && type_class(b->type) == TypeClass::kArray) {  // the catalog's arrays
    TRY(b, convert(std::move(b), a->type, Conversion::kExplicit, position));
    Type type = a->type;
    return make_call("concat", type, {std::move(a), std::move(b)});
  }
  if (!stringy(a) && !stringy(b)) return no_operator("||", a, b, position);
  for (auto* e : {&a, &b}) {
    auto c = type_class((*e)->type);
    if (c == TypeClass::kArray || c == TypeClass::kOther || c == TypeClass::kVarbyte) return no_operator("||", a, b, position);
    TRY(*e, convert(std::move(*e), Type::varchar(), Conversion::kExplicit, position));
  }
  bool open = a->kind == plan::ExprKind::kParameter || b->kind == plan::ExprKind::kParameter;
  int length = std::min(byte_length(a->type) + byte_length(b->type), int(Type::kVarcharMax));
  return make_call("concat", open ? Type::varchar() : Type::varchar(std::max(length, 1)), {std::move(a), std::move(b)});
}

Result<ExprPtr> Analyzer::arithmetic(char op, ExprPtr a, ExprPtr b, sql::Position position) {
  static const std::unordered_map<char, const char*> kIds{{'+', "add"}, {'-', "sub"}, {'*', "mul"}, {'/', "div"}, {'%', "mod"}};
  auto x = type_class(a->type), y = type_class(b->type);
  auto none = [&] { return no_operator(std::string(1, op), a, b, position); };
  auto is_date = [](TypeClass c) {
    return c == TypeClass::kDate || c == TypeClass::kTimestamp || c == TypeClass::kTime || c == TypeClass::kInterval;
  };
  if (is_date(x) || is_date(y)) return date_arithmetic(op, std::move(a), std::move(b), position);
  if (x == TypeClass::kUnknown && y == TypeClass::kUnknown) {
    TRY(a, convert(std::move(a), TK::kInteger, Conversion::kImplicit, position));
    TRY(b, convert(std::move(b), TK::kInteger, Conversion::kImplicit, position));
  } else if (x == TypeClass::kUnknown || x == TypeClass::kSuper) {
    Type to = y == TypeClass::kNumber ? b->type : Type(TK::kDouble);
    TRY(a, convert(std::move(a), x == TypeClass::kUnknown && to.is(TK::kDecimal) ? Type::decimal(Type::kAny, 0) : to,
                   Conversion::kImplicit, position));
  }
  x = type_class(a->type);
  if (y == TypeClass::kUnknown || y == TypeClass::kSuper) {
    Type to = x == TypeClass::kNumber ? a->type : Type(TK::kDouble);
    TRY(b, convert(std::move(b), y == TypeClass::kUnknown && to.is(TK::kDecimal) ? Type::decimal(Type::kAny, 0) : to,
                   Conversion::kImplicit, position));
  }
  if (type_class(a->type) == TypeClass::kOid) {
    TRY(a, convert(std::move(a), TK::kBigint, Conversion::kImplicit, position));
  }
  if (type_class(b->type) == TypeClass::kOid) {
    TRY(b, convert(std::move(b), TK::kBigint, Conversion::kImplicit, position));
  }
  if (!a->type.is_numeric() || !b->type.is_numeric()) return none();
  Type type = arithmetic_type(op, a->type, b->type);
  if (op == '%' && type.is_float()) return none();
  for (auto* e : {&a, &b}) {
    Type to = type.is(TK::kDecimal) ? as_decimal((*e)->type) : type;
    TRY(*e, convert(std::move(*e), to, Conversion::kImplicit, position));
  }
  return make_call(kIds.at(op), type, {std::move(a), std::move(b)});
}

Result<ExprPtr> Analyzer::date_arithmetic(char op, ExprPtr a, ExprPtr b, sql::Position position) {
  auto none = [&] { return no_operator(std::string(1, op), a, b, position); };
  if (a->type.is(TK::kUnknown)) {
    TRY(a, convert(std::move(a), op == '-' ? b->type : Type(TK::kInterval), Conversion::kImplicit, position));
  }
  if (b->type.is(TK::kUnknown)) {
    bool same_kind = op == '-' && !(is_constant(*b) && b->value && values::parse_interval(*b->value));
    TRY(b, convert(std::move(b), same_kind ? a->type : Type(TK::kInterval), Conversion::kImplicit, position));
  }
  auto x = type_class(a->type), y = type_class(b->type);
  using C = TypeClass;
  if (op == '+' && (x == C::kNumber || x == C::kInterval) && y != C::kNumber && y != C::kInterval) {
    std::swap(a, b);
    std::swap(x, y);
  }
  if (op == '*' && x == C::kNumber && y == C::kInterval) {
    std::swap(a, b);
    std::swap(x, y);
  }
  if (x == C::kInterval) {
    if (y == C::kInterval && (op == '+' || op == '-'))
      return make_call(op == '+' ? "interval_add" : "interval_sub", a->type == b->type ? a->type : Type(TK::kInterval), {a, b});
    if (y == C::kNumber && (op == '*' || op == '/')) {
      TRY(b, convert(std::move(b), TK::kDouble, Conversion::kImplicit, position));
      return make_call(op == '*' ? "interval_mul" : "interval_div", a->type, {a, b});
    }
    return none();
  }
  if (op != '+' && op != '-') return none();
  if (y == C::kNumber && (x == C::kDate || x == C::kTimestamp)) {
    TRY(b, convert(std::move(b), TK::kInteger, Conversion::kImplicit, position));
    return make_call(op == '+' ? "add_days" : "sub_days", a->type, {a, b});
  }
  if (y == C::kInterval && (x == C::kDate || x == C::kTimestamp || x == C::kTime)) {
    if (x == C::kDate) {
      TRY(a, convert(std::move(a), TK::kTimestamp, Conversion::kImplicit, position));
    }
    return make_call(op == '+' ? "datetime_add" : "datetime_sub", a->type, {a, b});
  }
  if (op == '+' && ((x == C::kDate && y == C::kTime) || (x == C::kTime && y == C::kDate))) {
    if (x == C::kTime) std::swap(a, b);
    return make_call("date_add_time", TK::kTimestamp, {a, b});
  }
  if (op != '-') return none();
  if (x == C::kDate && y == C::kDate) return make_call("date_sub", TK::kInteger, {a, b});
  auto type = comparison_type(a->type, b->type);
  if (!type || (type_class(*type) != C::kTimestamp && type_class(*type) != C::kTime)) return none();
  TRY(a, convert(std::move(a), *type, Conversion::kImplicit, position));
  TRY(b, convert(std::move(b), *type, Conversion::kImplicit, position));
  return make_call("datetime_diff", TK::kInterval, {a, b});
}

}  // namespace redoubt::warehouse::secure
