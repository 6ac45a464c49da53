"""scripts/test counts honestly: silence is failure."""
import json

from support import run


def report(tmp_path, cases):
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"testsuites": [{"name": "S", "testsuite": cases}]}))
    return file


OK = {"name": "ok", "result": "COMPLETED"}
BAD = {"name": "bad", "result": "COMPLETED", "failures": [{"failure": "x"}]}
SKIPPED = {"name": "skipped", "result": "SKIPPED"}


def test_each_result_is_counted_once(tmp_path):
    assert run.count_gtest(report(tmp_path, [OK, OK, BAD, SKIPPED]), 1) == (2, 1, 1, ["S.bad"])
    assert run.count_gtest(report(tmp_path, [OK]), 0) == (1, 0, 0, [])


def test_a_crash_is_a_failure(tmp_path):
    assert run.count_gtest(tmp_path / "none.json", -11)[:3] == (0, 1, 0)
    (tmp_path / "half.json").write_text('{"testsuites": [')
    assert run.count_gtest(tmp_path / "half.json", -6)[:3] == (0, 1, 0)
    assert run.count_gtest(report(tmp_path, [OK]), -11)[:2] == (1, 1)  # after its report, in a destructor


def test_no_test_is_a_failure(tmp_path):
    assert run.count_gtest(report(tmp_path, []), 0)[:3] == (0, 1, 0)


def test_a_command_that_hangs_is_killed():
    status, _ = run.call(["sleep", "60"], 0.1)
    assert status is None


def test_the_last_line_has_its_shape():
    total = run.Total()
    total.add(3, 0)
    assert total.line() == "3 passed, 0 failed"
    total.fail("x")
    total.add(0, 0, 2)
    assert total.line() == "3 passed, 1 failed, 2 skipped"


def test_an_unknown_suite_is_refused(capsys):
    assert run.main(["nonsense"]) == 2
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"
