#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/crypto.h"
#include "base/ip.h"
#include "base/text.h"
#include "server/data_dir.h"
#include "server/errors.h"

namespace redoubt::server {
namespace {

constexpr int64_t kDay = 86400;
using X509Ptr = std::shared_ptr<X509>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

std::unexpected<Error> openssl_failed(const char* what) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return fail(kInternal, std::string(what) + " failed" + (reason ? std::string(": ") + reason : ""));
}

KeyPtr new_key() { return KeyPtr(EVP_EC_gen("P-256"), EVP_PKEY_free); }

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// An unsigned certificate of `key` with a random serial, valid from an hour before `now` (clocks differ) for `days`.
X509Ptr new_certificate(EVP_PKEY* key, const std::string& common_name, Timestamp now, int64_t days) {
  X509Ptr certificate(X509_new(), X509_free);
  if (!certificate) return nullptr;
  auto serial = crypto::random_bytes(16);
  serial[0] = static_cast<char>(serial[0] & 0x7f);  // positive
  std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr), BN_free);
  auto* name = X509_get_subject_name(certificate.get());
  bool ok = number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) &&
            X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
            ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now.seconds() - 3600) &&
            ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now.seconds() + days * kDay) &&
            X509_set_pubkey(certificate.get(), key) == 1 &&
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                       -1, 0) == 1;
  return ok ? certificate : nullptr;
}

Result<std::string> pem_of(const auto& write) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  if (!bio || write(bio.get()) != 1) return openssl_failed("writing PEM");
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

/// Prefers the one protocol that this listener speaks; a client that offers others only goes on without ALPN.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size, void* arg) {
  static const unsigned char http[] = "\x08http/1.1";
  static const unsigned char postgresql[] = "\x0apostgresql";
  bool is_http = arg == nullptr;
  unsigned char* chosen = nullptr;
  int found = SSL_select_next_proto(&chosen, out_size, is_http ? http : postgresql,
                                    is_http ? sizeof(http) - 1 : sizeof(postgresql) - 1, in, in_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<CertificateAuthority> CertificateAuthority::open(const std::filesystem::path& dir, Clock& clock) {
  CertificateAuthority out;
  out.clock_ = &clock;
  out.bundle_ = dir / "ca.pem";
  TRY_VOID(make_private_directory(dir));
  TRY(auto certificate_pem, read_file(out.bundle_));
  TRY(auto key_pem, read_file(dir / "ca.key"));
  if (certificate_pem.has_value() != key_pem.has_value())
    return fail(kCannotStart, "of " + (dir / "ca.pem").string() + " and ca.key one is missing");
  if (!certificate_pem) {
    out.key_ = new_key();
    if (!out.key_) return openssl_failed("making a key");
    // The name is unique, so that the authorities of two servers in one trust store can be told apart.
    out.certificate_ = new_certificate(out.key_.get(), "Redoubt local CA " + hex(crypto::random_bytes(4)), clock.now(), 3650);
    auto* c = out.certificate_.get();
    if (!c || X509_set_issuer_name(c, X509_get_subject_name(c)) != 1 ||
        !add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(c, c, NID_subject_key_identifier, "hash") || !X509_sign(c, out.key_.get(), EVP_sha256()))
      return openssl_failed("making the certificate authority");
    TRY(certificate_pem, pem_of([&](BIO* b) { return PEM_write_bio_X509(b, c); }));
    TRY(key_pem,
        pem_of([&](BIO* b) { return PEM_write_bio_PKCS8PrivateKey(b, out.key_.get(), nullptr, nullptr, 0, nullptr, nullptr); }));
    // The key first: a certificate without its key could never be mended.
    TRY_VOID(write_private_file(dir / "ca.key", *key_pem));
    TRY_VOID(write_private_file(out.bundle_, *certificate_pem));
  } else {
    std::unique_ptr<BIO, decltype(&BIO_free)> c(
        BIO_new_mem_buf(certificate_pem->data(), static_cast<int>(certificate_pem->size())), BIO_free);
    std::unique_ptr<BIO, decltype(&BIO_free)> k(BIO_new_mem_buf(key_pem->data(), static_cast<int>(key_pem->size())), BIO_free);
    out.certificate_ = X509Ptr(PEM_read_bio_X509(c.get(), nullptr, nullptr, nullptr), X509_free);
    out.key_ = KeyPtr(PEM_read_bio_PrivateKey(k.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    if (!out.certificate_ || !out.key_ || X509_check_private_key(out.certificate_.get(), out.key_.get()) != 1) {
      ERR_clear_error();
      return fail(kCannotStart, (dir / "ca.pem").string() + " and ca.key are damaged or don't belong together");
    }
  }
  out.certificate_pem_ = *certificate_pem;
  return out;
}

Result<TlsContext> CertificateAuthority::issue(const std::vector<std::string>& names, TlsProtocol protocol) const {
  std::string alternatives;
  for (auto& name : names)
    alternatives += (alternatives.empty() ? "" : ",") + std::string(Ip::parse(name) ? "IP:" : "DNS:") + name;
  auto key = new_key();
  if (!key) return openssl_failed("making a key");
  auto certificate = new_certificate(key.get(), "Redoubt", clock_->now(), 820);
  auto* c = certificate.get();
  auto* ca = certificate_.get();
  if (!c || X509_set_issuer_name(c, X509_get_subject_name(ca)) != 1 ||
      !add_extension(c, ca, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(c, ca, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(c, ca, NID_ext_key_usage, "serverAuth") || !add_extension(c, ca, NID_authority_key_identifier, "keyid") ||
      !add_extension(c, ca, NID_subject_alt_name, alternatives) || !X509_sign(c, key_.get(), EVP_sha256()))
    return openssl_failed("issuing a certificate");

  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return openssl_failed("making a TLS context");
  auto* s = context.get();
  SSL_CTX_set_min_proto_version(s, TLS1_2_VERSION);
  SSL_CTX_set_options(s, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(s, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(s, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(s, 0);
  static int not_http;
  SSL_CTX_set_alpn_select_cb(s, choose_alpn, protocol == TlsProtocol::http ? nullptr : &not_http);
  if (SSL_CTX_use_certificate(s, c) != 1 || SSL_CTX_use_PrivateKey(s, key.get()) != 1 || SSL_CTX_add1_chain_cert(s, ca) != 1)
    return openssl_failed("making a TLS context");
  return context;
}

}  // namespace redoubt::server
