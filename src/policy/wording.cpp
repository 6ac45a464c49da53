#include "policy/wording.h"

namespace redoubt::policy {
namespace {
std::string iam(Fault fault, const std::string& detail) {
  switch (fault) {
    case Fault::legacy:
    case Fault::condition_value:
      return "The policy failed legacy parsing";
    case Fault::missing_field:
      return "Missing required field " + detail;
    case Fault::prohibited_field:
      return "Has prohibited field " + detail;
    case Fault::principal_forbidden:
      return "Policy document should not specify a principal.";
    case Fault::principal_invalid:
      return "Invalid principal in policy: " + detail;
    case Fault::sid_characters:
      return "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
    case Fault::sid_twice:
      return "Statement IDs (SID) in a single policy must be unique.";
    case Fault::no_actions:
      return "Policy statement must contain actions.";
    case Fault::no_resources:
      return "Policy statement must contain resources.";
    case Fault::action_vendor_missing:
      return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    case Fault::action_colons:
      return "Actions/Condition can contain only one colon.";
    case Fault::action_vendor:
      return "Vendor " + detail + " is not valid";
    case Fault::action_not_sts:
      return "AssumeRole policy may only specify STS AssumeRole actions.";
    case Fault::resource_invalid:
      return detail;
    default:
      return "Syntax errors in policy.";
  }
}

std::string s3(Fault fault, const std::string& detail) {
  switch (fault) {
    case Fault::json:
      return detail == "{" ? "This policy contains invalid Json" : "Policies must be valid JSON and the first byte must be '{'";
    case Fault::unknown_field:
      return "Unknown field " + detail;
    case Fault::version:
      return "The policy must contain a valid version string";
    case Fault::missing_field:
      return "Missing required field " + detail;
    case Fault::no_actions:
    case Fault::no_resources:
      return "Statement is missing required element";
    case Fault::principal_invalid:
      return "Invalid principal in policy";
    case Fault::action_vendor_missing:
    case Fault::action_colons:
    case Fault::action_vendor:
    case Fault::action_invalid:
      return "Policy has invalid action";
    case Fault::action_without_resource:
      return "Action does not apply to any resource(s) in statement";
    case Fault::resource_invalid:
      return "Policy has invalid resource";
    case Fault::condition_operator:
      return "Invalid Condition type : " + detail;
    case Fault::condition_key:
      return "Policy has an invalid condition key";
    case Fault::condition_value:
      return "Policy has an invalid condition value";
    default:
      return "Invalid policy syntax.";
  }
}

std::string kms(Fault fault, const std::string& detail) {
  switch (fault) {
    case Fault::principal_invalid:
      return "Policy contains a statement with one or more invalid principals.";
    case Fault::missing_field:
      if (detail == "Principal") return "Policy contains a statement with no principal.";
      break;
    default:
      break;
  }
  return iam(fault, detail);
}
}  // namespace

std::unexpected<Error> refuse(Kind kind, Fault fault, std::string_view detail_view) {
  std::string detail(detail_view);
  if (fault == Fault::too_long)
    return fail(kMalformedPolicyDocument, "The policy is longer than " + std::to_string(kDocumentSizeMax) + " bytes.");
  switch (kind) {
    case Kind::bucket:
      return fail(kMalformedPolicyDocument, s3(fault, detail));
    case Kind::key:
      return fail(kMalformedPolicyDocument, kms(fault, detail));
    case Kind::scp:
    case Kind::rcp:
      return fail(kMalformedPolicyDocument,
                  "The provided policy document does not meet the requirements of the specified policy type.");
    default:
      return fail(kMalformedPolicyDocument, iam(fault, detail));
  }
}

}  // namespace redoubt::policy
