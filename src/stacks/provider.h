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
  /// The stack's tags at the last good state, while an update runs: what the resource may still carry.
  std::map<std::string, std::string> stack_tags_before;
  bool strict_acl = false;
  /// Name for a resource whose template gives none: decided before anything is made and kept, so that a crash in between leaves
  /// nothing unknown behind.
  std::string generated_name;
  Timestamp started;  // of this resource's creation: what is older is somebody else's
};

/// What a property's evaluated value must be. Nothing is coerced but scalars into one another, so that a value of another kind is
/// an error and never taken for absent. A document must be an object: text could carry a parameter's value in as structure.
enum class Shape : uint8_t { text, integer, boolean, texts, document, object, objects, tags };

enum class OnChange : uint8_t { in_place, replace };
struct Property {
  std::string_view name;
  Shape shape = Shape::text;
  OnChange on_change = OnChange::in_place;
  bool required = false;
};

struct Made {
  std::string physical_id;           // what Ref gives
  Json attributes = Json::object();  // what GetAtt gives, by name ("Endpoint.Address"); null: as they were
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
  /// Makes the resource. What fails half way says so by half_made(): the engine then removes it as anything else.
  std::function<Result<Made>(const ProviderContext&, const Json& properties)> create;
  /// Brings it from `before` to `after`; only in-place properties and stack tags differ. Also the way back, from a state in which
  /// only some of the changes were made: each step must be fine with having been done already.
  std::function<Result<Made>(const ProviderContext&, const std::string& physical_id, const Json& before, const Json& after)>
      update;
  /// Gone already is fine.
  std::function<Result<void>(const ProviderContext&, const std::string& physical_id, const Json& properties)> remove;
  /// After a crash in create: the physical id of what this stack made (not before `started`), "" if nothing.
  std::function<Result<std::string>(const ProviderContext&, const Json& properties)> find_made;

  const Property* property(std::string_view name) const {
    for (auto& p : properties)
      if (p.name == name) return &p;
    return nullptr;
  }
};

/// An error of create() that leaves something behind.
inline std::unexpected<Error> half_made(Error e, const std::string& physical_id) {
  return fail(std::move(e).with("PhysicalResourceId", physical_id));
}

/// nullptr: no such type here.
const Provider* find_provider(std::string_view type);
std::vector<const Provider*> all_providers();

/// Evaluated properties against their declared shapes. Errors: kValidation "Value of property X must be of type ..".
Result<void> check_shapes(const Provider& provider, const Json& properties);

/// How CloudFormation tells a service's refusal in events: `Resource handler returned message: "..".
std::string handler_message(const Provider& provider, const Error& error, std::string_view request_id);

std::vector<Provider> iam_providers();
std::vector<Provider> s3_providers();
std::vector<Provider> kms_providers();
std::vector<Provider> redshift_providers();

}  // namespace redoubt::stacks
