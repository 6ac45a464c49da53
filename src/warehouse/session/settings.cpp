#include "warehouse/session/settings.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::session {

namespace {

using K = SettingRow::Kind;
using secure::kInvalidParameterValue;

constexpr std::array kTable = std::to_array<SettingRow>({
    {"analyze_threshold_percent", "10", K::kInteger, "", 0, 100, "", "rows that must have changed before ANALYZE works"},
    {"application_name", "", K::kText, "application_name", 0, 0, "", "what the client calls itself"},
    {"cast_super_null_on_error", "on", K::kBool, "", 0, 0, "", "a SUPER that doesn't fit becomes NULL"},
    {"client_encoding", "UTF8", K::kEncoding, "client_encoding", 0, 0, "", "character set of the client"},
    {"client_min_messages", "notice", K::kWords, "", 0, 0, "debug|log|info|notice|warning|error|panic",
     "least severity that is sent"},
    {"datestyle", "ISO, MDY", K::kDateStyle, "DateStyle", 0, 0, "", "how dates are written and read"},
    {"default_transaction_isolation", "serializable", K::kWords, "", 0, 0, "serializable", "isolation level"},
    {"describe_field_name_in_uppercase", "off", K::kBool, "", 0, 0, "", "column names in upper case"},
    {"downcase_delimited_identifier", "on", K::kBool, "", 0, 0, "", "quoted identifiers fold to lower case"},
    {"enable_case_sensitive_identifier", "off", K::kBool, "", 0, 0, "", "quoted identifiers keep their case"},
    {"enable_case_sensitive_super_attribute", "off", K::kBool, "", 0, 0, "", "attributes of SUPER keep their case"},
    {"enable_result_cache_for_session", "on", K::kBool, "", 0, 0, "", "results may come from a cache"},
    {"enable_vacuum_boost", "off", K::kBool, "", 0, 0, "", "VACUUM runs with BOOST"},
    {"extra_float_digits", "0", K::kInteger, "", -15, 3, "", "digits of floating-point values"},
    {"idle_session_timeout", "0", K::kInteger, "", 0, 2147483647, "", "milliseconds; 0: none"},
    {"integer_datetimes", "on", K::kReadOnly, "integer_datetimes", 0, 0, "", "timestamps are integers"},
    {"is_superuser", "off", K::kReadOnly, "is_superuser", 0, 0, "", "is the current user a superuser"},
    {"json_serialization_enable", "off", K::kBool, "", 0, 0, "", "SUPER is written as JSON"},
    {"json_serialization_parse_nested_strings", "off", K::kBool, "", 0, 0, "", "nested JSON strings are parsed"},
    {"max_cursor_result_set_size", "0", K::kInteger, "", 0, 14400000, "", "megabytes a cursor may hold; 0: the default"},
    {"max_index_keys", "32", K::kReadOnly, "", 0, 0, "", "columns of a key"},
    {"max_numeric_precision", "38", K::kReadOnly, "max_numeric_precision", 0, 0, "", "digits of a numeric"},
    {"max_varchar_size", "65535", K::kReadOnly, "max_varchar_size", 0, 0, "", "bytes of a varchar"},
    {"navigate_super_null_on_error", "on", K::kBool, "", 0, 0, "", "a missing attribute of SUPER is NULL"},
    {"padb_revision", "redoubt", K::kReadOnly, "padb_revision", 0, 0, "", "revision of the server"},
    {"padb_version", "1.0.0", K::kReadOnly, "padb_version", 0, 0, "", "version of the server"},
    {"parse_super_null_on_error", "off", K::kBool, "", 0, 0, "", "JSON that can't be parsed is NULL"},
    {"password_encryption", "on", K::kReadOnly, "", 0, 0, "", "how clients hash a new password: on is md5"},
    {"query_group", "", K::kText, "", 0, 0, "", "label of the queries that follow"},
    {"readonly", "off", K::kBool, "", 0, 0, "", "only reading statements are let through"},
    {"role", "none", K::kWords, "", 0, 0, "none", "all granted roles are always active"},
    {"search_path", "$user, public", K::kSearchPath, "", 0, 0, "", "schemas where names are looked up"},
    {"server_encoding", "UNICODE", K::kReadOnly, "server_encoding", 0, 0, "", "character set of the server"},
    {"server_version", "8.0.2", K::kReadOnly, "server_version", 0, 0, "", "PostgreSQL version that clients see"},
    {"session_authorization", "", K::kReadOnly, "session_authorization", 0, 0, "", "name of the session's user"},
    {"statement_timeout", "0", K::kInteger, "", 0, 2147483647, "", "milliseconds a statement may run; 0: no limit"},
    {"stored_proc_log_min_messages", "log", K::kWords, "", 0, 0, "debug|info|log|notice|warning|exception",
     "least severity logged"},
    {"timezone", "UTC", K::kTimeZone, "TimeZone", 0, 0, "", "time zone of the session"},
    {"transaction_isolation", "serializable", K::kReadOnly, "", 0, 0, "", "isolation level"},
    {"transaction_read_only", "off", K::kReadOnly, "", 0, 0, "", "the transaction only reads"},
    {"wlm_query_slot_count", "1", K::kInteger, "", 1, 50, "", "slots a query takes; recorded"},
});

std::unexpected<Error> invalid(const SettingRow& row, std::string_view value) {
  return fail(kInvalidParameterValue,
              "invalid value for parameter \"" + std::string(row.name) + "\": \"" + std::string(value) + "\"");
}

std::optional<bool> as_bool(std::string_view text) {
  for (std::string_view yes : {"on", "true", "yes", "1", "t", "y"})
    if (iequals(text, yes)) return true;
  for (std::string_view no : {"off", "false", "no", "0", "f", "n"})
    if (iequals(text, no)) return false;
  return std::nullopt;
}

/// Is it a zone of the system's zone table? Names reach no file but those below it.
bool zone_exists(std::string_view zone) {
  if (secure::values::fixed_offset(zone)) return true;
  if (zone.empty() || zone.size() > 64 || zone.front() == '/' || zone.find("..") != std::string_view::npos) return false;
  for (char c : zone)
    if (!is_alnum(c) && c != '/' && c != '_' && c != '-' && c != '+') return false;
  std::error_code ec;
  return std::filesystem::is_regular_file("/usr/share/zoneinfo/" + std::string(zone), ec);
}

Result<std::string> date_style(const SettingRow& row, std::string_view text) {
  for (auto part : split(text, ',')) {
    std::string word = to_upper(trim(part));
    if (word != "ISO" && word != "MDY" && word != "US" && word != "NONEUROPEAN" && !word.empty())
      return fail(secure::kNotSupported, "DateStyle \"" + std::string(text) + "\" is not supported; \"ISO, MDY\" is");
  }
  return std::string(row.value);
}

bool is_plain_identifier(std::string_view name) {
  if (name == "$user") return true;
  if (name.empty() || !(is_alpha(name[0]) || name[0] == '_')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; });
}

bool is_context_variable(std::string_view name) {
  auto parts = split(name, '.');
  return parts.size() == 2 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           if (part.empty() || part.size() > 127 || !(is_alpha(part[0]) || part[0] == '_')) return false;
           return std::all_of(part.begin(), part.end(), [](char c) { return is_alnum(c) || c == '_' || c == '$'; });
         });
}

std::unexpected<Error> unknown(std::string_view name) {
  return fail(secure::kUndefinedObject, "unrecognized configuration parameter \"" + std::string(name) + "\"");
}

}  // namespace

std::span<const SettingRow> setting_table() { return kTable; }

const SettingRow* find_setting(std::string_view name) {
  for (auto& row : kTable)
    if (row.name == name) return &row;
  return nullptr;
}

std::string quote_identifier(std::string_view name) {
  return is_plain_identifier(name) ? std::string(name) : "\"" + replace_all(name, "\"", "\"\"") + "\"";
}

Result<std::vector<std::string>> split_identifiers(std::string_view text) {
  std::vector<std::string> parts;
  size_t i = 0;
  auto skip = [&] {
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n')) i++;
  };
  auto broken = [&] { return fail(kInvalidParameterValue, "invalid list syntax for parameter \"search_path\""); };
  for (skip(); i < text.size(); skip()) {
    std::string part;
    if (text[i] == '"') {
      for (i++;; i++) {
        if (i >= text.size()) return broken();
        if (text[i] == '"' && (i + 1 >= text.size() || text[i + 1] != '"')) break;
        if (text[i] == '"') i++;
        part += text[i];
      }
      i++;
    } else {
      while (i < text.size() && text[i] != ',') part += text[i++];
      part = to_lower(trim(part));
    }
    skip();
    if (part.empty() || (i < text.size() && text[i] != ',')) return broken();
    if (i < text.size() && ++i >= text.size()) return broken();
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<std::string> canonical_setting(const SettingRow& row, std::span<const sql::SetValue> values) {
  if (row.kind == K::kSearchPath) {
    std::vector<std::string> parts;
    for (auto& value : values)
      if (!value.text.empty()) parts.push_back(quote_identifier(value.text));
    return join(parts, ", ");
  }
  std::vector<std::string> words;
  for (auto& value : values) words.push_back(value.text);
  if (words.size() != 1 && row.kind != K::kDateStyle)
    return fail(kInvalidParameterValue, "SET " + std::string(row.name) + " takes only one argument");
  std::string text = join(words, ", ");
  switch (row.kind) {
    case K::kBool: {
      auto on = as_bool(text);
      if (!on) return fail(kInvalidParameterValue, "parameter \"" + std::string(row.name) + "\" requires a Boolean value");
      return std::string(*on ? "on" : "off");
    }
    case K::kInteger: {
      auto n = parse_int(trim(text));
      if (!n) return fail(kInvalidParameterValue, "parameter \"" + std::string(row.name) + "\" requires an integer value");
      if (*n < row.minimum || *n > row.maximum)
        return fail(kInvalidParameterValue, std::to_string(*n) + " is outside the valid range for parameter \"" +
                                                std::string(row.name) + "\" (" + std::to_string(row.minimum) + " .. " +
                                                std::to_string(row.maximum) + ")");
      return std::to_string(*n);
    }
    case K::kWords: {
      std::string word = to_lower(text);
      for (auto known : split(row.words, '|'))
        if (word == known) return word;
      return invalid(row, text);
    }
    case K::kDateStyle:
      return date_style(row, text);
    case K::kTimeZone:
      if (iequals(text, "default") || iequals(text, "local")) return std::string(row.value);
      if (!zone_exists(text)) return fail(kInvalidParameterValue, "unrecognized time zone name: \"" + text + "\"");
      return text;
    case K::kEncoding: {
      std::string word = replace_all(replace_all(to_lower(text), "-", ""), "'", "");
      if (word == "utf8" || word == "unicode") return std::string(row.value);
      return invalid(row, text);
    }
    case K::kReadOnly:
      return fail(secure::kInvalidParameterValue, "parameter \"" + std::string(row.name) + "\" cannot be changed");
    case K::kText:
      if (text.size() > 4096) return invalid(row, text.substr(0, 64) + "..");
      return text;
    case K::kSearchPath:
      break;
  }
  return text;
}

std::optional<std::string> Settings::get(std::string_view name) const {
  for (auto* layer : {&local_, &values_})
    if (auto at = layer->find(name); at != layer->end()) return at->second;
  if (auto at = fixed_.find(name); at != fixed_.end()) return at->second;
  if (auto at = defaults_.find(name); at != defaults_.end()) return at->second;
  if (auto* row = find_setting(name)) return std::string(row->value);
  return std::nullopt;
}

bool Settings::is_on(std::string_view name) const { return get(name) == "on"; }

int64_t Settings::integer(std::string_view name) const { return parse_int(get(name).value_or("0")).value_or(0); }

std::vector<std::string> Settings::search_path() const {
  auto parts = split_identifiers(get("search_path").value_or(""));
  return parts ? *parts : std::vector<std::string>{};
}

void Settings::put(std::string_view name, std::optional<std::string> value, bool local) {
  if (!local) local_.erase(std::string(name));
  (local ? local_ : values_)[std::string(name)] = std::move(value);
}

Result<void> Settings::set(std::string_view name, std::span<const sql::SetValue> values, bool local) {
  if (values.empty()) return reset(name);  // SET x TO DEFAULT
  if (is_context_variable(name)) {
    if (values.size() != 1) return fail(kInvalidParameterValue, "SET " + std::string(name) + " takes only one argument");
    if (values[0].text.size() > 65535)
      return fail(kInvalidParameterValue, "the value of \"" + std::string(name) + "\" is too long");
    if (values_.size() + local_.size() >= 1000 && !get(name)) return fail(secure::kTooComplex, "too many context variables");
    put(name, values[0].text, local);
    return {};
  }
  const SettingRow* row = find_setting(name);
  if (!row) return unknown(name);
  TRY(std::string value, canonical_setting(*row, values));
  put(name, std::move(value), local);
  return {};
}

Result<void> Settings::set_text(std::string_view name, std::string_view text, bool local) {
  std::vector<sql::SetValue> values;
  if (name == "search_path") {
    TRY(auto parts, split_identifiers(text));
    for (auto& part : parts) values.push_back({sql::SetValue::Kind::kString, part});
    if (values.empty()) values.push_back({sql::SetValue::Kind::kString, ""});
  } else {
    values.push_back({sql::SetValue::Kind::kString, std::string(text)});
  }
  return set(name, values, local);
}

Result<void> Settings::reset(std::string_view name) {
  if (is_context_variable(name)) {
    put(name, std::nullopt, false);  // RESET a.b sets it to NULL
    return {};
  }
  const SettingRow* row = find_setting(name);
  if (!row) return unknown(name);
  if (row->kind == K::kReadOnly) return fail(kInvalidParameterValue, "parameter \"" + std::string(name) + "\" cannot be changed");
  values_.erase(std::string(name));
  local_.erase(std::string(name));
  return {};
}

void Settings::reset_all() {
  values_.clear();
  local_.clear();
}

Settings::Kept Settings::keep(std::string_view name) const {
  Kept kept;
  if (auto at = values_.find(name); at != values_.end()) kept.value = at->second;
  if (auto at = local_.find(name); at != local_.end()) kept.local = at->second;
  return kept;
}

void Settings::put_back(std::string_view name, const Kept& kept) {
  auto restore = [&](Values& layer, const std::optional<std::optional<std::string>>& value) {
    if (value)
      layer[std::string(name)] = *value;
    else
      layer.erase(std::string(name));
  };
  restore(values_, kept.value);
  restore(local_, kept.local);
}

std::vector<std::pair<std::string, std::string>> Settings::all() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& row : kTable) out.emplace_back(row.name, get(row.name).value_or(""));
  return out;
}

}  // namespace redoubt::warehouse::session
