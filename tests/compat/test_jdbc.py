"""Amazon's and PostgreSQL's JDBC drivers against a cluster: jdbc/Smoke.java does the work, one line a check.

The drivers come from Maven by scripts/deps; a driver, or a JDK, that isn't there is a skip that says so.
"""
import shutil

import pytest
from support.server import ROOT, VENV

JARS = VENV.parent.parent / "jdbc"
CHECKS = {
    "connection", "getSchemas", "getCatalogs", "getTables", "getColumns", "getPrimaryKeys", "getImportedKeys", "getExportedKeys",
    "getCrossReference", "getTypeInfo", "getTablePrivileges", "other metadata", "a parameter of each type", "a result of each type",
    "NULL of each type", "ResultSetMetaData", "ParameterMetaData", "decimals keep their digits", "batch", "a batch that fails names its element",
    "two statements in one text", "maxRows and fetchSize", "transactions", "savepoints are refused by name", "read only",
    "errors carry SQLSTATE and text", "a query timeout cancels", "cancel from another thread", "a result set closed early", "setSchema",
    "sign-on errors", "drop",
}


@pytest.mark.parametrize("driver, scheme", [("redshift-jdbc42", "redshift"), ("postgresql", "postgresql")])
def test_jdbc(server, driver, scheme):
    jars = sorted(JARS.glob(f"{driver}-*.jar"))
    if not jars:
        pytest.skip(f"scripts/deps could not fetch {driver} from Maven")
    if not shutil.which("java"):
        pytest.skip("there is no Java to run the JDBC drivers with")
    out = server.run(["java", "-cp", jars[-1], ROOT / "tests/compat/jdbc/Smoke.java", f"jdbc:{scheme}://{server.env['PGHOST']}:{server.env['PGPORT']}/dev",
                      server.env["PGUSER"], server.env["PGPASSWORD"]])
    lines = out.splitlines()
    assert [line for line in lines if line.startswith("FAILED")] == []
    assert {line.removeprefix("ok ") for line in lines if line.startswith("ok ")} == CHECKS
