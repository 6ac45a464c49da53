#pragma once
/// DIR: the one directory that a server keeps everything in, and the files of it that belong to no room.
///
///   redoubt.format   what this directory is, and the version of its layout
///   lock             held (flock) by the process that serves it
///   root.key         the key that wraps all others, unless the environment gives it; root.check tells a wrong one
///   first-start      settings that names depend on, and that therefore stay as they were: account id and region
///   env              what a shell sources to become the first account's admin
///   tls/             the certificate authority (tls.h)
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/config.h"

namespace redoubt::server {

/// A whole file; nullopt when there is none. kCannotStart when it can't be read.
Result<std::optional<std::string>> read_file(const std::filesystem::path& path);
/// Mode 0600, complete or not at all, durable on return. kCannotStart when it can't be written.
Result<void> write_private_file(const std::filesystem::path& path, std::string_view content);
/// Mode 0700; an existing one is left as it is.
Result<void> make_private_directory(const std::filesystem::path& path);

class DataDir {
 public:
  /// Makes the directory if it is missing and takes its lock. kCannotStart when it is neither empty nor ours, of a newer format,
  /// unreadable, or another process holds it.
  static Result<DataDir> open(const std::filesystem::path& path);
  ~DataDir();  // lets go of the lock
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// The 32 bytes that wrap every other key: REDOUBT_ROOT_KEY (64 hex digits), else the file REDOUBT_ROOT_KEY_FILE (the same, or
  /// 32 raw bytes), else DIR/root.key, which is made when the directory is new. kCannotStart when it isn't a key, or not the one
  /// that this directory was made with.
  Result<std::string> root_key() const;

  /// Puts account id and region of the first start into `config`, or keeps config's when this is the first. kCannotStart when a
  /// flag asks for others.
  Result<void> settle(Config& config) const;

 private:
  DataDir(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace redoubt::server
