#pragma once
/// HTTP/1.1 message syntax (RFC 9112), the strict reading: whatever two parsers could understand in two ways is refused, because
/// a request that another party frames differently is a smuggled one. Pure: bytes in, values out.
#include <string_view>

#include "api/http.h"
#include "server/errors.h"

namespace redoubt::server {

inline constexpr size_t kHeadMax = 64 * 1024;    // request line and fields
inline constexpr size_t kTargetMax = 16 * 1024;  // a presigned URL with a session token needs about 4
inline constexpr size_t kFieldsMax = 256;

struct ParsedHead {
  api::RequestHead head;         // without `path`, which only the listener knows
  bool keep_alive = true;        // the client wants the connection kept
  bool expect_continue = false;  // it waits for "100 Continue" before it sends the body
  bool http_1_0 = false;         // understands no chunks
  bool has_body() const { return head.chunked || head.content_length.value_or(0) > 0; }
};

/// Where the head in `bytes` ends (behind its empty line), or npos while it is incomplete. Looks from `from` on, which may point
/// to bytes that were already looked at.
size_t head_end(std::string_view bytes, size_t from = 0);

/// Parses a complete head, its empty line included. Refused, by kBadRequest unless noted: bare CR or LF, NUL and other control
/// bytes, folded fields, blanks around a field's name, a target not in origin form, none or two Hosts, Content-Length that is
/// repeated, a list or not digits, Transfer-Encoding beside Content-Length or in HTTP/1.0, other codings than "chunked"
/// (kNotImplemented), other methods than HTTP APIs use (kNotImplemented), other versions (kVersionNotSupported), other
/// expectations (kExpectationFailed), too much of anything (kHeadTooLarge, kUriTooLong).
Result<ParsedHead> parse_head(std::string_view head);

/// Undoes "Transfer-Encoding: chunked". Sizes are 1 to 15 hex digits; extensions and trailer fields are checked and dropped.
class ChunkedDecoder {
 public:
  /// Consumes from the front of `in` and appends up to `max` decoded bytes to `out`. Returns how much of `in` was used; stops
  /// when `in` or `max` is used up, or at the body's end: then done() holds, and the rest of `in` belongs to the next request.
  Result<size_t> feed(std::string_view in, std::string& out, size_t max);
  bool done() const { return where_ == Where::done; }

 private:
  enum class Where { size, data, data_end, trailer, done };
  Result<void> line(std::string_view text);
  Where where_ = Where::size;
  uint64_t left_ = 0;  // of the chunk
  std::string line_;   // an incomplete line
  size_t trailer_bytes_ = 0;
};

/// The head of a response on the wire. kInternal if a field holds what would split it (CR, LF, NUL): a bug of ours, or a trick
/// with stored metadata.
Result<std::string> write_head(int status, const api::Headers& headers);
std::string_view reason_phrase(int status);

}  // namespace redoubt::server
