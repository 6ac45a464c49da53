// links only: stacks/document.cpp stacks/template.cpp stacks/functions.cpp stacks/parameters.cpp stacks/evaluate.cpp base
// links only: PkgConfig::YAML PkgConfig::RE2
/// libFuzzer: any bytes as a template. What is read prints as text that reads the same; what is accepted orders its resources
/// after their needs; and evaluating it asks for nothing that it doesn't name, leaves no function behind and takes no structure
/// from a parameter.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "stacks/document.h"
#include "stacks/errors.h"
#include "stacks/evaluate.h"

namespace {

using namespace redoubt;
using namespace redoubt::stacks;

void require(bool condition) {
  if (!condition) abort();
}

/// A value of a parameter that would be a function, if a value could become structure.
const std::string kHostile = R"({"Ref":"Planted"})";

void require_no_function(const Json& j) {
  for (auto& item : j.items()) require_no_function(item);
  if (j.size() == 1 && j.is_object()) {
    auto& name = j.members()[0].first;
    require(name != "Ref" && !name.starts_with("Fn::"));
  }
  for (auto& [name, member] : j.members()) require_no_function(member);
}

void order_is_sound(const Template& t) {
  auto order = t.order();
  require(order.size() == t.resources.size());
  std::set<std::string> made;
  for (auto& id : order) {
    const Resource* resource = t.resource(id);
    require(resource != nullptr);
    for (auto& needed : t.dependencies(*resource)) require(made.contains(needed));
    require(made.insert(id).second);
  }
}

void evaluate_all(const Template& t) {
  std::vector<GivenParameter> given;
  for (auto& p : t.parameters)
    if (!p.default_value) given.push_back({p.name, p.is_number() ? "7" : kHostile});
  auto parameters = resolve_parameters(t, given, {});
  if (!parameters) return;
  Environment env{.t = &t, .parameters = *parameters, .account = "111122223333", .region = "us-east-1", .stack_id = "id"};
  auto conditions = resolve_conditions(env);
  if (!conditions) return;
  require(conditions->size() == t.conditions.size());
  env.conditions = *conditions;
  env.ref = [&](const std::string& id) -> Result<Json> {
    require(t.resource(id) != nullptr);
    return Json("physical-" + id);
  };
  env.get_att = [&](const std::string& id, const std::string& attribute) -> Result<Json> {
    require(t.resource(id) != nullptr && !attribute.empty());
    return Json("attribute-of-" + id);
  };
  env.import_value = [](const std::string&) -> Result<std::string> { return std::string("imported"); };
  auto check = [&](const Json& j) {
    if (auto value = evaluate(j, env); value && *value) require_no_function(**value);
  };
  for (auto& resource : t.resources)
    if (included(resource.condition, env)) check(resource.properties);
  for (auto& output : t.outputs)
    if (included(output.condition, env)) check(output.value), check(output.export_name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto document = parse_document(text);
  if (!document) {
    require(document.error().is(kValidation) && !document.error().message.empty());
    require(!parse_template(text));
    return 0;
  }
  if (document->is_object() && document->size() > 0) {
    auto again = parse_document(print_yaml(*document));
    require(again && *again == *document);
  }
  auto t = parse_template(text);
  if (!t) {
    require(t.error().is(kValidation) && !t.error().message.empty());
    return 0;
  }
  order_is_sound(*t);
  evaluate_all(*t);
  return 0;
}
