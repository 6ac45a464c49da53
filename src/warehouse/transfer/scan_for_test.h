#pragma once
/// Runs a reader over text in memory, without an engine: rows as text, errors as the log has them.
#include <string>
#include <vector>

#include "warehouse/engine/bulk.h"
#include "warehouse/sql/parser.h"
#include "warehouse/transfer/avro_scanner.h"
#include "warehouse/transfer/codec.h"
#include "warehouse/transfer/feed.h"
#include "warehouse/transfer/json_scanner.h"
#include "warehouse/transfer/load_log.h"
#include "warehouse/transfer/options.h"
#include "warehouse/transfer/text_scanner.h"

namespace redoubt::warehouse::transfer {

class TextBody final : public api::BodySource {
 public:
  explicit TextBody(std::string text, size_t step = 1 << 20) : text_(std::move(text)), step_(step) {}
  Result<void> read(std::string& out, size_t max) override {
    size_t n = std::min({max, step_, text_.size() - at_});
    out.append(text_, at_, n);
    at_ += n;
    return {};
  }

 private:
  const std::string text_;
  const size_t step_;
  size_t at_ = 0;
};

/// Columns in memory as an engine would give them.
class TestColumns {
 public:
  static constexpr size_t kCapacity = 64;
  explicit TestColumns(const std::vector<ColumnRule>& rules) {
    for (auto& rule : rules) {
      values_.emplace_back(kCapacity * 16, '\0');
      texts_.emplace_back(kCapacity);
      valid_.emplace_back(std::vector<uint64_t>(kCapacity / 64, ~uint64_t{0}));
      kinds_.push_back(engine::storage_of(rule.type));
    }
    for (size_t c = 0; c < rules.size(); ++c)
      columns.push_back(
          {kinds_[c] == engine::Storage::kBytes ? static_cast<void*>(texts_[c].data()) : values_[c].data(), valid_[c].data()});
  }
  void reset() {
    for (auto& v : valid_) std::fill(v.begin(), v.end(), ~uint64_t{0});
  }
  /// NULL is "\N".
  std::string text(size_t c, size_t row) const {
    if (!(valid_[c][row / 64] >> (row % 64) & 1)) return "\\N";
    auto& column = columns[c];
    switch (kinds_[c]) {
      case engine::Storage::kBool:
        return column.at<uint8_t>(row) ? "true" : "false";
      case engine::Storage::kInt16:
        return std::to_string(column.at<int16_t>(row));
      case engine::Storage::kInt32:
        return std::to_string(column.at<int32_t>(row));
      case engine::Storage::kInt64:
        return std::to_string(column.at<int64_t>(row));
      case engine::Storage::kInt128:
        return std::to_string(static_cast<long long>(column.at<__int128>(row)));
      case engine::Storage::kFloat:
        return std::to_string(column.at<float>(row));
      case engine::Storage::kDouble:
        return std::to_string(column.at<double>(row));
      case engine::Storage::kBytes:
        return std::string(column.at<std::string_view>(row));
    }
    return "";
  }
  std::vector<engine::LoadColumn> columns;

 private:
  std::vector<std::string> values_;
  std::vector<std::vector<std::string_view>> texts_;
  std::vector<std::vector<uint64_t>> valid_;
  std::vector<engine::Storage> kinds_;
};

struct Scanned {
  std::vector<std::string> rows;  // fields joined by '~'
  std::vector<LoadError> errors;
  std::optional<Error> failure;
};

inline Scanned scan(const std::string& text, const std::vector<ColumnRule>& rules, const CopyOptions& options,
                    size_t step = 1 << 20, const std::string& zone = "UTC") {
  LoadLog log(options.max_errors, options.ignore_all_errors, Clock::system());
  auto open = [&](const ObjectEntry&) -> Result<std::shared_ptr<api::BodySource>> {
    return to_utf8(decompress(std::make_shared<TextBody>(text, step), options.compression), options.encoding);
  };
  bool json = options.format == FileFormat::kJson;
  Feed feed({{"b", "k"}}, open, json ? json_record_ends() : text_record_ends(options), options.ignore_header, {}, 1);
  AvroFeed avro({{"b", "k"}}, open, {}, 1);
  ScanContext context{.options = options, .columns = rules, .feed = feed, .log = log, .time_zone = zone};
  auto source = options.format == FileFormat::kAvro ? avro_source(options, rules, avro, log, zone, FieldMap{}, 1)
                : json                              ? json_source(std::move(context), FieldMap{})
                                                    : text_source(std::move(context));
  auto reader = source->reader();
  TestColumns columns(rules);
  Scanned out;
  while (true) {
    columns.reset();
    auto n = reader->fill(columns.columns, TestColumns::kCapacity);
    if (!n) {
      out.failure = n.error();
      break;
    }
    if (*n == 0) break;
    for (size_t row = 0; row < *n; ++row) {
      std::string line;
      for (size_t c = 0; c < rules.size(); ++c) line += (c ? "~" : "") + columns.text(c, row);
      out.rows.push_back(std::move(line));
    }
  }
  out.errors = log.take();
  return out;
}

/// `COPY t FROM 's3://b/k' IAM_ROLE default <words>`
inline Result<CopyOptions> options_of(const std::string& words) {
  TRY(auto parsed, sql::parse("copy t from 's3://b/k' iam_role default " + words));
  if (parsed.empty()) return fail(kInternal, "no statement");
  return copy_options(static_cast<const sql::Copy&>(*parsed[0].command));
}

/// "a int, b varchar(10) not null"
inline std::vector<ColumnRule> rules_of(std::initializer_list<std::pair<std::string, sql::Type>> list, bool not_null = false) {
  std::vector<ColumnRule> out;
  for (auto& [name, type] : list) out.push_back({name, type, not_null});
  return out;
}

}  // namespace redoubt::warehouse::transfer
