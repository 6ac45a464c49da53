// The shape of each intrinsic function, and what a tree of them refers to. Source: "Intrinsic function reference".
#include "base/text.h"
#include "stacks/errors.h"
#include "stacks/template.h"

namespace redoubt::stacks {
namespace {

constexpr std::string_view kFunctions[] = {"Fn::Base64", "Fn::Cidr",        "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs",
                                           "Fn::If",     "Fn::ImportValue", "Fn::Join",      "Fn::Select", "Fn::Split",
                                           "Fn::Sub",    "Fn::Equals",      "Fn::And",       "Fn::Or",     "Fn::Not"};

Error bad(std::string message) { return Error{&kValidation, "Template error: " + std::move(message)}; }

bool is_function(const Json& j) {
  return j.is_object() && j.size() == 1 && (j.members()[0].first == "Ref" || j.members()[0].first.starts_with("Fn::"));
}
bool stringish(const Json& j) { return j.is_string() || j.is_number() || j.is_bool() || is_function(j); }
bool listish(const Json& j) { return j.is_array() || is_function(j); }

/// nullopt: the argument has the right shape.
std::optional<Error> check_shape(const std::string& name, const Json& arg, bool extensions) {
  auto list = [&](size_t n) { return arg.is_array() && arg.size() == n; };
  if (name == "Fn::Join") {
    if (!list(2) || !arg[0].is_string() || !listish(arg[1]))
      return bad(
          "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a "
          "function that returns a "
          "list of strings (such as Fn::GetAZs) to be joined.");
  } else if (name == "Fn::Split") {
    if (!list(2) || !arg[0].is_string() || !stringish(arg[1]))
      return bad(
          "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function "
          "that returns a string to "
          "be split.");
    if (arg[0].text().empty()) return bad("the delimiter of Fn::Split can't be empty.");
  } else if (name == "Fn::Select") {
    if (!list(2) || !stringish(arg[0]) || !listish(arg[1]))
      return bad("Fn::Select requires a list argument with two elements: an integer index and a list");
  } else if (name == "Fn::Sub") {
    bool ok = arg.is_string() || (arg.is_array() && (arg.size() == 1 || arg.size() == 2) && arg[0].is_string() &&
                                  (arg.size() == 1 || arg[1].is_object()));
    if (!ok)
      return bad(
          "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an "
          "optional second argument "
          "to specify a mapping of values to replace in the string");
  } else if (name == "Fn::FindInMap") {
    bool with_default = extensions && list(4) && arg[3].is_object() && arg[3].size() == 1 && arg[3].has("DefaultValue");
    if (!(list(3) || with_default) || !stringish(arg[0]) || !stringish(arg[1]) || !stringish(arg[2]))
      return bad(
          "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value");
  } else if (name == "Fn::GetAtt") {
    if (!list(2) || !arg[0].is_string() || arg[0].text().empty() || !arg[1].is_string() || arg[1].text().empty())
      return bad("every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute");
  } else if (name == "Fn::If") {
    if (!list(3) || !arg[0].is_string()) return bad("Fn::If requires a list argument with the first element being a condition");
  } else if (name == "Fn::Equals") {
    if (!list(2)) return bad("every Fn::Equals object requires a list of 2 string parameters.");
  } else if (name == "Fn::And" || name == "Fn::Or") {
    if (!arg.is_array() || arg.size() < 2 || arg.size() > 10)
      return bad("every " + name + " object requires a list of at least 2 and at most 10 boolean parameters.");
  } else if (name == "Fn::Not") {
    if (!list(1)) return bad("every Fn::Not object requires a list of 1 boolean parameter.");
  } else if (name == "Fn::Base64") {
    if (!stringish(arg)) return bad("every Fn::Base64 object must have a String-typed value.");
  } else if (name == "Fn::Cidr") {
    if (!arg.is_array() || arg.size() < 2 || arg.size() > 3)
      return bad("every Fn::Cidr object requires two or three parameters: ipBlock, count and cidrBits");
  } else if (name == "Fn::GetAZs") {
    if (!stringish(arg)) return bad("every Fn::GetAZs object requires the name of a region, or an empty string.");
  } else if (name == "Fn::ImportValue") {
    if (!stringish(arg)) return bad("the attribute in Fn::ImportValue must be a string or a function that returns a string");
  } else if (name == "Fn::Length") {
    if (!listish(arg)) return bad("Fn::Length requires a list, or a function that returns one");
  } else if (name == "Fn::ToJsonString") {
    if (!arg.is_object() && !arg.is_array()) return bad("Fn::ToJsonString requires an object or a list");
  }
  return std::nullopt;
}

bool known(std::string_view name, bool extensions) {
  for (auto f : kFunctions)
    if (f == name) return true;
  return extensions && (name == "Fn::Length" || name == "Fn::ToJsonString");
}

class Finder {
 public:
  Finder(bool in_conditions, bool extensions) : in_conditions_(in_conditions), extensions_(extensions) {}
  References found;

  Result<void> walk(const Json& j) {
    for (auto& item : j.items()) TRY_VOID(walk(item));
    if (!j.is_object()) return {};
    for (auto& [name, arg] : j.members()) {
      bool function = name == "Ref" || name.starts_with("Fn::");
      if (!function && !(in_conditions_ && name == "Condition" && j.size() == 1 && arg.is_string())) {
        TRY_VOID(walk(arg));
        continue;
      }
      if (j.size() != 1) return fail(bad("a function must be the only member of its object, but " + name + " has company"));
      TRY_VOID(call(name, arg));
    }
    return {};
  }

 private:
  Result<void> call(const std::string& name, const Json& arg) {
    if (name == "Condition") {
      found.conditions.push_back(arg.text());
      return {};
    }
    if (name == "Ref") {
      if (!arg.is_string() || arg.text().empty()) return fail(bad("every Ref object must have a single String value."));
      if (!is_pseudo_parameter(arg.text())) found.refs.push_back(arg.text());
      return {};
    }
    if (!known(name, extensions_)) {
      std::vector<std::string> names(std::begin(kFunctions), std::end(kFunctions));
      return invalid("Template format error: Encountered unsupported function: " + name + " Supported functions are: [" +
                     join(names, ", ") + "]");
    }
    if (auto wrong = check_shape(name, arg, extensions_)) return fail(*wrong);
    if (name == "Fn::GetAtt") {
      found.get_atts.emplace_back(arg[0].text(), arg[1].text());
      return {};
    }
    if (name == "Fn::Sub") return sub(arg);
    if (name == "Fn::If") {
      found.conditions.push_back(arg[0].text());
      TRY_VOID(walk(arg[1]));
      return walk(arg[2]);
    }
    if (name == "Fn::ImportValue") {
      if (in_conditions_) return fail(bad("Fn::ImportValue can't be used in the Conditions section"));
      found.imports = true;
      Finder inner(false, extensions_);
      TRY_VOID(inner.walk(arg));
      if (!inner.found.get_atts.empty() || inner.found.imports)
        return fail(bad("the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"));
      found.refs.insert(found.refs.end(), inner.found.refs.begin(), inner.found.refs.end());
      found.import_refs.insert(found.import_refs.end(), inner.found.refs.begin(), inner.found.refs.end());
      return {};
    }
    return walk(arg);
  }
  Result<void> sub(const Json& arg) {
    const Json& text = arg.is_array() ? arg[0] : arg;
    TRY(auto pieces, split_sub(text.text()));
    const Json& map = arg[1];
    for (auto& piece : pieces) {
      if (!piece.variable || map.has(piece.text) || is_pseudo_parameter(piece.text)) continue;
      size_t dot = piece.text.find('.');
      if (dot == std::string::npos)
        found.refs.push_back(piece.text);
      else
        found.get_atts.emplace_back(piece.text.substr(0, dot), piece.text.substr(dot + 1));
    }
    for (auto& [name, value] : map.members()) TRY_VOID(walk(value));
    return {};
  }
  const bool in_conditions_, extensions_;
};

}  // namespace

bool is_pseudo_parameter(std::string_view name) {
  for (std::string_view p : {"AWS::AccountId", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::Partition",
                             "AWS::URLSuffix", "AWS::NotificationARNs", "AWS::NoValue"})
    if (p == name) return true;
  return false;
}

Result<std::vector<SubPiece>> split_sub(std::string_view text) {
  std::vector<SubPiece> out;
  std::string literal;
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) != "${") {
      literal += text[i++];
      continue;
    }
    size_t end = text.find('}', i);
    if (end == text.npos) {  // no closing brace: text like any other
      literal += text.substr(i);
      break;
    }
    std::string_view name = text.substr(i + 2, end - i - 2);
    if (name.starts_with('!')) {  // ${!Literal} stands for ${Literal}
      literal += "${";
      literal += name.substr(1);
      literal += '}';
    } else {
      name = trim(name);
      bool ok = !name.empty();
      for (char c : name) ok = ok && (is_alnum(c) || c == '_' || c == '.' || c == ':');
      if (!ok)
        return fail(
            bad("variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"));
      if (!literal.empty()) out.push_back({false, std::move(literal)});
      literal.clear();
      out.push_back({true, std::string(name)});
    }
    i = end + 1;
  }
  if (!literal.empty()) out.push_back({false, std::move(literal)});
  return out;
}

Result<References> find_references(const Json& j, bool in_conditions, bool language_extensions) {
  Finder finder(in_conditions, language_extensions);
  TRY_VOID(finder.walk(j));
  return std::move(finder.found);
}

}  // namespace redoubt::stacks
