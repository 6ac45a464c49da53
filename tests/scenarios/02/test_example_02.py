"""examples/02-row-level-security as a stranger runs it, with fewer rows."""
import re

from support.server import ROOT

EXAMPLE = ROOT / "examples/02-row-level-security"


def test_it_runs(server):
    out = server.run([EXAMPLE / "run.sh"], ROWS="20000", TENANTS="200", timeout=600)
    assert out.rstrip().endswith("done")
    # Attempts: what was expected is what came; run.sh itself stops at the first that isn't.
    assert len(re.findall(r"^(?:\S.{64}|no tenant was set.*) ", out, re.M)) >= 15
    plans = out[out.index("== 3."):out.index("== 4.")]
    before, nothing_set, t0001 = re.split("With it, nothing set:|T0001:", plans)
    assert "XN RLS SecureScan employee" in before and "tenant_id" not in before and "Seq Scan" not in before
    assert "Filter: ((tenant_id)::text = NULL::text)" in nothing_set
    assert "Filter: ((tenant_id)::text = 'T0001'::text)" in t0001
    assert "Filter: ((id)::text > 'E4'::text)" in before
    for what in ("row-level security", "hand-written WHERE"):
        assert re.search(rf"^{what} +median +[0-9.]+ ms", out, re.M)
    # Nothing is left.
    assert server.psql("select count(*) from pg_user where usename like 'app%'") == "0"
    assert server.psql("select count(*) from svv_rls_policy") == "0"
