#include "stacks/template.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/text.h"
#include "stacks/document.h"
#include "stacks/errors.h"

namespace redoubt::stacks {
namespace {

constexpr size_t kBodyMax = 1 << 20;  // from S3; inline bodies have their own limit, checked where they come in
constexpr size_t kNameMax = 255, kDescriptionMax = 1024;

std::unexpected<Error> format_error(std::string what) { return invalid("Template format error: " + std::move(what)); }

bool is_logical_id(std::string_view s) {
  if (s.empty() || s.size() > kNameMax) return false;
  return std::all_of(s.begin(), s.end(), is_alnum);
}

Result<void> refuse_nulls(const Json& j, const std::string& path) {
  if (j.is_null()) return format_error("[" + path + "] 'null' values are not allowed in templates");
  for (size_t i = 0; i < j.items().size(); ++i) TRY_VOID(refuse_nulls(j.items()[i], path + "/" + std::to_string(i)));
  for (auto& [name, value] : j.members()) TRY_VOID(refuse_nulls(value, path + "/" + name));
  return {};
}

Result<std::string> scalar(const Json& j, const std::string& what) {
  if (j.is_string() || j.is_number() || j.is_bool()) return j.str();
  return format_error(what + " must be a string.");
}

Result<double> number(const Json& j, const std::string& what) {
  double v = 0;
  const std::string& s = j.text();
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (!(j.is_number() || j.is_string()) || ec != std::errc() || end != s.data() + s.size())
    return format_error(what + " must be a number.");
  return v;
}

Result<int64_t> length(const Json& j, const std::string& what) {
  auto v = parse_int(j.text());
  if (!(j.is_number() || j.is_string()) || !v || *v < 0) return format_error(what + " must be a number that is not negative.");
  return *v;
}

Result<bool> boolean(const Json& j, const std::string& what) {
  if (j.is_bool()) return j.boolean();
  if (j.is_string() && (iequals(j.text(), "true") || iequals(j.text(), "false"))) return iequals(j.text(), "true");
  return format_error(what + " must be a boolean.");
}

bool is_parameter_type(std::string_view type) {
  static constexpr std::string_view kScalar[] = {"String",
                                                 "Number",
                                                 "AWS::EC2::AvailabilityZone::Name",
                                                 "AWS::EC2::Image::Id",
                                                 "AWS::EC2::Instance::Id",
                                                 "AWS::EC2::KeyPair::KeyName",
                                                 "AWS::EC2::SecurityGroup::GroupName",
                                                 "AWS::EC2::SecurityGroup::Id",
                                                 "AWS::EC2::Subnet::Id",
                                                 "AWS::EC2::Volume::Id",
                                                 "AWS::EC2::VPC::Id",
                                                 "AWS::Route53::HostedZone::Id"};
  if (type == "CommaDelimitedList") return true;
  if (type.starts_with("List<") && type.ends_with('>')) {
    type = type.substr(5, type.size() - 6);
    if (type == "String" || type == "AWS::EC2::KeyPair::KeyName") return false;
  }
  return std::find(std::begin(kScalar), std::end(kScalar), type) != std::end(kScalar);
}

Result<Parameter> read_parameter(const std::string& name, const Json& j) {
  if (!is_logical_id(name)) return format_error("Parameter name " + name + " is non alphanumeric.");
  if (!j.is_object()) return format_error("Every Parameters member must be an object.");
  Parameter p;
  p.name = name;
  if (!j.has("Type")) return format_error("Every Parameters object must contain a Type member.");
  for (auto& [key, value] : j.members()) {
    std::string what = "[/Parameters/" + name + "/" + key + "]";
    if (key == "Type") {
      TRY(p.type, scalar(value, what));
      if (p.type.starts_with("AWS::SSM::"))
        return format_error("parameter type " + p.type + " is not supported: there is no Systems Manager here");
      if (!is_parameter_type(p.type)) return format_error("Unrecognized parameter type: " + p.type);
    } else if (key == "Default") {
      if (value.is_array()) return format_error(what + " must be a string.");
      TRY(auto text, scalar(value, what));
      p.default_value = text;
    } else if (key == "AllowedValues") {
      if (!value.is_array() || value.size() == 0) return format_error(what + " must be a list of at least one value.");
      for (auto& v : value.items()) {
        TRY(auto text, scalar(v, what));
        p.allowed_values.push_back(text);
      }
    } else if (key == "AllowedPattern") {
      TRY(p.allowed_pattern, scalar(value, what));
    } else if (key == "MinLength") {
      TRY(p.min_length, length(value, what));
    } else if (key == "MaxLength") {
      TRY(p.max_length, length(value, what));
    } else if (key == "MinValue") {
      TRY(p.min_value, number(value, what));
      p.min_value_text = value.text();
    } else if (key == "MaxValue") {
      TRY(p.max_value, number(value, what));
      p.max_value_text = value.text();
    } else if (key == "NoEcho") {
      TRY(p.no_echo, boolean(value, what));
    } else if (key == "Description") {
      TRY(p.description, scalar(value, what));
      if (p.description.size() > 4000) return format_error(what + " is longer than 4000 characters.");
    } else if (key == "ConstraintDescription") {
      TRY(p.constraint_description, scalar(value, what));
      if (p.constraint_description.size() > 4000) return format_error(what + " is longer than 4000 characters.");
    } else {
      return invalid("Invalid template parameter property '" + key + "'");
    }
  }
  return p;
}

Result<Resource> read_resource(const std::string& id, const Json& j) {
  if (!is_logical_id(id)) return format_error("Resource name " + id + " is non alphanumeric.");
  if (!j.is_object()) return format_error("Every Resources member must be an object.");
  Resource r;
  r.id = id;
  for (auto& [key, value] : j.members()) {
    std::string what = "[/Resources/" + id + "/" + key + "]";
    if (key == "Type") {
      if (!value.is_string() || value.text().empty())
        return format_error("[/Resources/" + id + "] Every Resources object must contain a Type member.");
      r.type = value.text();
    } else if (key == "Properties") {
      if (!value.is_object()) return format_error(what + " must be an object.");
      TRY_VOID(refuse_nulls(value, "/Resources/" + id + "/Properties"));
      r.properties = value;
    } else if (key == "DependsOn") {
      if (!value.is_string() && !value.is_array()) return format_error("DependsOn must be a string or list of strings.");
      std::vector<Json> one{value};
      for (auto& d : value.is_array() ? value.items() : one) {
        if (!d.is_string()) return format_error("DependsOn must be a string or list of strings.");
        r.depends_on.push_back(d.text());
      }
    } else if (key == "Condition") {
      if (!value.is_string()) return format_error("Every Condition member must be a string.");
      r.condition = value.text();
    } else if (key == "DeletionPolicy" || key == "UpdateReplacePolicy") {
      bool deletion = key == "DeletionPolicy";
      bool ok = value.is_string() && (value.text() == "Delete" || value.text() == "Retain" || value.text() == "Snapshot" ||
                                      (deletion && value.text() == "RetainExceptOnCreate"));
      if (!ok)
        return format_error("Unrecognized " + key + " " + (value.is_string() ? value.text() : value.dump()) + " for resource \"" +
                            id + "\"");
      (deletion ? r.deletion_policy : r.update_replace_policy) = value.text();
    } else if (key == "Metadata") {
      r.metadata = value;
    } else if (key == "CreationPolicy" || key == "UpdatePolicy") {
      // They wait for signals of instances and group members, which none of our resource types has.
      return format_error("the resource attribute " + key + " is not supported");
    } else {
      return invalid("Invalid template resource property '" + key + "'");
    }
  }
  if (r.type.empty()) return format_error("[/Resources/" + id + "] Every Resources object must contain a Type member.");
  return r;
}

Result<Output> read_output(const std::string& id, const Json& j) {
  if (!is_logical_id(id)) return format_error("Output name " + id + " is non alphanumeric.");
  if (!j.is_object()) return format_error("[/Outputs/" + id + "] must be an object.");
  Output o;
  o.id = id;
  for (auto& [key, value] : j.members()) {
    if (key == "Value") {
      TRY_VOID(refuse_nulls(value, "/Outputs/" + id + "/Value"));
      o.value = value;
    } else if (key == "Description") {
      TRY(o.description, scalar(value, "[/Outputs/" + id + "/Description]"));
      if (o.description.size() > kDescriptionMax)
        return format_error("[/Outputs/" + id + "/Description] is longer than 1024 characters.");
    } else if (key == "Condition") {
      if (!value.is_string()) return format_error("Every Condition member must be a string.");
      o.condition = value.text();
    } else if (key == "Export") {
      if (!value.is_object() || value.size() != 1 || !value.has("Name"))
        return format_error("Output " + id + " is malformed. The Export must have one member, Name.");
      TRY_VOID(refuse_nulls(value, "/Outputs/" + id + "/Export"));
      o.export_name = value["Name"];
    } else {
      return invalid("Invalid template output property '" + key + "'");
    }
  }
  if (o.value.is_null()) return format_error("Every Outputs member must contain a Value object");
  return o;
}

Result<void> read_mappings(const Json& j) {
  if (j.size() > 200)
    return format_error("Number of mappings, " + std::to_string(j.size()) + ", is greater than maximum allowed, 200");
  for (auto& [name, map] : j.members()) {
    if (!is_logical_id(name)) return format_error("Mappings name '" + name + "' is non alphanumeric.");
    if (!map.is_object()) return format_error("Every Mappings member " + name + " must be a map");
    if (map.size() > 200)
      return format_error("Number of mapping attributes of " + name + ", " + std::to_string(map.size()) +
                          ", is greater than maximum allowed, 200");
    for (auto& [key, attributes] : map.members()) {
      if (!attributes.is_object()) return format_error("Every Mappings attribute must be a map: " + name + "::" + key);
      if (attributes.size() > 200)
        return format_error("Number of mapping attributes of " + name + "::" + key + " is greater than maximum allowed, 200");
      for (auto& [attribute, value] : attributes.members()) {
        auto plain = [](const Json& v) { return v.is_string() || v.is_number() || v.is_bool(); };
        bool ok = plain(value) || (value.is_array() && std::all_of(value.items().begin(), value.items().end(), plain));
        if (!ok)
          return format_error("Every Mappings attribute must be a String or a List: " + name + "::" + key + "::" + attribute);
      }
    }
  }
  return {};
}

Result<void> read_transform(const Json& j, Template& t) {
  std::vector<Json> one{j};
  for (auto& name : j.is_array() ? j.items() : one) {
    if (!name.is_string()) return format_error("Every Transform member must be a string.");
    if (name.text() != "AWS::LanguageExtensions") return invalid("The transform " + name.text() + " is not supported");
    t.language_extensions = true;
    t.transforms.push_back(name.text());
  }
  return {};
}

bool contains(const std::vector<std::string>& v, std::string_view s) { return std::find(v.begin(), v.end(), s) != v.end(); }

void add_once(std::vector<std::string>& v, const std::string& s) {
  if (!contains(v, s)) v.push_back(s);
}

/// References of one section: unresolved ones, and whether resources may be named at all.
Result<void> check_references(const Template& t, const References& found, const std::string& block) {
  std::vector<std::string> unresolved;
  bool resources_allowed = block != "Conditions";
  for (auto& name : found.refs)
    if (!t.parameter(name) && !(resources_allowed && t.resource(name))) add_once(unresolved, name);
  if (!resources_allowed) {
    for (auto& [id, attribute] : found.get_atts) add_once(unresolved, id);
    if (!unresolved.empty())
      return format_error("Unresolved dependencies [" + join(unresolved, ", ") +
                          "]. Cannot reference resources in the Conditions block of the template");
  }
  if (!unresolved.empty())
    return format_error("Unresolved resource dependencies [" + join(unresolved, ", ") + "] in the " + block +
                        " block of the template");
  for (auto& [id, attribute] : found.get_atts)
    if (!t.resource(id)) return invalid("Template error: instance of Fn::GetAtt references undefined resource " + id);
  for (auto& name : found.import_refs)
    if (t.resource(name))
      return invalid(
          "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs");
  for (auto& name : found.conditions)
    if (!t.conditions.has(name))
      return format_error("Unresolved condition dependency " + name + " in the " + block + " block of the template");
  return {};
}

Result<void> check_conditions(const Template& t) {
  std::map<std::string, std::vector<std::string>> needs;
  for (auto& [name, body] : t.conditions.members()) {
    if (!is_logical_id(name)) return format_error("Conditions name " + name + " is non alphanumeric.");
    bool function = body.is_object() && body.size() == 1;
    std::string head = function ? body.members()[0].first : "";
    if (head != "Fn::And" && head != "Fn::Or" && head != "Fn::Not" && head != "Fn::Equals" && head != "Condition")
      return format_error("Conditions can only be boolean operations on parameters and other conditions");
    TRY(auto found, find_references(body, true, t.language_extensions));
    TRY_VOID(check_references(t, found, "Conditions"));
    needs[name] = found.conditions;
  }
  // A condition that leads to itself could never be decided.
  std::set<std::string> done, open;
  auto visit = [&](auto&& self, const std::string& name) -> bool {
    if (done.contains(name)) return true;
    if (!open.insert(name).second) return false;
    for (auto& next : needs[name])
      if (!self(self, next)) return false;
    open.erase(name);
    done.insert(name);
    return true;
  };
  for (auto& [name, next] : needs)
    if (!visit(visit, name))
      return format_error("Found circular condition dependency between [" + join({open.begin(), open.end()}, ", ") + "]");
  return {};
}

/// The resources of a cycle, in template order; empty if there is none.
std::vector<std::string> find_cycle(const Template& t) {
  // Take away, again and again, what depends on nothing that is left, then what nothing left depends on: cycles remain.
  std::map<std::string, std::set<std::string>> needs, needed_by;
  std::set<std::string> left;
  for (auto& r : t.resources) {
    left.insert(r.id);
    for (auto& d : t.dependencies(r)) {
      needs[r.id].insert(d);
      needed_by[d].insert(r.id);
    }
  }
  auto peel = [&](auto& edges, auto& back) {
    std::vector<std::string> free;
    for (auto& id : left)
      if (edges[id].empty()) free.push_back(id);
    while (!free.empty()) {
      std::string id = std::move(free.back());
      free.pop_back();
      left.erase(id);
      for (auto& other : back[id]) {
        edges[other].erase(id);
        if (edges[other].empty() && left.contains(other)) free.push_back(other);
      }
    }
  };
  peel(needs, needed_by);
  for (auto& [id, others] : needed_by) std::erase_if(others, [&](auto& o) { return !left.contains(o); });
  peel(needed_by, needs);
  std::vector<std::string> out;
  for (auto& r : t.resources)
    if (left.contains(r.id)) out.push_back(r.id);
  return out;
}

Result<void> check_all(const Template& t) {
  TRY_VOID(check_conditions(t));
  for (auto& r : t.resources) {
    TRY(auto found, find_references(r.properties, false, t.language_extensions));
    for (auto& d : r.depends_on)
      if (!t.resource(d))
        return format_error("Unresolved resource dependencies [" + d + "] in the Resources block of the template");
    TRY_VOID(check_references(t, found, "Resources"));
    if (!r.condition.empty() && !t.conditions.has(r.condition))
      return format_error("Unresolved condition dependency " + r.condition + " in the Resources block of the template");
  }
  for (auto& o : t.outputs) {
    TRY(auto found, find_references(o.value, false, t.language_extensions));
    TRY_VOID(check_references(t, found, "Outputs"));
    if (!o.export_name.is_null()) {
      TRY(auto name, find_references(o.export_name, false, t.language_extensions));
      if (!name.get_atts.empty())
        return invalid("Template error: Output " + o.id +
                       " is malformed. The Name field of every Export member must not depend on any resources.");
      for (auto& r : name.refs)
        if (t.resource(r))
          return invalid("Template error: Output " + o.id +
                         " is malformed. The Name field of every Export member must not depend on any resources.");
      TRY_VOID(check_references(t, name, "Outputs"));
    }
    if (!o.condition.empty() && !t.conditions.has(o.condition))
      return format_error("Unresolved condition dependency " + o.condition + " in the Outputs block of the template");
  }
  auto cycle = find_cycle(t);
  if (!cycle.empty()) return invalid("Circular dependency between resources: [" + join(cycle, ", ") + "]");
  return {};
}

}  // namespace

const Parameter* Template::parameter(std::string_view name) const {
  for (auto& p : parameters)
    if (p.name == name) return &p;
  return nullptr;
}

const Resource* Template::resource(std::string_view id) const {
  for (auto& r : resources)
    if (r.id == id) return &r;
  return nullptr;
}

std::vector<std::string> Template::dependencies(const Resource& resource) const {
  std::set<std::string> named(resource.depends_on.begin(), resource.depends_on.end());
  if (auto found = find_references(resource.properties, false, language_extensions)) {
    named.insert(found->refs.begin(), found->refs.end());
    for (auto& [id, attribute] : found->get_atts) named.insert(id);
  }
  std::vector<std::string> out;
  for (auto& r : resources)
    if (named.contains(r.id)) out.push_back(r.id);
  return out;
}

std::vector<std::string> Template::order() const {
  std::vector<std::string> out;
  std::set<std::string> done;
  auto visit = [&](auto&& self, const Resource& r) -> void {
    if (!done.insert(r.id).second) return;
    for (auto& d : dependencies(r)) self(self, *this->resource(d));
    out.push_back(r.id);
  };
  for (auto& r : resources) visit(visit, r);
  return out;
}

Result<Template> parse_template(std::string_view text) {
  if (text.size() > kBodyMax) return invalid("Template may not exceed 1000000 bytes in size.");
  TRY(Json root, parse_document(text));
  if (!root.is_object()) return format_error("unsupported structure.");
  Template t;
  t.text = std::string(text);
  std::vector<std::string> unknown;
  for (auto& [section, value] : root.members()) {
    bool is_map = section == "Parameters" || section == "Mappings" || section == "Conditions" || section == "Resources" ||
                  section == "Outputs";
    if (is_map && !value.is_object()) return format_error("[/" + section + "] must be an object.");
    if (section == "AWSTemplateFormatVersion") {
      if (!value.is_string() || value.text() != "2010-09-09")
        return format_error(value.str() + " is not a supported value for AWSTemplateFormatVersion.");
    } else if (section == "Description") {
      TRY(t.description, scalar(value, "[/Description]"));
      if (t.description.size() > kDescriptionMax) return format_error("Template description is longer than 1024 characters.");
    } else if (section == "Metadata") {
      t.metadata = value;
    } else if (section == "Transform") {
      TRY_VOID(read_transform(value, t));
    } else if (section == "Rules" || section == "Hooks") {
      return format_error("the section " + section + " is not supported");
    } else if (!is_map) {
      unknown.push_back(section);
    }
  }
  if (!unknown.empty()) return invalid("Invalid template property or properties [" + join(unknown, ", ") + "]");
  if (root["Resources"].size() == 0) return format_error("At least one Resources member must be defined.");
  auto bounded = [&](const char* section, size_t most) -> Result<void> {
    if (root[section].size() > most)
      return format_error(std::string("Number of ") + to_lower(section) + ", " + std::to_string(root[section].size()) +
                          ", is greater than maximum allowed, " + std::to_string(most));
    return {};
  };
  TRY_VOID(bounded("Resources", 500));
  TRY_VOID(bounded("Parameters", 200));
  TRY_VOID(bounded("Outputs", 200));
  for (auto& [name, value] : root["Parameters"].members()) {
    TRY(auto p, read_parameter(name, value));
    t.parameters.push_back(std::move(p));
  }
  if (root.has("Mappings")) {
    TRY_VOID(read_mappings(root["Mappings"]));
    t.mappings = root["Mappings"];
  }
  if (root.has("Conditions")) t.conditions = root["Conditions"];
  for (auto& [id, value] : root["Resources"].members()) {
    if (t.parameter(id)) return format_error("Resource and parameter names must differ: " + id);
    TRY(auto r, read_resource(id, value));
    t.resources.push_back(std::move(r));
  }
  for (auto& [id, value] : root["Outputs"].members()) {
    TRY(auto o, read_output(id, value));
    t.outputs.push_back(std::move(o));
  }
  TRY_VOID(check_all(t));
  return t;
}

}  // namespace redoubt::stacks
