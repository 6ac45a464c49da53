#include "base/json.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/emit_define.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

/// Conversions: text to values as strictly as Redshift reads it, values to text as it writes them.
namespace redoubt::warehouse::engine::udf {
namespace {

namespace values = secure::values;

/// rs_<name> ends the statement where the text isn't valid; rs_try_<name> gives NULL (TRY_CAST).
template <class F>
void define_reader(duckdb::ExtensionLoader& loader, const std::string& name, F read) {
  using V = typename Unwrapped<decltype(read(std::string_view()))>::Value;
  define(loader, ("rs_" + name).c_str(), [read](std::string_view text) -> Result<V> { return read(text); });
  define(loader, ("rs_try_" + name).c_str(), [read](std::string_view text) -> std::optional<V> {
    auto v = read(text);
    if (!v) return std::nullopt;
    return *v;
  });
}

template <class T>
Result<T> integer(std::string_view text, values::Width width) {
  TRY(int64_t v, values::parse_integer(text, width));
  return T(v);
}

struct DecimalShape final : duckdb::FunctionData {
  int precision = 38, scale = 0;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override { return duckdb::make_uniq<DecimalShape>(*this); }
  bool Equals(const duckdb::FunctionData& o) const override {
    auto& s = o.Cast<DecimalShape>();
    return precision == s.precision && scale == s.scale;
  }
};

duckdb::unique_ptr<duckdb::FunctionData> bind_decimal(duckdb::ClientContext& context, duckdb::ScalarFunction& function,
                                                      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& args) {
  auto data = duckdb::make_uniq<DecimalShape>();
  data->precision = duckdb::ExpressionExecutor::EvaluateScalar(context, *args[1]).GetValue<int32_t>();
  data->scale = duckdb::ExpressionExecutor::EvaluateScalar(context, *args[2]).GetValue<int32_t>();
  function.return_type = duckdb::LogicalType::DECIMAL(38, data->scale);
  return data;
}

template <bool kTry>
void read_decimals(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  auto& shape = state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<DecimalShape>();
  auto f = [&shape](std::string_view text, int32_t, int32_t) -> Result<std::optional<Int128>> {
    auto d = values::parse_decimal(text);
    auto units = d ? values::rescale(*d, shape.precision, shape.scale) : Result<Int128>(std::unexpected(d.error()));
    if (units) return *units;
    if (kTry) return std::optional<Int128>();
    return std::unexpected(units.error());
  };
  executor<decltype(f), Result<std::optional<Int128>>, std::string_view, int32_t, int32_t>(
      f, std::index_sequence_for<std::string_view, int32_t, int32_t>{})(args, state, result);
}

/// Any type in and out: NULL is an error.
void not_null(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnifiedVectorFormat in, name;
  args.data[0].ToUnifiedFormat(args.size(), in);
  args.data[1].ToUnifiedFormat(args.size(), name);
  if (!in.validity.AllValid())
    for (duckdb::idx_t row = 0; row < args.size(); row++)
      if (!in.validity.RowIsValid(in.sel->get_index(row))) {
        auto column = Native<std::string_view>::load(
            duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(name)[name.sel->get_index(row)]);
        raise({&secure::kNotNullViolation, "Cannot insert a NULL value into column " + std::string(column)});
      }
  result.Reference(args.data[0]);
}

duckdb::unique_ptr<duckdb::FunctionData> bind_not_null(duckdb::ClientContext&, duckdb::ScalarFunction& function,
                                                       duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& args) {
  function.arguments[0] = args[0]->return_type;
  function.return_type = args[0]->return_type;
  return nullptr;
}

std::string array_item(std::string_view item) {
  bool plain = !item.empty() && !iequals(item, "null");
  for (char c : item) plain = plain && std::string_view("{},\"\\ \t\n").find(c) == std::string_view::npos;
  if (plain) return std::string(item);
  std::string out = "\"";
  for (char c : item) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// Lists of strings in, one string out: {a,"b c",NULL}, or with kJoin the items (without NULLs) between separators.
template <bool kJoin>
void array_text(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnifiedVectorFormat lists, items, separators;
  if (kJoin) args.data[1].ToUnifiedFormat(args.size(), separators);
  args.data[0].ToUnifiedFormat(args.size(), lists);
  auto& child = duckdb::ListVector::GetEntry(args.data[0]);
  child.ToUnifiedFormat(duckdb::ListVector::GetListSize(args.data[0]), items);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (duckdb::idx_t row = 0; row < args.size(); row++) {
    auto at = lists.sel->get_index(row);
    if (!lists.validity.RowIsValid(at)) {
      duckdb::FlatVector::SetNull(result, row, true);
      continue;
    }
    auto entry = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(lists)[at];
    if (kJoin) {
      auto separator_at = separators.sel->get_index(row);
      if (!separators.validity.RowIsValid(separator_at)) {
        duckdb::FlatVector::SetNull(result, row, true);
        continue;
      }
      auto separator =
          Native<std::string_view>::load(duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(separators)[separator_at]);
      std::string joined;
      bool any = false;
      for (duckdb::idx_t i = 0; i < entry.length; i++) {
        auto item = items.sel->get_index(entry.offset + i);
        if (!items.validity.RowIsValid(item)) continue;
        if (any) joined += separator;
        any = true;
        joined += Native<std::string_view>::load(duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(items)[item]);
      }
      put(result, row, joined);
      continue;
    }
    std::string out = "{";
    for (duckdb::idx_t i = 0; i < entry.length; i++) {
      if (i) out += ',';
      auto item = items.sel->get_index(entry.offset + i);
      out += items.validity.RowIsValid(item)
                 ? array_item(Native<std::string_view>::load(duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(items)[item]))
                 : "NULL";
    }
    put(result, row, out + "}");
  }
  if (args.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

std::vector<std::optional<std::string>> parse_array(std::string_view text) {
  std::vector<std::optional<std::string>> out;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}')
    raise({&secure::kInvalidText, "malformed array literal: \"" + std::string(text) + "\""});
  text = text.substr(1, text.size() - 2);
  size_t i = 0;
  while (i < text.size()) {
    std::string item;
    bool quoted = text[i] == '"';
    if (quoted) i++;
    while (i < text.size() && (quoted ? text[i] != '"' : text[i] != ',')) {
      if (text[i] == '\\' && i + 1 < text.size()) i++;
      item += text[i++];
    }
    if (quoted) i++;
    if (i < text.size() && text[i] == ',') i++;
    if (!quoted && iequals(item, "null"))
      out.push_back(std::nullopt);
    else
      out.push_back(std::move(item));
  }
  return out;
}

/// One string in, a list of strings out.
template <class Items>
duckdb::scalar_function_t list_maker(Items items_of) {
  return [items_of](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::UnifiedVectorFormat in;
    args.data[0].ToUnifiedFormat(args.size(), in);
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    for (duckdb::idx_t row = 0; row < args.size(); row++) {
      auto at = in.sel->get_index(row);
      auto& entry = duckdb::FlatVector::GetData<duckdb::list_entry_t>(result)[row];
      entry.offset = duckdb::ListVector::GetListSize(result);
      entry.length = 0;
      if (!in.validity.RowIsValid(at)) {
        duckdb::FlatVector::SetNull(result, row, true);
        continue;
      }
      auto items = items_of(Native<std::string_view>::load(duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(in)[at]));
      for (auto& item : items)
        duckdb::ListVector::PushBack(result, item ? duckdb::Value(*item) : duckdb::Value(duckdb::LogicalType::VARCHAR));
      entry.length = items.size();
    }
    if (args.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  };
}

}  // namespace

void register_conversions(duckdb::ExtensionLoader& loader) {
  using duckdb::LogicalType;
  define_reader(loader, "int2", [](std::string_view t) { return integer<int16_t>(t, values::Width::k16); });
  define_reader(loader, "int4", [](std::string_view t) { return integer<int32_t>(t, values::Width::k32); });
  define_reader(loader, "int8", [](std::string_view t) { return integer<int64_t>(t, values::Width::k64); });
  define_reader(loader, "float4", [](std::string_view t) { return values::parse_float(t); });
  define_reader(loader, "float8", [](std::string_view t) { return values::parse_double(t); });
  define_reader(loader, "bool", [](std::string_view t) { return values::parse_bool(t); });
  define_reader(loader, "date", [](std::string_view t) -> Result<Date> {
    TRY(int32_t days, values::parse_date(t));
    return Date{days};
  });
  define_reader(loader, "time", [](std::string_view t) -> Result<TimeOfDay> {
    TRY(int64_t micros, values::parse_time(t));
    return TimeOfDay{micros};
  });
  define_reader(loader, "timetz", [](std::string_view t) -> Result<TimeOfDay> {
    TRY(int64_t micros, values::parse_timetz(t));
    return TimeOfDay{micros};
  });
  define_reader(loader, "timestamp", [](std::string_view t) -> Result<Stamp> {
    TRY(int64_t micros, values::parse_timestamp(t));
    return Stamp{micros};
  });
  define_reader(loader, "timestamptz", [](std::string_view t) -> Result<ZonedStamp> {
    TRY(auto d, values::parse_datetime(t, "timestamp with time zone", values::kNoNow));
    auto offset = d.offset_seconds;
    if (!offset) offset = d.zone.empty() ? 0 : values::fixed_offset(d.zone);
    if (!offset) return fail(secure::kInvalidParameterValue, "time zone \"" + d.zone + "\" not recognized");
    if (!d.has_date)
      return fail(secure::kInvalidDatetime, "invalid input syntax for type timestamp with time zone: \"" + std::string(t) + "\"");
    return ZonedStamp{int64_t(d.days) * 86400000000 + d.micros - int64_t(*offset) * 1000000};
  });
  define(loader, "rs_has_zone", [](std::string_view t) -> Result<bool> {
    TRY(auto d, values::parse_datetime(t, "timestamp with time zone", values::kNoNow));
    return d.offset_seconds.has_value() || !d.zone.empty();
  });
  define(loader, "rs_interval", [](std::string_view t) -> Result<Span> {
    TRY(auto i, values::parse_interval(t));
    return Span{i.months, i.days, i.micros};
  });
  for (bool lenient : {false, true}) {
    duckdb::ScalarFunction f(lenient ? "rs_try_decimal" : "rs_decimal",
                             {LogicalType::VARCHAR, LogicalType::INTEGER, LogicalType::INTEGER}, LogicalType::DECIMAL(38, 0),
                             lenient ? read_decimals<true> : read_decimals<false>, bind_decimal);
    add(loader, std::move(f));
  }

  define(loader, "rs_text", [](double v) { return values::format_double(v); });
  define(loader, "rs_text", [](float v) { return values::format_float(v); });
  define(loader, "rs_text", [](Date v) { return values::format_date(v.days); });
  define(loader, "rs_text", [](Stamp v) { return values::format_timestamp(v.micros); });
  define(loader, "rs_text", [](ZonedStamp v) { return values::format_timestamp(v.micros) + "+00"; });
  define(loader, "rs_text", [](TimeOfDay v) { return values::format_time(v.micros); });
  define(loader, "rs_text", [](Span v) { return values::format_interval({v.months, v.days, v.micros}); });
  define(loader, "rs_zoned_text", [](Stamp local, int64_t offset) {
    return values::format_timestamp(local.micros) + values::format_offset(int32_t(offset / 1000000));
  });
  define(loader, "rs_blob_text", [](Blob b) -> Result<std::string> {
    if (!is_valid_utf8(b.bytes)) return fail(secure::kInvalidText, "invalid byte sequence for encoding \"UTF8\"");
    return std::string(b.bytes);
  });

  define(loader, "rs_cut", [](std::string_view t, int32_t bytes) { return std::string(values::cut(t, size_t(bytes))); });
  define(loader, "rs_fit", [](std::string_view t, int32_t bytes, std::string_view type) -> Result<std::string> {
    if (t.size() <= size_t(bytes)) return std::string(t);
    if (values::trim_trailing_blanks(t).size() > size_t(bytes))
      return fail(secure::kStringTruncation, "value too long for type " + std::string(type));
    return std::string(t.substr(0, size_t(bytes)));
  });

  duckdb::ScalarFunction null_check("rs_not_null", {LogicalType::ANY, LogicalType::VARCHAR}, LogicalType::ANY, not_null,
                                    bind_not_null);
  null_check.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  add(loader, std::move(null_check));

  add(loader, duckdb::ScalarFunction("rs_array_text", {LogicalType::LIST(LogicalType::VARCHAR)}, LogicalType::VARCHAR,
                                     array_text<false>));
  add(loader, duckdb::ScalarFunction("rs_array_join", {LogicalType::LIST(LogicalType::VARCHAR), LogicalType::VARCHAR},
                                     LogicalType::VARCHAR, array_text<true>));
  add(loader, duckdb::ScalarFunction("rs_array", {LogicalType::VARCHAR}, LogicalType::LIST(LogicalType::VARCHAR),
                                     list_maker(parse_array)));
  add(loader, duckdb::ScalarFunction("rs_super_items", {LogicalType::VARCHAR}, LogicalType::LIST(LogicalType::VARCHAR),
                                     list_maker([](std::string_view text) {
                                       std::vector<std::optional<std::string>> out;
                                       auto j = Json::parse(text);
                                       if (!j) return out;
                                       if (!j->is_array() && !j->is_null())
                                         out.push_back(std::string(text));  // a scalar is unnested as itself
                                       for (auto& item : j->items()) out.push_back(item.dump());
                                       return out;
                                     })));
}

}  // namespace redoubt::warehouse::engine::udf
