#pragma once
/// One IAM policy document, parsed strictly and compiled to matchers. Source: IAM User Guide, "IAM JSON policy element
/// reference". Who asks for a decision also needs policy/decide.h and policy/context.h.
///
///   TRY(auto policy, policy::parse(text, policy::Kind::identity));
///   policy->statement(0).sid;
///   TRY(auto resolved, policy::rewrite_principals(text, [&](auto type, auto value) { return unique_id(type, value); }));
///
/// Everything in src/policy is pure: no I/O, no clock, no globals. A Policy is immutable; any thread may use it.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/errors.h"

namespace redoubt::policy {

/// Where a document is attached decides what it may say.
enum class Kind : uint8_t {
  identity,  // inline and managed policies of users, groups and roles: no Principal, Resource required
  session,   // passed to AssumeRole: as identity
  boundary,  // a managed policy used as permissions boundary: as identity
  scp,       // service control policy: as identity
  rcp,       // resource control policy: Principal "*" only; Allow is possible only in AWS's own RCPFullAWSAccess
  bucket,    // S3: Principal and Resource required; messages are S3's
  key,       // KMS: Principal required; messages are KMS's
  trust,     // a role's trust policy: Principal required, Resource forbidden, sts actions only
  endpoint,  // VPC endpoint: Principal and Resource required
};

/// AWS's size quotas in characters. IAM's (the first seven and the SCP's) count without white space: see counted_size.
inline constexpr size_t kUserInlineSizeMax = 2048;   // all inline policies of one user together
inline constexpr size_t kRoleInlineSizeMax = 10240;  // .. of one role
inline constexpr size_t kGroupInlineSizeMax = 5120;  // .. of one group
inline constexpr size_t kManagedSizeMax = 6144;
inline constexpr size_t kTrustSizeMax = 2048;
inline constexpr size_t kSessionSizeMax = 2048;
inline constexpr size_t kScpSizeMax = 5120;
inline constexpr size_t kRcpSizeMax = 5120;
inline constexpr size_t kBucketSizeMax = 20480;
inline constexpr size_t kKeySizeMax = 32768;
inline constexpr size_t kEndpointSizeMax = 20480;
/// Nothing longer is even parsed.
inline constexpr size_t kDocumentSizeMax = 131072;

/// The length of a document as IAM counts it: without white space.
size_t counted_size(std::string_view document);

struct Compiled;  // policy/compiled.h

/// A statement as decisions and explanations name it. Views live as long as the Policy.
struct StatementInfo {
  size_t index = 0;      // from 0, in document order
  std::string_view sid;  // "" without a Sid
  bool allow = false;
};

/// One value of a Principal or NotPrincipal element. type: "AWS", "Service", "Federated", "CanonicalUser"; a plain
/// "Principal": "*" is type "AWS", value "*".
struct PrincipalValue {
  size_t statement = 0;
  std::string type, value;
  bool negated = false;
};

class Policy {
 public:
  explicit Policy(std::unique_ptr<const Compiled> compiled);
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  Kind kind() const;
  const std::string& document() const;  // the text that was parsed, byte for byte
  std::string_view version() const;     // "2012-10-17" or "2008-10-17" (also when absent)
  size_t statement_count() const;
  StatementInfo statement(size_t index) const;
  std::vector<PrincipalValue> principals() const;
  const Compiled& compiled() const { return *compiled_; }  // for the room's own files

 private:
  std::unique_ptr<const Compiled> compiled_;
};

using PolicyPtr = std::shared_ptr<const Policy>;

/// Parses and compiles. Errors: kMalformedPolicyDocument with AWS's text. Sizes are the caller's to check (the quota and its
/// error depend on what the document is attached to), except kDocumentSizeMax. Version 2008-10-17 is accepted for every
/// kind; CreatePolicy refuses it by Policy::version().
Result<PolicyPtr> parse(std::string_view document, Kind kind);

/// Replaces the values of Principal and NotPrincipal; the text comes back byte for byte where `to` changes none. Used in both
/// directions: on save user and role ARNs become unique ids (so that a deleted and recreated role no longer matches), on
/// display ids become ARNs again where the principal still exists. `type` as in PrincipalValue; `to` returns the value to
/// write, or the error the save fails with. Wildcards are passed too. Errors: `to`'s, kMalformedPolicyDocument.
Result<std::string> rewrite_principals(
    std::string_view document, const std::function<Result<std::string>(std::string_view type, std::string_view value)>& to);

/// What S3 checks in PutBucketPolicy beyond parse: every Resource names this bucket or objects in it. Error:
/// kMalformedPolicyDocument "Policy has invalid resource".
Result<void> check_bucket_resources(const Policy& policy, std::string_view bucket);

/// The services that hold a match for `action` patterns: one wildcard match of IAM's, case-insensitive ("s3:Get*").
bool action_matches(std::string_view pattern, std::string_view action);

}  // namespace redoubt::policy
