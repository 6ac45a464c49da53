/// EC2's rows: what describes VPCs, subnets and groups, and what changes a group's ingress rules.
#include <set>

#include "api/ec2.h"
#include "base/arn.h"
#include "base/ids.h"
#include "base/optional.h"
#include "base/text.h"
#include "network/network.h"

namespace redoubt::network {

using namespace api::ec2;
using access::Allowed;

namespace {

// Named here once: the model's structs and ours share names.
using OurGroup = network::SecurityGroup;
using OurVpc = network::Vpc;
using OurSubnet = network::Subnet;

std::string sg_arn(const OurGroup& g) { return make_arn("ec2", g.region, g.account, "security-group/" + g.id); }

IpPermission shown(const Rule& r) {
  IpPermission p;
  p.IpProtocol = r.protocol;
  if (r.protocol != "-1") {
    p.FromPort = r.from_port;
    p.ToPort = r.to_port;
  }
  std::optional<std::string> description;
  if (!r.description.empty()) description = r.description;
  if (r.cidr && r.cidr->is_v4()) ensure(p.IpRanges).push_back({.Description = description, .CidrIp = r.cidr->str()});
  if (r.cidr && !r.cidr->is_v4()) ensure(p.Ipv6Ranges).push_back({.Description = description, .CidrIpv6 = r.cidr->str()});
  if (!r.group.empty()) {
    UserIdGroupPair pair;
    pair.Description = description;
    pair.UserId = r.group_owner;
    pair.GroupId = r.group;
    ensure(p.UserIdGroupPairs).push_back(std::move(pair));
  }
  return p;
}

/// Rules with the same protocol and ports stand in one permission, as EC2 groups them.
std::vector<IpPermission> shown(const std::vector<Rule>& rules) {
  std::vector<IpPermission> out;
  for (auto& r : rules) {
    auto p = shown(r);
    auto same = std::find_if(out.begin(), out.end(), [&](auto& o) {
      return o.IpProtocol == p.IpProtocol && o.FromPort == p.FromPort && o.ToPort == p.ToPort;
    });
    if (same == out.end()) {
      out.push_back(std::move(p));
      continue;
    }
    ensure(same->IpRanges).insert(ensure(same->IpRanges).end(), or_empty(p.IpRanges).begin(), or_empty(p.IpRanges).end());
    ensure(same->Ipv6Ranges).insert(ensure(same->Ipv6Ranges).end(), or_empty(p.Ipv6Ranges).begin(), or_empty(p.Ipv6Ranges).end());
    ensure(same->UserIdGroupPairs)
        .insert(ensure(same->UserIdGroupPairs).end(), or_empty(p.UserIdGroupPairs).begin(), or_empty(p.UserIdGroupPairs).end());
  }
  return out;
}

SecurityGroupRule shown_rule(const OurGroup& g, const Rule& r, bool egress) {
  SecurityGroupRule o;
  o.SecurityGroupRuleId = r.id;
  o.GroupId = g.id;
  o.GroupOwnerId = g.account;
  o.IsEgress = egress;
  o.IpProtocol = r.protocol;
  o.FromPort = r.from_port;
  o.ToPort = r.to_port;
  if (r.cidr && r.cidr->is_v4()) o.CidrIpv4 = r.cidr->str();
  if (r.cidr && !r.cidr->is_v4()) o.CidrIpv6 = r.cidr->str();
  if (!r.group.empty()) {
    ReferencedSecurityGroup ref;
    ref.GroupId = r.group;
    ref.UserId = r.group_owner;
    o.ReferencedGroupInfo = std::move(ref);
  }
  if (!r.description.empty()) o.Description = r.description;
  o.SecurityGroupRuleArn = make_arn("ec2", g.region, g.account, "security-group-rule/" + r.id);
  return o;
}

/// Whether one of a filter's values matches; * and ? are wildcards.
bool wild(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = pattern.npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Applies `filters`; `value` says what an item has under a filter's name, nullopt for a name that it doesn't know.
template <class Item>
Result<void> filter(std::vector<Item>& items, const std::vector<Filter>& filters,
                    const std::function<std::optional<std::vector<std::string>>(const Item&, std::string_view)>& value) {
  static const Item kSample{};
  for (auto& f : filters) {
    if (!f.Name) return fail(kMissingParameter, "The request must contain the parameter Filter.Name");
    if (!value(kSample, *f.Name)) return fail(kInvalidParameter, "The filter '" + *f.Name + "' is invalid");
    std::erase_if(items, [&](auto& item) {
      const auto values = value(item, *f.Name);  // named: a temporary would be gone inside of the loop
      for (auto& have : *values)
        for (auto& want : or_empty(f.Values))
          if (wild(want, have)) return false;
      return true;
    });
  }
  return {};
}

std::optional<std::vector<std::string>> tag_values(const std::map<std::string, std::string>& tags, std::string_view filter_name) {
  if (filter_name.starts_with("tag:")) {
    auto it = tags.find(std::string(filter_name.substr(4)));
    return it == tags.end() ? std::vector<std::string>{} : std::vector{it->second};
  }
  if (filter_name == "tag-key") {
    std::vector<std::string> out;
    for (auto& [k, v] : tags) out.push_back(k);
    return out;
  }
  return std::nullopt;
}

/// One page by MaxResults and NextToken.
template <class Item, class In, class Out>
Result<std::vector<Item>> page(std::vector<Item> all, const In& in, Out& out) {
  size_t from = 0, limit = size_t(in.MaxResults.value_or(1000));
  if (in.NextToken) {
    auto position = parse_int(*in.NextToken);
    if (!position || *position < 0 || size_t(*position) > all.size())
      return fail(kInvalidParameter, "The token '" + *in.NextToken + "' is invalid");
    from = size_t(*position);
  }
  size_t to = std::min(all.size(), from + limit);
  if (to < all.size()) out.NextToken = std::to_string(to);
  return std::vector<Item>(std::make_move_iterator(all.begin() + long(from)), std::make_move_iterator(all.begin() + long(to)));
}

template <class In>
Result<void> dry_run(const In& in) {
  if (in.DryRun.value_or(false)) return fail(kDryRun, "Request would have succeeded, but DryRun flag is set.");
  return {};
}

/// Source: EC2 API Reference, "IpRange".
Result<void> check_description(std::string_view text) {
  bool good = text.size() <= 255;
  for (char c : text)
    good = good && (is_alnum(c) || std::string_view(" ._-:/()#,@[]+=&;{}!$*").find(c) != std::string_view::npos);
  if (good) return {};
  return fail(
      kInvalidParameter,
      "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. "
      "_-:/()#,@[]+=&;{}!$*");
}

Result<Cidr> parse_cidr(const std::string& text, bool v4) {
  auto cidr = text.find('/') == text.npos ? std::nullopt : Cidr::parse(text);
  if (!cidr || cidr->is_v4() != v4) return fail(kInvalidParameter, "CIDR block " + text + " is malformed");
  return *cidr;
}

/// The rules a request names, by its IpPermissions or by its single-rule parameters.
template <class In>
Result<std::vector<Rule>> rules_of(const In& in, const OurGroup& group) {
  std::vector<IpPermission> permissions = or_empty(in.IpPermissions);
  if (in.SourceSecurityGroupName || in.SourceSecurityGroupOwnerId)
    return fail(kInvalidCombination, "SourceSecurityGroupName is not for groups in a VPC; use IpPermissions with a GroupId.");
  if (in.CidrIp || in.IpProtocol) {
    if (!permissions.empty())
      return fail(kInvalidCombination, "The parameter 'ipPermissions' may not be used in combination with 'cidrIp'");
    if (!in.CidrIp || !in.IpProtocol)
      return fail(kMissingParameter,
                  std::string("The request must contain the parameter ") + (in.CidrIp ? "ipProtocol" : "cidrIp"));
    IpPermission p;
    p.IpProtocol = in.IpProtocol;
    p.FromPort = in.FromPort;
    p.ToPort = in.ToPort;
    ensure(p.IpRanges).push_back({.CidrIp = in.CidrIp});
    permissions.push_back(std::move(p));
  }
  if (permissions.empty()) return fail(kMissingParameter, "The request must contain the parameter ipPermissions");
  std::vector<Rule> out;
  for (auto& p : permissions) {
    Rule base{.protocol = to_lower(p.IpProtocol.value_or(""))};
    if (base.protocol == "6") base.protocol = "tcp";
    if (base.protocol == "17") base.protocol = "udp";
    if (base.protocol == "all") base.protocol = "-1";
    if (base.protocol == "tcp" || base.protocol == "udp") {
      if (!p.FromPort || !p.ToPort) return fail(kMissingParameter, "The request must contain the parameter fromPort and toPort");
      if (*p.FromPort < 0 || *p.ToPort > 65535 || *p.FromPort > *p.ToPort)
        return fail(kInvalidParameter, "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.");
      base.from_port = int(*p.FromPort);
      base.to_port = int(*p.ToPort);
    } else if (base.protocol == "icmp" || base.protocol == "icmpv6") {
      auto type = p.FromPort.value_or(-1), code = p.ToPort.value_or(-1);
      if (type < -1 || type > 255 || code < -1 || code > 255)
        return fail(kInvalidParameter, "ICMP type and code must be between -1 and 255.");
      base.from_port = int(type);
      base.to_port = int(code);
    } else if (base.protocol != "-1") {
      return fail(kInvalidParameter, "Invalid value '" + p.IpProtocol.value_or("") + "' for IP protocol. Unknown protocol.");
    }
    if (!or_empty(p.PrefixListIds).empty()) return fail(kUnsupported, "Prefix lists are not supported by this server.");
    if (or_empty(p.IpRanges).empty() && or_empty(p.Ipv6Ranges).empty() && or_empty(p.UserIdGroupPairs).empty())
      return fail(kMissingParameter, "The request must contain a source: ipRanges, ipv6Ranges or groups");
    for (auto& r : or_empty(p.IpRanges)) {
      Rule rule = base;
      TRY(rule.cidr, parse_cidr(r.CidrIp.value_or(""), true));
      rule.description = r.Description.value_or("");
      out.push_back(std::move(rule));
    }
    for (auto& r : or_empty(p.Ipv6Ranges)) {
      Rule rule = base;
      TRY(rule.cidr, parse_cidr(r.CidrIpv6.value_or(""), false));
      rule.description = r.Description.value_or("");
      out.push_back(std::move(rule));
    }
    for (auto& g : or_empty(p.UserIdGroupPairs)) {
      if (!g.GroupId) return fail(kMissingParameter, "The request must contain the parameter groupId");
      Rule rule = base;
      rule.group = *g.GroupId;
      rule.group_owner = g.UserId.value_or(group.account);
      rule.description = g.Description.value_or("");
      out.push_back(std::move(rule));
    }
  }
  return out;
}

std::string peer_text(const Rule& r) {
  return "peer: " + (r.cidr ? r.cidr->str() : r.group) + ", " + (r.protocol == "-1" ? "ALL" : to_upper(r.protocol)) +
         (r.protocol == "-1" ? "" : ", from port: " + std::to_string(r.from_port) + ", to port: " + std::to_string(r.to_port)) +
         ", ALLOW";
}

}  // namespace

void Network::declare(access::Gate& gate) {
  gate_ = &gate;
  declare_describe();
  declare_rules();
}

void Network::declare_describe() {
  access::Row<op::DescribeVpcs> vpcs{.needs = {{.action = "ec2:DescribeVpcs"}}};
  vpcs.read_only = true;
  vpcs.handler = [this](const Allowed<DescribeVpcsRequest>& r) -> Result<DescribeVpcsResult> {
    TRY_VOID(dry_run(r.input));
    TRY(auto v, default_vpc(r.call.caller->account, r.call.region));
    std::vector<OurVpc> all{v};
    for (auto& id : or_empty(r.input.VpcIds))
      if (id != v.id) return fail(kVpcNotFound, "The vpc ID '" + id + "' does not exist");
    TRY_VOID((filter<OurVpc>(all, or_empty(r.input.Filters),
                             [](const OurVpc& x, std::string_view name) -> std::optional<std::vector<std::string>> {
                               if (name == "vpc-id") return std::vector{x.id};
                               if (name == "isDefault" || name == "is-default")
                                 return std::vector{std::string(x.is_default ? "true" : "false")};
                               if (name == "cidr" || name == "cidr-block-association.cidr-block")
                                 return std::vector{x.id.empty() ? std::string() : x.cidr.str()};
                               if (name == "state") return std::vector{std::string("available")};
                               if (name == "owner-id") return std::vector{x.account};
                               return tag_values({}, name);
                             })));
    DescribeVpcsResult out;
    for (auto& x : all) {
      api::ec2::Vpc s;
      s.OwnerId = x.account;
      s.InstanceTenancy = "default";
      s.IsDefault = x.is_default;
      s.VpcId = x.id;
      s.State = "available";
      s.CidrBlock = x.cidr.str();
      s.DhcpOptionsId = "default";
      ensure(out.Vpcs).push_back(std::move(s));
    }
    return out;
  };
  gate_->add<op::DescribeVpcs>(std::move(vpcs));

  access::Row<op::DescribeSubnets> subnets{.needs = {{.action = "ec2:DescribeSubnets"}}};
  subnets.read_only = true;
  subnets.handler = [this](const Allowed<DescribeSubnetsRequest>& r) -> Result<DescribeSubnetsResult> {
    TRY_VOID(dry_run(r.input));
    TRY(auto v, default_vpc(r.call.caller->account, r.call.region));
    auto all = v.subnets;
    std::set<std::string> asked(or_empty(r.input.SubnetIds).begin(), or_empty(r.input.SubnetIds).end());
    if (!asked.empty()) {
      std::erase_if(all, [&](auto& s) { return !asked.contains(s.id); });
      for (auto& s : all) asked.erase(s.id);
      if (!asked.empty()) return fail(kSubnetNotFound, "The subnet ID '" + *asked.begin() + "' does not exist");
    }
    TRY_VOID((filter<OurSubnet>(all, or_empty(r.input.Filters),
                                [&](const OurSubnet& x, std::string_view name) -> std::optional<std::vector<std::string>> {
                                  if (name == "subnet-id") return std::vector{x.id};
                                  if (name == "vpc-id") return std::vector{v.id};
                                  if (name == "availability-zone" || name == "availabilityZone") return std::vector{x.zone};
                                  if (name == "default-for-az" || name == "defaultForAz") return std::vector{std::string("true")};
                                  if (name == "state") return std::vector{std::string("available")};
                                  return tag_values({}, name);
                                })));
    DescribeSubnetsResult out;
    for (auto& x : all) {
      api::ec2::Subnet s;
      s.OwnerId = v.account;
      s.SubnetArn = make_arn("ec2", v.region, v.account, "subnet/" + x.id);
      s.SubnetId = x.id;
      s.State = "available";
      s.VpcId = v.id;
      s.CidrBlock = x.cidr.str();
      s.AvailableIpAddressCount = 4091;
      s.AvailabilityZone = x.zone;
      s.AvailabilityZoneId = x.zone_id;
      s.DefaultForAz = true;
      s.MapPublicIpOnLaunch = true;
      ensure(out.Subnets).push_back(std::move(s));
    }
    return out;
  };
  gate_->add<op::DescribeSubnets>(std::move(subnets));

  access::Row<op::DescribeSecurityGroups> groups{.needs = {{.action = "ec2:DescribeSecurityGroups"}}};
  groups.read_only = true;
  groups.handler = [this](const Allowed<DescribeSecurityGroupsRequest>& r) -> Result<DescribeSecurityGroupsResult> {
    TRY_VOID(dry_run(r.input));
    TRY_VOID(default_vpc(r.call.caller->account, r.call.region));
    auto all = groups_of(r.call.caller->account, r.call.region);
    auto has = [&](auto matches) { return std::any_of(all.begin(), all.end(), matches); };
    for (auto& id : or_empty(r.input.GroupIds)) {
      if (!id.starts_with("sg-")) return fail(kGroupIdMalformed, "Invalid id: \"" + id + "\" (expecting \"sg-...\")");
      if (!has([&](auto& g) { return g.id == id; }))
        return fail(kGroupNotFound, "The security group '" + id + "' does not exist");
    }
    for (auto& name : or_empty(r.input.GroupNames))
      if (!has([&](auto& g) { return g.name == name; }))
        return fail(kGroupNotFound, "The security group '" + name + "' does not exist in default VPC");
    if (!or_empty(r.input.GroupIds).empty() || !or_empty(r.input.GroupNames).empty())
      std::erase_if(all, [&](auto& g) {
        return std::find(or_empty(r.input.GroupIds).begin(), or_empty(r.input.GroupIds).end(), g.id) ==
                   or_empty(r.input.GroupIds).end() &&
               std::find(or_empty(r.input.GroupNames).begin(), or_empty(r.input.GroupNames).end(), g.name) ==
                   or_empty(r.input.GroupNames).end();
      });
    TRY_VOID((filter<OurGroup>(all, or_empty(r.input.Filters),
                               [](const OurGroup& g, std::string_view name) -> std::optional<std::vector<std::string>> {
                                 if (name == "group-id") return std::vector{g.id};
                                 if (name == "group-name") return std::vector{g.name};
                                 if (name == "vpc-id") return std::vector{g.vpc};
                                 if (name == "owner-id") return std::vector{g.account};
                                 if (name == "description") return std::vector{g.description};
                                 if (name == "ip-permission.cidr") {
                                   std::vector<std::string> out;
                                   for (auto& rule : g.ingress)
                                     if (rule.cidr) out.push_back(rule.cidr->str());
                                   return out;
                                 }
                                 return tag_values(g.tags, name);
                               })));
    DescribeSecurityGroupsResult out;
    std::vector<api::ec2::SecurityGroup> shown_groups;
    for (auto& g : all) {
      api::ec2::SecurityGroup s;
      s.GroupId = g.id;
      s.GroupName = g.name;
      s.Description = g.description;
      s.OwnerId = g.account;
      s.VpcId = g.vpc;
      s.SecurityGroupArn = sg_arn(g);
      s.IpPermissions = shown(g.ingress);
      s.IpPermissionsEgress = shown(g.egress);
      for (auto& [k, v] : g.tags) ensure(s.Tags).push_back({.Key = k, .Value = v});
      shown_groups.push_back(std::move(s));
    }
    TRY(out.SecurityGroups, page(std::move(shown_groups), r.input, out));
    return out;
  };
  gate_->add<op::DescribeSecurityGroups>(std::move(groups));

  access::Row<op::DescribeSecurityGroupRules> rules{.needs = {{.action = "ec2:DescribeSecurityGroupRules"}}};
  rules.read_only = true;
  rules.handler = [this](const Allowed<DescribeSecurityGroupRulesRequest>& r) -> Result<DescribeSecurityGroupRulesResult> {
    TRY_VOID(dry_run(r.input));
    TRY_VOID(default_vpc(r.call.caller->account, r.call.region));
    std::vector<SecurityGroupRule> all;
    for (auto& g : groups_of(r.call.caller->account, r.call.region)) {
      for (auto& rule : g.ingress) all.push_back(shown_rule(g, rule, false));
      for (auto& rule : g.egress) all.push_back(shown_rule(g, rule, true));
    }
    auto& ids = or_empty(r.input.SecurityGroupRuleIds);
    for (auto& id : ids)
      if (std::none_of(all.begin(), all.end(), [&](auto& rule) { return *rule.SecurityGroupRuleId == id; }))
        return fail(kRuleIdNotFound, "The security group rule ID '" + id + "' does not exist");
    if (!ids.empty())
      std::erase_if(all, [&](auto& rule) { return std::find(ids.begin(), ids.end(), *rule.SecurityGroupRuleId) == ids.end(); });
    TRY_VOID((filter<SecurityGroupRule>(
        all, or_empty(r.input.Filters),
        [](const SecurityGroupRule& x, std::string_view name) -> std::optional<std::vector<std::string>> {
          if (name == "group-id") return std::vector{x.GroupId.value_or("")};
          if (name == "security-group-rule-id") return std::vector{x.SecurityGroupRuleId.value_or("")};
          return tag_values({}, name);
        })));
    DescribeSecurityGroupRulesResult out;
    TRY(out.SecurityGroupRules, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::DescribeSecurityGroupRules>(std::move(rules));
}

void Network::declare_rules() {
  // A group is named by id, or by name within the default VPC.
  auto find_group = [this](const std::optional<std::string>& id, const std::optional<std::string>& name,
                           const access::Call& call) -> Result<OurGroup> {
    if (id && !id->starts_with("sg-")) return fail(kGroupIdMalformed, "Invalid id: \"" + *id + "\" (expecting \"sg-...\")");
    if (!id && !name) return fail(kMissingParameter, "The request must contain the parameter groupName or groupId");
    TRY_VOID(default_vpc(call.caller->account, call.region));
    for (auto& g : groups_of(call.caller->account, call.region))
      if (id ? g.id == *id : g.name == *name) return g;
    return fail(kGroupNotFound, "The security group '" + (id ? *id : *name) + "' does not exist");
  };
  auto resource = [find_group](const auto& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
    auto g = find_group(in.GroupId, in.GroupName, call);
    if (!g) {
      if (!in.GroupId) return fail(g.error());
      return std::vector{
          access::Resource{.arn = make_arn("ec2", call.region, call.caller->account, "security-group/" + *in.GroupId),
                           .account = call.caller->account,
                           .missing = g.error()}};
    }
    access::Resource r{.arn = sg_arn(*g), .account = g->account};
    r.tags.insert(g->tags.begin(), g->tags.end());
    r.context.emplace_back("ec2:Vpc", std::vector{make_arn("ec2", g->region, g->account, "vpc/" + g->vpc)});
    r.context.emplace_back("ec2:SecurityGroupID", std::vector{g->id});
    return std::vector{r};
  };

  access::Row<op::AuthorizeSecurityGroupIngress> authorize{
      .needs = {{.action = "ec2:AuthorizeSecurityGroupIngress", .resources = resource}}};
  authorize.handler =
      [this, find_group](const Allowed<AuthorizeSecurityGroupIngressRequest>& r) -> Result<AuthorizeSecurityGroupIngressResult> {
    if (!or_empty(r.input.TagSpecifications).empty())
      return fail(kUnsupported, "TagSpecifications of security group rules are not supported by this server.");
    TRY(auto group, find_group(r.input.GroupId, r.input.GroupName, r.call));
    TRY(auto rules, rules_of(r.input, group));
    TRY_VOID(dry_run(r.input));
    AuthorizeSecurityGroupIngressResult out{.Return = true};
    TRY_VOID(update_group(group.id, [&](OurGroup& g) -> Result<void> {
      for (auto& rule : rules) {
        for (auto& old : g.ingress)
          if (old.same_as(rule)) return fail(kRuleDuplicate, "the specified rule \"" + peer_text(rule) + "\" already exists");
        TRY_VOID(check_description(rule.description));
        // Groups of other accounts are not here, whether they exist or not.
        auto source = rule.group.empty() ? std::nullopt : this->group(rule.group);
        if (!rule.group.empty() && (!source || source->account != g.account || source->vpc != g.vpc))
          return fail(kGroupNotFound, "The security group '" + rule.group + "' does not exist");
        if (g.ingress.size() >= 60) return fail(kRuleLimit, "The maximum number of rules per security group has been reached.");
        rule.id = new_hex_id("sgr-");
        g.ingress.push_back(rule);
        ensure(out.SecurityGroupRules).push_back(shown_rule(g, rule, false));
      }
      return {};
    }));
    return out;
  };
  gate_->add<op::AuthorizeSecurityGroupIngress>(std::move(authorize));

  access::Row<op::RevokeSecurityGroupIngress> revoke{
      .needs = {{.action = "ec2:RevokeSecurityGroupIngress", .resources = resource}}};
  revoke.handler = [this,
                    find_group](const Allowed<RevokeSecurityGroupIngressRequest>& r) -> Result<RevokeSecurityGroupIngressResult> {
    TRY(auto group, find_group(r.input.GroupId, r.input.GroupName, r.call));
    std::vector<Rule> rules;
    if (or_empty(r.input.SecurityGroupRuleIds).empty()) {
      TRY(rules, rules_of(r.input, group));
    }
    TRY_VOID(dry_run(r.input));
    TRY_VOID(update_group(group.id, [&](OurGroup& g) -> Result<void> {
      for (auto& id : or_empty(r.input.SecurityGroupRuleIds))
        if (!std::erase_if(g.ingress, [&](auto& old) { return old.id == id; }))
          return fail(kRuleIdNotFound, "The security group rule ID '" + id + "' does not exist");
      for (auto& rule : rules)
        if (!std::erase_if(g.ingress, [&](auto& old) { return old.same_as(rule); }))
          return fail(kRuleNotFound, "The specified rule does not exist in this security group.");
      return {};
    }));
    return RevokeSecurityGroupIngressResult{.Return = true};
  };
  gate_->add<op::RevokeSecurityGroupIngress>(std::move(revoke));
}

}  // namespace redoubt::network
