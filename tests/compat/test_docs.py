"""docs/SQL.md and docs/APIS.md say what the binary says."""
import subprocess

import pytest

from support.server import BINARY, ROOT


@pytest.mark.parametrize("what, file", [("sql", "SQL.md"), ("apis", "APIS.md")])
def test_the_reference_is_current(what, file):
    made = subprocess.run([BINARY, "docs", what], capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / file).read_text() == made, f"run: build/release/redoubt docs {what} > docs/{file}"
