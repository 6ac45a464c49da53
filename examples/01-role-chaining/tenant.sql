-- One tenant, as a superuser: :tenant, :group, :user, :password, :chain (the role attached to the cluster and the tenant's own,
-- joined by a comma).
create schema :tenant;
create group :group;
create user :user with password :'password' in group :group;
grant usage on schema :tenant to group :group;
grant all on schema :tenant to group :group;
grant assumerole on :'chain' to group :group for copy, unload;
