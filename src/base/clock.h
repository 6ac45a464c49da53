#pragma once
/// Time comes in by the front door: whoever needs the time takes a Clock&. clock.cpp alone reads the real one.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt {

/// A point in UTC, microseconds since 1970-01-01.
struct Timestamp {
  int64_t us = 0;
  auto operator<=>(const Timestamp&) const = default;
  static Timestamp from_seconds(int64_t s) { return {s * 1000000}; }
  int64_t seconds() const { return us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000); }
  Timestamp plus_seconds(int64_t s) const { return {us + s * 1000000}; }
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  static Clock& system();
};

/// A clock that tests set and move.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Timestamp t = Timestamp::from_seconds(1760000000)) : now_(t) {}
  Timestamp now() const override { return now_; }
  void advance_seconds(int64_t s) { now_ = now_.plus_seconds(s); }
  void set(Timestamp t) { now_ = t; }

 private:
  Timestamp now_;
};

/// Civil date of a day number (days since 1970-01-01), proleptic Gregorian.
struct Civil {
  int64_t year;
  int month, day;
};
Civil civil_from_days(int64_t days);
int64_t days_from_civil(int64_t year, int month, int day);

std::string iso8601(Timestamp t);         // 2026-11-24T16:19:10Z
std::string iso8601_millis(Timestamp t);  // 2026-11-24T16:19:10.123Z
std::string http_date(Timestamp t);       // Tue, 24 Nov 2026 16:19:10 GMT
std::string amz_date(Timestamp t);        // 20261124T161910Z
std::string sql_timestamp(Timestamp t);   // 2026-11-24 16:19:10.123456

/// ISO 8601 with 'T' or a blank, optional fraction, 'Z' or +hh:mm or nothing (UTC); also a date alone. nullopt: not a time.
std::optional<Timestamp> parse_iso8601(std::string_view s);
std::optional<Timestamp> parse_http_date(std::string_view s);
std::optional<Timestamp> parse_amz_date(std::string_view s);

}  // namespace redoubt
