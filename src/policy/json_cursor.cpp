#include "policy/json_cursor.h"

#include "base/json.h"

namespace redoubt::policy {
namespace {
std::string decoded(std::string_view token) {
  if (token.find('\\') == token.npos) return std::string(token.substr(1, token.size() - 2));
  auto value = Json::parse(token);
  CHECK(value && value->is_string());
  return value->text();
}
}  // namespace

void JsonCursor::blank() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
}

std::string_view JsonCursor::string_token() {
  size_t begin = at_++;
  while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  ++at_;
  CHECK(at_ <= text_.size());
  auto token = text_.substr(begin, at_ - begin);
  return token;
}

void JsonCursor::skip() {
  int depth = 0;
  do {
    blank();
    char c = peek();
    CHECK(c != '\0');
    if (c == '"') {
      string_token();
    } else {
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      bool scalar = c != '{' && c != '[' && c != '}' && c != ']' && c != ',' && c != ':';
      ++at_;
      if (scalar)
        while (at_ < text_.size() && std::string_view("{}[],: \t\r\n\"").find(text_[at_]) == std::string_view::npos) ++at_;
    }
  } while (depth > 0);
}

std::string JsonCursor::string(size_t& begin, size_t& end) {
  begin = at_;
  auto token = string_token();
  end = at_;
  return decoded(token);
}

void JsonCursor::each_member(const std::function<void(std::string)>& value) {
  CHECK(peek() == '{');
  ++at_;
  for (blank(); peek() != '}'; blank()) {
    if (peek() == ',') {
      ++at_;
      blank();
    }
    CHECK(peek() == '"');
    std::string name = decoded(string_token());
    blank();
    CHECK(peek() == ':');
    ++at_;
    blank();
    value(std::move(name));
  }
  ++at_;
}

void JsonCursor::each_item(const std::function<void()>& value) {
  CHECK(peek() == '[');
  ++at_;
  for (blank(); peek() != ']'; blank()) {
    if (peek() == ',') {
      ++at_;
      blank();
    }
    value();
  }
  ++at_;
}

}  // namespace redoubt::policy
