#include "warehouse/transfer/avro_scanner.h"

#include <zlib.h>

#include <cstring>

#include "warehouse/engine/errors.h"
#include "warehouse/transfer/avro.h"
#include "warehouse/transfer/codec.h"

namespace redoubt::warehouse::transfer {

struct AvroFeed::Block {
  FileProgress* file = nullptr;
  std::shared_ptr<const AvroSchemas> schema;
  std::string codec, bytes;
  int64_t count = 0, first_record = 1;
};

/// A file whose header has been read, and what of it has been fetched but not used.
struct AvroFeed::File {
  std::shared_ptr<api::BodySource> body;
  std::string buffer;
  size_t at = 0;
  bool eof = false;
  std::shared_ptr<const AvroSchemas> schema;
  std::string codec, sync;
  int64_t records = 0;

  std::string_view rest() const { return std::string_view(buffer).substr(at); }
  /// At least `n` bytes in rest(), unless the file ends before.
  Result<bool> have(size_t n) {
    while (rest().size() < n && !eof) {
      buffer.erase(0, at);
      at = 0;
      size_t before = buffer.size();
      TRY_VOID(body->read(buffer, std::max<size_t>(n - before, 256 << 10)));
      eof = buffer.size() == before;
    }
    return rest().size() >= n;
  }
  Result<int64_t> number() {
    TRY([[maybe_unused]] bool enough, have(10));
    auto s = rest();
    int64_t n;
    if (!take_avro_long(s, n)) return broken();
    at = buffer.size() - s.size();
    return n;
  }
  Result<std::string> text(size_t max) {
    TRY(int64_t n, number());
    if (n < 0 || static_cast<uint64_t>(n) > max) return broken();
    return take(static_cast<size_t>(n));
  }
  Result<std::string> take(size_t n) {
    TRY(bool enough, have(n));
    if (!enough) return broken();
    std::string out(rest().substr(0, n));
    at += n;
    return out;
  }
  static std::unexpected<Error> broken() { return fail(kTransferFailed, "The file is not in valid Avro format"); }

  Result<void> open() {
    TRY(std::string magic, take(4));
    if (magic != std::string_view("Obj\1", 4)) return broken();
    codec = "null";
    std::string json;
    while (true) {
      TRY(int64_t n, number());
      if (n == 0) break;
      if (n < 0) {
        n = -n;
        TRY([[maybe_unused]] int64_t size, number());
      }
      if (n > 1000) return broken();
      for (; n > 0; --n) {
        TRY(std::string key, text(1 << 16));
        TRY(std::string value, text(4 << 20));
        if (key == "avro.schema") json = std::move(value);
        if (key == "avro.codec") codec = std::move(value);
      }
    }
    TRY(sync, take(16));
    TRY(schema, AvroSchemas::parse(json));
    return {};
  }
};

namespace {

class StringBody final : public api::BodySource {
 public:
  explicit StringBody(const std::string& text) : text_(text) {}
  Result<void> read(std::string& out, size_t max) override {
    size_t n = std::min(max, text_.size() - at_);
    out.append(text_, at_, n);
    at_ += n;
    return {};
  }

 private:
  const std::string& text_;
  size_t at_ = 0;
};

Result<std::string> read_all(api::BodySource& body, size_t max) {
  std::string out;
  for (size_t before = 1; before != out.size();) {
    before = out.size();
    TRY_VOID(body.read(out, 256 << 10));
    if (out.size() > max) return fail(kTransferFailed, "A block of the Avro file is too large");
  }
  return out;
}

/// Raw deflate, as Avro has it: no header, no checksum.
Result<std::string> inflate_raw(const std::string& in, size_t max) {
  z_stream z{};
  if (inflateInit2(&z, -15) != Z_OK) return fail(kTransferFailed, "deflate can't be started");
  std::string out;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  z.avail_in = static_cast<uInt>(in.size());
  int rc = Z_OK;
  while (rc == Z_OK && out.size() <= max) {
    size_t before = out.size();
    out.resize(before + (256 << 10));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    z.avail_out = 256 << 10;
    rc = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
  }
  inflateEnd(&z);
  if (rc != Z_STREAM_END || out.size() > max) return fail(kTransferFailed, "A block of the Avro file is damaged or too large");
  return out;
}

Result<std::string> unpack(AvroFeed::Block& block);

class AvroReader final : public engine::LoadReader {
 public:
  AvroReader(const CopyOptions& options, const std::vector<ColumnRule>& columns, AvroFeed& feed, LoadLog& log,
             const FieldMap& map, std::shared_ptr<engine::LocalTime> zone)
      : columns_(columns), feed_(feed), log_(log), map_(map), parser_(columns, options, std::move(zone)) {}

  Result<size_t> fill(std::span<engine::LoadColumn> out, size_t capacity) override {
    parser_.forget();
    size_t rows = 0;
    while (rows < capacity) {
      if (left_ == 0) {
        if (!rest_.empty()) return broken();
        TRY(auto next, feed_.next());
        block_ = std::move(next);
        if (!block_) return rows;
        TRY(bytes_, unpack(*block_));
        rest_ = bytes_;
        // A record takes a byte at least, or a few bytes would make rows without end.
        if (static_cast<uint64_t>(block_->count) > rest_.size()) return broken();
        left_ = block_->count;
        record_ = block_->first_record - 1;
        continue;
      }
      --left_;
      ++record_;
      Json record;
      if (!decode_avro(block_->schema->root(), rest_, record)) return broken();
      if (put(record, out, rows)) {
        ++rows;
        continue;
      }
      for (auto& column : out) column.set_valid(rows);
      if (stop_) return fail(kLoadFailed, "load");
    }
    return rows;
  }

 private:
  static std::unexpected<Error> broken() { return fail(kTransferFailed, "The file is not in valid Avro format"); }

  bool put(const Json& record, std::span<engine::LoadColumn> out, size_t row) {
    for (size_t c = 0; c < out.size(); ++c) {
      auto value = find_value(record, map_, columns_, c);
      if (!value) return failed(record, c, "", {load_code::kInvalidLine, value.error().message, 0});
      if (!*value || (*value)->is_null()) {
        if (!parser_.put_null(c, out[c], row)) return failed(record, c, "", parser_.error());
        continue;
      }
      const Json& v = **value;
      bool as_json = v.is_object() || v.is_array() || columns_[c].type.is(sql::TypeKind::kSuper);
      std::string& text = parser_.keep(as_json ? v.dump() : v.str());
      if (!parser_.put(c, out[c], row, text.data(), text.size())) return failed(record, c, text, parser_.error());
    }
    return true;
  }

  bool failed(const Json& record, size_t column, const std::string& field, const FieldError& why) {
    LoadError error;
    error.slice = block_->file->slice;
    error.file_name = readable(block_->file->object.url());
    error.line_number = record_;
    error.column = columns_[column].name;
    error.type = load_type(columns_[column].type);
    error.col_length = load_length(columns_[column].type);
    error.position = why.position;
    error.raw_line = readable(record.dump());
    error.raw_field_value = readable(field);
    error.err_code = why.code;
    error.err_reason = why.reason;
    ++block_->file->errors;
    stop_ = !log_.add(std::move(error));
    return false;
  }

  const std::vector<ColumnRule>& columns_;
  AvroFeed& feed_;
  LoadLog& log_;
  const FieldMap& map_;
  FieldParser parser_;
  std::shared_ptr<AvroFeed::Block> block_;
  std::string bytes_;
  std::string_view rest_;
  int64_t left_ = 0, record_ = 0;
  bool stop_ = false;
};

Result<std::string> unpack(AvroFeed::Block& block) {
  constexpr size_t kMax = AvroFeed::kBlockMax;
  if (block.codec == "null") return std::move(block.bytes);
  if (block.codec == "deflate") return inflate_raw(block.bytes, kMax);
  if (block.codec == "snappy") {
    std::string out;
    // Four bytes of checksum follow.
    if (block.bytes.size() < 4 || !unsnap(std::string_view(block.bytes).substr(0, block.bytes.size() - 4), out, kMax))
      return fail(kTransferFailed, "A block of the Avro file is damaged or too large");
    return out;
  }
  auto body = std::make_shared<StringBody>(block.bytes);
  if (block.codec == "zstandard") return read_all(*decompress(body, Compression::kZstd), kMax);
  if (block.codec == "bzip2") return read_all(*decompress(body, Compression::kBzip2), kMax);
  return fail(kTransferFailed, "The Avro codec '" + block.codec.substr(0, 32) + "' is not supported");
}

class AvroSource final : public engine::LoadSource {
 public:
  AvroSource(const CopyOptions& options, std::vector<ColumnRule> columns, AvroFeed& feed, LoadLog& log, std::string time_zone,
             FieldMap map, size_t threads)
      : options_(options),
        columns_(std::move(columns)),
        feed_(feed),
        log_(log),
        time_zone_(std::move(time_zone)),
        map_(std::move(map)),
        threads_(threads) {}
  size_t readers_max() const override { return threads_; }
  std::unique_ptr<engine::LoadReader> reader() override {
    std::shared_ptr<engine::LocalTime> zone;
    if (auto found = engine::local_time(time_zone_)) zone = *std::move(found);
    return std::make_unique<AvroReader>(options_, columns_, feed_, log_, map_, std::move(zone));
  }

 private:
  const CopyOptions& options_;
  const std::vector<ColumnRule> columns_;
  AvroFeed& feed_;
  LoadLog& log_;
  const std::string time_zone_;
  const FieldMap map_;
  const size_t threads_;
};

}  // namespace

AvroFeed::AvroFeed(std::vector<ObjectEntry> files, Feed::Open open, std::function<bool()> canceled, int slices)
    : open_(std::move(open)), canceled_(std::move(canceled)) {
  for (auto& object : files) {
    auto progress = std::make_unique<FileProgress>();
    progress->object = std::move(object);
    progress->slice = static_cast<int>(progress_.size()) % std::max(1, slices);
    progress_.push_back(std::move(progress));
  }
}
AvroFeed::~AvroFeed() = default;

Result<std::shared_ptr<AvroFeed::Block>> AvroFeed::next() {
  std::lock_guard lock(mutex_);
  if (error_) return fail(*error_);
  auto block = read();
  if (!block) error_ = block.error();
  return block;
}

Result<std::shared_ptr<AvroFeed::Block>> AvroFeed::read() {
  while (at_ < progress_.size()) {
    if (canceled_ && canceled_()) return fail(engine::kQueryCanceled, "Query cancelled on user's request");
    FileProgress& progress = *progress_[at_];
    if (!file_) {
      TRY(auto body, open_(progress.object));
      if (!body) {
        progress.skipped = true;
        ++at_;
        continue;
      }
      file_ = std::make_unique<File>();
      file_->body = std::move(body);
      TRY_VOID(file_->open());
    }
    TRY(bool more, file_->have(1));
    if (!more) {
      file_.reset();
      ++at_;
      continue;
    }
    auto block = std::make_shared<Block>();
    block->file = &progress;
    block->schema = file_->schema;
    block->codec = file_->codec;
    block->first_record = file_->records + 1;
    TRY(block->count, file_->number());
    TRY(block->bytes, file_->text(kBlockMax));
    TRY(std::string sync, file_->take(16));
    if (block->count < 0 || sync != file_->sync) return File::broken();
    file_->records += block->count;
    progress.lines += block->count;
    return block;
  }
  return nullptr;
}

std::unique_ptr<engine::LoadSource> avro_source(const CopyOptions& options, std::vector<ColumnRule> columns, AvroFeed& feed,
                                                LoadLog& log, std::string time_zone, FieldMap map, size_t threads) {
  return std::make_unique<AvroSource>(options, std::move(columns), feed, log, std::move(time_zone), std::move(map), threads);
}

}  // namespace redoubt::warehouse::transfer
