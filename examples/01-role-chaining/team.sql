-- As a team's user: :tenant, :table, :data, :chain, :query, :plain, :sealed.
create table :tenant.:table (
  venueid smallint,
  venuename varchar(100),
  venuecity varchar(30),
  venuestate char(2),
  venueseats integer
) diststyle even;
commit;

copy :tenant.:table from :'data' iam_role :'chain' delimiter '|';
unload (:'query') to :'plain' iam_role :'chain' allowoverwrite;
-- Under the bucket's own key.
unload (:'query') to :'sealed' iam_role :'chain' encrypted auto allowoverwrite;
