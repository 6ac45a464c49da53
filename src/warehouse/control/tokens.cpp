#include "warehouse/control/tokens.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

namespace redoubt::warehouse::control {
namespace {

/// The name that the client signs on with: it carries the groups, so that changing it must break the seal.
std::string login_name(const session::TokenIdentity& who) {
  std::string name = (who.auto_create ? "IAMA:" : "IAM:") + who.db_user;
  for (auto& g : who.groups) name += ":" + g;
  return name;
}

}  // namespace

Credentials TokenMint::make(const session::TokenIdentity& who, int64_t seconds) const {
  Credentials c{login_name(who), {}, clock_.now().plus_seconds(seconds)};
  Json j = Json::object();
  j.set("u", who.db_user)
      .set("g", Json::strings(who.groups))
      .set("c", who.auto_create)
      .set("d", who.database)
      .set("e", c.expires.us);
  c.password = base64(crypto::seal(key_, j.dump(), c.user));
  return c;
}

Result<session::TokenIdentity> TokenMint::verify(std::string_view user, std::string_view database, std::string_view token) const {
  auto bad = fail(kBadToken, "the temporary credentials are not valid");
  auto sealed = unbase64(token);
  if (!sealed) return bad;
  auto text = crypto::open(key_, *sealed, user);
  if (!text) return bad;
  auto j = Json::parse(*text);
  if (!j || (*j)["e"].integer() <= clock_.now().us) return bad;
  session::TokenIdentity who{.db_user = (*j)["u"].str(), .auto_create = (*j)["c"].boolean(), .database = (*j)["d"].str()};
  for (auto& g : (*j)["g"].items()) who.groups.push_back(g.str());
  if (!who.database.empty() && who.database != database) return bad;
  return who;
}

}  // namespace redoubt::warehouse::control
