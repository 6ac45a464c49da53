-- As app_user: :rows rows of :tenants tenants, interleaved as they come in, ordered by tenant on disk. One copy is protected, in the
-- other the application adds the tenant to every WHERE by hand.
create table app_user.digits (d int);
insert into app_user.digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);

create table app_user.metrics_by_hand sortkey (tenant_id) as
select cast('T' || lpad(cast(n % :tenants as varchar(10)), 4, '0') as varchar(50)) as tenant_id,
       n as id, n % 12 as month, (n % 1000)::decimal(12,2) as amount
from (select a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d + 1000000 * h.d as n
      from app_user.digits a, app_user.digits b, app_user.digits c, app_user.digits e, app_user.digits f, app_user.digits g, app_user.digits h)
where n < :rows;

create table app_user.metrics sortkey (tenant_id) as select * from app_user.metrics_by_hand;
