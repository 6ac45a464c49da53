#include "warehouse/engine/duckdb/scan_files.h"

#include <duckdb/common/file_system.hpp>

#include "base/crypto.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/database.h"
#include "warehouse/engine/duckdb/duck.h"

namespace redoubt::warehouse::engine {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, FileSet*, std::less<>> sets;  // guarded by mutex
  static Registry& shared() {
    static Registry registry;
    return registry;
  }
};

[[noreturn]] void give_up(FileSet& set, Error error) {
  set.set_error(std::move(error));
  throw duckdb::IOException("bulk transfer");
}

struct ReadHandle final : duckdb::FileHandle {
  ReadHandle(duckdb::FileSystem& fs, const std::string& path, duckdb::FileOpenFlags flags, FileSet& owner,
             std::shared_ptr<RandomFile> f)
      : FileHandle(fs, path, flags), set(owner), file(std::move(f)) {}
  void Close() override {}
  FileSet& set;
  std::shared_ptr<RandomFile> file;
  duckdb::idx_t position = 0;
};

struct WriteHandle final : duckdb::FileHandle {
  WriteHandle(duckdb::FileSystem& fs, const std::string& path, duckdb::FileOpenFlags flags, FileSet& owner,
              std::unique_ptr<SequentialFile> f)
      : FileHandle(fs, path, flags), set(owner), file(std::move(f)) {}
  /// The engine closes what it has completed; what it abandons is only destroyed.
  void Close() override {
    if (!file) return;
    auto done = file->finish();
    file.reset();
    if (!done) give_up(set, std::move(done).error());
  }
  FileSet& set;
  std::unique_ptr<SequentialFile> file;
  duckdb::idx_t written = 0;
};

class BulkFiles final : public duckdb::FileSystem {
 public:
  std::string GetName() const override { return "redoubt"; }
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kFileScheme); }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle&) override { return false; }
  bool IsPipe(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override { return false; }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(const std::string& path, duckdb::FileOpenFlags flags,
                                                  duckdb::optional_ptr<duckdb::FileOpener>) override {
    std::string rest;
    FileSet* set = FileSet::find(path, rest);
    if (!set) throw duckdb::IOException("no such transfer");
    if (flags.OpenForWriting()) {
      auto file = set->open_write(path, rest);
      if (!file) give_up(*set, std::move(file).error());
      return duckdb::make_uniq<WriteHandle>(*this, path, flags, *set, *std::move(file));
    }
    auto file = set->open_read(rest);
    if (!file) give_up(*set, std::move(file).error());
    return duckdb::make_uniq<ReadHandle>(*this, path, flags, *set, *std::move(file));
  }

  void Read(duckdb::FileHandle& handle, void* buffer, int64_t size, duckdb::idx_t location) override {
    auto& h = handle.Cast<ReadHandle>();
    auto done = h.file->read(location, static_cast<char*>(buffer), static_cast<size_t>(size));
    if (!done) give_up(h.set, std::move(done).error());
  }
  int64_t Read(duckdb::FileHandle& handle, void* buffer, int64_t size) override {
    auto& h = handle.Cast<ReadHandle>();
    size = std::min(size, static_cast<int64_t>(h.file->size() - std::min<uint64_t>(h.position, h.file->size())));
    Read(handle, buffer, size, h.position);
    h.position += static_cast<duckdb::idx_t>(size);
    return size;
  }
  int64_t Write(duckdb::FileHandle& handle, void* buffer, int64_t size) override {
    auto& h = handle.Cast<WriteHandle>();
    if (!h.file) throw duckdb::IOException("bulk transfer");
    auto done = h.file->write({static_cast<const char*>(buffer), static_cast<size_t>(size)});
    if (!done) give_up(h.set, std::move(done).error());
    h.written += static_cast<duckdb::idx_t>(size);
    return size;
  }
  void Write(duckdb::FileHandle& handle, void* buffer, int64_t size, duckdb::idx_t location) override {
    if (location != handle.Cast<WriteHandle>().written) throw duckdb::IOException("bulk transfers are written in order");
    Write(handle, buffer, size);
  }
  int64_t GetFileSize(duckdb::FileHandle& handle) override {
    if (handle.GetFlags().OpenForWriting()) return static_cast<int64_t>(handle.Cast<WriteHandle>().written);
    return static_cast<int64_t>(handle.Cast<ReadHandle>().file->size());
  }
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override { return duckdb::timestamp_t(0); }
  std::string GetVersionTag(duckdb::FileHandle&) override { return ""; }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override { return duckdb::FileType::FILE_TYPE_REGULAR; }
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t location) override { handle.Cast<ReadHandle>().position = location; }
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override {
    if (handle.GetFlags().OpenForWriting()) return handle.Cast<WriteHandle>().written;
    return handle.Cast<ReadHandle>().position;
  }
  void FileSync(duckdb::FileHandle&) override {}

  // Directories are prefixes: they are there without being made.
  bool DirectoryExists(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override { return true; }
  void CreateDirectory(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {}
  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    std::string rest;
    FileSet* set = FileSet::find(path, rest);
    return set && set->open_read(rest).has_value();
  }
  bool ListFiles(const std::string&, const std::function<void(const std::string&, bool)>&, duckdb::FileOpener*) override {
    return true;
  }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override {
    return {duckdb::OpenFileInfo(path)};
  }
  void RemoveFile(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {}
  bool TryRemoveFile(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override { return true; }
};

}  // namespace

FileSet::FileSet() : token_(hex(crypto::random_bytes(16))) {
  auto& registry = Registry::shared();
  std::lock_guard lock(registry.mutex);
  registry.sets.emplace(token_, this);
}

FileSet::~FileSet() {
  auto& registry = Registry::shared();
  std::lock_guard lock(registry.mutex);
  registry.sets.erase(token_);
}

FileSet* FileSet::find(const std::string& path, std::string& rest) {
  std::string_view s = path;
  s.remove_prefix(std::min(s.size(), std::string_view(kFileScheme).size()));
  auto slash = s.find('/');
  auto& registry = Registry::shared();
  std::lock_guard lock(registry.mutex);
  auto found = registry.sets.find(s.substr(0, slash));
  if (found == registry.sets.end()) return nullptr;
  rest = slash == s.npos ? std::string() : std::string(s.substr(slash + 1));
  return found->second;
}

std::string FileSet::read_path(size_t i) const {
  return std::string(kFileScheme) + token_ + "/" + std::to_string(i) + ".parquet";
}
std::string FileSet::write_path() const { return std::string(kFileScheme) + token_ + "/out"; }

std::optional<Error> FileSet::take_error() {
  std::lock_guard lock(mutex_);
  return std::exchange(error_, std::nullopt);
}
void FileSet::set_error(Error error) {
  std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
}
ParquetWritten FileSet::written(const std::string& path) {
  std::lock_guard lock(mutex_);
  return written_[path];
}

Result<std::shared_ptr<RandomFile>> FileSet::open_read(const std::string& rest) {
  auto i = parse_int(std::string_view(rest).substr(0, rest.find('.')));
  if (!i || *i < 0 || static_cast<size_t>(*i) >= reads.size()) return fail(kInternal, "no such file in a transfer");
  return reads[static_cast<size_t>(*i)];
}

Result<std::unique_ptr<SequentialFile>> FileSet::open_write(const std::string& path, const std::string& rest) {
  if (!write || !rest.starts_with("out")) return fail(kInternal, "no such file in a transfer");
  // out, out/data_0.parquet, out/a=1/b=x/data_0.parquet
  auto parts = split(rest, '/');
  std::string partition;
  for (size_t i = 1; i + 1 < parts.size(); ++i) partition += (i > 1 ? "/" : "") + std::string(parts[i]);
  int n;
  {
    std::lock_guard lock(mutex_);
    n = begun_[partition]++;
    written_[path] = {partition, n, 0};
  }
  return write->open(partition, n);
}

void register_files(duckdb::DatabaseInstance& database) {
  database.GetFileSystem().RegisterSubSystem(duckdb::make_uniq<BulkFiles>());
}

}  // namespace redoubt::warehouse::engine
