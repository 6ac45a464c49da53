"""The same tables and queries in Redoubt and in PostgreSQL: where Redshift's SQL is PostgreSQL's, answers must agree."""
import decimal
import pathlib
import random

import pytest
from support.postgres import Postgres, installed

HERE = pathlib.Path(__file__).parent / "sql"
COLORS = "almond antique forest green ivory khaki lemon maroon navy olive".split()
NATIONS = ["ALGERIA", "ARGENTINA", "BRAZIL", "CANADA", "EGYPT", "ETHIOPIA", "FRANCE", "GERMANY", "INDIA", "INDONESIA", "IRAN", "IRAQ", "JAPAN", "JORDAN", "KENYA", "MOROCCO", "MOZAMBIQUE",
           "PERU", "CHINA", "ROMANIA", "SAUDI ARABIA", "VIETNAM", "RUSSIA", "UNITED KINGDOM", "UNITED STATES"]
REGION_OF = [0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1]


@pytest.fixture(scope="module")
def postgres():
    if not installed():
        pytest.skip("PostgreSQL 15 is not installed (Debian's postgresql-15), so there is nothing to compare with")
    peer = Postgres()
    yield peer
    peer.stop()


def statements(name):
    text = "".join(line for line in (HERE / name).read_text().splitlines(True) if not line.startswith("--"))
    return [s.strip() for s in text.split(";") if s.strip()]


def tpch_rows():
    """table -> rows, small, with values that the queries look for."""
    chance = random.Random(13)
    money = lambda top: decimal.Decimal(chance.randrange(100, top * 100)) / 100  # noqa: E731
    day = lambda: f"{chance.randrange(1992, 1999)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"  # noqa: E731
    suppliers, customers, parts, orders = 50, 150, 250, 1500
    rows = {"region": [(i, n, None) for i, n in enumerate(["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"])],
            "nation": [(i, n, REGION_OF[i], "") for i, n in enumerate(NATIONS)]}
    rows["supplier"] = [(i, f"Supplier#{i:09}", f"street {i}", i % 25, f"{10 + i % 25}-555-{i:04}", money(9000) - 900, chance.choice(["fine", "Customer slow Complaints", "x"])) for i in range(suppliers)]
    rows["customer"] = [(i, f"Customer#{i:09}", f"road {i}", i % 25, f"{10 + i % 25}-777-{i:04}", money(9000) - 900, chance.choice(["BUILDING", "MACHINERY", "AUTOMOBILE"]), "c") for i in range(customers)]
    rows["part"] = [(i, " ".join(chance.sample(COLORS, 3)), f"Manufacturer#{i % 5}", chance.choice(["Brand#12", "Brand#23", "Brand#34", "Brand#45"]),
                     chance.choice(["ECONOMY ANODIZED STEEL", "PROMO BURNISHED TIN", "MEDIUM POLISHED COPPER", "LARGE PLATED BRASS"]), chance.choice([1, 3, 9, 14, 15, 23, 36, 45, 49]),
                     chance.choice(["MED BOX", "SM CASE", "LG PKG"]), money(2000), "p") for i in range(parts)]
    rows["partsupp"] = [(p, s, chance.randrange(1, 10000), money(1000), "ps") for p in range(parts) for s in chance.sample(range(suppliers), 4)]
    rows["orders"] = [(i, chance.randrange(customers * 2 // 3), chance.choice("FOP"), money(300000), day(), chance.choice(["1-URGENT", "2-HIGH", "3-MEDIUM", "5-LOW"]), f"Clerk#{i % 9}", 0,
                       chance.choice(["plain", "special handling requests", "x"])) for i in range(orders)]
    offers = {}
    for p, s, *_ in rows["partsupp"]:
        offers.setdefault(p, []).append(s)
    rows["lineitem"] = []
    for o in range(orders):
        for n in range(chance.randrange(1, 8)):
            p = chance.randrange(parts)
            rows["lineitem"].append((o, p, chance.choice(offers[p]), n, chance.randrange(1, 51), money(90000), decimal.Decimal(chance.randrange(11)) / 100, decimal.Decimal(chance.randrange(9)) / 100,
                                     chance.choice("RAN"), chance.choice("OF"), day(), day(), day(), chance.choice(["DELIVER IN PERSON", "COLLECT COD"]), chance.choice(["AIR", "MAIL", "SHIP", "AIR REG"]), "l"))
    return rows


def comparable(value):
    if isinstance(value, (decimal.Decimal, float)):
        return float(value)
    return value.rstrip(" ") if isinstance(value, str) else value


def agree(ours, theirs):
    if isinstance(ours, float) or isinstance(theirs, float):
        # Redshift's averages and quotients of decimals have fewer digits.
        return ours is not None and theirs is not None and abs(ours - theirs) <= 0.01 + 1e-6 * abs(theirs)
    return ours == theirs


def compare(query, mine, peer):
    ours = [tuple(map(comparable, r)) for r in mine.execute(query).fetchall()]
    theirs = [tuple(map(comparable, r)) for r in peer.execute(query).fetchall()]
    assert len(ours) == len(theirs), (query, len(ours), len(theirs))
    for a, b in zip(ours, theirs):
        assert len(a) == len(b) and all(map(agree, a, b)), (query, a, b)
    return theirs


def test_tpch(server, postgres):
    rows = tpch_rows()
    with server.connect() as mine, postgres.connect() as peer:
        for c in (mine, peer):
            for s in statements("tpch_tables.sql"):
                c.execute(s)
            for table, values in rows.items():
                for first in range(0, len(values), 500):
                    block = values[first:first + 500]
                    marks = ", ".join("(" + ", ".join(["%s"] * len(block[0])) + ")" for _ in block)
                    c.execute(f"insert into {table} values {marks}", [x for row in block for x in row])
        queries = statements("tpch.sql")
        assert len(queries) == 22
        empty = [n for n, q in enumerate(queries, 1) if not compare(q, mine, peer)]
        assert not empty, f"these queries found no row, so they show nothing: {empty}"


@pytest.mark.parametrize("query", statements("expressions.sql"))
def test_expressions(server, postgres, query):
    with server.connect() as mine, postgres.connect() as peer:
        compare(query, mine, peer)


def test_numeric_parameters_keep_their_digits(server, postgres):
    """Drivers declare NUMERIC without precision and scale; what they bind must not be cut to whole numbers."""
    d = decimal.Decimal
    with server.connect() as mine, postgres.connect() as peer:
        for c in (mine, peer):
            c.execute("create temp table n (a integer, x decimal(15, 2))")
            c.execute("insert into n values (%s, %s)", [1, d("1.25")])
            c.execute("insert into n values (%s, %s), (%s, %s)", [2, d("2.25"), 3, d("-3.5")])
            c.execute("insert into n select %s, %s", [4, d("4.25")])
            c.execute("update n set x = x + %s where a = %s", [d("0.5"), 1])
        for query, values in [("select a, x from n order by 1", []), ("select a from n where x = %s", [d("2.250")]), ("select a from n where x > %s order by 1", [d("2.249")]),
                              ("select %s + 1, %s * 2.5, -%s", [d("0.001"), d("1.5"), d("12345678901234567890.123")])]:
            ours, theirs = mine.execute(query, values).fetchall(), peer.execute(query, values).fetchall()
            assert ours == theirs, (query, ours, theirs)
        for binary in (False, True):
            with mine.cursor(binary=binary) as ours:
                assert ours.execute("select %b, %s", [d("1.25"), d("-0.0001")]).fetchone() == (d("1.25"), d("-0.0001"))
