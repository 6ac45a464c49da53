#include "warehouse/transfer/avro.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

#include "base/text.h"
#include "warehouse/secure/values.h"
#include "warehouse/transfer/errors.h"

namespace redoubt::warehouse::transfer {

namespace values = secure::values;
using Kind = AvroSchema::Kind;
using Logical = AvroSchema::Logical;

class AvroSchemaParser {
 public:
  explicit AvroSchemaParser(AvroSchemas& out) : out_(out) {}

  const AvroSchema* parse(const Json& json, const std::string& space, int depth) {
    if (depth > AvroSchemas::kDepthMax) return nullptr;
    if (json.is_string()) return named(json.text(), space);
    if (json.is_array()) {
      AvroSchema* s = make(Kind::kUnion);
      for (auto& branch : json.items()) {
        auto* parsed = parse(branch, space, depth + 1);
        if (!parsed) return nullptr;
        s->items.push_back(parsed);
      }
      return s->items.empty() ? nullptr : s;
    }
    if (!json.is_object()) return nullptr;
    const Json& type = json["type"];
    if (type.is_object() || type.is_array()) return parse(type, space, depth + 1);
    const std::string& name = type.text();
    if (name == "record" || name == "error") return record(json, space, depth);
    if (name == "enum") {
      AvroSchema* s = define(json, space, Kind::kEnum);
      for (auto& symbol : json["symbols"].items()) s->symbols.push_back(symbol.text());
      return s;
    }
    if (name == "fixed") {
      AvroSchema* s = define(json, space, Kind::kFixed);
      int64_t size = json["size"].integer(-1);
      if (size < 0 || size > 1 << 20) return nullptr;
      s->size = static_cast<size_t>(size);
      logical(*s, json);
      return s;
    }
    if (name == "array" || name == "map") {
      AvroSchema* s = make(name == "array" ? Kind::kArray : Kind::kMap);
      auto* item = parse(json[name == "array" ? "items" : "values"], space, depth + 1);
      if (!item) return nullptr;
      s->items.push_back(item);
      return s;
    }
    auto primitive = primitive_kind(name);
    if (!primitive) return named(name, space);
    AvroSchema* s = make(*primitive);
    logical(*s, json);
    return s;
  }

 private:
  static std::optional<Kind> primitive_kind(std::string_view name) {
    static constexpr std::pair<std::string_view, Kind> kNames[] = {
        {"null", Kind::kNull},   {"boolean", Kind::kBoolean}, {"int", Kind::kInt},     {"long", Kind::kLong},
        {"float", Kind::kFloat}, {"double", Kind::kDouble},   {"bytes", Kind::kBytes}, {"string", Kind::kString}};
    for (auto& [n, kind] : kNames)
      if (n == name) return kind;
    return std::nullopt;
  }
  AvroSchema* make(Kind kind) {
    out_.all_.push_back(std::make_unique<AvroSchema>());
    out_.all_.back()->kind = kind;
    return out_.all_.back().get();
  }
  const AvroSchema* named(const std::string& name, const std::string& space) {
    if (auto kind = primitive_kind(name)) return make(*kind);
    auto found = names_.find(name.find('.') == name.npos && !space.empty() ? space + "." + name : name);
    if (found == names_.end()) found = names_.find(name);
    return found == names_.end() ? nullptr : found->second;
  }
  static std::string full_name(const Json& json, const std::string& space) {
    const std::string& name = json["name"].text();
    if (name.find('.') != name.npos) return name;
    std::string own = json["namespace"].is_string() ? json["namespace"].text() : space;
    return own.empty() ? name : own + "." + name;
  }
  AvroSchema* define(const Json& json, const std::string& space, Kind kind) {
    AvroSchema* s = make(kind);
    names_[full_name(json, space)] = s;
    return s;
  }
  const AvroSchema* record(const Json& json, const std::string& space, int depth) {
    AvroSchema* s = define(json, space, Kind::kRecord);
    std::string name = full_name(json, space);
    auto dot = name.rfind('.');
    std::string inner = dot == name.npos ? space : name.substr(0, dot);
    for (auto& field : json["fields"].items()) {
      auto* parsed = parse(field["type"], inner, depth + 1);
      if (!parsed) return nullptr;
      s->fields.emplace_back(field["name"].text(), parsed);
    }
    return s;
  }
  static void logical(AvroSchema& s, const Json& json) {
    const std::string& name = json["logicalType"].text();
    if (name == "date" && s.kind == Kind::kInt) s.logical = Logical::kDate;
    if (name == "time-millis" && s.kind == Kind::kInt) s.logical = Logical::kTimeMillis;
    if (name == "time-micros" && s.kind == Kind::kLong) s.logical = Logical::kTimeMicros;
    if (name.ends_with("timestamp-millis") && s.kind == Kind::kLong) s.logical = Logical::kTimestampMillis;
    if (name.ends_with("timestamp-micros") && s.kind == Kind::kLong) s.logical = Logical::kTimestampMicros;
    if (name == "decimal" && (s.kind == Kind::kBytes || s.kind == Kind::kFixed)) {
      int64_t scale = json["scale"].integer(0);
      if (scale < 0 || scale > 38) return;
      s.logical = Logical::kDecimal;
      s.scale = static_cast<int>(scale);
    }
  }

  AvroSchemas& out_;
  std::map<std::string, const AvroSchema*> names_;
};

Result<std::shared_ptr<const AvroSchemas>> AvroSchemas::parse(std::string_view text) {
  auto json = Json::parse(text);
  auto out = std::make_shared<AvroSchemas>();
  if (json) out->root_ = AvroSchemaParser(*out).parse(*json, "", 0);
  if (!out->root_ || out->root_->kind != Kind::kRecord) return fail(kTransferFailed, "The Avro file has no schema of a record");
  return out;
}

bool take_avro_long(std::string_view& s, int64_t& out) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (s.empty()) return false;
    auto byte = static_cast<unsigned char>(s[0]);
    s.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (!(byte & 0x80)) {
      out = static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
      return true;
    }
  }
  return false;
}

namespace {

bool take_bytes(std::string_view& s, std::string_view& out) {
  int64_t n;
  if (!take_avro_long(s, n) || n < 0 || static_cast<uint64_t>(n) > s.size()) return false;
  out = s.substr(0, static_cast<size_t>(n));
  s.remove_prefix(static_cast<size_t>(n));
  return true;
}

template <class T>
bool take_fixed(std::string_view& s, T& out) {
  if (s.size() < sizeof(T)) return false;
  std::memcpy(&out, s.data(), sizeof(T));  // little-endian, as we are
  s.remove_prefix(sizeof(T));
  return true;
}

Json real(double v, const char* format) {
  if (!std::isfinite(v)) return std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity";
  char text[40];
  return Json::number_text(std::string(text, static_cast<size_t>(std::snprintf(text, sizeof text, format, v))));
}

/// Big-endian two's complement.
bool decimal(std::string_view bytes, int scale, Json& out) {
  if (bytes.size() > 16) return false;
  unsigned __int128 v = !bytes.empty() && (bytes[0] & 0x80) ? ~static_cast<unsigned __int128>(0) : 0;
  for (unsigned char b : bytes) v = v << 8 | b;
  out = Json::number_text(values::format_decimal(static_cast<values::Int128>(v), scale));
  return true;
}

Json whole(int64_t v, Logical logical) {
  constexpr int64_t kFar = int64_t{1} << 60;
  switch (logical) {
    case Logical::kDate:
      return values::format_date(v);
    case Logical::kTimeMillis:
      return values::format_time(v * 1000);
    case Logical::kTimeMicros:
      return values::format_time(v);
    case Logical::kTimestampMillis:
      if (v > -kFar / 1000 && v < kFar / 1000) return values::format_timestamp(v * 1000);
      break;
    case Logical::kTimestampMicros:
      if (v > -kFar && v < kFar) return values::format_timestamp(v);
      break;
    default:
      break;
  }
  return v;
}

/// Counted blocks of an array or map. A count of items that take no bytes is bounded by what a row may be.
template <class Item>
bool blocks(std::string_view& s, Item&& item) {
  constexpr int64_t kItemsMax = 4 << 20;
  int64_t total = 0;
  while (true) {
    int64_t n, size;
    if (!take_avro_long(s, n)) return false;
    if (n == 0) return true;
    if (n < 0) {
      if (n == INT64_MIN || !take_avro_long(s, size)) return false;
      n = -n;
    }
    if (n > kItemsMax - total) return false;
    total += n;
    for (; n > 0; --n)
      if (!item()) return false;
  }
}

}  // namespace

bool decode_avro(const AvroSchema& schema, std::string_view& s, Json& out, int depth) {
  if (depth > AvroSchemas::kDepthMax) return false;
  std::string_view bytes;
  int64_t n;
  switch (schema.kind) {
    case Kind::kNull:
      out = Json();
      return true;
    case Kind::kBoolean: {
      if (s.empty() || static_cast<unsigned char>(s[0]) > 1) return false;
      out = Json(s[0] == 1);
      s.remove_prefix(1);
      return true;
    }
    case Kind::kInt:
    case Kind::kLong:
      if (!take_avro_long(s, n)) return false;
      out = whole(n, schema.logical);
      return true;
    case Kind::kFloat: {
      float v;
      if (!take_fixed(s, v)) return false;
      out = real(v, "%.9g");
      return true;
    }
    case Kind::kDouble: {
      double v;
      if (!take_fixed(s, v)) return false;
      out = real(v, "%.17g");
      return true;
    }
    case Kind::kBytes:
      if (!take_bytes(s, bytes)) return false;
      if (schema.logical == Logical::kDecimal) return decimal(bytes, schema.scale, out);
      out = Json(hex(bytes));
      return true;
    case Kind::kString:
      if (!take_bytes(s, bytes)) return false;
      out = Json(bytes);
      return true;
    case Kind::kFixed:
      if (s.size() < schema.size) return false;
      bytes = s.substr(0, schema.size);
      s.remove_prefix(schema.size);
      if (schema.logical == Logical::kDecimal) return decimal(bytes, schema.scale, out);
      out = Json(hex(bytes));
      return true;
    case Kind::kEnum:
      if (!take_avro_long(s, n) || n < 0 || static_cast<size_t>(n) >= schema.symbols.size()) return false;
      out = Json(schema.symbols[static_cast<size_t>(n)]);
      return true;
    case Kind::kUnion:
      if (!take_avro_long(s, n) || n < 0 || static_cast<size_t>(n) >= schema.items.size()) return false;
      return decode_avro(*schema.items[static_cast<size_t>(n)], s, out, depth + 1);
    case Kind::kRecord:
      out = Json::object();
      for (auto& [name, type] : schema.fields) {
        Json value;
        if (!decode_avro(*type, s, value, depth + 1)) return false;
        out.members().emplace_back(name, std::move(value));
      }
      return true;
    case Kind::kArray:
      out = Json::array();
      return blocks(s, [&] {
        Json value;
        if (!decode_avro(*schema.items[0], s, value, depth + 1)) return false;
        out.push(std::move(value));
        return true;
      });
    case Kind::kMap:
      out = Json::object();
      return blocks(s, [&] {
        std::string_view key;
        Json value;
        if (!take_bytes(s, key) || !decode_avro(*schema.items[0], s, value, depth + 1)) return false;
        out.members().emplace_back(std::string(key), std::move(value));
        return true;
      });
  }
  return false;
}

bool unsnap(std::string_view in, std::string& out, size_t max) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(in[i]); };
  uint64_t length = 0;
  size_t i = 0;
  for (int shift = 0;; shift += 7) {
    if (i >= in.size() || shift > 28) return false;
    length |= uint64_t{at(i) & 0x7fu} << shift;
    if (!(at(i++) & 0x80)) break;
  }
  if (length > max) return false;
  out.clear();
  out.reserve(length);
  while (i < in.size()) {
    unsigned tag = at(i++);
    if ((tag & 3) == 0) {  // literal
      size_t n = tag >> 2;
      if (n >= 60) {
        size_t more = n - 59;
        if (in.size() - i < more) return false;
        n = 0;
        for (size_t k = 0; k < more; ++k) n |= size_t{at(i + k)} << (8 * k);
        i += more;
      }
      ++n;
      if (in.size() - i < n || length - out.size() < n) return false;
      out.append(in, i, n);
      i += n;
      continue;
    }
    size_t n, offset, bytes = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    if (in.size() - i < bytes) return false;
    offset = 0;
    for (size_t k = 0; k < bytes; ++k) offset |= size_t{at(i + k)} << (8 * k);
    i += bytes;
    if (bytes == 1) {
      n = ((tag >> 2) & 7) + 4;
      offset |= size_t{tag >> 5} << 8;
    } else {
      n = (tag >> 2) + 1;
    }
    if (offset == 0 || offset > out.size() || length - out.size() < n) return false;
    for (size_t from = out.size() - offset; n > 0; --n) out += out[from++];  // may overlap what it makes
  }
  return out.size() == length;
}

}  // namespace redoubt::warehouse::transfer
