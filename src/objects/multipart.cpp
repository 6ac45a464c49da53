/// Multipart uploads: one data key for the whole upload, a blob a part, joined without copying.
#include "objects/multipart.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

namespace {

constexpr uint64_t kPartMax = uint64_t(5) << 30, kPartMin = 5 << 20;

/// Errors: kInvalidRequest.
Result<void> choose_checksum(const CreateMultipartUploadRequest& in, UploadRecord& u) {
  if (!in.ChecksumAlgorithm) {
    if (in.ChecksumType)
      return fail(kInvalidRequest, "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
    u.checksum_algorithm = "CRC64NVME";
    u.checksum_type = "FULL_OBJECT";
    u.checksum_implied = true;
    return {};
  }
  TRY(auto algorithm, parse_algorithm(*in.ChecksumAlgorithm));
  u.checksum_algorithm = std::string(api::name(algorithm));
  u.checksum_type = in.ChecksumType.value_or(u.checksum_algorithm == "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
  bool full = u.checksum_type == "FULL_OBJECT", sha = u.checksum_algorithm.starts_with("SHA");
  if ((full && sha) || (!full && u.checksum_algorithm == "CRC64NVME"))
    return fail(kInvalidRequest, "The " + u.checksum_type + " checksum type cannot be used with the " +
                                     to_lower(u.checksum_algorithm) + " checksum algorithm.");
  return {};
}

/// The parts that a CompleteMultipartUpload lists, in order. Errors: kInvalidPartOrder, kInvalidPart, kEntityTooSmall,
/// kInvalidRequest.
Result<std::vector<PartRecord>> chosen_parts(const std::vector<CompletedPart>& asked, const std::vector<PartRecord>& have,
                                             const UploadRecord& u) {
  std::vector<PartRecord> out;
  auto number = [](const CompletedPart& p) { return p.PartNumber.value_or(0); };
  for (size_t i = 0; i < asked.size(); ++i) {
    if (!asked[i].PartNumber || !asked[i].ETag) return fail(kMalformedXml, kMalformedXmlText);
    if (number(asked[i]) < 1)
      return fail(Error{&kInvalidArgument, "PartNumber must be >= 1"}
                      .with("ArgumentName", "PartNumber")
                      .with("ArgumentValue", std::to_string(number(asked[i]))));
    if (i > 0 && number(asked[i]) <= number(asked[i - 1]))
      return fail(kInvalidPartOrder, "The list of parts was not in ascending order. Parts must be ordered by part number.");
  }
  auto next = have.begin();
  for (auto& a : asked) {
    auto n = number(a);
    next = std::find_if(next, have.end(), [&](auto& p) { return p.number == n; });
    auto sums = named_checksums(a);
    if (sums.size() > 1)
      return fail(Error{&kInvalidArgument, "Expecting a single checksum for each part."}.with("PartNumber", std::to_string(n)));
    // Of an upload that named no algorithm only S3's own checksums are kept: there is nothing to compare others with.
    if (!u.checksum_implied && !sums.empty() && !sums.contains(u.checksum_algorithm))
      return fail(kBadDigest, "The " + to_lower(sums.begin()->first) + " you specified for part " + std::to_string(n) +
                                  " did not match what we received.");
    bool sum_differs = next != have.end() && sums.contains(u.checksum_algorithm) && sums[u.checksum_algorithm] != next->checksum;
    if (next == have.end() || unquoted(*a.ETag) != next->etag || sum_differs)
      return fail(Error{&kInvalidPart,
                        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                        "specified entity tag may not match the part's entity tag."}
                      .with("UploadId", u.id)
                      .with("PartNumber", std::to_string(n))
                      .with("ETag", *a.ETag));
    if (u.checksum_type == "COMPOSITE" && !sums.contains(u.checksum_algorithm))
      return fail(kInvalidRequest,
                  "The upload was created using a " + to_lower(u.checksum_algorithm) +
                      " checksum. The complete request must include the checksum for each part. It was missing for "
                      "part " +
                      std::to_string(n) + " in the request.");
    if (&a != &asked.back() && next->blob.size < kPartMin)
      return fail(Error{&kEntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"}
                      .with("PartNumber", std::to_string(n))
                      .with("ETag", next->etag)
                      .with("MinSizeAllowed", std::to_string(kPartMin))
                      .with("ProposedSize", std::to_string(next->blob.size)));
    out.push_back(*next);
  }
  return out;
}

/// The ETag of an object made of these parts.
std::string joined_etag(const std::vector<CompletedPart>& parts) {
  std::string etags;
  for (auto& p : parts) etags += unhex(unquoted(p.ETag.value_or(""))).value_or("");
  return hex(crypto::md5(etags)) + "-" + std::to_string(parts.size());
}

/// Where the client finds the object: at the host that it has asked. Calls from inside have none.
std::string location_of(const std::string& bucket, const std::string& key, const Call& call) {
  auto host = call.headers.find("host");
  std::string path = "/" + url_encode(key, true);
  if (host == call.headers.end()) return "/" + bucket + path;
  std::string origin = (call.path.tls ? "https://" : "http://") + host->second;
  return host->second.starts_with(bucket + ".") ? origin + path : origin + "/" + bucket + path;
}

/// The object's checksum out of its parts'. Errors: kInvalidRequest, kBadDigest when the client expected another.
Result<StoredChecksum> joined_checksum(const CompleteMultipartUploadRequest& in, const UploadRecord& u,
                                       const std::vector<PartRecord>& parts) {
  TRY(auto algorithm, parse_algorithm(u.checksum_algorithm));
  if (in.ChecksumType && *in.ChecksumType != u.checksum_type)
    return fail(kInvalidRequest, "The upload was created using the " + u.checksum_type +
                                     " checksum mode. The complete request must use the same checksum mode.");
  std::vector<std::string> sums;
  std::vector<std::pair<std::string, uint64_t>> sized;
  for (auto& p : parts) {
    sums.push_back(p.checksum);
    sized.emplace_back(p.checksum, p.blob.size);
  }
  auto value =
      u.checksum_type == "FULL_OBJECT" ? api::full_object_checksum(algorithm, sized) : api::composite_checksum(algorithm, sums);
  if (!value) return fail(kInternal, "the parts of upload " + u.id + " have no checksums");
  for (auto& [name, expected] : named_checksums(in)) {
    if (name != u.checksum_algorithm)
      return fail(kInvalidRequest,
                  "The upload was created using a " + to_lower(u.checksum_algorithm) + " checksum, not " + to_lower(name) + ".");
    // Clients send a composite checksum with or without its number of parts.
    if (expected != *value && expected != value->substr(0, value->find('-')))
      return fail(kBadDigest, "The " + to_lower(name) + " you specified did not match the calculated checksum.");
  }
  return StoredChecksum{u.checksum_algorithm, *value, u.checksum_type};
}

}  // namespace

Result<UploadRecord> find_upload(Index& index, const Bucket& b, const std::string& key, const std::string& id) {
  TRY(auto u, index.find_upload(b, key, id));
  if (!u)
    return fail(Error{&kNoSuchUpload,
                      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
                      "completed."}
                    .with("UploadId", id));
  return std::move(*u);
}

Result<void> check_part_number(int64_t n) {
  if (n >= 1 && n <= 10000) return {};
  return fail(Error{&kInvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"}
                  .with("ArgumentName", "partNumber")
                  .with("ArgumentValue", std::to_string(n)));
}

PartUpload::PartUpload(Objects& objects, UploadRecord upload, int number, std::string data_key, std::string client_algorithm)
    : objects_(objects),
      upload_(std::move(upload)),
      number_(number),
      client_algorithm_(std::move(client_algorithm)),
      writer_(objects.blobs_->writer(std::move(data_key))),
      etag_(upload_.sealing) {
  if (client_algorithm_ != upload_.checksum_algorithm)
    if (auto a = api::parse_checksum_algorithm(upload_.checksum_algorithm)) own_.emplace(*a);
}

Result<void> PartUpload::write(std::string_view bytes) {
  size_ += bytes.size();
  if (size_ > kPartMax) return fail(kEntityTooLarge, "Your proposed upload exceeds the maximum allowed size");
  etag_.update(bytes);
  if (own_) own_->update(bytes);
  return writer_.write(bytes);
}

void PartUpload::checksum(api::ChecksumAlgorithm algorithm, const std::string& value) {
  client_algorithm_ = std::string(api::name(algorithm));
  client_value_ = value;
}

Result<UploadPartOutput> PartUpload::finish() {
  PartRecord part{.number = number_, .etag = etag_.finish(), .modified = objects_.clock_.now()};
  part.checksum = own_ ? own_->finish() : client_value_;
  if (part.checksum.empty()) return fail(kInvalidRequest, "The part's " + client_algorithm_ + " checksum is missing.");
  TRY(part.blob, writer_.finish());
  TRY_VOID(objects_.index_->put_part(upload_, part));
  UploadPartOutput out;
  out.ETag = quoted(part.etag);
  set_sealing(upload_.sealing, out);
  if (!client_value_.empty())
    set_checksum_value(client_algorithm_, client_value_, out);
  else
    set_checksum_value(upload_.checksum_algorithm, part.checksum, out);
  return out;
}

void Objects::declare_multipart() {
  auto on_key = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return only(key_resource(b, in.Key, call));
  };

  auto context = [](const CreateMultipartUploadRequest& in, const Call& call, policy::Context& c) {
    set_write_context(in, call, c);
    set_tagging_context(in, c);
  };
  access::Row<op::CreateMultipartUpload> create{
      .needs = {{.action = "s3:PutObject", .resources = on_key, .context = context},
                {.action = "s3:PutObjectTagging",
                 .resources = on_key,
                 .context = context,
                 .when = [](const CreateMultipartUploadRequest& in, const Call&) { return in.Tagging.has_value(); }},
                {.action = "s3:PutObjectAcl",
                 .resources = on_key,
                 .context = context,
                 .when = names_acl<CreateMultipartUploadRequest>}}};
  create.data_event = true;
  create.handler = [this](const Allowed<CreateMultipartUploadRequest>& r) -> Result<CreateMultipartUploadOutput> {
    auto& in = r.input;
    auto b = r.found<Bucket>();
    TRY_VOID(check_key(in.Key));
    UploadRecord u{.bucket_uid = b->uid, .key = in.Key, .initiated = clock_.now()};
    // Ids sort by age, as ListMultipartUploads lists them.
    char age[17];
    std::snprintf(age, sizeof age, "%016llx", static_cast<unsigned long long>(u.initiated.us));
    u.id = age + base64url(crypto::random_bytes(36));
    u.initiator = r.call.caller->arn;
    u.owner = owner_of_new(*b, in.ACL, *r.call.caller);
    TRY(u.acl, object_acl(in, *b, u.owner));
    TRY(u.meta, meta_of(in));
    TRY_VOID(choose_checksum(in, u));
    TRY(auto sealed,
        seal(*b, in.Key,
             {in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, wants_customer_key(in)},
             r.call));
    u.sealing = std::move(sealed.sealing);
    TRY_VOID(index_->start_upload(*b, u));
    CreateMultipartUploadOutput out;
    out.Bucket = in.Bucket;
    out.Key = in.Key;
    out.UploadId = u.id;
    set_sealing(u.sealing, out);
    if (!u.checksum_implied) {
      out.ChecksumAlgorithm = u.checksum_algorithm;
      out.ChecksumType = u.checksum_type;
    }
    return out;
  };
  add<op::CreateMultipartUpload>(std::move(create));

  access::Row<op::UploadPart> part{.needs = {{.action = "s3:PutObject", .resources = on_key}}};
  part.data_event = true;
  part.open = [this](const Allowed<UploadPartRequest>& r) -> Result<std::unique_ptr<access::Upload<UploadPartOutput>>> {
    auto& in = r.input;
    if (wants_customer_key(in)) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    auto b = r.found<Bucket>();
    TRY_VOID(check_part_number(in.PartNumber));
    TRY(auto u, find_upload(*index_, *b, in.Key, in.UploadId));
    auto algorithm = named_algorithm(in);
    // A composite checksum is made of what the client says of each part; a full object's can be made here.
    bool lacks = algorithm.empty() && u.checksum_type == "COMPOSITE";
    if (!u.checksum_implied && (lacks || (!algorithm.empty() && algorithm != u.checksum_algorithm)))
      return fail(kInvalidRequest, "Checksum Type mismatch occurred, expected checksum Type: " + to_lower(u.checksum_algorithm) +
                                       ", actual checksum Type: " + (lacks ? "null" : to_lower(algorithm)));
    TRY(auto data_key, unseal(*b, in.Key, u.sealing, r.call));
    return std::make_unique<PartUpload>(*this, u, int(in.PartNumber), std::move(data_key), algorithm);
  };
  add<op::UploadPart>(std::move(part));

  access::Row<op::CompleteMultipartUpload> complete{
      .needs = {{.action = "s3:PutObject",
                 .resources = on_key,
                 .context = [](const CompleteMultipartUploadRequest& in, const Call& call, policy::Context& c) {
                   set_write_context(in, call, c);
                 }}}};
  complete.data_event = true;
  complete.handler = [this](const Allowed<CompleteMultipartUploadRequest>& r) -> Result<CompleteMultipartUploadOutput> {
    auto& in = r.input;
    auto b = r.found<Bucket>();
    TRY(auto condition, write_condition(in));
    if (!in.MultipartUpload || !in.MultipartUpload->Parts || in.MultipartUpload->Parts->empty())
      return fail(kMalformedXml, kMalformedXmlText);
    auto describe = [&](const OurVersion& v) {
      CompleteMultipartUploadOutput out;
      out.Location = location_of(in.Bucket, in.Key, r.call);
      out.Bucket = in.Bucket;
      out.Key = in.Key;
      out.ETag = quoted(v.etag);
      out.VersionId = shown_version(*b, v.version_id);
      set_sealing(v.sealing, out);
      set_checksum(v.checksum, out);
      return out;
    };
    auto make = [&]() -> Result<OurVersion> {
      TRY(auto u, find_upload(*index_, *b, in.Key, in.UploadId));
      TRY(auto have, index_->parts(u));
      auto chosen = chosen_parts(*in.MultipartUpload->Parts, have, u);
      if (!chosen) {
        TRY_VOID(find_upload(*index_, *b, in.Key, in.UploadId));  // its parts may be gone because it was completed just now
        return fail(chosen.error());
      }
      auto& parts = *chosen;
      // The parts' bytes aren't touched, but who may not decrypt them may not make an object of them.
      TRY_VOID(unseal(*b, in.Key, u.sealing, r.call));
      OurVersion v{.key = in.Key, .owner = u.owner, .acl = u.acl, .meta = u.meta, .sealing = u.sealing};
      v.upload_id = u.id;
      for (auto& p : parts) {
        v.size += p.blob.size;
        v.pieces.push_back({p.number, p.checksum, p.blob});
      }
      v.piece_count = parts.size();
      if (in.MpuObjectSize && *in.MpuObjectSize < 0)
        return fail(kInvalidRequest, "Value for x-amz-mp-object-size header is less than zero");
      if (in.MpuObjectSize && uint64_t(*in.MpuObjectSize) != v.size)
        return fail(kInvalidRequest, "The provided 'x-amz-mp-object-size' header value " + std::to_string(*in.MpuObjectSize) +
                                         " does not match what was computed: " + std::to_string(v.size));
      v.etag = joined_etag(*in.MultipartUpload->Parts);
      TRY(v.checksum, joined_checksum(in, u, parts));
      TRY_VOID(index_->complete(*b, v, clock_.now(), condition, u));
      return v;
    };
    auto made = make();
    if (!made && made.error().is(kNoSuchUpload)) {
      // A client that lost the answer asks again: the object that this very upload made is the answer.
      TRY(auto there, index_->find(*b, in.Key, std::nullopt));
      if (!there || there->upload_id != in.UploadId || there->etag != joined_etag(*in.MultipartUpload->Parts))
        return fail(made.error());
      TRY_VOID(unseal(*b, in.Key, there->sealing, r.call));
      return describe(*there);
    }
    if (!made) return fail(made.error());
    return describe(*made);
  };
  add<op::CompleteMultipartUpload>(std::move(complete));

  access::Row<op::AbortMultipartUpload> abort{.needs = {{.action = "s3:AbortMultipartUpload", .resources = on_key}}};
  abort.data_event = true;
  abort.handler = [this](const Allowed<AbortMultipartUploadRequest>& r) -> Result<AbortMultipartUploadOutput> {
    TRY(auto u, find_upload(*index_, *r.found<Bucket>(), r.input.Key, r.input.UploadId));
    // A time in the future says nothing.
    if (r.input.IfMatchInitiatedTime && *r.input.IfMatchInitiatedTime <= clock_.now() &&
        r.input.IfMatchInitiatedTime->seconds() != u.initiated.seconds())
      return fail(kPreconditionFailed, "At least one of the pre-conditions you specified did not hold");
    TRY_VOID(index_->abort_upload(u));
    return AbortMultipartUploadOutput{};
  };
  add<op::AbortMultipartUpload>(std::move(abort));
}

}  // namespace redoubt::objects
