/// CloudFormation's API: its refusals in AWS's words, who may do what to which stack, and what is never shown.
#include <algorithm>

#include "stacks/cloud_test_support.h"

namespace redoubt::stacks::testing_support {
namespace {

struct Operations : CloudTest {
  std::string refused(const cfn::CreateStackInput& in, const std::string& user = "admin") {
    auto out = call<cfn::op::CreateStack>(in, user);
    return out ? "created" : told(out.error());
  }
  std::string bucket(const std::string& name) {
    return "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: " + name + "}}}";
  }
  static std::string role_template(const std::string& name = "r") {
    return R"({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": ")" + name +
           R"(", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}}})";
  }
  /// Every audit record of the account, as text.
  std::string audited() {
    audit->flush();
    access::AuditQuery q;
    q.account = kAccount;
    q.limit = 1000;
    std::string out;
    for (auto& e : audit->lookup(q)->events) out += e.record.dump() + "\n";
    return out;
  }
  static std::string only(const std::string& actions, const std::string& resource = "*") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[)" + actions + R"(],"Resource":")" + resource +
           R"("}]})";
  }
};

TEST_F(Operations, TemplatesAreRefusedInCloudFormationsWords) {
  auto say = [&](const std::string& body) { return refused(creation("s", body)); };
  EXPECT_EQ(say("AWSTemplateFormatVersion: '20-09-09'\nResources: {B: {Type: AWS::S3::Bucket}}"),
            "ValidationError: Template format error: 20-09-09 is not a supported value for AWSTemplateFormatVersion.");
  EXPECT_EQ(say("Resources: {}"), "ValidationError: Template format error: At least one Resources member must be defined.");
  EXPECT_EQ(say("Resources: {A: {Type: AWS::EC2::Spaceship}}"),
            "ValidationError: Template format error: Unrecognized resource types: [AWS::EC2::Spaceship]");
  EXPECT_EQ(
      say("Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref X}}}"),
      "ValidationError: Template format error: Unresolved resource dependencies [X] in the Resources block of the template");
  std::string conditional =
      "Conditions: {No: !Equals [a, b]}\n"
      "Resources: {A: {Type: AWS::S3::Bucket, Condition: No}, B: {Type: AWS::S3::Bucket%}}\n";
  auto with = [&](std::string more, const std::string& tail) {
    auto body = conditional + tail;
    return say(body.replace(body.find('%'), 1, more));
  };
  EXPECT_EQ(with("", "Outputs: {O: {Value: !GetAtt A.Arn}}"),
            "ValidationError: Unresolved resource dependencies [A] in the Outputs block of the template");
  EXPECT_EQ(with(", Properties: {BucketName: !Sub 'x-${A}'}", ""),
            "ValidationError: Unresolved resource dependencies [A] in the Resources block of the template");
  EXPECT_EQ(with(", Properties: {BucketName: !If [No, b, !Ref A]}", ""),
            "ValidationError: Unresolved resource dependencies [A] in the Resources block of the template");
  EXPECT_EQ(say("Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !GetAtt X.Arn}}}"),
            "ValidationError: Template error: instance of Fn::GetAtt references undefined resource X");
  EXPECT_EQ(say("Resources: {A: {Type: AWS::S3::Bucket, DependsOn: B}, B: {Type: AWS::S3::Bucket, DependsOn: A}}"),
            "ValidationError: Circular dependency between resources: [A, B]");
  EXPECT_NE(
      say("Resources: {A: {Type: AWS::S3::Bucket, Properties: {Colour: blue}}}").find("Encountered unsupported property Colour"),
      std::string::npos);
  EXPECT_NE(say("Resources: {A: {Type: AWS::S3::Bucket, DeletionPolicy: Snapshot}}").find("not supported"), std::string::npos);
  EXPECT_EQ(say("Resources: {A: {Type: AWS::S3::Bucket}}\nOutputs: {O: {Value: !GetAtt A.Colour}}"),
            "ValidationError: Template error: resource A does not support attribute type Colour in Fn::GetAtt");
  EXPECT_EQ(cloud.said(), "");
  EXPECT_EQ(stack("s"), std::nullopt);
}

TEST_F(Operations, ParametersAreRefusedInCloudFormationsWords) {
  std::string t = R"(
Parameters:
  A: {Type: String}
  B: {Type: String, Default: x, AllowedPattern: '[a-z]+', ConstraintDescription: lower case}
  C: {Type: Number, Default: 3, MinValue: 3}
Resources: {R: {Type: AWS::S3::Bucket}})";
  EXPECT_EQ(refused(creation("s", t)), "ValidationError: Parameters: [A] must have values");
  EXPECT_EQ(refused(creation("s", t, {{"A", "1"}, {"Z", "1"}})), "ValidationError: Parameters: [Z] do not exist in the template");
  EXPECT_EQ(refused(creation("s", t, {{"A", "1"}, {"B", "X1"}})),
            "ValidationError: Parameter B failed to satisfy constraint: lower case");
  EXPECT_EQ(refused(creation("s", t, {{"A", "1"}, {"C", "2"}})),
            "ValidationError: Parameter 'C' must be a number not less than 3");
}

TEST_F(Operations, RequestsThatAskForWhatIsNotBuiltAreRefused) {
  auto with = [&](auto change) {
    auto in = creation("s", bucket("b"));
    change(in);
    return refused(in);
  };
  EXPECT_EQ(with([](auto& in) { in.NotificationARNs = std::vector<std::string>{"arn:aws:sns:us-east-1:1:t"}; }),
            "ValidationError: NotificationARNs is not supported by this server.");
  EXPECT_EQ(with([](auto& in) { in.StackPolicyBody = "{}"; }),
            "ValidationError: A stack policy is not supported by this server.");
  EXPECT_EQ(with([](auto& in) { in.RetainExceptOnCreate = true; }),
            "ValidationError: RetainExceptOnCreate is not supported by this server.");
  EXPECT_EQ(with([](auto& in) { in.ResourceTypes = std::vector<std::string>{"AWS::S3::*"}; }),
            "ValidationError: ResourceTypes is not supported by this server.");
  EXPECT_EQ(with([](auto& in) { in.OnFailure = "DELETE", in.DisableRollback = true; }),
            "ValidationError: Either DisableRollback or OnFailure can be specified, not both.");
  EXPECT_EQ(with([](auto& in) { in.TemplateBody.reset(); }),
            "ValidationError: Either Template URL or Template Body must be specified.");
  EXPECT_EQ(with([](auto& in) { in.TemplateBody = std::string(51201, ' '); }).substr(0, 15), "ValidationError");
}

TEST_F(Operations, StackNamesCarryNothingElse) {
  for (auto name :
       {"", "1a", "a/b", "a*", "a b", "a\nb", "../x", "arn:aws:cloudformation:us-east-1:111122223333:stack/s/1", "é"}) {
    auto in = creation("s", bucket("b"));
    in.StackName = name;
    EXPECT_EQ(refused(in).substr(0, 15), "ValidationError") << name;
  }
  auto in = creation(std::string(129, 'a'), bucket("b"));
  EXPECT_EQ(refused(in).substr(0, 15), "ValidationError");
}

TEST_F(Operations, CapabilitiesAreAskedFor) {
  auto in = creation("s", role_template());
  in.Capabilities.reset();
  EXPECT_EQ(refused(in), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]");
  in.Capabilities = std::vector<std::string>{"CAPABILITY_IAM"};
  EXPECT_EQ(refused(in), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]");
  in.TemplateBody = replace_all(role_template(), R"("RoleName": "r", )", "");
  EXPECT_EQ(refused(in), "created");
  in.StackName = "t";
  in.Capabilities.reset();
  EXPECT_EQ(refused(in), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]");
}

TEST_F(Operations, AStackIsNoWayToRightsThatItsCallerLacks) {
  directory.add_user("dev", kAccount, only(R"("cloudformation:*","s3:*")"));
  EXPECT_EQ(create(creation("s", bucket("b")), "dev"), "CREATE_COMPLETE");
  EXPECT_EQ(create(creation("t", role_template()), "dev"), "ROLLBACK_COMPLETE");
  EXPECT_NE(why("t", "R", "CREATE_FAILED").find("user/dev is not authorized to perform: iam:CreateRole"), std::string::npos);
  EXPECT_NE(why("t", "R", "CREATE_FAILED").find("HandlerErrorCode: AccessDenied"), std::string::npos);
  EXPECT_FALSE(cloud.has("role/r"));
  // Nor to remove what others made.
  EXPECT_EQ(create(creation("u", role_template())), "CREATE_COMPLETE");
  EXPECT_EQ(remove("u", {}, "dev"), "DELETE_FAILED");
  EXPECT_TRUE(cloud.has("role/r"));
  // A right that is taken away while a stack is being made stops it there.
  cloud.on_call = [&](const std::string& what) {
    if (what == "CreateBucket c1")
      directory.allow("arn:aws:iam::111122223333:user/dev", only(R"("cloudformation:*","s3:DeleteBucket")"));
  };
  auto two =
      "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: c1}}, B: {Type: AWS::S3::Bucket, DependsOn: A, "
      "Properties: {BucketName: c2}}}";
  EXPECT_EQ(create(creation("v", two), "dev"), "ROLLBACK_COMPLETE");
  EXPECT_FALSE(cloud.has("bucket/c1"));
}

TEST_F(Operations, APolicyMayDemandCloudFormation) {
  directory.add_user("dev", kAccount,
                     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudformation:*","Resource":"*"},
    {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"cloudformation.amazonaws.com"}}}]})");
  EXPECT_EQ(create(creation("s", bucket("b")), "dev"), "CREATE_COMPLETE");
  s3::CreateBucketRequest direct{.Bucket = "c"};
  EXPECT_FALSE(call<s3::op::CreateBucket>(direct, "dev"));
}

TEST_F(Operations, StacksAreDecidedByName) {
  directory.add_user("team", kAccount,
                     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudformation:*",
    "Resource":"arn:aws:cloudformation:us-east-1:111122223333:stack/team-*/*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})");
  EXPECT_EQ(create(creation("team-a", bucket("a")), "team"), "CREATE_COMPLETE");
  EXPECT_EQ(refused(creation("other", bucket("b")), "team").substr(0, 12), "AccessDenied");
  // A name that only looks like the prefix is still a name of nothing.
  EXPECT_EQ(refused(creation("team-a/../other", bucket("b")), "team").substr(0, 15), "ValidationError");
  create("other", bucket("b"));
  EXPECT_EQ(remove("other", {}, "team").substr(0, 12), "AccessDenied");
  EXPECT_EQ(remove(*stack("other")->StackId, {}, "team").substr(0, 12), "AccessDenied");
  EXPECT_TRUE(cloud.has("bucket/b"));
}

TEST_F(Operations, AnotherAccountsStacksDoNotExist) {
  create("s", bucket("b"));
  auto id = *stack("s")->StackId;
  EXPECT_EQ(stack("s", kOther), std::nullopt);
  EXPECT_EQ(stack(id, kOther), std::nullopt);
  cfn::DeleteStackInput remove_it{.StackName = id};
  EXPECT_TRUE(call<cfn::op::DeleteStack>(remove_it, "admin", kOther));  // as for any stack that isn't there
  EXPECT_EQ(status("s"), "CREATE_COMPLETE");
  auto say = [&](auto out) { return out ? std::string("told") : told(out.error()); };
  EXPECT_EQ(say(call<cfn::op::DescribeStackEvents>({.StackName = id}, "admin", kOther)),
            "ValidationError: Stack with id " + id + " does not exist");
  EXPECT_EQ(say(call<cfn::op::GetTemplate>({.StackName = id}, "admin", kOther)),
            "ValidationError: Stack with id " + id + " does not exist");
  cfn::UpdateStackInput change{.StackName = id, .TemplateBody = bucket("c")};
  EXPECT_EQ(say(call<cfn::op::UpdateStack>(change, "admin", kOther)), "ValidationError: Stack with id " + id + " does not exist");
  EXPECT_EQ(say(call<cfn::op::DescribeStackResources>({.PhysicalResourceId = "b"}, "admin", kOther)),
            "ValidationError: Stack for b does not exist");
  EXPECT_EQ(
      say(call<cfn::op::UpdateTerminationProtection>({.EnableTerminationProtection = true, .StackName = id}, "admin", kOther)),
      "ValidationError: Stack with id " + id + " does not exist");
  // The same name there is another stack.
  auto out = call<cfn::op::CreateStack>(creation("s", bucket("c")), "admin", kOther);
  ASSERT_TRUE(out) << told(out.error());
  EXPECT_NE(*out->StackId, id);
}

// ---- service roles

TEST_F(Operations, AServiceRoleMakesWhatItsCallerMayNot) {
  std::string arn = "arn:aws:iam::111122223333:role/cfn";
  directory.allow(arn, only(R"("iam:*")"));
  directory.add_user("dev", kAccount, only(R"("cloudformation:*")"));
  auto in = creation("s", role_template());
  in.RoleARN = arn;
  // Passing it is a right of its own.
  EXPECT_NE(refused(in, "dev").find("iam:PassRole"), std::string::npos);
  directory.allow("arn:aws:iam::111122223333:user/dev", only(R"("cloudformation:*","iam:PassRole")"));
  EXPECT_EQ(refused(in, "dev"), "ValidationError: Role " + arn + " is invalid or cannot be assumed");
  cloud.assumable.insert(arn);
  EXPECT_EQ(create(in, "dev"), "CREATE_COMPLETE");
  EXPECT_EQ(cloud.callers["CreateRole r"],
            "arn:aws:sts::111122223333:assumed-role/cfn/AWSCloudFormation via cloudformation.amazonaws.com");
  EXPECT_EQ(cloud.source_arn, *stack("s")->StackId);
  EXPECT_EQ(stack("s")->RoleARN, arn);
  // It stays the stack's, as on AWS: whoever may delete the stack needs no right to pass it.
  directory.allow("arn:aws:iam::111122223333:user/dev", only(R"("cloudformation:*")"));
  cloud.assumable.clear();
  EXPECT_EQ(remove("s", {}, "dev"), "DELETE_FAILED");
  EXPECT_EQ(reason("s"), "Role " + arn + " is invalid or cannot be assumed");
  EXPECT_TRUE(cloud.has("role/r"));
  cloud.assumable.insert(arn);
  EXPECT_EQ(remove("s", {}, "dev"), "DELETE_COMPLETE");
}

TEST_F(Operations, ARoleOfAnotherAccountOrOfNoKindIsRefused) {
  for (std::string arn : {"arn:aws:iam::444455556666:role/cfn", "arn:aws:iam::111122223333:user/admin",
                          "arn:aws:sts::111122223333:assumed-role/cfn/x", "arn:aws:iam::aws:role/cfn-and-more"}) {
    cloud.assumable.insert(arn);
    directory.allow(arn, "");
    auto in = creation("s", bucket("b"));
    in.RoleARN = arn;
    EXPECT_NE(refused(in), "created") << arn;
  }
  EXPECT_EQ(cloud.said(), "");
}

TEST_F(Operations, PassRoleMayBeLimitedToCloudFormation) {
  std::string arn = "arn:aws:iam::111122223333:role/cfn";
  cloud.assumable.insert(arn);
  directory.allow(arn, "");
  directory.add_user("dev", kAccount,
                     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudformation:*","Resource":"*"},
    {"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/cfn",
     "Condition":{"StringEquals":{"iam:PassedToService":"cloudformation.amazonaws.com"}}}]})");
  auto in = creation("s", bucket("b"));
  in.RoleARN = arn;
  EXPECT_EQ(create(in, "dev"), "CREATE_COMPLETE");
  in.StackName = "t";
  in.RoleARN = arn + "2";
  EXPECT_NE(refused(in, "dev").find("iam:PassRole"), std::string::npos);
}

// ---- what parameters can't do

TEST_F(Operations, AParameterNeverBecomesStructure) {
  std::string t = R"(
Parameters:
  P: {Type: String}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {AWS: !Sub 'arn:aws:iam::${P}:root'}, Action: sts:AssumeRole}]
Outputs:
  O: {Value: !Ref P}
)";
  std::vector<std::string> attacks = {R"(1"}, "Action": "*", "x": {"y": ")",
                                      "${AWS::AccountId}",
                                      "${R.Arn}",
                                      "!Ref R",
                                      R"({"Ref": "R"})",
                                      "{{resolve:ssm:/secret}}",
                                      "a\nResources: {X: {Type: AWS::IAM::User}}",
                                      "\"]}",
                                      "*\", \"*",
                                      "{\"Fn::ImportValue\": \"x\"}",
                                      "\\u0022",
                                      "\x7f",
                                      "a, b"};
  int i = 0;
  for (auto& attack : attacks) {
    auto name = "s" + std::to_string(i++);
    auto out = create(name, t, {{"P", attack}});
    if (attack.starts_with("{{resolve")) {
      EXPECT_NE(why(name, "R", "CREATE_FAILED").find("dynamic references"), std::string::npos) << out;
    } else {
      ASSERT_EQ(out, "CREATE_COMPLETE") << attack << " " << why(name, "R", "CREATE_FAILED");
      auto j = Json::parse(cloud.things["role/r"]);
      ASSERT_TRUE(j) << cloud.things["role/r"];
      ASSERT_EQ((*j)["Statement"].size(), 1u);
      EXPECT_EQ((*j)["Statement"][0].size(), 3u);
      EXPECT_EQ((*j)["Statement"][0]["Principal"]["AWS"].str(), "arn:aws:iam::" + attack + ":root");
      EXPECT_EQ((*j)["Statement"][0]["Action"].str(), "sts:AssumeRole");
      EXPECT_EQ(output(name, "O"), attack);
    }
    remove(name);
  }
}

TEST_F(Operations, TextIsNoDocumentAndOneKindOfValueNoOther) {
  auto say = [&](const std::string& type, const std::string& property, const std::string& value) {
    auto t =
        "Parameters: {P: {Type: String, Default: '{\"Statement\": []}'}, L: {Type: CommaDelimitedList, Default: 'a,b'}}\n"
        "Resources:\n  X:\n    Type: AWS::" +
        type + "\n    Properties:\n      " + property + ": " + value + "\n";
    if (type == "IAM::Role" && property != "AssumeRolePolicyDocument") t += "      AssumeRolePolicyDocument: {Statement: []}\n";
    auto out = create("s", t);
    auto text = why("s", "X", "CREATE_FAILED");
    remove("s");
    return out == "ROLLBACK_COMPLETE" ? text : out;
  };
  EXPECT_EQ(say("IAM::Role", "AssumeRolePolicyDocument", "!Ref P"),
            "Value of property AssumeRolePolicyDocument must be an object");
  EXPECT_EQ(say("IAM::Role", "RoleName", "!Ref L"), "Value of property RoleName must be of type String");
  EXPECT_EQ(say("IAM::Role", "RoleName", "{a: b}"), "Value of property RoleName must be of type String");
  EXPECT_EQ(say("IAM::Role", "ManagedPolicyArns", "!Ref P"),
            "Value of property ManagedPolicyArns must be of type List of String");
  EXPECT_EQ(say("IAM::Role", "MaxSessionDuration", "an hour"), "Value of property MaxSessionDuration must be of type Integer");
  EXPECT_EQ(say("IAM::Role", "Tags", "[{Key: a, Value: b, PropagateAtLaunch: true}]"),
            "Value of property Tags must be a list of tags, each with Key and Value");
  EXPECT_EQ(say("IAM::Role", "Policies", "[{PolicyName: a, PolicyDocument: !Ref P}]"),
            "Value of property PolicyDocument must be an object");
  EXPECT_EQ(say("IAM::Role", "Policies", "[{PolicyName: a, PolicyDocument: {}, Also: this}]"),
            "Encountered unsupported property Also");
  EXPECT_EQ(say("KMS::Key", "Enabled", "perhaps"), "Value of property Enabled must be of type Boolean");
  EXPECT_EQ(say("S3::Bucket", "OwnershipControls",
                "{Rules: [{ObjectOwnership: ObjectWriter}, {ObjectOwnership: BucketOwnerEnforced}]}"),
            "OwnershipControls must have exactly one rule");
  EXPECT_EQ(say("S3::Bucket", "VersioningConfiguration", "Enabled"),
            "Value of property VersioningConfiguration must be an object");
  EXPECT_EQ(cloud.all(), "");
}

TEST_F(Operations, BucketAclsMeanTheBucketsOfTheirTime) {
  std::string t = "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: logs, AccessControl: LogDeliveryWrite}}}";
  EXPECT_EQ(create("s", t), "CREATE_COMPLETE");
  EXPECT_EQ(cloud.things["bucket/logs"], "log-delivery-write ObjectWriter");
  close();
  options.strict_acl = true;
  open();
  remove("s");
  EXPECT_EQ(create("s", t), "CREATE_COMPLETE");  // this S3 takes it; the real one refuses
  EXPECT_EQ(cloud.things["bucket/logs"], "log-delivery-write ");
}

// ---- secrets

TEST_F(Operations, NoEchoValuesAreShownNowhere) {
  std::string t = R"(
Parameters:
  Secret: {Type: String, NoEcho: true}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: []}
      Description: !Sub 'It is ${Secret}'
)";
  cloud.refuse["CreateRole r"] = "Value 'hunter2-and-more' at 'x' failed";
  EXPECT_EQ(create("s", t, {{"Secret", "hunter2"}}), "ROLLBACK_COMPLETE");
  EXPECT_NE(why("s", "R", "CREATE_FAILED").find("Value '****-and-more'"), std::string::npos);
  remove("s");
  cloud.refuse.clear();
  EXPECT_EQ(create("s", t, {{"Secret", "hunter2"}}), "CREATE_COMPLETE");
  EXPECT_EQ(stack("s")->Parameters->at(0).ParameterValue, "****");
  for (auto& e : events("s")) EXPECT_FALSE(e.ResourceProperties);
  cfn::CreateChangeSetInput in{.StackName = "s", .TemplateBody = t, .ChangeSetName = "c"};
  in.Capabilities = std::vector<std::string>{"CAPABILITY_NAMED_IAM"};
  in.Parameters = list({{"Secret", "hunter2hunter2"}});
  auto set = call<cfn::op::CreateChangeSet>(in);
  ASSERT_TRUE(set) << told(set.error());
  auto described = call<cfn::op::DescribeChangeSet>({.ChangeSetName = *set->Id});
  EXPECT_EQ(described->Parameters->at(0).ParameterValue, "****");
  // At rest it is sealed; in the trail it is not at all. (The role's description is IAM's to tell.)
  EXPECT_EQ(store.everything().find("hunter2"), std::string::npos);
  auto records = audited();
  EXPECT_NE(records.find("CreateStack"), std::string::npos);
  for (auto& line : split(records, '\n'))
    if (line.find("\"cloudformation.amazonaws.com\"") != line.npos && line.find("\"eventSource\":\"iam") == line.npos)
      EXPECT_EQ(line.find("hunter2"), line.npos) << line;
}

TEST_F(Operations, EventsShowPropertiesWhereNothingIsSecret) {
  create("s", bucket("b"));
  bool shown = false;
  for (auto& e : events("s"))
    if (e.LogicalResourceId == "B") {
      EXPECT_EQ(e.ResourceProperties, R"({"BucketName":"b"})");
      shown = true;
    }
  EXPECT_TRUE(shown);
  std::string t = R"(Resources:
  U: {Type: AWS::IAM::User, Properties: {UserName: u}}
  K: {Type: AWS::IAM::AccessKey, Properties: {UserName: !Ref U}}
  R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {Statement: []}, Description: !GetAtt K.SecretAccessKey}}
)";
  EXPECT_EQ(create("t", t), "CREATE_COMPLETE");
  for (auto& e : events("t")) EXPECT_FALSE(e.ResourceProperties);
}

// ---- exports

TEST_F(Operations, ExportsTieStacksTogether) {
  auto exporting = [&](const std::string& name, const std::string& value, const std::string& export_name = "shared") {
    return "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: " + name + "}}}\nOutputs: {O: {Value: " + value +
           ", Export: {Name: " + export_name + "}}}\n";
  };
  std::string importing = "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: !ImportValue shared}}}";
  EXPECT_EQ(create("early", importing), "ROLLBACK_COMPLETE");
  EXPECT_EQ(why("early", "B", "CREATE_FAILED"), "No export named shared found.");
  EXPECT_EQ(create("a", exporting("ba", "value-a")), "CREATE_COMPLETE");
  EXPECT_EQ(create("b", importing), "CREATE_COMPLETE");
  EXPECT_TRUE(cloud.has("bucket/value-a"));
  EXPECT_EQ(create("c", exporting("bc", "value-c")), "ROLLBACK_COMPLETE");
  EXPECT_EQ(why("c", "c", "ROLLBACK_IN_PROGRESS"),
            "Export with name shared is already exported by stack a. Rollback requested by user.");
  EXPECT_EQ(remove("a"), "ValidationError: Export shared cannot be deleted as it is in use by b");
  EXPECT_EQ(update("a", exporting("ba", "value-2")), "UPDATE_ROLLBACK_COMPLETE");
  EXPECT_EQ(why("a", "a", "UPDATE_ROLLBACK_IN_PROGRESS"), "Export shared cannot be updated as it is in use by b");
  EXPECT_EQ(update("a", bucket("ba")), "UPDATE_ROLLBACK_COMPLETE");
  auto exports = call<cfn::op::ListExports>({});
  ASSERT_EQ(exports->Exports->size(), 1u);
  EXPECT_EQ(exports->Exports->at(0).Value, "value-a");
  EXPECT_EQ(call<cfn::op::ListImports>({.ExportName = "shared"})->Imports->at(0), "b");
  EXPECT_TRUE(call<cfn::op::ListExports>({}, "admin", kOther)->Exports->empty());
  restart();  // the ties are found again
  EXPECT_EQ(remove("a"), "ValidationError: Export shared cannot be deleted as it is in use by b");
  // Another account exports under the same name, and imports nothing from here.
  EXPECT_TRUE(call<cfn::op::CreateStack>(creation("x", exporting("bx", "theirs")), "admin", kOther));
  EXPECT_EQ(remove("b"), "DELETE_COMPLETE");
  EXPECT_EQ(remove("a"), "DELETE_COMPLETE");
  EXPECT_EQ(create("c2", exporting("bc", "value-c")), "CREATE_COMPLETE");
}

TEST_F(Operations, AnExportWithdrawnWhileAStackBeginsToUseItStopsTheStack) {
  create("a",
         "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: ba}}}\nOutputs: {O: {Value: v, Export: {Name: "
         "shared}}}\n");
  std::string importing =
      "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: first}}, B: {Type: AWS::S3::Bucket, DependsOn: A, "
      "Properties: {BucketName: !ImportValue shared}}}";
  std::thread deletion;
  cloud.on_call = [&](const std::string& what) {
    if (what != "CreateBucket first") return;
    deletion = std::thread([&] { (void)call<cfn::op::DeleteStack>({.StackName = "a"}); });
    deletion.join();  // carried out by another of the engine's threads
  };
  EXPECT_EQ(create("b", importing), "ROLLBACK_COMPLETE");
  EXPECT_EQ(why("b", "B", "CREATE_FAILED"), "No export named shared found.");
  EXPECT_EQ(cloud.all(), "");
}

// ---- change sets

TEST_F(Operations, ChangeSetsTellWhatTheyWouldDoAndDoIt) {
  auto change_set = [&](const std::string& name, const std::string& body, const std::string& type) {
    cfn::CreateChangeSetInput in{.StackName = "s", .TemplateBody = body, .ChangeSetName = name};
    in.ChangeSetType = type;
    in.Capabilities = std::vector<std::string>{"CAPABILITY_NAMED_IAM"};
    return call<cfn::op::CreateChangeSet>(in);
  };
  auto describe = [&](const std::string& name) {
    return *call<cfn::op::DescribeChangeSet>({.ChangeSetName = name, .StackName = "s"});
  };
  auto first = change_set("one", bucket("b1"), "CREATE");
  ASSERT_TRUE(first) << told(first.error());
  EXPECT_EQ(status("s"), "REVIEW_IN_PROGRESS");
  EXPECT_EQ(cloud.said(), "");
  auto d = describe("one");
  EXPECT_EQ(d.Status, "CREATE_COMPLETE");
  EXPECT_EQ(d.ExecutionStatus, "AVAILABLE");
  EXPECT_EQ(d.Changes->at(0).ResourceChange->Action, "Add");
  EXPECT_EQ(update("s", bucket("b2")).substr(0, 15), "ValidationError");
  ASSERT_TRUE(call<cfn::op::ExecuteChangeSet>({.ChangeSetName = "one", .StackName = "s"}));
  stacks->settle();
  EXPECT_EQ(status("s"), "CREATE_COMPLETE");
  EXPECT_EQ(describe(*first->Id).ExecutionStatus, "EXECUTE_COMPLETE");
  EXPECT_TRUE(call<cfn::op::ListChangeSets>({.StackName = "s"})->Summaries->empty());
  auto again = call<cfn::op::ExecuteChangeSet>({.ChangeSetName = "one", .StackName = "s"});
  EXPECT_EQ(again.error().kind->code, "InvalidChangeSetStatus");

  ASSERT_TRUE(change_set("nothing", bucket("b1"), "UPDATE"));
  d = describe("nothing");
  EXPECT_EQ(d.Status, "FAILED");
  EXPECT_EQ(d.StatusReason,
            "The submitted information didn't contain changes. Submit different information to create a change set.");
  EXPECT_EQ(d.ExecutionStatus, "UNAVAILABLE");
  EXPECT_FALSE(call<cfn::op::ExecuteChangeSet>({.ChangeSetName = "nothing", .StackName = "s"}));

  ASSERT_TRUE(change_set("two", bucket("b2"), "UPDATE"));
  EXPECT_EQ(told(change_set("two", bucket("b2"), "UPDATE").error()).substr(0, 22), "AlreadyExistsException");
  d = describe("two");
  EXPECT_EQ(d.Changes->at(0).ResourceChange->Action, "Modify");
  EXPECT_EQ(d.Changes->at(0).ResourceChange->Replacement, "True");
  EXPECT_EQ(d.Changes->at(0).ResourceChange->Details->at(0).Target->Name, "BucketName");
  restart();
  ASSERT_TRUE(call<cfn::op::ExecuteChangeSet>({.ChangeSetName = "two", .StackName = "s"}));
  stacks->settle();
  EXPECT_EQ(status("s"), "UPDATE_COMPLETE");
  EXPECT_TRUE(cloud.has("bucket/b2"));
  EXPECT_FALSE(cloud.has("bucket/b1"));

  ASSERT_TRUE(change_set("three", bucket("b3"), "UPDATE"));
  ASSERT_TRUE(call<cfn::op::DeleteChangeSet>({.ChangeSetName = "three", .StackName = "s"}));
  EXPECT_EQ(call<cfn::op::DescribeChangeSet>({.ChangeSetName = "three", .StackName = "s"}).error().kind->code,
            "ChangeSetNotFound");
}

TEST_F(Operations, ChangeSetsOfOthersDoNotExist) {
  create("s", bucket("b"));
  cfn::CreateChangeSetInput in{.StackName = "s", .TemplateBody = bucket("c"), .ChangeSetName = "mine"};
  auto id = *call<cfn::op::CreateChangeSet>(in)->Id;
  auto theirs = call<cfn::op::DescribeChangeSet>({.ChangeSetName = id}, "admin", kOther);
  EXPECT_EQ(theirs.error().kind->code, "ChangeSetNotFound");
  EXPECT_FALSE(call<cfn::op::ExecuteChangeSet>({.ChangeSetName = id}, "admin", kOther));
  EXPECT_TRUE(call<cfn::op::DeleteChangeSet>({.ChangeSetName = id}, "admin", kOther));  // as on AWS
  // Somebody without any right learns no name of a stack from it.
  directory.add_user("nobody", kOther, only(R"("none:none")"));
  auto denied = call<cfn::op::DescribeChangeSet>({.ChangeSetName = id}, "nobody", kOther);
  EXPECT_EQ(denied.error().message.find("stack/s"), std::string::npos) << denied.error().message;
  EXPECT_TRUE(call<cfn::op::DescribeChangeSet>({.ChangeSetName = id}));
}

TEST_F(Operations, UnknownValuesDoNotStopAnUpdateThatBringsThem) {
  create("s", bucket("b"));
  auto more = bucket("b").substr(0, bucket("b").size() - 1) +
              ", R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {Statement: []}}},"
              "C: {Type: AWS::S3::Bucket, Properties: {BucketName: !Select [1, !Split ['/', !GetAtt R.Arn]]}}}";
  EXPECT_EQ(update("s", more), "UPDATE_COMPLETE");
  EXPECT_TRUE(cloud.has("bucket/r"));
}

// ---- the rest

TEST_F(Operations, TerminationProtectionHolds) {
  auto in = creation("s", bucket("b"));
  in.EnableTerminationProtection = true;
  EXPECT_EQ(create(in), "CREATE_COMPLETE");
  EXPECT_EQ(stack("s")->EnableTerminationProtection, true);
  restart();
  EXPECT_EQ(remove("s"), "ValidationError: Stack [s] cannot be deleted while TerminationProtection is enabled");
  EXPECT_TRUE(call<cfn::op::UpdateTerminationProtection>({.EnableTerminationProtection = false, .StackName = "s"}));
  EXPECT_EQ(remove("s"), "DELETE_COMPLETE");
}

TEST_F(Operations, ProtectionAndAnOperationUnderWayDoNotUndoEachOther) {
  cloud.on_call = [&](const std::string& what) {
    if (what == "CreateBucket b")
      EXPECT_TRUE(call<cfn::op::UpdateTerminationProtection>({.EnableTerminationProtection = true, .StackName = "s"}));
  };
  EXPECT_EQ(create("s", bucket("b")), "CREATE_COMPLETE");
  EXPECT_EQ(stack("s")->EnableTerminationProtection, true);
  EXPECT_EQ(remove("s").substr(0, 15), "ValidationError");
}

TEST_F(Operations, OneOperationAtATimeOnAStack) {
  create("s", bucket("b1"));
  std::string second, third;
  cloud.on_call = [&](const std::string& what) {
    if (what != "CreateBucket b2" || !second.empty()) return;
    cfn::UpdateStackInput in{.StackName = "s", .TemplateBody = bucket("b3")};
    second = told(call<cfn::op::UpdateStack>(in).error());
    third = told(call<cfn::op::DeleteStack>({.StackName = "s"}).error());
  };
  EXPECT_EQ(update("s", bucket("b2")), "UPDATE_COMPLETE");
  EXPECT_NE(second.find("is in UPDATE_IN_PROGRESS state and can not be updated."), std::string::npos) << second;
  EXPECT_NE(third.find("is in UPDATE_IN_PROGRESS state and can not be deleted."), std::string::npos) << third;
}

TEST_F(Operations, ATokenMakesACreationRepeatable) {
  auto in = creation("s", bucket("b"));
  in.ClientRequestToken = "token-1";
  create(in);
  auto again = call<cfn::op::CreateStack>(in);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->StackId, stack("s")->StackId);
  EXPECT_EQ(events("s").front().ClientRequestToken, "token-1");
  in.ClientRequestToken = "token-2";
  EXPECT_EQ(refused(in), "AlreadyExistsException: Stack [s] already exists");
}

TEST_F(Operations, TemplatesAndTheirSummariesAreTold) {
  create("s", role_template());
  EXPECT_EQ(call<cfn::op::GetTemplate>({.StackName = "s"})->TemplateBody, role_template());
  auto summary = call<cfn::op::GetTemplateSummary>({.TemplateBody = role_template()});
  EXPECT_EQ(summary->Capabilities->at(0), "CAPABILITY_NAMED_IAM");
  EXPECT_EQ(summary->ResourceTypes->at(0), "AWS::IAM::Role");
  auto valid = call<cfn::op::ValidateTemplate>({.TemplateBody = role_template()});
  EXPECT_EQ(valid->CapabilitiesReason, "The following resource(s) require capabilities: [AWS::IAM::Role]");
}

TEST_F(Operations, DeletedStacksAreListedAndFoundByIdOnly) {
  create("s", bucket("b"));
  auto id = *stack("s")->StackId;
  remove("s");
  EXPECT_EQ(stack("s"), std::nullopt);
  EXPECT_EQ(status(id), "DELETE_COMPLETE");
  EXPECT_FALSE(events(id).empty());
  cfn::ListStacksInput in;
  in.StackStatusFilter = std::vector<std::string>{"DELETE_COMPLETE"};
  EXPECT_EQ(call<cfn::op::ListStacks>(in)->StackSummaries->size(), 1u);
  EXPECT_TRUE(call<cfn::op::DescribeStacks>({})->Stacks->empty());
  restart();
  EXPECT_EQ(status(id), "DELETE_COMPLETE");
  clock.advance_seconds(91 * 86400);
}

TEST_F(Operations, ManyStacksArePaged) {
  for (int i = 0; i < 130; ++i) {
    clock.advance_seconds(1);
    ASSERT_EQ(create("s" + std::to_string(i), bucket("b" + std::to_string(i))), "CREATE_COMPLETE");
  }
  std::set<std::string> seen;
  cfn::DescribeStacksInput in;
  for (;;) {
    auto out = call<cfn::op::DescribeStacks>(in);
    ASSERT_TRUE(out);
    for (auto& s : *out->Stacks) seen.insert(s.StackName);
    if (!out->NextToken) break;
    in.NextToken = out->NextToken;
  }
  EXPECT_EQ(seen.size(), 130u);
  in.NextToken = "999";
  EXPECT_FALSE(call<cfn::op::DescribeStacks>(in));
}

TEST_F(Operations, TwoCreationsOfOneNameMakeOneStack) {
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back(
        [&, i] { made += call<cfn::op::CreateStack>(creation("s", bucket("b" + std::to_string(i)))).has_value(); });
  for (auto& t : threads) t.join();
  stacks->settle();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(status("s"), "CREATE_COMPLETE");
}

}  // namespace
}  // namespace redoubt::stacks::testing_support
