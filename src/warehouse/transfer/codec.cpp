#include "warehouse/transfer/codec.h"

#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>

#include "warehouse/transfer/errors.h"

namespace redoubt::warehouse::transfer {
namespace {

constexpr size_t kInput = 256 << 10;
constexpr size_t kOutput = 256 << 10;

std::unexpected<Error> broken(std::string_view format) {
  return fail(kTransferFailed, "The file is not in valid " + std::string(format) + " format");
}

/// Input in pieces, one codec step at a time; the codecs differ in that step alone.
class Inflating : public api::BodySource {
 public:
  explicit Inflating(std::shared_ptr<api::BodySource> source) : source_(std::move(source)) {}

  Result<void> read(std::string& out, size_t max) override {
    if (done_) return {};
    size_t want = std::min(max, kOutput), before = out.size();
    while (out.size() == before) {
      if (at_ == input_.size() && !eof_) {
        input_.clear();
        at_ = 0;
        TRY_VOID(source_->read(input_, kInput));
        eof_ = input_.empty();
      }
      if (eof_ && at_ == input_.size() && between_members()) {
        done_ = true;
        return {};
      }
      size_t used = 0, made = 0;
      out.resize(before + want);
      auto ok = step(input_.data() + at_, input_.size() - at_, used, out.data() + before, want, made);
      out.resize(before + (ok ? made : 0));
      if (!ok) return ok;
      at_ += used;
      if (made == 0 && used == 0 && eof_) return cut_off();
    }
    return {};
  }

 protected:
  virtual Result<void> step(char* in, size_t size, size_t& used, char* out, size_t room, size_t& made) = 0;
  /// Nothing is begun that would have to end: the input may stop here.
  virtual bool between_members() const = 0;
  static std::unexpected<Error> cut_off() { return fail(kTransferFailed, "The compressed file ends before its data does"); }

 private:
  std::shared_ptr<api::BodySource> source_;
  std::string input_;
  size_t at_ = 0;
  bool eof_ = false, done_ = false;
};

class Gunzip final : public Inflating {
 public:
  explicit Gunzip(std::shared_ptr<api::BodySource> source) : Inflating(std::move(source)) {
    ok_ = inflateInit2(&z_, 15 + 16) == Z_OK;
  }
  ~Gunzip() override { inflateEnd(&z_); }

 protected:
  Result<void> step(char* in, size_t size, size_t& used, char* out, size_t room, size_t& made) override {
    if (!ok_) return broken("GZIP");
    if (between_) {
      if (size == 0) return {};
      inflateReset(&z_);
      between_ = false;
    }
    z_.next_in = reinterpret_cast<Bytef*>(in);
    z_.avail_in = static_cast<uInt>(size);
    z_.next_out = reinterpret_cast<Bytef*>(out);
    z_.avail_out = static_cast<uInt>(room);
    int rc = inflate(&z_, Z_NO_FLUSH);
    used = size - z_.avail_in;
    made = room - z_.avail_out;
    if (rc == Z_STREAM_END) {
      between_ = true;
      return {};
    }
    if (rc != Z_OK && rc != Z_BUF_ERROR) return broken("GZIP");
    return {};
  }
  bool between_members() const override { return between_; }

 private:
  z_stream z_{};
  bool ok_ = false, between_ = true;
};

class Bunzip final : public Inflating {
 public:
  using Inflating::Inflating;
  ~Bunzip() override { end(); }

 protected:
  Result<void> step(char* in, size_t size, size_t& used, char* out, size_t room, size_t& made) override {
    if (!open_) {
      if (size == 0) return {};
      z_ = {};
      if (BZ2_bzDecompressInit(&z_, 0, 0) != BZ_OK) return broken("BZIP2");
      open_ = true;
    }
    z_.next_in = in;
    z_.avail_in = static_cast<unsigned>(size);
    z_.next_out = out;
    z_.avail_out = static_cast<unsigned>(room);
    int rc = BZ2_bzDecompress(&z_);
    used = size - z_.avail_in;
    made = room - z_.avail_out;
    if (rc == BZ_STREAM_END) {
      end();
      return {};
    }
    if (rc != BZ_OK) return broken("BZIP2");
    return {};
  }
  bool between_members() const override { return !open_; }

 private:
  void end() {
    if (open_) BZ2_bzDecompressEnd(&z_);
    open_ = false;
  }
  bz_stream z_{};
  bool open_ = false;
};

class Unzstd final : public Inflating {
 public:
  explicit Unzstd(std::shared_ptr<api::BodySource> source) : Inflating(std::move(source)), z_(ZSTD_createDCtx()) {
    // Frames that ask for a larger window than this are refused: a few bytes must not cost gigabytes.
    ZSTD_DCtx_setParameter(z_, ZSTD_d_windowLogMax, 27);
  }
  ~Unzstd() override { ZSTD_freeDCtx(z_); }

 protected:
  Result<void> step(char* in, size_t size, size_t& used, char* out, size_t room, size_t& made) override {
    ZSTD_inBuffer input{in, size, 0};
    ZSTD_outBuffer output{out, room, 0};
    size_t rc = ZSTD_decompressStream(z_, &output, &input);
    if (ZSTD_isError(rc)) return broken("ZSTD");
    used = input.pos;
    made = output.pos;
    between_ = rc == 0;
    return {};
  }
  bool between_members() const override { return between_; }

 private:
  ZSTD_DCtx* z_;
  bool between_ = true;
};

/// Bytes become characters, characters become UTF-8.
class ToUtf8 final : public api::BodySource {
 public:
  ToUtf8(std::shared_ptr<api::BodySource> source, Encoding encoding) : source_(std::move(source)), encoding_(encoding) {}

  Result<void> read(std::string& out, size_t max) override {
    size_t before = out.size();
    while (out.size() == before && !eof_) {
      size_t carried = input_.size();
      TRY_VOID(source_->read(input_, std::max<size_t>(std::min(max, kInput) / 3, 16)));
      eof_ = input_.size() == carried;
      encoding_ == Encoding::kIso88591 ? latin1(out) : utf16(out);
    }
    return {};
  }

 private:
  static void put(std::string& out, uint32_t c) {
    auto byte = [&](uint32_t b) { out += static_cast<char>(b); };
    if (c < 0x80) {
      byte(c);
    } else if (c < 0x800) {
      byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
      byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f));
    } else {
      byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f));
    }
  }
  void latin1(std::string& out) {
    for (unsigned char c : input_) put(out, c);
    input_.clear();
  }
  void utf16(std::string& out) {
    size_t i = 0;
    auto unit = [&](size_t at) {
      auto a = static_cast<unsigned char>(input_[at]), b = static_cast<unsigned char>(input_[at + 1]);
      return big_ ? uint32_t{a} << 8 | b : uint32_t{b} << 8 | a;
    };
    if (!started_ && input_.size() >= 2) {
      started_ = true;
      big_ = encoding_ == Encoding::kUtf16Be;
      // A byte order mark decides for UTF16, and is skipped in all three.
      auto a = static_cast<unsigned char>(input_[0]), b = static_cast<unsigned char>(input_[1]);
      bool mark_big = a == 0xfe && b == 0xff, mark_little = a == 0xff && b == 0xfe;
      if (encoding_ == Encoding::kUtf16) big_ = mark_big;
      if ((mark_big && big_) || (mark_little && !big_)) i = 2;
    }
    for (; i + 2 <= input_.size(); i += 2) {
      uint32_t c = unit(i);
      if (c >= 0xd800 && c < 0xdc00) {
        if (i + 4 > input_.size()) {
          if (!eof_) break;
        } else if (uint32_t low = unit(i + 2); low >= 0xdc00 && low < 0xe000) {
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
          i += 2;
        }
      }
      put(out, c);  // a lone surrogate becomes three bytes that are no UTF-8: an error of its row
    }
    input_.erase(0, i);
    if (eof_ && !input_.empty()) out += std::exchange(input_, {});
  }

  std::shared_ptr<api::BodySource> source_;
  const Encoding encoding_;
  std::string input_;
  bool eof_ = false, started_ = false, big_ = false;
};

class Gzip final : public engine::SequentialFile {
 public:
  explicit Gzip(std::unique_ptr<engine::SequentialFile> out) : out_(std::move(out)) {
    ok_ = deflateInit2(&z_, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Gzip() override { deflateEnd(&z_); }
  Result<void> write(std::string_view bytes) override { return pump(bytes, Z_NO_FLUSH); }
  Result<void> finish() override {
    TRY_VOID(pump({}, Z_FINISH));
    return out_->finish();
  }

 private:
  Result<void> pump(std::string_view bytes, int flush) {
    if (!ok_) return fail(kTransferFailed, "GZIP can't be started");
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
    do {
      z_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      z_.avail_out = static_cast<uInt>(buffer_.size());
      if (deflate(&z_, flush) == Z_STREAM_ERROR) return fail(kTransferFailed, "GZIP failed");
      TRY_VOID(out_->write({buffer_.data(), buffer_.size() - z_.avail_out}));
    } while (z_.avail_out == 0);
    return {};
  }
  std::unique_ptr<engine::SequentialFile> out_;
  z_stream z_{};
  bool ok_ = false;
  std::string buffer_ = std::string(kOutput, '\0');
};

class Bzip final : public engine::SequentialFile {
 public:
  explicit Bzip(std::unique_ptr<engine::SequentialFile> out) : out_(std::move(out)) {
    ok_ = BZ2_bzCompressInit(&z_, 9, 0, 0) == BZ_OK;
  }
  ~Bzip() override { BZ2_bzCompressEnd(&z_); }
  Result<void> write(std::string_view bytes) override { return bytes.empty() ? Result<void>() : pump(bytes, BZ_RUN); }
  Result<void> finish() override {
    TRY_VOID(pump({}, BZ_FINISH));
    return out_->finish();
  }

 private:
  Result<void> pump(std::string_view bytes, int action) {
    if (!ok_) return fail(kTransferFailed, "BZIP2 can't be started");
    z_.next_in = const_cast<char*>(bytes.data());
    z_.avail_in = static_cast<unsigned>(bytes.size());
    int rc = BZ_OK;
    do {
      z_.next_out = buffer_.data();
      z_.avail_out = static_cast<unsigned>(buffer_.size());
      rc = BZ2_bzCompress(&z_, action);
      if (rc < 0) return fail(kTransferFailed, "BZIP2 failed");
      TRY_VOID(out_->write({buffer_.data(), buffer_.size() - z_.avail_out}));
    } while (action == BZ_FINISH ? rc != BZ_STREAM_END : z_.avail_in > 0);
    return {};
  }
  std::unique_ptr<engine::SequentialFile> out_;
  bz_stream z_{};
  bool ok_ = false;
  std::string buffer_ = std::string(kOutput, '\0');
};

class Zstd final : public engine::SequentialFile {
 public:
  explicit Zstd(std::unique_ptr<engine::SequentialFile> out) : out_(std::move(out)), z_(ZSTD_createCCtx()) {}
  ~Zstd() override { ZSTD_freeCCtx(z_); }
  Result<void> write(std::string_view bytes) override { return pump(bytes, ZSTD_e_continue); }
  Result<void> finish() override {
    TRY_VOID(pump({}, ZSTD_e_end));
    return out_->finish();
  }

 private:
  Result<void> pump(std::string_view bytes, ZSTD_EndDirective mode) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    size_t left = 0;
    do {
      ZSTD_outBuffer output{buffer_.data(), buffer_.size(), 0};
      left = ZSTD_compressStream2(z_, &output, &input, mode);
      if (ZSTD_isError(left)) return fail(kTransferFailed, "ZSTD failed");
      TRY_VOID(out_->write({buffer_.data(), output.pos}));
    } while (mode == ZSTD_e_end ? left != 0 : input.pos < input.size);
    return {};
  }
  std::unique_ptr<engine::SequentialFile> out_;
  ZSTD_CCtx* z_;
  std::string buffer_ = std::string(kOutput, '\0');
};

}  // namespace

std::shared_ptr<api::BodySource> decompress(std::shared_ptr<api::BodySource> source, Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_shared<Gunzip>(std::move(source));
    case Compression::kBzip2:
      return std::make_shared<Bunzip>(std::move(source));
    case Compression::kZstd:
      return std::make_shared<Unzstd>(std::move(source));
    case Compression::kLzop:  // lzop.cpp's; refused by copy() until then
    case Compression::kNone:
      break;
  }
  return source;
}

std::shared_ptr<api::BodySource> to_utf8(std::shared_ptr<api::BodySource> source, Encoding encoding) {
  if (encoding == Encoding::kUtf8) return source;
  return std::make_shared<ToUtf8>(std::move(source), encoding);
}

std::unique_ptr<engine::SequentialFile> compress(std::unique_ptr<engine::SequentialFile> out, Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<Gzip>(std::move(out));
    case Compression::kBzip2:
      return std::make_unique<Bzip>(std::move(out));
    case Compression::kZstd:
      return std::make_unique<Zstd>(std::move(out));
    default:
      return out;
  }
}

std::string_view suffix(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return ".gz";
    case Compression::kBzip2:
      return ".bz2";
    case Compression::kZstd:
      return ".zst";
    default:
      return "";
  }
}

}  // namespace redoubt::warehouse::transfer
