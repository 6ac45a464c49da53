-- As a superuser: the application's login, which every tenant comes in by, and the administrator of security.
create user app_user password :'password';
create user app_admin password :'password';
grant role sys:secadmin to app_admin;
create schema app_user authorization app_user;
create schema app_admin authorization app_admin;
