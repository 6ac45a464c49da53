-- As app_user: a second table with the same column, and one whose column is of another type.
create table app_user.payroll (tenant_id varchar(50), employee varchar(50), month date, amount decimal(12,2));
insert into app_user.payroll values
  ('T0001', 'E4646', '2024-01-01', 4100.00), ('T0001', 'E4689', '2024-01-01', 4300.00), ('T0001', 'E4689', '2024-02-01', 4350.00),
  ('T0002', 'E4733', '2024-01-01', 5000.00), ('T0003', 'E5699', '2024-01-01', 3900.00);
create table app_user.badges (tenant_id varchar(20), badge int);
