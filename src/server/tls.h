#pragma once
/// The local certificate authority and the certificates of our listeners. Clients trust one file, DIR/tls/ca.pem; every listener
/// gets a certificate for exactly its own names. Those are made when a listener opens and live in memory only, so they are never
/// out of date; only the authority is kept, its key with mode 0600.
#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace redoubt::server {

using TlsContext = std::shared_ptr<SSL_CTX>;

enum class TlsProtocol { http, postgresql };  // what ALPN may agree on

class CertificateAuthority {
 public:
  /// Reads `dir`/ca.pem and ca.key, or makes them when neither exists. kCannotStart when they are unreadable or don't belong
  /// together.
  static Result<CertificateAuthority> open(const std::filesystem::path& dir, Clock& clock);

  /// A context for a listener that is reached under `names` (IP addresses, host names, "*.localhost"): TLS 1.2 or later, P-256,
  /// no sessions kept. Threads: any. Errors: kInternal.
  Result<TlsContext> issue(const std::vector<std::string>& names, TlsProtocol protocol) const;

  /// The authority's certificate in PEM, and the file that clients name (AWS_CA_BUNDLE, PGSSLROOTCERT).
  const std::string& certificate_pem() const { return certificate_pem_; }
  const std::filesystem::path& bundle() const { return bundle_; }

 private:
  CertificateAuthority() = default;
  std::string certificate_pem_;
  std::filesystem::path bundle_;
  std::shared_ptr<X509> certificate_;
  std::shared_ptr<EVP_PKEY> key_;
  Clock* clock_ = nullptr;
};

}  // namespace redoubt::server
