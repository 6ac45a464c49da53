"""examples/01-role-chaining as a stranger runs it, and onboarding in numbers."""
import pathlib
import re

from support.server import ROOT, Refused

EXAMPLE = ROOT / "examples/01-role-chaining"


def test_the_walkthrough(server):
    """run.sh tries every refusal itself; it must end well, with every attempt as expected, and leave nothing behind."""
    try:
        out = server.run(["bash", str(EXAMPLE / "run.sh")], timeout=900)
    except Refused as e:
        raise AssertionError(e.output) from None
    assert out.count("as expected") >= 17 and "NOT AS EXPECTED" not in out, out
    assert "team1: 10 rows loaded, 10 lines in the first unloaded file" in out
    assert "DescribeClusters is unchanged" in out and "everything is gone" in out
    assert server.boto("s3").list_buckets()["Buckets"] == []
    roles = [r["RoleName"] for r in server.boto("iam").list_roles()["Roles"]]
    assert [r for r in roles if "tenant" in r or "onboarding" in r] == []


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_onboarding_is_linear_and_cheap(server):
    """A hundred tenants here, a thousand in bench/: the server's CPU time for each, and that the second half costs what the first did."""
    server.aws("cloudformation", "deploy", "--stack-name", "onboarding", "--template-file", str(EXAMPLE / "redshift-onboarding.yaml"),
               "--capabilities", "CAPABILITY_NAMED_IAM")
    used = []
    for prefix in ("a", "b"):
        before = cpu_seconds(server.pid)
        out = server.run(["python", str(EXAMPLE / "onboard.py"), "50", prefix], timeout=600)
        used.append(cpu_seconds(server.pid) - before)
        assert re.search(r"50 tenants in [0-9.]+ s", out), out
    print(f"server CPU seconds for 50 tenants: {used}")
    assert used[1] < 2 * used[0] + 1
    assert sum(used) < 6 + 1  # 60 s for a thousand
    names = {s["StackName"] for page in server.boto("cloudformation").get_paginator("list_stacks").paginate() for s in page["StackSummaries"]
             if s["StackStatus"] == "CREATE_COMPLETE"}
    assert len(names & {f"{p}{n:04}" for p in "ab" for n in range(1, 51)}) == 100
