#include "warehouse/transfer/options.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/transfer/errors.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::CopyOption;

constexpr uint64_t kMb = uint64_t{1} << 20;
constexpr std::string_view kCredentialsForm =
    "Invalid credentials. Must be of the format: credentials 'aws_access_key_id=<access-key-id>;"
    "aws_secret_access_key=<secret-access-key>[;token=<temporary-session-token>]'";

std::unexpected<Error> bad(std::string message) { return fail(secure::kInvalidParameterValue, std::move(message)); }

template <class Command>
class Reader {
 public:
  explicit Reader(const Command& command, std::string_view verb) : command_(command), verb_(verb) {}

  const CopyOption* find(std::string_view name) const { return command_.find(name); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool word(std::string_view name, std::string_view w) const {
    auto* o = find(name);
    return o && std::find(o->words.begin(), o->words.end(), w) != o->words.end();
  }
  std::string text(std::string_view name, std::string otherwise = {}) const {
    auto* o = find(name);
    return o && o->text ? *o->text : otherwise;
  }

  Result<void> conflict(std::string_view a, std::initializer_list<std::string_view> others) const {
    if (!has(a)) return {};
    for (auto b : others)
      if (has(b)) return clash(a, b);
    return {};
  }
  Result<void> clash(std::string_view a, std::string_view b) const {
    return fail(secure::kSyntaxError, std::string(a) + " is not compatible with " + std::string(b) + " in " + std::string(verb_));
  }
  Result<void> format_conflict(std::string_view format, std::initializer_list<std::string_view> others) const {
    for (auto b : others)
      if (has(b)) return clash(format, b);
    return {};
  }
  /// What isn't in this list can't be used with the format.
  Result<void> format_allows(std::string_view format, std::initializer_list<std::string_view> allowed) const {
    for (auto& option : command_.options)
      if (option.name != "FORMAT" && std::find(allowed.begin(), allowed.end(), option.name) == allowed.end())
        return fail(secure::kSyntaxError,
                    option.name + " argument is not supported for " + std::string(format) + " based " + std::string(verb_));
    return {};
  }

  Result<int64_t> number(std::string_view name, int64_t otherwise, int64_t min, int64_t max) const {
    auto* o = find(name);
    if (!o || !o->number) return otherwise;
    auto n = parse_int(*o->number);
    if (!n || *n < min || *n > max)
      return bad(std::string(name) + " must be between " + std::to_string(min) + " and " + std::to_string(max));
    return *n;
  }
  /// n [MB | GB] in bytes; MB is the default.
  Result<uint64_t> size(std::string_view name, double mb_min, double mb_max) const {
    auto* o = find(name);
    if (!o || !o->number) return 0;
    double mb = std::strtod(o->number->c_str(), nullptr);
    if (std::find(o->words.begin(), o->words.end(), "gb") != o->words.end()) mb *= 1024;
    if (!(mb >= mb_min && mb <= mb_max))
      return bad(std::string(name) + " must be between " + std::to_string(int64_t(mb_min)) + " MB and " +
                 std::to_string(int64_t(mb_max)) + " MB");
    return static_cast<uint64_t>(mb * double(kMb));
  }
  /// ON by itself or as a word; absent: `otherwise`.
  bool flag(std::string_view name, bool otherwise) const {
    auto* o = find(name);
    if (!o) return otherwise;
    return !word(name, "off") && !word(name, "false");
  }
  /// One ASCII character: itself, \t, or an octal \ddd.
  Result<char> character(std::string_view name, char otherwise) const {
    auto* o = find(name);
    if (!o || !o->text) return otherwise;
    std::string_view s = *o->text;
    if (s.size() == 1 && static_cast<unsigned char>(s[0]) < 0x80) return s[0];
    if (s == "\\t") return '\t';
    if (s.size() >= 2 && s.size() <= 4 && s[0] == '\\') {
      int value = 0;
      for (char c : s.substr(1)) {
        if (c < '0' || c > '7') return bad(std::string(name) + " must be a single ASCII character");
        value = value * 8 + (c - '0');
      }
      if (value < 0x80) return static_cast<char>(value);
    }
    return bad(std::string(name) + " must be a single ASCII character");
  }

  Result<Compression> compression() const {
    constexpr std::pair<std::string_view, Compression> kNames[] = {
        {"GZIP", Compression::kGzip}, {"BZIP2", Compression::kBzip2}, {"ZSTD", Compression::kZstd}, {"LZOP", Compression::kLzop}};
    Compression out = Compression::kNone;
    std::string_view seen;
    for (auto& [name, value] : kNames) {
      if (!has(name)) continue;
      if (!seen.empty()) {
        TRY_VOID(clash(seen, name));
      }
      seen = name;
      out = value;
    }
    return out;
  }

  /// 'label:width, label:width'
  Result<std::vector<int>> widths() const {
    std::vector<int> out;
    auto* o = find("FIXEDWIDTH");
    if (!o || !o->text) return out;
    for (auto item : split(*o->text, ',')) {
      auto colon = item.rfind(':');
      auto width = colon == item.npos ? std::nullopt : parse_int(trim(item.substr(colon + 1)));
      if (!width || *width < 1 || *width > 65535) return bad("Invalid FIXEDWIDTH specification: " + std::string(trim(item)));
      out.push_back(static_cast<int>(*width));
    }
    return out;
  }

  Result<Authorization> authorization() const {
    bool role = has("IAM_ROLE"), keys = has("ACCESS_KEY_ID") || has("SECRET_ACCESS_KEY"), string = has("CREDENTIALS");
    if (int(role) + int(keys) + int(string) > 1)
      return fail(secure::kSyntaxError, "IAM_ROLE, CREDENTIALS and ACCESS_KEY_ID are mutually exclusive");
    if (has("MASTER_SYMMETRIC_KEY"))
      return fail(secure::kNotSupported, "client-side encryption (MASTER_SYMMETRIC_KEY) is not supported");
    Authorization out;
    if (role) {
      auto* o = find("IAM_ROLE");
      out.default_role = word("IAM_ROLE", "default") || (o->text && iequals(*o->text, "default"));
      if (!out.default_role) out.role_chain = o->text.value_or("");
      if (iequals(out.role_chain, "session")) return fail(secure::kNotSupported, "IAM_ROLE 'SESSION' is not supported");
      return out;
    }
    if (keys) {
      out.access_key_id = text("ACCESS_KEY_ID");
      out.secret_access_key = text("SECRET_ACCESS_KEY");
      out.session_token = text("SESSION_TOKEN");
      if (out.access_key_id.empty() || out.secret_access_key.empty())
        return fail(kInvalidCredentials, std::string(kCredentialsForm));
      return out;
    }
    if (has("SESSION_TOKEN")) return fail(kInvalidCredentials, std::string(kCredentialsForm));
    if (string) return parse_credentials(text("CREDENTIALS"));
    return fail(secure::kSyntaxError,
                std::string(verb_) + " requires IAM_ROLE, CREDENTIALS or ACCESS_KEY_ID and SECRET_ACCESS_KEY");
  }

  Result<S3Location> location(const std::string& url) const {
    for (std::string_view unbuilt : {"emr://", "dynamodb://", "ssh://"})
      if (url.starts_with(unbuilt))
        return fail(secure::kNotSupported, std::string(unbuilt) + " is not supported as a data source");
    auto out = parse_s3_url(url);
    if (!out) return bad("Invalid S3 path: '" + url + "'. It must be of the form s3://bucket/prefix");
    return *out;
  }

 private:
  static Result<Authorization> parse_credentials(const std::string& text) {
    Authorization out;
    auto wrong = [] { return fail(kInvalidCredentials, std::string(kCredentialsForm)); };
    for (auto part : split(text, ';')) {
      auto eq = part.find('=');
      if (eq == part.npos) return wrong();
      auto name = part.substr(0, eq);
      std::string value(part.substr(eq + 1));
      std::string* at = name == "aws_iam_role"            ? &out.role_chain
                        : name == "aws_access_key_id"     ? &out.access_key_id
                        : name == "aws_secret_access_key" ? &out.secret_access_key
                        : name == "token"                 ? &out.session_token
                                                          : nullptr;
      if (name == "master_symmetric_key")
        return fail(secure::kNotSupported, "client-side encryption (master_symmetric_key) is not supported");
      if (!at || !at->empty() || value.empty()) return wrong();
      *at = std::move(value);
    }
    bool role = !out.role_chain.empty(), keys = !out.access_key_id.empty() && !out.secret_access_key.empty();
    if (role == keys || (role && (!out.access_key_id.empty() || !out.secret_access_key.empty() || !out.session_token.empty())))
      return wrong();
    if (out.role_chain == "default") out.default_role = true, out.role_chain.clear();
    return out;
  }

  const Command& command_;
  std::string_view verb_;
};

Result<Encoding> encoding_of(std::string_view word) {
  constexpr std::pair<std::string_view, Encoding> kNames[] = {{"utf8", Encoding::kUtf8},
                                                              {"utf16", Encoding::kUtf16},
                                                              {"utf16le", Encoding::kUtf16Le},
                                                              {"utf16be", Encoding::kUtf16Be},
                                                              {"iso88591", Encoding::kIso88591}};
  for (auto& [name, value] : kNames)
    if (word == name) return value;
  return bad("Invalid encoding: " + std::string(word));
}

/// NULL AS: \0 and \000 are the NUL character, \n a line break is refused (rows end there), \N is itself.
Result<std::string> null_string(std::string text) {
  if (text == "\\0" || text == "\\000") return std::string(1, '\0');
  if (text == "\\n" || text == "\n") return bad("NULL AS can't be a newline");
  return text;
}

}  // namespace

std::optional<S3Location> parse_s3_url(std::string_view url) {
  if (!url.starts_with("s3://")) return std::nullopt;
  url.remove_prefix(5);
  auto slash = url.find('/');
  auto bucket = url.substr(0, slash);
  if (bucket.empty() || bucket.size() > 255) return std::nullopt;
  for (char c : bucket)
    if (!is_alnum(c) && c != '.' && c != '-' && c != '_') return std::nullopt;
  return S3Location{std::string(bucket), slash == url.npos ? std::string() : std::string(url.substr(slash + 1))};
}

Result<CopyOptions> copy_options(const sql::Copy& command) {
  Reader in(command, "COPY");
  CopyOptions out;
  TRY(out.source, in.location(command.source));
  TRY(out.authorization, in.authorization());
  out.manifest = in.has("MANIFEST");
  out.region = in.text("REGION");
  if (in.has("ENCRYPTED")) return fail(secure::kNotSupported, "ENCRYPTED (client-side encryption) is not supported in COPY");
  TRY(out.compression, in.compression());

  std::string format;
  if (auto* o = in.find("FORMAT"); o && !o->words.empty()) format = o->words[0];
  TRY_VOID(in.conflict("FIXEDWIDTH", {"DELIMITER", "ESCAPE"}));
  if (format == "csv") {
    out.format = FileFormat::kCsv;
    out.delimiter = ',';
    TRY_VOID(in.format_conflict("CSV", {"FIXEDWIDTH", "REMOVEQUOTES", "ESCAPE"}));
  } else if (format == "json") {
    out.format = FileFormat::kJson;
    out.json_paths = in.text("FORMAT", "auto");
    TRY_VOID(in.format_conflict("JSON",
                                {"DELIMITER", "ESCAPE", "FILLRECORD", "FIXEDWIDTH", "IGNOREBLANKLINES", "NULL", "REMOVEQUOTES"}));
  } else if (format == "avro") {
    out.format = FileFormat::kAvro;
    out.json_paths = in.text("FORMAT", "auto");
    TRY_VOID(in.format_conflict("AVRO", {"DELIMITER", "ESCAPE", "FILLRECORD", "FIXEDWIDTH", "IGNOREBLANKLINES", "IGNOREHEADER",
                                         "NULL", "REMOVEQUOTES", "ENCODING", "GZIP", "BZIP2", "LZOP", "ZSTD"}));
  } else if (format == "parquet") {
    out.format = FileFormat::kParquet;
    TRY_VOID(in.format_allows(
        "PARQUET", {"ACCEPTINVCHARS", "FILLRECORD", "IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY",
                    "SESSION_TOKEN", "STATUPDATE", "MANIFEST", "EXPLICIT_IDS", "REGION", "SERIALIZETOJSON", "NOLOAD"}));
    if (in.has("ACCEPTINVCHARS")) return fail(secure::kNotSupported, "ACCEPTINVCHARS is not supported for PARQUET here");
  } else if (format == "orc") {
    return fail(secure::kNotSupported, "the format ORC is not supported");
  } else if (in.has("FIXEDWIDTH")) {
    out.format = FileFormat::kFixedWidth;
    TRY(out.widths, in.widths());
  }
  if (in.has("QUOTE") && out.format != FileFormat::kCsv) return fail(secure::kSyntaxError, "QUOTE is only supported with CSV");
  if (in.has("SERIALIZETOJSON") && out.format != FileFormat::kParquet)
    return fail(secure::kSyntaxError, "SERIALIZETOJSON is only supported with PARQUET");
  TRY(out.delimiter, in.character("DELIMITER", out.delimiter));
  TRY(out.quote, in.character("QUOTE", '"'));
  if (out.delimiter == '\n' || out.delimiter == '\r' || out.delimiter == '\0')
    return bad("DELIMITER can't be a line break or NUL");
  if (out.format == FileFormat::kCsv && (out.quote == out.delimiter || out.quote == '\n' || out.quote == '\r'))
    return bad("QUOTE and DELIMITER must differ");
  out.escape = in.has("ESCAPE");
  if (out.escape && out.delimiter == '\\') return bad("DELIMITER can't be the escape character");
  out.remove_quotes = in.has("REMOVEQUOTES");
  out.serialize_to_json = in.has("SERIALIZETOJSON");

  TRY(out.null_as, null_string(in.text("NULL", "\\N")));
  out.empty_as_null = in.has("EMPTYASNULL");
  out.blanks_as_null = in.has("BLANKSASNULL");
  out.trim_blanks = in.has("TRIMBLANKS");
  out.truncate_columns = in.has("TRUNCATECOLUMNS");
  out.round_decimals = in.has("ROUNDEC");
  out.accept_any_date = in.has("ACCEPTANYDATE");
  out.fill_record = in.has("FILLRECORD");
  out.ignore_blank_lines = in.has("IGNOREBLANKLINES");
  out.explicit_ids = in.has("EXPLICIT_IDS");
  if (in.has("ACCEPTINVCHARS")) {
    TRY(out.replace_invalid, in.character("ACCEPTINVCHARS", '?'));
    if (*out.replace_invalid == '\0') return bad("ACCEPTINVCHARS can't be NUL");
  }
  if (auto* o = in.find("ENCODING"); o && !o->words.empty()) {
    TRY(out.encoding, encoding_of(o->words[0]));
  }
  TRY(out.ignore_header, in.number("IGNOREHEADER", 0, 0, INT64_MAX));
  if (in.has("DATEFORMAT")) {
    TRY(out.date_format, TimeFormat::parse_date_format(in.text("DATEFORMAT")));
  }
  if (in.has("TIMEFORMAT")) {
    TRY(out.time_format, TimeFormat::parse_time_format(in.text("TIMEFORMAT")));
  }

  TRY_VOID(in.conflict("IGNOREALLERRORS", {"MAXERROR"}));
  TRY(int64_t max_errors, in.number("MAXERROR", 0, 0, 100000));
  out.max_errors = std::max<int64_t>(1, max_errors);
  out.ignore_all_errors = in.has("IGNOREALLERRORS");
  out.noload = in.has("NOLOAD");
  TRY(int64_t comprows, in.number("COMPROWS", 1000, 1000, INT32_MAX));
  static_cast<void>(comprows);
  return out;
}

Result<UnloadOptions> unload_options(const sql::Unload& command) {
  Reader in(command, "UNLOAD");
  UnloadOptions out;
  TRY(out.target, in.location(command.target));
  TRY(out.authorization, in.authorization());
  out.region = in.text("REGION");
  TRY(out.compression, in.compression());
  if (out.compression == Compression::kLzop) return fail(secure::kSyntaxError, "LZOP is not supported in UNLOAD");

  std::string format;
  if (auto* o = in.find("FORMAT"); o && !o->words.empty()) format = o->words[0];
  TRY_VOID(in.conflict("FIXEDWIDTH", {"DELIMITER", "HEADER"}));
  if (format == "csv") {
    out.format = FileFormat::kCsv;
    out.delimiter = ',';
    TRY_VOID(in.format_conflict("CSV", {"ESCAPE", "FIXEDWIDTH", "ADDQUOTES"}));
  } else if (format == "json") {
    out.format = FileFormat::kJson;
    TRY_VOID(in.format_conflict("JSON", {"DELIMITER", "HEADER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL"}));
  } else if (format == "parquet") {
    out.format = FileFormat::kParquet;
    TRY_VOID(in.format_conflict("PARQUET",
                                {"DELIMITER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL", "HEADER", "GZIP", "BZIP2", "ZSTD"}));
  } else if (in.has("FIXEDWIDTH")) {
    out.format = FileFormat::kFixedWidth;
    TRY(out.widths, in.widths());
    TRY_VOID(in.format_conflict("FIXEDWIDTH", {"ADDQUOTES", "ESCAPE"}));
  }
  TRY(out.delimiter, in.character("DELIMITER", out.delimiter));
  if (out.delimiter == '\n' || out.delimiter == '\r' || out.delimiter == '\0')
    return bad("DELIMITER can't be a line break or NUL");
  out.header = in.has("HEADER");
  out.add_quotes = in.has("ADDQUOTES");
  out.escape = in.has("ESCAPE");
  out.null_as = in.text("NULL");
  out.extension = in.text("EXTENSION");
  for (char c : out.extension)
    if (static_cast<unsigned char>(c) < 0x20 || c == '/' || c == '\x7f')
      return bad("EXTENSION holds a character that is not allowed");

  out.parallel = in.flag("PARALLEL", true);
  out.manifest = in.has("MANIFEST");
  out.manifest_verbose = in.word("MANIFEST", "verbose");
  TRY_VOID(in.conflict("CLEANPATH", {"ALLOWOVERWRITE"}));
  out.allow_overwrite = in.has("ALLOWOVERWRITE");
  out.clean_path = in.has("CLEANPATH");
  if (auto* o = in.find("PARTITION")) {
    out.partition_by = o->columns;
    out.include_partitions = in.word("PARTITION", "include");
  }
  TRY(out.file_size_max, in.size("MAXFILESIZE", 5, 6.2 * 1024));
  out.file_size_given = out.file_size_max != 0;
  if (!out.file_size_given) out.file_size_max = static_cast<uint64_t>(6.2 * 1024) * kMb;
  TRY(out.row_group_bytes, in.size("ROWGROUPSIZE", 32, 128));
  if (out.row_group_bytes && out.format != FileFormat::kParquet)
    return fail(secure::kSyntaxError, "ROWGROUPSIZE is only supported with PARQUET");
  // Whole multiples of 32 MB, as far as there is one.
  if (out.format == FileFormat::kParquet && out.file_size_max >= 32 * kMb) out.file_size_max -= out.file_size_max % (32 * kMb);

  if (in.has("KMS_KEY_ID") && !in.has("ENCRYPTED")) return fail(secure::kSyntaxError, "KMS_KEY_ID requires ENCRYPTED");
  if (in.has("ENCRYPTED")) {
    bool automatic = in.word("ENCRYPTED", "auto");
    out.kms_key = in.text("KMS_KEY_ID");
    if (automatic && !out.kms_key.empty()) {
      TRY_VOID(in.clash("ENCRYPTED AUTO", "KMS_KEY_ID"));
    }
    // Without a key, ENCRYPTED alone is what ENCRYPTED AUTO is: the bucket's default key, if it has one.
    out.sealing = out.kms_key.empty() ? UnloadOptions::Sealing::kBucketDefault : UnloadOptions::Sealing::kKms;
  }
  return out;
}

}  // namespace redoubt::warehouse::transfer
