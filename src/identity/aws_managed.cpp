#include "identity/aws_managed.h"

#include "base/crypto.h"

namespace redoubt::identity {

namespace {
struct Row {
  std::string_view path, name, description, document;
};

#define ALLOW_ALL(ACTIONS) R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[)" ACTIONS R"(],"Resource":"*"}]})"

constexpr Row kRows[] = {
    {"/", "AdministratorAccess", "Provides full access to AWS services and resources.", ALLOW_ALL(R"("*")")},
    {"/", "PowerUserAccess",
     "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
     R"({"Version":"2012-10-17","Statement":[
       {"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},
       {"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles",
         "organizations:DescribeOrganization"],"Resource":"*"}]})"},
    {"/", "ReadOnlyAccess", "Provides read-only access to AWS services and resources.",
     ALLOW_ALL(R"("cloudformation:Describe*","cloudformation:EstimateTemplateCost","cloudformation:Get*","cloudformation:List*",
       "cloudformation:ValidateTemplate","cloudtrail:Describe*","cloudtrail:Get*","cloudtrail:List*","cloudtrail:LookupEvents",
       "ec2:Describe*","ec2:Get*","ec2:List*","iam:Generate*","iam:Get*","iam:List*","iam:Simulate*","kms:Describe*","kms:Get*","kms:List*",
       "organizations:Describe*","organizations:List*","redshift:Describe*","redshift:List*","redshift:View*",
       "redshift-data:Describe*","redshift-data:Get*","redshift-data:List*","s3:DescribeJob","s3:Get*","s3:List*",
       "sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken")")},
    {"/job-function/", "ViewOnlyAccess", "Grants permissions to view resources and basic metadata across all AWS services.",
     ALLOW_ALL(
         R"("cloudformation:Describe*","cloudformation:List*","cloudtrail:DescribeTrails","cloudtrail:LookupEvents","ec2:Describe*",
       "iam:Get*","iam:List*","kms:ListAliases","kms:ListKeys","organizations:List*","redshift:Describe*","redshift:ViewQueriesInConsole",
       "s3:ListAllMyBuckets","s3:ListBucket")")},
    {"/", "SecurityAudit", "Grants access to read security configuration metadata.",
     ALLOW_ALL(R"("cloudformation:DescribeStack*","cloudformation:GetTemplate","cloudformation:ListStack*","cloudtrail:Describe*",
       "cloudtrail:LookupEvents","ec2:Describe*","iam:Generate*","iam:Get*","iam:List*","iam:SimulateCustomPolicy",
       "iam:SimulatePrincipalPolicy","kms:Describe*","kms:GetKeyPolicy","kms:GetKeyRotationStatus","kms:List*","organizations:Describe*",
       "organizations:List*","redshift:Describe*","s3:GetBucket*","s3:GetEncryptionConfiguration","s3:GetObjectAcl","s3:ListAllMyBuckets")")},
    {"/", "IAMFullAccess", "Provides full access to IAM.",
     ALLOW_ALL(
         R"("iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit",
       "organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget",
       "organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy")")},
    {"/", "IAMReadOnlyAccess", "Provides read only access to IAM.",
     ALLOW_ALL(
         R"("iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy",
       "iam:SimulatePrincipalPolicy")")},
    {"/", "IAMUserChangePassword", "Provides the ability for an IAM user to change their own password.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ChangePassword","Resource":"arn:aws:iam::*:user/${aws:username}"},
       {"Effect":"Allow","Action":"iam:GetAccountPasswordPolicy","Resource":"*"}]})"},
    {"/", "AmazonS3FullAccess", "Provides full access to all buckets.", ALLOW_ALL(R"("s3:*","s3-object-lambda:*")")},
    {"/", "AmazonS3ReadOnlyAccess", "Provides read only access to all buckets.",
     ALLOW_ALL(R"("s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*")")},
    {"/", "AmazonRedshiftFullAccess", "Provides full access to Amazon Redshift.",
     R"({"Version":"2012-10-17","Statement":[
       {"Effect":"Allow","Action":["redshift:*","redshift-serverless:*","ec2:DescribeAccountAttributes","ec2:DescribeAddresses",
         "ec2:DescribeAvailabilityZones","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVpcs","ec2:DescribeInternetGateways",
         "sns:CreateTopic","sns:Get*","sns:List*","cloudwatch:Describe*","cloudwatch:Get*","cloudwatch:List*","cloudwatch:PutMetricAlarm",
         "cloudwatch:EnableAlarmActions","cloudwatch:DisableAlarmActions","tag:GetResources","tag:UntagResources","tag:GetTagValues",
         "tag:GetTagKeys","tag:TagResources"],"Resource":"*"},
       {"Effect":"Allow","Action":"iam:CreateServiceLinkedRole",
         "Resource":"arn:aws:iam::*:role/aws-service-role/redshift.amazonaws.com/AWSServiceRoleForRedshift",
         "Condition":{"StringLike":{"iam:AWSServiceName":"redshift.amazonaws.com"}}},
       {"Effect":"Allow","Action":["redshift-data:ExecuteStatement","redshift-data:CancelStatement","redshift-data:ListStatements",
         "redshift-data:GetStatementResult","redshift-data:DescribeStatement","redshift-data:ListDatabases","redshift-data:ListSchemas",
         "redshift-data:ListTables","redshift-data:DescribeTable"],"Resource":"*"}]})"},
    {"/", "AmazonRedshiftReadOnlyAccess", "Provides read only access to Amazon Redshift.",
     ALLOW_ALL(
         R"("redshift:Describe*","redshift:ListRecommendations","redshift:ViewQueriesInConsole","ec2:DescribeAccountAttributes",
       "ec2:DescribeAddresses","ec2:DescribeAvailabilityZones","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVpcs",
       "ec2:DescribeInternetGateways","sns:Get*","sns:List*","cloudwatch:Describe*","cloudwatch:List*","cloudwatch:Get*")")},
    {"/", "AmazonRedshiftDataFullAccess", "Provides full access to Amazon Redshift Data APIs.",
     R"({"Version":"2012-10-17","Statement":[
       {"Sid":"DataAPIPermissions","Effect":"Allow","Action":["redshift-data:BatchExecuteStatement","redshift-data:ExecuteStatement",
         "redshift-data:CancelStatement","redshift-data:ListStatements","redshift-data:GetStatementResult","redshift-data:DescribeStatement",
         "redshift-data:ListDatabases","redshift-data:ListSchemas","redshift-data:ListTables","redshift-data:DescribeTable"],"Resource":"*"},
       {"Sid":"GetCredentialsForAPIUser","Effect":"Allow","Action":"redshift:GetClusterCredentials",
         "Resource":["arn:aws:redshift:*:*:dbname:*/*","arn:aws:redshift:*:*:dbuser:*/redshift_data_api_user"]},
       {"Sid":"DenyCreateAPIUser","Effect":"Deny","Action":"redshift:CreateClusterUser",
         "Resource":"arn:aws:redshift:*:*:dbuser:*/redshift_data_api_user"}]})"},
    {"/", "AmazonRedshiftAllCommandsFullAccess", "For the default role of a cluster: COPY, UNLOAD and the like.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectAcl","s3:GetBucketAcl",
         "s3:GetBucketCors","s3:GetEncryptionConfiguration","s3:GetBucketLocation","s3:ListBucket","s3:ListAllMyBuckets",
         "s3:ListMultipartUploadParts","s3:ListBucketMultipartUploads","s3:PutObject","s3:PutBucketAcl","s3:PutBucketCors",
         "s3:DeleteObject","s3:AbortMultipartUpload","s3:CreateBucket"],
       "Resource":["arn:aws:s3:::redshift-downloads","arn:aws:s3:::redshift-downloads/*","arn:aws:s3:::*redshift*","arn:aws:s3:::*redshift*/*"]}]})"},
    {"/", "AWSKeyManagementServicePowerUser", "Provides access to AWS Key Management Service (KMS).",
     ALLOW_ALL(R"("kms:CreateAlias","kms:CreateKey","kms:DeleteAlias","kms:Describe*","kms:GenerateRandom","kms:Get*","kms:List*",
       "kms:TagResource","kms:UntagResource","iam:ListGroups","iam:ListRoles","iam:ListUsers")")},
    {"/", "AWSCloudFormationFullAccess", "Provides full access to AWS CloudFormation.", ALLOW_ALL(R"("cloudformation:*")")},
    {"/", "AWSCloudFormationReadOnlyAccess", "Provides read only access to AWS CloudFormation.",
     ALLOW_ALL(R"("cloudformation:Describe*","cloudformation:EstimateTemplateCost","cloudformation:Get*","cloudformation:List*",
       "cloudformation:ValidateTemplate","cloudformation:Detect*")")},
    {"/", "AWSCloudTrail_ReadOnlyAccess", "Provides read only access to AWS CloudTrail.",
     ALLOW_ALL(R"("cloudtrail:Get*","cloudtrail:Describe*","cloudtrail:List*","cloudtrail:LookupEvents")")},
    {"/", "AmazonEC2FullAccess", "Provides full access to Amazon EC2.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","elasticloadbalancing:*","cloudwatch:*","autoscaling:*"],
         "Resource":"*"},
       {"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*",
         "Condition":{"StringEquals":{"iam:AWSServiceName":["autoscaling.amazonaws.com","ec2scheduled.amazonaws.com",
           "elasticloadbalancing.amazonaws.com","spot.amazonaws.com","spotfleet.amazonaws.com","transitgateway.amazonaws.com"]}}}]})"},
    {"/", "AmazonEC2ReadOnlyAccess", "Provides read only access to Amazon EC2.",
     ALLOW_ALL(R"("ec2:Describe*","ec2:GetSecurityGroupsForVpc","elasticloadbalancing:Describe*","cloudwatch:ListMetrics",
       "cloudwatch:GetMetricStatistics","cloudwatch:Describe*","autoscaling:Describe*")")},
    {"/", "AmazonVPCFullAccess", "Provides full access to Amazon VPC.",
     ALLOW_ALL(
         R"("ec2:AssociateSecurityGroupVpc","ec2:AuthorizeSecurityGroup*","ec2:Create*Vpc*","ec2:CreateDefault*","ec2:CreateSecurityGroup",
       "ec2:CreateSubnet","ec2:CreateTags","ec2:DeleteSecurityGroup","ec2:DeleteSubnet","ec2:DeleteTags","ec2:Delete*Vpc*","ec2:Describe*",
       "ec2:ModifySecurityGroupRules","ec2:ModifySubnetAttribute","ec2:Modify*Vpc*","ec2:RevokeSecurityGroup*")")},
    {"/", "AWSOrganizationsFullAccess", "Provides full access to AWS Organizations.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"organizations:*","Resource":"*"},
       {"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*",
         "Condition":{"StringEquals":{"iam:AWSServiceName":"organizations.amazonaws.com"}}}]})"},
    {"/", "AWSOrganizationsReadOnlyAccess", "Provides read-only access to AWS Organizations.",
     ALLOW_ALL(R"("organizations:Describe*","organizations:List*")")},
    {"/", "AWSDenyAll", "Deny all access.",
     R"({"Version":"2012-10-17","Statement":[{"Sid":"DenyAll","Effect":"Deny","Action":["*"],"Resource":"*"}]})"},
};

/// ANPA and 16 characters that follow from the name.
std::string id_of(std::string_view name) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string hash = crypto::sha256(name), out = "ANPA";
  for (int i = 0; i < 16; ++i) out += kAlphabet[uint8_t(hash[size_t(i)]) % 32];
  return out;
}
}  // namespace

const std::map<std::string, std::shared_ptr<const ManagedPolicy>, std::less<>>& aws_managed_policies() {
  static const auto all = [] {
    std::map<std::string, std::shared_ptr<const ManagedPolicy>, std::less<>> out;
    for (auto& row : kRows) {
      ManagedPolicy p;
      p.name = row.name;
      p.path = row.path;
      p.id = id_of(row.name);
      p.arn = "arn:aws:iam::aws:policy" + p.path + p.name;
      p.description = row.description;
      p.created = p.updated = Timestamp::from_seconds(1423249117);  // 2015-02-06, when AWS began to have them
      p.versions[1] = {stored_document(std::string(row.document), policy::Kind::identity), p.created};
      std::string arn = p.arn;
      out.emplace(std::move(arn), std::make_shared<const ManagedPolicy>(std::move(p)));
    }
    return out;
  }();
  return all;
}

std::shared_ptr<const ManagedPolicy> aws_managed_policy(std::string_view arn) {
  auto& all = aws_managed_policies();
  auto it = all.find(arn);
  return it == all.end() ? nullptr : it->second;
}

}  // namespace redoubt::identity
