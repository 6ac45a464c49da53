-- As app_admin. The policy knows no tenant: it compares a column with what the session says it is here for. false: a session that
-- hasn't said anything has NULL, and NULL equals nothing.
create rls policy tenant_policy
with (tenant_id varchar(50))
using (tenant_id = current_setting('app_context.tenant_id', false));

attach rls policy tenant_policy on app_user.employee to public;
alter table app_user.employee row level security on;

-- What the application calls with the tenant that it has authenticated.
create procedure app_admin.set_app_context(tenant varchar)
as $$
declare
  told varchar;
begin
  select into told set_config('app_context.tenant_id', tenant, false);
end;
$$ language plpgsql;

grant usage on schema app_admin to app_user;
grant execute on procedure app_admin.set_app_context(varchar) to app_user;
