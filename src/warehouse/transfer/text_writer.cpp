#include "warehouse/transfer/text_writer.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::TypeKind;

uint32_t big_endian32(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}

bool is_text(const sql::Type& type) { return type.is_string() || type.is(TypeKind::kSuper) || type.is(TypeKind::kUnknown); }

size_t characters(std::string_view s) {
  return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

Result<TextWriter> TextWriter::make(const UnloadOptions& options, const std::vector<secure::plan::Output>& columns) {
  TextWriter out;
  out.options_ = options;
  bool json = options.format == FileFormat::kJson;
  if (options.format == FileFormat::kFixedWidth && options.widths.size() != columns.size())
    return fail(secure::kInvalidParameterValue, "FIXEDWIDTH has " + std::to_string(options.widths.size()) +
                                                    " columns, the query " + std::to_string(columns.size()));
  for (auto& output : columns) {
    Column column{.name = output.name};
    column.text = is_text(output.type);
    column.bare = (output.type.is_numeric() && !output.type.is_float()) || output.type.is(TypeKind::kSuper);
    column.boolean = output.type.is(TypeKind::kBoolean);
    column.json_key = json_quote(output.name) + ":";
    if (!options.widths.empty()) column.width = static_cast<size_t>(options.widths[out.columns_.size()]);
    if (json)
      for (auto& other : out.columns_)
        if (other.name == output.name)
          return fail(secure::kNotSupported, "UNLOAD as JSON requires unique column names: \"" + output.name + "\" occurs twice");
    out.columns_.push_back(std::move(column));
  }
  auto mark = [&](char c) { out.special_[static_cast<unsigned char>(c)] = true; };
  if (options.format == FileFormat::kCsv) {
    for (char c : {options.delimiter, '"', '\n', '\r'}) mark(c);
  } else if (options.escape) {
    for (char c : {options.delimiter, '\\', '\n', '\r'}) mark(c);
    if (options.add_quotes)
      for (char c : {'"', '\''}) mark(c);
  }
  return out;
}

void TextWriter::delimited_field(const Column& column, std::string_view value, std::string& out) const {
  if (options_.add_quotes) out += '"';
  if (column.text && options_.escape) {
    size_t from = 0;
    for (size_t i = 0; i < value.size(); ++i) {
      if (!special_[static_cast<unsigned char>(value[i])]) continue;
      out.append(value, from, i - from);
      out += '\\';
      from = i;
    }
    out.append(value, from);
  } else {
    out.append(value);
  }
  if (options_.add_quotes) out += '"';
}

void TextWriter::csv_field(const Column&, std::string_view value, std::string& out) const {
  // Not only text: a number may hold the delimiter, if somebody chose it so.
  bool care = std::any_of(value.begin(), value.end(), [&](char c) { return special_[static_cast<unsigned char>(c)]; });
  if (!care) {
    out.append(value);
    return;
  }
  out += '"';
  for (char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

Result<void> TextWriter::fixed_field(const Column& column, std::string_view value, std::string& out) const {
  size_t n = characters(value);
  if (n > column.width) {
    while (n > column.width && !value.empty() && value.back() == ' ') value.remove_suffix(1), --n;  // CHAR's own padding
    if (n > column.width)
      return fail(secure::kInvalidParameterValue, "The value of column \"" + column.name + "\" is wider than its FIXEDWIDTH of " +
                                                      std::to_string(column.width) + " characters");
  }
  out.append(value);
  out.append(column.width - n, ' ');
  return {};
}

std::string TextWriter::header() const {
  std::string out;
  if (!options_.header) return out;
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (c) out += options_.delimiter;
    Column name{.name = columns_[c].name, .text = true};
    options_.format == FileFormat::kCsv ? csv_field(name, name.name, out) : delimited_field(name, name.name, out);
  }
  out += '\n';
  return out;
}

Result<void> TextWriter::write(std::string_view rows, std::string& out) const {
  out.reserve(out.size() + rows.size());
  const char *at = rows.data(), *end = at + rows.size();
  bool json = options_.format == FileFormat::kJson, fixed = options_.format == FileFormat::kFixedWidth;
  bool csv = options_.format == FileFormat::kCsv, plain = !json && !fixed && !csv && !options_.add_quotes;
  while (at < end) {
    CHECK(*at == 'D');
    at += 7;  // 'D', length, number of columns
    if (json) out += '{';
    for (size_t c = 0; c < columns_.size(); ++c) {
      auto& column = columns_[c];
      uint32_t length = big_endian32(at);
      at += 4;
      bool null = length == 0xffffffffu;
      std::string_view value = null ? std::string_view() : std::string_view(at, length);
      if (!null) at += length;
      if (json) {
        if (c) out += ',';
        out += column.json_key;
        if (null)
          out += "null";
        else if (column.boolean)
          out += value == "t" ? "true" : "false";
        else if (column.bare)
          out.append(value);
        else
          out += json_quote(value);
      } else if (fixed) {
        if (null) value = options_.null_as;
        TRY_VOID(fixed_field(column, value, out));
      } else {
        if (c) out += options_.delimiter;
        if (null)
          out += options_.null_as;
        else if (csv)
          csv_field(column, value, out);
        else if (plain && !(column.text && options_.escape))
          out.append(value);
        else
          delimited_field(column, value, out);
      }
    }
    out += json ? "}\n" : "\n";
  }
  return {};
}

}  // namespace redoubt::warehouse::transfer
