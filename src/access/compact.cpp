#include "access/compact.h"

#include <zstd.h>

#include <memory>

namespace redoubt::access {

namespace {

constexpr size_t kTextMax = size_t{16} << 20;  // of one record

/// A raw-content dictionary: what typical records say, the most frequent last. It is part of the stored format, as the first byte
/// tells: a better one gets another number, and this one stays.
constexpr char kFormat = 1;
constexpr std::string_view kDictionary =
    R"("mfaAuthenticated":"false"},"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::111122223333:role/)"
    R"(","accountId":"111122223333","userName":"","sessionContext":{"attributes":{"creationDate":"2026-01-01T00:00:00Z",)"
    R"("errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::111122223333:assumed-role/ is not authorized to perform: on )"
    R"(resource: because no identity-based policy allows the action","decision":"denied","explanation":{"layers":[)"
    R"("type":"AWS::IAM::Role"},"type":"AWS::KMS::Key"}],"type":"AWS::S3::Bucket"},"invokedBy":"s3.amazonaws.com",)"
    R"("sourceIPAddress":"s3.amazonaws.com","userAgent":"s3.amazonaws.com","invokedBy":"redshift.amazonaws.com",)"
    R"("name":"Decrypt","source":"kms.amazonaws.com","eventSource":"kms.amazonaws.com","eventName":"GenerateDataKey",)"
    R"("requestParameters":{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::"},"keyId":"arn:aws:kms:us-east-1:111122223333:key/)"
    R"({"id":"","request":"","name":"PutObject","source":"s3.amazonaws.com","user":"admin","key":"AKIA","resource":"arn:aws:s3:::)"
    R"(","time":1700000000000000,"read":true,"data":true,"record":{"eventVersion":"1.11","userIdentity":{"type":"IAMUser",)"
    R"("principalId":"AIDA","arn":"arn:aws:iam::111122223333:user/admin","accountId":"111122223333","accessKeyId":"AKIA",)"
    R"("userName":"admin"},"eventTime":"2026-01-01T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject",)"
    R"("awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1","userAgent":"Boto3/1.44.5 md/Botocore#1.44.5","requestParameters":)"
    R"({"bucket":"","key":""},"responseElements":null,"requestID":"","readOnly":true,"eventType":"AwsApiCall",)"
    R"("managementEvent":false,"eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3"},"resources":[{"ARN":"arn:aws:s3:::)"
    R"(","accountId":"111122223333","type":"AWS::S3::Object"}],"additionalEventData":{"redoubt":{"principal":"arn:aws:iam::)"
    R"(","decision":"allowed","decisions":[{"action":"s3:GetObject","resource":"arn:aws:s3:::","decision":"allowed",)"
    R"("layer":"identity","policy":"AdministratorAccess","statement":""}]}},"eventID":"","recipientAccountId":"111122223333",)"
    R"("sharedEventID":""}})";

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

}  // namespace

std::string compact(std::string_view text) {
  static const std::unique_ptr<ZSTD_CDict, Freed<ZSTD_freeCDict>> dictionary(
      ZSTD_createCDict(kDictionary.data(), kDictionary.size(), 3));
  thread_local std::unique_ptr<ZSTD_CCtx, Freed<ZSTD_freeCCtx>> context(ZSTD_createCCtx());
  std::string out(1 + ZSTD_compressBound(text.size()), kFormat);
  size_t n = ZSTD_compress_usingCDict(context.get(), out.data() + 1, out.size() - 1, text.data(), text.size(), dictionary.get());
  if (ZSTD_isError(n)) return std::string(1, '\0') + std::string(text);  // as it is: the trail is complete
  out.resize(1 + n);
  return out;
}

std::optional<std::string> expand(std::string_view stored) {
  if (stored.empty()) return std::nullopt;
  if (stored[0] == '\0') return std::string(stored.substr(1));
  if (stored[0] == '{') return std::string(stored);  // written by a server that didn't compact
  if (stored[0] != kFormat) return std::nullopt;
  stored.remove_prefix(1);
  static const std::unique_ptr<ZSTD_DDict, Freed<ZSTD_freeDDict>> dictionary(
      ZSTD_createDDict(kDictionary.data(), kDictionary.size()));
  thread_local std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_freeDCtx>> context(ZSTD_createDCtx());
  auto size = ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > kTextMax) return std::nullopt;
  std::string out(size_t(size), '\0');
  size_t n = ZSTD_decompress_usingDDict(context.get(), out.data(), out.size(), stored.data(), stored.size(), dictionary.get());
  if (ZSTD_isError(n) || n != out.size()) return std::nullopt;
  return out;
}

}  // namespace redoubt::access
