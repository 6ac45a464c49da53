/// CreateBucket to DeleteBucket.
#include "base/crypto.h"
#include "base/ids.h"
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;

namespace {

bool is_reserved(std::string_view name) {
  for (auto* prefix : {"xn--", "sthree-", "amzn-s3-demo-"})
    if (name.starts_with(prefix)) return true;
  for (auto* suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"})
    if (name.ends_with(suffix)) return true;
  return false;
}

/// Shaped like us-west-2, ap-southeast-1, us-gov-west-1.
bool is_region(std::string_view s) {
  auto parts = split(s, '-');
  bool good = parts.size() >= 3 && parts.size() <= 4 && parts.back().size() == 1 && is_digit(parts.back()[0]);
  for (size_t i = 0; i + 1 < parts.size(); ++i)
    good = good && parts[i].size() >= 2 &&
           std::all_of(parts[i].begin(), parts[i].end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return good;
}

/// Through us-east-1 a bucket can be made anywhere; elsewhere the constraint must be the endpoint's region.
Result<void> check_endpoint(const std::string& endpoint, const std::string& region, const std::string& asked) {
  if (endpoint == "us-east-1" || region == endpoint) return {};
  return fail(kIllegalLocation, "The " + asked +
                                    " location constraint is incompatible for the region specific endpoint this request was "
                                    "sent to.");
}

Result<void> check_name(const std::string& name) {
  bool good = name.size() >= 3 && name.size() <= 63 && name.front() != '-' && name.front() != '.' && name.back() != '-' &&
              name.back() != '.';
  bool dots_digits = true;
  char before = 0;
  for (char c : name) {
    good = good && ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.') && !(c == '.' && before == '.');
    dots_digits = dots_digits && (is_digit(c) || c == '.');
    before = c;
  }
  if (!good || (dots_digits && std::count(name.begin(), name.end(), '.') == 3) || is_reserved(name))
    return fail(Error{&kInvalidBucketName, "The specified bucket is not valid."}.with("BucketName", name));
  return {};
}

}  // namespace

void Objects::declare_buckets() {
  auto on_name = [](const CreateBucketRequest& in, const Call& call) -> Resources {
    return only({.arn = "arn:aws:s3:::" + in.Bucket, .account = call.caller->account});
  };
  access::Row<op::CreateBucket> create{
      .needs = {{.action = "s3:CreateBucket",
                 .resources = on_name,
                 .context =
                     [](const CreateBucketRequest& in, const Call& call, policy::Context& c) {
                       set_write_context(in, call, c);
                       if (in.CreateBucketConfiguration && in.CreateBucketConfiguration->LocationConstraint)
                         c.set("s3:LocationConstraint", *in.CreateBucketConfiguration->LocationConstraint);
                       if (in.ObjectOwnership) c.set("s3:x-amz-object-ownership", *in.ObjectOwnership);
                     }},
                {.action = "s3:PutBucketAcl", .resources = on_name, .when = names_acl<CreateBucketRequest>},
                {.action = "s3:PutBucketOwnershipControls",
                 .resources = on_name,
                 .when = [](const CreateBucketRequest& in, const Call&) { return in.ObjectOwnership.has_value(); }}}};
  create.handler = [this](const Allowed<CreateBucketRequest>& r) -> Result<CreateBucketOutput> {
    auto& in = r.input;
    TRY_VOID(check_name(in.Bucket));
    if (in.ObjectLockEnabledForBucket.value_or(false)) return fail(not_built("Object lock"));
    if (in.BucketNamespace && *in.BucketNamespace != "global") return fail(not_built("BucketNamespace " + *in.BucketNamespace));
    std::string region = "us-east-1";
    if (in.CreateBucketConfiguration) {
      auto& conf = *in.CreateBucketConfiguration;
      if (conf.Location || conf.Bucket) return fail(not_built("A directory bucket"));
      if (conf.LocationConstraint && !conf.LocationConstraint->empty()) {
        auto& asked = *conf.LocationConstraint;
        region = asked == "EU" ? "eu-west-1" : asked;
        TRY_VOID(check_endpoint(r.call.region, region, asked));
        // us-east-1 is what the absence of a constraint means.
        if (region == "us-east-1" || !is_region(region))
          return fail(
              Error{&kInvalidLocation, "The specified location-constraint is not valid"}.with("LocationConstraint", region));
      }
    }
    TRY_VOID(check_endpoint(r.call.region, region, "unspecified"));
    OurBucket b{.name = in.Bucket, .uid = hex(crypto::random_bytes(8)), .account = r.call.caller->account, .region = region};
    b.created = clock_.now();
    if (in.ObjectOwnership) {
      auto o = parse_ownership(*in.ObjectOwnership);
      if (!o) return fail(kInvalidArgument, "Invalid x-amz-object-ownership header: " + *in.ObjectOwnership);
      b.ownership = *o;
    }
    TRY_VOID(check_one_acl(in));
    bool acl = (in.ACL && *in.ACL != "private") || has_header_grants(in);
    if (acl && !b.acls_work())
      return fail(kInvalidAclWithOwnership, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
    if (has_header_grants(in)) {
      TRY(b.acl, header_grants(in));
    } else if (acl) {
      TRY(b.acl, canned_acl(*in.ACL, b, b.account, false));
    }
    TRY_VOID(check_grantees(b.acl));
    // A new bucket blocks public access.
    if (has_public_grant(b.acl))
      return fail(kPublicAclBlocked, "Bucket cannot have public ACLs set with BlockPublicAccess enabled");
    if (in.CreateBucketConfiguration && in.CreateBucketConfiguration->Tags) {
      TRY(b.tags, check_tags(*in.CreateBucketConfiguration->Tags, 50));
    }
    if (buckets_.list(b.account).size() >= 10000)
      return fail(kTooManyBuckets, "You have attempted to create more buckets than allowed");
    auto made = buckets_.add(std::move(b));
    // In us-east-1 creating one's own bucket of there again succeeds, as on AWS; but not for a stack, which would take it for its
    // own.
    auto there = made ? nullptr : buckets_.find(in.Bucket);
    bool in_east = there && there->region == "us-east-1" && r.call.region == "us-east-1" && region == "us-east-1";
    bool again = in_east && !r.call.via_aws_service();
    if (!made && !(made.error().is(kBucketAlreadyOwnedByYou) && again))
      return fail(std::move(made.error()).with("BucketName", in.Bucket));
    return CreateBucketOutput{.Location = "/" + in.Bucket, .BucketArn = "arn:aws:s3:::" + in.Bucket};
  };
  add<op::CreateBucket>(std::move(create));

  bucket_row<op::DeleteBucket>(
      "s3:DeleteBucket",
      [this](const Allowed<DeleteBucketRequest>&, const BucketPtr& b) -> Result<op::DeleteBucket::Output> {
        std::vector<Blob> discarded;
        auto gone = buckets_.remove(*b, [&](meta::Txn& t) {
          discarded.clear();
          return index_->check_empty(t, *b, discarded);
        });
        if (!gone) return fail(std::move(gone.error()).with("BucketName", b->name));
        index_->collect(discarded);
        return {};
      },
      false);

  bucket_row<op::HeadBucket>(
      "s3:ListBucket",
      [](const Allowed<HeadBucketRequest>&, const BucketPtr& b) -> Result<HeadBucketOutput> {
        HeadBucketOutput out;
        out.BucketRegion = b->region;
        out.AccessPointAlias = false;
        return out;
      },
      true);

  bucket_row<op::GetBucketLocation>(
      "s3:GetBucketLocation",
      [](const Allowed<GetBucketLocationRequest>&, const BucketPtr& b) -> Result<GetBucketLocationOutput> {
        GetBucketLocationOutput out;
        out.LocationConstraint = b->region == "us-east-1" ? "" : b->region;
        return out;
      },
      true);

  access::Row<op::ListBuckets> list{.needs = {{.action = "s3:ListAllMyBuckets"}}};
  list.read_only = true;
  list.handler = [this](const Allowed<ListBucketsRequest>& r) -> Result<ListBucketsOutput> {
    auto& in = r.input;
    TRY_VOID(check_page(in.MaxBuckets, "max-buckets", 1, 10000));
    std::string after;
    if (in.ContinuationToken) {
      auto token = unbase64(*in.ContinuationToken);
      if (!token) return fail(kInvalidArgument, "The continuation token provided is incorrect");
      after = *token;
    }
    ListBucketsOutput out;
    Owner owner;
    owner.ID = gate_->directory().canonical_id(r.call.caller->account);
    out.Owner = std::move(owner);
    if (in.Prefix) out.Prefix = *in.Prefix;
    size_t max = size_t(in.MaxBuckets.value_or(10000));
    std::vector<api::s3::Bucket> found;
    for (auto& b : buckets_.list(r.call.caller->account)) {
      if (b->name <= after || !b->name.starts_with(in.Prefix.value_or("")) || (in.BucketRegion && *in.BucketRegion != b->region))
        continue;
      if (found.size() == max) {
        out.ContinuationToken = base64(*found.back().Name);
        break;
      }
      api::s3::Bucket s;
      s.Name = b->name;
      s.CreationDate = b->created;
      if (in.MaxBuckets || in.Prefix || in.BucketRegion) s.BucketRegion = b->region;
      found.push_back(std::move(s));
    }
    out.Buckets = std::move(found);
    return out;
  };
  add<op::ListBuckets>(std::move(list));
}

}  // namespace redoubt::objects
