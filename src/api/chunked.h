#pragma once
/// S3's aws-chunked body coding, undone as it arrives: chunks with and without signatures, trailing checksums.
/// Source: S3 API Reference "Signature calculations for the authorization header: transferring payload in multiple chunks" and
/// "... with trailing headers".
///
///   TRY(auto options, ChunkDecoder::options(head, credential, secret));
///   if (options) ChunkDecoder decoder(std::move(*options), sink);
///   for each piece: TRY_VOID(decoder.push(piece));
///   TRY_VOID(decoder.finish());      // all there, every signature right
///
/// Bytes of a signed chunk reach the sink before the chunk's signature is known: whoever stores them must drop them when push or
/// finish fails. Memory: one header line (at most 16 KiB), whatever the chunk size.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"
#include "api/sigv4.h"
#include "base/crypto.h"
#include "base/result.h"

namespace redoubt::api {

class ChunkDecoder {
 public:
  enum class Mode : uint8_t { signed_chunks, signed_chunks_trailer, unsigned_trailer };
  using Sink = std::function<Result<void>(std::string_view)>;

  struct Options {
    Mode mode = Mode::unsigned_trailer;
    uint64_t decoded_length = 0;                               // x-amz-decoded-content-length: exactly so many bytes must come
    std::string signing_key, scope, amz_date, seed_signature;  // of signed modes
  };
  /// nullopt: the body isn't aws-chunked. Errors: kMissingContentLength without x-amz-decoded-content-length.
  static Result<std::optional<Options>> options(const RequestHead& head, const sigv4::Credential& credential,
                                                std::string_view secret);

  ChunkDecoder(Options options, Sink sink)
      : options_(std::move(options)), previous_signature_(options_.seed_signature), sink_(std::move(sink)) {}

  /// Errors: kIncompleteBody (broken framing), kSignatureDoesNotMatch, kInvalidChunkSize, kMalformedTrailer, and the sink's own.
  Result<void> push(std::string_view bytes);
  /// Errors: kIncompleteBody when the last chunk or the promised length is missing.
  Result<void> finish();
  /// After finish: names (lower case) and values, the signature line excluded.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }
  uint64_t decoded_bytes() const { return decoded_; }

 private:
  enum class State : uint8_t { size_line, data, data_end, trailer_line, done };
  Result<void> line(std::string_view text);
  Result<void> start_chunk(std::string_view text);
  Result<void> end_chunk();
  Result<void> trailer(std::string_view text);
  Result<void> end_trailers();
  bool is_signed() const { return options_.mode != Mode::unsigned_trailer; }

  Options options_;
  std::string previous_signature_;
  Sink sink_;
  State state_ = State::size_line;
  std::string line_;
  std::string chunk_signature_;
  uint64_t chunk_left_ = 0, chunk_size_ = 0, decoded_ = 0;
  bool last_chunk_ = false;
  std::unique_ptr<crypto::Hasher> hasher_;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::string trailer_text_, trailer_signature_;
};

}  // namespace redoubt::api
