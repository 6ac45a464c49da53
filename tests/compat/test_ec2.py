"""EC2 as far as security groups: what is there from the first day, and ingress rules that a connection really meets."""
import json

import pytest
from support.aws import new_user, refused
from support.server import Refused


@pytest.fixture(scope="module")
def ec2(server):
    return server.boto("ec2")


@pytest.fixture(scope="module")
def mallory(server):
    return server.new_account("mallory")


def default_group(client):
    return client.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]


def tcp(cidr, port, to=None):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": to or port, "IpRanges": [{"CidrIp": cidr}]}]


def test_the_default_vpc(server, ec2):
    vpc = ec2.describe_vpcs()["Vpcs"][0]
    assert vpc["IsDefault"] and vpc["CidrBlock"] == "172.31.0.0/16" and vpc["OwnerId"] == server.account
    assert ec2.describe_vpcs(VpcIds=[vpc["VpcId"]], Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0] == vpc
    assert "Vpcs" not in ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["false"]}]) or not ec2.describe_vpcs(
        Filters=[{"Name": "isDefault", "Values": ["false"]}])["Vpcs"]
    subnets = ec2.describe_subnets()["Subnets"]
    assert [s["AvailabilityZone"] for s in subnets] == [f"{server.region}{z}" for z in "abc"]
    assert all(s["VpcId"] == vpc["VpcId"] for s in subnets)
    with refused("InvalidVpcID.NotFound"):
        ec2.describe_vpcs(VpcIds=["vpc-00000000"])
    with refused("InvalidSubnetID.NotFound"):
        ec2.describe_subnets(SubnetIds=["subnet-00000000"])
    with refused("InvalidParameterValue"):
        ec2.describe_vpcs(Filters=[{"Name": "nonsense", "Values": ["x"]}])


def test_each_account_and_region_has_its_own(server, ec2, mallory):
    theirs = server.boto("ec2", mallory[1])
    mine = default_group(ec2)
    other = default_group(theirs)
    west = default_group(server.boto("ec2", region_name="us-west-2"))
    assert len({mine["GroupId"], other["GroupId"], west["GroupId"]}) == 3
    ranges = [r["CidrIp"] for p in mine["IpPermissions"] for r in p["IpRanges"]]
    assert ranges == ["127.0.0.1/32"]  # only the first account's lets the newcomer's psql in
    assert not [r for p in other["IpPermissions"] for r in p.get("IpRanges", [])]
    with refused("InvalidGroup.NotFound"):
        theirs.describe_security_groups(GroupIds=[mine["GroupId"]])
    with refused("InvalidGroup.NotFound"):
        theirs.authorize_security_group_ingress(GroupId=mine["GroupId"], IpPermissions=tcp("0.0.0.0/0", 5439))
    # Naming a stranger's group as a source tells nothing either.
    with refused("InvalidGroup.NotFound"):
        theirs.authorize_security_group_ingress(GroupId=other["GroupId"], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": mine["GroupId"], "UserId": server.account}]}])


def test_ingress_rules_come_and_go(server):
    ec2 = server.boto("ec2", region_name="eu-west-1")
    group = default_group(ec2)["GroupId"]
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("10.1.2.3/8", 5439))
    rule = made["SecurityGroupRules"][0]
    assert made["Return"] and rule["CidrIpv4"] == "10.0.0.0/8" and rule["FromPort"] == 5439 and not rule["IsEgress"]
    with refused("InvalidPermission.Duplicate", "already exists"):
        ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=5439, ToPort=5439, CidrIp="10.0.0.0/8")
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert rule["SecurityGroupRuleId"] in [r["SecurityGroupRuleId"] for r in rules]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=tcp("10.0.0.0/8", 5439))
    with refused("InvalidPermission.NotFound"):
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=tcp("10.0.0.0/8", 5439))
    again = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("10.0.0.0/8", 5439))["SecurityGroupRules"][0]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[again["SecurityGroupRuleId"]])
    with refused("InvalidSecurityGroupRuleId.NotFound"):
        ec2.describe_security_group_rules(SecurityGroupRuleIds=[again["SecurityGroupRuleId"]])


@pytest.mark.parametrize("permissions, code", [
    (tcp("10.0.0.0/33", 1), "InvalidParameterValue"), (tcp("10.0.0.0", 1), "InvalidParameterValue"), (tcp("nonsense/8", 1), "InvalidParameterValue"),
    (tcp("10.0.0.0/8", 70000), "InvalidParameterValue"), (tcp("10.0.0.0/8", 4294972735), "InvalidParameterValue"), (tcp("10.0.0.0/8", 9, 8), "InvalidParameterValue"),
    ([{"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}], "MissingParameter"), ([{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}], "MissingParameter"),
    ([{"IpProtocol": "nonsense", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}], "InvalidParameterValue"),
    ([{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "10.0.0.0/8"}]}], "InvalidParameterValue"),
    ([{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "::ffff:10.0.0.0/104"}]}], "InvalidParameterValue"),
    ([{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "a\nb"}]}], "InvalidParameterValue"),
    ([{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "PrefixListIds": [{"PrefixListId": "pl-1"}]}], "UnsupportedOperation"),
])
def test_bad_rules(ec2, permissions, code):
    group = default_group(ec2)
    with refused(code):
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=permissions)
    assert default_group(ec2)["IpPermissions"] == group["IpPermissions"]


def test_permissions(server, ec2):
    group = default_group(ec2)["GroupId"]
    arn, keys = new_user(server, {"Effect": "Allow", "Action": "ec2:DescribeSecurityGroups", "Resource": "*"})
    client = server.boto("ec2", keys)
    client.describe_security_groups()
    with refused("UnauthorizedOperation", "You are not authorized to perform this operation.", 403) as answer:
        client.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("0.0.0.0/0", 5439))
    encoded = answer["Error"]["Message"].split("Encoded authorization failure message: ")[1]
    decoded = json.loads(server.boto("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["allowed"] is False and decoded["context"]["action"] == "ec2:AuthorizeSecurityGroupIngress"
    with refused("DryRunOperation", status=412):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("0.0.0.0/0", 5439), DryRun=True)
    with refused("UnauthorizedOperation"):
        client.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("0.0.0.0/0", 5439), DryRun=True)
    with refused("InvalidGroupId.Malformed"):
        ec2.describe_security_groups(GroupIds=["group"])


def test_rules_survive_a_kill(server, ec2):
    group = default_group(ec2)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("198.51.100.0/24", 5439))
    server.kill()
    server.start()
    ranges = [r["CidrIp"] for p in default_group(ec2)["IpPermissions"] for r in p["IpRanges"]]
    assert "198.51.100.0/24" in ranges
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=tcp("198.51.100.0/24", 5439))


def test_a_cluster_asks_its_groups_before_the_first_byte(server, ec2):
    group = default_group(ec2)["GroupId"]
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}
    assert server.psql("select 1") == "1"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[everything])
    with pytest.raises(Refused):
        server.psql("select 1")
    # Its declared port opens it, also where it is reached through --cluster-port; so does that one; another doesn't.
    declared = server.boto("redshift").describe_clusters()["Clusters"][0]["Endpoint"]["Port"]
    reached = int(server.env["PGPORT"])
    for port in (declared, reached):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("127.0.0.1/32", port))
        assert server.psql("select 1") == "1"
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=tcp("127.0.0.1/32", port))
    other = next(p for p in (5440, 5441, 5442) if p not in (declared, reached))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=tcp("127.0.0.1/32", other))
    with pytest.raises(Refused):
        server.psql("select 1")
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everything])
