#include "base/text.h"
#include "policy/decide.h"

namespace redoubt::policy {
namespace {
std::string_view who(const Principal& p) {
  if (!p.arn.empty()) return p.arn;
  if (!p.service.empty()) return p.service;
  if (!p.provider.empty()) return p.provider;
  return "anonymous";
}

/// S3 gives reasons only to callers of the bucket's account or organization.
bool s3_explains(const Decision& d, const Request& r) {
  if (r.principal.type == PrincipalType::anonymous) return false;
  if (!d.cross_account) return true;
  if (d.layer == Layer::endpoint) return false;
  auto mine = r.context.get("aws:PrincipalOrgID"), theirs = r.context.get("aws:ResourceOrgID");
  return !mine.empty() && mine == theirs;
}

std::string reason(const Decision& d, const Request& r) {
  std::string words(layer_in_words(d.layer));
  if (d.effect == Decision::Effect::implicit_deny)
    return " because no " + words + " allows the " + std::string(r.action) + " action";
  std::string text = std::string(" with an explicit deny in a") + (d.layer == Layer::identity ? "n " : " ") + words;
  bool callers_side =
      d.layer == Layer::scp || d.layer == Layer::identity || d.layer == Layer::boundary || d.layer == Layer::session;
  if (d.policy_name.starts_with("arn:") && (callers_side || (d.layer == Layer::rcp && !d.cross_account)))
    text += ", with policy ARN: " + std::string(d.policy_name);
  return text;
}

/// KMS doesn't tell a key that says no from one that isn't there. Of a ciphertext it never names the key.
std::string kms_text(const Decision& d, const Request& r, const std::string& start) {
  if (d.layer == Layer::resource)
    return start +
           " on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a "
           "resource-based policy explicitly denies access";
  bool ciphertext = iequals(r.action, "kms:Decrypt") || iequals(r.action, "kms:ReEncryptFrom");
  return start + (ciphertext ? " on the resource associated with this ciphertext" : " on resource: " + std::string(r.resource)) +
         reason(d, r);
}
}  // namespace

std::string denial_text(const Decision& d, const Request& r, DenialStyle style) {
  CHECK(!d.allowed());
  std::string start = "User: " + std::string(who(r.principal)) + " is not authorized to perform: " + std::string(r.action);
  std::string resource(r.resource);
  switch (style) {
    case DenialStyle::standard:
      return start + " on resource: " + resource + reason(d, r);
    case DenialStyle::s3:
      if (!s3_explains(d, r)) return "Access Denied";
      return start + " on resource: \"" + resource + "\"" + reason(d, r);
    case DenialStyle::kms:
      return kms_text(d, r, start);
    case DenialStyle::no_reason:
      return start + " on resource: " + resource;
    case DenialStyle::plain:
      return "Access Denied";
  }
  return "Access Denied";
}

}  // namespace redoubt::policy
