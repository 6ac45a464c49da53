#pragma once
/// A JSON value: what policies, stored records and JSON protocols are read into. Objects keep their members' order.
/// Numbers keep their text, so that 12-digit account ids and 1.0 survive a round trip.
///
///   TRY(Json j, Json::parse(text));             // strict RFC 8259; a duplicate member name is an error
///   j["Statement"][0]["Effect"].str()           // missing member or index: a null Json
///   Json o = Json::object(); o.set("a", 1).set("b", "x"); o.dump();
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace redoubt {

inline constexpr ErrorKind kMalformedJson{"MalformedJson", 400};

class Json {
 public:
  enum class Type : uint8_t { null, boolean, number, string, array, object };
  using Member = std::pair<std::string, Json>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool v) : type_(Type::boolean), bool_(v) {}
  Json(int v) : Json(int64_t(v)) {}
  Json(int64_t v) : type_(Type::number), text_(std::to_string(v)) {}
  Json(uint64_t v) : type_(Type::number), text_(std::to_string(v)) {}
  Json(double v);
  Json(std::string v) : type_(Type::string), text_(std::move(v)) {}
  Json(std::string_view v) : type_(Type::string), text_(v) {}
  Json(const char* v) : type_(Type::string), text_(v) {}
  static Json array() {
    Json j;
    j.type_ = Type::array;
    return j;
  }
  static Json object() {
    Json j;
    j.type_ = Type::object;
    return j;
  }
  static Json number_text(std::string text) {
    Json j;
    j.type_ = Type::number;
    j.text_ = std::move(text);
    return j;
  }
  static Json strings(const std::vector<std::string>& v) {
    Json j = array();
    for (auto& s : v) j.push(s);
    return j;
  }

  /// Errors: kMalformedJson with line and column. Nesting deeper than 200 is refused. Input must be UTF-8.
  static Result<Json> parse(std::string_view text);
  std::string dump(int indent = -1) const;  // -1: one line without blanks

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::null; }
  bool is_bool() const { return type_ == Type::boolean; }
  bool is_number() const { return type_ == Type::number; }
  bool is_string() const { return type_ == Type::string; }
  bool is_array() const { return type_ == Type::array; }
  bool is_object() const { return type_ == Type::object; }

  /// Text of a string or number; "true"/"false" of a boolean; "" otherwise.
  const std::string& text() const { return text_; }
  std::string str() const;
  bool boolean(bool otherwise = false) const { return is_bool() ? bool_ : otherwise; }
  int64_t integer(int64_t otherwise = 0) const;
  double real(double otherwise = 0) const;

  const std::vector<Json>& items() const { return items_; }  // of an array; else empty
  std::vector<Json>& items() { return items_; }
  const std::vector<Member>& members() const { return members_; }  // of an object; else empty
  std::vector<Member>& members() { return members_; }
  size_t size() const { return is_array() ? items_.size() : members_.size(); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  const Json& operator[](std::string_view name) const;
  const Json& operator[](const char* name) const { return (*this)[std::string_view(name)]; }
  const Json& operator[](size_t i) const;
  const Json& operator[](int i) const { return (*this)[size_t(i)]; }

  Json& set(std::string name, Json value);  // replaces a member of that name; makes a null an object
  Json& push(Json value);                   // makes a null an array
  bool erase(std::string_view name);
  bool operator==(const Json& o) const;  // objects compare without regard to order

 private:
  void write(std::string& out, int indent, int depth) const;
  Type type_ = Type::null;
  bool bool_ = false;
  std::string text_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

/// `s` as a JSON string with its quotes.
std::string json_quote(std::string_view s);

}  // namespace redoubt
