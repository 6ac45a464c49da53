#pragma once
/// Every thread of the process. A thread may wait for the pools below it in this table, never for those above, so waiting can't
/// go in circles. Nested Gate calls (COPY -> S3 -> KMS) run inline on the caller's thread.
///
///   io      one per core  coroutines of every connection; owns their sockets; never blocks
///   sql     64            SQL statements, COPY and UNLOAD; waits for the engine's own threads, for blob and for meta
///   http    32            api::Exchange: begin, body, finish; waits for meta's group commit and for files. Data API calls hand
///                         their statements to sql and don't wait for them
///   blob    16            reads and writes of object files for sql's transfers; a leaf: waits for the disk alone
///   meta    1             the metadata store's writer (in meta/)
///   engine  cores         the engine's workers (in warehouse/engine)
///   main    1             starts everything, waits for SIGTERM, stops everything
///
/// http is below sql because SQL never asks HTTP; HTTP never waits for SQL either.
#include <algorithm>
#include <thread>

#include "net/pool.h"

namespace redoubt::server {

inline size_t cores() { return std::max(1u, std::thread::hardware_concurrency()); }

struct Pools {
  net::Pool blob{"blob", 16, 4096};
  net::Pool http{"http", 32, 4096};
  net::Pool sql{"sql", 64, 4096};
};

}  // namespace redoubt::server
