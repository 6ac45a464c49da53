#pragma once
/// What a resource type declares: its properties, what Ref and GetAtt give, and how it is made, changed and removed, always
/// through the Gate as the stack's caller or service role. Source: CloudFormation User Guide, "AWS resource and property types
/// reference".
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/gate.h"
#include "base/json.h"
#include "stacks/errors.h"

namespace redoubt::stacks {

/// On whose behalf and for which resource a provider acts.
struct ProviderContext {
  access::Gate& gate;
  const access::Call& call;  // already forwarded by cloudformation
  std::string account, region, stack_name, stack_id, logical_id;
  std::map<std::string, std::string> stack_tags;
  bool strict_acl = false;
  /// Name for a resource whose template gives none: decided before anything is made and kept, so that a crash in between leaves
  /// nothing unknown behind.
  std::string generated_name;
  Timestamp started;  // of this resource's creation: what is older is somebody else's
};

enum class OnChange : uint8_t { in_place, replace };
struct Property {
  std::string_view name;
  OnChange on_change = OnChange::in_place;
  bool required = false;
};

struct Made {
  std::string physical_id;           // what Ref gives
  Json attributes = Json::object();  // what GetAtt gives, by name ("Endpoint.Address")
};

struct Provider {
  std::string_view type;  // AWS::KMS::Key
  std::vector<Property> properties;
  std::vector<std::string_view> attributes;
  /// The property that names the resource ("" if it has no name), and how long a generated one may be.
  std::string_view name_property = "";
  size_t name_max = 64;
  bool lower_case_name = false;
  bool iam = false;  // needs CAPABILITY_IAM, with an own name CAPABILITY_NAMED_IAM
  /// Makes the resource whole; what fails half way is undone by it before it returns (remove() of what exists).
  std::function<Result<Made>(const ProviderContext&, const Json& properties)> create;
  /// Brings it from `before` to `after`; only in-place properties differ.
  std::function<Result<Made>(const ProviderContext&, const std::string& physical_id, const Json& before, const Json& after)>
      update;
  /// Gone already is fine.
  std::function<Result<void>(const ProviderContext&, const std::string& physical_id, const Json& properties)> remove;
  /// After a crash in create: the physical id of what this stack made (not before `started`), "" if nothing.
  std::function<Result<std::string>(const ProviderContext&, const Json& properties)> find_made = nullptr;

  const Property* property(std::string_view name) const {
    for (auto& p : properties)
      if (p.name == name) return &p;
    return nullptr;
  }
};

/// nullptr: no such type here.
const Provider* find_provider(std::string_view type);
std::vector<const Provider*> all_providers();

std::vector<Provider> iam_providers();
std::vector<Provider> s3_providers();
std::vector<Provider> kms_providers();
std::vector<Provider> redshift_providers();

}  // namespace redoubt::stacks
