#include "base/json.h"

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "base/text.h"

namespace redoubt {
namespace {
/// Recursive descent over RFC 8259. Our own because policies and templates need ordered members, exact number text and
/// duplicate detection with positions, which library value types don't keep.
class Parser {
 public:
  explicit Parser(std::string_view s) : s_(s) {}
  Result<Json> run() {
    if (!is_valid_utf8(s_)) return fail(kMalformedJson, "the text is not valid UTF-8");
    TRY(Json j, value(0));
    blank();
    if (at_ != s_.size()) return error("unexpected text after the value");
    return j;
  }

 private:
  std::unexpected<Error> error(std::string what) {
    int line = 1, column = 1;
    for (size_t i = 0; i < at_ && i < s_.size(); ++i) {
      if (s_[i] == '\n') {
        ++line;
        column = 1;
      } else
        ++column;
    }
    return fail(kMalformedJson, what + " at line " + std::to_string(line) + ", column " + std::to_string(column));
  }
  void blank() {
    while (at_ < s_.size() && (s_[at_] == ' ' || s_[at_] == '\t' || s_[at_] == '\n' || s_[at_] == '\r')) ++at_;
  }
  bool eat(char c) {
    if (at_ < s_.size() && s_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  bool word(std::string_view w) {
    if (s_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }
  Result<Json> value(int depth) {
    if (depth > 200) return error("nesting is too deep");
    blank();
    if (at_ >= s_.size()) return error("unexpected end");
    char c = s_[at_];
    if (c == '{') return object(depth);
    if (c == '[') return array(depth);
    if (c == '"') {
      TRY(std::string t, string());
      return Json(std::move(t));
    }
    if (c == '-' || is_digit(c)) return number();
    if (word("true")) return Json(true);
    if (word("false")) return Json(false);
    if (word("null")) return Json();
    return error("unexpected character");
  }
  Result<Json> object(int depth) {
    ++at_;
    Json j = Json::object();
    std::unordered_set<std::string> names;  // of an object too large to search: many members must not take quadratic time
    blank();
    if (eat('}')) return j;
    for (;;) {
      blank();
      if (at_ >= s_.size() || s_[at_] != '"') return error("expected a member name");
      TRY(std::string name, string());
      constexpr size_t kSearched = 16;
      if (j.size() == kSearched)
        for (auto& m : j.members()) names.insert(m.first);
      if (j.size() < kSearched ? j.has(name) : !names.insert(name).second) return error("duplicate member \"" + name + "\"");
      blank();
      if (!eat(':')) return error("expected ':'");
      TRY(Json v, value(depth + 1));
      j.members().emplace_back(std::move(name), std::move(v));
      blank();
      if (eat('}')) return j;
      if (!eat(',')) return error("expected ',' or '}'");
    }
  }
  Result<Json> array(int depth) {
    ++at_;
    Json j = Json::array();
    blank();
    if (eat(']')) return j;
    for (;;) {
      TRY(Json v, value(depth + 1));
      j.items().push_back(std::move(v));
      blank();
      if (eat(']')) return j;
      if (!eat(',')) return error("expected ',' or ']'");
    }
  }
  Result<Json> number() {
    size_t from = at_;
    eat('-');
    if (eat('0')) {
    } else {
      if (at_ >= s_.size() || !is_digit(s_[at_])) return error("malformed number");
      while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
    }
    if (eat('.')) {
      if (at_ >= s_.size() || !is_digit(s_[at_])) return error("malformed number");
      while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
    }
    if (at_ < s_.size() && (s_[at_] == 'e' || s_[at_] == 'E')) {
      ++at_;
      if (!eat('+')) eat('-');
      if (at_ >= s_.size() || !is_digit(s_[at_])) return error("malformed number");
      while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
    }
    return Json::number_text(std::string(s_.substr(from, at_ - from)));
  }
  std::optional<unsigned> hex4() {
    if (at_ + 4 > s_.size()) return std::nullopt;
    unsigned v = 0;
    auto [end, ec] = std::from_chars(s_.data() + at_, s_.data() + at_ + 4, v, 16);
    if (ec != std::errc() || end != s_.data() + at_ + 4) return std::nullopt;
    at_ += 4;
    return v;
  }
  static void utf8(std::string& out, unsigned c) {
    if (c < 0x80)
      out += char(c);
    else if (c < 0x800) {
      out += char(0xC0 | c >> 6);
      out += char(0x80 | (c & 63));
    } else if (c < 0x10000) {
      out += char(0xE0 | c >> 12);
      out += char(0x80 | (c >> 6 & 63));
      out += char(0x80 | (c & 63));
    } else {
      out += char(0xF0 | c >> 18);
      out += char(0x80 | (c >> 12 & 63));
      out += char(0x80 | (c >> 6 & 63));
      out += char(0x80 | (c & 63));
    }
  }
  Result<std::string> string() {
    ++at_;
    std::string out;
    for (;;) {
      if (at_ >= s_.size()) return error("unterminated string");
      char c = s_[at_++];
      if (c == '"') return out;
      if ((unsigned char)c < 0x20) return error("control character in a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ >= s_.size()) return error("unterminated string");
      switch (s_[at_++]) {
        case '"':
          out += '"';
          break;
        case '\\':
          out += '\\';
          break;
        case '/':
          out += '/';
          break;
        case 'b':
          out += '\b';
          break;
        case 'f':
          out += '\f';
          break;
        case 'n':
          out += '\n';
          break;
        case 'r':
          out += '\r';
          break;
        case 't':
          out += '\t';
          break;
        case 'u': {
          auto a = hex4();
          if (!a) return error("malformed \\u escape");
          unsigned c32 = *a;
          if (c32 >= 0xD800 && c32 < 0xDC00) {
            if (!word("\\u")) return error("lone surrogate");
            auto b = hex4();
            if (!b || *b < 0xDC00 || *b > 0xDFFF) return error("lone surrogate");
            c32 = 0x10000 + ((c32 - 0xD800) << 10) + (*b - 0xDC00);
          } else if (c32 >= 0xDC00 && c32 <= 0xDFFF) {
            return error("lone surrogate");
          }
          utf8(out, c32);
          break;
        }
        default:
          return error("unknown escape");
      }
    }
  }
  std::string_view s_;
  size_t at_ = 0;
};
const Json kNull;
}  // namespace

Json::Json(double v) : type_(Type::number) {
  if (!std::isfinite(v)) {
    type_ = Type::null;
    return;
  }
  char buf[40];
  auto [end, ec] = std::to_chars(buf, buf + sizeof buf, v);
  text_.assign(buf, end);
}
Result<Json> Json::parse(std::string_view text) { return Parser(text).run(); }
std::string Json::str() const {
  if (is_bool()) return bool_ ? "true" : "false";
  return text_;
}
int64_t Json::integer(int64_t otherwise) const {
  if (!is_number()) return otherwise;
  if (auto v = parse_int(text_)) return *v;
  double d = real(double(otherwise));
  return d >= -9.2e18 && d <= 9.2e18 ? int64_t(d) : otherwise;
}
double Json::real(double otherwise) const {
  if (!is_number()) return otherwise;
  double v = 0;
  auto [end, ec] = std::from_chars(text_.data(), text_.data() + text_.size(), v);
  return ec == std::errc() ? v : otherwise;
}
const Json* Json::find(std::string_view name) const {
  for (auto& [n, v] : members_)
    if (n == name) return &v;
  return nullptr;
}
Json* Json::find(std::string_view name) {
  for (auto& [n, v] : members_)
    if (n == name) return &v;
  return nullptr;
}
const Json& Json::operator[](std::string_view name) const {
  auto* j = find(name);
  return j ? *j : kNull;
}
const Json& Json::operator[](size_t i) const { return i < items_.size() ? items_[i] : kNull; }
Json& Json::set(std::string name, Json value) {
  if (is_null()) type_ = Type::object;
  CHECK(is_object());
  if (auto* j = find(name))
    *j = std::move(value);
  else
    members_.emplace_back(std::move(name), std::move(value));
  return *this;
}
Json& Json::push(Json value) {
  if (is_null()) type_ = Type::array;
  CHECK(is_array());
  items_.push_back(std::move(value));
  return *this;
}
bool Json::erase(std::string_view name) {
  for (auto it = members_.begin(); it != members_.end(); ++it)
    if (it->first == name) {
      members_.erase(it);
      return true;
    }
  return false;
}
bool Json::operator==(const Json& o) const {
  if (type_ != o.type_) return false;
  if (type_ == Type::boolean) return bool_ == o.bool_;
  if (type_ == Type::array) return items_ == o.items_;
  if (type_ == Type::object) {
    if (members_.size() != o.members_.size()) return false;
    for (auto& [n, v] : members_) {
      auto* w = o.find(n);
      if (!w || !(v == *w)) return false;
    }
    return true;
  }
  return text_ == o.text_;
}
std::string json_quote(std::string_view s) {
  std::string out = "\"";
  for (char c : s) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if ((unsigned char)c < 0x20) {
          char buf[8];
          snprintf(buf, sizeof buf, "\\u%04x", c);
          out += buf;
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}
std::string Json::dump(int indent) const {
  std::string out;
  write(out, indent, 0);
  return out;
}
void Json::write(std::string& out, int indent, int depth) const {
  auto newline = [&](int d) {
    if (indent >= 0) {
      out += '\n';
      out.append(size_t(indent * d), ' ');
    }
  };
  switch (type_) {
    case Type::null:
      out += "null";
      break;
    case Type::boolean:
      out += bool_ ? "true" : "false";
      break;
    case Type::number:
      out += text_;
      break;
    case Type::string:
      out += json_quote(text_);
      break;
    case Type::array: {
      out += '[';
      bool first = true;
      for (auto& j : items_) {
        if (!first) out += ',';
        first = false;
        newline(depth + 1);
        j.write(out, indent, depth + 1);
      }
      if (!items_.empty()) newline(depth);
      out += ']';
      break;
    }
    case Type::object: {
      out += '{';
      bool first = true;
      for (auto& [n, j] : members_) {
        if (!first) out += ',';
        first = false;
        newline(depth + 1);
        out += json_quote(n);
        out += indent >= 0 ? ": " : ":";
        j.write(out, indent, depth + 1);
      }
      if (!members_.empty()) newline(depth);
      out += '}';
      break;
    }
  }
}
}  // namespace redoubt
