#include "stacks/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "base/text.h"
#include "stacks/errors.h"

namespace redoubt::stacks {
namespace {

constexpr int kDepthMax = 60;
constexpr size_t kNodesMax = 100'000;
constexpr size_t kBytesMax = 4 << 20;

/// The parser reports through exceptions, so our own refusals leave its callbacks the same way; both end in parse_yaml.
struct Refusal {
  std::string message;
};

std::string at(const YAML::Mark& mark) {
  return " (line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) + ")";
}

/// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?: numbers that JSON would print as they were written. Account ids with a leading
/// zero therefore stay strings.
bool is_json_number(std::string_view s) {
  size_t i = 0;
  auto digits = [&] {
    size_t from = i;
    while (i < s.size() && is_digit(s[i])) ++i;
    return i > from;
  };
  if (i < s.size() && s[i] == '-') ++i;
  if (i < s.size() && s[i] == '0')
    ++i;
  else if (!digits())
    return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (!digits()) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == s.size();
}

Json plain_scalar(const std::string& s) {
  if (s == "true" || s == "True" || s == "TRUE") return Json(true);
  if (s == "false" || s == "False" || s == "FALSE") return Json(false);
  if (is_json_number(s)) return Json::number_text(s);
  return Json(s);
}

/// "!Sub" -> "Fn::Sub"; "" for a tag that isn't a function of CloudFormation.
std::string function_of(const std::string& tag) {
  static const char* const kNames[] = {"Base64",      "Cidr", "FindInMap", "GetAZs",    "GetAtt", "If",
                                       "ImportValue", "Join", "Select",    "Split",     "Sub",    "Equals",
                                       "And",         "Or",   "Not",       "Transform", "Length", "ToJsonString"};
  if (tag == "!Ref") return "Ref";
  if (tag == "!Condition") return "Condition";
  for (auto* name : kNames)
    if (tag.size() > 1 && tag[0] == '!' && tag.compare(1, tag.npos, name) == 0) return std::string("Fn::") + name;
  return "";
}

class Builder : public YAML::EventHandler {
 public:
  Json take() { return std::move(root_); }
  bool seen() const { return seen_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, Json(), "", anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto it = anchors_.find(anchor);
    if (it == anchors_.end()) throw Refusal{"an alias refers to the node that contains it" + at(mark)};
    spend(mark, it->second.nodes, it->second.bytes);
    place(mark, it->second.value);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    spend(mark, 1, value.size());
    // The library gives Latin-1 for these two.
    if (!is_valid_utf8(value)) throw Refusal{"the escape sequences \\N and \\_ are not supported" + at(mark)};
    if (expecting_key()) {
      if (!function_of(tag).empty()) throw Refusal{"a function can't be a key" + at(mark)};
      key(mark, value);
      return;
    }
    bool plain = tag == "?" || tag.empty() || tag == "tag:yaml.org,2002:int" || tag == "tag:yaml.org,2002:bool" ||
                 tag == "tag:yaml.org,2002:float";
    if (plain) return add(mark, plain_scalar(value), "", anchor);
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return add(mark, Json(value), "", anchor);
    add(mark, Json(value), tag, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, Json::array(), tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, Json::object(), tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Json value;
    std::string tag;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    size_t nodes, bytes;  // spent when it was opened
    std::string key;
    bool has_key = false;
  };
  struct Anchored {
    Json value;
    size_t nodes, bytes;
  };

  bool expecting_key() const { return !stack_.empty() && stack_.back().value.is_object() && !stack_.back().has_key; }

  void spend(const YAML::Mark& mark, size_t nodes, size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > kNodesMax || bytes_ > kBytesMax) throw Refusal{"the template expands to more than the server reads" + at(mark)};
  }
  void key(const YAML::Mark& mark, const std::string& name) {
    auto& frame = stack_.back();
    if (name == "<<") throw Refusal{"the YAML merge key << is not supported" + at(mark)};
    if (frame.value.has(name)) throw Refusal{"duplicate key " + json_quote(name) + at(mark)};
    frame.key = name;
    frame.has_key = true;
  }
  void open(const YAML::Mark& mark, Json value, const std::string& tag, YAML::anchor_t anchor) {
    if (expecting_key()) throw Refusal{"a key must be a string" + at(mark)};
    if (stack_.size() >= kDepthMax) throw Refusal{"nesting is too deep" + at(mark)};
    spend(mark, 1, 0);
    stack_.push_back({std::move(value), tag, anchor, mark, nodes_ - 1, bytes_, "", false});
  }
  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    bool known = frame.tag.empty() || frame.tag == "?" || frame.tag == "!" || frame.tag == "tag:yaml.org,2002:map" ||
                 frame.tag == "tag:yaml.org,2002:seq";
    Json value = known ? std::move(frame.value) : call(frame.mark, frame.tag, std::move(frame.value));
    remember(frame.mark, frame.anchor, value, nodes_ - frame.nodes, bytes_ - frame.bytes);
    place(frame.mark, std::move(value));
  }
  void add(const YAML::Mark& mark, Json value, const std::string& tag, YAML::anchor_t anchor) {
    if (expecting_key()) {
      if (!value.is_null()) throw Refusal{"a key must be a string" + at(mark)};
      key(mark, "");
      return;
    }
    size_t bytes = value.text().size();
    if (value.is_null()) spend(mark, 1, 0);
    if (!tag.empty()) value = call(mark, tag, std::move(value));
    remember(mark, anchor, value, 2, bytes);
    place(mark, std::move(value));
  }
  /// Remembering copies, so it is paid for like an alias: many nested anchors can't make a quadratic of copies.
  void remember(const YAML::Mark& mark, YAML::anchor_t anchor, const Json& value, size_t nodes, size_t bytes) {
    if (!anchor) return;
    spend(mark, nodes, bytes);
    anchors_[anchor] = {value, nodes, bytes};
  }
  Json call(const YAML::Mark& mark, const std::string& tag, Json argument) {
    std::string name = function_of(tag);
    if (name.empty()) throw Refusal{"the tag " + tag + " is not a function of CloudFormation" + at(mark)};
    if (name == "Fn::GetAtt" && argument.is_string()) {
      size_t dot = argument.text().find('.');
      Json parts = Json::array();
      parts.push(argument.text().substr(0, dot));
      if (dot != std::string::npos) parts.push(argument.text().substr(dot + 1));
      argument = std::move(parts);
    }
    Json j = Json::object();
    j.set(name, std::move(argument));
    return j;
  }
  void place(const YAML::Mark& mark, Json value) {
    if (stack_.empty()) {
      if (seen_) throw Refusal{"a template is one document" + at(mark)};
      root_ = std::move(value);
      seen_ = true;
      return;
    }
    auto& frame = stack_.back();
    if (frame.value.is_array()) {
      frame.value.items().push_back(std::move(value));
    } else if (!frame.has_key) {
      throw Refusal{"a key must be a string" + at(mark)};
    } else {
      frame.value.members().emplace_back(std::move(frame.key), std::move(value));
      frame.has_key = false;
    }
  }

  Json root_;
  bool seen_ = false;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0, bytes_ = 0;
};

/// The code point at text[at] of valid UTF-8, if YAML 1.1 doesn't count it among its printable ones: the library would let such
/// characters through and stumble over some.
std::optional<unsigned> special_character(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return unsigned{static_cast<unsigned char>(text[at + i])}; };
  if (byte(0) < 0x20 && byte(0) != '\t' && byte(0) != '\n' && byte(0) != '\r') return byte(0);
  if (byte(0) == 0x7F) return 0x7F;
  if (byte(0) == 0xC2 && byte(1) < 0xA0 && byte(1) != 0x85) return byte(1);
  if (byte(0) == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return 0xFFC0 + (byte(2) & 0x3F);
  return std::nullopt;
}

Result<Json> parse_yaml(std::string_view text) {
  if (!is_valid_utf8(text)) return invalid("Template format error: YAML not well-formed. The text is not valid UTF-8.");
  for (size_t i = 0; i < text.size(); ++i)
    if (special_character(text, i))
      return invalid("Template format error: YAML not well-formed. Special characters are not allowed.");
  Builder builder;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return invalid("Template format error: " + refusal.message);
  } catch (const YAML::Exception& e) {
    return invalid("Template format error: YAML not well-formed." + at(e.mark));
  } catch (const std::exception&) {
    return invalid("Template format error: YAML not well-formed.");
  }
  if (!builder.seen()) return invalid("Template format error: the template is empty");
  return builder.take();
}

/// Json::parse says "what at line l, column c".
Result<Json> parse_json(std::string_view text) {
  auto j = Json::parse(text);
  if (j) return j;
  const std::string& what = j.error().message;
  size_t where = what.rfind(" at line ");
  std::string position = where == what.npos ? "" : " (" + what.substr(where + 4) + ")";
  if (what.starts_with("duplicate member"))
    return invalid("Template format error: duplicate key" + what.substr(16, where - 16) + position);
  return invalid("Template format error: JSON not well-formed." + position);
}

int depth_of(const Json& j) {
  int deepest = 0;
  for (auto& item : j.items()) deepest = std::max(deepest, depth_of(item));
  for (auto& [name, value] : j.members()) deepest = std::max(deepest, depth_of(value));
  return deepest + 1;
}

/// In double quotes.
std::string quoted(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto special = special_character(text, i);
    if (special && *special >= 0x7F) {  // json_quote knows those below
      out += fmt::format("\\u{:04x}", *special);
      i += *special > 0xFF ? 2 : *special > 0x7F ? 1 : 0;
    } else {
      std::string one = json_quote({&text[i], 1});
      out.append(one, 1, one.size() - 2);
    }
  }
  return '"' + out + '"';
}

void print(const Json& j, int indent, std::string& out) {
  auto child = [&](const Json& v) {
    bool block = v.size() > 0;
    if (!block) {
      out += ' ';
      out += v.is_string() ? quoted(v.text()) : v.dump();
      out += '\n';
    } else {
      out += '\n';
      print(v, indent + 1, out);
    }
  };
  std::string pad(size_t(indent) * 2, ' ');
  if (j.size() == 0) {
    out += pad + (j.is_string() ? quoted(j.text()) : j.dump()) + "\n";
  } else if (j.is_array()) {
    for (auto& v : j.items()) {
      out += pad + "-";
      child(v);
    }
  } else {
    for (auto& [name, v] : j.members()) {
      // A long simple key is no longer simple in YAML (1024 characters); the explicit form has no such limit.
      if (name.size() > 500)
        out += pad + "? " + quoted(name) + "\n" + pad + ":";
      else
        out += pad + quoted(name) + ":";
      child(v);
    }
  }
}

}  // namespace

Result<Json> parse_document(std::string_view text) {
  std::string_view body = text;
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  std::string_view start = trim(body);
  if (start.empty()) return invalid("Template format error: the template is empty");
  if (start.front() != '{') return parse_yaml(body);
  TRY(Json j, parse_json(body));
  if (depth_of(j) > kDepthMax + 1) return invalid("Template format error: nesting is too deep");
  return j;
}

std::string print_yaml(const Json& value) {
  std::string out;
  // A leading '{' would be read as JSON, where the same text means the same.
  print(value, 0, out);
  return out;
}

}  // namespace redoubt::stacks
