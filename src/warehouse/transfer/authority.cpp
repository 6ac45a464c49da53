#include "warehouse/transfer/authority.h"

#include "api/sts.h"
#include "base/arn.h"
#include "base/ids.h"
#include "base/text.h"

namespace redoubt::warehouse::transfer {
namespace {

constexpr int64_t kRenewBeforeSeconds = 120;
constexpr std::string_view kService = "redshift.amazonaws.com";

bool is_role_arn(std::string_view s) {
  auto arn = Arn::parse(s);
  if (!arn || arn->partition != "aws" || arn->service != "iam" || !arn->region.empty()) return false;
  if (arn->account.size() != 12 || !std::all_of(arn->account.begin(), arn->account.end(), is_digit)) return false;
  std::string_view resource = arn->resource;
  if (!resource.starts_with("role/") || resource.size() == 5 || resource.ends_with('/') || s.size() > 2048) return false;
  for (char c : resource)
    if (c <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) return false;
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> role_chain_hops(std::string_view chain) {
  std::vector<std::string> out;
  for (auto hop : split(chain, ',')) {
    if (!is_role_arn(hop) || out.size() == Authority::kChainMax) return std::nullopt;
    out.emplace_back(hop);
  }
  return out;
}

Authority::Authority(access::Gate& gate, const ClusterRoles& roles, const Context& context)
    : gate_(gate),
      roles_(roles),
      cluster_(context.cluster),
      dbuser_(dbuser_arn(cluster_.region, cluster_.account, cluster_.identifier, context.db_user)) {
  where_.query = context.query;
  where_.pid = context.pid;
  // The cluster's own traffic over TLS, wherever the SQL client sits. As on AWS its address is none that a policy would list:
  // aws:SourceIp is 0.0.0.0, which only 0.0.0.0/0 covers.
  api::NetworkPath path;
  path.peer = Ip::v4(0);
  path.tls = true;
  path.tls_version = "TLSv1.3";
  root_ = gate_.new_call(access::service_caller(kService), path);
  root_.region = cluster_.region;
  root_.user_agent = std::string(kService);
}

Error Authority::denied() const {
  Where where = where_;
  where.context = "IAM Role=" + chain_;
  where.location = "xen_aws_credentials_mgr.cpp:321";
  return not_authorized_to_assume(dbuser_, chain_, where);
}

Result<std::unique_ptr<Authority>> Authority::become(access::Gate& gate, const ClusterRoles& roles,
                                                     const Authorization& authorization, const Context& context) {
  std::unique_ptr<Authority> self(new Authority(gate, roles, context));
  if (!authorization.access_key_id.empty()) {
    TRY_VOID(self->take_keys(authorization));
  } else {
    TRY_VOID(self->take_chain(authorization));
  }
  return self;
}

Result<void> Authority::take_keys(const Authorization& authorization) {
  auto call = gate_.call_with_credentials(root_, authorization.access_key_id, authorization.secret_access_key,
                                          authorization.session_token);
  if (!call) {
    Where where = where_;
    where.context = "Checking credentials";
    where.location = "s3_utility.cpp:654";
    return fail(s3_error(call.error(), root_.request_id, where));
  }
  current_ = std::move(*call);
  return {};
}

Result<void> Authority::take_chain(const Authorization& authorization) {
  chain_ = authorization.role_chain;
  if (authorization.default_role) {
    chain_ = roles_.default_role ? roles_.default_role(cluster_) : std::string();
    if (chain_.empty()) {
      Where where = where_;
      where.context = "IAM Role=default";
      where.location = "xen_aws_credentials_mgr.cpp:411";
      return fail(
          detailed(kTransferFailed, "The cluster has no default IAM role. Set one, or name a role after IAM_ROLE", where));
    }
  }
  auto hops = role_chain_hops(chain_);
  if (!hops || !roles_.attached || !roles_.attached(cluster_, hops->front())) return fail(denied());
  hops_ = std::move(*hops);
  TRY(current_, walk());
  return {};
}

Result<access::Call> Authority::walk() {
  access::Call call = gate_.call_as_service(root_, kService);
  call.source_account = cluster_.account;
  call.source_arn = "arn:aws:redshift:" + cluster_.region + ":" + cluster_.account + ":cluster:" + cluster_.identifier;
  for (size_t i = 0; i < hops_.size(); ++i) {
    api::sts::AssumeRoleRequest request;
    request.RoleArn = hops_[i];
    request.RoleSessionName = std::string(kSessionName);
    // Only the first hop speaks for a database user: a later one that asked for this id could be had by any cluster.
    if (i == 0) request.ExternalId = dbuser_;
    call.request_id = new_request_id();
    auto session = gate_.call<api::sts::op::AssumeRole>(call, request);
    if (!session || !session->Credentials) return fail(denied());
    auto& c = *session->Credentials;
    auto next = gate_.call_with_credentials(root_, c.AccessKeyId, c.SecretAccessKey, c.SessionToken);
    if (!next) return fail(denied());
    call = std::move(*next);
  }
  return call;
}

Result<access::Call> Authority::call() {
  std::lock_guard lock(mutex_);
  Timestamp now = gate_.clock().now();
  if (!hops_.empty() && current_.caller->expires < now.plus_seconds(kRenewBeforeSeconds)) {
    // A role that was taken from the cluster meanwhile isn't renewed.
    if (!roles_.attached(cluster_, hops_.front())) return fail(denied());
    TRY(current_, walk());
  }
  access::Call out = current_;
  out.now = now;
  out.request_id = new_request_id();
  return out;
}

}  // namespace redoubt::warehouse::transfer
