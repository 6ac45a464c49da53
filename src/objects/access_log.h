#pragma once
/// Server access logs: a line a request, gathered in memory until they are delivered. Best effort, as on AWS: what does not fit
/// is dropped. Format: S3 User Guide, "Amazon S3 server access log format". Threads: any.
#include <map>
#include <mutex>
#include <string>

#include "access/caller.h"
#include "objects/bucket.h"

namespace redoubt::objects {

struct LoggedRequest {
  std::string_view operation, method;  // "PutObject", "PUT"
  std::string_view key;                // "" of requests on the bucket
  std::string_view version_id;
  int status = 200;
  std::string_view error_code;
  uint64_t sent = 0, received = 0;  // bytes
  bool batch = false;               // one of DeleteObjects' keys
};

/// The line, with its end. Nothing that a client sent can end a field or the line.
std::string log_line(const Bucket& bucket, const std::string& owner_id, const LoggedRequest& request, const access::Call& call,
                     Timestamp now);
/// "REST.GET.OBJECT", "BATCH.DELETE.OBJECT".
std::string log_operation(const LoggedRequest& request);

class AccessLog {
 public:
  static constexpr size_t kBytesMax = 64 << 20;  // of all lines that wait

  void add(const BucketPtr& source, std::string line);
  struct File {
    BucketPtr source;  // as it was when the last line came in
    std::string text;
  };
  /// Everything that waits, a file for each source bucket and where it logs to.
  std::map<std::string, File> take();

 private:
  std::mutex mutex_;  // guards all below
  std::map<std::string, File> files_;
  size_t bytes_ = 0;
};

}  // namespace redoubt::objects
