/// COPY and UNLOAD from end to end: options, roles through the Gate, objects, the engine.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "warehouse/transfer/world_for_test.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::Type;
using sql::TypeKind;
using Lines = std::vector<std::string>;

class TransferTest : public testing::Test {
 protected:
  void int_text() { w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(20)}}); }
  World w;
};

TEST_F(TransferTest, LoadsEveryKeyUnderThePrefix) {
  int_text();
  w.object("in/1.txt") = "1|one\n";
  w.object("in/2.txt") = "2|two\n3|three\n";
  w.object("in/folder/") = "";
  w.object("in/x/3.txt") = "4|four\n";
  w.object("inn") = "";
  auto done = w.copy("in/");
  World::must(done);
  EXPECT_EQ(done->rows, 4);
  EXPECT_EQ(done->files.size(), 3u);
  EXPECT_EQ(w.rows(), (Lines{"1|one", "2|two", "3|three", "4|four"}));
  for (auto& who : w.s3.asked)
    if (who.find("assume") == who.npos)
      EXPECT_TRUE(who.starts_with("arn:aws:sts::111122223333:assumed-role/Loader/RedshiftIamRoleSession b")) << who;
}

TEST_F(TransferTest, TwoHundredThousandRowsOnTwoThreads) {
  int_text();
  for (int f = 0; f < 3; ++f) {
    std::string text;
    for (int i = 0; i < 200000; ++i) text += std::to_string(f * 200000 + i) + "|some text " + std::to_string(i) + "\n";
    w.object("big/" + std::to_string(f)) = text;
  }
  auto done = w.copy("big/");
  World::must(done);
  EXPECT_EQ(done->rows, 600000);
  auto rows = w.rows();
  ASSERT_EQ(rows.size(), 600000u);
  EXPECT_EQ(rows[599999], "599999|some text 199999");
}

TEST_F(TransferTest, ColumnListDefaultsAndIdentity) {
  std::vector<catalog::Column> columns(4);
  columns[0].name = "id", columns[0].type = TypeKind::kBigint, columns[0].identity = true, columns[0].identity_seed = 10;
  columns[1].name = "a", columns[1].type = TypeKind::kInteger;
  columns[2].name = "d", columns[2].type = Type::varchar(9);
  columns[3].name = "n", columns[3].type = TypeKind::kDate;
  w.table(columns);
  w.object("x") = "7\n8\n";
  auto done = w.copy_as("copy t (a) from 's3://b/x' iam_role '" + role("Loader") + "'", {2}, {{3, "dflt"}, {4, std::nullopt}});
  World::must(done);
  EXPECT_EQ(w.rows(), (Lines{"10|7|dflt|NULL", "11|8|dflt|NULL"}));
}

TEST_F(TransferTest, BadRowsFailTheLoadAndAreReported) {
  int_text();
  w.object("x") = "1|a\nz|b\n";
  auto done = w.copy("x");
  World::must(done);
  ASSERT_TRUE(done->failure);
  EXPECT_EQ(done->failure->message, "Load into table 't' failed.  Check 'stl_load_errors' system table for details.");
  EXPECT_EQ(done->failure->kind->sqlstate, "XX000");
  ASSERT_EQ(done->errors.size(), 1u);
  EXPECT_EQ(done->errors[0].err_code, 1207);
  EXPECT_TRUE(w.rows().empty());
  done = w.copy("x", "maxerror 5");
  World::must(done);
  EXPECT_FALSE(done->failure);
  EXPECT_EQ(done->rows, 1);
  EXPECT_EQ(done->rejected, 1);
  EXPECT_EQ(w.rows(), Lines{"1|a"});
}

TEST_F(TransferTest, NoloadStoresNothing) {
  int_text();
  w.object("x") = "1|a\n2|b\n";
  auto done = w.copy("x", "noload");
  World::must(done);
  EXPECT_EQ(done->rows, 2);
  EXPECT_TRUE(done->noload);
  EXPECT_TRUE(w.rows().empty());
}

TEST_F(TransferTest, ManifestsNameFilesOfAnyBucketAndS3Decides) {
  int_text();
  w.object("1.txt") = "1|one\n";
  w.object("m") = R"({"entries":[{"url":"s3://b/1.txt","mandatory":true},{"url":"s3://b/1.txt"},{"url":"s3://b/none"}]})";
  auto done = w.copy("m", "manifest");
  World::must(done);
  EXPECT_EQ(done->rows, 2);
  w.object("m") = R"({"entries":[{"url":"s3://b/none","mandatory":true}]})";
  done = w.copy("m", "manifest");
  World::must(done);
  ASSERT_TRUE(done->failure);
  EXPECT_NE(done->failure->message.find("Error NoSuchKey"), std::string::npos);
  w.object("m") = R"({"entries":[{"url":"s3://other/secret.txt","mandatory":false}]})";
  done = w.copy("m", "manifest");
  World::must(done);
  ASSERT_TRUE(done->failure);
  EXPECT_NE(done->failure->message.find("Status 403,Error AccessDenied"), std::string::npos);
  for (auto bad : {"", "{", "[]", R"({"entries":[{"url":"s3://b/"}]})", R"({"entries":[{"url":"file:///etc/passwd"}]})",
                   R"({"entries":[{}]})"}) {
    w.object("m") = bad;
    EXPECT_FALSE(w.copy("m", "manifest")) << bad;
  }
  EXPECT_EQ(w.rows(), (Lines{"1|one", "1|one"}));
}

TEST_F(TransferTest, CompressedFiles) {
  int_text();
  for (std::string c : {"gzip", "bzip2", "zstd"}) {
    int_text();
    w.object("x") = "1|a\n2|b\n";
    World::must(w.copy("x"));
    World::must(w.unload("out-" + c + "/", c));
    auto keys = w.keys("out-" + c);
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_NE(w.object(keys[0]), "1|a\n2|b\n");
    auto before = w.rows();
    int_text();
    World::must(w.copy("out-" + c + "/", c));
    EXPECT_EQ(w.rows(), before);
    // Cut off, and garbage.
    w.object("bad") = w.object(keys[0]).substr(0, w.object(keys[0]).size() / 2);
    auto done = w.copy("bad", c);
    World::must(done);
    EXPECT_TRUE(done->failure) << c;
    w.object("bad") = "1|a\n";
    done = w.copy("bad", c);
    World::must(done);
    EXPECT_TRUE(done->failure) << c;
  }
}

// ------------------------------------------------------------------------------------------------------------------ roles

TEST_F(TransferTest, ARoleThatIsNotAttachedIsRefusedInRedshiftsWords) {
  int_text();
  w.object("x") = "1|a\n";
  w.attached.clear();
  auto done = w.copy("x");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "User arn:aws:redshift:us-east-1:111122223333:dbuser:c1/awsuser is not authorized to assume IAM Role "
            "arn:aws:iam::111122223333:role/Loader");
  EXPECT_EQ(done.error().kind->sqlstate, "XX000");
  EXPECT_NE(done.error().get("DETAIL").find("  code:      8001\n"), std::string::npos);
  EXPECT_NE(done.error().get("DETAIL").find("  query:     42\n"), std::string::npos);
  EXPECT_TRUE(w.s3.asked.empty());  // not even STS
}

TEST_F(TransferTest, TheDatabaseUserIsTheExternalIdOfTheFirstHopAlone) {
  int_text();
  w.object("x") = "1|a\n";
  w.roles.add(
      "Loader",
      World::trust_cluster(R"({"StringEquals":{"sts:ExternalId":"arn:aws:redshift:us-east-1:111122223333:dbuser:c1/alice"}})"),
      World::allow("s3:*", "\"*\""));
  EXPECT_FALSE(w.copy("x"));
  w.db_user = "alice";
  World::must(w.copy("x"));
  w.db_user = "alice/../alice";
  EXPECT_FALSE(w.copy("x"));
}

TEST_F(TransferTest, ChainsAreWalkedHopByHop) {
  int_text();
  w.object("x") = "1|a\n";
  w.roles.add("A", World::trust_cluster(), World::allow("sts:AssumeRole", "\"" + role("B") + "\""));
  w.roles.add("B", World::trust_role("A"), World::allow("s3:*", "\"*\""));
  w.attached = {role("A")};
  auto copy = [&](const std::string& chain) { return w.copy_as("copy t from 's3://b/x' iam_role '" + chain + "'"); };
  w.s3.asked.clear();
  World::must(copy(role("A") + "," + role("B")));
  EXPECT_EQ(w.s3.asked[0], "redshift.amazonaws.com assume " + role("A") +
                               " arn:aws:redshift:us-east-1:111122223333:dbuser:c1/awsuser RedshiftIamRoleSession");
  EXPECT_EQ(w.s3.asked[1],
            "arn:aws:sts::111122223333:assumed-role/A/RedshiftIamRoleSession assume " + role("B") + " - RedshiftIamRoleSession");
  for (size_t i = 2; i < w.s3.asked.size(); ++i)
    EXPECT_NE(w.s3.asked[i].find("assumed-role/B/"), std::string::npos) << w.s3.asked[i];
  // A alone may not read; B isn't attached; every trick of spelling is refused, and echoed as written.
  EXPECT_FALSE(copy(role("A")));
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += (i ? "," : "") + role("A");
  for (auto chain : {role("B"), role("B") + "," + role("A"), role("A") + ", " + role("B"), " " + role("A") + "," + role("B"),
                     role("A") + ",", "," + role("A"), role("A") + ",," + role("B"), std::string("dwhRole"), std::string(""),
                     thousand, role("A") + "," + role("B") + "\n", std::string("arn:aws:iam::111122223333:user/A"), role("")}) {
    auto done = copy(chain);
    ASSERT_FALSE(done) << chain;
    EXPECT_EQ(done.error().message,
              "User arn:aws:redshift:us-east-1:111122223333:dbuser:c1/awsuser is not authorized to assume IAM Role " + chain);
    auto detail = done.error().get("DETAIL");
    EXPECT_EQ(std::count(detail.begin(), detail.end(), '\n'), 9) << "a chain must not add lines";
  }
}

TEST_F(TransferTest, DefaultRoleAndKeys) {
  int_text();
  w.object("x") = "1|a\n";
  EXPECT_FALSE(w.copy_as("copy t from 's3://b/x' iam_role default"));
  w.default_role = role("Loader");
  World::must(w.copy_as("copy t from 's3://b/x' iam_role default"));
  World::must(w.copy_as("copy t from 's3://b/x' credentials 'aws_iam_role=" + role("Loader") + "'"));
  World::must(
      w.copy_as("copy t from 's3://b/x' with credentials as 'aws_access_key_id=ASIA0;aws_secret_access_key=secret;token=token'"));
  World::must(w.copy_as("copy t from 's3://b/x' access_key_id 'ASIA0' secret_access_key 'secret' session_token 'token'"));
  auto done = w.copy_as("copy t from 's3://b/x' access_key_id 'ASIA0' secret_access_key 'hunter2' session_token 'token'");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("Status 403,Error SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ((done.error().message + std::string(done.error().get("DETAIL"))).find("hunter2"), std::string::npos);
  done = w.copy_as("copy t from 's3://b/x' access_key_id 'ASIAX' secret_access_key 'hunter2' session_token 'token'");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("Error InvalidAccessKeyId"), std::string::npos);
}

TEST_F(TransferTest, SessionsOfRolesAreRenewedUnlessTheRoleWasTaken) {
  int_text();
  for (int i = 0; i < 9; ++i) w.object("x" + std::to_string(i)) = "1|a\n";
  int asked = 0;
  w.canceled = [&] {  // once a file: an hour passes
    if (++asked > 1) w.clock.advance_seconds(3700);
    return false;
  };
  World::must(w.copy("x"));
  w.canceled = [&] {
    w.clock.advance_seconds(3700);
    w.attached.clear();
    return false;
  };
  auto done = w.copy("x");
  World::must(done);
  EXPECT_TRUE(done->failure);
}

TEST_F(TransferTest, S3sRefusalsInRedshiftsWords) {
  int_text();
  auto done = w.copy("nothing/here");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "The specified S3 prefix 'nothing/here' does not exist");
  done = w.copy_as("copy t from 's3://nobucket/x' iam_role '" + role("Loader") + "'");
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().message.starts_with(
      "S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket,Rid "));
  EXPECT_TRUE(done.error().message.ends_with(",CanRetry 1"));
  done = w.copy_as("copy t from 's3://other/secret' iam_role '" + role("Loader") + "'");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find(",Status 403,Error AccessDenied,Rid "), std::string::npos);
  EXPECT_NE(done.error().get("DETAIL").find("Listing bucket=other prefix=secret"), std::string::npos);
  for (auto path : {"s3://", "s3:///x", "s3://b b/x", "/etc/passwd", "file://x", "s3://b\n/x", "http://b/x"})
    EXPECT_FALSE(w.copy_as("copy t from '" + std::string(path) + "' iam_role '" + role("Loader") + "'")) << path;
}

TEST_F(TransferTest, ACancelEndsTheLoad) {
  int_text();
  w.object("x") = "1|a\n";
  w.canceled = [] { return true; };
  auto done = w.copy("x");
  World::must(done);
  ASSERT_TRUE(done->failure);
  EXPECT_TRUE(done->failure->is(engine::kQueryCanceled));
}

// ----------------------------------------------------------------------------------------------------------------- unload

TEST_F(TransferTest, UnloadWritesWhatItSays) {
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(20)}, {"c", TypeKind::kBoolean}, {"d", Type::decimal(5, 2)}});
  w.object("in") = "1|x,\"y|t|1.5\n2||f|\n3|\\N|\\N|-0.05\n";
  World::must(w.copy("in"));
  auto text = [&](const std::string& words) {
    static int n = 0;
    std::string prefix = "o" + std::to_string(n++) + "/";
    World::must(w.unload(prefix, words));
    auto keys = w.keys(prefix);
    EXPECT_EQ(keys.size(), 1u);
    return keys.empty() ? "" : w.object(keys[0]);
  };
  EXPECT_EQ(text(""), "1|x,\"y|t|1.50\n2||f|\n3|||-0.05\n");
  EXPECT_EQ(text("header delimiter ';'"), "a;b;c;d\n1;x,\"y;t;1.50\n2;;f;\n3;;;-0.05\n");
  EXPECT_EQ(text("csv header null as 'nil'"), "a,b,c,d\n1,\"x,\"\"y\",t,1.50\n2,,f,nil\n3,nil,nil,-0.05\n");
  EXPECT_EQ(text("addquotes escape"), "\"1\"|\"x,\\\"y\"|\"t\"|\"1.50\"\n\"2\"|\"\"|\"f\"|\n\"3\"|||\"-0.05\"\n");
  EXPECT_EQ(text("json"),
            "{\"a\":1,\"b\":\"x,\\\"y\",\"c\":true,\"d\":1.50}\n{\"a\":2,\"b\":\"\",\"c\":false,\"d\":null}\n{\"a\":3,\"b\":null,"
            "\"c\":null,\"d\":-0.05}\n");
  EXPECT_EQ(text("fixedwidth 'a:2,b:6,c:1,d:6'"), "1 x,\"y  t1.50  \n2       f      \n3        -0.05 \n");
  EXPECT_FALSE(w.unload("narrow/", "fixedwidth 'a:2,b:1,c:1,d:6'"));
  EXPECT_TRUE(w.keys("narrow/").empty());
}

TEST_F(TransferTest, NamesOfFiles) {
  int_text();
  w.object("in") = "1|a\n";
  World::must(w.copy("in"));
  World::must(w.unload("p_", "manifest"));
  EXPECT_EQ(w.keys("p_"), (Lines{"p_0000_part_00", "p_manifest"}));
  World::must(w.unload("s_", "parallel off gzip extension 'txt'"));
  EXPECT_EQ(w.keys("s_"), (Lines{"s_000.txt.gz"}));
  World::must(w.unload("q/", "parquet"));
  EXPECT_EQ(w.keys("q/"), (Lines{"q/0000_part_00.parquet"}));
  EXPECT_EQ(w.s3.sealing["b/p_0000_part_00"], "AES256");
  World::must(w.unload("k/", "encrypted kms_key_id 'alias/x'"));
  EXPECT_EQ(w.s3.sealing["b/k/0000_part_00"], "aws:kms alias/x");
  World::must(w.unload("d/", "encrypted auto"));
  EXPECT_EQ(w.s3.sealing["b/d/0000_part_00"], "");
  for (auto bad :
       {"extension 'a/b'", "kms_key_id 'x'", "allowoverwrite cleanpath", "csv escape", "csv addquotes", "parquet header",
        "parquet gzip", "json header", "fixedwidth 'a:1' header", "maxfilesize 1 mb", "maxfilesize 7 gb", "rowgroupsize 32 mb",
        "partition by (a)", "parquet partition by (a, b)", "parquet partition by (nope)", "encrypted auto kms_key_id 'x'"})
    EXPECT_FALSE(w.unload("bad/", bad)) << bad;
  EXPECT_TRUE(w.keys("bad/").empty());
}

TEST_F(TransferTest, ADestinationWithFilesIsRefusedOverwrittenOrCleaned) {
  int_text();
  w.object("in") = "1|a\n";
  World::must(w.copy("in"));
  w.object("out/old") = "old";
  auto done = w.unload("out/");
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().message.starts_with("Specified unload destination on S3 is not empty."));
  World::must(w.unload("out/", "allowoverwrite"));
  EXPECT_EQ(w.keys("out/"), (Lines{"out/0000_part_00", "out/old"}));
  World::must(w.unload("out/", "cleanpath csv"));
  EXPECT_EQ(w.keys("out/"), (Lines{"out/0000_part_00"}));
}

TEST_F(TransferTest, ManifestVerboseCountsAndRoundTrips) {
  int_text();
  w.object("in") = "1|a\n2|b\n";
  World::must(w.copy("in"));
  World::must(w.unload("o/", "manifest verbose"));
  auto json = Json::parse(w.object("o/manifest"));
  World::must(json);
  EXPECT_EQ((*json)["entries"][0]["url"].str(), "s3://b/o/0000_part_00");
  EXPECT_EQ((*json)["entries"][0]["meta"]["record_count"].integer(), 2);
  EXPECT_EQ((*json)["entries"][0]["meta"]["content_length"].integer(), 8);
  EXPECT_EQ((*json)["schema"]["elements"][1]["type"]["max_length"].integer(), 20);
  int_text();
  World::must(w.copy("o/manifest", "manifest"));
  EXPECT_EQ(w.rows(), (Lines{"1|a", "2|b"}));
}

TEST_F(TransferTest, ManyRowsGoToSeveralSlicesAndParts) {
  int_text();
  std::string text;
  for (int i = 0; i < 300000; ++i) text += std::to_string(i) + "|some more text\n";
  w.object("in") = text;
  World::must(w.copy("in"));
  auto done = w.unload("o/", "");
  World::must(done);
  EXPECT_EQ(done->rows, 300000);
  EXPECT_EQ(w.keys("o/"), (Lines{"o/0000_part_00", "o/0001_part_00", "o/0002_part_00", "o/0003_part_00"}));
  World::must(w.unload("m/", "parallel off maxfilesize 5 mb"));
  auto parts = w.keys("m/");
  EXPECT_EQ(parts, (Lines{"m/000", "m/001"}));
  int_text();
  World::must(w.copy("o/"));
  EXPECT_EQ(w.rows().size(), 300000u);
}

TEST_F(TransferTest, AFailedUnloadLeavesNoHalfFile) {
  int_text();
  std::string text;
  for (int i = 0; i < 900000; ++i) text += std::to_string(i) + "|" + std::string(20, 'x') + "\n";
  w.object("in") = text;
  World::must(w.copy("in"));
  // May begin but not end: UploadPart and Complete are PutObject too, so the session runs out instead.
  w.roles.add("Loader", World::trust_cluster(), World::allow("s3:ListBucket", "\"*\""));
  auto done = w.unload("o/", "parallel off");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("Error AccessDenied"), std::string::npos);
  EXPECT_NE(done.error().get("DETAIL").find("Failed to initialize S3 output stream. S3 path: s3://b/o/000"), std::string::npos);
  EXPECT_TRUE(w.keys("o/").empty());
  EXPECT_TRUE(w.s3.uploads.empty());
}

TEST_F(TransferTest, EveryTypeRoundTrips) {
  auto all = [&] {
    w.table({{"a", TypeKind::kInteger},
             {"b", TypeKind::kSmallint},
             {"c", TypeKind::kBigint},
             {"d", Type::decimal(38, 10)},
             {"e", TypeKind::kReal},
             {"f", TypeKind::kDouble},
             {"g", TypeKind::kBoolean},
             {"h", Type::character(5)},
             {"i", Type::varchar(50)},
             {"j", TypeKind::kDate},
             {"k", TypeKind::kTimestamp},
             {"l", TypeKind::kTimestampTz}});
  };
  all();
  w.object("in") =
      "1|-32768|9223372036854775807|1234567890123456789012345678.0123456789|1.5|2.25|t|ab|a\\|b\\\n\\\\c \"q\" 'r', "
      "\u00e9|2000-02-29|1999-12-31 23:59:59.999999|2020-01-01 00:00:00+02\n"
      "2|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N\n"
      "3|0|0|0|0|0|f||@|0001-01-01|2020-01-01|2020-01-01 00:00:00\n";
  World::must(w.copy("in", "escape"));
  auto before = w.rows();
  ASSERT_EQ(before.size(), 3u);
  struct Way {
    std::string out, in;
  };
  int n = 0;
  for (auto& way :
       {Way{"escape null as '@NULL@'", "escape null as '@NULL@'"}, Way{"csv null as '@NULL@'", "csv null as '@NULL@'"},
        Way{"csv delimiter '|' gzip null as '@NULL@' header", "csv delimiter '|' gzip null as '@NULL@' ignoreheader 1"},
        Way{"addquotes escape null as '@NULL@'", "removequotes escape null as '@NULL@'"}, Way{"parquet", "parquet"}}) {
    std::string prefix = "r" + std::to_string(n++) + "/";
    World::must(w.unload(prefix, way.out));
    auto relation = w.relation;
    auto physical = w.physical;
    all();
    auto done = w.copy(prefix, way.in);
    World::must(done);
    if (!done) continue;
    if (done->failure) ADD_FAILURE() << way.out << ": " << done->failure->message << " " << done->failure->get("DETAIL");
    for (auto& e : done->errors) ADD_FAILURE() << way.out << ": " << e.column << " " << e.err_reason << " " << e.raw_line;
    EXPECT_EQ(w.rows(), before) << way.out;
    w.relation = relation;
    w.physical = physical;
  }
}

// ---------------------------------------------------------------------------------------------------------------- parquet

TEST_F(TransferTest, ParquetPartitions) {
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(20)}});
  w.object("in") = "1|x\n2|y/z\n3|\\N\n4|x\n";
  World::must(w.copy("in"));
  auto done = w.unload("p", "parquet partition by (b) manifest");
  World::must(done);
  EXPECT_EQ(done->rows, 4);
  EXPECT_EQ(w.keys("p/"), (Lines{"p/b=__HIVE_DEFAULT_PARTITION__/0000_part_00.parquet", "p/b=x/0000_part_00.parquet",
                                 "p/b=y%2Fz/0000_part_00.parquet", "p/manifest"}));
  w.object("p/b=x/old") = "old";
  w.object("p/b=q/old") = "old";
  World::must(w.unload("p", "parquet partition by (b) cleanpath"));
  EXPECT_EQ(w.keys("p/b=x/"), (Lines{"p/b=x/0000_part_00.parquet"}));
  EXPECT_EQ(w.keys("p/b=q/"), (Lines{"p/b=q/old"}));
  w.table({{"a", TypeKind::kInteger}});
  World::must(w.copy("p/b=x/", "parquet"));
  EXPECT_EQ(w.rows(), (Lines{"1", "4"}));
}

TEST_F(TransferTest, ParquetOfOneSliceKeepsTheOrder) {
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(40)}});
  std::string text;
  for (int i = 0; i < 250000; ++i) text += std::to_string((i * 7919LL) % 250000) + "|x\n";
  w.object("in") = text;
  World::must(w.copy("in"));
  World::must(w.unload("o/", "parquet parallel off"));
  EXPECT_EQ(w.keys("o/"), Lines{"o/000.parquet"});
  // An engine of one thread reads and scans in the file's order.
  World one(1);
  one.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(40)}});
  one.object("o") = w.object("o/000.parquet");
  World::must(one.copy("o", "parquet"));
  World::must(one.unload("p/", "parallel off csv", false));
  std::string expected;
  for (int i = 0; i < 250000; ++i) expected += std::to_string(i) + ",x\n";
  auto& got = one.object("p/000");
  size_t same = 0;
  while (same < std::min(got.size(), expected.size()) && got[same] == expected[same]) ++same;
  EXPECT_TRUE(got == expected) << "from " << same << " of " << expected.size() << ": " << got.substr(same, 100);
}

TEST_F(TransferTest, ParquetThatDoesntFitIsRefused) {
  int_text();
  w.object("in") = "70000|text\n";
  World::must(w.copy("in"));
  World::must(w.unload("q/", "parquet"));
  w.table({{"a", TypeKind::kSmallint}, {"b", Type::varchar(20)}});
  auto done = w.copy("q/", "parquet");
  World::must(done);
  EXPECT_TRUE(done->failure);  // 70000 is no smallint
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(3)}});
  done = w.copy("q/", "parquet");
  World::must(done);
  EXPECT_TRUE(done->failure);
  w.table({{"a", TypeKind::kDate}, {"b", Type::varchar(20)}});
  EXPECT_FALSE(w.copy("q/", "parquet"));
  w.table({{"a", TypeKind::kInteger}});
  EXPECT_FALSE(w.copy("q/", "parquet"));
  w.object("junk") = "PAR1 but no";
  EXPECT_FALSE(w.copy("junk", "parquet"));
}

TEST_F(TransferTest, EmptyResultsMakeOneEmptyFile) {
  int_text();
  for (std::string words : {"manifest", "csv header manifest", "parquet manifest", "json manifest"}) {
    std::string prefix = "e" + words.substr(0, 4) + "/";
    World::must(w.unload(prefix, words));
    auto manifest = Json::parse(w.object(prefix + "manifest"));
    World::must(manifest);
    EXPECT_EQ((*manifest)["entries"].items().size(), words == "json manifest" ? 0u : 1u) << words;
    if (words != "json manifest")
      World::must(w.copy(prefix + "manifest", words.substr(0, 3) == "man"   ? "manifest"
                                              : words.substr(0, 3) == "csv" ? "csv ignoreheader 1 manifest"
                                                                            : words));
  }
}

/// What any rows become by UNLOAD is what COPY makes rows of again.
TEST_F(TransferTest, AnyTextRoundTrips) {
  int n = 0;
  rc::check([&] {
    int_text();
    auto texts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab|,\"'\\\n\r \t;NULL\0", 18))));
    World::must(w.connection->begin());
    auto appender = w.connection->append_to(w.physical);
    World::must(appender);
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<engine::Datum> row{std::to_string(i), texts[i].substr(0, 20)};
      World::must((*appender)->append(row));
    }
    World::must((*appender)->finish());
    World::must(w.connection->commit());
    auto before = w.rows();
    auto way =
        *rc::gen::elementOf(std::vector<std::pair<std::string, std::string>>{{"escape null as '\\\\N'", "escape"},
                                                                             {"csv", "csv"},
                                                                             {"csv zstd delimiter ';'", "csv zstd delimiter ';'"},
                                                                             {"addquotes escape", "removequotes escape"},
                                                                             {"parquet", "parquet"},
                                                                             {"json", "json 'auto'"}});
    std::string prefix = "any" + std::to_string(n++) + "/";
    World::must(w.unload(prefix, way.first));
    int_text();
    auto done = w.keys(prefix).empty() ? Result<CopyOutcome>(CopyOutcome{}) : w.copy(prefix, way.second);
    World::must(done);
    RC_ASSERT(done && !done->failure);
    RC_ASSERT(w.rows() == before);
  });
}

// ------------------------------------------------------------------------------------------------------------ json, avro

TEST_F(TransferTest, JsonByNameAndByPath) {
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(40)}, {"c", TypeKind::kSuper}});
  w.object("x") =
      "{\"a\":1,\"b\":\"one}\\\"\",\"c\":{\"k\":[1,2]},\"z\":0}{\"a\" : 2}\n\n{\"b\":[1,\"x\"],\n\"a\":3,\"A\":9,\"c\":\"s\"}";
  World::must(w.copy("x", "json 'auto'"));
  EXPECT_EQ(w.rows(), (Lines{"1|one}\"|{\"k\":[1,2]}", "2|NULL|NULL", "3|[1,\"x\"]|\"s\""}));
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(40)}});
  w.object("y") = "{\"p\":{\"q\":[7,8]},\"r\":\"text\"}";
  w.object("paths") = R"({"jsonpaths":["$.p.q[1]","$['r']"]})";
  World::must(w.copy("y", "json 's3://b/paths'"));
  EXPECT_EQ(w.rows(), Lines{"8|text"});
  w.object("paths") = R"({"jsonpaths":["$.p.q[5]","$['r']"]})";
  auto done = w.copy("y", "json 's3://b/paths'");
  World::must(done);
  ASSERT_EQ(done->errors.size(), 1u);
  EXPECT_EQ(done->errors[0].err_reason, "Invalid JSONPath format: Not an array or index out of range.");
  w.object("paths") = R"({"jsonpaths":["$.p"]})";
  EXPECT_FALSE(w.copy("y", "json 's3://b/paths'"));
  EXPECT_FALSE(w.copy("y", "json 's3://other/secret.txt'"));  // S3 denies it
  EXPECT_FALSE(w.copy("y", "json 'what'"));
  w.object("bad") = "{\"a\":1}\nrubbish\n{\"a\":\"x\"}\n{\"a\":2";
  w.table({{"a", TypeKind::kInteger}});
  done = w.copy("bad", "json 'auto' maxerror 10");
  World::must(done);
  EXPECT_EQ(done->rows, 1);
  EXPECT_EQ(done->errors.size(), 3u);
}

/// A container file by hand: long n is zigzag, as the specification has it.
std::string avro_long(int64_t n) {
  uint64_t z = (static_cast<uint64_t>(n) << 1) ^ static_cast<uint64_t>(n >> 63);
  std::string out;
  for (; z >= 0x80; z >>= 7) out += static_cast<char>(z | 0x80);
  return out + static_cast<char>(z);
}
std::string avro_text(const std::string& s) { return avro_long(int64_t(s.size())) + s; }
std::string avro_file(const std::string& schema, int64_t count, const std::string& records) {
  std::string sync(16, 's');
  return std::string("Obj\1", 4) + avro_long(1) + avro_text("avro.schema") + avro_text(schema) + avro_long(0) + sync +
         avro_long(count) + avro_text(records) + sync;
}

TEST_F(TransferTest, AvroByName) {
  w.table({{"a", TypeKind::kInteger}, {"b", Type::varchar(40)}, {"d", TypeKind::kDate}, {"n", Type::decimal(8, 2)}});
  const std::string schema =
      R"({"type":"record","name":"r","fields":[{"name":"b","type":["null","string"]},{"name":"a","type":"long"},
    {"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"n","type":{"type":"bytes","logicalType":"decimal","precision":8,"scale":2}}]})";
  std::string records = avro_long(1) + avro_text("one") + avro_long(-7) + avro_long(1) + avro_text(std::string("\x01\x00", 2)) +
                        avro_long(0) + avro_long(70000000000) + avro_long(0) + avro_text("\xff");
  w.object("x") = avro_file(schema, 2, records);
  auto done = w.copy("x", "avro 'auto' maxerror 2");
  World::must(done);
  EXPECT_EQ(w.rows(), Lines{"-7|one|1970-01-02|2.56"});
  ASSERT_EQ(done->errors.size(), 1u);
  EXPECT_EQ(done->errors[0].column, "a");
  for (std::string bad :
       {std::string("Obj"), w.object("x").substr(0, w.object("x").size() - 3), avro_file(schema, 3, records),
        avro_file("{}", 2, records),
        avro_file(R"({"type":"record","name":"r","fields":[{"name":"a","type":"null"}]})", int64_t{1} << 60, "")}) {
    w.object("bad") = bad;
    auto failed = w.copy("bad", "avro 'auto' ignoreallerrors");
    World::must(failed);
    EXPECT_TRUE(failed->failure);
  }
}

}  // namespace
}  // namespace redoubt::warehouse::transfer
