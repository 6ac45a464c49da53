#include "warehouse/transfer/json_scanner.h"

#include <cstring>

#include "warehouse/transfer/row_reader.h"

namespace redoubt::warehouse::transfer {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class JsonEnds final : public RecordEnds {
 public:
  size_t whole(std::string_view bytes) const override {
    size_t at = 0, whole = 0;
    while (at < bytes.size()) {
      if (is_blank(bytes[at])) {
        whole = ++at;
        continue;
      }
      size_t n = json_value_end(bytes.substr(at));
      if (n == 0) break;
      whole = at += n;
    }
    return whole;
  }
};

class JsonReader final : public RowReader {
 public:
  JsonReader(const ScanContext& context, std::shared_ptr<engine::LocalTime> zone, const FieldMap& map)
      : RowReader(context, std::move(zone)), map_(map) {}

 protected:
  Row take(std::span<engine::LoadColumn> out, size_t row) override {
    if (is_blank(*at_)) {
      while (at_ < end_ && is_blank(*at_)) ++at_;
      return Row::kSkipped;
    }
    std::string_view rest(at_, static_cast<size_t>(end_ - at_));
    size_t n = json_value_end(rest);
    std::string_view text = rest.substr(0, n == 0 ? rest.size() : n);
    remember(text.data(), text.data() + text.size());
    remembered_ = true;
    at_ += text.size();
    auto json = Json::parse(text);
    if (!json || (map_.kind != FieldMap::Kind::kWhole && map_.kind != FieldMap::Kind::kByPath && !json->is_object()))
      return failed(context_.columns.size(), {}, load_code::kInvalidLine, "Invalid JSON object", 0);
    return put_record(*json, out, row);
  }

 private:
  Row put_record(const Json& json, std::span<engine::LoadColumn> out, size_t row) {
    for (size_t c = 0; c < out.size(); ++c) {
      auto value = find_value(json, map_, context_.columns, c);
      if (!value) return failed(c, {}, load_code::kInvalidLine, value.error().message, 0);
      if (!*value || (*value)->is_null()) {
        if (!parser_.put_null(c, out[c], row)) return field_failed(c, {});
        continue;
      }
      const Json& v = **value;
      // A string is its text, but in SUPER it is JSON like everything else.
      bool as_json = v.is_object() || v.is_array() || context_.columns[c].type.is(sql::TypeKind::kSuper);
      std::string& text = parser_.keep(as_json ? v.dump() : v.str());
      if (!parser_.put(c, out[c], row, text.data(), text.size())) return field_failed(c, text);
    }
    return Row::kGood;
  }

  const FieldMap& map_;
};

class JsonSource final : public engine::LoadSource {
 public:
  JsonSource(ScanContext context, FieldMap map) : context_(std::move(context)), map_(std::move(map)) {}
  size_t readers_max() const override { return context_.threads; }
  std::unique_ptr<engine::LoadReader> reader() override {
    std::shared_ptr<engine::LocalTime> zone;
    if (auto found = engine::local_time(context_.time_zone)) zone = *std::move(found);
    return std::make_unique<JsonReader>(context_, std::move(zone), map_);
  }

 private:
  const ScanContext context_;
  const FieldMap map_;
};

}  // namespace

size_t json_value_end(std::string_view s) {
  if (s.empty()) return 0;
  if (s[0] != '{' && s[0] != '[') {
    auto line = s.find('\n');
    return line == s.npos ? 0 : line + 1;
  }
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
      continue;
    }
    if (c == '"')
      in_string = true;
    else if (c == '{' || c == '[')
      ++depth;
    else if ((c == '}' || c == ']') && --depth == 0)
      return i + 1;
  }
  return 0;
}

std::shared_ptr<const RecordEnds> json_record_ends() { return std::make_shared<JsonEnds>(); }
std::unique_ptr<engine::LoadSource> json_source(ScanContext context, FieldMap map) {
  return std::make_unique<JsonSource>(std::move(context), std::move(map));
}

}  // namespace redoubt::warehouse::transfer
