"""Has botocore parse our answers: check_responses.py API_TEST_PROGRAM

Runs the program's Dump test, which encodes random outputs and errors of every operation, and compares what botocore's parsers make of
them with what was encoded. Exit status 1 and the differences if there are any.
"""

import base64
import datetime
import html
import json
import os
import subprocess
import sys
import tempfile

import botocore.parsers
import botocore.session


def plain(value):
    """botocore's result in the terms of the dump: times as text, bytes as base64."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (value.microsecond // 1000)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def main(program):
    session = botocore.session.get_session()
    with tempfile.NamedTemporaryFile() as dump:
        subprocess.run([program, "--gtest_filter=Dump.*", "--gtest_brief=1"], check=True, env=dict(os.environ, REDOUBT_API_DUMP=dump.name))
        lines = [json.loads(line) for line in open(dump.name)]
    wrong = 0
    for r in lines:
        model = session.get_service_model(r["service"].replace("_", "-"))
        op = model.operation_model(r["operation"])
        body = base64.b64decode(r["body"])
        parser = botocore.parsers.create_parser(model.protocol)
        headers = botocore.awsrequest.HeadersDict(r["headers"])
        headers.pop("Expires", None)  # a date to botocore's model, text to us
        got = parser.parse({"status_code": r["status"], "headers": headers, "body": body}, op.output_shape)
        if r["expected"] is None:
            error = got.get("Error", {})
            good = error.get("Code") in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation") and error.get("Message") == "No <&> entry"
            good = good and got["ResponseMetadata"].get("RequestId") == "req-1"
            want, seen = "AccessDenied", got
        else:
            want, seen = dict(r["expected"]), plain(got)
            for apart in ("Body", "ContentLength"):  # streamed, and the listener's
                want.pop(apart, None), seen.pop(apart, None)
            if r["operation"] == "GetBucketLocation":  # botocore reads this one in a handler of its own
                text = body.decode().removesuffix("</LocationConstraint>").rpartition(">")[2]
                seen = {"LocationConstraint": html.unescape(text)} if text else {}
            want.pop("Expires", None)
            # An empty body is an empty payload to botocore.
            seen = {k: v for k, v in seen.items() if k in want or v not in ({}, "")}
            good = want == seen
        if not good:
            wrong += 1
            if wrong <= 10:
                print(r["service"], r["operation"], "\n want", want, "\n seen", seen, "\n body", body.decode(errors="replace")[:600])
    print(f"{len(lines)} answers, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
