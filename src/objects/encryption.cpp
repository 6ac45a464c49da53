/// Data keys: sealed under the server's root key (SSE-S3), or made and opened by KMS as the caller (SSE-KMS).
/// Source: S3 User Guide, "Using server-side encryption with AWS KMS keys".
#include "api/kms.h"
#include "base/crypto.h"
#include "objects/rows.h"

namespace redoubt::objects {
namespace {

/// Joins the blobs of a multipart object; each is opened when its turn comes.
class Concatenated final : public api::BodySource {
 public:
  using Opener = std::function<Result<std::unique_ptr<api::BodySource>>()>;
  explicit Concatenated(std::vector<Opener> parts) : parts_(std::move(parts)) {}
  Result<void> read(std::string& out, size_t max) override {
    while (at_ < parts_.size()) {
      if (!open_) {
        TRY(open_, parts_[at_]());
      }
      size_t before = out.size();
      TRY_VOID(open_->read(out, max));
      if (out.size() > before) return {};
      open_.reset();
      ++at_;
    }
    return {};
  }

 private:
  std::vector<Opener> parts_;
  std::unique_ptr<api::BodySource> open_;
  size_t at_ = 0;
};

/// What KMS said, in S3's words.
Error kms_error(const Error& e) {
  auto& code = e.kind->code;
  if (code == "DisabledException") return {&kKmsDisabled, e.message};
  if (code == "NotFoundException") return {&kKmsNotFound, e.message};
  if (code == "KMSInvalidStateException") return {&kKmsInvalidState, e.message};
  if (code == "InvalidKeyUsageException") return {&kKmsInvalidKeyUsage, e.message};
  if (code == "InvalidArnException" || code == "ValidationException") return {&kInvalidArgument, e.message};
  if (code.starts_with("AccessDenied")) return {&kAccessDenied, e.message};
  return e;
}

/// KMS is asked in the bucket's region, as the caller.
Call kms_call(const Bucket& b, const Call& call) {
  Call out = call;
  out.region = b.region;
  return out.forwarded_by("s3");
}

/// Objects under KMS keys are for signed requests on TLS. Calls from inside have neither and need neither.
Result<void> check_transport(const Call& call) {
  if (call.caller->type == policy::PrincipalType::anonymous)
    return fail(kInvalidArgument,
                "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.");
  if (!call.auth_type.empty() && !call.path.tls)
    return fail(kInvalidArgument,
                "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.");
  return {};
}

/// What KMS authenticates: the caller's own pairs and aws:s3:arn.
Result<std::map<std::string, std::string>> encryption_context(const Bucket& b, const std::string& key, const Sealing& s) {
  auto arn = s.bucket_key ? b.arn() : b.object_arn(key);
  std::map<std::string, std::string> out{{"aws:s3:arn", arn}};
  if (s.context.empty()) return out;
  auto text = unbase64(s.context);
  auto j = text ? Json::parse(*text) : fail(kInvalidArgument, "");
  if (!j || !j->is_object())
    return fail(kInvalidArgument,
                "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which "
                "represents a string-string map");
  for (auto& [k, v] : j->members()) {
    if (!v.is_string() || (k.starts_with("aws:") && !(k == "aws:s3:arn" && v.text() == arn)))
      return fail(kInvalidArgument, "The encryption context's member " + k + " is not allowed.");
    out[k] = v.text();
  }
  return out;
}

std::string sealed_for(const Bucket& b, const std::string& key) { return "s3/" + b.uid + "/" + key; }

}  // namespace

Result<Objects::Sealed> Objects::seal(const Bucket& b, const std::string& key, const SealRequest& request, const Call& call) {
  if (request.customer_key) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
  Sealed out;
  auto& s = out.sealing;
  s.algorithm = request.algorithm.value_or(b.sse);
  auto invalid = [](std::string why, const char* header) {
    return fail(Error{&kInvalidArgument, std::move(why)}.with("ArgumentName", header));
  };
  if (request.kms_key && request.algorithm.value_or("") != "aws:kms")
    return invalid("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
                   "x-amz-server-side-encryption");
  if (s.algorithm == "aws:kms:dsse") return fail(not_built("aws:kms:dsse"));
  if (s.algorithm == "AES256") {
    if (request.context)
      return invalid("x-amz-server-side-encryption-context requires x-amz-server-side-encryption : aws:kms",
                     "x-amz-server-side-encryption-context");
    out.data_key = crypto::random_bytes(32);
    s.wrapped_key = crypto::seal(options_.root_key, out.data_key, sealed_for(b, key));
    return out;
  }
  if (s.algorithm != "aws:kms")
    return invalid("The encryption method specified is not supported", "x-amz-server-side-encryption");
  TRY_VOID(check_transport(call));
  // Where neither the request nor the bucket names a key: the caller's account's aws/s3.
  s.kms_key = request.kms_key.value_or(b.sse == "aws:kms" ? b.kms_key : "");
  if (s.kms_key.empty()) s.kms_key = "alias/aws/s3";
  s.bucket_key = request.bucket_key.value_or(b.bucket_key);
  s.context = request.context.value_or("");
  api::kms::GenerateDataKeyRequest in{.KeyId = s.kms_key};
  in.KeySpec = "AES_256";
  TRY(in.EncryptionContext, encryption_context(b, key, s));
  auto made = gate_->call<api::kms::op::GenerateDataKey>(kms_call(b, call), in);
  if (!made) return fail(kms_error(made.error()));
  if (!made->KeyId || !made->CiphertextBlob || !made->Plaintext || made->Plaintext->size() != 32)
    return fail(kInternal, "KMS made no data key");
  s.kms_key = *made->KeyId;
  s.wrapped_key = *made->CiphertextBlob;
  out.data_key = *made->Plaintext;
  return out;
}

Result<std::string> Objects::unseal(const Bucket& b, const std::string& key, const Sealing& s, const Call& call) {
  if (s.algorithm == "AES256") {
    auto plain = crypto::open(options_.root_key, s.wrapped_key, sealed_for(b, key));
    if (!plain) return fail(kInternal, "the data key of " + b.object_arn(key) + " can't be unsealed");
    return std::move(*plain);
  }
  TRY_VOID(check_transport(call));
  api::kms::DecryptRequest in;
  in.CiphertextBlob = s.wrapped_key;
  TRY(in.EncryptionContext, encryption_context(b, key, s));
  auto opened = gate_->call<api::kms::op::Decrypt>(kms_call(b, call), in);
  if (!opened) return fail(kms_error(opened.error()));
  if (!opened->Plaintext || opened->Plaintext->size() != 32) return fail(kInternal, "KMS opened no data key");
  return std::move(*opened->Plaintext);
}

Result<std::unique_ptr<api::BodySource>> Objects::read(const FoundObject& found, uint64_t offset, uint64_t length,
                                                       const Call& call) {
  auto& v = found.version;
  TRY(auto data_key, unseal(*found.bucket, v.key, v.sealing, call));
  std::vector<Concatenated::Opener> parts;
  uint64_t start = 0;
  for (auto& piece : v.pieces) {
    auto& blob = piece.blob;
    uint64_t from = std::max(offset, start), to = std::min(offset + length, start + blob.size);
    if (from < to)
      parts.push_back([blobs = blobs_.get(), blob, data_key, pins = found.pins, at = from - start, n = to - from] {
        return blobs->open(blob, data_key, at, n, pins);
      });
    start += blob.size;
  }
  // One part is opened now, so that what is wrong with it is an answer and not a broken connection.
  if (parts.size() == 1) return parts[0]();
  return std::make_unique<Concatenated>(std::move(parts));
}

}  // namespace redoubt::objects
