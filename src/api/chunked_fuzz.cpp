// Any bytes as an aws-chunked body: the pieces they come in don't matter, no more than the promised length reaches the sink, and
// a signed body never passes without its signatures. Bytes 0 to 2: the mode (and 4: signed by the key that seeds know), a quarter
// of the promised length, the size of the pieces.
#include <algorithm>

#include "api/chunked.h"

namespace {

using namespace redoubt;
using namespace redoubt::api;

struct Outcome {
  bool ok;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(const ChunkDecoder::Options& options, std::string_view wire, size_t piece) {
  Outcome out{true, {}};
  ChunkDecoder decoder(options, [&](std::string_view s) -> Result<void> {
    out.body += s;
    return {};
  });
  for (size_t at = 0; at < wire.size() && out.ok; at += piece) out.ok = decoder.push(wire.substr(at, piece)).has_value();
  out.ok = out.ok && decoder.finish().has_value();
  CHECK(out.body.size() <= options.decoded_length);
  CHECK(!out.ok || out.body.size() == options.decoded_length);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  std::string_view wire(reinterpret_cast<const char*>(data) + 3, size - 3);
  bool seeds_know = data[0] & 4;
  ChunkDecoder::Options options{ChunkDecoder::Mode((data[0] & 3) % 3),
                                uint64_t(data[1]) * 4,
                                std::string(32, seeds_know ? 'k' : 's'),
                                "d/r/s3/aws4_request",
                                "20260101T000000Z",
                                std::string(64, '0')};
  size_t piece = std::max<size_t>(data[2], 1);
  Outcome whole = decode(options, wire, wire.size() + 1), pieces = decode(options, wire, piece);
  CHECK(whole.ok == pieces.ok);
  if (whole.ok) CHECK(whole.body == pieces.body);
  if (options.mode != ChunkDecoder::Mode::unsigned_trailer && !seeds_know) CHECK(!whole.ok);
  return 0;
}
