#pragma once
/// Temporary database credentials: GetClusterCredentials gives out a sealed token, sign-on opens it. Nothing is stored, so they
/// cost nothing, survive a restart and several may be valid at once. Source: Redshift Management Guide, "Using IAM authentication
/// to generate database user credentials".
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "warehouse/control/errors.h"
#include "warehouse/session/auth.h"

namespace redoubt::warehouse::control {

struct Credentials {
  std::string user;      // as the client must send it: IAM:alice, IAMA:alice:group
  std::string password;  // the token
  Timestamp expires;
};

/// Makes and checks the tokens of one cluster. Immutable; any thread.
class TokenMint final : public session::TokenVerifier {
 public:
  /// `key`: 32 bytes that only this cluster has.
  TokenMint(std::string key, const Clock& clock) : key_(std::move(key)), clock_(clock) {}
  Credentials make(const session::TokenIdentity& who, int64_t seconds) const;
  /// Errors: kBadToken for whatever is wrong.
  Result<session::TokenIdentity> verify(std::string_view user, std::string_view database, std::string_view token) const override;

 private:
  std::string key_;
  const Clock& clock_;
};

}  // namespace redoubt::warehouse::control
