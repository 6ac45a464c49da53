// links only: warehouse/transfer/avro.cpp warehouse/transfer/avro_scanner.cpp warehouse/transfer/codec.cpp
// links only: warehouse/transfer/feed.cpp warehouse/transfer/fields.cpp warehouse/transfer/json_paths.cpp
// links only: warehouse/transfer/json_scanner.cpp warehouse/transfer/load_log.cpp warehouse/transfer/options.cpp
// links only: warehouse/transfer/row_reader.cpp warehouse/transfer/text_scanner.cpp warehouse/transfer/time_format.cpp
// links only: warehouse/transfer/wording.cpp warehouse/engine/bulk.cpp warehouse/secure api base PkgConfig::ZSTD
// links only: BZip2::BZip2
/// No bytes of a file can crash a load or make it read beyond its block.
#include <cstdint>

#include "warehouse/transfer/scan_for_test.h"

using namespace redoubt;
using namespace redoubt::warehouse;
using namespace redoubt::warehouse::transfer;

/// Zones are the engine's, which isn't linked here: one is known.
Result<std::shared_ptr<engine::LocalTime>> engine::local_time(const std::string& zone) {
  struct East final : LocalTime {
    int64_t to_utc(int64_t local) override { return local - 7'200'000'000; }
  };
  if (zone == "EET") return std::make_shared<East>();
  return fail(kInternal, "no such zone");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<CopyOptions> kOptions = [] {
    std::vector<CopyOptions> out;
    for (auto words : {"ignoreallerrors", "escape ignoreallerrors", "csv ignoreallerrors",
                       "removequotes ignoreallerrors fillrecord", "fixedwidth 'a:1,b:2,c:3,d:1,e:4,f:9' ignoreallerrors",
                       "gzip ignoreallerrors", "zstd ignoreallerrors", "bzip2 ignoreallerrors", "json 'auto' ignoreallerrors",
                       "avro 'auto' ignoreallerrors", "encoding utf16 ignoreallerrors acceptinvchars",
                       "dateformat 'auto' timeformat 'auto' acceptanydate ignoreallerrors truncatecolumns"})
      if (auto o = options_of(words)) out.push_back(*o);
    return out;
  }();
  static const auto kRules = rules_of({{"a", sql::TypeKind::kInteger},
                                       {"b", sql::Type::varchar(10)},
                                       {"c", sql::Type::decimal(12, 2)},
                                       {"d", sql::TypeKind::kDate},
                                       {"e", sql::TypeKind::kTimestampTz},
                                       {"f", sql::TypeKind::kSuper}});
  if (size < 2 || kOptions.empty()) return 0;
  static_cast<void>(scan(std::string(reinterpret_cast<const char*>(data + 2), size - 2), kRules,
                         kOptions[data[0] % kOptions.size()], size_t{1} + data[1] * 16));
  return 0;
}
