/// The rows of the Redshift API and their handlers.
#include <set>

#include "api/redshift.h"
#include "base/optional.h"
#include "base/text.h"
#include "warehouse/control/runtime.h"

namespace redoubt::warehouse::control {

using namespace api::redshift;
using access::Allowed;
using access::Call;

namespace {

using Resources = Result<std::vector<access::Resource>>;

Result<void> check_identifier(const std::string& id) {
  bool good = !id.empty() && id.size() <= 63 && id[0] >= 'a' && id[0] <= 'z' && id.back() != '-' && id.find("--") == id.npos;
  for (char c : id) good = good && ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-');
  if (!good)
    return fail(
        kInvalidParameterValue,
        "The parameter ClusterIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only "
        "lowercase ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");
  return {};
}

Result<void> check_name(std::string_view parameter, const std::string& name, size_t max) {
  bool good = !name.empty() && name.size() <= max && name[0] >= 'a' && name[0] <= 'z' && name != "public";
  for (char c : name)
    good =
        good && ((c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '+' || c == '.' || c == '@' || c == '-' || c == '$');
  if (!good)
    return fail(kInvalidParameterValue, "The parameter " + std::string(parameter) +
                                            " is not valid: it must begin with a lowercase letter, contain only lowercase "
                                            "letters, digits and _+.@-, have at most " +
                                            std::to_string(max) + " characters and not be PUBLIC.");
  return {};
}

Result<void> check_password(const std::string& p) {
  bool upper = false, lower = false, digit = false, good = p.size() >= 8 && p.size() <= 64;
  for (char c : p) {
    upper |= c >= 'A' && c <= 'Z';
    lower |= c >= 'a' && c <= 'z';
    digit |= is_digit(c);
    good = good && c >= 33 && c <= 126 && c != '\'' && c != '"' && c != '\\' && c != '/' && c != '@';
  }
  if (!good || !upper || !lower || !digit)
    return fail(kInvalidParameterValue,
                "The parameter MasterUserPassword is not a valid password. It must have 8 to 64 printable ASCII characters "
                "except ', \", \\, / and @, with at least one uppercase letter, one lowercase letter and one number.");
  return {};
}

bool is_node_type(std::string_view t) {
  static const std::set<std::string_view> known{"dc1.large",   "dc1.8xlarge", "dc2.large",  "dc2.8xlarge", "ds2.xlarge",
                                                "ds2.8xlarge", "ra3.large",   "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"};
  return known.contains(t);
}

template <class Tags>
Result<void> set_tags(ClusterRecord& c, const Tags& tags) {
  for (auto& t : tags) {
    auto key = t.Key.value_or("");
    if (key.empty() || key.size() > 128 || t.Value.value_or("").size() > 256)
      return fail(kInvalidTag, "The tag is not valid: a key has 1 to 128, a value at most 256 characters.");
    if (to_lower(key).starts_with("aws:"))
      return fail(kInvalidTag, "The tag key " + key + " begins with the reserved prefix aws:.");
    c.tags[key] = t.Value.value_or("");
  }
  if (c.tags.size() > 50) return fail(kTagLimit, "You have exceeded the number of tags allowed: 50.");
  return {};
}

template <class Tags>
void set_request_tags(const Tags& tags, policy::Context& context) {
  std::vector<std::string> names;
  for (auto& t : tags) {
    context.set("aws:RequestTag/" + t.Key.value_or(""), t.Value.value_or(""));
    names.push_back(t.Key.value_or(""));
  }
  if (!names.empty()) context.set_list("aws:TagKeys", names);
}

/// iam:PassRole for every role that a request attaches.
template <class In>
access::Need<In> pass_role(std::function<std::vector<std::string>(const In&)> roles) {
  return {.action = "iam:PassRole",
          .resources = [roles](const In& in, const Call& call) -> Resources {
            std::vector<access::Resource> out;
            for (auto& arn : roles(in)) {
              auto parsed = Arn::parse(arn);
              out.push_back({.arn = arn, .account = parsed ? parsed->account : call.caller->account});
            }
            return out;
          },
          .context = [](const In&, const Call&, policy::Context& c) { c.set("iam:PassedToService", "redshift.amazonaws.com"); },
          .when = [roles](const In& in, const Call&) { return !roles(in).empty(); }};
}

/// One page of `all` by MaxRecords and Marker.
template <class Item, class In, class Out>
Result<std::vector<Item>> page(std::vector<Item> all, const In& in, Out& out) {
  size_t from = 0, limit = size_t(in.MaxRecords.value_or(100));
  if (limit < 20 || limit > 100) return fail(kInvalidParameterValue, "Invalid value for MaxRecords. Must be between 20 and 100.");
  if (in.Marker && !in.Marker->empty()) {
    auto position = parse_int(*in.Marker);
    if (!position || *position < 0 || size_t(*position) > all.size()) return fail(kInvalidParameterValue, "Invalid Marker.");
    from = size_t(*position);
  }
  size_t to = std::min(all.size(), from + limit);
  if (to < all.size()) out.Marker = std::to_string(to);
  return std::vector<Item>(std::make_move_iterator(all.begin() + long(from)), std::make_move_iterator(all.begin() + long(to)));
}

Cluster shape_of(const ClusterRecord& c) {
  Cluster s;
  s.ClusterIdentifier = c.id;
  s.NodeType = c.node_type;
  s.ClusterStatus = std::string(status_name(c.status));
  s.ClusterAvailabilityStatus = c.status == Status::available ? "Available"
                                : c.status == Status::paused  ? "Unavailable"
                                                              : "Modifying";
  s.MasterUsername = c.master_user;
  s.DBName = c.database;
  if (c.status == Status::available) {
    api::redshift::Endpoint e;
    e.Address = c.address;
    e.Port = c.port;
    s.Endpoint = std::move(e);
  }
  s.ClusterCreateTime = c.created;
  s.AutomatedSnapshotRetentionPeriod = 0;
  s.ManualSnapshotRetentionPeriod = -1;
  for (auto& g : c.security_groups) ensure(s.VpcSecurityGroups).push_back({.VpcSecurityGroupId = g, .Status = "active"});
  ClusterParameterGroupStatus parameters;
  parameters.ParameterGroupName = "default.redshift-1.0";
  parameters.ParameterApplyStatus = "in-sync";
  ensure(s.ClusterParameterGroups).push_back(std::move(parameters));
  s.ClusterSubnetGroupName = "default";
  s.VpcId = c.vpc;
  s.AvailabilityZone = c.zone;
  s.PreferredMaintenanceWindow = "sun:05:00-sun:05:30";
  s.PendingModifiedValues.emplace();
  s.ClusterVersion = "1.0";
  // Clients index these without asking whether they are there: AWS sends empty lists.
  ensure(s.IamRoles);
  ensure(s.Tags);
  ensure(s.ClusterSecurityGroups);
  ensure(s.VpcSecurityGroups);
  s.AllowVersionUpgrade = true;
  s.NumberOfNodes = c.nodes;
  s.PubliclyAccessible = c.publicly_accessible;
  s.Encrypted = true;
  s.EnhancedVpcRouting = c.enhanced_vpc_routing;
  for (auto& r : c.iam_roles) ensure(s.IamRoles).push_back({.IamRoleArn = r, .ApplyStatus = "in-sync"});
  if (!c.default_iam_role.empty()) s.DefaultIamRoleArn = c.default_iam_role;
  s.MaintenanceTrackName = "current";
  s.ClusterNamespaceArn = c.namespace_arn();
  for (auto& [k, v] : c.tags) ensure(s.Tags).push_back({.Key = k, .Value = v});
  ensure(s.ClusterNodes).push_back({.NodeRole = c.nodes == 1 ? "SHARED" : "LEADER", .PrivateIPAddress = c.address});
  return s;
}

std::string refused(std::string_view parameter) {
  return "The parameter " + std::string(parameter) + " is not supported by this server.";
}

}  // namespace

void Control::declare(access::Gate& gate) {
  gate_ = &gate;
  declare_clusters();
  declare_roles();
  declare_tags();
  declare_credentials();
}

void Control::declare_clusters() {
  auto on_cluster = [this](const auto& in, const Call& call) -> Resources {
    return std::vector{resource(in.ClusterIdentifier, call)};
  };

  access::Row<op::CreateCluster> create{
      .needs = {{.action = "redshift:CreateCluster",
                 .resources = [](const CreateClusterMessage& in, const Call& call) -> Resources {
                   return std::vector{access::Resource{
                       .arn = make_arn("redshift", call.region, call.caller->account, "cluster:" + in.ClusterIdentifier),
                       .account = call.caller->account}};
                 },
                 .context = [](const CreateClusterMessage& in, const Call&,
                               policy::Context& c) { set_request_tags(or_empty(in.Tags), c); }},
                pass_role<CreateClusterMessage>([](const CreateClusterMessage& in) {
                  auto roles = or_empty(in.IamRoles);
                  if (in.DefaultIamRoleArn && !in.DefaultIamRoleArn->empty()) roles.push_back(*in.DefaultIamRoleArn);
                  return roles;
                })}};
  create.secret_members = {"MasterUserPassword"};
  create.handler = [this](const Allowed<CreateClusterMessage>& r) -> Result<CreateClusterResult> {
    auto& in = r.input;
    TRY_VOID(check_identifier(in.ClusterIdentifier));
    TRY_VOID(check_name("MasterUsername", in.MasterUsername, 128));
    if (in.ManageMasterPassword.value_or(false)) return fail(kUnsupportedOperation, refused("ManageMasterPassword"));
    if (!in.MasterUserPassword) return fail(kMissingParameter, "The request must contain the parameter MasterUserPassword.");
    TRY_VOID(check_password(*in.MasterUserPassword));
    if (!is_node_type(in.NodeType)) return fail(kInvalidParameterValue, "Invalid node type: " + in.NodeType);
    if (in.Encrypted && !*in.Encrypted)
      return fail(kInvalidParameterValue, "Unencrypted clusters are not supported; Encrypted must be true.");
    for (auto [set, name] :
         {std::pair{in.KmsKeyId.has_value(), "KmsKeyId"},
          {in.HsmClientCertificateIdentifier.has_value(), "HsmClientCertificateIdentifier"},
          {in.HsmConfigurationIdentifier.has_value(), "HsmConfigurationIdentifier"},
          {in.ElasticIp.has_value(), "ElasticIp"},
          {!or_empty(in.ClusterSecurityGroups).empty(), "ClusterSecurityGroups"},
          {in.SnapshotScheduleIdentifier.has_value(), "SnapshotScheduleIdentifier"},
          {in.LoadSampleData.has_value(), "LoadSampleData"},
          {in.MultiAZ.value_or(false), "MultiAZ"},
          {in.CatalogName.has_value(), "CatalogName"},
          {in.RedshiftIdcApplicationArn.has_value(), "RedshiftIdcApplicationArn"},
          {in.ClusterSubnetGroupName && *in.ClusterSubnetGroupName != "default", "ClusterSubnetGroupName"},
          {in.ClusterParameterGroupName && *in.ClusterParameterGroupName != "default.redshift-1.0", "ClusterParameterGroupName"}})
      if (set) return fail(kUnsupportedOperation, refused(name));
    ClusterRecord c{.account = r.call.caller->account, .region = r.call.region, .id = in.ClusterIdentifier};
    if (in.ClusterType && *in.ClusterType != "single-node" && *in.ClusterType != "multi-node")
      return fail(kInvalidParameterValue, "Invalid cluster type: " + *in.ClusterType);
    bool multi = in.ClusterType ? *in.ClusterType == "multi-node" : in.NumberOfNodes.value_or(1) > 1;
    c.nodes = int(in.NumberOfNodes.value_or(1));
    if (multi && c.nodes < 2)
      return fail(kInvalidCombination, "Number of nodes for cluster type multi-node must be greater than or equal to 2");
    if (!multi && c.nodes != 1) return fail(kInvalidCombination, "Number of nodes for cluster type single-node must be 1");
    if (c.nodes > 100) return fail(kInvalidParameterValue, "Number of nodes must be between 1 and 100.");
    c.node_type = in.NodeType;
    c.master_user = in.MasterUsername;
    c.first_password = *in.MasterUserPassword;
    if (in.DBName && !in.DBName->empty()) {
      TRY_VOID(check_name("DBName", *in.DBName, 64));
      c.database = *in.DBName;
    }
    c.publicly_accessible = in.PubliclyAccessible.value_or(false);
    c.enhanced_vpc_routing = in.EnhancedVpcRouting.value_or(false);
    int port = int(in.Port.value_or(5439));
    if (port < 1150 || port > 65535) return fail(kInvalidParameterValue, "Invalid port number: must be between 1150 and 65535.");
    TRY(auto network, options_.default_network(c.account, c.region));
    c.vpc = network.first;
    c.zone = in.AvailabilityZone.value_or(c.region + "a");
    c.security_groups = or_empty(in.VpcSecurityGroupIds);
    for (auto& g : c.security_groups)
      if (!options_.group_exists(c.account, c.region, g))
        return fail(kInvalidParameterValue, "The security group " + g + " does not exist.");
    if (c.security_groups.empty()) c.security_groups = {network.second};
    for (auto& role : or_empty(in.IamRoles))
      if (!gate_->directory().role_exists(role))
        return fail(kInvalidParameterValue, "The IAM role " + role + " is not valid or does not exist.");
    c.iam_roles = or_empty(in.IamRoles);
    if (in.DefaultIamRoleArn && !in.DefaultIamRoleArn->empty()) {
      if (std::find(c.iam_roles.begin(), c.iam_roles.end(), *in.DefaultIamRoleArn) == c.iam_roles.end())
        return fail(kInvalidParameterValue,
                    "The default IAM role " + *in.DefaultIamRoleArn + " must be one of the cluster's IAM roles.");
      c.default_iam_role = *in.DefaultIamRoleArn;
    }
    TRY_VOID(set_tags(c, or_empty(in.Tags)));
    if (find(c.account, c.region, c.id)) return fail(kClusterAlreadyExists, "Cluster already exists");
    TRY(auto at, front_.reserve(port));
    c.address = at.host;
    c.port = at.port;
    TRY(auto made, this->create(std::move(c)));
    // It is ready now; the answer says what AWS's does, and the next DescribeClusters says "available".
    auto shown = shape_of(made->snapshot());
    shown.ClusterStatus = "creating";
    shown.ClusterAvailabilityStatus = "Modifying";
    shown.Endpoint.reset();
    return CreateClusterResult{.Cluster = std::move(shown)};
  };
  gate_->add<op::CreateCluster>(std::move(create));

  access::Row<op::DescribeClusters> describe{
      .needs = {{.action = "redshift:DescribeClusters",
                 .resources = [this](const DescribeClustersMessage& in, const Call& call) -> Resources {
                   if (in.ClusterIdentifier) return std::vector{resource(*in.ClusterIdentifier, call)};
                   return std::vector{
                       access::Resource{.arn = make_arn("redshift", call.region, call.caller->account, "cluster:*"),
                                        .account = call.caller->account}};
                 }}}};
  describe.read_only = true;
  describe.handler = [this](const Allowed<DescribeClustersMessage>& r) -> Result<ClustersMessage> {
    std::vector<api::redshift::Cluster> all;
    if (r.input.ClusterIdentifier) {
      TRY(auto c, require(*r.input.ClusterIdentifier, r.call));
      all.push_back(shape_of(c->snapshot()));
    } else {
      for (auto& c : list(r.call.caller->account, r.call.region)) {
        auto record = c->snapshot();
        auto& keys = or_empty(r.input.TagKeys);
        auto& values = or_empty(r.input.TagValues);
        bool match = keys.empty() && values.empty();
        for (auto& [k, v] : record.tags)
          match = match || std::find(keys.begin(), keys.end(), k) != keys.end() ||
                  std::find(values.begin(), values.end(), v) != values.end();
        if (match) all.push_back(shape_of(record));
      }
    }
    ClustersMessage out;
    TRY(out.Clusters, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::DescribeClusters>(std::move(describe));

  access::Row<op::ModifyCluster> modify{.needs = {{.action = "redshift:ModifyCluster", .resources = on_cluster}}};
  modify.secret_members = {"MasterUserPassword"};
  modify.handler = [this](const Allowed<ModifyClusterMessage>& r) -> Result<ModifyClusterResult> {
    auto& in = r.input;
    for (auto [set, name] : {std::pair{in.ClusterType.has_value(), "ClusterType"},
                             {in.NodeType.has_value(), "NodeType"},
                             {in.NumberOfNodes.has_value(), "NumberOfNodes"},
                             {!or_empty(in.ClusterSecurityGroups).empty(), "ClusterSecurityGroups"},
                             {in.ClusterParameterGroupName.has_value(), "ClusterParameterGroupName"},
                             {in.NewClusterIdentifier.has_value(), "NewClusterIdentifier"},
                             {in.ElasticIp.has_value(), "ElasticIp"},
                             {in.KmsKeyId.has_value(), "KmsKeyId"},
                             {in.Port.has_value(), "Port"},
                             {in.ManageMasterPassword.value_or(false), "ManageMasterPassword"},
                             {in.Encrypted.has_value() && !*in.Encrypted, "Encrypted"},
                             {in.AvailabilityZone.has_value(), "AvailabilityZone"},
                             {in.MultiAZ.value_or(false), "MultiAZ"},
                             {in.ClusterVersion.has_value(), "ClusterVersion"}})
      if (set) return fail(kUnsupportedOperation, refused(name));
    TRY(auto c, require(in.ClusterIdentifier, r.call));
    auto now = c->snapshot();
    for (auto& g : or_empty(in.VpcSecurityGroupIds))
      if (!options_.group_exists(now.account, now.region, g))
        return fail(kInvalidParameterValue, "The security group " + g + " does not exist.");
    if (in.MasterUserPassword) {
      TRY_VOID(check_password(*in.MasterUserPassword));
      TRY(auto sql, service(now.account, now.region, now.id));
      TRY_VOID(sql->set_password(now.master_user, *in.MasterUserPassword));
    }
    TRY_VOID(update(c, [&](ClusterRecord& x) -> Result<void> {
      if (!or_empty(in.VpcSecurityGroupIds).empty()) x.security_groups = or_empty(in.VpcSecurityGroupIds);
      if (in.PubliclyAccessible) x.publicly_accessible = *in.PubliclyAccessible;
      if (in.EnhancedVpcRouting) x.enhanced_vpc_routing = *in.EnhancedVpcRouting;
      return {};
    }));
    return ModifyClusterResult{.Cluster = shape_of(c->snapshot())};
  };
  gate_->add<op::ModifyCluster>(std::move(modify));

  access::Row<op::DeleteCluster> remove_row{.needs = {{.action = "redshift:DeleteCluster", .resources = on_cluster}}};
  remove_row.handler = [this](const Allowed<DeleteClusterMessage>& r) -> Result<DeleteClusterResult> {
    auto& in = r.input;
    TRY(auto c, require(in.ClusterIdentifier, r.call));
    bool skip = in.SkipFinalClusterSnapshot.value_or(false);
    if (!skip && !in.FinalClusterSnapshotIdentifier)
      return fail(kInvalidCombination,
                  "FinalClusterSnapshotIdentifier is required when SkipFinalClusterSnapshot is not specified.");
    if (skip && in.FinalClusterSnapshotIdentifier)
      return fail(
          kInvalidCombination,
          "FinalClusterSnapshotIdentifier can not be specified when deleting a cluster with SkipFinalClusterSnapshot true.");
    if (!skip)
      return fail(kUnsupportedOperation,
                  "Final snapshots are not supported by this server; delete the cluster with SkipFinalClusterSnapshot.");
    {
      // From here on nobody finds it; a second DeleteCluster gets ClusterNotFound.
      auto record = c->snapshot();
      std::unique_lock lock(mutex_);
      if (!clusters_.erase(meta::key({record.account, record.region, record.id})))
        return fail(kInvalidClusterState,
                    "There is an operation running on the Cluster. Please try to delete it at a later time.");
    }
    TRY_VOID(update(c, [](ClusterRecord& x) -> Result<void> {
      x.status = Status::deleting;
      return {};
    }));
    stop_cluster(c);
    TRY_VOID(remove(c));
    return DeleteClusterResult{.Cluster = shape_of(c->snapshot())};
  };
  gate_->add<op::DeleteCluster>(std::move(remove_row));

  access::Row<op::RebootCluster> reboot{.needs = {{.action = "redshift:RebootCluster", .resources = on_cluster}}};
  reboot.handler = [this](const Allowed<RebootClusterMessage>& r) -> Result<RebootClusterResult> {
    TRY(auto c, require(r.input.ClusterIdentifier, r.call));
    if (c->snapshot().status != Status::available)
      return fail(kInvalidClusterState, "Cluster " + r.input.ClusterIdentifier + " is not available.");
    stop_cluster(c);
    TRY_VOID(start(c));
    auto shown = shape_of(c->snapshot());
    shown.ClusterStatus = "rebooting";
    return RebootClusterResult{.Cluster = std::move(shown)};
  };
  gate_->add<op::RebootCluster>(std::move(reboot));

  access::Row<op::PauseCluster> pause{.needs = {{.action = "redshift:PauseCluster", .resources = on_cluster}}};
  pause.handler = [this](const Allowed<PauseClusterMessage>& r) -> Result<PauseClusterResult> {
    TRY(auto c, require(r.input.ClusterIdentifier, r.call));
    if (c->snapshot().status != Status::available)
      return fail(kInvalidClusterState, "Cluster " + r.input.ClusterIdentifier + " is not available.");
    TRY_VOID(update(c, [](ClusterRecord& x) -> Result<void> {
      x.status = Status::paused;
      return {};
    }));
    stop_cluster(c);
    return PauseClusterResult{.Cluster = shape_of(c->snapshot())};
  };
  gate_->add<op::PauseCluster>(std::move(pause));

  access::Row<op::ResumeCluster> resume{.needs = {{.action = "redshift:ResumeCluster", .resources = on_cluster}}};
  resume.handler = [this](const Allowed<ResumeClusterMessage>& r) -> Result<ResumeClusterResult> {
    TRY(auto c, require(r.input.ClusterIdentifier, r.call));
    if (c->snapshot().status != Status::paused)
      return fail(kInvalidClusterState, "Cluster " + r.input.ClusterIdentifier + " is not paused.");
    TRY_VOID(start(c));
    TRY_VOID(update(c, [](ClusterRecord& x) -> Result<void> {
      x.status = Status::available;
      return {};
    }));
    return ResumeClusterResult{.Cluster = shape_of(c->snapshot())};
  };
  gate_->add<op::ResumeCluster>(std::move(resume));

  access::Row<op::DescribeLoggingStatus> logging{
      .needs = {{.action = "redshift:DescribeLoggingStatus", .resources = on_cluster}}};
  logging.read_only = true;
  logging.handler = [](const Allowed<DescribeLoggingStatusMessage>&) -> Result<LoggingStatus> {
    LoggingStatus out;
    out.LoggingEnabled = false;  // EnableLogging is not built: audit logs are in the cluster's own stl_ tables
    return out;
  };
  gate_->add<op::DescribeLoggingStatus>(std::move(logging));
}

void Control::declare_roles() {
  access::Row<op::ModifyClusterIamRoles> row{
      .needs = {{.action = "redshift:ModifyClusterIamRoles",
                 .resources = [this](const ModifyClusterIamRolesMessage& in, const Call& call) -> Resources {
                   return std::vector{resource(in.ClusterIdentifier, call)};
                 }},
                pass_role<ModifyClusterIamRolesMessage>([](const ModifyClusterIamRolesMessage& in) {
                  auto roles = or_empty(in.AddIamRoles);
                  if (in.DefaultIamRoleArn && !in.DefaultIamRoleArn->empty()) roles.push_back(*in.DefaultIamRoleArn);
                  return roles;
                })}};
  row.handler = [this](const Allowed<ModifyClusterIamRolesMessage>& r) -> Result<ModifyClusterIamRolesResult> {
    auto& in = r.input;
    TRY(auto c, require(in.ClusterIdentifier, r.call));
    for (auto& role : or_empty(in.AddIamRoles)) {
      auto arn = Arn::parse(role);
      if (!arn || arn->service != "iam" || !arn->resource.starts_with("role/"))
        return fail(kInvalidParameterValue, "The IAM role " + role + " is not a valid role ARN.");
      if (!gate_->directory().role_exists(role))
        return fail(kInvalidParameterValue, "The IAM role " + role + " is not valid or does not exist.");
    }
    TRY_VOID(update(c, [&](ClusterRecord& x) -> Result<void> {
      for (auto& role : or_empty(in.RemoveIamRoles)) {
        std::erase(x.iam_roles, role);
        if (x.default_iam_role == role) x.default_iam_role.clear();
      }
      for (auto& role : or_empty(in.AddIamRoles))
        if (std::find(x.iam_roles.begin(), x.iam_roles.end(), role) == x.iam_roles.end()) x.iam_roles.push_back(role);
      if (x.iam_roles.size() > 50)
        return fail(kInvalidParameterValue, "You can't associate more than 50 IAM roles with a cluster.");
      if (in.DefaultIamRoleArn) {
        if (!in.DefaultIamRoleArn->empty() &&
            std::find(x.iam_roles.begin(), x.iam_roles.end(), *in.DefaultIamRoleArn) == x.iam_roles.end())
          return fail(kInvalidParameterValue,
                      "The default IAM role " + *in.DefaultIamRoleArn + " must be one of the cluster's IAM roles.");
        x.default_iam_role = *in.DefaultIamRoleArn;
      }
      return {};
    }));
    return ModifyClusterIamRolesResult{.Cluster = shape_of(c->snapshot())};
  };
  gate_->add<op::ModifyClusterIamRoles>(std::move(row));
}

void Control::declare_tags() {
  // Only clusters carry tags here: other ARNs are unknown resources.
  auto named = [this](const std::string& arn, const Call& call) -> access::Resource {
    auto parsed = Arn::parse(arn);
    bool cluster = parsed && parsed->service == "redshift" && parsed->account == call.caller->account &&
                   parsed->region == call.region && parsed->resource.starts_with("cluster:");
    if (cluster) {
      auto r = resource(parsed->resource.substr(8), call);
      if (!r.missing) return r;
    }
    return {.arn = arn,
            .account = call.caller->account,
            .missing = Error{&kResourceNotFound, "The resource " + arn + " could not be found."}};
  };
  access::Row<op::CreateTags> create{
      .needs = {{.action = "redshift:CreateTags",
                 .resources = [named](const CreateTagsMessage& in, const Call& call) -> Resources {
                   return std::vector{named(in.ResourceName, call)};
                 },
                 .context = [](const CreateTagsMessage& in, const Call&, policy::Context& c) { set_request_tags(in.Tags, c); }}}};
  create.handler = [this](const Allowed<CreateTagsMessage>& r) -> Result<op::CreateTags::Output> {
    TRY(auto c, require(Arn::parse(r.input.ResourceName)->resource.substr(8), r.call));
    TRY_VOID(update(c, [&](ClusterRecord& x) { return set_tags(x, r.input.Tags); }));
    return {};
  };
  gate_->add<op::CreateTags>(std::move(create));

  access::Row<op::DeleteTags> remove_row{
      .needs = {{.action = "redshift:DeleteTags",
                 .resources = [named](const DeleteTagsMessage& in, const Call& call) -> Resources {
                   return std::vector{named(in.ResourceName, call)};
                 },
                 .context = [](const DeleteTagsMessage& in, const Call&,
                               policy::Context& c) { c.set_list("aws:TagKeys", in.TagKeys); }}}};
  remove_row.handler = [this](const Allowed<DeleteTagsMessage>& r) -> Result<op::DeleteTags::Output> {
    TRY(auto c, require(Arn::parse(r.input.ResourceName)->resource.substr(8), r.call));
    TRY_VOID(update(c, [&](ClusterRecord& x) -> Result<void> {
      for (auto& k : r.input.TagKeys) x.tags.erase(k);
      return {};
    }));
    return {};
  };
  gate_->add<op::DeleteTags>(std::move(remove_row));

  access::Row<op::DescribeTags> describe{
      .needs = {
          {.action = "redshift:DescribeTags", .resources = [named](const DescribeTagsMessage& in, const Call& call) -> Resources {
             if (in.ResourceName) return std::vector{named(*in.ResourceName, call)};
             return std::vector{access::Resource{.account = call.caller->account}};
           }}}};
  describe.read_only = true;
  describe.handler = [this](const Allowed<DescribeTagsMessage>& r) -> Result<TaggedResourceListMessage> {
    auto& in = r.input;
    if (in.ResourceType && *in.ResourceType != "cluster") return TaggedResourceListMessage{};
    std::vector<TaggedResource> all;
    for (auto& c : list(r.call.caller->account, r.call.region)) {
      auto record = c->snapshot();
      if (in.ResourceName && *in.ResourceName != record.arn()) continue;
      for (auto& [k, v] : record.tags) {
        if (!or_empty(in.TagKeys).empty() &&
            std::find(or_empty(in.TagKeys).begin(), or_empty(in.TagKeys).end(), k) == or_empty(in.TagKeys).end())
          continue;
        if (!or_empty(in.TagValues).empty() &&
            std::find(or_empty(in.TagValues).begin(), or_empty(in.TagValues).end(), v) == or_empty(in.TagValues).end())
          continue;
        TaggedResource t;
        t.Tag = Tag{.Key = k, .Value = v};
        t.ResourceName = record.arn();
        t.ResourceType = "cluster";
        all.push_back(std::move(t));
      }
    }
    TaggedResourceListMessage out;
    TRY(out.TaggedResources, page(std::move(all), in, out));
    return out;
  };
  gate_->add<op::DescribeTags>(std::move(describe));
}

void Control::declare_credentials() {
  // Clusters can be named by their endpoint's address instead, as drivers do (facts: CustomDomainName).
  auto cluster_of = [this](const auto& in, const Call& call) -> Result<std::string> {
    if (in.ClusterIdentifier) return *in.ClusterIdentifier;
    if (!in.CustomDomainName) return fail(kMissingParameter, "Either ClusterIdentifier or CustomDomainName must be specified.");
    auto all = list(call.caller->account, call.region);
    for (auto& c : all)
      if (auto r = c->snapshot(); r.address == *in.CustomDomainName) return r.id;
    if (in.CustomDomainName->empty() && all.size() == 1) return all[0]->snapshot().id;
    return fail(kClusterNotFound, "Cluster with custom domain name " + *in.CustomDomainName + " not found.");
  };
  auto database_resource = [](const std::string& cluster, const std::string& database, const Call& call) {
    return access::Resource{.arn = make_arn("redshift", call.region, call.caller->account, "dbname:" + cluster + "/" + database),
                            .account = call.caller->account};
  };
  auto user_resource = [](const std::string& cluster, const std::string& user, const Call& call) {
    return access::Resource{.arn = make_arn("redshift", call.region, call.caller->account, "dbuser:" + cluster + "/" + user),
                            .account = call.caller->account};
  };
  auto seconds_of = [](const std::optional<int64_t>& asked) -> Result<int64_t> {
    int64_t s = asked.value_or(900);
    if (s < 900 || s > 3600)
      return fail(kInvalidParameterValue, "Invalid value for DurationSeconds. Must be between 900 and 3600 seconds.");
    return s;
  };
  auto check_db_name = [](std::string_view parameter, const std::string& name, bool lower_only) -> Result<void> {
    bool good = !name.empty() && name.size() <= 64 && is_alpha(name[0]) && to_lower(name) != "public";
    for (char ch : name)
      good = good && (is_alnum(ch) || ch == '_' || ch == '+' || ch == '.' || ch == '@' || ch == '-') &&
             !(lower_only && ch >= 'A' && ch <= 'Z');
    if (!good) return fail(kInvalidParameterValue, "Invalid value for " + std::string(parameter) + ": " + name + ".");
    return {};
  };

  auto context = [](const GetClusterCredentialsMessage& in, const Call&, policy::Context& c) {
    c.set("redshift:DbUser", in.DbUser);
    if (in.DbName) c.set("redshift:DbName", *in.DbName);
    c.set_int("redshift:DurationSeconds", in.DurationSeconds.value_or(900));
  };
  access::Row<op::GetClusterCredentials> row{
      .needs = {{.action = "redshift:GetClusterCredentials",
                 .resources = [=](const GetClusterCredentialsMessage& in, const Call& call) -> Resources {
                   TRY(auto id, cluster_of(in, call));
                   std::vector out{user_resource(id, in.DbUser, call)};
                   if (in.DbName) out.push_back(database_resource(id, *in.DbName, call));
                   return out;
                 },
                 .context = context},
                {.action = "redshift:JoinGroup",
                 .resources = [=](const GetClusterCredentialsMessage& in, const Call& call) -> Resources {
                   TRY(auto id, cluster_of(in, call));
                   std::vector<access::Resource> out;
                   for (auto& g : or_empty(in.DbGroups))
                     out.push_back({.arn = make_arn("redshift", call.region, call.caller->account, "dbgroup:" + id + "/" + g),
                                    .account = call.caller->account});
                   return out;
                 },
                 .context = context,
                 .when = [](const GetClusterCredentialsMessage& in, const Call&) { return !or_empty(in.DbGroups).empty(); }},
                {.action = "redshift:CreateClusterUser",
                 .resources = [=](const GetClusterCredentialsMessage& in, const Call& call) -> Resources {
                   TRY(auto id, cluster_of(in, call));
                   return std::vector{user_resource(id, in.DbUser, call)};
                 },
                 .context = context,
                 .when = [](const GetClusterCredentialsMessage& in, const Call&) { return in.AutoCreate.value_or(false); }}}};
  row.read_only = true;
  row.secret_members = {"DbPassword"};
  row.handler = [=, this](const Allowed<GetClusterCredentialsMessage>& r) -> Result<ClusterCredentials> {
    auto& in = r.input;
    TRY(auto id, cluster_of(in, r.call));
    TRY(auto c, require(id, r.call));
    TRY_VOID(check_db_name("DbUser", in.DbUser, false));
    if (in.DbName) TRY_VOID(check_db_name("DbName", *in.DbName, false));
    for (auto& g : or_empty(in.DbGroups)) TRY_VOID(check_db_name("DbGroups", g, true));
    TRY(auto seconds, seconds_of(in.DurationSeconds));
    session::TokenIdentity who{.db_user = in.DbUser,
                               .groups = or_empty(in.DbGroups),
                               .auto_create = in.AutoCreate.value_or(false),
                               .database = in.DbName.value_or("")};
    if (!c->tokens) return fail(kInvalidClusterState, "Cluster " + id + " is not available.");
    auto made = c->tokens->make(who, seconds);
    ClusterCredentials out;
    out.DbUser = made.user;
    out.DbPassword = made.password;
    out.Expiration = made.expires;
    return out;
  };
  gate_->add<op::GetClusterCredentials>(std::move(row));

  access::Row<op::DescribeCustomDomainAssociations> domains{.needs = {{.action = "redshift:DescribeCustomDomainAssociations"}}};
  domains.read_only = true;
  domains.handler = [](const Allowed<DescribeCustomDomainAssociationsMessage>& r) -> Result<CustomDomainAssociationsMessage> {
    // Custom domains are not built, so none is associated; for a named one that is AWS's own answer, which drivers expect.
    if (r.input.CustomDomainName)
      return fail(kCustomDomainNotFound, "The custom domain name " + *r.input.CustomDomainName + " was not found.");
    return CustomDomainAssociationsMessage{};
  };
  gate_->add<op::DescribeCustomDomainAssociations>(std::move(domains));
}

}  // namespace redoubt::warehouse::control
