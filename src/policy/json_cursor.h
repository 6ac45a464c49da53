#pragma once
/// Walks JSON text that Json::parse has accepted, keeping byte positions: Json keeps values, this keeps places. Used where the
/// text must come back byte for byte (rewrite_principals) and where positions are reported (the simulator's matched statements).
///
///   JsonCursor c(text);
///   c.each_member([&](std::string name) { if (name == "Statement") .. else c.skip(); });
///
/// Each callback must consume exactly one value: by skip, string, each_member or each_item.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace redoubt::policy {

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view valid_json) : text_(valid_json) { blank(); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }  // '{', '[', '"', ..: the next value's first byte
  size_t at() const { return at_; }
  void skip();
  /// The value of a string; `begin` and `end` of its token with the quotes.
  std::string string(size_t& begin, size_t& end);
  void each_member(const std::function<void(std::string name)>& value);
  void each_item(const std::function<void()>& value);

 private:
  void blank();
  std::string_view string_token();
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace redoubt::policy
