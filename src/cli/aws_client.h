#pragma once
/// Calls AWS APIs over HTTPS the way the aws cli does: endpoint, region and credentials from AWS_ENDPOINT_URL, AWS_REGION or
/// AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_CA_BUNDLE, else from the profile
/// AWS_PROFILE (default "default") of ~/.aws/credentials and ~/.aws/config (or AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE).
///
///   TRY(auto client, AwsClient::from_environment());
///   TRY(auto out, client.call<api::cloudtrail::op::LookupEvents>(input));
#include <string>

#include "api/codec.h"
#include "api/shape.h"
#include "api/sigv4.h"
#include "base/result.h"
#include "cli/errors.h"

namespace redoubt::cli {

class AwsClient {
 public:
  /// kUsage when something that is needed is nowhere set.
  static Result<AwsClient> from_environment();

  /// kUnreachable, or kRefused with the service's code and message.
  template <class Op>
  Result<typename Op::Output> call(const typename Op::Input& input) const {
    typename Op::Output output{};
    TRY_VOID(send(Op::shape(), &input, &output));
    return output;
  }

 private:
  Result<void> send(const api::OperationShape& op, const void* input, void* output) const;
  std::string endpoint_, region_, ca_bundle_;
  api::sigv4::Identity identity_;
};

}  // namespace redoubt::cli
