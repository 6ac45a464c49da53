#include "warehouse/transfer/text_scanner.h"

#include <algorithm>
#include <cstring>

#include "warehouse/transfer/row_reader.h"

namespace redoubt::warehouse::transfer {
namespace {

char* find(char* from, char* to, char c) { return static_cast<char*>(std::memchr(from, c, static_cast<size_t>(to - from))); }

// ------------------------------------------------------------------------------------------------------------ record ends

class LineEnds final : public RecordEnds {
 public:
  size_t whole(std::string_view bytes) const override { return bytes.rfind('\n') + 1; }  // npos + 1 is 0
};

/// A line break behind an odd number of backslashes belongs to its field.
class EscapedLineEnds final : public RecordEnds {
 public:
  size_t whole(std::string_view bytes) const override {
    for (size_t at = bytes.rfind('\n'); at != bytes.npos; at = at == 0 ? bytes.npos : bytes.rfind('\n', at - 1)) {
      size_t slashes = 0;
      while (slashes < at && bytes[at - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) return at + 1;
    }
    return 0;
  }
};

/// A line break with an odd number of quotes before it, counted from the start of a record, is inside of a field.
class QuotedLineEnds final : public RecordEnds {
 public:
  explicit QuotedLineEnds(char quote) : quote_(quote) {}
  size_t whole(std::string_view bytes) const override {
    auto quotes = static_cast<size_t>(std::count(bytes.begin(), bytes.end(), quote_));
    size_t end = bytes.size();
    for (size_t at = bytes.rfind('\n'); at != bytes.npos; at = at == 0 ? bytes.npos : bytes.rfind('\n', at - 1)) {
      quotes -= static_cast<size_t>(
          std::count(bytes.begin() + static_cast<ptrdiff_t>(at), bytes.begin() + static_cast<ptrdiff_t>(end), quote_));
      end = at;
      if (quotes % 2 == 0) return at + 1;
    }
    return 0;
  }

 private:
  const char quote_;
};

// ---------------------------------------------------------------------------------------------------------------- readers

class TextReader : public RowReader {
 public:
  TextReader(const ScanContext& context, std::shared_ptr<engine::LocalTime> zone)
      : RowReader(context, std::move(zone)), options_(context.options), columns_(context.columns.size()) {}

 protected:
  Row missing_columns(std::span<engine::LoadColumn> out, size_t row, size_t column, char* begin, char* end) {
    if (!options_.fill_record)
      return failed(column, {}, load_code::kDelimiter, "Delimiter not found",
                    static_cast<int>(std::min<ptrdiff_t>(end - begin, 1 << 20)));
    for (; column < columns_; ++column)
      if (!parser_.put(column, out[column], row, end, 0)) return field_failed(column, {});
    return Row::kGood;
  }
  /// True: the record is to be passed over. A record is [begin, end) without its line break.
  bool blank(const char* begin, const char* end) const { return options_.ignore_blank_lines && begin == end; }

  const CopyOptions& options_;
  const size_t columns_;
};

/// Fields between delimiters, optionally with backslashes or quotes to take off.
class DelimitedReader final : public TextReader {
 public:
  DelimitedReader(const ScanContext& context, std::shared_ptr<engine::LocalTime> zone)
      : TextReader(context, std::move(zone)), plain_(!options_.escape && !options_.remove_quotes) {}

 protected:
  Row take(std::span<engine::LoadColumn> out, size_t row) override {
    char *begin = at_, *end = find(begin, end_, '\n');
    if (plain_) {
      at_ = end ? end + 1 : end_;
      if (!end) end = end_;
      if (end > begin && end[-1] == '\r') --end;
      if (blank(begin, end)) return Row::kSkipped;
      return plain(out, row, begin, end);
    }
    if (options_.escape)
      while (end && escaped(begin, end)) end = find(end + 1, end_, '\n');
    at_ = end ? end + 1 : end_;
    if (!end) end = end_;
    if (end > begin && end[-1] == '\r' && !(options_.escape && escaped(begin, end - 1))) --end;
    if (blank(begin, end)) return Row::kSkipped;
    return coded(out, row, begin, end);
  }

 private:
  static bool escaped(const char* begin, const char* at) {
    size_t slashes = 0;
    while (at - slashes > begin && at[-1 - static_cast<ptrdiff_t>(slashes)] == '\\') ++slashes;
    return slashes % 2 == 1;
  }

  Row plain(std::span<engine::LoadColumn> out, size_t row, char* begin, char* end) {
    char* field = begin;
    for (size_t c = 0; c < columns_; ++c) {
      char* stop = find(field, end, options_.delimiter);
      bool last = c + 1 == columns_;
      if (!stop) {
        stop = end;
        if (!last) {
          if (!put(out, row, c, field, stop)) return field_failed(c, {field, stop});
          return missing_columns(out, row, c + 1, begin, end);
        }
      } else if (last && stop + 1 != end) {  // one delimiter more at the end is how many programs write
        return failed(c, {field, stop}, load_code::kExtraColumn, "Extra column(s) found", static_cast<int>(stop - begin));
      }
      if (!put(out, row, c, field, stop)) return field_failed(c, {field, stop});
      field = stop + 1;
    }
    return Row::kGood;
  }

  bool put(std::span<engine::LoadColumn> out, size_t row, size_t c, char* field, char* stop) {
    auto size = static_cast<size_t>(stop - field);
    if (parser_.is_null_text(field, size)) return parser_.put_null(c, out[c], row);
    return parser_.put(c, out[c], row, field, size);
  }

  /// The end of the field that begins at `field`, by ESCAPE's and REMOVEQUOTES' rules; null: a quote isn't closed.
  char* field_end(char* field, char* end) const {
    char quote = options_.remove_quotes && field < end && (*field == '"' || *field == '\'') ? *field : '\0';
    for (char* at = quote ? field + 1 : field; at < end; ++at) {
      if (options_.escape && *at == '\\') {
        ++at;
      } else if (quote) {
        if (*at == quote && (at + 1 == end || at[1] == options_.delimiter)) return at + 1;
      } else if (*at == options_.delimiter) {
        return at;
      }
    }
    return quote ? nullptr : end;
  }

  Row coded(std::span<engine::LoadColumn> out, size_t row, char* begin, char* end) {
    if (options_.escape ? find(begin, end, '\\') != nullptr : true) {
      remember(begin, end);
      remembered_ = true;
    }
    char* field = begin;
    for (size_t c = 0; c < columns_; ++c) {
      char* stop = field_end(field, end);
      if (!stop) return failed(c, {field, end}, load_code::kDelimiter, "Delimiter not found", static_cast<int>(field - begin));
      bool last = c + 1 == columns_, more = stop < end;
      if (last && more && stop + 1 != end)
        return failed(c, {field, stop}, load_code::kExtraColumn, "Extra column(s) found", static_cast<int>(stop - begin));
      auto size = static_cast<size_t>(stop - field);
      bool ok;
      if (parser_.is_null_text(field, size)) {
        ok = parser_.put_null(c, out[c], row);
      } else {
        char* text = field;
        if (options_.remove_quotes && size >= 2 && (*text == '"' || *text == '\'') && text[size - 1] == *text) ++text, size -= 2;
        if (options_.escape) size = unescape(text, size);
        ok = parser_.put(c, out[c], row, text, size);
        if (!ok) return field_failed(c, {text, size});
      }
      if (!ok) return field_failed(c, {field, size});
      if (!more && !last) return missing_columns(out, row, c + 1, begin, end);
      field = stop + 1;
    }
    return Row::kGood;
  }

  static size_t unescape(char* text, size_t size) {
    auto* slash = static_cast<char*>(std::memchr(text, '\\', size));
    if (!slash) return size;
    char *to = slash, *end = text + size;
    for (char* from = slash; from < end; ++from) {
      if (*from == '\\' && from + 1 < end) ++from;
      *to++ = *from;
    }
    return static_cast<size_t>(to - text);
  }

  const bool plain_;
};

class CsvReader final : public TextReader {
 public:
  using TextReader::TextReader;

 protected:
  Row take(std::span<engine::LoadColumn> out, size_t row) override {
    char *begin = at_, *end = find(begin, end_, '\n');
    // A record ends at the first line break with an even number of quotes before it: as the feed cut its blocks.
    size_t quotes = static_cast<size_t>(std::count(begin, end ? end : end_, options_.quote));
    bool quoted = quotes > 0;
    while (end && quotes % 2 == 1) {
      char* next = find(end + 1, end_, '\n');
      quotes += static_cast<size_t>(std::count(end, next ? next : end_, options_.quote));
      end = next;
    }
    at_ = end ? end + 1 : end_;
    if (!end) end = end_;
    if (end > begin && end[-1] == '\r') --end;
    if (blank(begin, end)) return Row::kSkipped;
    if (quoted) {
      remember(begin, end);
      remembered_ = true;
    }
    char* field = begin;
    for (size_t c = 0; c < columns_; ++c) {
      char *text = field, *stop, *text_end;
      bool in_quotes = false;
      if (quoted) {
        char* first = field;
        while (first < end && (*first == ' ' || *first == '\t') && *first != options_.delimiter) ++first;
        in_quotes = first < end && *first == options_.quote;
        if (in_quotes) text = first;
      }
      if (in_quotes) {
        stop = unquote(text, end, text_end);
        if (!stop)
          return failed(c, {field, end}, load_code::kDelimiter, "Invalid quote formatting for CSV",
                        static_cast<int>(field - begin));
        ++text;
      } else {
        stop = find(field, end, options_.delimiter);
        if (!stop) stop = end;
        text_end = stop;
        if (quoted && find(text, text_end, options_.quote))
          return failed(c, {field, stop}, load_code::kDelimiter, "Invalid quote formatting for CSV",
                        static_cast<int>(field - begin));
      }
      bool last = c + 1 == columns_, more = stop < end;
      auto size = static_cast<size_t>(text_end - text);
      if (last && more)
        return failed(c, {text, size}, load_code::kExtraColumn, "Extra column(s) found", static_cast<int>(stop - begin));
      bool ok = parser_.is_null_text(text, size) ? parser_.put_null(c, out[c], row) : parser_.put(c, out[c], row, text, size);
      if (!ok) return field_failed(c, {text, size});
      if (!more && !last) return missing_columns(out, row, c + 1, begin, end);
      field = stop + 1;
    }
    return Row::kGood;
  }

 private:
  /// `from` is at the opening quote. Takes doubled quotes apart in place, sets where the text ends, and answers where the field
  /// does; null: no closing quote, or something behind it.
  char* unquote(char* from, char* end, char*& text_end) const {
    char *to = from + 1, *at = from + 1;
    while (true) {
      char* quote = find(at, end, options_.quote);
      if (!quote) return nullptr;
      if (to != at) std::memmove(to, at, static_cast<size_t>(quote - at));
      to += quote - at;
      if (quote + 1 < end && quote[1] == options_.quote) {
        *to++ = options_.quote;
        at = quote + 2;
        continue;
      }
      text_end = to;
      at = quote + 1;
      while (at < end && (*at == ' ' || *at == '\t') && *at != options_.delimiter) ++at;
      return at == end || *at == options_.delimiter ? at : nullptr;
    }
  }
};

class FixedWidthReader final : public TextReader {
 public:
  using TextReader::TextReader;

 protected:
  Row take(std::span<engine::LoadColumn> out, size_t row) override {
    char *begin = at_, *end = find(begin, end_, '\n');
    at_ = end ? end + 1 : end_;
    if (!end) end = end_;
    if (end > begin && end[-1] == '\r') --end;
    if (blank(begin, end)) return Row::kSkipped;
    char* field = begin;
    for (size_t c = 0; c < columns_; ++c) {
      if (field == end && c > 0) return missing_columns(out, row, c, begin, end);
      char* stop = field;
      for (int width = options_.widths[c]; width > 0 && stop < end; --width) {  // in characters
        ++stop;
        while (stop < end && (*stop & 0xc0) == 0x80) ++stop;
      }
      auto size = static_cast<size_t>(stop - field);
      // Widths pad: the blanks behind a value aren't it.
      size_t bare = size;
      while (bare > 0 && field[bare - 1] == ' ') --bare;
      bool ok = parser_.is_null_text(field, bare) && bare > 0 ? parser_.put_null(c, out[c], row)
                                                              : parser_.put(c, out[c], row, field, size);
      if (!ok) return field_failed(c, {field, size});
      field = stop;
    }
    if (field != end)
      return failed(columns_ - 1, {field, end}, load_code::kExtraColumn, "Extra column(s) found",
                    static_cast<int>(field - begin));
    return Row::kGood;
  }
};

class TextSource final : public engine::LoadSource {
 public:
  explicit TextSource(ScanContext context) : context_(std::move(context)) {}
  size_t readers_max() const override { return context_.threads; }
  std::unique_ptr<engine::LoadReader> reader() override {
    std::shared_ptr<engine::LocalTime> zone;
    if (auto found = engine::local_time(context_.time_zone)) zone = *std::move(found);
    switch (context_.options.format) {
      case FileFormat::kCsv:
        return std::make_unique<CsvReader>(context_, std::move(zone));
      case FileFormat::kFixedWidth:
        return std::make_unique<FixedWidthReader>(context_, std::move(zone));
      default:
        return std::make_unique<DelimitedReader>(context_, std::move(zone));
    }
  }

 private:
  const ScanContext context_;
};

}  // namespace

std::shared_ptr<const RecordEnds> text_record_ends(const CopyOptions& options) {
  if (options.format == FileFormat::kCsv) return std::make_shared<QuotedLineEnds>(options.quote);
  if (options.escape) return std::make_shared<EscapedLineEnds>();
  return std::make_shared<LineEnds>();
}

std::unique_ptr<engine::LoadSource> text_source(ScanContext context) { return std::make_unique<TextSource>(std::move(context)); }

}  // namespace redoubt::warehouse::transfer
