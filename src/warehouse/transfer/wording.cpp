#include "warehouse/transfer/wording.h"

#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::warehouse::transfer {
namespace {

/// One line of the block: what callers wrote can't add lines of its own.
std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

}  // namespace

Error detailed(const ErrorKind& kind, std::string message, const Where& where, int code) {
  constexpr std::string_view kRule = "  -----------------------------------------------\n";
  std::string detail = "\n";
  detail += kRule;
  detail += "  error:  " + one_line(message) + "\n";
  detail += "  code:      " + std::to_string(code) + "\n";
  detail += "  context:   " + one_line(where.context) + "\n";
  detail += "  query:     " + std::to_string(where.query) + "\n";
  detail += "  location:  " + std::string(where.location) + "\n";
  detail += "  process:   padbmaster [pid=" + std::to_string(where.pid) + "]\n";
  detail += kRule;
  return Error{&kind, std::move(message)}.with("DETAIL", std::move(detail));
}

Error s3_error(const Error& error, std::string_view request_id, const Where& where) {
  bool ours = error.kind->http_status >= 500;
  std::string message = ours ? "We encountered an internal error. Please try again." : error.message;
  std::string code = ours ? "InternalError" : std::string(error.kind->code);
  if (code == "InvalidClientTokenId") {  // what S3 calls it
    code = "InvalidAccessKeyId";
    message = "The AWS Access Key Id you provided does not exist in our records.";
  }
  std::string text = "S3ServiceException:" + message + ",Status " + std::to_string(error.kind->http_status) + ",Error " + code +
                     ",Rid " + std::string(request_id) + ",ExtRid " + base64(crypto::sha256(request_id)) + ",CanRetry 1";
  return detailed(kTransferFailed, std::move(text), where);
}

std::string dbuser_arn(const std::string& region, const std::string& account, const std::string& cluster,
                       const std::string& user) {
  return "arn:aws:redshift:" + region + ":" + account + ":dbuser:" + cluster + "/" + user;
}

Error not_authorized_to_assume(const std::string& dbuser, const std::string& chain, const Where& where) {
  return detailed(kTransferFailed, "User " + dbuser + " is not authorized to assume IAM Role " + chain, where);
}

}  // namespace redoubt::warehouse::transfer
