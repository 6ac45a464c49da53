#pragma once
/// Session tokens: everything about a session, sealed. Nothing about a session is stored, so sessions survive restarts and cost
/// nothing; what they may do still follows today's policies, because a token names its role or user but holds none of their
/// policies. Also EC2's encoded authorization failure messages, sealed with the same key. Threads: any.

#include "access/directory.h"
#include "base/json.h"

namespace redoubt::identity {

/// What a token holds.
struct StsSession {
  access::Caller caller;  // without session_policies
  std::string secret;
  std::string inline_policy;                  // the document passed, "" without
  std::vector<std::string> managed_policies;  // ARNs passed
};

class Tokens {
 public:
  explicit Tokens(std::string key32) : key_(std::move(key32)) {}

  /// The token for `session.caller.access_key_id`; it opens with that id only.
  std::string seal(const StsSession& session) const;
  /// nullopt: not a token of ours, of another key id, or tampered with; expiry is the caller's to check.
  std::optional<StsSession> open(std::string_view access_key_id, std::string_view token) const;

  /// `json` for DecodeAuthorizationMessage by `account` alone.
  std::string seal_message(std::string_view account, std::string_view json) const;
  std::optional<std::string> open_message(std::string_view account, std::string_view message) const;

 private:
  const std::string key_;
};

}  // namespace redoubt::identity
