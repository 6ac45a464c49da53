#include "warehouse/transfer/row_reader.h"

#include <algorithm>
#include <cstring>

namespace redoubt::warehouse::transfer {

Result<size_t> RowReader::fill(std::span<engine::LoadColumn> columns, size_t capacity) {
  parser_.forget();
  size_t rows = 0;
  while (rows < capacity) {
    if (at_ == end_) {
      // Rows of this batch point into the block; only the next batch may let go of it.
      if (rows > 0) return rows;
      TRY(BlockPtr next, context_.feed.next());
      block_ = std::move(next);
      if (!block_) return 0;
      at_ = begin_ = line_at_ = block_->bytes.data();
      end_ = at_ + block_->bytes.size();
      line_ = block_->first_line;
      continue;
    }
    record_begin_ = at_;
    remembered_ = false;
    char* before = at_;
    Row row = take(columns, rows);
    if (row == Row::kGood) {
      ++rows;
    } else {
      // What the row had set to NULL must not stay so for the next one in its place.
      for (auto& column : columns) column.set_valid(rows);
    }
    if (stop_) return fail(kLoadFailed, "load");
    CHECK(at_ > before);
  }
  return rows;
}

RowReader::Row RowReader::failed(size_t column, std::string_view field, int code, std::string reason, int position) {
  // Lines are counted only where somebody asks.
  line_ += std::count(line_at_, const_cast<char*>(record_begin_), '\n');
  line_at_ = const_cast<char*>(record_begin_);
  LoadError error;
  error.slice = block_->file->slice;
  error.file_name = readable(block_->file->object.url());
  error.line_number = line_;
  if (column < context_.columns.size()) {
    auto& rule = context_.columns[column];
    error.column = rule.name;
    error.type = load_type(rule.type);
    error.col_length = load_length(rule.type);
  }
  error.position = position;
  if (remembered_) {
    error.raw_line = record_;
  } else {
    const char* to = static_cast<const char*>(std::memchr(record_begin_, '\n', static_cast<size_t>(end_ - record_begin_)));
    if (!to) to = end_;
    error.raw_line.assign(record_begin_, std::min<size_t>(static_cast<size_t>(to - record_begin_), 1024));
  }
  while (!error.raw_line.empty() && (error.raw_line.back() == '\n' || error.raw_line.back() == '\r')) error.raw_line.pop_back();
  // The tables that these go to hold text; what isn't must not make them unreadable.
  error.raw_line = readable(error.raw_line);
  error.raw_field_value = readable(field);
  error.err_code = code;
  error.err_reason = std::move(reason);
  error.start_offset = 0;
  ++block_->file->errors;
  stop_ = !context_.log.add(std::move(error));
  return Row::kBad;
}

}  // namespace redoubt::warehouse::transfer
