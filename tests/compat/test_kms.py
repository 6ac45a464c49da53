"""KMS by boto3: keys, aliases, policies, grants, cryptography, and the attacks on them."""
import json

import pytest
from support.aws import ADMIN, name, new_role, new_user, policy, refused


@pytest.fixture(scope="module")
def kms(server):
    return server.boto("kms")


@pytest.fixture(scope="module")
def mallory(server):
    return server.new_account("mallory")


@pytest.fixture
def key(kms):
    return kms.create_key(Description="a key", Tags=[{"TagKey": "Team", "TagValue": "red"}])["KeyMetadata"]["Arn"]


def root_of(account):
    return {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}


# ---- keys

def test_a_key_and_its_life(server, kms, key):
    meta = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert meta["Arn"] == f"arn:aws:kms:{server.region}:{server.account}:key/{meta['KeyId']}"
    assert (meta["KeyState"], meta["Enabled"], meta["KeyManager"], meta["KeyUsage"], meta["KeySpec"], meta["Origin"], meta["Description"]) == (
        "Enabled", True, "CUSTOMER", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "AWS_KMS", "a key")
    assert key in [k["KeyArn"] for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1}) for k in page["Keys"]]
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    for call in [lambda: kms.encrypt(KeyId=key, Plaintext=b"x"), lambda: kms.decrypt(CiphertextBlob=blob), lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
                 lambda: kms.enable_key_rotation(KeyId=key)]:
        with refused("DisabledException", f"{key} is disabled.", 400):
            call()
    kms.enable_key(KeyId=key)
    kms.update_key_description(KeyId=key, Description="changed")
    with refused("ValidationException"):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=6)
    assert kms.schedule_key_deletion(KeyId=key)["PendingWindowInDays"] == 30
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    for call in [lambda: kms.decrypt(CiphertextBlob=blob), lambda: kms.enable_key(KeyId=key), lambda: kms.schedule_key_deletion(KeyId=key)]:
        with refused("KMSInvalidStateException", "is pending deletion."):
            call()
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_what_is_not_built_errs_by_name(kms):
    for more, what in [({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "RSA_2048"), ({"MultiRegion": True}, "multi-Region"), ({"Origin": "EXTERNAL"}, "EXTERNAL")]:
        with refused("UnsupportedOperationException", what):
            kms.create_key(**more)


def test_keys_that_do_not_exist(server, kms, key):
    for missing in ["1234abcd-12ab-34cd-56ef-1234567890ab", f"arn:aws:kms:{server.region}:{server.account}:key/none", "alias/none"]:
        with refused("NotFoundException", status=400):
            kms.describe_key(KeyId=missing)
    with refused("NotFoundException", "Invalid arn us-west-2"):
        kms.encrypt(KeyId=key.replace("us-east-1", "us-west-2"), Plaintext=b"x")
    with refused("NotFoundException"):  # a key lives in its region
        server.boto("kms", region_name="us-west-2").describe_key(KeyId=key.split("/")[-1])


def test_rotation_keeps_old_ciphertext_readable(kms, key):
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"] is True and status["RotationPeriodInDays"] == 90
    before = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    after = kms.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=before)["Plaintext"] == b"old" and kms.decrypt(CiphertextBlob=after)["Plaintext"] == b"new"
    assert [r["RotationType"] for r in kms.list_key_rotations(KeyId=key)["Rotations"]] == ["ON_DEMAND"]
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_tags(kms, key):
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "Cost", "TagValue": "1"}])
    assert {t["TagKey"]: t["TagValue"] for t in kms.list_resource_tags(KeyId=key)["Tags"]} == {"Team": "red", "Cost": "1"}
    kms.untag_resource(KeyId=key, TagKeys=["Team"])
    assert [t["TagKey"] for t in kms.list_resource_tags(KeyId=key)["Tags"]] == ["Cost"]
    with refused("TagException"):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "aws:x", "TagValue": "1"}])


def test_keys_survive_a_kill(server, kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    alias = "alias/" + name()
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    server.kill()
    server.start()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == key


# ---- cryptography

def test_encrypt_and_decrypt(kms, key):
    context = {"a": "1", "b": "ü"}
    done = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)
    assert done["KeyId"] == key and done["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT" and b"secret" not in done["CiphertextBlob"]
    blob = done["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"secret"
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, KeyId=key)["KeyId"] == key
    for wrong in [{}, {"a": "1"}, {**context, "c": "2"}, {"A": "1", "b": "ü"}, {"a": "ü", "b": "1"}]:
        with refused("InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=wrong)
    for bad in [b"nonsense", blob[:-1], blob[:40] + bytes([blob[40] ^ 1]) + blob[41:], blob + b"x"]:
        with pytest.raises(kms.exceptions.ClientError) as caught:
            kms.decrypt(CiphertextBlob=bad, EncryptionContext=context)
        assert caught.value.response["Error"]["Code"] in ("InvalidCiphertextException", "AccessDeniedException")
    other = kms.create_key()["KeyMetadata"]["Arn"]
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, KeyId=other)
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other, DestinationEncryptionContext={"z": "9"})
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key, other)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"z": "9"})["Plaintext"] == b"secret"
    with refused("ValidationException"):
        kms.encrypt(KeyId=key, Plaintext=b"x" * 4097)
    with refused("ValidationException"):
        kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "x" * 8193})


def test_data_keys(kms, key):
    for spec, size in [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 64}, 64)]:
        made = kms.generate_data_key(KeyId=key, EncryptionContext={"a": "1"}, **spec)
        assert len(made["Plaintext"]) == size
        assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "1"})["Plaintext"] == made["Plaintext"]
        assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId=key, **spec)
    with refused("ValidationException"):
        kms.generate_data_key(KeyId=key)
    with refused("ValidationException"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256", NumberOfBytes=5)
    assert len(kms.generate_random(NumberOfBytes=20)["Plaintext"]) == 20
    with refused("DryRunOperationException"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256", DryRun=True)


def test_no_secret_is_in_the_trail(server, kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"a very secret plaintext")["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob)
    token = kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{server.account}:user/admin", Operations=["Decrypt"])["GrantToken"]
    import base64
    text = json.dumps(server.boto("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "kms.amazonaws.com"}]), default=str)
    for secret in ["a very secret plaintext", base64.b64encode(b"a very secret plaintext").decode(), token]:
        assert secret not in text


# ---- aliases

def test_aliases(server, kms, key):
    alias = "alias/" + name()
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    arn = f"arn:aws:kms:{server.region}:{server.account}:{alias}"
    blob = kms.encrypt(KeyId=alias, Plaintext=b"x")["CiphertextBlob"]
    assert kms.encrypt(KeyId=arn, Plaintext=b"x")["KeyId"] == key
    assert [a["AliasArn"] for a in kms.list_aliases(KeyId=key)["Aliases"]] == [arn]
    with refused("AlreadyExistsException", f"An alias with the name {arn} already exists"):
        kms.create_alias(AliasName=alias, TargetKeyId=key)
    other = kms.create_key()["KeyMetadata"]["Arn"]
    kms.update_alias(AliasName=alias, TargetKeyId=other)
    assert kms.encrypt(KeyId=alias, Plaintext=b"x")["KeyId"] == other
    assert kms.decrypt(CiphertextBlob=blob)["KeyId"] == key
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, KeyId=alias)
    kms.delete_alias(AliasName=alias)
    with refused("NotFoundException"):
        kms.encrypt(KeyId=alias, Plaintext=b"x")
    with refused("NotFoundException"):
        kms.delete_alias(AliasName=alias)
    for bad, code in [("alias/aws/mine", "NotAuthorizedException"), ("nothing", None), ("alias/with blank", None), ("alias/", None)]:
        with pytest.raises(kms.exceptions.ClientError) as caught:
            kms.create_alias(AliasName=bad, TargetKeyId=key)
        assert code is None or caught.value.response["Error"]["Code"] == code
    with refused("ValidationException"):
        kms.create_alias(AliasName="alias/" + name(), TargetKeyId="alias/other")


def test_an_alias_is_an_accounts_and_a_regions(server, kms, mallory, key):
    alias = "alias/" + name()
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    theirs = server.boto("kms", mallory[1])
    with refused("NotFoundException"):
        theirs.describe_key(KeyId=alias)
    own = theirs.create_key()["KeyMetadata"]["Arn"]
    theirs.create_alias(AliasName=alias, TargetKeyId=own)  # the same name, another thing
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == key
    for call in [lambda: theirs.create_alias(AliasName="alias/" + name(), TargetKeyId=key), lambda: theirs.update_alias(AliasName=alias, TargetKeyId=key)]:
        with pytest.raises(kms.exceptions.ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] in ("AccessDeniedException", "NotFoundException")
    with refused("NotFoundException"):
        theirs.list_aliases(KeyId=key)  # no telling whether it exists
    assert alias not in [a["AliasName"] for a in server.boto("kms", region_name="eu-west-1").list_aliases()["Aliases"]]


def test_an_alias_takes_permissions_on_all_that_it_names(server, kms, key):
    alias, other = "alias/" + name(), kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    _, keys = new_user(server, {"Effect": "Allow", "Action": ["kms:UpdateAlias", "kms:DeleteAlias"], "Resource": [f"arn:aws:kms:*:*:{alias}", other]})
    client = server.boto("kms", keys)
    with refused("AccessDeniedException"):
        client.update_alias(AliasName=alias, TargetKeyId=other)  # nothing on the key that it leaves
    with refused("AccessDeniedException"):
        client.delete_alias(AliasName=alias)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == key


def test_condition_keys_of_aliases(server, kms, key):
    alias = "alias/" + name()
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    _, by_request = new_user(server, {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:RequestAlias": alias}}})
    _, by_resource = new_user(server, {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}})
    arn = f"arn:aws:kms:{server.region}:{server.account}:{alias}"
    server.boto("kms", by_request).encrypt(KeyId=alias, Plaintext=b"x")
    server.boto("kms", by_request).encrypt(KeyId=arn, Plaintext=b"x")
    with refused("AccessDeniedException"):
        server.boto("kms", by_request).encrypt(KeyId=key, Plaintext=b"x")
    server.boto("kms", by_resource).encrypt(KeyId=key, Plaintext=b"x")


# ---- policies

def test_key_policies(server, kms, key):
    shown = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    assert shown["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{server.account}:root"}
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    with refused("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future."):
        kms.put_key_policy(KeyId=key, Policy=policy({**root_of(server.account), "Action": "kms:Encrypt"}))
    with refused("MalformedPolicyDocumentException", "invalid principals"):
        kms.put_key_policy(KeyId=key, Policy=policy(root_of(server.account), {**root_of(server.account), "Sid": "x", "Principal": {"AWS": f"arn:aws:iam::{server.account}:role/none"}}))
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy="nonsense")
    with refused("NotFoundException"):
        kms.get_key_policy(KeyId=key, PolicyName="other")
    with refused("MalformedPolicyDocumentException"):
        kms.create_key(Policy=policy({**root_of(server.account), "Action": "kms:Encrypt"}))
    locked = kms.create_key(Policy=policy({**root_of(server.account), "Action": "kms:Encrypt"}), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException"):
        kms.put_key_policy(KeyId=locked, Policy=policy(root_of(server.account)))


def test_without_delegation_iam_says_nothing(server, kms):
    arn, keys = new_user(server, ADMIN)
    admin = f"arn:aws:iam::{server.account}:user/admin"
    key = kms.create_key(Policy=policy({"Effect": "Allow", "Principal": {"AWS": admin}, "Action": "kms:*", "Resource": "*"}))["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException", status=400):
        server.boto("kms", keys).encrypt(KeyId=key, Plaintext=b"x")
    kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.put_key_policy(KeyId=key, Policy=policy({"Effect": "Allow", "Principal": {"AWS": admin}, "Action": "kms:*", "Resource": "*"},
                                                {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Encrypt", "Resource": "*"}))
    server.boto("kms", keys).encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException"):
        server.boto("kms", keys).generate_data_key(KeyId=key, KeySpec="AES_256")


def test_a_role_made_anew_is_a_stranger(server, kms):
    role = name("role")
    arn, _ = new_role(server, role=role)
    key = kms.create_key(Policy=policy(root_of(server.account), {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Encrypt", "Resource": "*"}))["KeyMetadata"]["Arn"]
    kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["GenerateDataKey"])
    client = server.boto("kms", server.assume(arn))
    client.encrypt(KeyId=key, Plaintext=b"x")
    client.generate_data_key(KeyId=key, KeySpec="AES_256")
    server.boto("iam").delete_role(RoleName=role)
    _, again = new_role(server, role=role)
    for call in [lambda c: c.encrypt(KeyId=key, Plaintext=b"x"), lambda c: c.generate_data_key(KeyId=key, KeySpec="AES_256")]:
        with refused("AccessDeniedException"):
            call(server.boto("kms", again))
    assert kms.list_grants(KeyId=key)["Grants"][0]["GranteePrincipal"].startswith("AROA")


def test_other_accounts(server, kms, mallory, key):
    theirs = server.boto("kms", mallory[1])
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    text = "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
    for call in [lambda: theirs.decrypt(CiphertextBlob=blob), lambda: theirs.encrypt(KeyId=key, Plaintext=b"x"), lambda: theirs.describe_key(KeyId=key)]:
        with refused("AccessDeniedException", text, 400):
            call()
    kms.put_key_policy(KeyId=key, Policy=policy(root_of(server.account), {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{mallory[0]}:root"}, "Action": "kms:*", "Resource": "*"}))
    assert theirs.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    theirs.describe_key(KeyId=key)
    # Using it is one thing; managing it is the own account's, whatever the policy says.
    for call in [lambda: theirs.disable_key(KeyId=key), lambda: theirs.schedule_key_deletion(KeyId=key), lambda: theirs.put_key_policy(KeyId=key, Policy=policy(root_of(mallory[0]))),
                 lambda: theirs.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]), lambda: theirs.get_key_policy(KeyId=key)]:
        with refused("AccessDeniedException"):
            call()
    assert key not in [k["KeyArn"] for k in theirs.list_keys()["Keys"]]


def test_ciphertext_of_a_key_that_nobody_has(server, kms, mallory):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    forged = blob.replace(key.split("/")[-1].encode(), b"00000000-0000-0000-0000-000000000000")
    with refused("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."):
        server.boto("kms", mallory[1]).decrypt(CiphertextBlob=forged)
    with refused("AccessDeniedException", "does not exist in this region"):
        server.boto("kms", region_name="us-west-2").decrypt(CiphertextBlob=blob)


# ---- grants

def test_grants(server, kms, key):
    arn, keys = new_user(server)
    client = server.boto("kms", keys)
    with refused("AccessDeniedException"):
        client.encrypt(KeyId=key, Plaintext=b"x")
    made = kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt", "Decrypt"], Name="g",
                            Constraints={"EncryptionContextSubset": {"team": "red"}})
    assert kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt", "Decrypt"], Name="g",
                            Constraints={"EncryptionContextSubset": {"team": "red"}})["GrantId"] == made["GrantId"]
    client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"team": "red", "more": "1"})
    for context in [{}, {"team": "blue"}]:
        with refused("AccessDeniedException"):
            client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
    with refused("AccessDeniedException"):
        client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"team": "red"})
    grant = kms.list_grants(KeyId=key, GranteePrincipal=arn)["Grants"][0]
    assert grant["GrantId"] == made["GrantId"] and grant["GranteePrincipal"] == arn and grant["Constraints"] == {"EncryptionContextSubset": {"team": "red"}}
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    with refused("AccessDeniedException"):
        client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"team": "red"})
    with refused("NotFoundException"):
        kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    for nobody, code in [(f"arn:aws:iam::{server.account}:user/nobody", "InvalidArnException"), ("arn:aws:s3:::b", "InvalidArnException"),
                         ("*", "ValidationException")]:
        with refused(code):
            kms.create_grant(KeyId=key, GranteePrincipal=nobody, Operations=["Encrypt"])


def test_a_grant_gives_no_more_than_it_has(server, kms, key):
    arn, keys = new_user(server)
    friend, _ = new_user(server)
    client = server.boto("kms", keys)
    kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["CreateGrant", "Decrypt"])
    kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt"])  # without CreateGrant: not to be passed on
    client.create_grant(KeyId=key, GranteePrincipal=friend, Operations=["Decrypt"])
    for operations in [["Encrypt"], ["Decrypt", "GenerateDataKey"]]:
        with refused("AccessDeniedException"):
            client.create_grant(KeyId=key, GranteePrincipal=friend, Operations=operations)
    other = kms.create_key()["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException"):
        client.create_grant(KeyId=other, GranteePrincipal=friend, Operations=["Decrypt"])


def test_who_may_retire_a_grant(server, kms, key):
    first, first_keys = new_user(server)
    second, second_keys = new_user(server)
    own = kms.create_grant(KeyId=key, GranteePrincipal=first, Operations=["Decrypt", "RetireGrant"])
    foreign = kms.create_grant(KeyId=key, GranteePrincipal=second, Operations=["Decrypt"])
    retirable = kms.create_grant(KeyId=key, GranteePrincipal=first, Operations=["Encrypt"], RetiringPrincipal=second)
    client = server.boto("kms", first_keys)
    with refused("AccessDeniedException"):
        client.retire_grant(KeyId=key, GrantId=foreign["GrantId"])  # its own right to retire is for its own grant
    client.retire_grant(KeyId=key, GrantId=own["GrantId"])
    assert kms.list_retirable_grants(RetiringPrincipal=second)["Grants"][0]["GrantId"] == retirable["GrantId"]
    server.boto("kms", second_keys).retire_grant(GrantToken=retirable["GrantToken"])
    assert [g["GrantId"] for g in kms.list_grants(KeyId=key)["Grants"]] == [foreign["GrantId"]]


def test_an_alias_names_a_key_where_it_is_used_not_where_it_is_managed(kms, key):
    alias = "alias/" + name()
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    for manage in [kms.enable_key_rotation, kms.disable_key, kms.get_key_policy, kms.schedule_key_deletion, kms.list_resource_tags]:
        with refused("NotFoundException", f"Invalid keyId {alias}"):
            manage(KeyId=alias)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyState"] == "Enabled"
    with refused("NotFoundException", "Invalid keyId unknown"):
        kms.describe_key(KeyId="unknown")
    for bad, why in [("wrong/prefix", "Invalid identifier"), ("alias/my:alias", "alias/my:alias contains invalid characters for an alias")]:
        with refused("ValidationException", why):
            kms.create_alias(AliasName=bad, TargetKeyId=key)
