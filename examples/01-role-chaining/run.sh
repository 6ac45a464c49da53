#!/usr/bin/env bash
# Two teams move data between their own buckets and schemas, and neither can touch the other's.
# Needs aws cli and psql, and an environment that says who and where: with Redoubt, `. DIR/env`; on AWS, your profile, PGHOST, PGUSER .. of a
# cluster and REDOUBT_CLUSTER with its identifier. Prints the attempts as a table; ends with status 1 if one went other than expected.
set -euo pipefail
cd "$(dirname "$0")"
export AWS_PAGER="" PGDATABASE=${PGDATABASE:-dev}
CLUSTER=${REDOUBT_CLUSTER:?name the cluster in REDOUBT_CLUSTER}
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:?set AWS_REGION}}
PASSWORD=${TENANT_PASSWORD:-Venue2Venue}
role() { echo "arn:aws:iam::$ACCOUNT:role/$1"; }
ONBOARDING=$(role redshift-s3-onboarding-role)
chain() { echo "$ONBOARDING,$(role "$1-tenant-redshift-s3-access-role")"; }
bucket() { echo "$1-data-$ACCOUNT-$REGION"; }
step() { printf '\n== %s\n' "$*"; }
admin() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
as() { local user=$1; shift; PGUSER=$user PGPASSWORD=$PASSWORD psql -X -q -At -v ON_ERROR_STOP=1 -v VERBOSITY=verbose "$@"; }
deploy() { aws cloudformation deploy --no-fail-on-empty-changeset --capabilities CAPABILITY_NAMED_IAM "$@" >/dev/null; }

step "1. The onboarding role and the log bucket"
deploy --stack-name onboarding --template-file redshift-onboarding.yaml
step "2. The role is attached to the cluster"
aws redshift modify-cluster-iam-roles --cluster-identifier "$CLUSTER" --add-iam-roles "$ONBOARDING" >/dev/null
until aws redshift describe-clusters --cluster-identifier "$CLUSTER" --query "Clusters[0].IamRoles[?IamRoleArn=='$ONBOARDING'].ApplyStatus" --output text | grep -q in-sync; do sleep 5; done
echo "in-sync"
step "3. Key, bucket and role of each team; one user's own role"
for t in team1 team2; do deploy --stack-name "$t" --template-file tenant.yaml --parameter-overrides "TenantName=$t"; done
deploy --stack-name team1-ann --template-file user.yaml --parameter-overrides TenantName=team1 UserName=ann

step "4. Schemas, groups, users, and who may use which chain"
admin -c "revoke assumerole on all from public for all"
for t in team1 team2; do
  admin <<SQL
create schema $t;
create group ${t}_grp;
create user ${t}_usr with password '$PASSWORD' in group ${t}_grp;
grant usage on schema $t to group ${t}_grp;
grant all on schema $t to group ${t}_grp;
grant assumerole on '$(chain $t)' to group ${t}_grp for copy, unload;
SQL
done
admin <<SQL
create schema ann;
create user ann with password '$PASSWORD';
grant usage, create on schema ann to ann;
grant assumerole on '$(chain team1-ann)' to ann for copy, unload;
SQL

step "5. Each team loads and unloads its own data"
for t in team1 team2; do
  aws s3 cp --only-show-errors test-venue.txt "s3://$(bucket $t)/test-venue.txt"
  as "${t}_usr" <<SQL
create table $t.${t}_venue (venueid smallint, venuename varchar(100), venuecity varchar(30), venuestate char(2), venueseats integer) diststyle even;
copy $t.${t}_venue from 's3://$(bucket $t)/test-venue.txt' iam_role '$(chain $t)' delimiter '|';
unload ('select * from $t.${t}_venue') to 's3://$(bucket $t)/unload/' iam_role '$(chain $t)';
unload ('select * from $t.${t}_venue') to 's3://$(bucket $t)/unload-kms/' iam_role '$(chain $t)' encrypted auto;
SQL
  echo "$t: $(as "${t}_usr" -c "select count(*) from $t.${t}_venue") rows loaded, $(aws s3 cp --only-show-errors "s3://$(bucket $t)/unload/0000_part_00" - | wc -l) lines in the first unloaded file"
done
aws s3 cp --only-show-errors test-venue.txt "s3://$(bucket team1)/ann/test-venue.txt"

step "6. What must not be possible"
BAD=0
# attempt: what it is, what it must answer (a pattern), and the command
attempt() {
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1 | grep -v '^ *---' | tr '\n' ' ' | cut -c1-900 || true)
  [ -n "$got" ] || got="done"
  local verdict="as expected"
  if ! grep -qE "$want" <<<"$got"; then verdict="NOT AS EXPECTED"; BAD=1; fi
  printf '%-62s | %-46s | %s\n    %s\n' "$what" "$want" "$verdict" "$(cut -c1-170 <<<"$got")"
}
copy() { echo "copy $1 from 's3://$2' iam_role '$3' delimiter '|'"; }
V1=team1.team1_venue B1=$(bucket team1) B2=$(bucket team2)
attempt "team1 reads team2's table" "42501.*permission denied for schema team2" as team1_usr -c "select * from team2.team2_venue"
attempt "team1 makes a table in team2's schema" "42501.*permission denied for schema team2" as team1_usr -c "create table team2.mine (a integer)"
admin -c "grant usage on schema team2 to group team1_grp"
attempt "team1, let into the schema, reads team2's table" "42501.*permission denied for relation team2_venue" as team1_usr -c "select * from team2.team2_venue"
attempt "team1 loads into team2's table" "42501.*permission denied for relation team2_venue" as team1_usr -c "$(copy team2.team2_venue "$B1/test-venue.txt" "$(chain team1)")"
admin -c "revoke usage on schema team2 from group team1_grp"
attempt "team1's chain on team2's bucket: COPY" "S3ServiceException:.*Status 403,Error AccessDenied" as team1_usr -c "$(copy $V1 "$B2/test-venue.txt" "$(chain team1)")"
attempt "team1's chain on team2's bucket: UNLOAD" "S3ServiceException:.*Status 403,Error AccessDenied" as team1_usr -c "unload ('select * from $V1') to 's3://$B2/stolen/' iam_role '$(chain team1)'"
attempt "team2's chain" "does not have ASSUMEROLE permission on IAM role .*for COPY" as team1_usr -c "$(copy $V1 "$B2/test-venue.txt" "$(chain team2)")"
attempt "the onboarding role alone" "does not have ASSUMEROLE permission on IAM role .*for COPY" as team1_usr -c "$(copy $V1 "$B1/test-venue.txt" "$ONBOARDING")"
attempt "a role that isn't attached, by the admin" "is not authorized to assume IAM Role" admin -v VERBOSITY=verbose -c "$(copy $V1 "$B1/test-venue.txt" "$(role team1-tenant-redshift-s3-access-role)")"
admin -c "revoke assumerole on '$(chain team1)' from group team1_grp for unload"
attempt "UNLOAD after its right was revoked" "does not have ASSUMEROLE permission on IAM role .*for UNLOAD" as team1_usr -c "unload ('select * from $V1') to 's3://$B1/unload2/' iam_role '$(chain team1)'"
attempt "COPY, whose right stays" "done|INFO" as team1_usr -c "$(copy $V1 "$B1/test-venue.txt" "$(chain team1)")"
admin -c "grant assumerole on '$(chain team1)' to group team1_grp for unload"
KEY=$(aws cloudformation describe-stacks --stack-name team1 --query "Stacks[0].Outputs[?OutputKey=='KeyArn'].OutputValue" --output text)
aws kms disable-key --key-id "$KEY"
attempt "COPY while team1's key is disabled" "KMS.DisabledException|is disabled" as team1_usr -c "$(copy $V1 "$B1/test-venue.txt" "$(chain team1)")"
aws kms enable-key --key-id "$KEY"
TRUST=$(aws iam get-role --role-name team1-tenant-redshift-s3-access-role --query Role.AssumeRolePolicyDocument --output json)
aws iam update-assume-role-policy --role-name team1-tenant-redshift-s3-access-role --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"$(role team2-tenant-redshift-s3-access-role)\"},\"Action\":\"sts:AssumeRole\"}]}"
attempt "COPY after the role's trust was changed" "is not authorized to assume IAM Role" as team1_usr -c "$(copy $V1 "$B1/test-venue.txt" "$(chain team1)")"
aws iam update-assume-role-policy --role-name team1-tenant-redshift-s3-access-role --policy-document "$TRUST"
attempt "COPY when the trust is back" "done|INFO" as team1_usr -c "$(copy $V1 "$B1/test-venue.txt" "$(chain team1)")"
as ann -c "create table ann.venue (venueid smallint, venuename varchar(100), venuecity varchar(30), venuestate char(2), venueseats integer)"
attempt "ann loads from her own folder" "done|INFO" as ann -c "$(copy ann.venue "$B1/ann/" "$(chain team1-ann)")"
attempt "ann loads from her team's folder" "S3ServiceException:.*Status 403,Error AccessDenied" as ann -c "$(copy ann.venue "$B1/test-venue.txt" "$(chain team1-ann)")"
attempt "ann uses her team's chain" "does not have ASSUMEROLE permission on IAM role .*for COPY" as ann -c "$(copy ann.venue "$B1/test-venue.txt" "$(chain team1)")"

step "7. team3 is onboarded while team1 loads; the cluster isn't touched"
BEFORE=$(aws redshift describe-clusters --cluster-identifier "$CLUSTER")
(for _ in 1 2 3; do as team1_usr -c "$(copy $V1 "$B1/test-venue.txt" "$(chain team1)")"; done) 2>/dev/null &
LOADING=$!
deploy --stack-name team3 --template-file tenant.yaml --parameter-overrides TenantName=team3
wait $LOADING
[ "$BEFORE" = "$(aws redshift describe-clusters --cluster-identifier "$CLUSTER")" ] && echo "DescribeClusters is unchanged" || { echo "DescribeClusters CHANGED"; BAD=1; }

step "8. Cleaning up"
attempt "deleting team2's stack while its bucket holds objects" "DELETE_FAILED.*not empty" bash -c "aws cloudformation delete-stack --stack-name team2; aws cloudformation wait stack-delete-complete --stack-name team2 >/dev/null 2>&1; aws cloudformation describe-stack-events --stack-name team2 --query \"StackEvents[?ResourceStatus=='DELETE_FAILED'].[ResourceStatus,ResourceStatusReason]\" --output text"
empty() {
  local b=$1 versions
  for list in Versions DeleteMarkers; do
    while versions=$(aws s3api list-object-versions --bucket "$b" --max-items 500 --query "{Objects: $list[].{Key: Key, VersionId: VersionId}, Quiet: \`true\`}" --output json) && grep -q VersionId <<<"$versions"; do
      aws s3api delete-objects --bucket "$b" --delete "$versions" >/dev/null
    done
  done
}
remove() { aws cloudformation delete-stack --stack-name "$1" && aws cloudformation wait stack-delete-complete --stack-name "$1"; }
for t in team1 team2 team3; do
  empty "$(bucket $t)"
  remove "$t"
done
remove team1-ann
admin <<SQL
drop schema ann cascade;
revoke assumerole on '$(chain team1-ann)' from ann for all;
drop user ann;
SQL
for t in team1 team2; do
  admin <<SQL
drop schema $t cascade;
revoke assumerole on '$(chain $t)' from group ${t}_grp for all;
drop user ${t}_usr;
drop group ${t}_grp;
SQL
done
admin -c "grant assumerole on all to public for all"
aws redshift modify-cluster-iam-roles --cluster-identifier "$CLUSTER" --remove-iam-roles "$ONBOARDING" >/dev/null
# Access logs still arrive for a few seconds.
for _ in 1 2 3 4 5; do
  empty "redshift-tenant-s3-access-logs-$ACCOUNT-$REGION"
  remove onboarding 2>/dev/null && break
  sleep 3
done
aws cloudformation describe-stacks --query 'Stacks[].StackName' --output text
echo "everything is gone"
exit $BAD
