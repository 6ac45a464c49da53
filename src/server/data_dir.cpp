#include "server/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/crypto.h"
#include "base/text.h"
#include "server/errors.h"

namespace redoubt::server {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFormat = "redoubt data directory, format ";
constexpr int kFormatVersion = 1;
constexpr std::string_view kCheckText = "this directory's root key";

std::unexpected<Error> cannot(std::string_view what, const fs::path& path) {
  return fail(kCannotStart, "cannot " + std::string(what) + " " + path.string() + ": " + std::strerror(errno));
}

struct File {
  explicit File(int f) : fd(f) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  int fd;
};

Result<void> sync_directory(const fs::path& path) {
  File dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.fd < 0 || ::fsync(dir.fd) != 0) return cannot("sync", path);
  return {};
}

std::optional<std::string> as_key(std::string_view text) {
  if (text.size() == 32) return std::string(text);
  auto bytes = unhex(trim(text));
  return bytes && bytes->size() == 32 ? bytes : std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> read_file(const fs::path& path) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    return cannot("read", path);
  }
  std::string out;
  char buffer[4096];
  for (;;) {
    auto n = ::read(file.fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot("read", path);
    if (n == 0) return out;
    out.append(buffer, static_cast<size_t>(n));
  }
}

Result<void> write_private_file(const fs::path& path, std::string_view content) {
  auto temporary = path;
  temporary += ".new";
  {
    File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.fd < 0 || ::fchmod(file.fd, 0600) != 0) return cannot("write", temporary);
    while (!content.empty()) {
      auto n = ::write(file.fd, content.data(), content.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return cannot("write", temporary);
      content.remove_prefix(static_cast<size_t>(n));
    }
    if (::fsync(file.fd) != 0) return cannot("write", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return cannot("write", path);
  return sync_directory(path.parent_path());
}

Result<void> make_private_directory(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return cannot("make", path);
  return {};
}

Result<DataDir> DataDir::open(const fs::path& given) {
  std::error_code error;
  auto path = fs::absolute(given, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (fs::exists(path, error) && !fs::is_directory(path, error)) return fail(kCannotStart, path.string() + " is not a directory");
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);  // mkdir below tells what went wrong
  TRY_VOID(make_private_directory(path));

  TRY(auto format, read_file(path / "redoubt.format"));
  bool ours_in_the_making = true;  // a first start that was interrupted leaves the lock and nothing else
  fs::directory_iterator entries(path, error);
  if (error) return fail(kCannotStart, "cannot read " + path.string() + ": " + error.message());
  for (auto& entry : entries) {
    auto name = entry.path().filename();
    ours_in_the_making &= name == "lock" || name == "redoubt.format.new";
  }
  if (!format && !ours_in_the_making) return fail(kCannotStart, path.string() + " is not empty and not a Redoubt data directory");
  if (format) {
    auto text = trim(*format);
    if (!text.starts_with(kFormat)) return fail(kCannotStart, path.string() + " is not a Redoubt data directory");
    auto version = parse_int(text.substr(kFormat.size()));
    if (!version || *version != kFormatVersion)
      return fail(kCannotStart, path.string() + " has data format " + std::string(text.substr(kFormat.size())) +
                                    ", this server understands " + std::to_string(kFormatVersion));
  }

  File lock(::open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd < 0) return cannot("open", path / "lock");
  if (::flock(lock.fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(kCannotStart, path.string() + " is in use by another process");
    return cannot("lock", path / "lock");
  }
  if (!format)
    TRY_VOID(write_private_file(path / "redoubt.format", std::string(kFormat) + std::to_string(kFormatVersion) + "\n"));
  DataDir out(path, lock.fd);
  lock.fd = -1;
  return out;
}

DataDir::DataDir(DataDir&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}
DataDir::~DataDir() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::string> DataDir::root_key() const {
  TRY(auto check, read_file(path_ / "root.check"));
  std::optional<std::string> key;
  if (const char* hex_digits = std::getenv("REDOUBT_ROOT_KEY")) {
    key = unhex(trim(hex_digits));
    if (!key || key->size() != 32) return fail(kCannotStart, "REDOUBT_ROOT_KEY must be 64 hexadecimal digits");
  } else if (const char* name = std::getenv("REDOUBT_ROOT_KEY_FILE")) {
    TRY(auto text, read_file(name));
    if (!text) return fail(kCannotStart, std::string("REDOUBT_ROOT_KEY_FILE names ") + name + ", which doesn't exist");
    key = as_key(*text);
    if (!key) return fail(kCannotStart, std::string(name) + " must hold 32 bytes or 64 hexadecimal digits");
  } else {
    TRY(auto text, read_file(path_ / "root.key"));
    if (!text && check)
      return fail(kCannotStart, "the root key of " + path_.string() + " is missing: it was in root.key, or in REDOUBT_ROOT_KEY");
    if (!text) {
      text = hex(crypto::random_bytes(32)) + "\n";
      TRY_VOID(write_private_file(path_ / "root.key", *text));
    }
    key = as_key(*text);
    if (!key) return fail(kCannotStart, (path_ / "root.key").string() + " must hold 64 hexadecimal digits");
  }
  if (!check) {
    TRY_VOID(write_private_file(path_ / "root.check", crypto::seal(*key, kCheckText)));
  } else if (auto text = crypto::open(*key, *check); !text || *text != kCheckText) {
    return fail(kCannotStart, "the root key is not the one that " + path_.string() + " was made with");
  }
  return *key;
}

Result<void> DataDir::settle(Config& config) const {
  TRY(auto text, read_file(path_ / "first-start"));
  if (!text) {
    return write_private_file(path_ / "first-start", "account-id: " + config.account_id + "\nregion: " + config.region + "\n");
  }
  for (auto [name, value] : {std::pair("account-id", &config.account_id), std::pair("region", &config.region)}) {
    auto at = text->find(std::string(name) + ": ");
    if (at == text->npos) return fail(kCannotStart, (path_ / "first-start").string() + " is damaged");
    at += std::string_view(name).size() + 2;
    auto kept = text->substr(at, text->find('\n', at) - at);
    if (config.given.contains(name) && *value != kept)
      return fail(kCannotStart, "--" + std::string(name) + ": " + path_.string() + " was made with " + kept + ", not " + *value);
    *value = kept;
  }
  return {};
}

}  // namespace redoubt::server
