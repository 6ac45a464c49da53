#pragma once
/// The options of COPY and UNLOAD, from the syntax as written to something that can be acted upon. Every option is either in one
/// of these structs, or harmless here and documented (COMPUPDATE, COMPROWS, STATUPDATE: there are no encodings nor statistics to
/// update), or refused by name. Source: Database Developer Guide, COPY, UNLOAD and their parameter pages.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "warehouse/sql/ast.h"
#include "warehouse/transfer/time_format.h"

namespace redoubt::warehouse::transfer {

/// Where files are and as whom they are touched. Exactly one of role_chain and access_key_id is set.
struct Authorization {
  std::string role_chain;  // as written, "default" not yet resolved
  bool default_role = false;
  std::string access_key_id, secret_access_key, session_token;  // never in a message or log
};

enum class FileFormat : uint8_t { kDelimited, kCsv, kFixedWidth, kJson, kAvro, kParquet };
enum class Compression : uint8_t { kNone, kGzip, kBzip2, kZstd, kLzop };
enum class Encoding : uint8_t { kUtf8, kUtf16, kUtf16Le, kUtf16Be, kIso88591 };

/// s3://bucket/key
struct S3Location {
  std::string bucket, key;
  std::string url() const { return "s3://" + bucket + "/" + key; }
};
/// nullopt: not of that form, or without a bucket.
std::optional<S3Location> parse_s3_url(std::string_view url);

struct CopyOptions {
  S3Location source;
  bool manifest = false;
  Authorization authorization;
  std::string region;  // "": the cluster's

  FileFormat format = FileFormat::kDelimited;
  Compression compression = Compression::kNone;
  Encoding encoding = Encoding::kUtf8;
  char delimiter = '|', quote = '"';
  std::vector<int> widths;  // kFixedWidth, in characters
  bool escape = false, remove_quotes = false;
  std::string json_paths;  // kJson, kAvro: "auto", "auto ignorecase", "noshred" or an s3:// URL
  bool serialize_to_json = false;

  std::string null_as = "\\N";
  bool empty_as_null = false, blanks_as_null = false, trim_blanks = false, truncate_columns = false, round_decimals = false;
  bool accept_any_date = false, fill_record = false, ignore_blank_lines = false, explicit_ids = false;
  std::optional<char> replace_invalid;  // ACCEPTINVCHARS
  int64_t ignore_header = 0;
  TimeFormat date_format = TimeFormat::standard(), time_format = TimeFormat::standard();

  int64_t max_errors = 1;  // the load fails when so many rows have
  bool ignore_all_errors = false;
  bool noload = false;
};

struct UnloadOptions {
  S3Location target;
  Authorization authorization;
  std::string region;

  FileFormat format = FileFormat::kDelimited;
  Compression compression = Compression::kNone;
  char delimiter = '|';
  std::vector<int> widths;
  bool header = false, add_quotes = false, escape = false;
  std::string null_as;
  std::string extension;

  bool parallel = true, manifest = false, manifest_verbose = false;
  bool allow_overwrite = false, clean_path = false;
  std::vector<std::string> partition_by;
  bool include_partitions = false;
  uint64_t file_size_max = 0;    // bytes
  bool file_size_given = false;  // by MAXFILESIZE
  uint64_t row_group_bytes = 0;

  enum class Sealing : uint8_t { kS3, kKms, kBucketDefault } sealing = Sealing::kS3;
  std::string kms_key;
};

/// Errors: kSyntaxError, kNotSupported, kInvalidParameterValue of secure/errors.h; kInvalidCredentials.
Result<CopyOptions> copy_options(const sql::Copy& command);
Result<UnloadOptions> unload_options(const sql::Unload& command);

}  // namespace redoubt::warehouse::transfer
