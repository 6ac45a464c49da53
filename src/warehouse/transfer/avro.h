#pragma once
/// Avro object container files: schema, blocks, records. Source: Apache Avro 1.11 specification.
/// Everything that a file claims (lengths, counts, depths) is checked against what it holds before memory is spent on it.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace redoubt::warehouse::transfer {

struct AvroSchema {
  enum class Kind : uint8_t {
    kNull,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kBytes,
    kString,
    kRecord,
    kEnum,
    kArray,
    kMap,
    kUnion,
    kFixed
  };
  enum class Logical : uint8_t { kNone, kDate, kTimeMillis, kTimeMicros, kTimestampMillis, kTimestampMicros, kDecimal };
  Kind kind = Kind::kNull;
  Logical logical = Logical::kNone;
  int scale = 0;                                                  // kDecimal
  size_t size = 0;                                                // kFixed
  std::vector<std::pair<std::string, const AvroSchema*>> fields;  // kRecord
  std::vector<std::string> symbols;                               // kEnum
  std::vector<const AvroSchema*> items;                           // kArray, kMap: one; kUnion: the branches
};

/// A schema with all types it names. Immutable.
class AvroSchemas {
 public:
  static constexpr int kDepthMax = 64;
  /// Errors: kTransferFailed.
  static Result<std::shared_ptr<const AvroSchemas>> parse(std::string_view json);
  const AvroSchema& root() const { return *root_; }

 private:
  friend class AvroSchemaParser;
  const AvroSchema* root_ = nullptr;
  std::vector<std::unique_ptr<AvroSchema>> all_;
};

/// Reads what a schema says from bytes; shrinks `bytes`. Dates and times of logical types come as their text, bytes as hex
/// digits, decimals as numbers. False: the bytes aren't that.
bool decode_avro(const AvroSchema& schema, std::string_view& bytes, Json& out, int depth = 0);
bool take_avro_long(std::string_view& bytes, int64_t& out);

/// Raw snappy; false: it isn't, or is larger than `max`.
bool unsnap(std::string_view in, std::string& out, size_t max);

}  // namespace redoubt::warehouse::transfer
