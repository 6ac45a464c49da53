-- As app_user, who owns the table and everything in its schema.
create table app_user.employee (
  tenant_id varchar(50) not null,
  id varchar(50) not null,
  name varchar(50),
  ssn varchar(50)
) sortkey (tenant_id);

insert into app_user.employee values
  ('T0001', 'E4646', 'Andy', 'XXXXXXXXX'),
  ('T0001', 'E4689', 'Bob', 'XXXXXXXXX'),
  ('T0001', 'E4691', 'Christina', 'XXXXXXXXX'),
  ('T0002', 'E4733', 'Peter', 'XXXXXXXXX'),
  ('T0002', 'E4788', 'Quan', 'XXXXXXXXX'),
  ('T0002', 'E4701', 'Rose', 'XXXXXXXXX'),
  ('T0003', 'E5699', 'Diana', 'XXXXXXXXX'),
  ('T0003', 'E5608', 'Emily', 'XXXXXXXXX'),
  ('T0003', 'E5645', 'Florence', 'XXXXXXXXX');
