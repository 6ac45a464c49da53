-- A single user of a tenant, outside the group: :tenant, :table, :user, :password, :chain (its own).
create user :user with password :'password';
grant usage on schema :tenant to :user;
grant select, insert on :tenant.:table to :user;
grant assumerole on :'chain' to :user for copy, unload;
