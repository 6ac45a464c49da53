#pragma once
/// What readers of all text formats share: blocks from the feed, one after the other, rows into columns, bad rows into the log.
#include "warehouse/transfer/text_scanner.h"

namespace redoubt::warehouse::transfer {

class RowReader : public engine::LoadReader {
 public:
  RowReader(const ScanContext& context, std::shared_ptr<engine::LocalTime> zone)
      : context_(context), parser_(context.columns, context.options, std::move(zone)) {}

  Result<size_t> fill(std::span<engine::LoadColumn> columns, size_t capacity) final;

 protected:
  enum class Row : uint8_t { kGood, kBad, kSkipped };
  /// Takes one record from [at_, end_) and puts its fields into `row`; moves at_ behind it. kBad: failed() has been called.
  virtual Row take(std::span<engine::LoadColumn> columns, size_t row) = 0;

  /// The record under way, for messages: kept before its bytes are changed.
  void remember(const char* from, const char* to) {
    record_.assign(from, std::min<size_t>(static_cast<size_t>(to - from), 1024));
  }
  Row failed(size_t column, std::string_view field, int code, std::string reason, int position);
  Row field_failed(size_t column, std::string_view field) {
    return failed(column, field, parser_.error().code, parser_.error().reason, parser_.error().position);
  }

  const ScanContext& context_;
  FieldParser parser_;
  char *at_ = nullptr, *end_ = nullptr;
  std::string record_;  // its first bytes, if remembered
  bool remembered_ = false;

 private:
  BlockPtr block_;
  char* begin_ = nullptr;
  char* line_at_ = nullptr;  // up to here lines have been counted
  int64_t line_ = 1;
  const char* record_begin_ = nullptr;
  bool stop_ = false;
};

}  // namespace redoubt::warehouse::transfer
