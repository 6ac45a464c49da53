#pragma once
/// Who makes a request, and everything about a request that conditions may ask for. A Call is made once where a request enters
/// (HTTP listener, SQL session, stack engine) and handed down unchanged; a service that acts on its caller's behalf derives one
/// by Call::forwarded_by (AWS's forward access sessions).
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/http.h"
#include "base/clock.h"
#include "base/text.h"
#include "policy/decide.h"

namespace redoubt::access {

/// A principal, authenticated. Immutable; shared by all its requests. What policies apply to it is NOT in here: the Gate asks the
/// Directory at each decision, so that a detached policy bites at once.
struct Caller {
  policy::PrincipalType type = policy::PrincipalType::anonymous;
  std::string account;                  // 12 digits; "" for anonymous and services
  std::string arn;                      // of the user, root or sts session
  std::string issuer_arn;               // role ARN of a session; user ARN of a user: aws:PrincipalArn
  std::string unique_id;                // AIDA.. / AROA.. / account id
  std::string user_id;                  // aws:userid: AIDA.., AROA..:session, account
  std::string user_name;                // aws:username: IAM users only
  std::string role_name, session_name;  // of role sessions
  std::string service;                  // redshift.amazonaws.com: a service acting for itself
  std::string provider;                 // federated: provider ARN or web identity host
  std::string access_key_id;            // "" where none signed

  // Of temporary credentials.
  bool temporary = false;
  Timestamp token_issued, expires;
  std::string source_identity, federated_provider;
  std::map<std::string, std::string, ILess> session_tags;  // passed or inherited
  std::vector<std::string> transitive_tag_keys;
  std::vector<policy::PolicyPtr> session_policies;  // passed to AssumeRole, inline and managed
  std::vector<std::string> session_policy_names;    // beside them: ARN, or "" for the inline one
  bool from_get_session_token = false;              // may not call IAM, nor STS but for AssumeRole and GetCallerIdentity
  bool chained = false;                             // the session was assumed by another role session
  /// More condition keys that AWS sets for every request of such a session (saml:*, ec2:SourceInstanceARN ..).
  std::vector<std::pair<std::string, std::string>> session_context;

  policy::Principal principal() const { return {type, account, arn, issuer_arn, unique_id, user_id, service, provider, {}}; }
};
using CallerPtr = std::shared_ptr<const Caller>;

/// One request under way.
struct Call {
  CallerPtr caller;        // never null; Call::anonymous() for unsigned ones
  std::string request_id;  // also of nested calls: the audit groups by it
  std::string region;
  Timestamp now;          // when it arrived
  api::NetworkPath path;  // of the outermost request
  std::string user_agent, referer;
  std::vector<std::string> called_via;     // services that forwarded it, first to last: cloudformation.amazonaws.com
  std::string via_service;                 // the last one as kms:ViaService writes it: s3.us-east-1.amazonaws.com
  std::string source_account, source_arn;  // aws:SourceAccount, aws:SourceArn: a service principal on a resource's behalf
  std::string invoked_by;                  // audit: the service that made a nested call
  // How it was signed: s3:authType (REST-HEADER, REST-QUERY-STRING), s3:signatureversion, s3:signatureAge (ms),
  // s3:x-amz-content-sha256
  std::string auth_type, signature_version, content_sha256;
  int64_t signature_age_ms = -1;
  /// The encoded request's own headers by lower-case name, S3 only: s3:x-amz-* condition keys reflect headers, never defaults.
  std::map<std::string, std::string> headers;

  /// A service acts for this caller: called_via grows, aws:ViaAWSService becomes true, the caller stays.
  /// Call c = call.forwarded_by("s3", region)
  Call forwarded_by(std::string_view service) const;
  bool via_aws_service() const { return !called_via.empty(); }
};

/// A service for itself: only trust policies and resource policies that name it let it through.
CallerPtr service_caller(std::string_view service);  // "redshift.amazonaws.com"
CallerPtr anonymous_caller();

}  // namespace redoubt::access
