#include "access/gate.h"

#include <algorithm>

#include "access/audit.h"
#include "access/deciding.h"
#include "access/passage.h"
#include "access/request_context.h"
#include "access/state.h"
#include "base/crypto.h"
#include "base/ids.h"

namespace redoubt::access {

namespace {

/// An upload from inside: the Passage's call and input live as long as it does. Destroyed without finish(): the row's upload
/// undoes itself and no record is left, as if the client had gone away.
class GatedUpload : public ErasedUpload {
 public:
  GatedUpload(Gate& gate, const ErasedRow& row, const Call& call, const void* input)
      : call_(call), input_(row.copy_input(input)), row_(row), passage_(gate, row, call_, input_.get()) {}

  Result<void> open() {
    if (auto entered = passage_.enter(); !entered) return failed(std::move(entered).error());
    auto upload = row_.open(input_.get(), call_, passage_.found());
    if (!upload) return failed(std::move(upload).error());
    upload_ = std::move(*upload);
    return {};
  }
  Result<void> write(std::string_view bytes) override {
    received_ += bytes.size();
    return upload_->write(bytes);
  }
  void checksum(api::ChecksumAlgorithm a, const std::string& value) override { upload_->checksum(a, value); }
  Result<void> finish(void* output) override {
    if (auto finished = upload_->finish(output); !finished) return failed(std::move(finished).error());
    passage_.close(nullptr, output, 0, received_);
    return {};
  }

 private:
  Result<void> failed(Error error) {
    passage_.close(&error, nullptr, 0, received_);
    return fail(std::move(error));
  }
  const Call call_;
  const std::shared_ptr<const void> input_;
  const ErasedRow& row_;
  Passage passage_;
  std::unique_ptr<ErasedUpload> upload_;
  uint64_t received_ = 0;
};

}  // namespace

Gate::Gate(Directory& directory, Audit& audit, Clock& clock, Options options)
    : directory_(directory),
      audit_(audit),
      clock_(clock),
      options_(std::move(options)),
      state_(std::make_unique<State>(options_)) {}
Gate::~Gate() = default;

void Gate::set_endpoint_policies(EndpointPolicies policies) { state_->endpoint_policies = std::move(policies); }

Result<policy::PolicyPtr> Gate::endpoint_policy(std::string_view vpc_endpoint_id) const {
  if (!state_->endpoint_policies) return fail(kAccessDenied, "Access Denied");
  return state_->endpoint_policies(vpc_endpoint_id);
}

void Gate::add_erased(ErasedRow row) {
  CHECK(row.needs.empty() != row.public_because.empty());  // exactly one of them
  CHECK(bool(row.handler) != bool(row.open));
  for (auto& need : row.needs) CHECK(need.action.find(':') != std::string_view::npos);
  const api::OperationShape* shape = row.shape;
  bool added = state_->rows.emplace(shape, std::make_unique<ErasedRow>(std::move(row))).second;
  CHECK(added);
}

const ErasedRow* Gate::find(const api::OperationShape& shape) const {
  auto it = state_->rows.find(&shape);
  return it == state_->rows.end() ? nullptr : it->second.get();
}

std::vector<Gate::RowInfo> Gate::rows() const {
  std::vector<RowInfo> out;
  for (auto& [shape, row] : state_->rows) {
    RowInfo info{shape, {}, bool(row->open)};
    for (auto& need : row->needs) info.actions.push_back(need.action);
    out.push_back(std::move(info));
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) {
    return std::pair(a.shape->service->name, a.shape->name) < std::pair(b.shape->service->name, b.shape->name);
  });
  return out;
}

Error Gate::not_implemented(const api::ServiceShape& service, std::string_view operation) {
  return {&kNotImplemented,
          "The operation " + std::string(service.signing_name) + ":" + std::string(operation) + " is not implemented."};
}

Result<void> Gate::call_erased(const api::OperationShape& shape, const Call& call, const void* input, void* output) {
  const ErasedRow* row = find(shape);
  if (!row) return fail(not_implemented(*shape.service, shape.name));
  if (row->open) {  // a streaming operation with an empty body
    TRY(auto upload, upload_erased(shape, call, input));
    return upload->finish(output);
  }
  Passage passage(*this, *row, call, input);
  Result<void> done = passage.enter();
  if (done) done = row->handler(input, call, passage.found(), output);
  passage.close(done ? nullptr : &done.error(), done ? output : nullptr);
  return done;
}

Result<std::unique_ptr<ErasedUpload>> Gate::upload_erased(const api::OperationShape& shape, const Call& call, const void* input) {
  const ErasedRow* row = find(shape);
  if (!row) return fail(not_implemented(*shape.service, shape.name));
  CHECK(row->open != nullptr);  // upload<> of an operation without a streaming body
  auto upload = std::make_unique<GatedUpload>(*this, *row, call, input);
  TRY_VOID(upload->open());
  return upload;
}

Result<void> Gate::check_erased(const api::OperationShape& shape, const Call& call, const void* input) {
  const ErasedRow* row = find(shape);
  if (!row) return fail(not_implemented(*shape.service, shape.name));
  Passage passage(*this, *row, call, input);
  Result<void> decided = passage.enter();
  if (!decided) passage.close(&decided.error(), nullptr);
  return decided;
}

Result<Call> Gate::call_with_credentials(const Call& parent, std::string_view access_key_id, std::string_view secret,
                                         std::string_view session_token) {
  Timestamp now = clock_.now();
  TRY(auto key, directory_.find_key(access_key_id, session_token, now));
  if (!crypto::constant_time_equal(key.secret, secret))
    return fail(
        kSignatureDoesNotMatch,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
        "signing method. Consult the service documentation for details.");
  Call out = parent;
  out.caller = key.caller;
  out.now = now;
  // A principal of its own: nobody forwards on its behalf.
  out.called_via.clear();
  out.via_service.clear();
  out.invoked_by.clear();
  out.source_account.clear();
  out.source_arn.clear();
  out.headers.clear();
  return out;
}

Call Gate::call_as_service(const Call& parent, std::string_view service) {
  Call out = parent;
  out.caller = service_caller(service);
  out.now = clock_.now();
  out.called_via.clear();
  out.via_service.clear();
  out.invoked_by = service;
  out.source_account.clear();
  out.source_arn.clear();
  out.headers.clear();
  out.path.vpc_endpoint_id.clear();  // a service calls from its own network
  out.path.vpc_id.clear();
  return out;
}

Call Gate::new_call(CallerPtr caller, const api::NetworkPath& path) const {
  CHECK(caller != nullptr);
  Call out;
  out.caller = std::move(caller);
  out.request_id = new_request_id();
  out.region = options_.region;
  out.now = clock_.now();
  out.path = path;
  return out;
}

policy::Decision Gate::decide(const Call& call, std::string_view action, const Resource& resource, const policy::Context* extra) {
  if (call.caller->temporary && call.caller->expires <= clock_.now()) return {};
  auto principal = directory_.policies_of(*call.caller);
  if (!principal->exists) return {};
  policy::Context request_context(extra);
  fill_request_context(request_context, call, *principal, action.substr(0, action.find(':')));
  Deciding deciding(*this, call, *principal, resource, request_context, action);
  if (!deciding.ready()) return {};
  policy::Decision decision = policy::decide(deciding.layers(), deciding.request());
  // What the decision's views point into may go with the snapshots.
  decision.policy = nullptr;
  decision.policy_name = {};
  decision.statement = {.index = decision.statement.index, .allow = decision.statement.allow};
  return decision;
}

}  // namespace redoubt::access
