// links only: server/http_head.cpp api base
// Whatever bytes come in: no crash, and what is accepted frames one way only.
#include <cstdlib>

#include "server/http_head.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::server;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto end = head_end(bytes);
  if (end == bytes.npos) return 0;
  if (auto parsed = parse_head(bytes.substr(0, end))) {
    if (parsed->head.chunked && parsed->head.content_length) std::abort();
    for (auto& [name, value] : parsed->head.headers.all())
      if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) std::abort();
    if (!write_head(200, parsed->head.headers)) std::abort();
  }
  // The same body in one piece and byte by byte decodes to the same.
  auto body = bytes.substr(end);
  ChunkedDecoder whole, bytewise;
  std::string one, two;
  auto used = whole.feed(body, one, body.size());
  bool failed = false;
  size_t at = 0;
  for (; at < body.size() && !failed && !bytewise.done(); ++at) {
    auto n = bytewise.feed(body.substr(at, 1), two, 1);
    if (!n)
      failed = true;
    else if (*n != 1)
      std::abort();
  }
  if (failed == used.has_value() || (used && (one != two || *used != at || whole.done() != bytewise.done()))) std::abort();
  return 0;
}
