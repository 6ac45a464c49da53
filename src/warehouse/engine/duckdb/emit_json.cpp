#include "warehouse/engine/duckdb/emit_json.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::engine::json {
namespace {

Text text_of(const Json& j) {
  if (j.is_null()) return std::nullopt;
  if (j.is_string() || j.is_number()) return j.text();
  return j.dump();
}

std::unexpected<Error> bad_json() { return fail(secure::kInvalidText, "JSON parsing error"); }

}  // namespace

Result<Text> extract_path(std::span<const std::optional<std::string_view>> path, bool lenient) {
  for (auto& p : path)
    if (!p) return Text();
  auto j = Json::parse(*path[0]);
  if (!j) return lenient ? Result<Text>(Text()) : bad_json();
  const Json* at = &*j;
  for (size_t i = 1; i < path.size(); i++) {
    if (at->is_array()) {
      auto index = parse_int(*path[i]);
      if (!index || *index < 0 || size_t(*index) >= at->size()) return Text();
      at = &at->items()[size_t(*index)];
    } else {
      at = at->find(*path[i]);
      if (!at) return Text();
    }
  }
  return text_of(*at);
}

Result<Text> extract_element(std::string_view array, int64_t index, bool lenient) {
  auto j = Json::parse(array);
  if (!j || !j->is_array()) return lenient ? Result<Text>(Text()) : bad_json();
  if (index < 0 || size_t(index) >= j->size()) return Text();
  return text_of(j->items()[size_t(index)]);
}

Result<std::optional<int32_t>> array_length(std::string_view array, bool lenient) {
  auto j = Json::parse(array);
  if (!j || !j->is_array()) return lenient ? Result<std::optional<int32_t>>(std::optional<int32_t>()) : bad_json();
  return std::optional(int32_t(j->size()));
}

bool is_valid(std::string_view text) {
  auto j = Json::parse(text);
  return j && (j->is_object() || j->is_array());
}
bool is_valid_array(std::string_view text) {
  auto j = Json::parse(text);
  return j && j->is_array();
}
bool can_parse(std::string_view text) { return Json::parse(text).has_value(); }

Result<std::string> parse(std::string_view text) {
  auto j = Json::parse(text);
  if (!j) return bad_json();
  return j->dump();
}

Text super_text(std::string_view value) {
  auto j = Json::parse(value);
  return j ? text_of(*j) : Text();
}

Text super_field(std::string_view value, std::string_view name) {
  auto j = Json::parse(value);
  const Json* member = j ? j->find(name) : nullptr;
  if (!member || member->is_null()) return std::nullopt;
  return member->dump();
}

Text super_element(std::string_view value, int64_t index) {
  auto j = Json::parse(value);
  if (!j || !j->is_array() || index < 0 || size_t(index) >= j->size()) return std::nullopt;
  auto& item = j->items()[size_t(index)];
  if (item.is_null()) return std::nullopt;
  return item.dump();
}

std::string super_array(std::span<const std::optional<std::string_view>> items) {
  std::string out = "[";
  for (size_t i = 0; i < items.size(); i++) {
    if (i) out += ',';
    out += items[i].value_or("null");
  }
  return out + "]";
}

Result<std::string> super_object(std::span<const std::optional<std::string_view>> pairs) {
  if (pairs.size() % 2 != 0) return fail(secure::kInvalidParameterValue, "object() takes an even number of arguments");
  Json out = Json::object();
  for (size_t i = 0; i < pairs.size(); i += 2) {
    auto key = pairs[i] ? Json::parse(*pairs[i]) : Result<Json>(Json());
    if (!key || !key->is_string()) return fail(secure::kInvalidParameterValue, "object() keys must be strings");
    auto value = pairs[i + 1] ? Json::parse(*pairs[i + 1]) : Result<Json>(Json());
    out.set(key->text(), value ? *value : Json());
  }
  return out.dump();
}

Text array_concat(std::string_view a, std::string_view b) {
  auto x = Json::parse(a), y = Json::parse(b);
  if (!x || !y || !x->is_array() || !y->is_array()) return std::nullopt;
  for (auto& item : y->items()) x->push(item);
  return x->dump();
}

Text array_flatten(std::string_view value) {
  auto j = Json::parse(value);
  if (!j || !j->is_array()) return std::nullopt;
  Json out = Json::array();
  for (auto& item : j->items()) {
    if (!item.is_array()) out.push(item);
    for (auto& inner : item.items()) out.push(inner);
  }
  return out.dump();
}

std::optional<int32_t> get_array_length(std::string_view value) {
  auto j = Json::parse(value);
  if (!j || !j->is_array()) return std::nullopt;
  return int32_t(j->size());
}

Text subarray(std::string_view value, int64_t start, std::optional<int64_t> length) {
  auto j = Json::parse(value);
  if (!j || !j->is_array()) return std::nullopt;
  int64_t size = int64_t(j->size()), from = std::clamp<int64_t>(start < 0 ? size + start : start, 0, size);
  int64_t to = length ? std::min(size, from + std::max<int64_t>(*length, 0)) : size;
  Json out = Json::array();
  for (int64_t i = from; i < to; i++) out.push(j->items()[size_t(i)]);
  return out.dump();
}

namespace {

bool holds(const Json& array, const Json& item) {
  return std::find(array.items().begin(), array.items().end(), item) != array.items().end();
}

std::optional<Json> array_of(std::string_view text) {
  auto j = Json::parse(text);
  if (!j || !j->is_array()) return std::nullopt;
  return *std::move(j);
}

}  // namespace

std::optional<bool> contains(std::string_view array, std::string_view item) {
  auto a = array_of(array);
  auto i = Json::parse(item);
  if (!a || !i) return std::nullopt;
  return holds(*a, *i);
}

std::optional<int32_t> position(std::string_view array, std::string_view item) {
  auto a = array_of(array);
  auto i = Json::parse(item);
  if (!a || !i) return std::nullopt;
  for (size_t n = 0; n < a->size(); n++)
    if (a->items()[n] == *i) return int32_t(n);
  return -1;
}

Text positions(std::string_view array, std::string_view item) {
  auto a = array_of(array);
  auto i = Json::parse(item);
  if (!a || !i) return std::nullopt;
  Json out = Json::array();
  for (size_t n = 0; n < a->size(); n++)
    if (a->items()[n] == *i) out.push(int64_t(n));
  return out.dump();
}

Text set_operation(SetOp op, std::string_view a, std::string_view b) {
  auto x = array_of(a), y = array_of(b);
  if (!x || !y) return std::nullopt;
  Json out = Json::array();
  auto take = [&](const Json& item) {
    if (!holds(out, item)) out.push(item);
  };
  for (auto& item : x->items()) {
    bool in_both = holds(*y, item);
    if (op == SetOp::kExcept ? !in_both : op == SetOp::kIntersection ? in_both : true) take(item);
  }
  if (op == SetOp::kUnion)
    for (auto& item : y->items()) take(item);
  return out.dump();
}

std::optional<bool> overlap(std::string_view a, std::string_view b) {
  auto x = array_of(a), y = array_of(b);
  if (!x || !y) return std::nullopt;
  return std::any_of(x->items().begin(), x->items().end(), [&](auto& item) { return holds(*y, item); });
}

std::string split_to_array(std::string_view text, std::string_view by) {
  Json out = Json::array();
  while (true) {
    auto at = by.empty() ? std::string_view::npos : text.find(by);
    out.push(Json(text.substr(0, at)));
    if (at == std::string_view::npos) return out.dump();
    text.remove_prefix(at + by.size());
  }
}

std::string type_of(std::string_view value) {
  auto j = Json::parse(value);
  if (!j || j->is_null()) return "null";
  if (j->is_bool()) return "boolean";
  if (j->is_number()) return "number";
  if (j->is_string()) return "string";
  return j->is_array() ? "array" : "object";
}

bool is_whole(std::string_view value, int bits) {
  auto j = Json::parse(value);
  if (!j || !j->is_number()) return false;
  auto v = parse_int(j->text());
  if (!v) return false;
  if (bits == 16) return *v >= INT16_MIN && *v <= INT16_MAX;
  if (bits == 32) return *v >= INT32_MIN && *v <= INT32_MAX;
  return true;
}

bool is_decimal(std::string_view value) {
  auto j = Json::parse(value);
  return j && j->is_number() && j->text().find('.') != std::string::npos && j->text().find_first_of("eE") == std::string::npos;
}

bool is_float(std::string_view value) {
  auto j = Json::parse(value);
  return j && j->is_number() && j->text().find_first_of("eE") != std::string::npos;
}

}  // namespace redoubt::warehouse::engine::json
