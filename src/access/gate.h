#pragma once
/// The Gate: the only way into any service, from outside and from inside. authenticate -> resolve -> authorize -> run -> audit.
///
///   // A service declares its rows once, at start. Handlers hold no authorization code.
///   void Keys::declare(access::Gate& gate) {
///     using namespace api::kms;
///     gate.add<op::Decrypt>({
///         .needs = {{.action = "kms:Decrypt", .resources = [this](auto& in, auto& call) { return key_of_ciphertext(in, call);
///         }}}, .handler = [this](const access::Allowed<DecryptRequest>& r) { return decrypt(r.input, r.call); }});
///   }
///   // Anyone calls it, always as somebody:
///   TRY(auto out, gate.call<api::kms::op::Decrypt>(call.forwarded_by("s3"), request));
///
/// An operation of the API models without a row answers NotImplemented (501) by name. A row without a need does not compile
/// unless it says NoNeed and why. Input has been validated by the model's rules when a handler sees it, also in nested calls.
/// Threads: any; calls run on the caller's thread, nested ones inline; nothing here waits but handlers themselves.
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "access/directory.h"
#include "api/checksums.h"
#include "api/http.h"
#include "api/shape.h"
#include "policy/context.h"

namespace redoubt::access {

/// What an operation touches, as decisions see it.
struct Resource {
  std::string arn = "*";     // "*": actions without a resource type
  std::string account;       // its owner; "": the caller's own account
  policy::PolicyPtr policy;  // bucket, key or trust policy; null: it has none
  policy::ResourceRule rule = policy::ResourceRule::none;
  bool granted = false;                            // a KMS grant covers this caller and action
  std::map<std::string, std::string, ILess> tags;  // aws:ResourceTag/..
  std::vector<std::pair<std::string, std::vector<std::string>>> context =
      {};  // more condition keys: kms:KeySpec, s3:ExistingObjectTag/k ..
  /// The resource doesn't exist: who would be allowed gets this error, everybody else the denial.
  std::optional<Error> missing = {};
  /// A denial is answered with this instead (S3: 403 or 404 by s3:ListBucket; KMS; AssumeRole's wording is the service's style).
  std::optional<Error> hidden = {};
  /// What `arn` stood for when it was decided: Allowed::found hands it to the handler, which must work on that very thing and not
  /// on whatever has its name by then (an object overwritten with other tags, an alias moved, a bucket made anew by a stranger).
  std::shared_ptr<const void> found = {};
};
/// Resource::found of every resource that was decided, in the order of needs and of each need's resources.
using Found = std::vector<std::shared_ptr<const void>>;

/// `.needs = NoNeed{"AWS requires no permission"}`: sts:GetCallerIdentity.
struct NoNeed {
  std::string_view public_because;
};

template <class In>
struct Need {
  std::string_view action;  // the IAM permission, "kms:Decrypt"
  /// Names what is touched. An Err ends the call before any decision: only for errors that say nothing about foreign resources.
  /// Empty: the action has no resource type ("*").
  std::function<Result<std::vector<Resource>>(const In&, const Call&)> resources = nullptr;
  /// Condition keys of the request itself (aws:RequestTag/.., s3:prefix, kms:EncryptionContext:..).
  std::function<void(const In&, const Call&, policy::Context&)> context = nullptr;
  /// Asked only if true: iam:PassRole only when a role is passed.
  std::function<bool(const In&, const Call&)> when = nullptr;
};

/// What a row demands. It has no default, so that a row without .needs does not compile; an empty list aborts at start.
template <class In>
class Needs {
 public:
  Needs(std::initializer_list<Need<In>> list) : list_(list) {}
  Needs(std::vector<Need<In>> list) : list_(std::move(list)) {}
  Needs(NoNeed none) : public_because_(none.public_because) {}
  const std::vector<Need<In>>& list() const { return list_; }
  std::string_view public_because() const { return public_because_; }

 private:
  std::vector<Need<In>> list_;
  std::string_view public_because_;
};

/// Proof that every need of a row was decided; only the Gate makes one.
template <class In>
class Allowed {
 public:
  const In& input;
  const Call& call;
  /// The n-th decided resource's Resource::found. `T` is what the row's `resources` put there.
  template <class T>
  std::shared_ptr<const T> found(size_t n = 0) const {
    return n < found_.size() ? std::static_pointer_cast<const T>(found_[n]) : nullptr;
  }

 private:
  friend class Gate;
  Allowed(const In& i, const Call& c, const Found& f) : input(i), call(c), found_(f) {}
  const Found& found_;
};

/// A request body that streams in after authorisation (PutObject, UploadPart): write.. then finish; destroyed without finish:
/// nothing has happened.
template <class Out>
class Upload : public api::BodySink {
 public:
  /// Before finish, when the client sent a checksum (in a header or trailer): it has been verified; base64. S3 keeps it.
  virtual void checksum(api::ChecksumAlgorithm, const std::string& value) {}
  virtual Result<Out> finish() = 0;
};

template <class Op>
struct Row {
  using In = typename Op::Input;
  using Out = typename Op::Output;
  Needs<In> needs;
  std::function<Result<Out>(const Allowed<In>&)> handler = nullptr;
  /// Operations with a streaming body have this instead of handler. Input and call live as long as the upload. The body arrives
  /// as sent by the client, aws-chunked coding undone and checksums of header and trailer verified by the Gate before finish().
  std::function<Result<std::unique_ptr<Upload<Out>>>(const Allowed<In>&)> open = nullptr;
  bool read_only = false;   // CloudTrail's readOnly
  bool data_event = false;  // kept out of LookupEvents, as CloudTrail does by default
  policy::DenialStyle denial = policy::DenialStyle::standard;
  /// Members whose values never enter the audit trail (besides those the model marks sensitive): "Plaintext",
  /// "MasterUserPassword".
  std::vector<std::string_view> secret_members = {};
  /// For access logs: bucket and key of S3 requests. Called after the answer is known.
  std::function<void(const In&, const Call&, int http_status, std::string_view error_code, uint64_t bytes_sent,
                     uint64_t bytes_received)>
      done = nullptr;
};

class Audit;
struct ErasedRow;
class ErasedUpload;

class Gate : public api::Handler {
 public:
  struct Options {
    std::string region = "us-east-1";
    bool strict = false;
    size_t body_size_max = 4 << 20;  // of requests that aren't streamed; S3 multi-delete and policies fit
    /// Requests per second and burst by account and action; absent: unlimited. Answer: Throttling "Rate exceeded" (400; 503
    /// SlowDown in S3).
    std::map<std::string, std::pair<double, double>> throttles;
  };
  Gate(Directory& directory, Audit& audit, Clock& clock, Options options);
  ~Gate() override;

  template <class Op>
  void add(Row<Op> row);

  /// Decides, runs and audits. Also the entry for COPY, stacks, other services. Errors: those of the operation; kAccessDenied (or
  /// the protocol's name for it); kThrottling; kNotImplemented where no row was declared.
  template <class Op>
  Result<typename Op::Output> call(const Call& call, const typename Op::Input& input);
  template <class Op>
  Result<std::unique_ptr<Upload<typename Op::Output>>> upload(const Call& call, const typename Op::Input& input);

  /// Decides an operation without running it, for operations that stand for many (DeleteObjects). Audited if it is refused.
  template <class Op>
  Result<void> check(const Call& call, const typename Op::Input& input) {
    return check_erased(Op::shape(), call, &input);
  }

  /// A Call for credentials that were obtained inside (COPY's role chain; explicit keys in COPY). Errors: as Directory::find_key;
  /// a wrong secret is kSignatureDoesNotMatch.
  Result<Call> call_with_credentials(const Call& parent, std::string_view access_key_id, std::string_view secret,
                                     std::string_view session_token);
  /// A Call for a service acting for itself: redshift.amazonaws.com assuming the cluster's role.
  Call call_as_service(const Call& parent, std::string_view service);
  /// The outermost Call where no HTTP request is: SQL sessions, background work.
  Call new_call(CallerPtr caller, const api::NetworkPath& path) const;

  /// Whether `call` could do `action` on `resource`, without doing it or auditing it. For simulators and "as the caller"
  /// pre-checks. The decision's effect, layer and statement index are all that it tells: names would point into snapshots.
  policy::Decision decide(const Call& call, std::string_view action, const Resource& resource,
                          const policy::Context* extra = nullptr);

  /// The policy of a VPC endpoint, asked for every request that came through one; an endpoint that it doesn't know is refused,
  /// and so is every endpoint as long as nothing was set. Network sets it once, at start.
  using EndpointPolicies = std::function<Result<policy::PolicyPtr>(std::string_view vpc_endpoint_id)>;
  void set_endpoint_policies(EndpointPolicies policies);
  Result<policy::PolicyPtr> endpoint_policy(std::string_view vpc_endpoint_id) const;

  /// HTTP. Authentication (SigV4 in header or query, chunked, presigned, anonymous S3, the unsigned STS actions), codec, the row.
  std::unique_ptr<api::Exchange> begin(api::RequestHead head) override;

  Directory& directory() { return directory_; }
  Clock& clock() { return clock_; }
  const Options& options() const { return options_; }

  /// Every declared row, for docs/APIS.md, the simulator's action catalogue and the test "every row has a case".
  struct RowInfo {
    const api::OperationShape* shape;
    std::vector<std::string_view> actions;
    bool streaming;
  };
  std::vector<RowInfo> rows() const;

 private:
  /// The row's type-erased form, and one walk of a call through the Gate: gate_inline.h, gate.cpp.
  friend class Passage;
  friend class HttpExchange;
  const ErasedRow* find(const api::OperationShape& shape) const;
  static Error not_implemented(const api::ServiceShape& service, std::string_view operation);
  void add_erased(ErasedRow row);
  Result<void> call_erased(const api::OperationShape& shape, const Call& call, const void* input, void* output);
  Result<std::unique_ptr<ErasedUpload>> upload_erased(const api::OperationShape& shape, const Call& call, const void* input);
  Result<void> check_erased(const api::OperationShape& shape, const Call& call, const void* input);

  Directory& directory_;
  Audit& audit_;
  Clock& clock_;
  Options options_;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::access

#include "access/gate_inline.h"
