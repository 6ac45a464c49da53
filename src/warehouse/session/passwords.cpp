#include "base/crypto.h"
#include "base/text.h"
#include "warehouse/session/auth.h"
#include "warehouse/session/errors.h"

namespace redoubt::warehouse::session {

namespace {

constexpr int kScramIterations = 4096;

std::string scram_verifier(std::string_view password) {
  std::string salt = crypto::random_bytes(16);
  std::string salted = crypto::pbkdf2_sha256(password, salt, kScramIterations, 32);
  std::string stored = crypto::sha256(crypto::hmac_sha256(salted, "Client Key"));
  std::string server = crypto::hmac_sha256(salted, "Server Key");
  return "SCRAM-SHA-256$" + std::to_string(kScramIterations) + ":" + base64(salt) + "$" + base64(stored) + ":" + base64(server);
}

catalog::Verifier all_verifiers(std::string_view password, std::string_view user) {
  catalog::Verifier v;
  v.md5 = hex(crypto::md5(std::string(password) + std::string(user)));
  v.sha256_salt = crypto::random_bytes(32);
  v.sha256 = hex(crypto::sha256(std::string(password) + v.sha256_salt));
  v.scram = scram_verifier(password);
  return v;
}

bool is_hex(std::string_view s, size_t length) { return s.size() == length && unhex(s).has_value(); }

Result<catalog::Verifier> from_sha256(std::string_view rest, std::string_view user);

/// CREATE USER, "Parameters": 8 to 64 characters, an upper-case and a lower-case letter and a digit, ASCII 33-126 without ' " \ /
/// (@ is on the guide's list and in its examples as well: accepted).
Result<void> check_rules(std::string_view password) {
  if (password.size() < 8) return fail(kInvalidPassword, "Password must be at least 8 characters.");
  if (password.size() > 64) return fail(kInvalidPassword, "Password must be at most 64 characters.");
  bool upper = false, lower = false, digit = false;
  for (char c : password) {
    if (c < 33 || c > 126 || c == '\'' || c == '"' || c == '\\' || c == '/')
      return fail(kInvalidPassword, "Password can only contain printable ASCII characters except for '/', '\"', '\\' and '''.");
    upper |= c >= 'A' && c <= 'Z';
    lower |= c >= 'a' && c <= 'z';
    digit |= is_digit(c);
  }
  if (!upper) return fail(kInvalidPassword, "Password must contain an uppercase letter.");
  if (!lower) return fail(kInvalidPassword, "Password must contain a lowercase letter.");
  if (!digit) return fail(kInvalidPassword, "Password must contain a number.");
  return {};
}

Result<catalog::Verifier> from_sha256(std::string_view rest, std::string_view user) {
  auto parts = split(rest, '|');
  if (parts.size() == 1) {  // sha256|password: hashed here, kept as sha256 alone
    TRY_VOID(check_rules(rest));
    catalog::Verifier v = all_verifiers(rest, user);
    v.md5.clear();
    v.scram.clear();
    return v;
  }
  if (parts.size() != 2 || !is_hex(parts[0], 64) || parts[1].size() > 128 || !unhex(parts[1]))
    return fail(kInvalidPassword, "Invalid sha256 password: it must be 'sha256|password' or 'sha256|digest|salt'.");
  catalog::Verifier v;
  v.sha256 = to_lower(parts[0]);
  v.sha256_salt = *unhex(parts[1]);
  return v;
}

}  // namespace

Result<catalog::Verifier> make_verifier(std::string_view password, std::string_view user) {
  if (password.starts_with("md5") && is_hex(password.substr(3), 32))
    return catalog::Verifier{.md5 = to_lower(password.substr(3))};
  if (password.starts_with("sha256|")) return from_sha256(password.substr(7), user);
  TRY_VOID(check_rules(password));
  return all_verifiers(password, user);
}

}  // namespace redoubt::warehouse::session
