#include <set>

#include "identity/world_test_support.h"

namespace redoubt::identity {

using namespace api::iam;
using namespace api::iam::op;

namespace {

/// "" or "Code: message" of an operation by the admin, inside.
template <class Op>
std::string outcome(World& w, const typename Op::Input& in) {
  auto out = w.call<Op>(w.as_admin(), in);
  return out ? "" : why(out.error());
}
template <class Op>
typename Op::Output done(World& w, const typename Op::Input& in) {
  return ok(w.call<Op>(w.as_admin(), in));
}
CreateUserRequest user(std::string name) {
  CreateUserRequest in;
  in.UserName = std::move(name);
  return in;
}
CreatePolicyRequest policy(std::string name, std::string document = World::allowing("s3:*")) {
  CreatePolicyRequest in;
  in.PolicyName = std::move(name);
  in.PolicyDocument = std::move(document);
  return in;
}
const std::string kRootTrust = World::trusting(R"({"AWS":"111122223333"})");
std::string policy_arn(const std::string& name) { return "arn:aws:iam::111122223333:policy/" + name; }

}  // namespace

TEST(Iam, NamesAreUniqueWithoutRegardToCaseAndLookedUpExactly) {
  World w;
  w.make_user(w.as_admin(), "Bob");
  EXPECT_EQ(outcome<CreateUser>(w, user("bob")), "EntityAlreadyExists: User with name bob already exists.");
  EXPECT_EQ(outcome<GetUser>(w, {"bob"}), "NoSuchEntity: The user with name bob cannot be found.");
  EXPECT_EQ(*done<GetUser>(w, {"Bob"}).User.Path.c_str(), '/');
  w.make_role(w.as_admin(), "r", kRootTrust);
  CreateRoleRequest again;
  again.RoleName = "R";
  again.AssumeRolePolicyDocument = kRootTrust;
  EXPECT_EQ(outcome<CreateRole>(w, again), "EntityAlreadyExists: Role with name R already exists.");
}

TEST(Iam, EverythingIsThereAfterARestart) {
  World w;
  w.make_user(w.as_admin(), "bob", World::allowing("s3:GetObject"));
  done<CreateGroup>(w, {std::nullopt, "devs"});
  done<AddUserToGroup>(w, {"devs", "bob"});
  done<AttachGroupPolicy>(w, {"devs", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"});
  done<CreatePolicy>(w, policy("p"));
  done<CreateInstanceProfile>(w, {"profile"});
  w.make_role(w.as_admin(), "r", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:user/bob"})"));
  done<AddRoleToInstanceProfile>(w, {"profile", "r"});
  done<TagRole>(w, {"r", {{"Team", "blue"}}});
  done<CreateAccountAlias>(w, {"my-company"});
  auto before = done<GetAccountAuthorizationDetails>(w, {});
  w.restart();
  auto after = done<GetAccountAuthorizationDetails>(w, {});
  auto text = [](auto& d) { return api::to_json(GetAccountAuthorizationDetailsResponse::shape(), &d).dump(); };
  EXPECT_EQ(text(before), text(after));
  EXPECT_EQ(done<ListAccountAliases>(w, {}).AccountAliases, std::vector<std::string>{"my-company"});
  auto profile = done<GetInstanceProfile>(w, {"profile"}).InstanceProfile;
  ASSERT_EQ(profile.Roles.size(), 1u);
  auto role = done<GetRole>(w, {"r"}).Role;
  EXPECT_NE(url_decode(*role.AssumeRolePolicyDocument)->find("arn:aws:iam::111122223333:user/bob"), std::string::npos);
  EXPECT_EQ((*role.Tags)[0].Value, "blue");
}

TEST(Iam, GroupsAndManagedPoliciesBiteAtOnce) {
  World w;
  auto bob = w.make_user(w.as_admin(), "bob");
  auto may = [&] { return bool(w.http<ListUsers>(bob, {})); };
  EXPECT_FALSE(may());
  done<CreateGroup>(w, {std::nullopt, "readers"});
  done<AttachGroupPolicy>(w, {"readers", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"});
  done<AddUserToGroup>(w, {"readers", "bob"});
  EXPECT_TRUE(may());
  done<DetachGroupPolicy>(w, {"readers", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"});
  EXPECT_FALSE(may());
  auto p = done<CreatePolicy>(w, policy("p", World::allowing("iam:ListUsers")));
  done<AttachUserPolicy>(w, {"bob", *p.Policy->Arn});
  EXPECT_TRUE(may());
  CreatePolicyVersionRequest v2{*p.Policy->Arn, World::allowing("s3:*"), true};
  EXPECT_EQ(*done<CreatePolicyVersion>(w, v2).PolicyVersion->VersionId, "v2");
  EXPECT_FALSE(may());
  done<SetDefaultPolicyVersion>(w, {*p.Policy->Arn, "v1"});
  EXPECT_TRUE(may());
  // A boundary caps what the policies allow.
  done<PutUserPermissionsBoundary>(w, {"bob", "arn:aws:iam::aws:policy/AmazonS3FullAccess"});
  auto denied = w.http<ListUsers>(bob, {});
  ASSERT_FALSE(denied);
  EXPECT_NE(denied.error().message.find("because no permissions boundary allows the iam:ListUsers action"), std::string::npos)
      << denied.error().message;
  done<DeleteUserPermissionsBoundary>(w, {"bob"});
  EXPECT_TRUE(may());
}

TEST(Iam, InactiveAndDeletedKeysAreUnknown) {
  World w;
  auto bob = w.make_user(w.as_admin(), "bob", World::allowing("iam:*"));
  auto code = [&] {
    auto out = w.http<ListUsers>(bob, {});
    return out ? std::string() : std::string(out.error().kind->code);
  };
  EXPECT_EQ(code(), "");
  EXPECT_EQ(done<GetAccessKeyLastUsed>(w, {bob.id}).AccessKeyLastUsed->ServiceName, "iam");
  done<UpdateAccessKey>(w, {"bob", bob.id, "Inactive"});
  EXPECT_EQ(code(), "InvalidClientTokenId");
  done<UpdateAccessKey>(w, {"bob", bob.id, "Active"});
  EXPECT_EQ(code(), "");
  done<CreateAccessKey>(w, {"bob"});
  EXPECT_EQ(outcome<CreateAccessKey>(w, {"bob"}), "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2");
  done<DeleteAccessKey>(w, {"bob", bob.id});
  EXPECT_EQ(code(), "InvalidClientTokenId");
  EXPECT_EQ(outcome<DeleteAccessKey>(w, {"bob", w.admin.access_key_id}),
            "NoSuchEntity: The Access Key with id " + w.admin.access_key_id + " cannot be found.");
}

TEST(Iam, RenamedUsersKeepTheirKeysAndGroups) {
  World w;
  auto bob = w.make_user(w.as_admin(), "bob", World::allowing("iam:GetUser", "arn:aws:iam::*:user/${aws:username}"));
  done<CreateGroup>(w, {std::nullopt, "g"});
  done<AddUserToGroup>(w, {"g", "bob"});
  UpdateUserRequest rename;
  rename.UserName = "bob";
  rename.NewUserName = "robert";
  done<UpdateUser>(w, rename);
  EXPECT_EQ(ok(w.http<GetUser>(bob, {})).User.UserName, "robert");
  EXPECT_EQ(done<GetGroup>(w, {"g"}).Users[0].UserName, "robert");
  UpdateGroupRequest group;
  group.GroupName = "g";
  group.NewGroupName = "h";
  done<UpdateGroup>(w, group);
  EXPECT_EQ(done<ListGroupsForUser>(w, {"robert"}).Groups[0].GroupName, "h");
}

TEST(Iam, TrustPoliciesNameOnlyWhoExists) {
  World w;
  struct Case {
    const char *principal, *expected;
  };
  const Case cases[] = {
      {R"({"AWS":"arn:aws:iam::111122223333:user/nobody"})",
       "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/nobody\""},
      {R"({"AWS":"arn:aws:iam::111122223333:user/x/admin"})",
       "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/x/admin\""},
      {R"({"AWS":"arn:aws:iam::111122223333:user/ADMIN"})",
       "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/ADMIN\""},
      {R"({"AWS":"AROAAAAAAAAAAAAAAAAAA"})", "Invalid principal in policy: \"AWS\":\"AROAAAAAAAAAAAAAAAAAA\""},
      {R"({"AWS":"arn:aws:iam::111122223333:user/admin"})", ""},
      {R"({"AWS":["arn:aws:iam::111122223333:root","444455556666"]})", ""},
      {R"({"Service":["redshift.amazonaws.com","ec2.amazonaws.com"]})", ""},
  };
  int i = 0;
  for (auto& c : cases) {
    CreateRoleRequest in;
    in.RoleName = "role" + std::to_string(i++);
    in.AssumeRolePolicyDocument = World::trusting(c.principal);
    EXPECT_EQ(outcome<CreateRole>(w, in), *c.expected ? "MalformedPolicyDocument: " + std::string(c.expected) : "")
        << c.principal;
  }
  CreateRoleRequest large;
  large.RoleName = "large";
  large.AssumeRolePolicyDocument = World::trusting(
      R"({"AWS":"111122223333"})", R"(,"Condition":{"StringEquals":{"sts:ExternalId":")" + std::string(2100, 'x') + "\"}}");
  EXPECT_EQ(outcome<CreateRole>(w, large), "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048");
}

TEST(Iam, QuotasInAwsWords) {
  World w;
  w.make_user(w.as_admin(), "bob");
  auto big = World::allowing("s3:GetObject", "arn:aws:s3:::" + std::string(1900, 'b'));
  EXPECT_EQ(outcome<PutUserPolicy>(w, {"bob", "one", big}), "");
  EXPECT_EQ(outcome<PutUserPolicy>(w, {"bob", "two", big}),
            "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user bob");
  EXPECT_EQ(outcome<PutUserPolicy>(w, {"bob", "one", big + std::string(3000, ' ')}), "") << "white space doesn't count";
  for (int i = 0; i < 11; ++i) {
    auto p = done<CreatePolicy>(w, policy("p" + std::to_string(i)));
    EXPECT_EQ(outcome<AttachUserPolicy>(w, {"bob", *p.Policy->Arn}),
              i < 10 ? "" : "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 10");
  }
  for (int i = 2; i <= 6; ++i) {
    CreatePolicyVersionRequest v{policy_arn("p0"), World::allowing("s3:Get*"), false};
    EXPECT_EQ(outcome<CreatePolicyVersion>(w, v).substr(0, 13), i <= 5 ? "" : "LimitExceeded");
  }
  EXPECT_EQ(outcome<CreatePolicy>(w, policy("big", World::allowing("s3:*", "arn:aws:s3:::" + std::string(6200, 'b')))),
            "LimitExceeded: Cannot exceed quota for PolicySize: 6144");
  std::vector<Tag> tags;
  for (int i = 0; i < 51; ++i) tags.push_back({"k" + std::to_string(i), "v"});
  w.make_role(w.as_admin(), "r", kRootTrust);
  EXPECT_FALSE(outcome<TagRole>(w, {"r", tags}).empty());
  EXPECT_EQ(outcome<TagRole>(w, {"r", {{"a", "1"}, {"A", "2"}}}),
            "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  EXPECT_EQ(outcome<TagRole>(w, {"r", {{"aws:x", "1"}}}).substr(0, 12), "InvalidInput");
}

TEST(Iam, DeletesConflictUntilAllIsTakenAway) {
  World w;
  w.make_user(w.as_admin(), "bob", World::allowing("s3:*"));
  done<CreateGroup>(w, {std::nullopt, "g"});
  done<AddUserToGroup>(w, {"g", "bob"});
  done<CreatePolicy>(w, policy("p"));
  done<AttachUserPolicy>(w, {"bob", policy_arn("p")});
  EXPECT_EQ(outcome<DeletePolicy>(w, {policy_arn("p")}), "DeleteConflict: Cannot delete a policy attached to entities.");
  EXPECT_EQ(outcome<DeleteUser>(w, {"bob"}), "DeleteConflict: Cannot delete entity, must detach all policies first.");
  done<DetachUserPolicy>(w, {"bob", policy_arn("p")});
  EXPECT_EQ(outcome<DeleteUser>(w, {"bob"}), "DeleteConflict: Cannot delete entity, must delete policies first.");
  done<DeleteUserPolicy>(w, {"bob", "inline"});
  EXPECT_EQ(outcome<DeleteUser>(w, {"bob"}), "DeleteConflict: Cannot delete entity, must remove users from group first.");
  EXPECT_EQ(outcome<DeleteGroup>(w, {"g"}), "DeleteConflict: Cannot delete entity, must remove users from group first.");
  done<RemoveUserFromGroup>(w, {"g", "bob"});
  EXPECT_EQ(outcome<DeleteUser>(w, {"bob"}), "DeleteConflict: Cannot delete entity, must delete access keys first.");
  done<DeleteAccessKey>(w, {"bob", done<ListAccessKeys>(w, {"bob"}).AccessKeyMetadata[0].AccessKeyId.value_or("")});
  EXPECT_EQ(outcome<DeleteUser>(w, {"bob"}), "");
  EXPECT_EQ(outcome<DeleteGroup>(w, {"g"}), "");
  EXPECT_EQ(outcome<DeletePolicy>(w, {policy_arn("p")}), "");
  EXPECT_EQ(outcome<DeletePolicy>(w, {"arn:aws:iam::aws:policy/AdministratorAccess"}).substr(0, 12), "AccessDenied");

  w.make_role(w.as_admin(), "r", kRootTrust);
  done<CreateInstanceProfile>(w, {"ip"});
  done<AddRoleToInstanceProfile>(w, {"ip", "r"});
  EXPECT_EQ(outcome<DeleteRole>(w, {"r"}),
            "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.");
  EXPECT_EQ(outcome<DeleteInstanceProfile>(w, {"ip"}),
            "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.");
}

TEST(Iam, ListsPageWithMarkers) {
  World w;
  for (int i = 0; i < 7; ++i) done<CreateUser>(w, user("u" + std::to_string(i)));
  std::vector<std::string> names;
  ListUsersRequest in;
  in.MaxItems = 3;
  for (;;) {
    auto out = done<ListUsers>(w, in);
    for (auto& u : out.Users) names.push_back(u.UserName);
    if (!*out.IsTruncated) break;
    in.Marker = out.Marker;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"admin", "u0", "u1", "u2", "u3", "u4", "u5", "u6"}));
  in.Marker = "nonsense";
  EXPECT_EQ(outcome<ListUsers>(w, in), "ValidationError: Invalid Marker.");
}

TEST(Iam, AddingARoleToAProfileNeedsPassRole) {
  World w;
  w.make_role(w.as_admin(), "strong", kRootTrust, World::allowing("*"));
  done<CreateInstanceProfile>(w, {"ip"});
  auto bob = w.make_user(w.as_admin(), "bob", World::allowing("iam:AddRoleToInstanceProfile"));
  auto out = w.http<AddRoleToInstanceProfile>(bob, {"ip", "strong"});
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().message.find("iam:PassRole on resource: arn:aws:iam::111122223333:role/strong"), std::string::npos)
      << out.error().message;
}

TEST(Iam, ConditionsSeeBoundariesPoliciesAndTags) {
  World w;
  std::string only = R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iam:AttachRolePolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}},
    {"Effect":"Allow","Action":["iam:CreateRole","iam:TagRole"],"Resource":"*","Condition":{"StringEquals":{
       "iam:PermissionsBoundary":"arn:aws:iam::aws:policy/AmazonS3FullAccess","aws:RequestTag/Team":"blue"},"ForAllValues:StringEquals":{"aws:TagKeys":["Team"]}}},
    {"Effect":"Allow","Action":"iam:DeleteRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"blue"}}}]})";
  auto bob = w.make_user(w.as_admin(), "bob", only);
  w.make_role(w.as_admin(), "r", kRootTrust);
  EXPECT_TRUE(w.http<AttachRolePolicy>(bob, {"r", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}));
  EXPECT_FALSE(w.http<AttachRolePolicy>(bob, {"r", "arn:aws:iam::aws:policy/AdministratorAccess"}));
  EXPECT_FALSE(w.http<DeleteRole>(bob, {"r"}));
  CreateRoleRequest in;
  in.RoleName = "blue";
  in.AssumeRolePolicyDocument = kRootTrust;
  EXPECT_FALSE(w.http<CreateRole>(bob, in));
  in.PermissionsBoundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
  in.Tags = std::vector<Tag>{{"Team", "blue"}, {"Other", "x"}};
  EXPECT_FALSE(w.http<CreateRole>(bob, in));
  in.Tags = std::vector<Tag>{{"Team", "blue"}};
  EXPECT_TRUE(w.http<CreateRole>(bob, in));
  EXPECT_TRUE(w.http<DeleteRole>(bob, {"blue"}));
}

TEST(Iam, TheSimulatorTellsWhatTheGateWouldDo) {
  World w;
  w.make_user(w.as_admin(), "bob", World::allowing("s3:GetObject", "arn:aws:s3:::b/*"));
  SimulatePrincipalPolicyRequest in;
  in.PolicySourceArn = "arn:aws:iam::111122223333:user/bob";
  in.ActionNames = {"s3:GetObject", "s3:PutObject"};
  in.ResourceArns = std::vector<std::string>{"arn:aws:s3:::b/k"};
  auto out = done<SimulatePrincipalPolicy>(w, in);
  ASSERT_EQ(out.EvaluationResults->size(), 2u);
  EXPECT_EQ((*out.EvaluationResults)[0].EvalDecision, "allowed");
  EXPECT_EQ((*out.EvaluationResults)[1].EvalDecision, "implicitDeny");
  SimulateCustomPolicyRequest custom;
  custom.PolicyInputList = {
      World::allowing("s3:*"),
      R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}})"};
  custom.ActionNames = {"s3:GetObject"};
  EXPECT_EQ((*done<SimulateCustomPolicy>(w, custom).EvaluationResults)[0].EvalDecision, "allowed");
  custom.ContextEntries = std::vector<ContextEntry>{{"aws:SecureTransport", std::vector<std::string>{"false"}, "boolean"}};
  EXPECT_EQ((*done<SimulateCustomPolicy>(w, custom).EvaluationResults)[0].EvalDecision, "explicitDeny");
  EXPECT_EQ(*done<GetContextKeysForCustomPolicy>(w, {custom.PolicyInputList}).ContextKeyNames,
            std::vector<std::string>{"aws:SecureTransport"});
}

TEST(Iam, AccountsSeeNothingOfEachOther) {
  World w;
  w.make_user(w.as_admin(), "bob");
  ok(w.call<api::organizations::op::CreateOrganization>(w.as_admin(), {}));
  auto made = ok(w.call<api::organizations::op::CreateAccount>(w.as_admin(), {"b@example.com", "second"}));
  auto status = ok(w.call<api::organizations::op::DescribeCreateAccountStatus>(w.as_admin(), {*made.CreateAccountStatus->Id}));
  auto other =
      w.assume(w.admin_keys(),
               World::role_request(World::role_arn("OrganizationAccountAccessRole", *status.CreateAccountStatus->AccountId)));
  EXPECT_TRUE(ok(w.http<ListUsers>(other, {})).Users.empty());
  EXPECT_EQ(w.http<GetUser>(other, {"bob"}).error().kind->code, "NoSuchEntity");
  EXPECT_EQ(w.http<GetPolicy>(other, {policy_arn("p")}).error().kind->code, "NoSuchEntity");
}

TEST(Iam, SecretsLieSealedInTheStore) {
  World w;
  auto bob = w.make_user(w.as_admin(), "bob");
  w.close();
  std::string all;
  for (auto& entry : std::filesystem::directory_iterator(w.dir)) {
    FILE* f = fopen(entry.path().c_str(), "rb");
    char buffer[65536];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;) all.append(buffer, n);
    fclose(f);
  }
  EXPECT_NE(all.find(bob.id), std::string::npos);
  EXPECT_EQ(all.find(bob.secret), std::string::npos);
  EXPECT_EQ(all.find(w.admin.secret_access_key), std::string::npos);
  w.store = ok(meta::Store::open((w.dir / "meta.db").string()));
  EXPECT_FALSE(Identity::create(*w.store, w.clock, std::string(32, 'x'))) << "another root key must be refused";
}

// What is listed and not built errs by name; this list is the truth that docs and reports repeat.
TEST(Iam, OperationsThatAreNotBuilt) {
  World w;
  std::set<std::string> declared, missing;
  for (auto& row : w.gate->rows()) declared.insert(std::string(row.shape->service->name) + " " + std::string(row.shape->name));
  for (auto* service : {&api::iam::service(), &api::sts::service(), &api::organizations::service()})
    for (auto* op : service->operations) {
      std::string name = std::string(service->name) + " " + std::string(op->name);
      bool provider = name.find("SAML") != name.npos || name.find("OpenIDConnect") != name.npos;
      if (!declared.contains(name) && !provider) missing.insert(name);
    }
  EXPECT_EQ(missing,
            (std::set<std::string>{"iam CreateLoginProfile", "iam CreateServiceLinkedRole", "iam DeleteServiceLinkedRole",
                                   "iam GetServiceLinkedRoleDeletionStatus", "organizations DescribeEffectivePolicy",
                                   "organizations EnableAllFeatures", "sts AssumeRoleWithWebIdentity"}));
}

}  // namespace redoubt::identity
