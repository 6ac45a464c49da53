#pragma once
/// The templates of gate.h: a typed row becomes an ErasedRow, whose functions take pointers to values of the shape's types.
/// Included by gate.h alone.
#include "access/gate.h"

namespace redoubt::access {

/// Upload<Out> without its type: finish fills `output`, a value of the operation's output shape.
class ErasedUpload : public api::BodySink {
 public:
  virtual void checksum(api::ChecksumAlgorithm, const std::string& value) {}
  virtual Result<void> finish(void* output) = 0;
};

struct ErasedNeed {
  std::string_view action;
  std::function<Result<std::vector<Resource>>(const void*, const Call&)> resources;
  std::function<void(const void*, const Call&, policy::Context&)> context;
  std::function<bool(const void*, const Call&)> when;
};

struct ErasedRow {
  const api::OperationShape* shape = nullptr;
  std::shared_ptr<const void> (*copy_input)(const void*) = nullptr;
  std::vector<ErasedNeed> needs;
  std::string_view public_because;
  std::function<Result<void>(const void* input, const Call&, const Found&, void* output)> handler;
  std::function<Result<std::unique_ptr<ErasedUpload>>(const void* input, const Call&, const Found&)> open;
  bool read_only = false, data_event = false;
  policy::DenialStyle denial = policy::DenialStyle::standard;
  std::vector<std::string_view> secret_members;
  std::function<void(const void*, const Call&, int, std::string_view, uint64_t, uint64_t)> done;
};

namespace detail {
template <class Out>
class TypedToErased : public ErasedUpload {
 public:
  explicit TypedToErased(std::unique_ptr<Upload<Out>> upload) : upload_(std::move(upload)) {}
  Result<void> write(std::string_view bytes) override { return upload_->write(bytes); }
  void checksum(api::ChecksumAlgorithm a, const std::string& value) override { upload_->checksum(a, value); }
  Result<void> finish(void* output) override {
    TRY(*static_cast<Out*>(output), upload_->finish());
    return {};
  }

 private:
  std::unique_ptr<Upload<Out>> upload_;
};
template <class Out>
class ErasedToTyped : public Upload<Out> {
 public:
  explicit ErasedToTyped(std::unique_ptr<ErasedUpload> upload) : upload_(std::move(upload)) {}
  Result<void> write(std::string_view bytes) override { return upload_->write(bytes); }
  void checksum(api::ChecksumAlgorithm a, const std::string& value) override { upload_->checksum(a, value); }
  Result<Out> finish() override {
    Out out{};
    TRY_VOID(upload_->finish(&out));
    return out;
  }

 private:
  std::unique_ptr<ErasedUpload> upload_;
};
}  // namespace detail

template <class Op>
void Gate::add(Row<Op> row) {
  using In = typename Op::Input;
  using Out = typename Op::Output;
  ErasedRow erased;
  erased.shape = &Op::shape();
  erased.copy_input = [](const void* in) -> std::shared_ptr<const void> {
    return std::make_shared<In>(*static_cast<const In*>(in));
  };
  for (auto& need : row.needs.list()) {
    ErasedNeed n{.action = need.action};
    if (need.resources)
      n.resources = [f = need.resources](const void* in, const Call& call) { return f(*static_cast<const In*>(in), call); };
    if (need.context)
      n.context = [f = need.context](const void* in, const Call& call, policy::Context& c) {
        f(*static_cast<const In*>(in), call, c);
      };
    if (need.when) n.when = [f = need.when](const void* in, const Call& call) { return f(*static_cast<const In*>(in), call); };
    erased.needs.push_back(std::move(n));
  }
  erased.public_because = row.needs.public_because();
  if (row.handler)
    erased.handler = [f = std::move(row.handler)](const void* in, const Call& call, const Found& found,
                                                  void* out) -> Result<void> {
      TRY(*static_cast<Out*>(out), f(Allowed<In>(*static_cast<const In*>(in), call, found)));
      return {};
    };
  if (row.open)
    erased.open = [f = std::move(row.open)](const void* in, const Call& call,
                                            const Found& found) -> Result<std::unique_ptr<ErasedUpload>> {
      TRY(auto upload, f(Allowed<In>(*static_cast<const In*>(in), call, found)));
      return std::make_unique<detail::TypedToErased<Out>>(std::move(upload));
    };
  erased.read_only = row.read_only;
  erased.data_event = row.data_event;
  erased.denial = row.denial;
  erased.secret_members = std::move(row.secret_members);
  if (row.done)
    erased.done = [f = std::move(row.done)](const void* in, const Call& call, int status, std::string_view code, uint64_t sent,
                                            uint64_t got) { f(*static_cast<const In*>(in), call, status, code, sent, got); };
  add_erased(std::move(erased));
}

template <class Op>
Result<typename Op::Output> Gate::call(const Call& call, const typename Op::Input& input) {
  typename Op::Output output{};
  TRY_VOID(call_erased(Op::shape(), call, &input, &output));
  return output;
}

template <class Op>
Result<std::unique_ptr<Upload<typename Op::Output>>> Gate::upload(const Call& call, const typename Op::Input& input) {
  TRY(auto upload, upload_erased(Op::shape(), call, &input));
  return std::make_unique<detail::ErasedToTyped<typename Op::Output>>(std::move(upload));
}

}  // namespace redoubt::access
