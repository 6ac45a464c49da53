#include "stacks/evaluate.h"

#include <bit>

#include "base/ip.h"
#include "base/text.h"
#include "stacks/errors.h"

namespace redoubt::stacks {
namespace {

constexpr size_t kResultMax = 1 << 20;  // Fn::Join and Fn::Sub could otherwise double a string again and again

std::unexpected<Error> wrong(std::string message) { return invalid("Template error: " + std::move(message)); }

class Evaluator {
 public:
  explicit Evaluator(const Environment& env) : env_(env) {}

  Result<std::optional<Json>> value(const Json& j) {
    if (j.is_array()) {
      Json out = Json::array();
      for (auto& item : j.items()) {
        TRY(auto v, value(item));
        if (v) out.items().push_back(std::move(*v));
      }
      return out;
    }
    if (!j.is_object()) {
      TRY_VOID(refuse_dynamic(j.text()));
      return j;
    }
    if (j.size() == 1) {
      auto& [name, arg] = j.members()[0];
      if (name == "Ref") return ref(arg.text());
      if (name.starts_with("Fn::")) return call(name, arg);
    }
    Json out = Json::object();
    for (auto& [name, member] : j.members()) {
      TRY(auto v, value(member));
      if (v) out.members().emplace_back(name, std::move(*v));
    }
    return out;
  }

  Result<bool> truth(const Json& j) {
    if (j.is_object() && j.size() == 1) {
      auto& [name, arg] = j.members()[0];
      if (name == "Condition") return condition(arg.text());
      if (name == "Fn::Not") {
        TRY(bool v, truth(arg[0]));
        return !v;
      }
      if (name == "Fn::And" || name == "Fn::Or") {
        bool all = name == "Fn::And";
        for (auto& item : arg.items()) {
          TRY(bool v, truth(item));
          if (v != all) return v;
        }
        return all;
      }
      if (name == "Fn::Equals") {
        TRY(auto a, value(arg[0]));
        TRY(auto b, value(arg[1]));
        if (!a || !b) return wrong("every Fn::Equals object requires a list of 2 string parameters.");
        if (a->is_array() || a->is_object() || b->is_array() || b->is_object()) return *a == *b;
        return a->str() == b->str();
      }
    }
    TRY(auto v, value(j));
    if (v && v->is_bool()) return v->boolean();
    if (v && v->is_string() && (v->text() == "true" || v->text() == "false")) return v->text() == "true";
    return wrong("every condition must be a boolean function");
  }

 private:
  Result<void> refuse_dynamic(const std::string& text) {
    // Dynamic references would be resolved after parameters are put in: a parameter could then read any secret.
    if (text.find("{{resolve:") != std::string::npos) return wrong("dynamic references ({{resolve:..}}) are not supported");
    return {};
  }

  Result<bool> condition(const std::string& name) {
    if (auto it = env_.conditions.find(name); it != env_.conditions.end()) return it->second;
    if (auto it = decided_.find(name); it != decided_.end()) return it->second;
    const Json* body = env_.t->conditions.find(name);
    if (!body || ++depth_ > 200) return wrong("the condition " + name + " can't be decided");
    auto v = truth(*body);
    --depth_;
    if (v) decided_[name] = *v;  // conditions that name others twice would otherwise double the work at each step
    return v;
  }

  Result<std::optional<Json>> ref(const std::string& name) {
    if (name == "AWS::NoValue") return std::nullopt;
    if (auto pseudo = pseudo_parameter(name)) return *pseudo;
    if (auto* p = env_.t->parameter(name)) {
      auto it = env_.parameters.find(name);
      if (it == env_.parameters.end()) return wrong("the parameter " + name + " has no value");
      TRY_VOID(refuse_dynamic(it->second));
      if (!p->is_list()) return Json(it->second);
      Json list = Json::array();
      if (!it->second.empty())
        for (auto part : split(it->second, ',')) list.push(Json(trim(part)));
      return list;
    }
    if (!env_.ref) return wrong("Ref " + name + " can't be resolved here");
    TRY(Json v, env_.ref(name));
    return v;
  }

  std::optional<Json> pseudo_parameter(std::string_view name) {
    if (name == "AWS::AccountId") return Json(env_.account);
    if (name == "AWS::Region") return Json(env_.region);
    if (name == "AWS::StackId") return Json(env_.stack_id);
    if (name == "AWS::StackName") return Json(env_.stack_name);
    if (name == "AWS::Partition") return Json("aws");
    if (name == "AWS::URLSuffix") return Json("amazonaws.com");
    if (name == "AWS::NotificationARNs") return Json::strings(env_.notification_arns);
    return std::nullopt;
  }

  Result<std::string> text(const Json& j, const char* function) {
    TRY(auto v, value(j));
    if (!v || v->is_array() || v->is_object() || v->is_null()) return wrong(std::string(function) + ": expected a string");
    if (v->str().size() > kResultMax) return wrong(std::string(function) + ": the value is too long");
    return v->str();
  }
  Result<Json> list(const Json& j, const char* function) {
    TRY(auto v, value(j));
    if (!v || !v->is_array()) return wrong(std::string(function) + ": expected a list");
    return std::move(*v);
  }

  Result<std::optional<Json>> call(const std::string& name, const Json& arg) {
    if (name == "Fn::GetAtt") {
      if (!env_.get_att) return wrong("Fn::GetAtt " + arg[0].text() + " can't be resolved here");
      TRY(Json v, env_.get_att(arg[0].text(), arg[1].text()));
      return v;
    }
    if (name == "Fn::Sub") return sub(arg);
    if (name == "Fn::Join") return join_list(arg);
    if (name == "Fn::If") {
      TRY(bool v, condition(arg[0].text()));
      return value(v ? arg[1] : arg[2]);
    }
    if (name == "Fn::Select") return select(arg);
    if (name == "Fn::Split") {
      TRY(auto whole, text(arg[1], "Fn::Split"));
      Json out = Json::array();
      const std::string& by = arg[0].text();
      for (size_t from = 0;;) {
        size_t end = whole.find(by, from);
        out.push(whole.substr(from, end == whole.npos ? end : end - from));
        if (end == whole.npos) return out;
        from = end + by.size();
      }
    }
    if (name == "Fn::FindInMap") return find_in_map(arg);
    if (name == "Fn::Base64") {
      TRY(auto v, text(arg, "Fn::Base64"));
      return Json(base64(v));
    }
    if (name == "Fn::ImportValue") {
      TRY(auto v, text(arg, "Fn::ImportValue"));
      if (!env_.import_value) return wrong("Fn::ImportValue can't be resolved here");
      TRY(auto exported, env_.import_value(v));
      if (env_.imported) env_.imported->insert(v);
      return Json(exported);
    }
    if (name == "Fn::GetAZs") {
      TRY(auto region, text(arg, "Fn::GetAZs"));
      if (region.empty()) region = env_.region;
      Json out = Json::array();
      for (char zone : {'a', 'b', 'c'}) out.push(region + zone);
      return out;
    }
    if (name == "Fn::Cidr") return cidr(arg);
    if (name == "Fn::Length") {
      TRY(Json v, list(arg, "Fn::Length"));
      return Json(int64_t(v.size()));
    }
    if (name == "Fn::ToJsonString") {
      TRY(auto v, value(arg));
      return Json(v->dump());
    }
    if (name == "Fn::Equals" || name == "Fn::And" || name == "Fn::Or" || name == "Fn::Not") {
      Json whole = Json::object();
      whole.set(name, arg);
      TRY(bool v, truth(whole));
      return Json(v);
    }
    return wrong("the function " + name + " is not supported");
  }

  Result<std::optional<Json>> sub(const Json& arg) {
    const Json& map = arg[1];
    TRY(auto pieces, split_sub(arg.is_array() ? arg[0].text() : arg.text()));
    std::string out;
    for (auto& piece : pieces) {
      if (!piece.variable) {
        TRY_VOID(refuse_dynamic(piece.text));
        out += piece.text;
        continue;
      }
      Json source = Json::object();
      size_t dot = piece.text.find('.');
      if (auto* own = map.find(piece.text))
        source = *own;
      else if (dot == std::string::npos || is_pseudo_parameter(piece.text))
        source.set("Ref", piece.text);
      else
        source.set("Fn::GetAtt", Json::strings({piece.text.substr(0, dot), piece.text.substr(dot + 1)}));
      TRY(auto v, text(source, "Fn::Sub"));
      out += v;
      if (out.size() > kResultMax) return wrong("Fn::Sub: the value is too long");
    }
    TRY_VOID(refuse_dynamic(out));
    return Json(out);
  }

  Result<std::optional<Json>> join_list(const Json& arg) {
    TRY(Json items, list(arg[1], "Fn::Join"));
    std::string out;
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].is_array() || items[i].is_object()) return wrong("Fn::Join: expected a list of strings");
      if (i) out += arg[0].text();
      out += items[i].str();
      if (out.size() > kResultMax) return wrong("Fn::Join: the value is too long");
    }
    TRY_VOID(refuse_dynamic(out));
    return Json(out);
  }

  Result<std::optional<Json>> select(const Json& arg) {
    TRY(auto index_text, text(arg[0], "Fn::Select"));
    TRY(Json items, list(arg[1], "Fn::Select"));
    auto index = parse_int(index_text);
    if (!index) return wrong("Fn::Select requires a list argument with two elements: an integer index and a list");
    if (*index < 0 || size_t(*index) >= items.size())
      return wrong("Fn::Select cannot select nonexistent value at index " + index_text);
    return items[size_t(*index)];
  }

  Result<std::optional<Json>> find_in_map(const Json& arg) {
    TRY(auto map, text(arg[0], "Fn::FindInMap"));
    TRY(auto key, text(arg[1], "Fn::FindInMap"));
    TRY(auto attribute, text(arg[2], "Fn::FindInMap"));
    const Json& found = env_.t->mappings[map][key][attribute];
    if (!found.is_null()) return found;
    if (arg.size() == 4) return value(arg[3]["DefaultValue"]);
    if (!env_.t->mappings.has(map))
      return wrong("Mapping named '" + map + "' is not present in the 'Mappings' section of template.");
    return wrong("Unable to get mapping for " + map + "::" + key + "::" + attribute);
  }

  /// `count` blocks of 2^cidrBits addresses each, from the start of ipBlock.
  Result<std::optional<Json>> cidr(const Json& arg) {
    TRY(auto block_text, text(arg[0], "Fn::Cidr"));
    TRY(auto count_text, text(arg[1], "Fn::Cidr"));
    std::string bits_text;
    if (arg.size() == 3) {
      TRY(bits_text, text(arg[2], "Fn::Cidr"));
    }
    auto block = Cidr::parse(block_text);
    auto count = parse_int(count_text);
    if (!block || block_text.find('/') == std::string::npos) return wrong("Fn::Cidr: the ipBlock is not a CIDR block");
    if (!block->is_v4()) return wrong("Fn::Cidr: IPv6 blocks are not supported");
    if (!count || *count < 1 || *count > 256) return wrong("Fn::Cidr: the count must be between 1 and 256");
    int prefix = block->prefix - 96;
    int64_t bits = 0;
    if (bits_text.empty()) {  // the largest equal parts that hold `count`
      bits = 32 - prefix - std::bit_width(uint64_t(*count - 1));
    } else {
      bits = parse_int(bits_text).value_or(-1);
    }
    if (bits < 0 || bits > 31 || (uint64_t(*count) << bits) > (uint64_t(1) << (32 - prefix)))
      return wrong("Fn::Cidr: " + count_text + " blocks of that size don't fit in " + block->str());
    Json out = Json::array();
    for (int64_t i = 0; i < *count; ++i) {
      uint32_t base = block->base.v4_value() + uint32_t(uint64_t(i) << bits);
      out.push(Ip::v4(base).str() + "/" + std::to_string(32 - bits));
    }
    return out;
  }

  const Environment& env_;
  std::map<std::string, bool> decided_;
  int depth_ = 0;
};

}  // namespace

Result<std::map<std::string, bool>> resolve_conditions(const Environment& env) {
  Environment bare = env;
  bare.conditions.clear();
  bare.ref = nullptr;
  bare.get_att = nullptr;
  bare.import_value = nullptr;
  Evaluator evaluator(bare);
  std::map<std::string, bool> out;
  for (auto& [name, body] : env.t->conditions.members()) {
    Json whole = Json::object();
    whole.set("Condition", name);
    TRY(out[name], evaluator.truth(whole));
  }
  return out;
}

Result<std::optional<Json>> evaluate(const Json& j, const Environment& env) { return Evaluator(env).value(j); }

bool included(const std::string& condition, const Environment& env) {
  if (condition.empty()) return true;
  auto it = env.conditions.find(condition);
  return it != env.conditions.end() && it->second;
}

}  // namespace redoubt::stacks
