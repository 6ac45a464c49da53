#include "identity/world_test_support.h"

namespace redoubt::identity {

using namespace api::organizations;
using namespace api::organizations::op;
namespace iam = api::iam;

namespace {
/// An organization with one member account, reached through OrganizationAccountAccessRole.
class OrganizationsTest : public testing::Test {
 public:
  void SetUp() override {
    organization = *done<op::CreateOrganization>({}).Organization;
    root = *(*done<ListRoots>({}).Roots)[0].Id;
    member = make_account("member");
    keys = enter(member);
  }
  template <class Op>
  typename Op::Output done(const typename Op::Input& in) {
    return ok(w.call<Op>(w.as_admin(), in));
  }
  template <class Op>
  std::string outcome(const typename Op::Input& in) {
    auto out = w.call<Op>(w.as_admin(), in);
    return out ? "" : std::string(out.error().kind->code);
  }
  std::string make_account(const std::string& name) {
    CreateAccountRequest in;
    in.Email = name + "@example.com";
    in.AccountName = name;
    auto out = done<CreateAccount>(in);
    EXPECT_EQ(*out.CreateAccountStatus->State, "IN_PROGRESS");
    auto status = done<DescribeCreateAccountStatus>({*out.CreateAccountStatus->Id}).CreateAccountStatus;
    EXPECT_EQ(*status->State, "SUCCEEDED");
    return status->AccountId.value_or("");
  }
  World::Keys enter(const std::string& account) {
    return w.assume(w.admin_keys(), World::role_request(World::role_arn("OrganizationAccountAccessRole", account)));
  }
  std::string make_policy(const std::string& name, const std::string& content,
                          const std::string& type = "SERVICE_CONTROL_POLICY") {
    op::CreatePolicy::Input in;
    in.Name = name;
    in.Content = content;
    in.Type = type;
    return *done<op::CreatePolicy>(in).Policy->PolicySummary->Id;
  }
  bool may_list() { return bool(w.http<iam::op::ListUsers>(keys, {})); }

  World w;
  struct Organization organization;
  std::string root, member;
  World::Keys keys;
};
const std::string kDenyListUsers =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}]})";
}  // namespace

TEST_F(OrganizationsTest, MembersAreReachedThroughTheirRole) {
  EXPECT_TRUE(may_list());
  EXPECT_EQ(*ok(w.http<DescribeOrganization>(keys, {})).Organization->MasterAccountId, World::kAccount);
  EXPECT_EQ(w.http<ListAccounts>(keys, {}).error().kind->code, "AccessDeniedException");
  EXPECT_EQ(done<ListAccounts>({}).Accounts->size(), 2u);
  EXPECT_EQ(outcome<CreateOrganization>({}), "AlreadyInOrganizationException");
  w.restart();
  EXPECT_TRUE(may_list());
}

TEST_F(OrganizationsTest, ServiceControlPoliciesCapMembersButNotTheManagementAccount) {
  std::string deny = make_policy("deny", kDenyListUsers);
  EXPECT_EQ(outcome<AttachPolicy>({deny, root}), "PolicyTypeNotEnabledException");
  done<EnablePolicyType>({root, "SERVICE_CONTROL_POLICY"});
  EXPECT_TRUE(may_list()) << "FullAWSAccess is attached everywhere";
  done<AttachPolicy>({deny, root});
  auto denied = w.http<iam::op::ListUsers>(keys, {});
  ASSERT_FALSE(denied);
  EXPECT_NE(denied.error().message.find("with an explicit deny in a service control policy"), std::string::npos)
      << denied.error().message;
  EXPECT_TRUE(w.http<iam::op::ListUsers>(w.admin_keys(), {}));
  done<DetachPolicy>({deny, root});
  EXPECT_TRUE(may_list());
  EXPECT_EQ(outcome<DetachPolicy>({"p-FullAWSAccess", member}), "ConstraintViolationException");
  std::string some =
      make_policy("some", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})");
  done<AttachPolicy>({some, member});
  done<DetachPolicy>({"p-FullAWSAccess", member});
  EXPECT_FALSE(may_list()) << "every level must allow";
  done<DisablePolicyType>({root, "SERVICE_CONTROL_POLICY"});
  EXPECT_TRUE(may_list());
}

TEST_F(OrganizationsTest, UnitsFormATreeWhosePoliciesAddUp) {
  done<EnablePolicyType>({root, "SERVICE_CONTROL_POLICY"});
  auto unit = *done<CreateOrganizationalUnit>({root, "teams"}).OrganizationalUnit->Id;
  auto inner = *done<CreateOrganizationalUnit>({unit, "blue"}).OrganizationalUnit->Id;
  EXPECT_EQ(outcome<CreateOrganizationalUnit>({root, "teams"}), "DuplicateOrganizationalUnitException");
  done<MoveAccount>({member, root, inner});
  EXPECT_EQ(outcome<MoveAccount>({member, root, inner}), "SourceParentNotFoundException");
  EXPECT_EQ(*(*done<ListParents>({member}).Parents)[0].Id, inner);
  EXPECT_EQ(done<ListChildren>({inner, "ACCOUNT"}).Children->size(), 1u);
  EXPECT_EQ(outcome<DeleteOrganizationalUnit>({inner}), "OrganizationalUnitNotEmptyException");
  std::string deny = make_policy("deny", kDenyListUsers);
  done<AttachPolicy>({deny, unit});
  EXPECT_FALSE(may_list());
  EXPECT_EQ(outcome<DeletePolicy>({deny}), "PolicyInUseException");
  // aws:PrincipalOrgPaths names the whole way.
  auto layers = w.identity->policies_of(*w.as(keys).caller);
  EXPECT_EQ(layers->organization_path, *organization.Id + "/" + root + "/" + unit + "/" + inner + "/");
  done<MoveAccount>({member, inner, root});
  EXPECT_TRUE(may_list());
  done<DeleteOrganizationalUnit>({inner});
}

TEST_F(OrganizationsTest, ResourceControlPoliciesCapWhoAssumesAMembersRoles) {
  done<EnablePolicyType>({root, "RESOURCE_CONTROL_POLICY"});
  std::string deny = make_policy(
      "rcp",
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]})",
      "RESOURCE_CONTROL_POLICY");
  done<AttachPolicy>({deny, member});
  EXPECT_TRUE(w.refused(w.admin_keys(), World::role_request(World::role_arn("OrganizationAccountAccessRole", member)))
                  .starts_with("AccessDenied"));
  EXPECT_EQ(outcome<DetachPolicy>({"p-RCPFullAWSAccess", member}), "ConstraintViolationException");
}

TEST_F(OrganizationsTest, ClosedAndDepartedAccounts) {
  done<CloseAccount>({member});
  EXPECT_EQ(w.http<iam::op::ListUsers>(keys, {}).error().kind->code, "InvalidClientTokenId");
  std::string second = make_account("second");
  auto second_keys = enter(second);
  EXPECT_EQ(outcome<DeleteOrganization>({}), "OrganizationNotEmptyException");
  EXPECT_TRUE(w.http<LeaveOrganization>(second_keys, {}));
  EXPECT_EQ(w.http<DescribeOrganization>(second_keys, {}).error().kind->code, "AWSOrganizationsNotInUseException");
  EXPECT_EQ(outcome<RemoveAccountFromOrganization>({World::kAccount}), "MasterCannotLeaveOrganizationException");
  CreateAccountRequest again;
  again.Email = "MEMBER@example.com";
  again.AccountName = "again";
  auto out = done<CreateAccount>(again);
  EXPECT_EQ(*done<DescribeCreateAccountStatus>({*out.CreateAccountStatus->Id}).CreateAccountStatus->FailureReason,
            "EMAIL_ALREADY_EXISTS");
}

// Confused deputy: a role of one account that a service uses for others asks for the ExternalId that only its owner knows.
TEST_F(OrganizationsTest, AThirdPartyCannotBeMadeToUseAnothersRole) {
  w.make_role(w.as(keys), "for-vendor",
              World::trusting(R"({"AWS":"111122223333"})", R"(,"Condition":{"StringEquals":{"sts:ExternalId":"customer-1"}})"));
  auto in = World::role_request(World::role_arn("for-vendor", member));
  EXPECT_TRUE(w.refused(w.admin_keys(), in).starts_with("AccessDenied"));
  in.ExternalId = "CUSTOMER-1";
  EXPECT_TRUE(w.refused(w.admin_keys(), in).starts_with("AccessDenied"));
  in.ExternalId = "customer-1";
  EXPECT_EQ(w.refused(w.admin_keys(), in), "");
  // Cross-account both sides must allow: a trust policy alone is not enough.
  auto bob = w.make_user(w.as_admin(), "bob");
  EXPECT_TRUE(w.refused(bob, in).starts_with("AccessDenied"));
}

}  // namespace redoubt::identity
