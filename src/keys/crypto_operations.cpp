/// Encrypt, Decrypt, ReEncrypt and the data keys.
#include "api/kms.h"
#include "base/crypto.h"
#include "keys/envelope.h"
#include "keys/rows.h"

namespace redoubt::keys {

using namespace api::kms;
using access::Allowed;

namespace {

constexpr const char* kAlgorithm = "SYMMETRIC_DEFAULT";

Result<void> check_algorithm(const std::optional<std::string>& asked) {
  if (asked && *asked != kAlgorithm)
    return fail(kInvalidKeyUsage, "Encryption algorithm " + *asked + " is not supported by a SYMMETRIC_DEFAULT key.");
  return {};
}
template <class In>
Result<void> check_recipient(const In& in) {
  if (in.Recipient) return fail(kUnsupportedOperation, "Recipient (AWS Nitro Enclaves) is not supported by this server.");
  return {};
}

/// The length a GenerateDataKey asks for.
Result<size_t> data_key_size(const std::optional<std::string>& spec, const std::optional<int64_t>& bytes) {
  if (spec.has_value() == bytes.has_value()) return fail(kValidation, "Please specify either number of bytes or key spec.");
  if (bytes) return size_t(*bytes);
  return *spec == "AES_256" ? 32 : 16;
}

}  // namespace

void Keys::declare_crypto() {
  key_operation<op::Encrypt>("kms:Encrypt", Reach::any_account,
                             [](const Allowed<EncryptRequest>& r, const KeyPtr& key) -> Result<EncryptResponse> {
                               TRY_VOID(check_algorithm(r.input.EncryptionAlgorithm));
                               TRY_VOID(check_usable(*key));
                               TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
                               return EncryptResponse{
                                   .CiphertextBlob = encrypt(*key, r.input.Plaintext, or_empty(r.input.EncryptionContext)),
                                   .KeyId = key->arn(),
                                   .EncryptionAlgorithm = kAlgorithm};
                             },
                             true, {"Plaintext", "CiphertextBlob"});

  // Decrypt finds its key in the ciphertext; the request's KeyId, if any, must name the same one.
  auto key_of_blob = [this](const std::optional<std::string>& blob, const access::Call& call, std::string_view action,
                            const EncryptionContext& context) -> Result<std::vector<access::Resource>> {
    if (!blob)
      return fail(kValidation,
                  "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be "
                  "null");
    auto header = parse_blob(*blob);
    if (!header) return fail(kInvalidCiphertext, "");
    auto key = header->region == call.region ? store_.find(header->account, header->region, header->key_id) : nullptr;
    if (!key) {
      Error unknown{&access::kAccessDenied,
                    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you "
                    "are not allowed to access."};
      return std::vector{access::Resource{.arn = make_arn("kms", header->region, header->account, "key/" + header->key_id),
                                          .account = header->account,
                                          .rule = policy::ResourceRule::required,
                                          .missing = unknown,
                                          .hidden = unknown}};
    }
    return std::vector{resource_of(key, call, action, context)};
  };
  // `key`: the one that was decided on.
  auto open_blob = [this](const KeyPtr& key, std::string_view blob, const std::optional<std::string>& key_id,
                          const EncryptionContext& context, const access::Call& call) -> Result<std::string> {
    TRY_VOID(check_context_size(context));
    if (key_id) {
      auto named = find(*key_id, call);
      if (!named.key || named.key->arn() != key->arn())
        return fail(kIncorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.");
    }
    TRY_VOID(check_usable(*key));
    auto plain = decrypt(*key, blob, context);
    if (!plain) return fail(kInvalidCiphertext, "");
    return std::move(*plain);
  };

  access::Row<op::Decrypt> decrypt_row{
      .needs = {{.action = "kms:Decrypt",
                 .resources = [key_of_blob](const DecryptRequest& in,
                                            const access::Call& call) -> Result<std::vector<access::Resource>> {
                   return key_of_blob(in.CiphertextBlob, call, "kms:Decrypt", or_empty(in.EncryptionContext));
                 },
                 .context =
                     [](const DecryptRequest& in, const access::Call&, policy::Context& c) {
                       set_encryption_context(or_empty(in.EncryptionContext), c);
                       c.set("kms:EncryptionAlgorithm", kAlgorithm);
                       if (in.KeyId) set_request_alias(*in.KeyId, c);
                     }}}};
  decrypt_row.read_only = true;
  decrypt_row.denial = policy::DenialStyle::kms;
  decrypt_row.secret_members = {"Plaintext", "CiphertextBlob"};
  decrypt_row.handler = [open_blob](const Allowed<DecryptRequest>& r) -> Result<DecryptResponse> {
    TRY_VOID(check_algorithm(r.input.EncryptionAlgorithm));
    TRY_VOID(check_recipient(r.input));
    auto key = r.found<Key>();
    TRY(auto plain, open_blob(key, *r.input.CiphertextBlob, r.input.KeyId, or_empty(r.input.EncryptionContext), r.call));
    TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
    return DecryptResponse{.KeyId = key->arn(), .Plaintext = std::move(plain), .EncryptionAlgorithm = kAlgorithm};
  };
  gate_->add<op::Decrypt>(std::move(decrypt_row));

  auto re_encrypt_context = [this](const EncryptionContext& context, const ReEncryptRequest& in, const access::Call& call,
                                   policy::Context& c) {
    set_encryption_context(context, c);
    c.set("kms:EncryptionAlgorithm", kAlgorithm);
    auto header = parse_blob(or_empty(in.CiphertextBlob));
    auto to = find(in.DestinationKeyId, call).key;
    c.set_bool("kms:ReEncryptOnSameKey", header && to && header->account == to->account && header->key_id == to->id);
  };
  access::Row<op::ReEncrypt> re{
      .needs = {
          {.action = "kms:ReEncryptFrom",
           .resources = [key_of_blob](const ReEncryptRequest& in,
                                      const access::Call& call) -> Result<std::vector<access::Resource>> {
             return key_of_blob(in.CiphertextBlob, call, "kms:ReEncryptFrom", or_empty(in.SourceEncryptionContext));
           },
           .context = [re_encrypt_context](
                          const ReEncryptRequest& in, const access::Call& call,
                          policy::Context& c) { re_encrypt_context(or_empty(in.SourceEncryptionContext), in, call, c); }},
          {.action = "kms:ReEncryptTo",
           .resources = [this](const ReEncryptRequest& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
             auto& context = or_empty(in.DestinationEncryptionContext);
             return std::vector{resource(find(in.DestinationKeyId, call), call, "kms:ReEncryptTo", context)};
           },
           .context =
               [re_encrypt_context](const ReEncryptRequest& in, const access::Call& call, policy::Context& c) {
                 re_encrypt_context(or_empty(in.DestinationEncryptionContext), in, call, c);
                 set_request_alias(in.DestinationKeyId, c);
               }}}};
  re.read_only = true;
  re.denial = policy::DenialStyle::kms;
  re.secret_members = {"CiphertextBlob"};
  re.handler = [open_blob](const Allowed<ReEncryptRequest>& r) -> Result<ReEncryptResponse> {
    TRY_VOID(check_algorithm(r.input.SourceEncryptionAlgorithm));
    TRY_VOID(check_algorithm(r.input.DestinationEncryptionAlgorithm));
    auto from = r.found<Key>(0), to = r.found<Key>(1);
    TRY(auto plain,
        open_blob(from, *r.input.CiphertextBlob, r.input.SourceKeyId, or_empty(r.input.SourceEncryptionContext), r.call));
    TRY_VOID(check_context_size(or_empty(r.input.DestinationEncryptionContext)));
    TRY_VOID(check_usable(*to));
    TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
    return ReEncryptResponse{.CiphertextBlob = encrypt(*to, plain, or_empty(r.input.DestinationEncryptionContext)),
                             .SourceKeyId = from->arn(),
                             .KeyId = to->arn(),
                             .SourceEncryptionAlgorithm = kAlgorithm,
                             .DestinationEncryptionAlgorithm = kAlgorithm};
  };
  gate_->add<op::ReEncrypt>(std::move(re));

  key_operation<op::GenerateDataKey>(
      "kms:GenerateDataKey", Reach::any_account,
      [](const Allowed<GenerateDataKeyRequest>& r, const KeyPtr& key) -> Result<GenerateDataKeyResponse> {
        TRY(size_t size, data_key_size(r.input.KeySpec, r.input.NumberOfBytes));
        TRY_VOID(check_recipient(r.input));
        TRY_VOID(check_usable(*key));
        TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
        auto plain = crypto::random_bytes(size);
        auto blob = encrypt(*key, plain, or_empty(r.input.EncryptionContext));
        return GenerateDataKeyResponse{.CiphertextBlob = std::move(blob), .Plaintext = std::move(plain), .KeyId = key->arn()};
      },
      true, {"Plaintext", "CiphertextBlob"});

  key_operation<op::GenerateDataKeyWithoutPlaintext>(
      "kms:GenerateDataKeyWithoutPlaintext", Reach::any_account,
      [](const Allowed<GenerateDataKeyWithoutPlaintextRequest>& r,
         const KeyPtr& key) -> Result<GenerateDataKeyWithoutPlaintextResponse> {
        TRY(size_t size, data_key_size(r.input.KeySpec, r.input.NumberOfBytes));
        TRY_VOID(check_usable(*key));
        TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
        return GenerateDataKeyWithoutPlaintextResponse{
            .CiphertextBlob = encrypt(*key, crypto::random_bytes(size), or_empty(r.input.EncryptionContext)),
            .KeyId = key->arn()};
      },
      true, {"CiphertextBlob"});

  access::Row<op::GenerateRandom> random{.needs = {{.action = "kms:GenerateRandom"}}};
  random.read_only = true;
  random.denial = policy::DenialStyle::kms;
  random.secret_members = {"Plaintext"};
  random.handler = [](const Allowed<GenerateRandomRequest>& r) -> Result<GenerateRandomResponse> {
    if (r.input.CustomKeyStoreId) return fail(kUnsupportedOperation, "A custom key store is not supported by this server.");
    TRY_VOID(check_recipient(r.input));
    if (!r.input.NumberOfBytes) return fail(kValidation, "NumberOfBytes must be specified.");
    return GenerateRandomResponse{.Plaintext = crypto::random_bytes(size_t(*r.input.NumberOfBytes))};
  };
  gate_->add<op::GenerateRandom>(std::move(random));
}

}  // namespace redoubt::keys
