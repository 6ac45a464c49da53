#include <algorithm>
#include <array>
#include <charconv>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/emit.h"
#include "warehouse/engine/duckdb/emit_udf.h"
#include "warehouse/engine/errors.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::engine {
namespace {

constexpr std::array kKinds{
    &secure::kInvalidText,     &secure::kOutOfRange,       &secure::kDivisionByZero,        &secure::kStringTruncation,
    &secure::kInvalidDatetime, &secure::kDatetimeOverflow, &secure::kInvalidParameterValue, &secure::kInvalidRegex,
    &secure::kInvalidEscape,   &secure::kNotNullViolation, &secure::kCardinality,           &secure::kNotSupported,
    &secure::kTooComplex,
};

const std::string& mark() {
  static const std::string text = "redoubt-" + hex(crypto::random_bytes(16)) + "|";
  return text;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Error overflow(std::string_view message) {
  if (has(message, "square root")) return {&secure::kInvalidParameterValue, "cannot take square root of a negative number"};
  if (has(message, "logarithm of zero")) return {&secure::kInvalidParameterValue, "cannot take logarithm of zero"};
  if (has(message, "logarithm")) return {&secure::kInvalidParameterValue, "cannot take logarithm of a negative number"};
  if (has(message, "DECIMAL") || has(message, "decimal"))
    return {&secure::kOutOfRange, "Numeric data overflow (result precision)"};
  if (has(message, "INT16")) return {&secure::kOutOfRange, "smallint out of range"};
  if (has(message, "INT32")) return {&secure::kOutOfRange, "integer out of range"};
  if (has(message, "INT64")) return {&secure::kOutOfRange, "bigint out of range"};
  if (has(message, "date") || has(message, "timestamp") || has(message, "Date") || has(message, "interval"))
    return {&secure::kDatetimeOverflow, "timestamp out of range"};
  return {&secure::kOutOfRange, "value out of range"};
}

}  // namespace

std::string marked(const Error& error) {
  for (size_t i = 0; i < kKinds.size(); i++)
    if (error.is(*kKinds[i])) return mark() + std::to_string(i) + "|" + error.message;
  return mark() + "0|" + error.message;
}

Error client_error(std::string_view type, std::string_view message) {
  if (auto at = message.find(mark()); at != std::string_view::npos) {
    auto rest = message.substr(at + mark().size());
    auto bar = rest.find('|');
    size_t kind = 0;
    std::from_chars(rest.data(), rest.data() + bar, kind);
    CHECK(kind < kKinds.size() && bar != std::string_view::npos);
    return {kKinds[kind], std::string(rest.substr(bar + 1))};
  }
  if (type == "Interrupt" || type == "INTERRUPT" || has(message, "Interrupted!"))
    return {&kQueryCanceled, "Query cancelled on user's request"};
  if (type == "Out of Memory") return {&kOutOfMemory, "out of memory"};
  if (type == "IO" && (has(message, "No space left") || has(message, "disk"))) return {&kDiskFull, "disk full"};
  if (has(message, "expression depth") || has(message, "memory exhausted"))
    return {&secure::kTooComplex, "the statement is too complex"};
  if (has(message, "More than one row returned by a subquery"))
    return {&secure::kCardinality, "more than one row returned by a subquery used as an expression"};
  if (type == "Conversion") {
    if (has(message, "range") || has(message, "overflow")) return overflow(message);
    if (has(message, "timezone") || has(message, "TimeZone"))
      return {&secure::kInvalidParameterValue, "time zone not recognized"};
    return {&secure::kInvalidText, "invalid value for this conversion"};
  }
  if (type == "Out of Range") return overflow(message);
  if (has(message, "TimeZone")) return {&secure::kInvalidParameterValue, "time zone not recognized"};
  if (type == "TransactionContext" || has(message, "Conflict on") || has(message, "conflict")) {
    return Error{&kSerializationFailure, "1023"}.with("DETAIL", "Serializable isolation violation on table in Redshift");
  }
  if (type == "Constraint") return {&secure::kNotNullViolation, "null value violates not-null constraint"};
  if (type == "Invalid Input" && (has(message, "square root") || has(message, "logarithm"))) return overflow(message);
  if (type == "Invalid Input") return {&secure::kInvalidParameterValue, "invalid argument of a function"};
  if (type == "Not implemented") return {&secure::kNotSupported, "this combination of types is not supported"};
  // Binder, Catalog, Parser, Internal: the emitter wrote what the engine doesn't take. Structure only, for operators.
  // Its first line only: what follows quotes the text, with values in it.
  log::error("engine: " + std::string(type) + ": " + std::string(message.substr(0, std::min<size_t>(message.find('\n'), 200))));
  return {&kInternal, "the statement could not be executed"};
}

}  // namespace redoubt::warehouse::engine
