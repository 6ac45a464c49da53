#pragma once
/// Rows that the session computes itself (SHOW, EXPLAIN, the SHOW family) as an engine::ResultStream. Values are text in their
/// column's type. Binary results exist for what these statements give: strings, integers, booleans, floats; other types are
/// refused in binary.
#include <vector>

#include "warehouse/engine/engine.h"

namespace redoubt::warehouse::session {

class ListStream : public engine::ResultStream {
 public:
  ListStream(std::vector<secure::plan::Output> columns, std::vector<std::vector<engine::Datum>> rows)
      : columns_(std::move(columns)), rows_(std::move(rows)) {}
  const std::vector<secure::plan::Output>& columns() const override { return columns_; }
  Result<engine::Fetched> encode(const engine::RowFormat& format, int64_t max_rows, std::string& buffer) override;
  Result<engine::Fetched> values(int64_t max_rows, std::vector<std::vector<engine::Datum>>& rows,
                                 const engine::RowFormat& format) override;
  Result<void> materialise() override { return {}; }

 private:
  std::vector<secure::plan::Output> columns_;
  std::vector<std::vector<engine::Datum>> rows_;
  size_t next_ = 0;
};

/// One text column.
std::unique_ptr<engine::ResultStream> text_rows(std::string column, const std::vector<std::string>& lines);

}  // namespace redoubt::warehouse::session
