#include "identity/tokens.h"

#include "base/crypto.h"
#include "base/text.h"
#include "identity/records.h"

namespace redoubt::identity {

namespace {
constexpr char kVersion = '\x01';
constexpr size_t kTokenSizeMax = 16384;

std::string token_aad(std::string_view access_key_id) { return "sts-session " + std::string(access_key_id); }
std::string message_aad(std::string_view account) { return "authorization-message " + std::string(account); }

Json encode(const StsSession& s) {
  const access::Caller& c = s.caller;
  Json context = Json::array();
  for (auto& [key, value] : c.session_context) context.push(Json::array().push(key).push(value));
  Json j = Json::object();
  j.set("t", int(c.type))
      .set("a", c.account)
      .set("arn", c.arn)
      .set("iss", c.issuer_arn)
      .set("uid", c.unique_id)
      .set("user", c.user_id);
  j.set("un", c.user_name)
      .set("rn", c.role_name)
      .set("sn", c.session_name)
      .set("iat", c.token_issued.us)
      .set("exp", c.expires.us);
  j.set("si", c.source_identity).set("fp", c.federated_provider).set("tags", tags_json(c.session_tags));
  j.set("tt", Json::strings(c.transitive_tag_keys))
      .set("ctx", std::move(context))
      .set("gst", c.from_get_session_token)
      .set("ch", c.chained);
  return j.set("k", s.secret).set("p", s.inline_policy).set("pa", Json::strings(s.managed_policies));
}

StsSession decode(const Json& j, std::string_view access_key_id) {
  StsSession s;
  access::Caller& c = s.caller;
  c.type = policy::PrincipalType(j["t"].integer());
  c.account = j["a"].str();
  c.arn = j["arn"].str();
  c.issuer_arn = j["iss"].str();
  c.unique_id = j["uid"].str();
  c.user_id = j["user"].str();
  c.user_name = j["un"].str();
  c.role_name = j["rn"].str();
  c.session_name = j["sn"].str();
  c.access_key_id = access_key_id;
  c.temporary = true;
  c.token_issued = {j["iat"].integer()};
  c.expires = {j["exp"].integer()};
  c.source_identity = j["si"].str();
  c.federated_provider = j["fp"].str();
  c.session_tags = tags_from(j["tags"]);
  for (auto& key : j["tt"].items()) c.transitive_tag_keys.push_back(key.str());
  for (auto& pair : j["ctx"].items()) c.session_context.emplace_back(pair[0].str(), pair[1].str());
  c.from_get_session_token = j["gst"].boolean();
  c.chained = j["ch"].boolean();
  s.secret = j["k"].str();
  s.inline_policy = j["p"].str();
  for (auto& arn : j["pa"].items()) s.managed_policies.push_back(arn.str());
  return s;
}

std::optional<std::string> unsealed(std::string_view key, const std::optional<std::string>& bytes, const std::string& aad) {
  if (!bytes || bytes->empty() || (*bytes)[0] != kVersion) return std::nullopt;
  auto plain = crypto::open(key, std::string_view(*bytes).substr(1), aad);
  if (!plain) return std::nullopt;
  return std::move(*plain);
}
}  // namespace

std::string Tokens::seal(const StsSession& session) const {
  return base64(kVersion + crypto::seal(key_, encode(session).dump(), token_aad(session.caller.access_key_id)));
}

std::optional<StsSession> Tokens::open(std::string_view access_key_id, std::string_view token) const {
  if (token.size() > kTokenSizeMax) return std::nullopt;
  auto plain = unsealed(key_, unbase64(token), token_aad(access_key_id));
  if (!plain) return std::nullopt;
  auto json = Json::parse(*plain);
  if (!json) return std::nullopt;
  return decode(*json, access_key_id);
}

std::string Tokens::seal_message(std::string_view account, std::string_view json) const {
  return base64url(kVersion + crypto::seal(key_, json, message_aad(account)));
}

std::optional<std::string> Tokens::open_message(std::string_view account, std::string_view message) const {
  return unsealed(key_, unbase64url(message), message_aad(account));
}

}  // namespace redoubt::identity
