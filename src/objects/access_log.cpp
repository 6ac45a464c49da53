#include "objects/access_log.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "objects/rows.h"

namespace redoubt::objects {
namespace {

std::string log_time(Timestamp t) {
  static const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto iso = iso8601(t);  // 2026-11-24T16:19:10Z
  int month = (iso[5] - '0') * 10 + iso[6] - '0';
  return iso.substr(8, 2) + "/" + kMonths[(month - 1) % 12] + "/" + iso.substr(0, 4) + ":" + iso.substr(11, 8) + " +0000";
}

/// What a client sent, unable to end a quoted field or the line.
std::string quoted_field(std::string_view s) {
  if (s.empty()) return "\"-\"";
  std::string out = "\"";
  for (char c : s) out += (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '_' : c;
  return out + '"';
}
std::string field(std::string_view s) { return s.empty() ? "-" : std::string(s); }
std::string count(uint64_t n) { return n ? std::to_string(n) : "-"; }

/// What an operation is about, in the log's words.
std::string_view resource_of(std::string_view operation) {
  static const std::map<std::string_view, std::string_view> kOthers = {
      {"CreateBucket", "BUCKET"},
      {"DeleteBucket", "BUCKET"},
      {"HeadBucket", "BUCKET"},
      {"ListObjects", "BUCKET"},
      {"ListObjectsV2", "BUCKET"},
      {"ListObjectVersions", "BUCKETVERSIONS"},
      {"DeleteObjects", "MULTI_OBJECT_DELETE"},
      {"CreateMultipartUpload", "UPLOADS"},
      {"ListMultipartUploads", "UPLOADS"},
      {"UploadPart", "PART"},
      {"UploadPartCopy", "PART_COPY"},
      {"CompleteMultipartUpload", "UPLOAD"},
      {"AbortMultipartUpload", "UPLOAD"},
      {"ListParts", "UPLOAD"},
      {"GetObjectTagging", "OBJECT_TAGGING"},
      {"PutObjectTagging", "OBJECT_TAGGING"},
      {"DeleteObjectTagging", "OBJECT_TAGGING"},
      {"GetBucketAcl", "ACL"},
      {"PutBucketAcl", "ACL"},
      {"GetObjectAcl", "ACL"},
      {"PutObjectAcl", "ACL"},
      {"GetBucketPolicy", "BUCKETPOLICY"},
      {"PutBucketPolicy", "BUCKETPOLICY"},
      {"DeleteBucketPolicy", "BUCKETPOLICY"},
      {"GetBucketPolicyStatus", "POLICY_STATUS"},
      {"GetBucketLocation", "LOCATION"},
      {"GetBucketVersioning", "VERSIONING"},
      {"PutBucketVersioning", "VERSIONING"},
      {"GetBucketEncryption", "ENCRYPTION"},
      {"PutBucketEncryption", "ENCRYPTION"},
      {"DeleteBucketEncryption", "ENCRYPTION"},
      {"GetBucketLogging", "LOGGING_STATUS"},
      {"PutBucketLogging", "LOGGING_STATUS"},
      {"GetBucketTagging", "TAGGING"},
      {"PutBucketTagging", "TAGGING"},
      {"DeleteBucketTagging", "TAGGING"},
      {"GetPublicAccessBlock", "PUBLIC_ACCESS_BLOCK"},
      {"PutPublicAccessBlock", "PUBLIC_ACCESS_BLOCK"},
      {"DeletePublicAccessBlock", "PUBLIC_ACCESS_BLOCK"},
      {"GetBucketOwnershipControls", "OWNERSHIP_CONTROLS"},
      {"PutBucketOwnershipControls", "OWNERSHIP_CONTROLS"},
      {"DeleteBucketOwnershipControls", "OWNERSHIP_CONTROLS"},
      {"GetBucketCors", "CORS"},
      {"GetBucketWebsite", "WEBSITE"},
      {"GetBucketReplication", "REPLICATION"},
      {"GetBucketLifecycleConfiguration", "LIFECYCLE"},
      {"GetObjectLockConfiguration", "OBJECT_LOCK_CONFIGURATION"},
      {"GetBucketNotificationConfiguration", "NOTIFICATION"},
      {"GetBucketAccelerateConfiguration", "ACCELERATE"},
      {"GetBucketRequestPayment", "REQUEST_PAYMENT"},
  };
  auto it = kOthers.find(operation);
  return it == kOthers.end() ? "OBJECT" : it->second;
}

}  // namespace

std::string log_operation(const LoggedRequest& r) {
  return std::string(r.batch ? "BATCH." : "REST.") + std::string(r.operation == "CopyObject" ? "COPY" : r.method) + "." +
         std::string(resource_of(r.operation));
}

std::string log_line(const Bucket& bucket, const std::string& owner_id, const LoggedRequest& r, const access::Call& call,
                     Timestamp now) {
  bool is_signed = !call.auth_type.empty();
  auto key = url_encode(r.key, true);
  auto uri = std::string(r.method) + " /" + bucket.name + (key.empty() ? "" : "/" + key) + " HTTP/1.1";
  auto total_ms = std::max<int64_t>(0, (now.us - call.now.us) / 1000);
  std::vector<std::string> fields = {
      owner_id,
      bucket.name,
      "[" + log_time(call.now) + "]",
      call.path.peer.str(),
      field(call.caller->arn.empty() ? call.caller->service : call.caller->arn),
      call.request_id,
      log_operation(r),
      field(key),
      quoted_field(uri),
      std::to_string(r.status),
      field(r.error_code),
      count(r.sent),
      count(r.received ? r.received : r.sent),
      std::to_string(total_ms),
      "-",
      quoted_field(call.referer),
      quoted_field(call.user_agent),
      field(url_encode(r.version_id)),
      "-",
      !is_signed                        ? "-"
      : call.signature_version == "AWS" ? "SigV2"
                                        : "SigV4",
      "-",
      !is_signed                              ? "-"
      : call.auth_type == "REST-QUERY-STRING" ? "QueryString"
                                              : "AuthHeader",
      "-",
      field(call.path.tls_version),
      "-",
      "-",
  };
  return join(fields, " ") + "\n";
}

void AccessLog::add(const BucketPtr& source, std::string line) {
  std::lock_guard lock(mutex_);
  if (bytes_ + line.size() > kBytesMax) return;
  bytes_ += line.size();
  auto& file = files_[meta::key({source->uid, source->log_bucket, source->log_prefix})];
  file.source = source;
  file.text += line;
}

std::map<std::string, AccessLog::File> AccessLog::take() {
  std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(files_, {});
}

void Objects::log_access(std::string_view bucket, LoggedRequest request, const Call& call) {
  auto b = buckets_.find(bucket);
  // Deliveries aren't logged: a bucket that logs into itself would never come to rest.
  if (!b || b->log_bucket.empty() || call.caller->service == "logging.s3.amazonaws.com") return;
  log_.add(b, log_line(*b, gate_->directory().canonical_id(b->account), request, call, clock_.now()));
}

bool Objects::deliver_logs() {
  auto files = log_.take();
  for (auto& [where, file] : files) {
    auto& source = *file.source;
    auto target = buckets_.find(source.log_bucket);
    // The target may have been made anew by somebody else since logging was set up.
    if (!target || target->account != source.account || target->region != source.region) {
      log::debug("objects: the access log of " + source.name + " has no target any more");
      continue;
    }
    api::NetworkPath path;
    path.tls = true;
    auto call = gate_->new_call(access::service_caller("logging.s3.amazonaws.com"), path);
    call.region = target->region;
    call.source_account = source.account;
    call.source_arn = source.arn();
    auto time = replace_all(replace_all(iso8601(clock_.now()).substr(0, 19), "T", "-"), ":", "-");
    api::s3::PutObjectRequest put;
    put.Bucket = target->name;
    put.Key = source.log_prefix + time + "-" + to_upper(hex(crypto::random_bytes(8)));
    put.ContentType = "text/plain";
    auto deliver = [&]() -> Result<void> {
      TRY(auto upload, gate_->upload<api::s3::op::PutObject>(call, put));
      TRY_VOID(upload->write(file.text));
      TRY_VOID(upload->finish());
      return {};
    };
    // A bucket that doesn't let the log service in loses its logs, as on AWS; the operator can see why.
    if (auto done = deliver(); !done)
      log::debug("objects: the access log of " + source.name + " can't be delivered: " + done.error().message);
  }
  return !files.empty();
}

}  // namespace redoubt::objects
