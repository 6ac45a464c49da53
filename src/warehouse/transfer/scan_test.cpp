/// The scanner's rules as data: text, options, rows and errors.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "warehouse/transfer/scan_for_test.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::Type;
using sql::TypeKind;
using Rules = std::vector<ColumnRule>;

CopyOptions opts(const std::string& words) {
  auto o = options_of(words);
  if (!o) ADD_FAILURE() << words << ": " << o.error().message;
  return o ? *o : CopyOptions{};
}

const Rules kIntText = rules_of({{"a", TypeKind::kInteger}, {"b", Type::varchar(10)}});

struct Case {
  std::string because, options, text;
  Rules rules;
  std::vector<std::string> rows;
  std::vector<std::string> errors = {};  // "line code column reason"
};

class Scan : public testing::TestWithParam<Case> {};

TEST_P(Scan, ReadsAsRedshiftDoes) {
  auto& c = GetParam();
  for (size_t step : {size_t{1}, size_t{7}, size_t{1} << 20}) {
    auto options = opts(c.options);
    if (c.errors.size() > 0 && c.options.find("maxerror") == std::string::npos) options.ignore_all_errors = true;
    auto got = scan(c.text, c.rules, options, step);
    std::vector<std::string> errors;
    for (auto& e : got.errors)
      errors.push_back(std::to_string(e.line_number) + " " + std::to_string(e.err_code) + " " + e.column + " " + e.err_reason);
    EXPECT_EQ(got.rows, c.rows) << c.because;
    EXPECT_EQ(errors, c.errors) << c.because;
  }
}

Rules one(Type type) { return rules_of({{"a", type}}); }

INSTANTIATE_TEST_SUITE_P(
    Delimited, Scan,
    testing::Values(
        Case{"the default is | and newline", "", "1|x\n2|y\n", kIntText, {"1~x", "2~y"}},
        Case{"the last line may lack its end", "", "1|x\n2|y", kIntText, {"1~x", "2~y"}},
        Case{"a carriage return before the line break is part of it", "", "1|x\r\n2|y\r\n", kIntText, {"1~x", "2~y"}},
        Case{"an empty field is NULL, but '' in a text column", "", "|\n", kIntText, {"\\N~"}},
        Case{"EMPTYASNULL", "emptyasnull", "|\n", kIntText, {"\\N~\\N"}},
        Case{"\\N is NULL by default", "", "\\N|\\N\n", kIntText, {"\\N~\\N"}},
        Case{"NULL AS replaces \\N", "null as 'nil'", "nil|nil\n1|\\N\n", kIntText, {"\\N~\\N", "1~\\N"}},
        Case{"BLANKSASNULL", "blanksasnull", "1|   \n", kIntText, {"1~\\N"}},
        Case{"TRIMBLANKS", "trimblanks", "1|x  \n", kIntText, {"1~x"}},
        Case{"VARCHAR keeps its blanks", "", "1| x \n", kIntText, {"1~ x "}},
        Case{"one delimiter more at the end is tolerated", "", "1|x|\n", kIntText, {"1~x"}},
        Case{"more columns than the table", "", "1|x|y\n2|z\n", kIntText, {"2~z"}, {"1 1202 b Extra column(s) found"}},
        Case{"fewer columns", "", "1\n2|z\n", kIntText, {"2~z"}, {"1 1214 b Delimiter not found"}},
        Case{"FILLRECORD", "fillrecord", "1\n", kIntText, {"1~"}},
        Case{"IGNOREHEADER", "ignoreheader 2", "h|h\nh\n1|x\n", kIntText, {"1~x"}},
        Case{"IGNOREBLANKLINES", "ignoreblanklines", "\n1|x\n\n", kIntText, {"1~x"}},
        Case{"DELIMITER", "delimiter ';'", "1;x|\n", kIntText, {"1~x|"}},
        Case{"DELIMITER in octal", "delimiter '\\\\001'", "1\001x\n", kIntText, {"1~x"}},
        Case{"NUL is a character like another", "", std::string("1|a\0b\n", 6), kIntText, {std::string("1~a\0b", 5)}},
        Case{"ESCAPE", "escape", "1|a\\|b\n2|a\\\nb\n3|\\\\\n4|\\x\n", kIntText, {"1~a|b", "2~a\nb", "3~\\", "4~x"}},
        Case{"ESCAPE leaves \\N NULL", "escape", "1|\\N\n", kIntText, {"1~\\N"}},
        Case{"an escaped backslash doesn't escape the line break", "escape", "1|a\\\\\n2|b\n", kIntText, {"1~a\\", "2~b"}},
        Case{"line numbers count line breaks inside of fields",
             "escape",
             "1|a\\\nb\nx|c\n",
             kIntText,
             {"1~a\nb"},
             {"3 1207 a Invalid digit, Value 'x', Pos 0, Type: Integer"}},
        Case{"REMOVEQUOTES", "removequotes", "1|\"a|b\"\n2|'c'\n3|d\n", kIntText, {"1~a|b", "2~c", "3~d"}},
        Case{"REMOVEQUOTES without the closing one", "removequotes", "1|\"a\n", kIntText, {}, {"1 1214 b Delimiter not found"}}));

INSTANTIATE_TEST_SUITE_P(
    Csv, Scan,
    testing::Values(
        Case{"commas and quotes",
             "csv",
             "1,\"a,b\"\n2,\"say \"\"hi\"\"\"\n3,plain\n",
             kIntText,
             {"1~a,b", "2~say \"hi\"", "3~plain"}},
        Case{"line breaks inside of quotes", "csv", "1,\"a\nb\"\n2,c\n", kIntText, {"1~a\nb", "2~c"}},
        Case{"blanks between quotes and delimiter", "csv", "1, \"a\" \n", kIntText, {"1~a"}},
        Case{"QUOTE AS", "csv quote as '%'", "1,%a,b%\n", kIntText, {"1~a,b"}},
        Case{"DELIMITER with CSV", "csv delimiter '\\t'", "1\t\"a\tb\"\n", kIntText, {"1~a\tb"}},
        Case{"an empty quoted text is ''", "csv", "1,\"\"\n", kIntText, {"1~"}},
        Case{"a quote that is never closed", "csv", "1,\"a\n2,b\n", kIntText, {}, {"1 1214 b Invalid quote formatting for CSV"}},
        Case{"a stray quote", "csv", "1,a\"b\"\n2,c\n", kIntText, {"2~c"}, {"1 1214 b Invalid quote formatting for CSV"}},
        Case{"text behind a quote", "csv", "1,\"a\"b\n2,c\n", kIntText, {"2~c"}, {"1 1214 b Invalid quote formatting for CSV"}},
        Case{"extra columns", "csv", "1,a,b\n", kIntText, {}, {"1 1202 b Extra column(s) found"}},
        Case{"NULL AS in CSV", "csv null as '@NULL@'", "@NULL@,@NULL@\n", kIntText, {"\\N~\\N"}},
        Case{"the last column may be empty", "csv", "1,\n", kIntText, {"1~"}}));

INSTANTIATE_TEST_SUITE_P(
    FixedWidth, Scan,
    testing::Values(
        Case{"widths in characters",
             "fixedwidth 'a:3,b:4'",
             " 12ab  \n  3\u00e9\u00e9cd\n",
             kIntText,
             {"12~ab  ", "3~\u00e9\u00e9cd"}},
        Case{"too long a line", "fixedwidth 'a:3,b:4'", " 12abcde\n", kIntText, {}, {"1 1202 b Extra column(s) found"}},
        Case{"too short a line", "fixedwidth 'a:3,b:4'", " 12\n", kIntText, {}, {"1 1214 b Delimiter not found"}}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, Scan,
    testing::Values(
        Case{"integers", "", "1\n-2\n+3\n 4 \n007\n", one(TypeKind::kInteger), {"1", "-2", "3", "4", "7"}},
        Case{"no fraction",
             "",
             "12.6\n",
             one(TypeKind::kInteger),
             {},
             {"1 1207 a Invalid digit, Value '.', Pos 2, Type: Integer"}},
        Case{"no hexadecimal form",
             "",
             "0x1F\n",
             one(TypeKind::kInteger),
             {},
             {"1 1207 a Invalid digit, Value 'x', Pos 1, Type: Integer"}},
        Case{"no underscores",
             "",
             "1_000\n",
             one(TypeKind::kInteger),
             {},
             {"1 1207 a Invalid digit, Value '_', Pos 1, Type: Integer"}},
        Case{
            "no exponent", "", "1e3\n", one(TypeKind::kInteger), {}, {"1 1207 a Invalid digit, Value 'e', Pos 1, Type: Integer"}},
        Case{"overflow",
             "",
             "32768\n-32768\n",
             one(TypeKind::kSmallint),
             {"-32768"},
             {"1 1222 a Overflow, Value '32768', Type: Short"}},
        Case{"two signs", "", "+-1\n", one(TypeKind::kInteger), {}, {"1 1207 a Invalid digit, Value '-', Pos 1, Type: Integer"}},
        Case{"decimals are cut", "", "12.678\n-0.999\n.5\n5.\n", one(Type::decimal(5, 2)), {"1267", "-99", "50", "500"}},
        Case{"ROUNDEC rounds", "roundec", "12.678\n-0.995\n0.994\n", one(Type::decimal(5, 2)), {"1268", "-100", "99"}},
        Case{
            "too many digits", "", "1000\n999.99\n", one(Type::decimal(5, 2)), {"99999"}, {"1 1209 a Overflow for NUMERIC(5,2)"}},
        Case{"no exponents in decimals",
             "",
             "1e3\n",
             one(Type::decimal(5, 2)),
             {},
             {"1 1207 a Invalid digit, Value 'e', Pos 1, Type: Decimal"}},
        Case{"38 digits",
             "",
             "1" + std::string(38, '0') + "\n",
             one(Type::decimal(38, 0)),
             {},
             {"1 1209 a Overflow for NUMERIC(38,0)"}},
        Case{"floats", "", "1e3\n-.5\nNaN\n", one(TypeKind::kDouble), {"1000.000000", "-0.500000", "nan"}},
        Case{"float overflow", "", "1e999\n", one(TypeKind::kDouble), {}, {"1 1208 a Overflow, Value '1e999', Type: Float"}},
        Case{"booleans", "", "t\nFALSE\n1\nno\n", one(TypeKind::kBoolean), {"true", "false", "true", "false"}},
        Case{"not a boolean", "", "maybe\n", one(TypeKind::kBoolean), {}, {"1 1210 a Unknown boolean format"}}));

INSTANTIATE_TEST_SUITE_P(
    Times, Scan,
    testing::Values(
        Case{"dates", "", "1970-01-02\n2000-02-29\n", one(TypeKind::kDate), {"1", "11016"}},
        Case{"no such day", "", "2001-02-29\n", one(TypeKind::kDate), {}, {"1 1205 a Invalid date format or value [YYYY-MM-DD]"}},
        Case{"too short a date",
             "",
             "1/2/2001\n",
             one(TypeKind::kDate),
             {},
             {"1 1205 a Invalid Date Format - length must be 10 or more"}},
        Case{"DATEFORMAT", "dateformat 'MM/DD/YYYY'", "01/02/1970\n1/2/1970\n", one(TypeKind::kDate), {"1", "1"}},
        Case{"DATEFORMAT with a month's name", "dateformat 'DD-MON-YY'", "02-Jan-70\n", one(TypeKind::kDate), {"1"}},
        Case{"DATEFORMAT auto", "dateformat 'auto'", "1/2/1970\nJan 2, 1970\n", one(TypeKind::kDate), {"1", "1"}},
        Case{"ACCEPTANYDATE", "acceptanydate dateformat 'YYYY-MM-DD'", "0000-00-00\n", one(TypeKind::kDate), {"\\N"}},
        Case{"timestamps",
             "",
             "1970-01-01 00:00:01\n1970-01-01 00:00:00.5\n1970-01-02\n",
             one(TypeKind::kTimestamp),
             {"1000000", "500000", "86400000000"}},
        Case{"an impossible minute",
             "",
             "1970-01-01 00:60:00\n",
             one(TypeKind::kTimestamp),
             {},
             {"1 1206 a Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"}},
        Case{"epochsecs", "timeformat 'epochsecs'", "1\n-1\n", one(TypeKind::kTimestamp), {"1000000", "-1000000"}},
        Case{"epochmillisecs", "timeformat 'epochmillisecs'", "1500\n", one(TypeKind::kTimestamp), {"1500000"}},
        Case{"TIMEFORMAT", "timeformat 'DD.MM.YYYY HH:MI:SS'", "01.01.1970 00:00:02\n", one(TypeKind::kTimestamp), {"2000000"}},
        Case{"TIMEFORMAT with AM and PM",
             "timeformat 'MM/DD/YYYY HH12:MI AM'",
             "1/1/1970 12:01 PM\n1/1/1970 12:01 AM\n",
             one(TypeKind::kTimestamp),
             {"43260000000", "60000000"}},
        Case{"an offset moves a timestamptz",
             "",
             "1970-01-01 02:00:00+02\n1970-01-01 00:00:00-01:30\n",
             one(TypeKind::kTimestampTz),
             {"0", "5400000000"}},
        Case{"a zone's name", "", "1970-01-01 00:00:00 US/Eastern\n", one(TypeKind::kTimestampTz), {"18000000000"}},
        Case{"time of day", "", "00:00:01.5\n", one(TypeKind::kTime), {"1500000"}}));

INSTANTIATE_TEST_SUITE_P(
    Texts, Scan,
    testing::Values(
        Case{"lengths count bytes",
             "",
             "\u00e9\u00e9\n\u00e9\n",
             one(Type::varchar(3)),
             {"\u00e9"},
             {"1 1204 a String length exceeds DDL length"}},
        Case{"TRUNCATECOLUMNS doesn't cut a character in two",
             "truncatecolumns",
             "\u00e9\u00e9\n",
             one(Type::varchar(3)),
             {"\u00e9"}},
        Case{"CHAR loses its blanks", "", "ab   \n", one(Type::character(3)), {"ab"}},
        Case{"CHAR takes single bytes only",
             "",
             "\u00e9\n",
             one(Type::character(3)),
             {},
             {"1 1220 a Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: c3 a9"}},
        Case{"bad UTF-8",
             "",
             "a\xa4\n",
             one(Type::varchar(9)),
             {},
             {"1 1220 a String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: a4 (error 3)"}},
        Case{"overlong forms are bad",
             "",
             "\xc0\xaf\n",
             one(Type::varchar(9)),
             {},
             {"1 1220 a String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: c0af (error 9)"}},
        Case{"a surrogate is bad",
             "",
             "\xed\xa0\x80\n",
             one(Type::varchar(9)),
             {},
             {"1 1220 a String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: eda080 (error 5)"}},
        Case{"ACCEPTINVCHARS", "acceptinvchars '^'", "a\xa4z\n", one(Type::varchar(9)), {"a^z"}},
        Case{"ENCODING utf16",
             "encoding utf16",
             std::string("\xff\xfe"
                         "1\0|\0\xe9\0\n\0",
                         10),
             kIntText,
             {"1~\u00e9"}},
        Case{"ENCODING iso88591", "encoding iso88591", "1|\xe9\n", kIntText, {"1~\u00e9"}},
        Case{"SUPER is JSON",
             "",
             "{\"a\": 1}\nnope\n",
             one(TypeKind::kSuper),
             {"{\"a\":1}"},
             {"2 1224 a Invalid JSON for a SUPER column"}},
        Case{"NOT NULL",
             "",
             "\n1\n",
             rules_of({{"a", TypeKind::kInteger}}, true),
             {"1"},
             {"1 1213 a Missing data for not-null field"}}));

TEST(ScanErrors, MaxErrorCountsAndEnds) {
  auto options = opts("maxerror 2");
  auto got = scan("x|1\n1|a\ny|1\nz|1\n", kIntText, options);
  ASSERT_TRUE(got.failure);
  EXPECT_TRUE(got.failure->is(kLoadFailed));
  EXPECT_EQ(got.errors.size(), 2u);
}

TEST(ScanErrors, RowsSayWhatWasThere) {
  auto options = opts("escape maxerror 9");
  auto got = scan("1|a\n\\x|b\\|c\n", kIntText, options);
  ASSERT_EQ(got.errors.size(), 1u);
  auto& e = got.errors[0];
  EXPECT_EQ(e.raw_line, "\\x|b\\|c");  // as it stands in the file, not as it was taken apart
  EXPECT_EQ(e.raw_field_value, "x");
  EXPECT_EQ(e.type, "int4");
  EXPECT_EQ(e.col_length, "0");
  EXPECT_EQ(e.line_number, 2);
  EXPECT_EQ(e.file_name, "s3://b/k");
}

TEST(ScanErrors, ABadRowLeavesNoNullsBehind) {
  auto got = scan("\\N|a|x\n2|b|3\n", rules_of({{"a", TypeKind::kInteger}, {"b", Type::varchar(9)}, {"c", TypeKind::kInteger}}),
                  opts("maxerror 9"));
  EXPECT_EQ(got.rows, (std::vector<std::string>{"2~b~3"}));
}

TEST(ScanErrors, ARowOfMoreThanFourMegabytesEndsTheLoad) {
  std::string text = "1|" + std::string(5 << 20, 'x') + "\n";
  auto got = scan(text, kIntText, opts("ignoreallerrors"));
  ASSERT_TRUE(got.failure);
  EXPECT_NE(got.failure->message.find("longer than 4 MB"), std::string::npos);
}

TEST(Options, ContradictionsAreNamed) {
  for (auto words : {"csv escape",
                     "csv fixedwidth 'a:1'",
                     "csv removequotes",
                     "fixedwidth 'a:1' delimiter ','",
                     "quote 'x'",
                     "ignoreallerrors maxerror 3",
                     "parquet delimiter ','",
                     "parquet maxerror 3",
                     "json 'auto' null as 'x'",
                     "gzip bzip2",
                     "delimiter 'ab'",
                     "delimiter '\\\\012'",
                     "maxerror 100001",
                     "dateformat 'foo'",
                     "timeformat 'HH:MI'",
                     "escape delimiter '\\\\'",
                     "csv quote ','",
                     "null as '\\\\n'",
                     "access_key_id 'a' secret_access_key 'b'",
                     "encrypted",
                     "orc"}) {
    auto o = options_of(words);
    EXPECT_FALSE(o) << words;
  }
}

TEST(Options, CredentialsAreNeverInMessages) {
  for (std::string text :
       {"aws_access_key_id=AKIASECRET;aws_secret_access_key", "aws_iam_role=x;aws_access_key_id=AKIASECRET", "AKIASECRET",
        "aws_secret_access_key=AKIASECRET", "aws_access_key_id=AKIASECRET;aws_access_key_id=AKIASECRET",
        "aws_access_key_id= AKIASECRET;x=y", "aws_iam_role=arn;token=AKIASECRET"}) {
    auto parsed = sql::parse("copy t from 's3://b/k' credentials '" + text + "'");
    ASSERT_TRUE(parsed);
    auto o = copy_options(static_cast<const sql::Copy&>(*(*parsed)[0].command));
    ASSERT_FALSE(o) << text;
    EXPECT_EQ(o.error().message.find("AKIASECRET"), std::string::npos);
    EXPECT_TRUE(o.error().more.empty());
  }
}

/// Whatever the text, blocks of any size give the same rows: the feed cuts where the reader would.
TEST(ScanProperty, RowsDontDependOnBlocks) {
  rc::check([] {
    auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("1|,\"\\\nax \r")));
    auto words = *rc::gen::elementOf(
        std::vector<std::string>{"", "escape", "csv", "csv delimiter '|'", "removequotes", "fixedwidth 'a:1,b:2'"});
    auto options = *options_of(words + (words.find("csv") == 0 ? "" : " ignoreblanklines"));
    options.ignore_all_errors = true;
    auto a = scan(text, kIntText, options, 1 << 20), b = scan(text, kIntText, options, 1);
    RC_ASSERT(a.rows == b.rows);
    RC_ASSERT(a.errors.size() == b.errors.size());
  });
}

}  // namespace
}  // namespace redoubt::warehouse::transfer
