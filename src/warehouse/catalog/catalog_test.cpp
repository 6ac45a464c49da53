#include "warehouse/catalog/catalog.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/serial.h"

namespace redoubt::warehouse::catalog {
namespace {

const std::string kSecret(32, 'k');

struct World {
  Catalog catalog{kSecret};
  std::vector<Row> log = catalog.bootstrap({});
  Oid db = catalog.latest()->database("dev")->oid;

  Result<void> commit(Transaction& t) {
    auto rows = t.rows();
    TRY_VOID(t.check());
    log.insert(log.end(), rows.begin(), rows.end());
    t.publish();
    return {};
  }
  Oid user(const std::string& name) {
    Transaction t(catalog);
    User u{.id = catalog.new_user_id(), .name = name};
    t.put(u);
    EXPECT_TRUE(commit(t));
    return u.id;
  }
  Schema schema(const std::string& name, Oid owner) {
    Transaction t(catalog);
    Schema s{.oid = catalog.new_oid(), .database = db, .name = name, .owner = owner};
    t.put(s);
    EXPECT_TRUE(commit(t));
    return s;
  }
};

Relation table(Catalog& c, const Schema& s, const std::string& name, Oid owner) {
  Relation r{.oid = c.new_oid(), .schema = s.oid, .database = s.database, .name = name, .owner = owner};
  r.storage = r.oid;
  r.columns.push_back({.name = "a", .type = sql::Type::decimal(10, 2), .attnum = 1});
  r.columns.push_back({.name = "b", .type = sql::Type::varchar(20), .attnum = 2, .not_null = true, .default_sql = "'x'"});
  return r;
}

TEST(Catalog, BootstrapOpensPublicAndAssumeRoleToAll) {
  World w;
  auto s = w.catalog.latest();
  auto& dev = *s->database("dev");
  auto who = identities(*s, 4711);  // nobody
  EXPECT_TRUE(may(who, kTemp, dev));
  EXPECT_FALSE(may(who, kCreate, dev));
  EXPECT_TRUE(may(who, kUsage | kCreate, *s->schema(dev.oid, "public")));
  EXPECT_TRUE(may_assume_role(*s, who, "arn:aws:iam::1:role/A", kAssumeCopy));
  EXPECT_TRUE(s->user("awsuser")->superuser);
}

TEST(Catalog, ARevokeIsSeenByAnOpenTransactionAndCannotBeUndoneByIt) {
  World w;
  Oid alice = w.user("alice");
  Schema s = w.schema("s", kMasterUserId);
  s.acl = default_acl(AclTarget::kSchema, s.owner);
  acl_grant(*s.acl, Grantee::user(alice), s.owner, kUsage, false);
  Transaction grant(w.catalog);
  grant.put(s);
  ASSERT_TRUE(w.commit(grant));

  Transaction open(w.catalog);  // changes the same list from its older copy
  Schema stale = *open.view()->schema(s.oid);
  acl_grant(*stale.acl, Grantee::everyone(), s.owner, kUsage, false);
  open.put(stale);

  Transaction revoke(w.catalog);
  Schema closed = *revoke.view()->schema(s.oid);
  ASSERT_TRUE(acl_revoke(*closed.acl, Grantee::user(alice), s.owner, kUsage, false, s.owner));
  revoke.put(closed);
  Transaction reader(w.catalog);
  EXPECT_TRUE(may(identities(*reader.view(), alice), kUsage, *reader.view()->schema(s.oid)));
  ASSERT_TRUE(w.commit(revoke));
  EXPECT_FALSE(may(identities(*reader.view(), alice), kUsage, *reader.view()->schema(s.oid)));

  auto refused = open.check();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(kConflict));
}

TEST(Catalog, ConcurrentCreationOfOneNameIsRefused) {
  World w;
  Schema s = w.schema("s", kMasterUserId);
  Transaction a(w.catalog), b(w.catalog);
  a.put(table(w.catalog, s, "t", kMasterUserId));
  b.put(table(w.catalog, s, "t", kMasterUserId));
  ASSERT_TRUE(w.commit(a));
  auto refused = b.check();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(kDuplicateTable));
}

TEST(Catalog, ATableInADroppedSchemaIsRefused) {
  World w;
  Schema s = w.schema("s", kMasterUserId);
  Transaction a(w.catalog), b(w.catalog);
  a.put(table(w.catalog, s, "t", kMasterUserId));
  b.drop(s.key());
  ASSERT_TRUE(w.commit(b));
  EXPECT_FALSE(a.check());
  Transaction c(w.catalog);
  Schema s2 = w.schema("s2", kMasterUserId);
  c.put(table(w.catalog, s2, "t", kMasterUserId));
  Transaction d(w.catalog);
  d.drop(s2.key());
  ASSERT_TRUE(w.commit(c));
  EXPECT_FALSE(d.check()) << "the schema isn't empty any more";
}

TEST(Catalog, AGrantToADroppedUserIsRefused) {
  World w;
  Oid bob = w.user("bob");
  Schema s = w.schema("s", kMasterUserId);
  Transaction grant(w.catalog), drop(w.catalog);
  s.acl = default_acl(AclTarget::kSchema, s.owner);
  acl_grant(*s.acl, Grantee::user(bob), s.owner, kUsage, false);
  grant.put(s);
  drop.drop(User{.id = bob}.key());
  ASSERT_TRUE(w.commit(grant));
  EXPECT_FALSE(drop.check()) << "the user is named in a list now";
}

TEST(Catalog, VerifiersAreSealedInRows) {
  World w;
  Transaction t(w.catalog);
  t.put(User{.id = w.catalog.new_user_id(), .name = "eve", .verifier = {.md5 = std::string(32, 'a')}});
  ASSERT_TRUE(w.commit(t));
  EXPECT_EQ(w.log.back().body.find("aaaa"), std::string::npos);
  EXPECT_FALSE(Catalog(std::string(32, 'x')).load(w.log)) << "another key doesn't open them";
}

TEST(Catalog, NumbersAreNeverGivenTwiceAcrossReloadAndCompaction) {
  World w;
  Schema s = w.schema("s", kMasterUserId);
  Transaction t(w.catalog);
  t.drop(s.key());
  ASSERT_TRUE(w.commit(t));
  Catalog again(kSecret);
  ASSERT_TRUE(again.load(w.log));
  EXPECT_GT(again.new_oid(), s.oid);
  Catalog compacted(kSecret);
  ASSERT_TRUE(compacted.load(w.catalog.dump()));
  EXPECT_GT(compacted.new_oid(), s.oid);
}

Procedure procedure(Catalog& c, const Schema& s, const std::string& name, Oid owner) {
  Procedure p{.oid = c.new_oid(), .schema = s.oid, .database = s.database, .name = name, .owner = owner};
  p.arguments = {{"a", ArgumentMode::kIn, sql::TypeKind::kInteger},
                 {"b", ArgumentMode::kInOut, sql::Type::varchar(20)},
                 {"c", ArgumentMode::kOut, sql::Type::decimal(10, 2)}};
  p.body = "begin null; end";
  p.settings["search_path"] = "admin";
  p.security_definer = true;
  return p;
}

TEST(Procedures, AreFoundByNameAndToldApartByInputTypes) {
  World w;
  Oid alice = w.user("alice");
  Schema s = w.schema("s", alice);
  Transaction t(w.catalog);
  Procedure one = procedure(w.catalog, s, "p", alice), two = procedure(w.catalog, s, "p", alice);
  EXPECT_EQ(one.signature(), "p(integer,character varying)");
  two.arguments[2].mode = ArgumentMode::kIn;
  t.put(one);
  t.put(two);
  ASSERT_TRUE(w.commit(t));
  auto now = w.catalog.latest();
  EXPECT_EQ(now->procedures_named(s.oid, "p").size(), 2u);
  EXPECT_EQ(now->procedure(s.oid, "p(integer,character varying)")->oid, one.oid);
  EXPECT_FALSE(now->schema_is_empty(s.oid));
  EXPECT_TRUE(owns_anything(*now, alice));

  Transaction again(w.catalog);
  again.put(procedure(w.catalog, s, "p", alice));
  auto refused = again.check();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(kDuplicateProcedure));

  Catalog reloaded(kSecret);
  ASSERT_TRUE(reloaded.load(w.log));
  EXPECT_TRUE(*reloaded.latest() == *now);
  EXPECT_EQ(reloaded.latest()->procedure(one.oid)->settings.at("search_path"), "admin");
}

TEST(Procedures, OnlyTheOwnerMayExecuteUntilItIsGranted) {
  World w;
  Oid alice = w.user("alice"), bob = w.user("bob");
  Procedure p = procedure(w.catalog, w.schema("s", alice), "p", alice);
  auto may_execute = [&](Oid user) { return may(identities(*w.catalog.latest(), user), kExecute, p); };
  EXPECT_TRUE(may_execute(alice));
  EXPECT_FALSE(may_execute(bob));
  EXPECT_TRUE(may_execute(kMasterUserId));
  p.acl = effective_acl(p);
  acl_grant(*p.acl, Grantee::user(bob), alice, kExecute, false);
  EXPECT_TRUE(may_execute(bob));
}

TEST(Procedures, ASchemaThatHoldsOneIsNotDropped) {
  World w;
  Oid alice = w.user("alice");
  Schema s = w.schema("s", alice);
  Transaction drop(w.catalog), make(w.catalog);
  make.put(procedure(w.catalog, s, "p", alice));
  ASSERT_TRUE(w.commit(make));
  drop.drop(s.key());
  EXPECT_FALSE(drop.check());
}

TEST(Acl, RevokingAGrantOptionThatOthersDependOnIsRefused) {
  constexpr Oid owner = 1, a = 2, b = 3;
  Acl acl = default_acl(AclTarget::kRelation, owner);
  acl_grant(acl, Grantee::user(a), owner, kSelect, true);
  acl_grant(acl, Grantee::user(b), a, kSelect, false);
  Acl before = acl;
  auto refused = acl_revoke(acl, Grantee::user(a), owner, kSelect, true, owner);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "dependent privileges exist");
  EXPECT_EQ(acl, before);
  ASSERT_TRUE(acl_revoke(acl, Grantee::user(b), a, kSelect, false, owner));
  EXPECT_TRUE(acl_revoke(acl, Grantee::user(a), owner, kSelect, false, owner));
}

TEST(Acl, GrantOptionsInACircleDoNotHoldEachOther) {
  constexpr Oid owner = 1, a = 2, b = 3;
  Acl acl = default_acl(AclTarget::kRelation, owner);
  acl_grant(acl, Grantee::user(a), owner, kSelect, true);
  acl_grant(acl, Grantee::user(b), a, kSelect, true);
  acl_grant(acl, Grantee::user(a), b, kSelect, true);
  EXPECT_FALSE(acl_revoke(acl, Grantee::user(a), owner, kSelect, false, owner));
}

TEST(Acl, TextIsPostgreSQLs) {
  AclEntry e{Grantee::group(7), 1, kSelect | kUpdate, kUpdate};
  EXPECT_EQ(acl_item_text(e, "g", "o"), "group g=rw*/o");
  EXPECT_EQ(acl_item_text({Grantee::everyone(), 1, kUsage | kCreate, 0}, "", "rdsdb"), "=UC/rdsdb");
}

TEST(Rights, AChainIsOneObject) {
  World w;
  Oid alice = w.user("alice");
  Transaction t(w.catalog);
  t.drop(AssumeRoleGrants{.grantee = Grantee::everyone()}.key());
  t.put(AssumeRoleGrants{Grantee::user(alice), {{"A,B", kAssumeCopy}, {"C", kAssumeAll}}});
  ASSERT_TRUE(w.commit(t));
  auto s = w.catalog.latest();
  auto who = identities(*s, alice);
  EXPECT_TRUE(may_assume_role(*s, who, "A,B", kAssumeCopy));
  EXPECT_FALSE(may_assume_role(*s, who, "A,B", kAssumeUnload));
  EXPECT_FALSE(may_assume_role(*s, who, "A", kAssumeCopy));
  EXPECT_FALSE(may_assume_role(*s, who, "B", kAssumeCopy));
  EXPECT_FALSE(may_assume_role(*s, who, "C,B", kAssumeCopy));
  EXPECT_TRUE(may_assume_role(*s, who, "C", kAssumeUnload));
  EXPECT_FALSE(may_assume_role(*s, who, "*", kAssumeCopy));
}

TEST(Rights, RolesAreTransitiveAndCyclesEnd) {
  World w;
  Oid alice = w.user("alice");
  Transaction t(w.catalog);
  Role a{.id = w.catalog.new_oid(), .name = "a", .owner = kMasterUserId},
      b{.id = w.catalog.new_oid(), .name = "b", .owner = kMasterUserId};
  a.roles = {{b.id, false, kMasterUserId}};
  b.roles = {{a.id, false, kMasterUserId}};
  b.system_privileges = {"CREATE USER"};
  t.put(a);
  t.put(b);
  User u = *t.view()->user(alice);
  u.roles = {{a.id, true, kMasterUserId}};
  t.put(u);
  ASSERT_TRUE(w.commit(t));
  auto s = w.catalog.latest();
  EXPECT_EQ(effective_roles(*s, alice).size(), 2u);
  EXPECT_TRUE(has_system_privilege(*s, identities(*s, alice), "CREATE USER"));
  EXPECT_FALSE(has_system_privilege(*s, identities(*s, alice), "DROP USER"));
}

TEST(PersistentMap, BehavesLikeAMapAndKeepsOldVersions) {
  rc::check([](const std::vector<std::pair<uint8_t, int>>& steps) {
    struct Weak {
      size_t operator()(const uint8_t& k) const { return k % 3; }
    };  // collisions on purpose
    PersistentMap<uint8_t, int, Weak> map;
    std::map<uint8_t, int> model;
    std::vector<std::pair<PersistentMap<uint8_t, int, Weak>, std::map<uint8_t, int>>> history;
    for (auto& [key, value] : steps) {
      history.emplace_back(map, model);
      if (value % 3) {
        map = map.set(key, value);
        model[key] = value;
      } else {
        map = map.erase(key);
        model.erase(key);
      }
    }
    history.emplace_back(map, model);
    for (auto& [m, expected] : history) {
      std::map<uint8_t, int> seen;
      m.for_each([&](uint8_t k, int v) { seen[k] = v; });
      RC_ASSERT(seen == expected);
      RC_ASSERT(m.size() == expected.size());
      for (int k = 0; k < 256; k++) RC_ASSERT((m.find(uint8_t(k)) != nullptr) == (expected.count(uint8_t(k)) == 1));
    }
  });
}

/// Random changes; some are refused. What was committed is what a reload says.
TEST(Catalog, ReloadGivesWhatWasCommitted) {
  rc::check([](const std::vector<uint16_t>& steps) {
    World w;
    std::vector<Oid> users{kMasterUserId}, schemas;
    for (uint16_t step : steps) {
      Transaction t(w.catalog);
      int pick = step / 16;
      Oid any_user = users[size_t(pick) % users.size()];
      const Schema* any_schema = schemas.empty() ? nullptr : t.view()->schema(schemas[size_t(pick) % schemas.size()]);
      switch (step % 16) {
        case 0: {
          users.push_back(w.catalog.new_user_id());
          t.put(User{.id = users.back(),
                     .name = "u" + std::to_string(users.back()),
                     .verifier = {.md5 = "m", .scram = "s"},
                     .valid_until = Timestamp{5},
                     .settings = {{"search_path", "a, \"b\""}}});
          break;
        }
        case 1: {
          schemas.push_back(w.catalog.new_oid());
          t.put(Schema{.oid = schemas.back(), .database = w.db, .name = "s" + std::to_string(pick % 4), .owner = any_user});
          break;
        }
        case 2:
        case 3:
        case 4:
          if (any_schema) t.put(table(w.catalog, *any_schema, "t" + std::to_string(pick % 5), any_user));
          break;
        case 5:
          if (any_schema) {
            Schema s = *any_schema;
            s.acl = effective_acl(s);
            acl_grant(*s.acl, Grantee::user(any_user), s.owner, kUsage, pick % 2);
            t.put(s);
          }
          break;
        case 6:
          if (any_schema)
            for (auto* r : t.view()->relations(any_schema->oid)) {
              Relation view{.oid = w.catalog.new_oid(),
                            .schema = any_schema->oid,
                            .database = w.db,
                            .name = "v" + r->name,
                            .owner = any_user};
              view.kind = RelationKind::kView;
              view.view_sql = "SELECT \"a\" FROM x";
              view.pins = {{"x", r->oid}};
              view.depends_on = {r->oid};
              t.put(view);
              break;
            }
          break;
        case 7:
          if (any_schema)
            for (auto* r : t.view()->relations(any_schema->oid)) {
              t.drop(r->key());
              break;
            }
          break;
        case 8:
          t.drop(User{.id = any_user}.key());
          break;
        case 9:
          if (any_schema) t.drop(any_schema->key());
          break;
        case 10:
          t.put(AssumeRoleGrants{Grantee::user(any_user), {{"arn:a,arn:b", kAssumeCopy}}});
          break;
        case 11:
          t.put(
              DefaultPrivileges{any_user, w.db, any_schema ? any_schema->oid : 0, {{Grantee::everyone(), any_user, kSelect, 0}}});
          break;
        case 12:
          t.put(Group{w.catalog.new_group_id(), "g" + std::to_string(pick % 3), {any_user}});
          break;
        default:
          break;
      }
      (void)w.commit(t);
    }
    Catalog again(kSecret);
    RC_ASSERT(bool(again.load(w.log)));
    RC_ASSERT(*again.latest() == *w.catalog.latest());
    Catalog compacted(kSecret);
    RC_ASSERT(bool(compacted.load(w.catalog.dump())));
    RC_ASSERT(*compacted.latest() == *w.catalog.latest());
    for (auto* s : w.catalog.latest()->schemas(w.db))
      for (auto* r : w.catalog.latest()->relations(s->oid)) {
        RC_ASSERT(w.catalog.latest()->relation(s->oid, r->name) == r);
        RC_ASSERT(again.latest()->dependents(r->oid) == w.catalog.latest()->dependents(r->oid));
      }
  });
}

}  // namespace
}  // namespace redoubt::warehouse::catalog
