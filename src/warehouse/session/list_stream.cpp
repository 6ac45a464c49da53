#include "warehouse/session/list_stream.h"

#include <bit>
#include <charconv>

#include "base/text.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::session {

namespace {

template <class T>
void big_endian(std::string& out, T value) {
  auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (int shift = int(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) out += char((bits >> shift) & 0xff);
}

Result<std::string> binary(const sql::Type& type, const std::string& text) {
  using K = sql::TypeKind;
  std::string out;
  auto integer = [&] { return parse_int(text).value_or(0); };
  switch (type.kind) {
    case K::kSmallint:
      big_endian<int16_t>(out, int16_t(integer()));
      return out;
    case K::kInteger:
      big_endian<int32_t>(out, int32_t(integer()));
      return out;
    case K::kBigint:
      big_endian<int64_t>(out, integer());
      return out;
    case K::kOid:
      big_endian<int32_t>(out, int32_t(uint32_t(integer())));
      return out;
    case K::kBoolean:
      return std::string(1, char(text == "t" || text == "true"));
    case K::kDouble: {
      double d = 0;
      std::from_chars(text.data(), text.data() + text.size(), d);
      big_endian<int64_t>(out, std::bit_cast<int64_t>(d));
      return out;
    }
    default:
      if (type.is_string() || type.is(K::kRefCursor)) return text;
      return fail(secure::kNotSupported, "binary results of type " + type.format() + " are not supported for this statement");
  }
}

}  // namespace

Result<engine::Fetched> ListStream::encode(const engine::RowFormat& format, int64_t max_rows, std::string& buffer) {
  engine::Fetched got;
  for (; next_ < rows_.size() && got.rows < max_rows && buffer.size() < 256 * 1024; next_++, got.rows++) {
    std::string body;
    big_endian<int16_t>(body, int16_t(columns_.size()));
    for (size_t i = 0; i < columns_.size(); i++) {
      auto& value = rows_[next_][i];
      if (!value) {
        big_endian<int32_t>(body, -1);
        continue;
      }
      auto& f = format.formats;
      bool is_binary = !f.empty() && (f.size() == 1 ? f[0] : f[i]) == 1;
      std::string bytes = *value;
      if (is_binary) {
        TRY(bytes, binary(columns_[i].type, *value));
      }
      big_endian<int32_t>(body, int32_t(bytes.size()));
      body += bytes;
    }
    buffer += 'D';
    big_endian<int32_t>(buffer, int32_t(body.size()) + 4);
    buffer += body;
  }
  got.done = next_ >= rows_.size();
  return got;
}

Result<engine::Fetched> ListStream::values(int64_t max_rows, std::vector<std::vector<engine::Datum>>& rows,
                                           const engine::RowFormat&) {
  engine::Fetched got;
  for (; next_ < rows_.size() && got.rows < max_rows; next_++, got.rows++) rows.push_back(rows_[next_]);
  got.done = next_ >= rows_.size();
  return got;
}

std::unique_ptr<engine::ResultStream> text_rows(std::string column, const std::vector<std::string>& lines) {
  secure::plan::Output output;
  output.name = std::move(column);
  output.type = sql::TypeKind::kText;
  std::vector<std::vector<engine::Datum>> rows;
  for (auto& line : lines) rows.push_back({line});
  return std::make_unique<ListStream>(std::vector{std::move(output)}, std::move(rows));
}

}  // namespace redoubt::warehouse::session
