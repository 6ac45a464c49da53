#pragma once
/// DATEFORMAT and TIMEFORMAT of COPY: how the text of a date or timestamp is read.
///
///   TRY(auto format, TimeFormat::parse_time_format("DD.MM.YYYY HH24:MI:SS"));
///   format.timestamp("31.12.2020 23:59:59", parsed)   // parsed.days, parsed.micros
///
/// Source: Database Developer Guide, "DATEFORMAT and TIMEFORMAT strings". Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::warehouse::transfer {

struct ParsedTime {
  int32_t days = 0;                       // since 1970-01-01
  int64_t micros = 0;                     // of the day
  std::optional<int32_t> offset_seconds;  // east of UTC, if the text said so
  std::string zone;                       // by name, if the text said so
};

class TimeFormat {
 public:
  /// YYYY-MM-DD, and YYYY-MM-DD HH:MI:SS[.ffffff][offset].
  static TimeFormat standard() { return {}; }
  /// Errors: kInvalidParameterValue, naming the format.
  static Result<TimeFormat> parse_date_format(const std::string& text);
  static Result<TimeFormat> parse_time_format(const std::string& text);

  /// False: the text isn't in this format, or says no real date.
  bool date(std::string_view text, int32_t& days) const;
  bool timestamp(std::string_view text, ParsedTime& out) const;

  /// For messages: the format as written, or the standard one.
  const std::string& text() const { return text_; }

 private:
  enum class Kind : uint8_t { kStandard, kAuto, kPattern, kEpochSeconds, kEpochMilliseconds };
  enum class Part : uint8_t {
    kLiteral,
    kYear4,
    kYear2,
    kMonth,
    kMonthName,
    kDay,
    kHour24,
    kHour12,
    kMinute,
    kSecond,
    kFraction,
    kMeridian,
    kOffset
  };
  struct Token {
    Part part;
    char literal = 0;
  };
  Result<void> compile(bool with_time);
  bool match(std::string_view text, ParsedTime& out, bool need_all) const;

  Kind kind_ = Kind::kStandard;
  std::string text_;
  std::vector<Token> tokens_;
};

/// "HH:MI[:SS[.ffffff]]" at the start of `text`, which shrinks by what was read.
bool take_time_of_day(std::string_view& text, int64_t& micros);
/// +hh, +hhmm, +hh:mm, Z, or a zone's name; the whole of `text` but for blanks around.
bool parse_zone(std::string_view text, ParsedTime& out);

}  // namespace redoubt::warehouse::transfer
