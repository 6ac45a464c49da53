#include "warehouse/engine/duckdb/stream.h"

#include <duckdb/main/stream_query_result.hpp>

#include "warehouse/engine/duckdb/connection.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/zone.h"

namespace redoubt::warehouse::engine {
namespace {
constexpr size_t kBufferBytes = 256 << 10;

bool same(const RowFormat& a, const RowFormat& b) {
  return a.formats == b.formats && a.protocol == b.protocol && a.time_zone == b.time_zone &&
         a.extra_float_digits == b.extra_float_digits;
}
}  // namespace

DuckStream::DuckStream(DuckConnection& connection, std::vector<secure::plan::Output> columns,
                       duckdb::unique_ptr<duckdb::QueryResult> result, std::shared_ptr<const HostContext> host)
    : connection_(&connection),
      columns_(std::move(columns)),
      host_(std::move(host)),
      types_(result->types),
      result_(std::move(result)) {
  connection_->attach(*this);
}

DuckStream::~DuckStream() { end(true); }

void DuckStream::end(bool drop) {
  if (result_) {
    guarded([&]() -> Result<void> {
      if (result_->type == duckdb::QueryResultType::STREAM_RESULT) result_->Cast<duckdb::StreamQueryResult>().Close();
      result_.reset();
      return {};
    });
    result_.reset();
    if (!finished_ && !kept_) ended_ = true;
    chunk_.reset();
  }
  if (drop) {
    kept_.reset();
    chunk_.reset();
    ended_ = true;
  }
  if (connection_) std::exchange(connection_, nullptr)->detach(*this);
}

Result<void> DuckStream::next_chunk() {
  offset_ = 0;
  if (finished_) {
    chunk_.reset();
    return {};
  }
  if (kept_) {
    if (!chunk_) chunk_ = duckdb::make_uniq<duckdb::DataChunk>();
    if (chunk_->ColumnCount() == 0) kept_->InitializeScanChunk(*chunk_);
    auto more = guarded([&]() -> Result<bool> { return kept_->Scan(scan_, *chunk_); });
    if (!more) return std::unexpected(more.error());
    if (!*more) finished_ = true, chunk_.reset(), kept_.reset();
    return {};
  }
  if (ended_ || !result_ || !connection_) return fail(kStreamEnded, "the result set has been closed");
  auto fetched = connection_->fetch(*result_);
  if (!fetched) {
    Error error = std::move(fetched).error();
    end(true);
    return std::unexpected(std::move(error));
  }
  chunk_ = *std::move(fetched);
  if (!chunk_ || chunk_->size() == 0) {
    chunk_.reset();
    finished_ = true;
    end(false);
  }
  return {};
}

Result<void> DuckStream::use(const RowFormat& format) {
  if (encoder_ && same(format, format_)) return {};
  std::shared_ptr<ZoneOffsets> zone;
  for (auto& column : columns_)
    if (column.type.is(sql::TypeKind::kTimestampTz) && !zone) {
      TRY(zone, zone_offsets(format.time_zone));
    }
  TRY(encoder_, RowEncoder::make(columns_, types_, format, std::move(zone)));
  format_ = format;
  return {};
}

template <class Take>
Result<Fetched> DuckStream::fetch(const RowFormat& format, int64_t max_rows, Take&& take) {
  Fetched got;
  if (ended_) return fail(kStreamEnded, "the result set has been closed");
  TRY_VOID(use(format));
  while (got.rows < max_rows) {
    if (!chunk_ || offset_ >= chunk_->size()) {
      TRY_VOID(next_chunk());
      if (!chunk_) {
        got.done = true;
        return got;
      }
    }
    auto count = static_cast<size_t>(std::min<int64_t>(max_rows - got.rows, static_cast<int64_t>(chunk_->size() - offset_)));
    auto taken = guarded([&]() -> Result<bool> { return take(*chunk_, offset_, count); });
    if (!taken) return std::unexpected(taken.error());
    offset_ += count;
    got.rows += static_cast<int64_t>(count);
    if (*taken) break;
  }
  return got;
}

Result<Fetched> DuckStream::encode(const RowFormat& format, int64_t max_rows, std::string& buffer) {
  buffer.reserve(kBufferBytes + (kBufferBytes >> 1));
  return fetch(format, max_rows, [&](duckdb::DataChunk& chunk, size_t from, size_t count) {
    encoder_->encode(chunk, from, count, buffer);
    return buffer.size() >= kBufferBytes;
  });
}

Result<Fetched> DuckStream::values(int64_t max_rows, std::vector<std::vector<Datum>>& rows, const RowFormat& format) {
  return fetch(format, max_rows, [&](duckdb::DataChunk& chunk, size_t from, size_t count) {
    encoder_->values(chunk, from, count, rows);
    return false;
  });
}

Result<void> DuckStream::materialise() {
  if (kept_ || finished_) return {};
  if (ended_ || !connection_) return fail(kStreamEnded, "the result set has been closed");
  std::unique_ptr<duckdb::ColumnDataCollection> kept;
  TRY_VOID(guarded([&]() -> Result<void> {
    kept =
        std::make_unique<duckdb::ColumnDataCollection>(duckdb::BufferManager::GetBufferManager(connection_->context()), types_);
    return {};
  }));
  while (true) {
    if (chunk_ && offset_ < chunk_->size()) {
      TRY_VOID(guarded([&]() -> Result<void> {
        if (offset_ > 0) {
          duckdb::SelectionVector rest(chunk_->size() - offset_);
          for (size_t i = offset_; i < chunk_->size(); ++i) rest.set_index(i - offset_, i);
          chunk_->Slice(rest, chunk_->size() - offset_);
        }
        kept->Append(*chunk_);
        return {};
      }));
      offset_ = 0;
    }
    TRY_VOID(next_chunk());
    if (!chunk_) break;
  }
  finished_ = false;
  kept_ = std::move(kept);
  kept_->InitializeScan(scan_, duckdb::ColumnDataScanProperties::ALLOW_ZERO_COPY);
  return {};
}

}  // namespace redoubt::warehouse::engine
