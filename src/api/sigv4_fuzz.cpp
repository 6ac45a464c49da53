// Any head: parsing its signature, canonicalising and verifying end in a value or an error, and nothing but the right signature
// passes.
#include "api/codec.h"
#include "api/fuzz_head.h"
#include "api/sigv4.h"
#include "base/crypto.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt;
  using namespace redoubt::api;
  auto [head, body] = fuzz_head({reinterpret_cast<const char*>(data), size});
  auto credential = sigv4::parse_credential(head);
  if (credential) {
    CHECK(credential->signature.size() == 64);
    auto hash = sigv4::payload_hash_to_sign(head, *credential);
    std::string payload = hash && *hash ? **hash : std::string(sigv4::kUnsignedPayload);
    // The secret is not derivable from the input: a pass would be a forgery.
    CHECK(!sigv4::verify(head, *credential, "a secret that no input knows", payload, credential->signed_at));
  }
  (void)s3_address(head);
  (void)parse_form(head.raw_query());

  // What we sign verifies, whatever the request is.
  RequestParts parts{.method = head.method,
                     .path = std::string(head.raw_path()),
                     .query = std::string(head.raw_query()),
                     .headers = {},
                     .body = body};
  sigv4::SignOptions options{"us-east-1", size % 2 ? "s3" : "kms", Timestamp::from_seconds(1760000000), ""};
  if (sigv4::is_signed(head) || parts.path.empty() || parts.path[0] != '/') return 0;
  sigv4::sign(parts, "localhost", {"AKID", "secret", ""}, options);
  RequestHead own = head;
  own.headers = parts.headers;
  auto own_credential = sigv4::parse_credential(own);
  CHECK(own_credential);
  CHECK(sigv4::verify(own, *own_credential, "secret",
                      options.service == "s3" ? parts.headers.get("x-amz-content-sha256") : hex(crypto::sha256(body)),
                      options.now));
  return 0;
}
