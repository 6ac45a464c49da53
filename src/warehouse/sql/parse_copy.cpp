/// COPY, UNLOAD, and PostgreSQL's COPY .. STDIN/STDOUT. Options come in any order, separated by blanks or commas.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

namespace {

enum class Argument : uint8_t {
  kNone,
  kText,          // [AS] 'x'
  kSecret,        // [AS] 'x', not for logs
  kOptionalText,  // [AS] ['x']
  kNumber,        // [AS] n
  kSize,          // [AS] n [MB | GB]
  kWord,          // [AS] word, or the word in quotes
  kSwitch,        // [ON | OFF | TRUE | FALSE], COMPUPDATE also PRESET
  kRole,          // DEFAULT | 'arns'
  kAuto,          // ENCRYPTED [AUTO]
  kVerbose,       // MANIFEST [VERBOSE]
  kPartition,     // BY (columns) [INCLUDE]
};

enum Use : uint8_t { kCopyOnly = 1, kUnloadOnly = 2, kBoth = 3 };

struct OptionRule {
  std::string_view name;
  Argument argument;
  Use use;
};

/// Source: copy-unload facts; Database Developer Guide, COPY and UNLOAD.
constexpr OptionRule kRules[] = {
    {"IAM_ROLE", Argument::kRole, kBoth},
    {"ACCESS_KEY_ID", Argument::kSecret, kBoth},
    {"SECRET_ACCESS_KEY", Argument::kSecret, kBoth},
    {"SESSION_TOKEN", Argument::kSecret, kBoth},
    {"CREDENTIALS", Argument::kSecret, kBoth},
    {"MASTER_SYMMETRIC_KEY", Argument::kSecret, kBoth},
    {"KMS_KEY_ID", Argument::kText, kUnloadOnly},
    {"REGION", Argument::kText, kBoth},
    {"MANIFEST", Argument::kVerbose, kBoth},
    {"ENCRYPTED", Argument::kAuto, kBoth},
    {"DELIMITER", Argument::kText, kBoth},
    {"FIXEDWIDTH", Argument::kText, kBoth},
    {"QUOTE", Argument::kText, kCopyOnly},
    {"ESCAPE", Argument::kNone, kBoth},
    {"NULL", Argument::kText, kBoth},
    {"BZIP2", Argument::kNone, kBoth},
    {"GZIP", Argument::kNone, kBoth},
    {"ZSTD", Argument::kNone, kBoth},
    {"LZOP", Argument::kNone, kCopyOnly},
    {"SERIALIZETOJSON", Argument::kNone, kCopyOnly},
    {"ACCEPTANYDATE", Argument::kNone, kCopyOnly},
    {"ACCEPTINVCHARS", Argument::kOptionalText, kCopyOnly},
    {"BLANKSASNULL", Argument::kNone, kCopyOnly},
    {"DATEFORMAT", Argument::kText, kCopyOnly},
    {"TIMEFORMAT", Argument::kText, kCopyOnly},
    {"EMPTYASNULL", Argument::kNone, kCopyOnly},
    {"ENCODING", Argument::kWord, kCopyOnly},
    {"EXPLICIT_IDS", Argument::kNone, kCopyOnly},
    {"FILLRECORD", Argument::kNone, kCopyOnly},
    {"IGNOREBLANKLINES", Argument::kNone, kCopyOnly},
    {"IGNOREHEADER", Argument::kNumber, kCopyOnly},
    {"REMOVEQUOTES", Argument::kNone, kCopyOnly},
    {"ROUNDEC", Argument::kNone, kCopyOnly},
    {"TRIMBLANKS", Argument::kNone, kCopyOnly},
    {"TRUNCATECOLUMNS", Argument::kNone, kCopyOnly},
    {"COMPROWS", Argument::kNumber, kCopyOnly},
    {"COMPUPDATE", Argument::kSwitch, kCopyOnly},
    {"STATUPDATE", Argument::kSwitch, kCopyOnly},
    {"IGNOREALLERRORS", Argument::kNone, kCopyOnly},
    {"MAXERROR", Argument::kNumber, kCopyOnly},
    {"NOLOAD", Argument::kNone, kCopyOnly},
    {"HEADER", Argument::kNone, kUnloadOnly},
    {"ADDQUOTES", Argument::kNone, kUnloadOnly},
    {"ALLOWOVERWRITE", Argument::kNone, kUnloadOnly},
    {"CLEANPATH", Argument::kNone, kUnloadOnly},
    {"PARALLEL", Argument::kSwitch, kUnloadOnly},
    {"MAXFILESIZE", Argument::kSize, kUnloadOnly},
    {"ROWGROUPSIZE", Argument::kSize, kUnloadOnly},
    {"EXTENSION", Argument::kText, kUnloadOnly},
    {"PARTITION", Argument::kPartition, kUnloadOnly},
};

}  // namespace

CommandPtr Parser::parse_copy() {
  expect("copy");
  auto stdio = make<CopyStdio>();
  if (accept_op("(")) {
    stdio->query = parse_query();
    expect_op(")");
    return parse_copy_stdio(std::move(stdio));
  }
  if (at("job")) {
    if (at_any({"create", "list", "show", "drop", "run", "alter"}, 1)) not_supported("COPY JOB");
  }
  stdio->table = parse_object_name();
  if (at_op("(")) stdio->columns = parse_parenthesized_identifiers();
  if (at("to") || at_words({"from", "stdin"})) return parse_copy_stdio(std::move(stdio));
  auto copy = make<Copy>();
  copy->table = std::move(stdio->table);
  copy->columns = std::move(stdio->columns);
  expect("from");
  copy->source = expect_string();
  copy->options = parse_copy_options(false);
  return copy;
}

CommandPtr Parser::parse_unload() {
  auto unload = make<Unload>();
  expect("unload");
  bool parenthesized = accept_op("(");
  unload->select_position = peek().position;
  unload->select = expect_string();
  if (parenthesized) expect_op(")");
  expect("to");
  unload->target = expect_string();
  unload->options = parse_copy_options(true);
  return unload;
}

std::vector<CopyOption> Parser::parse_copy_options(bool unload) {
  std::vector<CopyOption> options;
  for (;;) {
    accept_op(",");
    if (peek().kind == TokenKind::kEnd || at_op(";")) return options;
    CopyOption option = parse_copy_option(unload);
    for (const CopyOption& other : options)
      if (other.name == option.name) raise(kSyntaxError, "conflicting or redundant options", option.position);
    options.push_back(std::move(option));
  }
}

CopyOption Parser::parse_copy_option(bool unload) {
  CopyOption option;
  option.position = peek().position;
  if (at("with") && at("credentials", 1)) take();
  if (!peek().is_word()) syntax_error();
  option.name = to_upper(peek().text);
  if (option.name == "TOKEN") option.name = "SESSION_TOKEN";
  if (at_any({"format", "csv", "json", "avro", "parquet", "orc", "shapefile", "text"})) {
    parse_format(option, unload);
    return option;
  }
  for (std::string_view unbuilt : {"SSH", "READRATIO", "CATALOG", "SIMPLIFY", "JOB", "AUTO_CREATE"})
    if (option.name == unbuilt) not_supported("the option " + option.name);
  const OptionRule* rule = nullptr;
  for (const OptionRule& candidate : kRules)
    if (candidate.name == option.name && (candidate.use & (unload ? kUnloadOnly : kCopyOnly))) rule = &candidate;
  if (!rule) syntax_error();
  take();

  switch (rule->argument) {
    case Argument::kNone:
      break;
    case Argument::kText:
      accept("as");
      option.text = expect_string();
      break;
    case Argument::kSecret:
      accept("as");
      option.text = expect_secret();
      break;
    case Argument::kOptionalText:
      if (accept("as") || at_string()) option.text = expect_string();
      break;
    case Argument::kNumber:
      accept("as");
      if (peek().kind != TokenKind::kInteger) syntax_error();
      option.number = take().text;
      break;
    case Argument::kSize:
      accept("as");
      if (peek().kind != TokenKind::kInteger && peek().kind != TokenKind::kDecimal) syntax_error();
      option.number = take().text;
      if (at_any({"mb", "gb"})) option.words.push_back(take().text);
      break;
    case Argument::kWord:
      accept("as");
      if (!peek().is_word() && !at_string()) syntax_error();
      option.words.push_back(to_lower(take().text));
      break;
    case Argument::kSwitch:
      if (at_any({"on", "off", "true", "false"}) || (option.name == "COMPUPDATE" && at("preset")))
        option.words.push_back(take().text);
      break;
    case Argument::kRole:
      accept("as");
      if (at("default"))
        option.words.push_back(take().text);
      else
        option.text = expect_string();
      break;
    case Argument::kAuto:
      if (unload && at("auto")) option.words.push_back(take().text);
      break;
    case Argument::kVerbose:
      if (unload && at("verbose")) option.words.push_back(take().text);
      break;
    case Argument::kPartition:
      expect("by");
      for (Identifier& column : parse_parenthesized_identifiers()) option.columns.push_back(std::move(column.text));
      if (at("include")) option.words.push_back(take().text);
      break;
  }
  return option;
}

/// [FORMAT] [AS] {CSV | JSON ['auto'] | AVRO ['auto'] | PARQUET | ORC | TEXT}.
void Parser::parse_format(CopyOption& option, bool unload) {
  option.name = "FORMAT";
  if (accept("format")) accept("as");
  if (at("shapefile")) not_supported("the format SHAPEFILE");
  bool known = unload ? at_any({"csv", "json", "parquet", "text"}) : at_any({"csv", "json", "avro", "parquet", "orc", "text"});
  if (!known) syntax_error();
  std::string format = take().text;
  option.words.push_back(format);
  if (!unload && (format == "json" || format == "avro") && (at_string() || at("as"))) {
    accept("as");
    option.text = expect_string();
  }
}

CommandPtr Parser::parse_copy_stdio(std::unique_ptr<CopyStdio> copy) {
  copy->from = !copy->query && accept("from");
  if (copy->from) {
    expect("stdin");
  } else {
    expect("to");
    if (at_string()) not_supported("COPY TO a file (use UNLOAD)");
    expect("stdout");
  }
  accept("with");
  bool parenthesized = accept_op("(");
  while (peek().kind != TokenKind::kEnd && !at_op(";") && !at_op(")")) {
    CopyOption option = parse_stdio_option();
    for (const CopyOption& other : copy->options)
      if (other.name == option.name) raise(kSyntaxError, "conflicting or redundant options", option.position);
    copy->options.push_back(std::move(option));
    if (parenthesized && !at_op(")")) expect_op(",");
  }
  if (parenthesized) expect_op(")");
  return copy;
}

CopyOption Parser::parse_stdio_option() {
  CopyOption option;
  option.position = peek().position;
  if (!peek().is_word()) syntax_error();
  option.name = to_upper(peek().text);
  if (at_any({"binary", "force", "force_quote", "force_not_null", "force_null", "freeze", "oids"}))
    not_supported("the option " + option.name);
  if (at_any({"csv", "text"})) {
    option.name = "FORMAT";
    option.words.push_back(take().text);
  } else if (accept("format")) {
    if (!peek().is_word() && !at_string()) syntax_error();
    option.words.push_back(to_lower(take().text));
    if (option.words[0] == "binary") not_supported("the option BINARY", option.position);
    if (option.words[0] != "csv" && option.words[0] != "text") syntax_error();
  } else if (accept("header")) {
    if (at_any({"on", "off", "true", "false"})) option.words.push_back(take().text);
  } else if (at_any({"delimiter", "null", "quote", "escape", "encoding"})) {
    take();
    accept("as");
    option.text = expect_string();
  } else {
    syntax_error();
  }
  return option;
}

}  // namespace redoubt::warehouse::sql
