"""Builds and runs the suites and adds them up. Called by scripts/test.

A suite counts honestly: what doesn't build, crashes, hangs or runs no test at all is a failure, never a silence.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE, FUZZ = ROOT / "build/release", ROOT / "build/fuzz"
PYTEST_SUITES = ["tidy", "scenarios", "compat", "crash"]
SUITES = ["unit", "fuzz"] + PYTEST_SUITES
UNIT_SECONDS, PYTEST_SECONDS = 600, 1800
# A run of the suite repeats itself: the seeds, and a bounded walk from them. To hunt: REDOUBT_FUZZ_SECONDS=600 REDOUBT_FUZZ_SEED=0 (0: chance).
FUZZ_SECONDS, FUZZ_SEED = int(os.environ.get("REDOUBT_FUZZ_SECONDS", "5")), int(os.environ.get("REDOUBT_FUZZ_SEED", "1"))
CORES = os.cpu_count() or 2


class Total:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def fail(self, what):
        self.failed += 1
        self.failures.append(what)

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def say(text):
    print(text, flush=True)


def call(command, seconds, cwd=ROOT, **more):
    """(exit status, output); a command that hangs is killed: status None."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, cwd=cwd, text=True,
                              errors="replace", **more)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as e:
        output = e.stdout or b""
        return None, output.decode(errors="replace") if isinstance(output, bytes) else output


def build(preset, targets):
    began = time.monotonic()
    if not (ROOT / f"build/{preset}/build.ninja").exists():
        status, output = call(["cmake", "--preset", preset], 600)
        if status != 0:
            return output
    # -k 0: what builds is tested, even when something else doesn't build.
    # As scripts/build does: one build at a time in a directory.
    status, output = call(["flock", f"build/.{preset}.lock", "ninja", "-C", f"build/{preset}", "--quiet", "-k", "0", *targets], 3600)
    say(f"built {preset} in {time.monotonic() - began:.0f} s" + ("" if status == 0 else " WITH ERRORS"))
    return "" if status == 0 else output


def rooms_with(suffix):
    """room -> its files that end in suffix, for rooms that layers.txt knows."""
    rooms = [line.split(":")[0] for line in (ROOT / "layers.txt").read_text().splitlines() if line and line[0] != "#"]
    found = {}
    for room in rooms:
        files = sorted((ROOT / "src" / room).rglob("*" + suffix))
        if files:
            found[room.replace("/", "_")] = files
    return found


def count_gtest(report, status):
    """(passed, failed, skipped, names of failures) of one gtest run."""
    try:
        suites = json.loads(pathlib.Path(report).read_text())["testsuites"]
    except (OSError, ValueError, KeyError):
        return 0, 1, 0, ["crashed or hung before its report (status %s)" % status]
    passed = failed = skipped = 0
    names = []
    for suite in suites:
        for case in suite["testsuite"]:
            if case.get("failures"):
                failed += 1
                names.append(f"{suite['name']}.{case['name']}")
            elif case.get("result") == "SKIPPED":
                skipped += 1
            elif case.get("result") == "COMPLETED":
                passed += 1
    if failed == 0 and status != 0:
        failed, names = 1, ["status %s though no test failed" % status]
    if passed + failed + skipped == 0:
        failed, names = 1, ["ran no test"]
    return passed, failed, skipped, names


def run_unit(total):
    targets = sorted(f"{room}_test" for room in rooms_with("_test.cpp"))
    errors = build("release", ["redoubt", *targets])
    if errors:
        say(errors[-6000:])
    if not (RELEASE / "redoubt").exists():
        total.fail("build/release/redoubt doesn't build")

    def one(target):
        binary = RELEASE / "tests" / target
        if errors and call(["ninja", "-C", "build/release", "-n", target], 60)[1].find("no work to do") < 0:
            return target, (0, 1, 0, ["doesn't build"]), "", 0
        report = RELEASE / "tests" / f"{target}.json"
        report.unlink(missing_ok=True)
        began = time.monotonic()
        # In the build's folder, where __FILE__ leads from, if ccache made it relative.
        status, output = call([str(binary), f"--gtest_output=json:{report}"], UNIT_SECONDS, cwd=RELEASE)
        return target, count_gtest(report, status), output, time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for target, (passed, failed, skipped, names), output, seconds in pool.map(one, targets):
            total.add(passed, failed, skipped)
            say(f"unit {target}: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "") + f" ({seconds:.0f} s)")
            if failed:
                say(output[-4000:])
                total.failures += [f"{target}: {name}" for name in names]


def run_fuzz(total):
    targets = sorted(f"fuzz_{room}_{file.name[:-len('_fuzz.cpp')]}" for room, files in rooms_with("_fuzz.cpp").items() for file in files)
    errors = build("fuzz", ["fuzzers"])
    if errors:
        say(errors[-6000:])

    def one(target):
        binary = FUZZ / "fuzz" / target
        corpus = FUZZ / "corpus" / target
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = ROOT / "tests/fuzz/seeds" / target
        command = [str(binary), f"-max_total_time={FUZZ_SECONDS}", f"-seed={FUZZ_SEED}", f"-runs={FUZZ_SECONDS * 4000 if FUZZ_SEED else -1}", "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={FUZZ}/",
                   "-print_final_stats=1", str(corpus)] + ([str(seeds)] if seeds.is_dir() else [])
        words = ROOT / "tests/fuzz/words" / target
        if words.exists():
            command.append(f"-dict={words}")
        if not binary.exists():
            return target, "doesn't build", ""
        status, output = call(command, FUZZ_SECONDS + 120)
        return target, "" if status == 0 and "DONE" in output else f"status {status}", output

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for target, trouble, output in pool.map(one, targets):
            say(f"fuzz {target}: {trouble or 'quiet'}")
            if trouble:
                say(output[-3000:])
                total.fail(f"{target}: {trouble}")
            else:
                total.add(1, 0)


def run_pytest(total, suite):
    folder = ROOT / "tests" / suite
    if not any(folder.rglob("test_*.py")):
        return
    report = ROOT / "build" / f"{suite}.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    status, output = call([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(CORES), "--dist", "loadscope",
                           "--tb=short", f"--junitxml={report}", str(folder)], PYTEST_SECONDS,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "tests")})
    try:
        root = xml.etree.ElementTree.parse(report).getroot()
        cases = list(root.iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        cases = None
    if not cases:
        total.fail(f"{suite}: " + ("ran no test" if cases is not None else f"ended without a report (status {status})"))
        say(output[-4000:])
        return
    bad = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    skipped = [c for c in cases if c.find("skipped") is not None]
    failed = len(bad) or (1 if status != 0 else 0)
    total.add(len(cases) - len(bad) - len(skipped), failed, len(skipped))
    total.failures += [f"{suite}: {c.get('classname')}.{c.get('name')}" for c in bad] or ([f"{suite}: status {status}"] if failed else [])
    say(f"{suite}: {len(cases) - len(bad) - len(skipped)} passed, {failed} failed, {len(skipped)} skipped ({time.monotonic() - began:.0f} s)")
    if failed:
        say(output[-8000:])


def main(names):
    unknown = [n for n in names if n not in SUITES]
    if unknown:
        say(f"there is no suite {unknown[0]}; there are: {' '.join(SUITES)}")
        say("0 passed, 1 failed")
        return 2
    (ROOT / "build").mkdir(exist_ok=True)
    total = Total()
    names = names or SUITES
    if "unit" not in names and any(n in names for n in PYTEST_SUITES if n != "tidy"):
        errors = build("release", ["redoubt"])
        if errors:
            say(errors[-6000:])
            total.fail("build/release/redoubt doesn't build")
    for name in names:
        if name == "unit":
            run_unit(total)
        elif name == "fuzz":
            run_fuzz(total)
        else:
            run_pytest(total, name)
    if total.failures:
        say("failures:")
        for what in total.failures:
            say("  " + what)
    say(total.line())
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
