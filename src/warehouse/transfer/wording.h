#pragma once
/// Redshift's way of saying that something on the way to S3 went wrong: one line, and a block under DETAIL that support would ask
/// for. Whoever loads or unloads may read it: it holds what S3 or STS told the caller, and nothing of ours.
#include <string>
#include <string_view>

#include "base/result.h"
#include "warehouse/transfer/errors.h"

namespace redoubt::warehouse::transfer {

struct Where {
  std::string context;        // "Listing bucket=b prefix=p"
  std::string_view location;  // "s3_utility.cpp:840"
  int query = 0, pid = 0;
};

/// `message` with the DETAIL block; code 8001 is what everything about S3 and roles has.
Error detailed(const ErrorKind& kind, std::string message, const Where& where, int code = 8001);

/// S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid ..,ExtRid ..,CanRetry 1
Error s3_error(const Error& error, std::string_view request_id, const Where& where);

/// "arn:aws:redshift:<region>:<account>:dbuser:<cluster>/<user>"
std::string dbuser_arn(const std::string& region, const std::string& account, const std::string& cluster,
                       const std::string& user);

/// Why a role chain can't be had; never says which of its hops refused, or why.
Error not_authorized_to_assume(const std::string& dbuser, const std::string& chain, const Where& where);

}  // namespace redoubt::warehouse::transfer
