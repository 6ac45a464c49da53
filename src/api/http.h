#pragma once
/// HTTP as the rooms see it: heads, bodies that stream, and the one interface between the listeners (server) and whoever answers
/// (access). No sockets in here.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace redoubt::api {

/// Header fields in order of arrival; names compare without regard to case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);    // replaces all fields of that name
  const std::string* find(std::string_view name) const;  // the first one
  std::string_view get(std::string_view name) const;     // "" when absent
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const std::vector<Field>& all() const { return fields_; }
  std::vector<Field>& all() { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// The listener that a request came in on, and nothing that the request itself says: what the network path is decided by.
struct NetworkPath {
  Ip peer;  // the client's address
  bool tls = false;
  std::string tls_version;      // "TLSv1.3"; "" without TLS
  std::string vpc_endpoint_id;  // "vpce-.." when it came through an interface endpoint's listener
  std::string vpc_id;           // that endpoint's VPC
};

struct RequestHead {
  std::string method;
  std::string target;  // as sent: raw path, '?', raw query
  Headers headers;
  std::optional<uint64_t> content_length;  // absent: no body, or chunked
  bool chunked = false;                    // Transfer-Encoding: chunked (the listener undoes it)
  NetworkPath path;

  std::string_view raw_path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view raw_query() const {
    auto q = target.find('?');
    return q == target.npos ? std::string_view() : std::string_view(target).substr(q + 1);
  }
};

/// A response body that is produced as it is sent. Called from one pool thread at a time, never from an io thread.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Up to `max` bytes appended to `out`; nothing appended means the end. An error cuts the connection: the status is already
  /// sent.
  virtual Result<void> read(std::string& out, size_t max) = 0;
};

/// Takes a streamed request body in order. Called from one pool thread at a time.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual Result<void> write(std::string_view bytes) = 0;
};

struct Response {
  int status = 200;
  Headers headers;   // without Content-Length, Connection and Date: the listener adds them
  std::string body;  // used unless `stream` is set
  std::unique_ptr<BodySource> stream;
  std::optional<uint64_t> stream_length;  // of `stream`: Content-Length if known, else chunked
  std::optional<uint64_t> head_length;    // answers to HEAD: the Content-Length to announce, no body follows
};

/// One request being answered. The listener calls, always on a pool thread and in this order: (Handler::begin), then either takes
/// `early`, or body(..) for every piece of the body as it arrives, then finish().
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// An answer that needs no body: a denied or malformed request. The listener sends it without reading the body (no
  /// "100 Continue" either) and closes the connection if a body was announced. Taken at most once.
  std::optional<Response> early;
  /// The next piece (at most 256 KiB) of the body, transfer coding removed. An Err means: stop reading, call finish() for the
  /// answer.
  virtual Result<void> body(std::string_view piece) = 0;
  /// The body is complete (or body() failed). Never throws; errors are responses. After a connection lost half way the
  /// listener destroys the exchange without calling this, and nothing has happened.
  virtual Response finish() = 0;
};

/// Whoever answers HTTP requests. Threads: any number of exchanges at once.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual std::unique_ptr<Exchange> begin(RequestHead head) = 0;
};

}  // namespace redoubt::api
