"""One application user, many tenants: the walkthrough of row-level security with psycopg, statement by statement."""
from decimal import Decimal

import psycopg
import pytest

ROWS = [("T0001", "E4646", "Andy"), ("T0001", "E4689", "Bob"), ("T0001", "E4691", "Christina"), ("T0002", "E4733", "Peter"),
        ("T0002", "E4788", "Quan"), ("T0002", "E4701", "Rose"), ("T0003", "E5699", "Diana"), ("T0003", "E5608", "Emily"),
        ("T0003", "E5645", "Florence")]
PASSWORD = "Passw0rd"


@pytest.fixture(scope="module")
def world(server):
    with server.connect() as c:
        c.execute(f"create user app_user password '{PASSWORD}'")
        c.execute(f"create user app_admin password '{PASSWORD}'")
        c.execute("grant role sys:secadmin to app_admin")
        c.execute("create schema app_user authorization app_user")
        c.execute("create schema app_admin authorization app_admin")
    with server.connect(user="app_user", password=PASSWORD) as c:
        c.execute("create table app_user.employee (tenant_id varchar(50), id varchar(50), name varchar(50), ssn varchar(50)) sortkey (tenant_id)")
        for row in ROWS:
            c.execute("insert into app_user.employee values (%s, %s, %s, 'XXXXXXXXX')", row)
    with server.connect(user="app_admin", password=PASSWORD) as c:
        c.execute("create rls policy tenant_policy with (tenant_id varchar(50)) "
                  "using (tenant_id = current_setting('app_context.tenant_id', false))")
        c.execute("attach rls policy tenant_policy on app_user.employee to public")
        c.execute("alter table app_user.employee row level security on")
    return server


@pytest.fixture
def app(world):
    with world.connect(user="app_user", password=PASSWORD) as c:
        yield c


def names(c, where="true"):
    return [row[0] for row in c.execute(f"select name from app_user.employee where {where} order by 1").fetchall()]


def become(c, tenant):
    assert c.execute("select set_config('app_context.tenant_id', %s, false)", [tenant]).fetchone() == (tenant,)


def test_without_a_tenant_there_are_no_rows(app):
    assert names(app) == []
    assert app.execute("select count(*) from app_user.employee").fetchone() == (0,)


@pytest.mark.parametrize("tenant", ["T0001", "T0002", "T0003"])
def test_a_tenant_sees_its_rows(app, tenant):
    become(app, tenant)
    assert names(app) == sorted(name for t, _, name in ROWS if t == tenant)
    assert app.execute("select count(*), min(tenant_id), max(tenant_id) from app_user.employee").fetchone() == (3, tenant, tenant)


def test_an_unknown_tenant_has_no_rows(app):
    become(app, "T9999")
    assert names(app) == []


def test_a_reset_context_is_null(app):
    become(app, "T0001")
    app.execute("reset app_context.tenant_id")
    assert names(app) == []


def test_switching_tenants_in_one_session(app):
    for tenant in ["T0001", "T0002", "T0001", "T0003"]:
        become(app, tenant)
        assert names(app) == sorted(name for t, _, name in ROWS if t == tenant)


def test_the_owner_may_not_change_security(app):
    for statement in ["alter table app_user.employee row level security off",
                      "detach rls policy tenant_policy on app_user.employee from public",
                      "drop rls policy tenant_policy cascade",
                      "alter rls policy tenant_policy using (true)",
                      "create rls policy mine using (true)"]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)
    assert names(app) == []


def test_administrators_see_everything(world):
    with world.connect() as c:
        assert len(names(c)) == len(ROWS)


def test_writes_touch_visible_rows_alone(world, app):
    become(app, "T0002")
    app.execute("begin")
    assert app.execute("update app_user.employee set ssn = 'changed'").rowcount == 3
    assert app.execute("update app_user.employee set ssn = e.id from app_user.employee e where e.id = employee.id").rowcount == 3
    assert app.execute("delete from app_user.employee where name <> 'Peter'").rowcount == 2
    assert names(app) == ["Peter"]
    app.execute("rollback")
    app.execute("begin")
    assert app.execute("delete from app_user.employee").rowcount == 3
    app.execute("rollback")
    assert names(app) == ["Peter", "Quan", "Rose"]


def test_merge_sees_visible_rows_alone(world, app):
    become(app, "T0001")
    app.execute("begin")
    app.execute("create temp table news (id varchar(50), name varchar(50))")
    app.execute("insert into news values ('E4646', 'Andrew'), ('E4733', 'Pete'), ('E1', 'New')")
    app.execute("merge into app_user.employee using news n on employee.id = n.id "
                "when matched then update set name = n.name when not matched then insert values ('T0001', n.id, n.name, 'x')")
    assert names(app) == ["Andrew", "Bob", "Christina", "New", "Pete"]
    become(app, "T0002")
    assert names(app) == ["Peter", "Quan", "Rose"]
    app.execute("rollback")


def test_copies_and_views_are_filtered(world, app):
    become(app, "T0003")
    app.execute("create temp table mine as select * from app_user.employee")
    assert app.execute("select count(*) from mine").fetchone() == (3,)
    app.execute("create view app_user.v as select name, tenant_id from app_user.employee")
    assert app.execute("select count(*) from app_user.v").fetchone() == (3,)
    become(app, "T0001")
    assert app.execute("select count(*) from app_user.v where tenant_id = 'T0003'").fetchone() == (0,)
    app.execute("drop view app_user.v")


def test_lookup_tables(world, app):
    with world.connect() as c:
        c.execute("create table app_admin.entitled (usr varchar(50), tenant varchar(50))")
        c.execute("insert into app_admin.entitled values ('app_user', 'T0001'), ('app_user', 'T0003'), ('other', 'T0002')")
        c.execute("create table app_user.pay (tenant varchar(50), amount int)")
        c.execute("alter table app_user.pay owner to app_user")
        c.execute("insert into app_user.pay values ('T0001', 1), ('T0002', 2), ('T0003', 4)")
        c.execute("create rls policy entitled with (tenant varchar(50)) as p "
                  "using (p.tenant in (select e.tenant from app_admin.entitled e where e.usr = current_user))")
        c.execute("attach rls policy entitled on app_user.pay to app_user")
        c.execute("alter table app_user.pay row level security on")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("select * from app_user.pay")
    with world.connect() as c:
        c.execute("grant select on table app_admin.entitled to rls policy entitled")
    assert app.execute("select sum(amount) from app_user.pay").fetchone() == (5,)
    app.execute("begin")
    assert app.execute("update app_user.pay set amount = amount + 10 where amount > 0").rowcount == 2
    assert app.execute("delete from app_user.pay").rowcount == 2
    app.execute("rollback")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("select * from app_admin.entitled")
    with world.connect() as c:
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            c.execute("drop table app_admin.entitled cascade")
        assert c.execute("select sum(amount) from app_user.pay").fetchone() == (7,)


def test_what_was_prepared_before_a_policy_obeys_it(world):
    """Statements that were parsed, described and run while the table was open are judged again at each execution."""
    query = "select tenant_id, amount + %s from late where amount > %s order by 1"
    with world.connect() as admin, world.connect(user="app_user", password=PASSWORD) as c:
        admin.execute("create table late (tenant_id varchar(50), amount numeric(12,2))")
        admin.execute("insert into late values ('T0001', 1.25), ('T0002', 9.75)")
        admin.execute("grant select on late to app_user")
        c.prepare_threshold = 0
        c.execute("prepare counted(numeric) as select count(*) from late where amount > $1")
        seen = lambda: (c.execute(query, [Decimal("0.5"), 0]).fetchall(), c.execute("execute counted(0.5)").fetchone()[0])  # noqa: E731
        assert seen() == ([("T0001", Decimal("1.75")), ("T0002", Decimal("10.25"))], 2)
        admin.execute("attach rls policy tenant_policy on late to public")
        admin.execute("alter table late row level security on")
        assert seen() == ([], 0)
        become(c, "T0002")
        assert seen() == ([("T0002", Decimal("10.25"))], 1)
        admin.execute("detach rls policy tenant_policy on late from public")
        assert seen() == ([], 0)
