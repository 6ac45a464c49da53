#pragma once
/// One call's walk through the Gate: enter() validates, throttles and decides; close() leaves the audit records and tells the
/// row's observer. Both entries use it: inside calls (gate.cpp) and HTTP (http.cpp). The row, call and input outlive it.
#include "access/gate.h"
#include "access/record.h"

namespace redoubt::access {

class Passage {
 public:
  Passage(Gate& gate, const ErasedRow& row, const Call& call, const void* input);
  /// Errors: the model's validation errors; kThrottling; kExpiredToken, kInvalidClientTokenId for a principal that is gone; the
  /// denial.
  Result<void> enter();
  /// Once, when the answer is known. `error` is null for success, then `output` is the answer.
  void close(const Error* error, const void* output, uint64_t bytes_sent = 0, uint64_t bytes_received = 0);
  /// After enter(): what the resources were, for the handler.
  const Found& found() const { return found_; }

 private:
  Result<void> authorize();
  /// All resources of one need. Err: the denial.
  Result<void> decide_need(const ErasedNeed& need, const PrincipalPolicies& principal, const policy::Context& request_context);
  Error denial(const ErasedNeed& need, const policy::Decision& decision, const policy::Request& request, const Resource& resource,
               const PrincipalPolicies& principal, const AccountPolicies& owner);
  void add_verdict(const policy::Decision& decision, const policy::Request& request);

  Gate& gate_;
  const ErasedRow& row_;
  const Call& call_;
  const void* input_;
  std::vector<Verdict> verdicts_;
  Found found_;
  std::optional<Error> missing_;  // the first resource that isn't there: told only when every need was allowed
};

}  // namespace redoubt::access
