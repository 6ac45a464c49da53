#!/usr/bin/env python3
"""Onboards N tenants the way run.sh onboards two: a stack and the SQL for each. Prints the time of each hundred: it stays the same.

    ./onboard.py 1000        # tenants t0001 .. t1000; the onboarding stack must be deployed and attached (run.sh, steps 1 and 2)

Uses boto3 and psycopg, and the same environment as run.sh."""
import os
import pathlib
import sys
import time

import boto3
import psycopg

HERE = pathlib.Path(__file__).resolve().parent


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    prefix = sys.argv[2] if len(sys.argv) > 2 else "t"
    account = boto3.client("sts").get_caller_identity()["Account"]
    cloudformation = boto3.client("cloudformation")
    template = (HERE / "tenant.yaml").read_text()
    onboarding = f"arn:aws:iam::{account}:role/redshift-s3-onboarding-role"
    database = psycopg.connect(dbname=os.environ.get("PGDATABASE", "dev"), autocommit=True)
    began = hundred = time.monotonic()
    for n in range(1, count + 1):
        name = f"{prefix}{n:04}"
        cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"],
                                    Parameters=[{"ParameterKey": "TenantName", "ParameterValue": name}])
        chain = f"{onboarding},arn:aws:iam::{account}:role/{name}-tenant-redshift-s3-access-role"
        database.execute(f"create schema {name}; create group {name}_grp; "
                         f"create user {name}_usr with password disable in group {name}_grp; "
                         f"grant all on schema {name} to group {name}_grp; "
                         f"grant assumerole on '{chain}' to group {name}_grp for copy, unload")
        if n % 100 == 0:
            now = time.monotonic()
            print(f"{n} tenants: {now - hundred:.1f} s for the last hundred", flush=True)
            hundred = now
    waiting = cloudformation.get_waiter("stack_create_complete")
    waiting.wait(StackName=f"{prefix}{count:04}")
    print(f"{count} tenants in {time.monotonic() - began:.1f} s")


main()
