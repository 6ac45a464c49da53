/// The Gate's HTTP side: one Exchange a request. Requests whose body streams (S3 PutObject, UploadPart) are decided on their
/// head, before a byte of the body is read; all others are read whole, within the limit, then decoded, decided and run.
#include "access/audit.h"
#include "access/authenticate.h"
#include "access/gate.h"
#include "access/passage.h"
#include "api/checksums.h"
#include "api/chunked.h"
#include "api/codec.h"
#include "api/services.h"
#include "base/ids.h"
#include "base/log.h"

namespace redoubt::access {

namespace sigv4 = api::sigv4;

namespace {
constexpr uint64_t kObjectSizeMax = 5ull << 30;  // of one PutObject or UploadPart

constexpr ErrorKind kMissingContentLength{"MissingContentLength", 411};
constexpr ErrorKind kJsonTooLarge{"RequestEntityTooLargeException", 413};

/// The shape of an error where not even the service is known.
api::Protocol guessed_protocol(const api::RequestHead& head) {
  std::string_view type = head.headers.get("Content-Type");
  if (type.starts_with("application/x-amz-json") || head.headers.has("X-Amz-Target")) return api::Protocol::json;
  if (type.starts_with("application/x-www-form-urlencoded")) return api::Protocol::query;
  return api::Protocol::rest_xml;
}

/// Content-Encoding without the transport's own "aws-chunked", which S3 doesn't store.
void strip_aws_chunked(api::Headers& headers) {
  const std::string* value = headers.find("Content-Encoding");
  if (!value) return;
  std::vector<std::string> kept;
  for (auto part : split(*value, ','))
    if (!iequals(trim(part), "aws-chunked")) kept.emplace_back(trim(part));
  if (kept.empty()) {
    std::erase_if(headers.all(), [](auto& field) { return iequals(field.first, "Content-Encoding"); });
  } else {
    headers.set("Content-Encoding", join(kept, ","));
  }
}
}  // namespace

class HttpExchange : public api::Exchange {
 public:
  HttpExchange(Gate& gate, api::RequestHead head) : gate_(gate), head_(std::move(head)) {
    call_.request_id = new_request_id();
    call_.now = gate_.clock_.now();
    if (auto ready = guarded([&] { return start(); }); !ready) early = refuse(std::move(ready).error());
  }

  Result<void> body(std::string_view piece) override {
    received_ += piece.size();
    Result<void> taken = guarded([&] { return upload_ ? take_streamed(piece) : take_buffered(piece); });
    if (!taken) failure_ = taken.error();
    return taken;
  }

  api::Response finish() override {
    auto answer = guarded([&]() -> Result<void> {
      if (failure_) return fail(*failure_);
      if (head_.content_length && received_ != *head_.content_length)
        return fail(kIncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header");
      return upload_ ? finish_streamed() : finish_buffered();
    });
    if (!answer) return refuse(std::move(answer).error());
    api::complete_lists(*op_, output_.get());
    api::Response response = api::encode_response(*op_, output_.get(), call_.request_id);
    uint64_t sent = response.stream ? response.stream_length.value_or(0) : response.body.size();
    close(nullptr, sent);
    return response;
  }

 private:
  /// No exception leaves a request: it ends this one with an internal error and the server goes on.
  template <class F>
  Result<void> guarded(F work) {
    try {
      return work();
    } catch (const std::exception& e) {
      return fail(kInternal, e.what());
    }
  }

  /// Everything that can be judged on the head.
  Result<void> start() {
    service_ = addressed_service(head_, std::nullopt);
    if (sigv4::is_signed(head_)) {
      service_ = nullptr;
      if (auto credential = sigv4::parse_credential(head_)) service_ = addressed_service(head_, *credential);
    }
    TRY(who_, authenticate(head_, gate_.directory_, call_.now, gate_.options_.region));
    service_ = who_.service;
    fill_call();
    TRY_VOID(check_size(head_.content_length.value_or(0)));
    if (!is_s3()) return {};
    auto op = api::route(*service_, head_, {});
    if (!op) return fail(std::move(op).error());
    op_ = *op;
    if (!op_->streaming_input) TRY_VOID(check_size(head_.content_length.value_or(0)));
    TRY(checks_, api::BodyChecks::from(head_, *op_));
    if (op_->checksum_required && !checks_->any())
      return fail(kInvalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
    if (op_->streaming_input) return open_upload();
    TRY_VOID(open_decoder([this](std::string_view bytes) { return buffer(bytes); }));
    return {};
  }

  void fill_call() {
    call_.caller = who_.caller;
    call_.region = who_.region;
    call_.path = head_.path;
    call_.user_agent = head_.headers.get("User-Agent");
    call_.referer = head_.headers.get("Referer");
    if (!is_s3()) return;
    if (who_.credential) {
      call_.auth_type = who_.credential->presigned ? "REST-QUERY-STRING" : "REST-HEADER";
      call_.signature_version = who_.credential->legacy ? "AWS" : "AWS4-HMAC-SHA256";
      if (!who_.credential->legacy)
        call_.signature_age_ms = std::max<int64_t>(0, (call_.now.us - who_.credential->signed_at.us) / 1000);
    }
    call_.content_sha256 = head_.headers.get("x-amz-content-sha256");
    for (auto& [name, value] : head_.headers.all()) {
      std::string lower = to_lower(name);
      bool secret = lower == "authorization" || lower == "x-amz-security-token" || lower.find("customer-key") != lower.npos;
      if (!secret) call_.headers.emplace(std::move(lower), value);
    }
  }

  bool is_s3() const { return service_ && service_->name == "s3"; }

  Result<void> check_size(uint64_t size) {
    if (op_ && op_->streaming_input) {
      if (size > kObjectSizeMax)
        return fail(Error{&api::kEntityTooLarge, "Your proposed upload exceeds the maximum allowed size"}
                        .with("ProposedSize", std::to_string(size))
                        .with("MaxSizeAllowed", std::to_string(kObjectSizeMax)));
      return {};
    }
    // S3's streamed bodies are measured once the operation is known.
    if (is_s3() && !op_) return {};
    if (size <= gate_.options_.body_size_max) return {};
    if (is_s3()) return fail(kMessageTooLong, "Your request was too big.");
    bool json = service_->protocol == api::Protocol::json || service_->protocol == api::Protocol::rest_json;
    return fail(json ? kJsonTooLarge : kRequestTooLarge, "The request is larger than the service accepts.");
  }

  // -- bodies that stream ------------------------------------------------------------------------------------------------------

  Result<void> open_upload() {
    bool coded = head_.headers.has("x-amz-decoded-content-length");
    if (!head_.content_length && !(head_.chunked && coded))
      return fail(kMissingContentLength, "You must provide the Content-Length HTTP header.");
    uint64_t size = head_.content_length.value_or(0);
    if (coded) size = uint64_t(std::max<int64_t>(0, parse_int(head_.headers.get("x-amz-decoded-content-length")).value_or(0)));
    TRY_VOID(check_size(size));
    TRY_VOID(open_decoder([this](std::string_view bytes) -> Result<void> {
      checks_->update(bytes);
      return upload_->write(bytes);
    }));
    if (!decoder_ && !head_.content_length)
      return fail(kMissingContentLength, "You must provide the Content-Length HTTP header.");
    if (decoder_) {
      head_.headers.set("Content-Length", std::to_string(size));
      strip_aws_chunked(head_.headers);
    }
    TRY_VOID(decode({}));
    TRY_VOID(enter());
    TRY(upload_, row_->open(input_.get(), call_, passage_->found()));
    return {};
  }
  Result<void> open_decoder(api::ChunkDecoder::Sink sink) {
    TRY(auto options, api::ChunkDecoder::options(head_, who_.credential.value_or(sigv4::Credential{}), who_.secret));
    if (options) decoder_.emplace(std::move(*options), std::move(sink));
    return {};
  }
  Result<void> take_streamed(std::string_view piece) {
    if (decoder_) return decoder_->push(piece);
    if (received_ > *head_.content_length) return fail(kIncompleteBody, "The request body is longer than its Content-Length.");
    checks_->update(piece);
    return upload_->write(piece);
  }
  Result<void> finish_streamed() {
    TRY_VOID(finish_checks());
    if (checks_->algorithm()) upload_->checksum(*checks_->algorithm(), checks_->value());
    output_ = op_->make_output();
    return upload_->finish(output_.get());
  }
  Result<void> finish_checks() {
    if (decoder_) TRY_VOID(decoder_->finish());
    return checks_->finish(decoder_ ? decoder_->trailers() : std::vector<std::pair<std::string, std::string>>{});
  }

  // -- bodies that are read whole ----------------------------------------------------------------------------------------------

  Result<void> take_buffered(std::string_view piece) { return decoder_ ? decoder_->push(piece) : buffer(piece); }
  Result<void> buffer(std::string_view bytes) {
    TRY_VOID(check_size(body_.size() + bytes.size()));
    body_.append(bytes);
    return {};
  }
  Result<void> finish_buffered() {
    if (checks_) {
      checks_->update(body_);
      TRY_VOID(finish_checks());
    }
    TRY_VOID(verify_body(head_, who_, body_, call_.now));
    if (!op_) {
      auto op = api::route(*service_, head_, body_);
      // An unsigned request may be for a service that its form doesn't tell: what it lacks is a signature, not an action.
      if (!who_.credential && (!op || !(*op)->unsigned_allowed))
        return fail(named_for(*service_, {&kMissingAuthenticationToken, "Request is missing Authentication Token"}));
      TRY(op_, std::move(op));
    }
    TRY_VOID(decode(body_));
    TRY_VOID(enter());
    output_ = op_->make_output();
    if (row_->open) {
      TRY(upload_, row_->open(input_.get(), call_, passage_->found()));
      TRY_VOID(upload_->write(body_));
      return upload_->finish(output_.get());
    }
    return row_->handler(input_.get(), call_, passage_->found(), output_.get());
  }

  // -- both --------------------------------------------------------------------------------------------------------------------

  Result<void> decode(std::string_view body) {
    row_ = gate_.find(*op_);
    if (!row_) return fail(Gate::not_implemented(*service_, op_->name));
    input_ = op_->make_input();
    return api::decode_request(*op_, head_, body, input_.get());
  }
  Result<void> enter() {
    passage_.emplace(gate_, *row_, call_, input_.get());
    TRY_VOID(passage_->enter());
    if (who_.credential) gate_.directory_.key_used(*call_.caller, service_->signing_name, call_.region, call_.now);
    return {};
  }
  void close(const Error* error, uint64_t sent) {
    if (!passage_) return;
    passage_->close(error, error ? nullptr : output_.get(), sent, received_);
    passage_.reset();
  }
  api::Response refuse(Error error) {
    upload_.reset();  // undone before the answer
    if (error.is(kInternal)) log::error("request " + call_.request_id + ": " + error.message);
    bool head_request = head_.method == "HEAD";
    if (!service_) return api::encode_error(guessed_protocol(head_), error, call_.request_id);
    error = named_for(*service_, std::move(error));
    api::Response response = api::encode_error(*service_, error, call_.request_id, head_request);
    close(&error, response.body.size());
    return response;
  }

  Gate& gate_;
  api::RequestHead head_;
  const api::ServiceShape* service_ = nullptr;
  const api::OperationShape* op_ = nullptr;
  const ErasedRow* row_ = nullptr;
  Authenticated who_;
  Call call_;
  std::shared_ptr<void> input_, output_;
  std::optional<Passage> passage_;
  std::optional<api::BodyChecks> checks_;  // S3
  std::optional<api::ChunkDecoder> decoder_;
  std::unique_ptr<ErasedUpload> upload_;
  std::string body_;
  uint64_t received_ = 0;
  std::optional<Error> failure_;
};

std::unique_ptr<api::Exchange> Gate::begin(api::RequestHead head) {
  return std::make_unique<HttpExchange>(*this, std::move(head));
}

}  // namespace redoubt::access
