#!/bin/bash
# The whole walkthrough, against Redoubt or AWS. It needs the aws cli, psql and python3 with boto3, credentials of an administrator,
# a cluster (CLUSTER or REDOUBT_CLUSTER: its name; PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE: its superuser), and a region.
#   scripts/up; . DIR/env; examples/01-role-chaining/run.sh
set -euo pipefail
cd "$(dirname "$0")"
export AWS_PAGER=""

cluster=${CLUSTER:-${REDOUBT_CLUSTER:?name the cluster in CLUSTER}}
account=$(aws sts get-caller-identity --query Account --output text)
region=${AWS_REGION:-$(aws configure get region)}
export TENANT_PASSWORD=${TENANT_PASSWORD:-$(python3 -c 'import secrets; print("Aa1" + secrets.token_hex(12))')}
onboarding=arn:aws:iam::$account:role/redshift-s3-onboarding-role

say() { printf '\n== %s\n' "$*"; }
bucket() { echo "$1-data-$account-$region"; }
role() { echo "arn:aws:iam::$account:role/$1-tenant-redshift-s3-access-role"; }
chain() { echo "$onboarding,$(role "$1")"; }
output() { aws cloudformation describe-stacks --stack-name "$1" --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue" --output text; }
deploy() { aws cloudformation deploy --no-fail-on-empty-changeset --capabilities CAPABILITY_NAMED_IAM "$@" >/dev/null; }
sql() { psql -X -q -At -v ON_ERROR_STOP=1 "$@"; }
as() { local user=$1; shift; PGUSER=$user PGPASSWORD=$TENANT_PASSWORD sql "$@"; }
empty() { python3 -c 'import boto3, sys; boto3.resource("s3").Bucket(sys.argv[1]).object_versions.delete()' "$1"; }
described() { aws redshift describe-clusters --cluster-identifier "$cluster" --query 'Clusters[0]' --output json; }

onboard() {  # a tenant: its stack, then its SQL. Nothing at the cluster changes
  deploy --stack-name "redshift-tenant-$1" --template-file tenant.cf.yaml --parameter-overrides "TenantName=$1"
  sql -v tenant="$1" -v group="$1_grp" -v user="$1_usr" -v password="$TENANT_PASSWORD" -v chain="$(chain "$1")" -f tenant.sql
}
use() {  # as the tenant's user: a table, a file into it, its rows back to the bucket
  aws s3 cp --quiet test-venue.txt "s3://$(bucket "$1")/test-venue.txt"
  as "$1_usr" -v tenant="$1" -v table="$1_venue" -v chain="$(chain "$1")" -v data="s3://$(bucket "$1")/test-venue.txt" \
    -v query="select * from $1.$1_venue" -v plain="s3://$(bucket "$1")/unload/" -v sealed="s3://$(bucket "$1")/sealed/" -f team.sql
  echo "$1: $(as "$1_usr" -c "select count(*) from $1.$1_venue") rows loaded; unloaded:"
  aws s3 ls --recursive "s3://$(bucket "$1")/"
}

say "1. The onboarding role and the bucket for access logs"
deploy --stack-name redshift-onboarding --template-file onboarding.cf.yaml

say "2. The role is attached to the cluster, once and for all tenants"
aws redshift modify-cluster-iam-roles --cluster-identifier "$cluster" --add-iam-roles "$onboarding" >/dev/null
until [ "$(aws redshift describe-clusters --cluster-identifier "$cluster" --output text \
  --query "Clusters[0].IamRoles[?IamRoleArn=='$onboarding'].ApplyStatus")" = in-sync ]; do sleep 5; done
echo "$onboarding: in-sync"

say "3. and 4. Two tenants"
sql -f once.sql
onboard team1
onboard team2

say "5. Each loads and unloads its own data"
use team1
use team2

say "6. And nobody else's. A member of team1, ana, is let into one folder of its bucket"
deploy --stack-name redshift-member-team1-ana --template-file member.cf.yaml \
  --parameter-overrides TenantName=team1 MemberName=ana "KeyArn=$(output redshift-tenant-team1 KeyArn)"
sql -v tenant=team1 -v table=team1_venue -v user=team1_ana -v password="$TENANT_PASSWORD" -v chain="$(chain team1-ana)" -f member.sql
aws s3 cp --quiet test-venue.txt "s3://$(bucket team1)/ana/test-venue.txt"
VALUES=$(python3 - "$account" "$region" "$onboarding" "$(output redshift-tenant-team1 KeyArn)" <<'PY'
import json, os, sys
account, region, onboarding, key = sys.argv[1:]
values = {"account": account, "region": region, "onboarding": onboarding, "team1_key": key}
for name in ["team1", "team2", "team1-ana"]:
    short = name.split("-")[-1]
    role = f"arn:aws:iam::{account}:role/{name}-tenant-redshift-s3-access-role"
    values |= {f"{short}_role": role, f"{short}_chain": f"{onboarding},{role}", f"{short}_bucket": f"{name}-data-{account}-{region}"}
if os.environ.get("REDOUBT_HTTP_URL"):
    values["http"] = os.environ["REDOUBT_HTTP_URL"]
print(json.dumps(values))
PY
)
export VALUES
python3 attempts.py attempts.json
[ -z "${MORE_ATTEMPTS:-}" ] || python3 attempts.py "$MORE_ATTEMPTS"

say "7. A third tenant is onboarded while team1 loads, and the cluster doesn't notice"
before=$(described)
loads=$(mktemp)
(for _ in $(seq 10); do
  as team1_usr -c "copy team1.team1_venue from 's3://$(bucket team1)/test-venue.txt' iam_role '$(chain team1)' delimiter '|'" && echo loaded
done) >"$loads" &
loading=$!
onboard team3
use team3
wait $loading
echo "team1 loaded $(grep -c loaded "$loads") times meanwhile"
rm "$loads"
[ "$before" = "$(described)" ] || { echo "DescribeClusters: CHANGED"; exit 1; }
echo "DescribeClusters: unchanged"

say "8. Clean up. A bucket that isn't empty stays, and its stack says so"
aws cloudformation delete-stack --stack-name redshift-member-team1-ana
aws cloudformation wait stack-delete-complete --stack-name redshift-member-team1-ana
for team in team1 team2 team3; do
  stack=$(aws cloudformation describe-stacks --stack-name "redshift-tenant-$team" --query 'Stacks[0].StackId' --output text)
  aws cloudformation delete-stack --stack-name "$stack"
  aws cloudformation wait stack-delete-complete --stack-name "$stack" 2>/dev/null && { echo "$team: its bucket went with data in it"; exit 1; }
  aws cloudformation describe-stack-events --stack-name "$stack" --output text \
    --query "StackEvents[?ResourceStatus=='DELETE_FAILED' && ResourceType=='AWS::S3::Bucket'] | [0].[LogicalResourceId,ResourceStatusReason]"
  empty "$(bucket $team)"
  aws cloudformation delete-stack --stack-name "$stack"
  aws cloudformation wait stack-delete-complete --stack-name "$stack"
  echo "redshift-tenant-$team: $(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text)"
  sql -c "drop schema $team cascade; revoke assumerole on '$(chain $team)' from group ${team}_grp for all"
done
sql -c "revoke assumerole on '$(chain team1-ana)' from team1_ana for all; drop user team1_ana"
for team in team1 team2 team3; do sql -c "drop user ${team}_usr; drop group ${team}_grp"; done
sql -c "grant assumerole on all to public for all"  # as the cluster was
aws redshift modify-cluster-iam-roles --cluster-identifier "$cluster" --remove-iam-roles "$onboarding" >/dev/null
logs=$(output redshift-onboarding LogBucketName)
echo "access logs: $(aws s3 ls --recursive "s3://$logs/" | wc -l) objects"
for _ in 1 2 3 4 5 6; do  # they still arrive for a while
  empty "$logs"
  aws cloudformation delete-stack --stack-name redshift-onboarding
  aws cloudformation wait stack-delete-complete --stack-name redshift-onboarding 2>/dev/null && break
  sleep 10
done
aws cloudformation describe-stacks --stack-name redshift-onboarding 2>/dev/null && exit 1
echo "everything is gone"
