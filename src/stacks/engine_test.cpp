/// Stacks from creation to deletion, and every way in which one can be cut short.
#include <algorithm>

#include "stacks/cloud_test_support.h"

namespace redoubt::stacks::testing_support {
namespace {

using Engine = CloudTest;

const std::string kTrust = R"(
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: redshift.amazonaws.com}, Action: sts:AssumeRole}])";

/// A key, its alias, a bucket under it with a policy, and a role that may use both: the shape of a tenant.
std::string tenant() {
  return R"(
AWSTemplateFormatVersion: 2010-09-09
Description: a tenant
Parameters:
  Tenant: {Type: String}
Resources:
  Alias:
    Type: AWS::KMS::Alias
    Properties: {AliasName: !Sub 'alias/${Tenant}', TargetKeyId: !Ref Key}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub ${Tenant}-role)" +
         kTrust + R"(
      Policies:
        - PolicyName: !Sub ${Tenant}-policy
          PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: 's3:*', Resource: !GetAtt Bucket.Arn}]}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Deny, Principal: '*', Action: 's3:*', Resource: !Sub 'arn:aws:s3:::${Bucket}/*'}]}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub ${Tenant}-bucket
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: aws:kms, KMSMasterKeyID: !GetAtt Key.Arn}}]
  Key:
    Type: AWS::KMS::Key
    Properties: {Description: !Sub 'key of ${Tenant}', EnableKeyRotation: True}
Outputs:
  BucketName: {Value: !Ref Bucket}
  RoleArn: {Value: !GetAtt Role.Arn}
)";
}

std::string bucket(const std::string& name, const std::string& more = "") {
  return "Resources:\n  B:\n    Type: AWS::S3::Bucket\n" + more + "    Properties: {BucketName: " + name + "}\n";
}
std::string role(const std::string& properties, const std::string& more = "") {
  return "Resources:\n  R:\n    Type: AWS::IAM::Role\n" + more + "    Properties:\n" + properties + kTrust + "\n";
}

TEST_F(Engine, ACreationMakesWhatIsNeededFirst) {
  EXPECT_EQ(create("s", tenant(), {{"Tenant", "t1"}}), "CREATE_COMPLETE");
  EXPECT_EQ(
      cloud.said(),
      "CreateKey key of t1, EnableKeyRotation, CreateAlias alias/t1, CreateBucket t1-bucket, PutBucketEncryption t1-bucket, "
      "PutBucketVersioning t1-bucket, CreateRole t1-role, PutRolePolicy t1-role t1-policy, PutBucketPolicy t1-bucket");
  EXPECT_EQ(output("s", "BucketName"), "t1-bucket");
  EXPECT_EQ(output("s", "RoleArn"), "arn:aws:iam::111122223333:role/t1-role");
  EXPECT_EQ(stack("s")->Description, "a tenant");
  // Whoever did it did it as the caller, through CloudFormation.
  EXPECT_EQ(cloud.callers["CreateRole t1-role"], "arn:aws:iam::111122223333:user/admin via cloudformation.amazonaws.com");
  auto told = story("s");
  EXPECT_EQ(told.front(), "s CREATE_IN_PROGRESS");
  EXPECT_EQ(told[1], "Key CREATE_IN_PROGRESS");
  EXPECT_EQ(told.back(), "s CREATE_COMPLETE");
  EXPECT_EQ(why("s", "s", "CREATE_IN_PROGRESS"), "User Initiated");
}

TEST_F(Engine, ADeletionGoesTheOtherWayRound) {
  create("s", tenant(), {{"Tenant", "t1"}});
  cloud.log.clear();
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
  auto at = [&](const std::string& what) { return std::find(cloud.log.begin(), cloud.log.end(), what) - cloud.log.begin(); };
  EXPECT_LT(at("DeleteBucketPolicy t1-bucket"), at("DeleteBucket t1-bucket"));
  EXPECT_LT(at("DeleteRole t1-role"), at("DeleteBucket t1-bucket"));
  EXPECT_LT(at("DeleteBucket t1-bucket"), at("ScheduleKeyDeletion 30"));
  EXPECT_LT(at("DeleteAlias alias/t1"), at("ScheduleKeyDeletion 30"));
  EXPECT_EQ(stack("s"), std::nullopt);  // by its id alone
  EXPECT_EQ(remove("s"), "gone");       // AWS answers success
  EXPECT_EQ(create("s", tenant(), {{"Tenant", "t1"}}), "CREATE_COMPLETE");
}

TEST_F(Engine, AFailureRollsBackAndSaysWhy) {
  cloud.refuse["PutBucketPolicy t1-bucket"] = "This policy contains invalid Json";
  EXPECT_EQ(create("s", tenant(), {{"Tenant", "t1"}}), "ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
  EXPECT_EQ(why("s", "s", "ROLLBACK_IN_PROGRESS"),
            "The following resource(s) failed to create: [BucketPolicy]. Rollback requested by user.");
  auto text = why("s", "BucketPolicy", "CREATE_FAILED");
  EXPECT_TRUE(
      text.starts_with("Resource handler returned message: \"This policy contains invalid Json (Service: S3, Status Code: "
                       "400, Request ID: "))
      << text;
  EXPECT_TRUE(text.ends_with("HandlerErrorCode: InvalidRequest)")) << text;
  EXPECT_EQ(output("s", "BucketName"), "none");
  // Such a stack can only be deleted.
  EXPECT_EQ(create("s", tenant(), {{"Tenant", "t1"}}), "AlreadyExistsException: Stack [s] already exists");
  EXPECT_NE(update("s", tenant(), {{"Tenant", "t1"}}).find("is in ROLLBACK_COMPLETE state and can not be updated."),
            std::string::npos);
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
}

TEST_F(Engine, WhatIsHalfMadeIsRemovedToo) {
  cloud.refuse["PutRolePolicy t1-role t1-policy"] = "Syntax errors in policy.";
  EXPECT_EQ(create("s", tenant(), {{"Tenant", "t1"}}), "ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
  auto told = story("s");
  EXPECT_NE(std::find(told.begin(), told.end(), "Role DELETE_COMPLETE"), told.end());
}

TEST_F(Engine, WhatCannotBeRolledBackIsKnownAndSaid) {
  cloud.refuse["PutBucketPolicy t1-bucket"] = "no";
  cloud.refuse["DeleteRole t1-role"] = "You may not.";
  EXPECT_EQ(create("s", tenant(), {{"Tenant", "t1"}}), "ROLLBACK_FAILED");
  EXPECT_EQ(reason("s"), "The following resource(s) failed to delete: [Role]. ");
  // The role needs the bucket, so bucket and key stay; nothing is forgotten.
  EXPECT_TRUE(cloud.has("bucket/t1-bucket"));
  cloud.refuse.clear();
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, OnFailureIsHonoured) {
  cloud.refuse["PutBucketPolicy t1-bucket"] = "no";
  auto in = creation("keep", tenant(), {{"Tenant", "t1"}});
  in.OnFailure = "DO_NOTHING";
  EXPECT_EQ(create(in), "CREATE_FAILED");
  EXPECT_TRUE(cloud.has("role/t1-role"));
  EXPECT_EQ(remove("keep"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
  in.StackName = "forget";
  in.OnFailure = "DELETE";
  EXPECT_EQ(create(in), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, ANonEmptyBucketFailsTheDeletionAndCanBeRetried) {
  create("s", tenant(), {{"Tenant", "t1"}});
  cloud.things["bucket/t1-bucket/object/x"] = "";
  EXPECT_EQ(remove("s"), "DELETE_FAILED");
  EXPECT_EQ(reason("s"), "The following resource(s) failed to delete: [Bucket]. ");
  EXPECT_NE(why("s", "Bucket", "DELETE_FAILED")
                .find("The bucket you tried to delete is not empty. You must delete all versions in the bucket."),
            std::string::npos);
  EXPECT_FALSE(cloud.has("role/t1-role"));
  EXPECT_NE(cloud.all().find("key/"), std::string::npos);  // what the bucket needs stays
  EXPECT_NE(update("s", tenant(), {{"Tenant", "t2"}}).find("is in DELETE_FAILED state and can not be updated."),
            std::string::npos);
  EXPECT_EQ(remove("s", {"Nothing"}), "ValidationError: Resource [Nothing] does not exist in stack [s].");
  cloud.things.erase("bucket/t1-bucket/object/x");
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, RetainResourcesLeavesThem) {
  create("s", bucket("b"));
  EXPECT_NE(remove("s", {"B"}).find("can be given only for stacks in DELETE_FAILED state."), std::string::npos);
  cloud.things["bucket/b/object/x"] = "";
  EXPECT_EQ(remove("s"), "DELETE_FAILED");
  EXPECT_EQ(remove("s", {"B"}), "DELETE_COMPLETE");
  EXPECT_TRUE(cloud.has("bucket/b"));
}

TEST_F(Engine, DeletionPoliciesAreKept) {
  create("s", bucket("b", "    DeletionPolicy: Retain\n"));
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_TRUE(cloud.has("bucket/b"));
  EXPECT_EQ(create("t", bucket("c", "    DeletionPolicy: RetainExceptOnCreate\n") +
                            "  X: {Type: AWS::S3::Bucket, DependsOn: B, Properties: {BucketName: b}}\n"),
            "ROLLBACK_COMPLETE");
  EXPECT_FALSE(cloud.has("bucket/c"));
  EXPECT_TRUE(cloud.has("bucket/b"));  // somebody else's: creating it failed, so rolling back doesn't touch it
}

TEST_F(Engine, WhatIsNamedAlikeAndWasThereBeforeIsNeverTouched) {
  cloud.things["role/r"] = "mine";
  cloud.made["role/r"] = clock.now();
  EXPECT_EQ(create("s", role("      RoleName: r")), "ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud.things["role/r"], "mine");
  create("t", bucket("b"));
  cloud.things["bucket/b/PutBucketPolicy"] = "{}";
  EXPECT_EQ(
      create(
          "u",
          R"({"Resources": {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b", "PolicyDocument": {"Statement": []}}}}})"),
      "ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud.things["bucket/b/PutBucketPolicy"], "{}");
}

TEST_F(Engine, GeneratedNamesAreTheStacksAndKeptToTheLimit) {
  EXPECT_EQ(create("s", "Resources: {B: {Type: AWS::S3::Bucket}, Long" + std::string(200, 'x') + ": {Type: AWS::S3::Bucket}}"),
            "CREATE_COMPLETE");
  for (auto& [k, v] : cloud.things) {
    if (k.find('/', 7) != k.npos) continue;
    EXPECT_TRUE(k.starts_with("bucket/s-")) << k;
    EXPECT_LE(k.size(), 7u + 63u);
    EXPECT_EQ(k, to_lower(k));
  }
}

// ---- updates

TEST_F(Engine, AnUpdateInPlaceTouchesOnlyWhatDiffers) {
  create("s", tenant(), {{"Tenant", "t1"}});
  cloud.log.clear();
  auto changed = replace_all(tenant(), "key of", "the key of");
  EXPECT_EQ(update("s", changed, {{"Tenant", "t1"}}), "UPDATE_COMPLETE");
  EXPECT_EQ(cloud.said(), "UpdateKeyDescription the key of t1");
  EXPECT_EQ(update("s", changed, {{"Tenant", "t1"}}), "ValidationError: No updates are to be performed.");
}

TEST_F(Engine, AReplacementMakesTheNewOneFirstAndThenRemovesTheOld) {
  create("s", bucket("b1"));
  cloud.log.clear();
  EXPECT_EQ(update("s", bucket("b2")), "UPDATE_COMPLETE");
  EXPECT_EQ(cloud.said(), "CreateBucket b2, DeleteBucket b1");
  EXPECT_EQ(update("s", bucket("b3", "    UpdateReplacePolicy: Retain\n")), "UPDATE_COMPLETE");
  EXPECT_FALSE(cloud.has("bucket/b2"));
  EXPECT_EQ(update("s", bucket("b4", "    UpdateReplacePolicy: Retain\n")), "UPDATE_COMPLETE");
  EXPECT_TRUE(cloud.has("bucket/b3"));  // the policy that it had when it was replaced
}

TEST_F(Engine, ACustomNamedResourceIsNotReplacedUnderItsName) {
  create("s", role("      RoleName: r\n      Path: /"));
  cloud.log.clear();
  EXPECT_EQ(update("s", role("      RoleName: r\n      Path: /team/")), "UPDATE_ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud.said(), "");
  EXPECT_EQ(why("s", "R", "UPDATE_FAILED"),
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename r and update the stack "
            "again.");
  EXPECT_EQ(why("s", "s", "UPDATE_ROLLBACK_IN_PROGRESS"), "The following resource(s) failed to update: [R]. ");
}

TEST_F(Engine, AFailedUpdateIsUndoneLatestFirst) {
  create("s", tenant(), {{"Tenant", "t1"}});
  auto before = cloud.things;
  cloud.log.clear();
  auto changed = replace_all(tenant(), "key of", "the key of");
  cloud.refuse["PutRolePolicy t2-role t2-policy"] = "no";
  EXPECT_EQ(update("s", changed, {{"Tenant", "t2"}}), "UPDATE_ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud.things, before);
  EXPECT_EQ(stack("s")->Parameters->at(0).ParameterValue, "t1");
  EXPECT_EQ(output("s", "BucketName"), "t1-bucket");
  // And it can be updated again.
  cloud.refuse.clear();
  EXPECT_EQ(update("s", changed, {{"Tenant", "t2"}}), "UPDATE_COMPLETE");
  EXPECT_FALSE(cloud.has("bucket/t1-bucket"));
  EXPECT_TRUE(cloud.has("role/t2-role"));
  EXPECT_EQ(output("s", "BucketName"), "t2-bucket");
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, WhatTheTemplateDropsGoesInItsOwnOrder) {
  std::string with = bucket("b") +
                     "  ZUser: {Type: AWS::IAM::User, Properties: {UserName: u}}\n"
                     "  AKey: {Type: AWS::IAM::AccessKey, Properties: {UserName: !Ref ZUser}}\n";
  EXPECT_EQ(create("s", with), "CREATE_COMPLETE");
  cloud.log.clear();
  EXPECT_EQ(update("s", bucket("b")), "UPDATE_COMPLETE");
  EXPECT_EQ(cloud.said(), "DeleteAccessKey u, DeleteUser u");
}

TEST_F(Engine, ARollbackThatFailsCanGoOnOrSkip) {
  create("s", tenant(), {{"Tenant", "t1"}});
  auto changed = replace_all(tenant(), "key of", "the key of");
  cloud.refuse["PutRolePolicy t2-role t2-policy"] = "no";
  cloud.refuse["UpdateKeyDescription key of t1"] = "not now";
  EXPECT_EQ(update("s", changed, {{"Tenant", "t2"}}), "UPDATE_ROLLBACK_FAILED");
  EXPECT_EQ(reason("s"), "The following resource(s) failed to update: [Key]. ");
  cfn::ContinueUpdateRollbackInput in;
  in.StackName = "s";
  in.ResourcesToSkip = std::vector<std::string>{"Bucket"};
  EXPECT_FALSE(call<cfn::op::ContinueUpdateRollback>(in));
  in.ResourcesToSkip.reset();
  ASSERT_TRUE(call<cfn::op::ContinueUpdateRollback>(in));
  EXPECT_EQ(status("s"), "UPDATE_ROLLBACK_FAILED");
  in.ResourcesToSkip = std::vector<std::string>{"Key"};
  ASSERT_TRUE(call<cfn::op::ContinueUpdateRollback>(in));
  EXPECT_EQ(status("s"), "UPDATE_ROLLBACK_COMPLETE");
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, AStackWhoseRollbackFailedCanBeDeletedWhole) {
  create("s", bucket("b1"));
  cloud.refuse["DeleteBucket b2"] = "no";
  auto two = bucket("b2") + "  X: {Type: AWS::S3::Bucket, DependsOn: B, Properties: {BucketName: b1}}\n";
  EXPECT_EQ(update("s", two), "UPDATE_ROLLBACK_FAILED");  // b1 is taken, and b2 can't go
  cloud.refuse.clear();
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, TagsOfTheStackReachItsResources) {
  auto tags = [](const std::string& v) { return std::vector<cfn::Tag>{{.Key = "Team", .Value = v}}; };
  auto in = creation("s", role("      RoleName: r"));
  in.Tags = tags("blue");
  EXPECT_EQ(create(in), "CREATE_COMPLETE");
  EXPECT_EQ(cloud.things["tag of role/r Team"], "blue");
  EXPECT_EQ(update("s", role("      RoleName: r"), {}, tags("red")), "UPDATE_COMPLETE");
  EXPECT_EQ(cloud.things["tag of role/r Team"], "red");
  EXPECT_EQ(update("s", role("      RoleName: r"), {}, std::vector<cfn::Tag>{}), "UPDATE_COMPLETE");
  EXPECT_FALSE(cloud.has("tag of role/r Team"));
}

// ---- power cuts

TEST_F(Engine, ACreationCutOffAnywhereLeavesNothingBehind) {
  int whole = 0;
  {
    int before = power.used;
    create("whole", tenant(), {{"Tenant", "t0"}});
    whole = power.used - before;
    remove("whole");
  }
  ASSERT_GT(whole, 15);
  for (int cut = 0; cut <= whole; ++cut) {
    auto name = "s" + std::to_string(cut), tenant_name = "t" + std::to_string(cut);
    power.left = cut;
    create(name, tenant(), {{"Tenant", tenant_name}});
    restart();
    auto now = status(name);
    if (now == "CREATE_COMPLETE") {
      EXPECT_EQ(cut, whole);
      EXPECT_EQ(remove(name), "DELETE_COMPLETE");
    } else {
      EXPECT_TRUE(now == "ROLLBACK_COMPLETE" || (now == "none" && cut == 0)) << cut << ": " << now << " " << reason(name);
    }
    EXPECT_EQ(cloud.all(), "") << "cut after step " << cut << " of " << whole;
    clock.advance_seconds(1);
  }
}

TEST_F(Engine, ADeletionCutOffAnywhereIsFinished) {
  create("whole", tenant(), {{"Tenant", "t0"}});
  int before = power.used;
  remove("whole");
  int whole = power.used - before;
  for (int cut = 1; cut < whole; ++cut) {
    auto name = "s" + std::to_string(cut);
    create(name, tenant(), {{"Tenant", "t" + std::to_string(cut)}});
    auto id = *stack(name)->StackId;
    power.left = cut;
    remove(name);
    restart();
    EXPECT_EQ(status(id), "DELETE_COMPLETE") << cut;
    EXPECT_EQ(cloud.all(), "") << cut;
  }
}

TEST_F(Engine, AnUpdateCutOffAnywhereIsRolledBackOrComplete) {
  auto changed = replace_all(tenant(), "key of", "the key of");
  create("whole", tenant(), {{"Tenant", "t"}});
  int before = power.used;
  EXPECT_EQ(update("whole", changed, {{"Tenant", "u"}}), "UPDATE_COMPLETE");
  int whole = power.used - before;
  EXPECT_EQ(remove("whole"), "DELETE_COMPLETE");
  ASSERT_GT(whole, 20);
  for (int cut = 1; cut <= whole; ++cut) {
    clock.advance_seconds(1);
    ASSERT_EQ(create("s", tenant(), {{"Tenant", "t"}}), "CREATE_COMPLETE");
    clock.advance_seconds(1);
    auto was = cloud.things;
    power.left = cut;
    update("s", changed, {{"Tenant", "u"}});
    restart();
    auto now = status("s");
    if (now == "UPDATE_COMPLETE") {
      EXPECT_EQ(output("s", "BucketName"), "u-bucket");
      EXPECT_FALSE(cloud.has("bucket/t-bucket")) << cut;
    } else {
      EXPECT_EQ(now, "UPDATE_ROLLBACK_COMPLETE") << cut << " " << reason("s");
      EXPECT_EQ(cloud.things, was) << cut;
      EXPECT_EQ(output("s", "BucketName"), "t-bucket");
    }
    EXPECT_EQ(remove("s"), "DELETE_COMPLETE") << cut;
    EXPECT_EQ(cloud.all(), "") << cut;
  }
}

TEST_F(Engine, AnAccessKeyThatMayBeSomebodyElsesIsToldOf) {
  std::string t = "Resources: {K: {Type: AWS::IAM::AccessKey, Properties: {UserName: u}}}";
  cloud.things["user/u"] = "";
  power.left = 3;  // the stack, the intent, the key: and no record of it
  create("s", t);
  restart();
  EXPECT_EQ(status("s"), "ROLLBACK_FAILED");
  EXPECT_NE(why("s", "K", "DELETE_FAILED").find("delete it by hand"), std::string::npos);
  EXPECT_EQ(remove("s"), "DELETE_FAILED");
  std::erase_if(cloud.things, [](auto& x) { return x.first.starts_with("user/u/key/"); });
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
}

TEST_F(Engine, APrincipalThatIsGoneLeavesTheStackAsItIs) {
  directory.add_user("eve");
  power.left = 8;
  call<cfn::op::CreateStack>(creation("s", tenant(), {{"Tenant", "t1"}}), "eve");
  stacks->settle();
  directory.policies.erase("arn:aws:iam::111122223333:user/eve");
  restart();
  EXPECT_EQ(status("s"), "ROLLBACK_FAILED");
  EXPECT_NE(cloud.all(), "");
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");  // as the admin
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, TheTimeoutEndsACreation) {
  auto in = creation("s", tenant(), {{"Tenant", "t1"}});
  in.TimeoutInMinutes = 1;
  cloud.on_call = [&](const std::string& what) {
    if (what.starts_with("CreateBucket")) clock.advance_seconds(61);
  };
  EXPECT_EQ(create(in), "ROLLBACK_COMPLETE");
  EXPECT_EQ(why("s", "s", "ROLLBACK_IN_PROGRESS"),
            "Stack creation time exceeded the specified timeout. Rollback requested by user.");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Engine, TwoHundredResourcesInAChain) {
  std::string t = "Resources:\n";
  for (int i = 0; i < 200; ++i)
    t += "  R" + std::to_string(i) + ": {Type: AWS::S3::Bucket" + (i ? ", DependsOn: R" + std::to_string(i - 1) : "") + "}\n";
  EXPECT_EQ(create("s", t), "CREATE_COMPLETE");
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
  EXPECT_EQ(cloud.all(), "");
}

}  // namespace
}  // namespace redoubt::stacks::testing_support
