#include "warehouse/session/auth.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/ids.h"
#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/core.h"
#include "warehouse/session/errors.h"

namespace redoubt::warehouse::session {

namespace {

std::string int32(int64_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += char((n >> shift) & 0xff);
  return out;
}

/// A reader of network-order messages that never reads past the end.
struct Reader {
  std::string_view rest;
  bool bad = false;
  std::string_view bytes(size_t n) {
    if (n > rest.size()) return bad = true, std::string_view{};
    auto out = rest.substr(0, n);
    rest.remove_prefix(n);
    return out;
  }
  uint32_t number() {
    auto b = bytes(4);
    uint32_t n = 0;
    for (char c : b) n = n << 8 | uint8_t(c);
    return n;
  }
  std::string_view text() {  // up to NUL
    size_t end = rest.find('\0');
    if (end == std::string_view::npos) return bad = true, std::string_view{};
    auto out = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return out;
  }
};

bool is_temporary(std::string_view user) {
  return user.starts_with("IAM:") || user.starts_with("IAMA:") || user.starts_with("IAMR:");
}

/// Attributes of a SCRAM message: "n=user,r=nonce".
std::string_view attribute(std::string_view message, char name) {
  for (auto part : split(message, ','))
    if (part.size() >= 2 && part[0] == name && part[1] == '=') return part.substr(2);
  return {};
}

struct Scram {
  int iterations = 0;
  std::string salt, stored_key, server_key;
};

std::optional<Scram> parse_scram(std::string_view verifier) {
  auto parts = split(verifier, '$');
  if (parts.size() != 3 || parts[0] != "SCRAM-SHA-256") return std::nullopt;
  auto head = split(parts[1], ':'), keys = split(parts[2], ':');
  if (head.size() != 2 || keys.size() != 2) return std::nullopt;
  auto iterations = parse_int(head[0]);
  auto salt = unbase64(head[1]), stored = unbase64(keys[0]), server = unbase64(keys[1]);
  if (!iterations || !salt || !stored || !server) return std::nullopt;
  return Scram{int(*iterations), *salt, *stored, *server};
}

}  // namespace

struct AuthExchange::State {
  std::shared_ptr<ServiceCore> core;
  ClientHello hello;
  enum class Method { kToken, kMd5, kDigest, kSasl, kCleartext } method = Method::kMd5;
  enum class Phase { kStart, kSaslFirst, kSaslFinal, kAnswer, kDone, kFailed } phase = Phase::kStart;
  const catalog::User* user = nullptr;  // null: nothing can match
  catalog::SnapshotPtr snapshot;        // keeps `user`
  catalog::Verifier verifier;           // the user's, or a made-up one
  std::string salt, nonce, client_first, server_first, server_signature;
  Identity identity;

  std::unexpected<Error> refuse() {
    phase = Phase::kFailed;
    return fail(kInvalidAuthorization, "password authentication failed for user \"" + hello.user + "\"");
  }

  /// What a user that doesn't exist is asked with: the same for the same name, so that asking twice tells nothing. The kinds of
  /// verifier are those of some user of the cluster, chosen by the name, so that the method tells nothing either.
  catalog::Verifier made_up() const {
    auto derive = [&](std::string_view what) { return crypto::hmac_sha256(core->mock_secret, std::string(what) + hello.user); };
    catalog::Verifier v;
    v.md5 = hex(derive("md5")).substr(0, 32);
    v.sha256 = hex(derive("sha256"));
    v.sha256_salt = derive("salt");
    v.scram = "SCRAM-SHA-256$4096:" + base64(derive("scram salt").substr(0, 16)) + "$" + base64(derive("stored")) + ":" +
              base64(derive("server"));
    std::vector<const catalog::User*> users = snapshot->users();
    std::erase_if(users, [](auto* u) { return u->password_disabled || u->verifier.empty(); });
    if (users.empty()) return v;
    uint32_t choice = 0;
    for (char c : derive("kinds").substr(0, 4)) choice = choice << 8 | uint8_t(c);
    const catalog::Verifier& like = users[choice % users.size()]->verifier;
    if (like.md5.empty()) v.md5.clear();
    if (like.sha256.empty()) v.sha256.clear();
    if (like.scram.empty()) v.scram.clear();
    return v;
  }

  AuthRequest begin() {
    snapshot = core->catalog.latest();
    phase = Phase::kAnswer;
    if (is_temporary(hello.user)) {
      method = Method::kToken;
      return {AuthRequest::kCleartext, "", false};
    }
    user = snapshot->user(hello.user);
    // A password that is disabled, absent or over its date can't match; the client is asked all the same.
    if (user && (user->password_disabled || user->verifier.empty() || user->id == catalog::kInternalUserId)) user = nullptr;
    verifier = user ? user->verifier : made_up();
    if (hello.amazon_driver && !verifier.sha256.empty()) {
      method = Method::kDigest;
      nonce = crypto::random_bytes(16);
      return {
          AuthRequest::kDigest,
          int32(0) + int32(int64_t(verifier.sha256_salt.size())) + verifier.sha256_salt + int32(int64_t(nonce.size())) + nonce,
          false};
    }
    if (!hello.amazon_driver && hello.scram && !verifier.scram.empty()) {
      method = Method::kSasl;
      phase = Phase::kSaslFirst;
      return {AuthRequest::kSasl, std::string("SCRAM-SHA-256") + '\0' + '\0', false};
    }
    if (!verifier.md5.empty()) {
      method = Method::kMd5;
      salt = crypto::random_bytes(4);
      return {AuthRequest::kMd5, salt, false};
    }
    method = Method::kCleartext;  // only sha256(password || salt) is known: the password itself must come, on TLS
    return {AuthRequest::kCleartext, "", false};
  }

  Result<AuthRequest> token(std::string_view password) {
    if (!hello.tls) return refuse();
    const TokenVerifier* tokens = core->options.tokens;
    if (!tokens) return refuse();
    auto who = tokens->verify(hello.user, hello.database, password);
    if (!who) return refuse();
    return accept_token(*who);
  }

  Result<AuthRequest> accept_token(const TokenIdentity& who);

  bool cleartext_matches(std::string_view password) const {
    std::string digest = hex(crypto::sha256(std::string(password) + verifier.sha256_salt));
    return crypto::constant_time_equal(digest, verifier.sha256);
  }

  bool md5_matches(std::string_view answer) const {
    return crypto::constant_time_equal("md5" + hex(crypto::md5(verifier.md5 + salt)), answer);
  }

  /// SHA256(SHA256(password + salt) + server nonce + client nonce)
  bool digest_matches(std::string_view body) const {
    Reader reader{body};
    std::string digest(reader.bytes(reader.number())), client_nonce(reader.bytes(reader.number()));
    auto inner = unhex(verifier.sha256);
    if (reader.bad || !inner) return false;
    return crypto::constant_time_equal(crypto::sha256(*inner + nonce + client_nonce), digest);
  }

  Result<AuthRequest> sasl_first(std::string_view body) {
    Reader reader{body};
    auto mechanism = reader.text();
    uint32_t length = reader.number();
    auto message = reader.bytes(length);
    if (reader.bad || mechanism != "SCRAM-SHA-256") return refuse();
    // gs2 header: no channel binding is offered. "n,,n=..,r=.."
    if (!message.starts_with("n,") && !message.starts_with("y,")) return refuse();
    size_t bare = message.find(',', 2);
    if (bare == std::string_view::npos) return refuse();
    client_first = message.substr(bare + 1);
    auto client_nonce = attribute(client_first, 'r');
    auto keys = parse_scram(verifier.scram);
    if (client_nonce.empty() || !keys) return refuse();
    nonce = std::string(client_nonce) + base64(crypto::random_bytes(18));
    server_first = "r=" + nonce + ",s=" + base64(keys->salt) + ",i=" + std::to_string(keys->iterations);
    phase = Phase::kSaslFinal;
    return AuthRequest{AuthRequest::kSaslContinue, server_first, false};
  }

  Result<AuthRequest> sasl_final(std::string_view message) {
    size_t proof_at = message.rfind(",p=");
    auto keys = parse_scram(verifier.scram);
    auto proof = proof_at == std::string_view::npos ? std::nullopt : unbase64(message.substr(proof_at + 3));
    auto binding = attribute(message, 'c');
    if (!keys || !proof || proof->size() != 32 || attribute(message, 'r') != nonce || (binding != "biws" && binding != "eSws"))
      return refuse();
    std::string auth_message = client_first + "," + server_first + "," + std::string(message.substr(0, proof_at));
    std::string client_key = crypto::hmac_sha256(keys->stored_key, auth_message);
    for (size_t i = 0; i < client_key.size(); i++) client_key[i] = char(client_key[i] ^ (*proof)[i]);
    if (!crypto::constant_time_equal(crypto::sha256(client_key), keys->stored_key) || !user) return refuse();
    server_signature = crypto::hmac_sha256(keys->server_key, auth_message);
    TRY_VOID(accept());
    return AuthRequest{AuthRequest::kSaslFinal, "v=" + base64(server_signature), true};
  }

  /// After a right password: what may be told.
  Result<void> accept() {
    if (user->valid_until && core->now() > *user->valid_until) {
      phase = Phase::kFailed;
      return fail(kInvalidAuthorization, "password expired for user \"" + hello.user + "\"");
    }
    return enter(*user, "password");
  }

  Result<void> enter(const catalog::User& who, std::string_view how) {
    std::string database = hello.database.empty() ? who.name : hello.database;
    phase = Phase::kFailed;
    auto* d = snapshot->database(database);
    if (!d) return fail(secure::kUndefinedDatabase, "database \"" + database + "\" does not exist");
    identity.user_id_ = who.id;
    identity.user_ = who.name;
    identity.database_ = d->name;
    identity.method_ = how;
    phase = Phase::kDone;
    return {};
  }
};

Result<AuthRequest> AuthExchange::State::accept_token(const TokenIdentity& who) {
  if (!who.database.empty() && who.database != hello.database) return refuse();
  if (who.auto_create && !snapshot->user(who.db_user)) {
    auto made = core->change_catalog([&](catalog::Transaction& t) -> Result<void> {
      if (t.view()->user(who.db_user)) return {};
      t.put(catalog::User{.id = core->catalog.new_user_id(), .name = who.db_user, .password_disabled = true});
      return {};
    });
    if (!made) return fail(made.error());
    snapshot = core->catalog.latest();
  }
  user = snapshot->user(who.db_user);
  if (!user || user->id == catalog::kInternalUserId) return refuse();
  TRY_VOID(enter(*user, "IAM AssumeUser"));
  for (auto& name : who.groups)
    if (auto* group = snapshot->group(name)) identity.extra_groups_.push_back(group->id);
  return AuthRequest{};
}

AuthExchange::AuthExchange(SqlService& service, ClientHello hello) : state_(std::make_unique<State>()) {
  state_->core = service.core_;
  state_->hello = std::move(hello);
}
AuthExchange::~AuthExchange() = default;

AuthRequest AuthExchange::start() { return state_->begin(); }

Result<AuthRequest> AuthExchange::answer(char type, std::string_view body) {
  State& s = *state_;
  using P = State::Phase;
  using M = State::Method;
  if (s.phase == P::kStart || s.phase == P::kDone || s.phase == P::kFailed) return s.refuse();
  if (type != (s.method == M::kDigest ? 'd' : 'p') || body.size() > 100000) return s.refuse();
  if (s.phase == P::kSaslFirst) return s.sasl_first(body);
  if (s.phase == P::kSaslFinal) return s.sasl_final(body);
  std::string_view text = body.substr(0, body.find('\0'));
  if (s.method == M::kToken) return s.token(text);
  bool right = s.method == M::kMd5      ? s.md5_matches(text)
               : s.method == M::kDigest ? s.digest_matches(body)
                                        : s.hello.tls && s.cleartext_matches(text);
  if (!right || !s.user) return s.refuse();
  TRY_VOID(s.accept());
  return AuthRequest{};
}

const Identity& AuthExchange::identity() const {
  CHECK(state_->phase == State::Phase::kDone);
  return state_->identity;
}

}  // namespace redoubt::warehouse::session
