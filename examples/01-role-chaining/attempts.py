#!/usr/bin/env python3
"""Makes the attempts of a file, one after the other, and prints what was expected of each and what came: attempts.py FILE.

An attempt is a statement (psql, of user `as`) or a command of the administrator (aws); `before` and `after` are the administrator's steps around
it. `expected`: sqlstate and a part of the text; code (of the AWS CLI); rows, when it must succeed. `eventually`: AWS's IAM takes
a while to tell everybody, so the attempt is repeated until it ends as expected, or two minutes long.
The environment: PG* of the administrator, TENANT_PASSWORD of all others, and what psql and the AWS CLI need besides. VALUES is
a JSON object with what ${..} stands for.
"""
import json
import os
import pathlib
import re
import string
import subprocess
import sys
import time

EVENTUALLY_SECONDS = 120


def psql(sql, user):
    """("", rows) or (sqlstate, text)."""
    env = dict(os.environ)
    if user != "admin":
        env.update(PGUSER=user, PGPASSWORD=os.environ["TENANT_PASSWORD"])
    done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-f", "-"], env=env, text=True,
                          input=sql + ";\n", capture_output=True)
    if done.returncode == 0:
        return "", done.stdout.strip()
    found = re.search(r"(?:ERROR|FATAL):\s+([0-9A-Z]{5}): (.*)", done.stderr)
    return (found.group(1), found.group(2)) if found else ("?", done.stderr.strip())


def aws(arguments, given=None):
    """("", output) or (code, text); `given`: its standard input."""
    done = subprocess.run(["aws", *arguments], text=True, capture_output=True, input=given)
    return failure(done.stderr) if done.returncode else ("", done.stdout.strip())


def failure(stderr):
    found = re.search(r"An error occurred \(([^)]+)\) when calling the \S+ operation(?: \([^)]*\))?: (.*)", stderr)
    return (found.group(1), found.group(2)) if found else ("?", stderr.strip())


def fill(value, values):
    if isinstance(value, list):
        return [fill(v, values) for v in value]
    if value.startswith("file:"):
        value = (pathlib.Path(__file__).parent / value[5:]).read_text()
    return string.Template(value).substitute(values)


def step(what, values):
    """An administrator's step; it must succeed."""
    code, text = psql(fill(what["sql"], values), "admin") if "sql" in what else aws(fill(what["aws"], values), fill(what.get("input", ""), values))
    if code:
        raise SystemExit(f"a step failed: {what}: {code} {text}")


def once(a, values):
    return psql(fill(a["sql"], values), a["as"]) if "sql" in a else aws(fill(a["aws"], values))


def as_expected(expected, code, text, values):
    if "rows" in expected:
        return code == "" and text == fill(expected["rows"], values)
    return code == expected.get("sqlstate", expected.get("code")) and fill(expected.get("text", ""), values) in text


def make(a, values):
    """(whether it ended as expected, code, text)"""
    for s in a.get("before", []):
        step(s, values)
    deadline = time.monotonic() + (EVENTUALLY_SECONDS if a.get("eventually") else 0)
    while True:
        code, text = once(a, values)
        good = as_expected(a["expected"], code, text, values)
        if good or time.monotonic() >= deadline:
            break
        time.sleep(2)
    for s in a.get("after", []):
        step(s, values)
    return good, code, text


def wanted(expected):
    if "rows" in expected:
        return "it succeeds" + (f": {expected['rows']}" if expected["rows"] else "")
    return f"{expected.get('sqlstate', expected.get('code'))} {expected.get('text', '')}".strip()


def short(text, values):
    """Without S3's request ids, and with ARNs and names as attempts write them: so that it can be read."""
    text = re.sub(r",Rid .*", "", text)
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        if len(value) > 12:
            text = text.replace(value, "${" + name + "}")
    return text


def main(file):
    values = json.loads(os.environ["VALUES"])
    attempts = [a for a in json.loads(pathlib.Path(file).read_text())["attempts"] if a.get("needs", "account") in values]
    print(f"{'attempt':55} | {'expected':97} | got")
    failed = 0
    for a in attempts:
        good, code, text = make(a, values)
        failed += not good
        got = short((f"{code} {text}" if code else "it succeeds" + (f": {text}" if text else "")).splitlines()[0], values)
        if not good or len(got) <= 110:
            print(f"{a['attempt']:55} | {wanted(a['expected']):97} | {got}{'' if good else '   <-- NOT AS EXPECTED'}", flush=True)
        else:
            print(f"{a['attempt']:55} | {wanted(a['expected']):97} | {got:.55} .. {got[-51:]}", flush=True)
    print(f"{len(attempts) - failed} of {len(attempts)} as expected")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
