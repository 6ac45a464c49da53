#include "api/chunked.h"

#include <algorithm>

#include "api/errors.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

constexpr size_t kLineMax = 16384;
constexpr size_t kTrailersMax = 32;
constexpr uint64_t kChunkMin = 8192;  // of all chunks but the last with data. Source: S3, "InvalidChunkSizeError"

std::optional<uint64_t> parse_size(std::string_view s) {
  if (s.empty() || s.size() > 15) return std::nullopt;
  uint64_t n = 0;
  for (char c : s) {
    int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return std::nullopt;
    n = n * 16 + uint64_t(digit);
  }
  return n;
}

std::unexpected<Error> incomplete() {
  return fail(kIncompleteBody, "The request body terminated unexpectedly or is not framed as aws-chunked.");
}
std::unexpected<Error> mismatch() {
  return fail(
      kSignatureDoesNotMatch,
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
}

}  // namespace

Result<std::optional<ChunkDecoder::Options>> ChunkDecoder::options(const RequestHead& head, const sigv4::Credential& credential,
                                                                   std::string_view secret) {
  std::string_view hash = head.headers.get("x-amz-content-sha256");
  Options out;
  if (hash == sigv4::kStreamingSigned)
    out.mode = Mode::signed_chunks;
  else if (hash == sigv4::kStreamingSignedTrailer)
    out.mode = Mode::signed_chunks_trailer;
  else if (hash == sigv4::kStreamingUnsignedTrailer)
    out.mode = Mode::unsigned_trailer;
  else
    return std::nullopt;
  auto length = parse_int(head.headers.get("x-amz-decoded-content-length"));
  if (!length || *length < 0) return fail(kMissingContentLength, "You must provide the Content-Length HTTP header.");
  out.decoded_length = uint64_t(*length);
  if (out.mode != Mode::unsigned_trailer) {
    if (credential.signature.empty() || secret.empty()) return mismatch();
    out.signing_key = sigv4::signing_key(secret, credential.date, credential.region, credential.service);
    out.scope = credential.scope();
    out.amz_date = amz_date(credential.signed_at);
    out.seed_signature = credential.signature;
  }
  return out;
}

Result<void> ChunkDecoder::push(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::data) {
      std::string_view piece = bytes.substr(0, size_t(std::min<uint64_t>(bytes.size(), chunk_left_)));
      bytes.remove_prefix(piece.size());
      chunk_left_ -= piece.size();
      decoded_ += piece.size();
      if (hasher_) hasher_->update(piece);
      TRY_VOID(sink_(piece));
      if (chunk_left_ == 0) {
        TRY_VOID(end_chunk());
        state_ = State::data_end;
      }
      continue;
    }
    auto newline = bytes.find('\n');
    std::string_view piece = bytes.substr(0, newline == bytes.npos ? bytes.size() : newline);
    if (line_.size() + piece.size() > kLineMax) return incomplete();
    line_ += piece;
    if (newline == bytes.npos) return {};
    bytes.remove_prefix(newline + 1);
    std::string text = std::move(line_);
    line_.clear();
    if (text.ends_with('\r')) text.pop_back();
    TRY_VOID(line(text));
  }
  return {};
}

Result<void> ChunkDecoder::line(std::string_view text) {
  switch (state_) {
    case State::size_line:
      return start_chunk(text);
    case State::data_end:
      if (!text.empty()) return incomplete();
      state_ = State::size_line;
      return {};
    case State::trailer_line:
      return trailer(text);
    case State::done:
      if (!text.empty()) return incomplete();
      return {};
    case State::data:
      break;
  }
  return incomplete();
}

Result<void> ChunkDecoder::start_chunk(std::string_view text) {
  auto semicolon = text.find(';');
  auto size = parse_size(text.substr(0, semicolon));
  if (!size) return incomplete();
  std::string_view extension = semicolon == text.npos ? std::string_view() : text.substr(semicolon + 1);
  constexpr std::string_view kSignature = "chunk-signature=";
  if (is_signed()) {
    if (!extension.starts_with(kSignature)) return incomplete();
    chunk_signature_ = extension.substr(kSignature.size());
    hasher_ = std::make_unique<crypto::Hasher>(crypto::Hash::sha256);
  }
  if (*size > 0 && chunk_size_ > 0 && chunk_size_ < kChunkMin)
    return fail(kInvalidChunkSize, "Only the last chunk is allowed to have a size less than 8192 bytes");
  if (*size > options_.decoded_length - decoded_)
    return fail(kIncompleteBody, "The request body is longer than x-amz-decoded-content-length says.");
  chunk_size_ = chunk_left_ = *size;
  if (*size > 0) {
    state_ = State::data;
    return {};
  }
  last_chunk_ = true;
  state_ = State::trailer_line;
  return end_chunk();
}

Result<void> ChunkDecoder::end_chunk() {
  if (!is_signed()) return {};
  std::string to_sign = "AWS4-HMAC-SHA256-PAYLOAD\n" + options_.amz_date + "\n" + options_.scope + "\n" + previous_signature_ +
                        "\n" + std::string(sigv4::kEmptySha256) + "\n" + hex(hasher_->finish());
  hasher_.reset();
  std::string wanted = hex(crypto::hmac_sha256(options_.signing_key, to_sign));
  if (!crypto::constant_time_equal(wanted, chunk_signature_)) return mismatch();
  previous_signature_ = std::move(wanted);
  return {};
}

Result<void> ChunkDecoder::trailer(std::string_view text) {
  // Some clients put a blank line before the trailer's signature; the end is blank in every mode.
  if (text.empty()) {
    if (options_.mode == Mode::signed_chunks_trailer && trailer_signature_.empty()) return {};
    return end_trailers();
  }
  auto colon = text.find(':');
  if (options_.mode == Mode::signed_chunks || colon == text.npos || colon == 0 || trailers_.size() >= kTrailersMax ||
      !trailer_signature_.empty())
    return fail(kMalformedTrailer,
                "The request contained trailing data that was not well-formed or did not conform to our published schema.");
  std::string name = to_lower(trim(text.substr(0, colon)));
  std::string value(trim(text.substr(colon + 1)));
  if (name == "x-amz-trailer-signature") {
    if (options_.mode != Mode::signed_chunks_trailer)
      return fail(kMalformedTrailer,
                  "The request contained trailing data that was not well-formed or did not conform to our published schema.");
    trailer_signature_ = std::move(value);
    return {};
  }
  trailer_text_ += name + ":" + value + "\n";
  trailers_.emplace_back(std::move(name), std::move(value));
  return {};
}

Result<void> ChunkDecoder::end_trailers() {
  state_ = State::done;
  if (options_.mode != Mode::signed_chunks_trailer) return {};
  std::string to_sign = "AWS4-HMAC-SHA256-TRAILER\n" + options_.amz_date + "\n" + options_.scope + "\n" + previous_signature_ +
                        "\n" + hex(crypto::sha256(trailer_text_));
  if (!crypto::constant_time_equal(hex(crypto::hmac_sha256(options_.signing_key, to_sign)), trailer_signature_))
    return mismatch();
  return {};
}

Result<void> ChunkDecoder::finish() {
  if (!last_chunk_) return incomplete();
  if (state_ == State::trailer_line) {
    // The closing blank line may be missing; a half-sent trailer line may be the last.
    if (!line_.empty()) {
      std::string text = std::move(line_);
      line_.clear();
      if (text.ends_with('\r')) text.pop_back();
      TRY_VOID(trailer(text));
    }
    if (state_ == State::trailer_line) TRY_VOID(end_trailers());
  }
  if (!line_.empty() && line_ != "\r") return incomplete();
  if (decoded_ != options_.decoded_length)
    return fail(kIncompleteBody,
                "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header");
  return {};
}

}  // namespace redoubt::api
