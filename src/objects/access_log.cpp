/// Server access logs: a line a request, gathered in memory and delivered as objects by the service logging.s3.amazonaws.com,
/// which the target bucket must let in by policy or ACL. Best effort, as on AWS. Format: S3 User Guide, "Amazon S3 server access
/// log format".
#include "base/crypto.h"
#include "base/ids.h"
#include "base/log.h"
#include "objects/rows.h"

namespace redoubt::objects {

namespace {

constexpr size_t kLinesMax = 200000;

std::string log_time(Timestamp t) {
  static const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto iso = iso8601(t);  // 2026-11-24T16:19:10Z
  return iso.substr(8, 2) + "/" + kMonths[(std::stoi(iso.substr(5, 2)) - 1) % 12] + "/" + iso.substr(0, 4) + ":" +
         iso.substr(11, 8) + " +0000";
}
/// Nothing a client sent may end a field or the line.
std::string field(std::string_view s) {
  std::string out;
  for (char c : s) out += (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '_' : c;
  return out;
}

}  // namespace

void Objects::log_access(const BucketPtr& b, std::string_view operation, std::string_view method, std::string_view key,
                         const Call& call, int status, std::string_view code, uint64_t sent, uint64_t size) {
  if (!b || b->log_bucket.empty() || call.caller->service == "logging.s3.amazonaws.com") return;
  auto or_dash = [](std::string_view s) { return s.empty() ? std::string("-") : std::string(s); };
  auto encoded = url_encode(key, true);
  auto now = clock_.now();
  std::string line = gate_->directory().canonical_id(b->account) + " " + b->name + " [" + log_time(call.now) + "] " +
                     call.path.peer.str() + " " + or_dash(call.caller->arn) + " " + call.request_id + " REST." +
                     std::string(method) + "." + to_upper(operation) + " " + or_dash(encoded) + " \"" + std::string(method) +
                     " /" + b->name + (encoded.empty() ? "" : "/" + encoded) + " HTTP/1.1\" " + std::to_string(status) + " " +
                     or_dash(code) + " " + (sent ? std::to_string(sent) : "-") + " " + (size ? std::to_string(size) : "-") + " " +
                     std::to_string(std::max<int64_t>(0, (now.us - call.now.us) / 1000)) + " - \"" +
                     or_dash(field(call.referer)) + "\" \"" + or_dash(field(call.user_agent)) + "\" - - SigV4 - " +
                     (call.auth_type.empty() ? "-" : "AuthHeader") + " - " + or_dash(call.path.tls_version) + " - -\n";
  std::lock_guard lock(log_mutex_);
  if (log_lines_.size() >= kLinesMax) return;
  log_lines_.push_back({b->name, b->log_bucket, b->log_prefix, b->account, std::move(line)});
}

bool Objects::deliver_logs() {
  std::deque<LogLine> lines;
  {
    std::lock_guard lock(log_mutex_);
    lines.swap(log_lines_);
  }
  std::map<std::tuple<std::string, std::string, std::string>, std::pair<std::string, std::string>>
      files;  // (source, target, prefix) -> (account, text)
  for (auto& l : lines) {
    auto& f = files[{l.source, l.target, l.prefix}];
    f.first = l.owner_account;
    f.second += l.text;
  }
  api::NetworkPath path;
  path.tls = true;
  for (auto& [where, what] : files) {
    auto& [source, target, prefix] = where;
    auto call = gate_->new_call(access::service_caller("logging.s3.amazonaws.com"), path);
    call.source_account = what.first;
    call.source_arn = "arn:aws:s3:::" + source;
    auto t = iso8601(clock_.now());
    for (char& c : t)
      if (c == 'T' || c == ':') c = '-';
    api::s3::PutObjectRequest put;
    put.Bucket = target;
    put.Key = prefix + t.substr(0, 19) + "-" + to_upper(hex(crypto::random_bytes(8)));
    put.ContentType = "text/plain";
    auto upload = gate_->upload<api::s3::op::PutObject>(call, put);
    auto done = upload ? (*upload)->write(what.second) : Result<void>(std::unexpected(upload.error()));
    if (done) {
      auto finished = (*upload)->finish();
      if (!finished) done = std::unexpected(finished.error());
    }
    // A bucket that doesn't let the log service in loses its logs, as on AWS; the operator can see why.
    if (!done) log::debug("objects: access log of " + source + " can't be delivered to " + target + ": " + done.error().message);
  }
  return !files.empty();
}

}  // namespace redoubt::objects
