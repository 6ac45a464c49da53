#pragma once
/// Configuration parameters and context variables of one session. Source: Database Developer Guide, "Configuration reference",
/// SET, SHOW, RESET, SET_CONFIG, CURRENT_SETTING.
///
/// A parameter that isn't in the table is refused: `unrecognized configuration parameter "x"` (42704). A name with a dot is a
/// context variable, text, and everybody's to set. Changes follow the transaction: rollback() restores what begin() saw, and
/// LOCAL values end with it.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::session {

struct SettingRow {
  std::string_view name;
  std::string_view value;  // default
  enum class Kind : uint8_t { kBool, kInteger, kText, kWords, kSearchPath, kDateStyle, kTimeZone, kEncoding, kReadOnly } kind;
  std::string_view reported = {};    // name as ParameterStatus; empty: not reported
  int64_t minimum = 0, maximum = 0;  // kInteger
  std::string_view words = {};       // kWords: "on|off|auto"
  std::string_view description = {};
};

/// Every parameter that exists, by name.
std::span<const SettingRow> setting_table();
const SettingRow* find_setting(std::string_view name);  // nullptr: none

class Settings {
 public:
  /// As SHOW prints it. nullopt: unknown parameter, or a context variable never set or reset.
  std::optional<std::string> get(std::string_view name) const;
  bool is_on(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  /// The parts of search_path, unquoted: "$user", "public".
  std::vector<std::string> search_path() const;

  /// SET. Errors: kUndefinedObject (unknown), kInvalidParameterValue, kReadOnlyParameter.
  Result<void> set(std::string_view name, std::span<const sql::SetValue> values, bool local);
  /// SET from one text, as startup parameters and set_config give it: a search path is split at commas.
  Result<void> set_text(std::string_view name, std::string_view text, bool local);
  Result<void> reset(std::string_view name);
  void reset_all();

  /// A setting as it stands, and back to that: what a procedure's SET clause does around the procedure.
  struct Kept {
    std::optional<std::optional<std::string>> value, local;
  };
  Kept keep(std::string_view name) const;
  void put_back(std::string_view name, const Kept& kept);

  /// What the parameters are before anything was set: the user's own (ALTER USER .. SET) and the connection's. RESET goes back
  /// there.
  void set_default(std::string_view name, std::string value) { defaults_[std::string(name)] = std::move(value); }
  /// Values the session itself gives: server_version, session_authorization.
  void set_fixed(std::string_view name, std::string value) { fixed_[std::string(name)] = std::move(value); }

  void begin() { saved_ = values_; }
  void commit() { local_.clear(); }
  void rollback() {
    values_ = saved_;
    local_.clear();
  }
  std::vector<std::pair<std::string, std::string>> all() const;  // parameters, by name

 private:
  void put(std::string_view name, std::optional<std::string> value, bool local);
  using Values = std::map<std::string, std::optional<std::string>, std::less<>>;
  Values values_, local_, saved_;
  std::map<std::string, std::string, std::less<>> defaults_, fixed_;
};

/// A value checked and in its canonical form. Errors: kInvalidParameterValue.
Result<std::string> canonical_setting(const SettingRow& row, std::span<const sql::SetValue> values);

/// "a, \"B c\", $user" -> parts. Errors: kInvalidParameterValue for broken quotes.
Result<std::vector<std::string>> split_identifiers(std::string_view text);
/// With quotes unless it is a plain lower-case identifier ($user is plain, as Redshift prints it).
std::string quote_identifier(std::string_view name);

}  // namespace redoubt::warehouse::session
