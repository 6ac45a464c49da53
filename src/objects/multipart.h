#pragma once
/// What the rows of multipart uploads share; objects room only.
#include "base/crypto.h"
#include "objects/fields.h"

namespace redoubt::objects {

/// Errors: kNoSuchUpload.
Result<UploadRecord> find_upload(Index& index, const Bucket& b, const std::string& key, const std::string& id);
/// Errors: kInvalidArgument.
Result<void> check_part_number(int64_t n);

/// An UploadPart under way. The part's checksum is of the upload's algorithm: the client's own, which the Gate has verified, or
/// one made here.
class PartUpload final : public access::Upload<api::s3::UploadPartOutput> {
 public:
  /// `client_algorithm`: "" if the client names none.
  PartUpload(Objects& objects, UploadRecord upload, int number, std::string data_key, std::string client_algorithm);
  Result<void> write(std::string_view bytes) override;
  void checksum(api::ChecksumAlgorithm algorithm, const std::string& value) override;
  Result<api::s3::UploadPartOutput> finish() override;

 private:
  Objects& objects_;
  UploadRecord upload_;
  int number_;
  std::string client_algorithm_, client_value_;
  BlobWriter writer_;
  EtagMaker etag_;
  std::optional<api::Checksum> own_;
  uint64_t size_ = 0;
};

}  // namespace redoubt::objects
