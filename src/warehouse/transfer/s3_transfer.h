#pragma once
/// Transfer over S3 through the Gate.
///
///   S3Transfer transfer(gate, {.roles = {.attached = .., .default_role = ..}});
///   SqlService::open({.., .transfer = &transfer})
///
/// COPY reads blocks of whole records (feed.h) and parses them straight into the engine's columns (text_scanner.h) on the
/// engine's threads; Parquet is read by the engine from ranged requests. UNLOAD formats and uploads on one thread per slice.
/// Nothing of an object lies on a disk of ours unencrypted.
#include <memory>

#include "access/gate.h"
#include "warehouse/transfer/authority.h"
#include "warehouse/transfer/transfer.h"

namespace redoubt::warehouse::transfer {

class S3Transfer final : public Transfer {
 public:
  struct Options {
    ClusterRoles roles;
    /// Files of UNLOAD with PARALLEL ON: one after another, so that small results make fewer.
    int slices = 4;
    /// Threads that parse one COPY; the engine gives no more than it has.
    size_t load_threads = 8;
  };
  S3Transfer(access::Gate& gate, Options options) : gate_(gate), options_(std::move(options)) {}

  Result<CopyOutcome> copy(const CopyRequest& request, const Context& context) override;
  Result<UnloadOutcome> unload(const UnloadRequest& request, const Context& context) override;

 private:
  access::Gate& gate_;
  const Options options_;
};

}  // namespace redoubt::warehouse::transfer
