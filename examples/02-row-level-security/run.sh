#!/bin/bash
# The whole walkthrough with psql alone, against Redoubt or Amazon Redshift. PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE: a superuser of
# the cluster. ROWS and TENANTS: the size of the last part.
#   scripts/up; . DIR/env; examples/02-row-level-security/run.sh
set -euo pipefail
cd "$(dirname "$0")"

rows=${ROWS:-10000000}
tenants=${TENANTS:-5000}
password=${APP_PASSWORD:-Aa1$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')}

say() { printf '\n== %s\n' "$*"; }
sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
as() { local user=$1; shift; PGUSER=$user PGPASSWORD=$password sql "$@"; }
# What a tenant's session sees: CALL, then the query. "-": nothing was called.
session() {
  local tenant=$1; shift
  if [ "$tenant" = - ]; then as app_user -At "$@"; else as app_user -At -c "call app_admin.set_app_context('$tenant')" "$@"; fi
}
expect() {  # expect WHAT EXPECTED GOT
  printf '%-66s %-28s %s\n' "$1" "$2" "$3"
  [ "$2" = "$3" ] || { echo "that was not expected"; exit 1; }
}
refusal() { "$@" 2>&1 >/dev/null | sed -n 's/^.*ERROR:  *//p' | head -1; }
names="select coalesce(listagg(name, ' ') within group (order by name), '') from app_user.employee"

say "1. Two users, a table with three tenants, and a policy that knows none of them"
sql -v password="$password" -f users.sql
as app_user -f employee.sql
as app_admin -f policy.sql

say "2. What a session sees: attempt, expected, got"
expect "no tenant was set" "" "$(session - -c "$names")"
expect "tenant T0001" "Andy Bob Christina" "$(session T0001 -c "$names")"
expect "tenant T0002" "Peter Quan Rose" "$(session T0002 -c "$names")"
expect "a tenant that doesn't exist" "" "$(session T9999 -c "$names")"
expect "T0001 asks for T0002" "0" "$(session T0001 -c "select count(*) from app_user.employee where tenant_id = 'T0002'")"
expect "T0001 updates T0002's rows" "0" "$(session T0001 -c "update app_user.employee set name = 'x' where tenant_id = 'T0002'" \
  -c "select count(*) from app_user.employee where name = 'x'")"
expect "the owner switches it off" "refused" "$(refusal as app_user -c "alter table app_user.employee row level security off" | sed 's/.*denied.*/refused/')"
expect "the superuser sees every row" "9" "$(sql -At -c "select count(*) from app_user.employee")"

say "3. The plan. Without EXPLAIN RLS the policy is opaque"
session T0001 -c "explain select name from app_user.employee where id > 'E4'"
sql -c "create role plan_reader" -c "grant explain rls to role plan_reader" -c "grant role plan_reader to app_user"
echo "With it, nothing set:"
session - -c "explain select name from app_user.employee where id > 'E4'"
echo "T0001:"
session T0001 -c "explain select name from app_user.employee where id > 'E4'"

say "4. The same policy on another table; it is strongly typed"
as app_user -f more.sql
as app_admin -c "attach rls policy tenant_policy on app_user.payroll to public" -c "alter table app_user.payroll row level security on"
expect "T0001's payroll" "12750.00" "$(session T0001 -c "select sum(amount) from app_user.payroll")"
expect "joined, both filtered" "Andy Bob" "$(session T0001 -c "select listagg(distinct e.name, ' ') within group (order by e.name) from app_user.employee e join app_user.payroll p on p.employee = e.id")"
expect "a column varchar(20) instead of varchar(50)" "refused" "$(refusal as app_admin -c "attach rls policy tenant_policy on app_user.badges to public" | sed 's/..*/refused/')"

say "5. A second policy on one table: both must hold, or, by conjunction type, one"
as app_admin -c "create rls policy by_month with (month date) using (month = cast(current_setting('app_context.month', false) as date))" \
  -c "attach rls policy by_month on app_user.payroll to public"
expect "and" "8400.00" "$(session T0001 -c "set app_context.month to '2024-01-01'" -c "select sum(amount) from app_user.payroll")"
as app_admin -c "alter table app_user.payroll row level security on conjunction type or"
expect "or" "21650.00" "$(session T0001 -c "set app_context.month to '2024-01-01'" -c "select sum(amount) from app_user.payroll")"
as app_admin -c "alter table app_user.payroll row level security on"

say "6. Columns on top of rows, and an auditor who sees all rows"
sql -v password="$password" <<'SQL'
create user reporter password :'password';
create user auditor password :'password';
grant usage on schema app_user, app_admin to reporter, auditor;
grant select (tenant_id, id, name) on app_user.employee to reporter;
grant select on app_user.employee to auditor;
create role unfiltered;
grant ignore rls to role unfiltered;
grant role unfiltered to auditor;
SQL
expect "the reporter, T0003, names" "3" "$(as reporter -At -c "set app_context.tenant_id to 'T0003'" -c "select count(name) from app_user.employee")"
expect "the reporter, ssn" "permission denied for relation employee" "$(refusal as reporter -c "set app_context.tenant_id to 'T0003'" -c "select ssn from app_user.employee")"
expect "the auditor" "9" "$(as auditor -At -c "select count(*) from app_user.employee")"

say "7. A new tenant: its rows, and nothing else"
as app_user -c "insert into app_user.employee values ('T0004', 'E6001', 'Grace', 'XXXXXXXXX')"
expect "T0004" "Grace" "$(session T0004 -c "$names")"
expect "T0001 is as it was" "Andy Bob Christina" "$(session T0001 -c "$names")"

say "8. $tenants tenants, $rows rows: row-level security beside a hand-written WHERE"
as app_user -v rows="$rows" -v tenants="$tenants" -f metrics.sql
as app_admin -c "attach rls policy tenant_policy on app_user.metrics to public" -c "alter table app_user.metrics row level security on"
tenant=$(printf 'T%04d' $((tenants / 2)))
question="select month, sum(amount), count(*) from TABLE where month < 6 CONDITION group by month order by month"
secured=${question/TABLE/app_user.metrics}; secured=${secured/CONDITION/}
by_hand=${question/TABLE/app_user.metrics_by_hand}; by_hand=${by_hand/CONDITION/and tenant_id = \'$tenant\'}
expect "the same answer" "$(as app_user -At -c "$by_hand")" "$(session "$tenant" -c "$secured")"
times() {  # milliseconds, sorted, of 20 runs in one session after a first one
  local statement=$1; shift
  { echo "\\timing on"; for _ in $(seq 21); do echo "$statement;"; done; } | as app_user -At "$@" -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -20 | sort -n
}
line() { awk -v what="$1" '{ t[NR] = $1 } END { printf "%-24s median %8.2f ms   slowest %8.2f ms\n", what, t[int((NR + 1) / 2)], t[NR] }'; }
times "$secured" -c "call app_admin.set_app_context('$tenant')" | line "row-level security"
times "$by_hand" | line "hand-written WHERE"

say "9. Clean up"
sql <<'SQL'
drop table app_user.employee, app_user.payroll, app_user.badges, app_user.digits, app_user.metrics, app_user.metrics_by_hand cascade;
drop rls policy tenant_policy;
drop rls policy by_month;
drop procedure app_admin.set_app_context(varchar);
drop role plan_reader force;
drop role unfiltered force;
drop schema app_user cascade;
drop schema app_admin cascade;
drop user app_user;
drop user app_admin;
drop user reporter;
drop user auditor;
SQL
echo done
