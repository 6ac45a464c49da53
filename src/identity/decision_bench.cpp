/// What a decision costs with everything around it: the principal's policies from Identity, the request's context, identity,
/// bucket and key policy. In a small directory and beside 1,000 accounts of 10 roles; and how long reading those from the store
/// takes.
#include <benchmark/benchmark.h>

#include "identity/world_test_support.h"

namespace redoubt::identity {
namespace {

policy::PolicyPtr parsed(std::string_view text, policy::Kind kind) { return *policy::parse(text, kind); }

class Deciding {
 public:
  explicit Deciding(int accounts) {
    auto admin = world.as_admin();
    world.make_role(
        admin, "reader", World::trusting(R"({"AWS":"111122223333"})"),
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::team1-data","arn:aws:s3:::team1-data/*"]},
                        {"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"arn:aws:kms:us-east-1:111122223333:key/k"}]})");
    if (accounts > 0) (void)world.call<api::organizations::op::CreateOrganization>(admin, {});
    for (int i = 0; i < accounts; ++i) {
      auto made = world.call<api::organizations::op::CreateAccount>(
          admin, {"a" + std::to_string(i) + "@example.com", "a" + std::to_string(i)});
      auto status = world.call<api::organizations::op::DescribeCreateAccountStatus>(admin, {*made->CreateAccountStatus->Id});
      auto in = World::role_request(World::role_arn("OrganizationAccountAccessRole", *status->CreateAccountStatus->AccountId));
      auto inside = world.as(World::keys_of(*world.call<api::sts::op::AssumeRole>(admin, in)));
      for (int role = 0; role < 9; ++role)
        world.make_role(inside, "role" + std::to_string(role), World::trusting(R"({"Service":"redshift.amazonaws.com"})"),
                        World::allowing("s3:GetObject"));
    }
    call = world.as(World::keys_of(*world.call<api::sts::op::AssumeRole>(admin, World::role_request(World::role_arn("reader")))));
    object.arn = "arn:aws:s3:::team1-data/in/file.txt";
    object.account = World::kAccount;
    object.rule = policy::ResourceRule::optional;
    object.policy =
        parsed(R"({"Version":"2012-10-17","Statement":[{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*",
      "Resource":["arn:aws:s3:::team1-data","arn:aws:s3:::team1-data/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]})",
               policy::Kind::bucket);
    key.arn = "arn:aws:kms:us-east-1:111122223333:key/k";
    key.account = World::kAccount;
    key.rule = policy::ResourceRule::required;
    key.policy = parsed(
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]})",
        policy::Kind::key);
  }
  World world;
  access::Call call;
  access::Resource object, key;
};

void GetObjectDecision(benchmark::State& state) {
  Deciding d(int(state.range(0)));
  access::Call forwarded = d.call.forwarded_by("s3");
  for (auto _ : state) {
    bool ok = d.world.gate->decide(d.call, "s3:GetObject", d.object).allowed() &&
              d.world.gate->decide(forwarded, "kms:Decrypt", d.key).allowed();
    if (!ok) state.SkipWithError("denied");
  }
}
BENCHMARK(GetObjectDecision)->Arg(0)->Arg(100)->Arg(1000)->Iterations(200000);

void LoadFromTheStore(benchmark::State& state) {
  Deciding d(int(state.range(0)));
  d.world.close();
  for (auto _ : state) {
    d.world.store = std::move(*meta::Store::open((d.world.dir / "meta.db").string()));
    auto identity = Identity::create(*d.world.store, d.world.clock, std::string(32, 'r'));
    if (!identity) state.SkipWithError("load");
    identity->reset();
    d.world.store.reset();
  }
}
BENCHMARK(LoadFromTheStore)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
}  // namespace redoubt::identity

BENCHMARK_MAIN();
