#pragma once
/// Signing on to a cluster: which method a client is asked for, and whether its answer is right. The wire room is a pump:
///
///   AuthExchange exchange(service, hello);
///   AuthRequest request = exchange.start();                     // send AuthenticationXxx: int32 code, then body
///   while (request.code != AuthRequest::kOk) {
///     TRY(request, exchange.answer(message_type, message_body)); // 'p' PasswordMessage/SASL*, 'd' digest
///     (send it; SASLFinal (12) is followed by another start without an answer: see AuthRequest::final)
///   }
///   exchange.identity()                                          // for SqlService::connect
///
/// Method (DESIGN "Signing on to a cluster"): users that begin with IAM:/IAMA:/IAMR: give a sealed token in clear text, on TLS
/// only; clients that send client_protocol_version get Redshift's digest (13) where a sha256 verifier exists, else MD5 (5);
/// others SCRAM-SHA-256 (10) where a verifier exists, else MD5; if only a 'sha256|..' password is known, clear text (3) on TLS.
/// A user that doesn't exist, is disabled or expired goes through the same exchange against a verifier that nothing matches.
///
/// Errors, as Redshift words them: kInvalidAuthorization (28000) `password authentication failed for user "x"`, the same for
/// every reason that a stranger must not learn; after a right password: kUndefinedDatabase (3D000) `database "x" does not
/// exist`, kTooManyConnections (53300), `password expired`. Threads: one at a time; pbkdf2 isn't run, nothing blocks.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/catalog/objects.h"

namespace redoubt::warehouse::session {

class SqlService;

struct ClientHello {
  std::string user;      // as sent
  std::string database;  // as sent; empty: the user's name
  bool tls = false;
  bool amazon_driver = false;  // client_protocol_version was sent
  bool scram = true;           // false: a driver that can't do SASL
};

struct SessionOptions;

/// One row of stl_connection_log.
struct ConnectionEvent {
  std::string_view event;  // authenticated, authentication failure, initiating session, disconnecting session
  const ClientHello& hello;
  const SessionOptions& session;
  std::string tls_version;  // "" when plain
  int pid = 0;              // 0: there is no session (yet)
};

/// What sealed temporary credentials say (GetClusterCredentials). `database` empty: any.
struct TokenIdentity {
  std::string db_user;              // without IAM: prefix
  std::vector<std::string> groups;  // joined for this login; those that don't exist are ignored
  bool auto_create = false;         // the user may be made if it isn't there
  std::string database;
};

/// Who checks temporary credentials: the control room.
class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  /// `user` as the client sent it, "IAM:alice". Constant time; nothing is stored. Any error is answered like a wrong password.
  virtual Result<TokenIdentity> verify(std::string_view user, std::string_view database, std::string_view token) const = 0;
};

struct AuthRequest {
  static constexpr int32_t kOk = 0, kCleartext = 3, kMd5 = 5, kSasl = 10, kSaslContinue = 11, kSaslFinal = 12, kDigest = 13;
  int32_t code = kOk;
  std::string body;    // what follows the code, in network order
  bool final = false;  // kSaslFinal: no answer comes; send kOk after it
};

/// Proof of a sign-on. Only AuthExchange (and SqlService::trusted, for the Data API after its own IAM check) makes one.
class Identity {
 public:
  catalog::Oid user_id() const { return user_id_; }
  const std::string& user() const { return user_; }
  const std::string& database() const { return database_; }
  const std::vector<catalog::Oid>& extra_groups() const { return extra_groups_; }
  const std::string& method() const { return method_; }  // for stl_connection_log: "password", "IAM AssumeUser"

 private:
  friend class AuthExchange;
  friend class SqlService;
  Identity() = default;
  catalog::Oid user_id_ = 0;
  std::string user_, database_, method_;
  std::vector<catalog::Oid> extra_groups_;
};

class AuthExchange {
 public:
  AuthExchange(SqlService& service, ClientHello hello);
  ~AuthExchange();
  AuthRequest start();
  /// `type`: the message's type byte. A second answer after an error is an error again.
  Result<AuthRequest> answer(char type, std::string_view body);
  /// After kOk.
  const Identity& identity() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Verifiers of a clear-text, md5.. or sha256|.. password as CREATE USER takes it. Errors: kInvalidPassword with Redshift's
/// rules in words.
Result<catalog::Verifier> make_verifier(std::string_view password, std::string_view user);

}  // namespace redoubt::warehouse::session
