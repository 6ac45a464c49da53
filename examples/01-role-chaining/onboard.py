#!/usr/bin/env python3
"""Onboards many tenants, stack and SQL each, and prints how long it takes: onboard.py [COUNT] [PREFIX], default 1000 t.

The onboarding stack must be there and its role attached (run.sh, steps 1 and 2). It needs what run.sh needs. On AWS mind the
quotas: IAM roles (1,000 an account), stacks (2,000), buckets.
"""
import os
import pathlib
import secrets
import subprocess
import sys
import time

import boto3

HERE = pathlib.Path(__file__).parent
BATCH = 100  # tenants between two lines of output


def sql_of(tenant, password, chain):
    """tenant.sql for one tenant, with psql's variables set."""
    values = {"tenant": tenant, "group": f"{tenant}_grp", "user": f"{tenant}_usr", "password": password, "chain": chain}
    return "".join(f"\\set {name} '{value}'\n" for name, value in values.items()) + f"\\i {HERE / 'tenant.sql'}\n"


def main(count, prefix):
    account = boto3.client("sts").get_caller_identity()["Account"]
    cloudformation = boto3.client("cloudformation")
    template = (HERE / "tenant.cf.yaml").read_text()
    onboarding = f"arn:aws:iam::{account}:role/redshift-s3-onboarding-role"
    start = last = time.monotonic()
    for first in range(0, count, BATCH):
        tenants = [f"{prefix}{n}" for n in range(first + 1, min(count, first + BATCH) + 1)]
        stacks = [cloudformation.create_stack(StackName=f"redshift-tenant-{t}", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"],
                                              Parameters=[{"ParameterKey": "TenantName", "ParameterValue": t}])["StackId"] for t in tenants]
        for stack in stacks:
            cloudformation.get_waiter("stack_create_complete").wait(StackName=stack)
        statements = "".join(sql_of(t, "Aa1" + secrets.token_hex(12), f"{onboarding},arn:aws:iam::{account}:role/{t}-tenant-redshift-s3-access-role")
                             for t in tenants)
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], input=statements, text=True, check=True)
        now = time.monotonic()
        print(f"{first + len(tenants):6} tenants  {now - start:7.1f} s  {(now - last) / len(tenants) * 1000:6.1f} ms each", flush=True)
        last = now


if __name__ == "__main__":
    if "AWS_REGION" in os.environ:
        os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2] if len(sys.argv) > 2 else "t")
