#include "api/redshift.h"

#include "base/arn.h"
#include "base/text.h"
#include "stacks/providers/values.h"

namespace redoubt::stacks {

using namespace api::redshift;

namespace {

Result<Made> described(const ProviderContext& c, const std::string& id) {
  DescribeClustersMessage in;
  in.ClusterIdentifier = id;
  TRY(auto out, call<op::DescribeClusters>(c, in));
  auto& clusters = or_empty(out.Clusters);
  if (clusters.empty() || !clusters[0].Endpoint) return fail(kValidation, "Cluster " + id + " did not become available.");
  auto& cluster = clusters[0];
  Made m{id};
  m.attributes.set("Id", id)
      .set("Endpoint.Address", cluster.Endpoint->Address.value_or(""))
      .set("Endpoint.Port", std::to_string(cluster.Endpoint->Port.value_or(0)));
  m.attributes.set("ClusterNamespaceArn", cluster.ClusterNamespaceArn.value_or(""));
  return m;
}

Result<Made> create_cluster(const ProviderContext& c, const Json& p) {
  CreateClusterMessage in;
  in.ClusterIdentifier = to_lower(text(p, "ClusterIdentifier").value_or(c.generated_name));
  in.NodeType = text(p, "NodeType").value_or("");
  in.MasterUsername = text(p, "MasterUsername").value_or("");
  in.MasterUserPassword = text(p, "MasterUserPassword");
  in.ManageMasterPassword = boolean(p, "ManageMasterPassword");
  in.DBName = text(p, "DBName");
  in.ClusterType = text(p, "ClusterType");
  in.NumberOfNodes = integer(p, "NumberOfNodes");
  if (p.has("IamRoles")) in.IamRoles = strings(p, "IamRoles");
  if (p.has("VpcSecurityGroupIds")) in.VpcSecurityGroupIds = strings(p, "VpcSecurityGroupIds");
  in.ClusterSubnetGroupName = text(p, "ClusterSubnetGroupName");
  in.Port = integer(p, "Port");
  in.PubliclyAccessible = boolean(p, "PubliclyAccessible");
  in.Encrypted = boolean(p, "Encrypted");
  in.KmsKeyId = text(p, "KmsKeyId");
  in.EnhancedVpcRouting = boolean(p, "EnhancedVpcRouting");
  in.AvailabilityZone = text(p, "AvailabilityZone");
  if (auto tags = tags_of(c, p); !tags.empty()) in.Tags = tag_list<Tag>(tags);
  TRY_VOID(call<op::CreateCluster>(c, in));
  auto made = described(c, in.ClusterIdentifier);
  if (!made) return half_made(std::move(made.error()), in.ClusterIdentifier);
  return made;
}

Result<Made> update_cluster(const ProviderContext& c, const std::string& id, const Json& before, const Json& after) {
  ModifyClusterMessage in{.ClusterIdentifier = id};
  bool any = false;
  auto changed = [&](std::string_view name) {
    bool yes = before[name] != after[name];
    any = any || yes;
    return yes;
  };
  if (changed("MasterUserPassword")) in.MasterUserPassword = text(after, "MasterUserPassword");
  if (changed("VpcSecurityGroupIds")) in.VpcSecurityGroupIds = strings(after, "VpcSecurityGroupIds");
  if (changed("PubliclyAccessible")) in.PubliclyAccessible = boolean(after, "PubliclyAccessible").value_or(false);
  if (changed("EnhancedVpcRouting")) in.EnhancedVpcRouting = boolean(after, "EnhancedVpcRouting").value_or(false);
  if (changed("ManageMasterPassword")) in.ManageMasterPassword = boolean(after, "ManageMasterPassword").value_or(false);
  if (changed("Encrypted")) in.Encrypted = boolean(after, "Encrypted").value_or(false);
  if (changed("NodeType")) in.NodeType = text(after, "NodeType");
  if (changed("NumberOfNodes")) in.NumberOfNodes = integer(after, "NumberOfNodes");
  if (changed("ClusterType")) in.ClusterType = text(after, "ClusterType");
  if (any) TRY_VOID(call<op::ModifyCluster>(c, in));
  auto old_roles = strings(before, "IamRoles"), new_roles = strings(after, "IamRoles");
  if (old_roles != new_roles) {
    ModifyClusterIamRolesMessage roles{.ClusterIdentifier = id};
    roles.AddIamRoles = added(old_roles, new_roles);
    roles.RemoveIamRoles = added(new_roles, old_roles);
    TRY_VOID(call<op::ModifyClusterIamRoles>(c, roles));
  }
  auto tags = tag_change(c, before, after);
  auto arn = make_arn("redshift", c.region, c.account, "cluster:" + id);
  if (!tags.gone.empty()) TRY_VOID(call<op::DeleteTags>(c, {.ResourceName = arn, .TagKeys = tags.gone}));
  if (!tags.set.empty()) TRY_VOID(call<op::CreateTags>(c, {.ResourceName = arn, .Tags = tag_list<Tag>(tags.set)}));
  return described(c, id);
}

}  // namespace

std::vector<Provider> redshift_providers() {
  std::vector<Provider> out;
  out.push_back({.type = "AWS::Redshift::Cluster",
                 .properties = {{"ClusterIdentifier", Shape::text, OnChange::replace},
                                {"ClusterType", Shape::text, OnChange::in_place, true},
                                {"DBName", Shape::text, OnChange::replace, true},
                                {"MasterUsername", Shape::text, OnChange::replace, true},
                                {"MasterUserPassword"},
                                {"ManageMasterPassword", Shape::boolean},
                                {"NodeType", Shape::text, OnChange::in_place, true},
                                {"NumberOfNodes", Shape::integer},
                                {"IamRoles", Shape::texts},
                                {"VpcSecurityGroupIds", Shape::texts},
                                {"ClusterSubnetGroupName", Shape::text, OnChange::replace},
                                {"Port", Shape::integer, OnChange::replace},
                                {"PubliclyAccessible", Shape::boolean},
                                {"Encrypted", Shape::boolean},
                                {"KmsKeyId", Shape::text, OnChange::replace},
                                {"EnhancedVpcRouting", Shape::boolean},
                                {"AvailabilityZone", Shape::text, OnChange::replace},
                                {"Tags", Shape::tags}},
                 .attributes = {"Id", "Endpoint.Address", "Endpoint.Port", "ClusterNamespaceArn"},
                 .name_property = "ClusterIdentifier",
                 .name_max = 63,
                 .lower_case_name = true,
                 .create = create_cluster,
                 .update = update_cluster,
                 .remove =
                     [](const ProviderContext& c, const std::string& id, const Json&) {
                       DeleteClusterMessage in{.ClusterIdentifier = id};
                       in.SkipFinalClusterSnapshot = true;
                       return unless_gone(dropped(call<op::DeleteCluster>(c, in)));
                     },
                 .find_made = [](const ProviderContext& c, const Json& p) -> Result<std::string> {
                   auto id = to_lower(text(p, "ClusterIdentifier").value_or(c.generated_name));
                   DescribeClustersMessage in;
                   in.ClusterIdentifier = id;
                   auto out = call<op::DescribeClusters>(c, in);
                   if (!out) return is_gone(out.error()) ? Result<std::string>("") : fail(std::move(out.error()));
                   auto& found = or_empty(out->Clusters);
                   return !found.empty() && found[0].ClusterCreateTime && *found[0].ClusterCreateTime >= c.started
                              ? id
                              : std::string();
                 }});
  return out;
}

}  // namespace redoubt::stacks
