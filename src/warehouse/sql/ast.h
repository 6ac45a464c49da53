#pragma once
/// The typed AST of the Redshift dialect: a Statement is one command with its place in the text. Made by parser.h, printed by
/// printer.h. Expressions and queries are in ast_expr.h, users, grants and policies in ast_security.h.
///
///   TRY(auto statements, parse(text));
///   switch (statements[0].command->kind) { case CommandKind::kSelect: run(*as<SelectCommand>(*command).query); .. }
///
/// Source: Database Developer Guide, "SQL commands". Lists are never empty unless the comment says so; strings are empty and
/// optionals nullopt where nothing was written. Nothing is looked up and no value is judged here, except the shape of types.
#include "warehouse/sql/ast_expr.h"

namespace redoubt::warehouse::sql {

enum class CommandKind : uint8_t {
  // Data (this header)
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kTruncate,
  kCopy,
  kUnload,
  kCopyStdio,
  // Tables, views and other objects (this header)
  kCreateTable,
  kCreateTableAs,
  kCreateView,
  kRefreshMaterializedView,
  kAlterTable,
  kDrop,
  kCreateSchema,
  kAlterSchema,
  kCreateDatabase,
  kAlterDatabase,
  kCreateRoutine,
  kAlterRoutine,
  kComment,
  // Sessions and transactions (this header)
  kTransaction,
  kSet,
  kReset,
  kShow,
  kShowObjects,
  kUse,
  kDiscard,
  kPrepare,
  kExecute,
  kDeallocate,
  kDeclareCursor,
  kFetch,
  kCloseCursor,
  kCall,
  kExplain,
  kLock,
  kVacuum,
  kAnalyze,
  kCancel,
  // Users, privileges and policies (ast_security.h)
  kCreateUser,
  kAlterUser,
  kCreateGroup,
  kAlterGroup,
  kCreateRole,
  kAlterRole,
  kGrant,
  kAlterDefaultPrivileges,
  kCreateRlsPolicy,
  kAlterRlsPolicy,
  kAttachRlsPolicy,
  kCreateMaskingPolicy,
  kAlterMaskingPolicy,
  kAttachMaskingPolicy,
};

struct Command {
  const CommandKind kind;
  Position position = 0;
  virtual ~Command() = default;

 protected:
  explicit Command(CommandKind k) : kind(k) {}
};
using CommandPtr = std::unique_ptr<Command>;

template <CommandKind K>
struct CommandOf : Command {
  static constexpr CommandKind kKind = K;
  CommandOf() : Command(K) {}
};

/// A half-open range of bytes in the text given to parse().
struct Span {
  size_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

/// One statement of a text. Its own text has no surrounding blanks, comments or semicolon.
struct Statement {
  CommandPtr command;  // never null
  Span span;
  std::string text;    // the source between span's ends
  int parameters = 0;  // highest $n, 0: none
  /// Passwords, keys and credential strings, as byte ranges of `text`, ascending: see redacted_text() in printer.h.
  std::vector<Span> secrets;
};

// ---- Data -----------------------------------------------------------------------------------------------------------

/// SELECT, VALUES, WITH .. SELECT, TABLE t.
struct SelectCommand : CommandOf<CommandKind::kSelect> {
  QueryPtr query;
};

struct Insert : CommandOf<CommandKind::kInsert> {
  ObjectName table;
  std::vector<Identifier> columns;  // empty: all
  QueryPtr query;                   // null: DEFAULT VALUES
};

struct Assignment {
  Identifier column;
  ExprPtr value;  // may be Default
};

struct Update : CommandOf<CommandKind::kUpdate> {
  With with;
  ObjectName table;
  std::string alias;
  std::vector<Assignment> assignments;
  std::vector<TableRefPtr> from;  // may be empty
  ExprPtr where;
};

struct Delete : CommandOf<CommandKind::kDelete> {
  With with;
  ObjectName table;
  std::string alias;
  std::vector<TableRefPtr> from;  // USING; may be empty
  ExprPtr where;
};

struct MergeClause {
  enum class Action : uint8_t { kUpdate, kDelete, kInsert };
  Action action = Action::kUpdate;
  bool matched = true;
  Position position = 0;
  std::vector<Assignment> assignments;  // kUpdate
  std::vector<Identifier> columns;      // kInsert; empty: all
  std::vector<ExprPtr> values;          // kInsert
};

struct Merge : CommandOf<CommandKind::kMerge> {
  ObjectName table;
  std::string alias;
  TableRefPtr source;
  ExprPtr on;
  bool remove_duplicates = false;  // REMOVE DUPLICATES; then no clauses
  std::vector<MergeClause> clauses;
};

struct Truncate : CommandOf<CommandKind::kTruncate> {
  ObjectName table;
};

/// Options of COPY and UNLOAD, and of COPY .. STDIN/STDOUT. The name is the option's first word in upper case, spelled as the
/// guide does; `FORMAT [AS] x` and the bare formats are both "FORMAT". Each name occurs at most once.
///
///   name                                 text                     number  words
///   FORMAT                               AVRO, JSON: 'auto' ..            csv | delimited | fixedwidth | avro | json | parquet |
///   orc | text IAM_ROLE                             arns or SESSION                  default ACCESS_KEY_ID SECRET_ACCESS_KEY
///   SESSION_TOKEN CREDENTIALS MASTER_SYMMETRIC_KEY KMS_KEY_ID REGION DELIMITER QUOTE NULL DATEFORMAT TIMEFORMAT FIXEDWIDTH
///   EXTENSION ACCEPTINVCHARS(optional) IGNOREHEADER MAXERROR COMPROWS READRATIO     -                n MAXFILESIZE ROWGROUPSIZE
///   -                        n       mb | gb, or none ENCODING                             -                                utf8
///   | utf16 .. COMPUPDATE STATUPDATE PARALLEL       -                                on | off | true | false | preset, or none
///   ENCRYPTED                            -                                auto, or none
///   MANIFEST                             -                                verbose, or none
///   PARTITION (BY)                       -                                include, or none; columns has the names
///   JSON and PARQUET's SERIALIZETOJSON, and all flags (GZIP, ESCAPE, HEADER, ALLOWOVERWRITE ..): name only
struct CopyOption {
  std::string name;
  Position position = 0;
  std::optional<std::string> text;
  std::optional<std::string> number;
  std::vector<std::string> words;  // lower case
  std::vector<std::string> columns;
};

/// COPY table FROM 's3://..'.
struct Copy : CommandOf<CommandKind::kCopy> {
  ObjectName table;
  std::vector<Identifier> columns;  // empty: all
  std::string source;
  std::vector<CopyOption> options;  // in the order written; may be empty
  const CopyOption* find(std::string_view name) const;
};

/// UNLOAD ('select') TO 's3://..'.
struct Unload : CommandOf<CommandKind::kUnload> {
  std::string select;  // the literal's value: parse it again
  Position select_position = 0;
  std::string target;
  std::vector<CopyOption> options;  // may be empty
  const CopyOption* find(std::string_view name) const;
};

/// PostgreSQL's COPY {table | (query)} {FROM STDIN | TO STDOUT}, which psql's \copy sends. Both the WITH (a, b 'x') and the
/// older WITH a AS 'x' form; names as above: FORMAT DELIMITER NULL HEADER QUOTE ESCAPE ENCODING.
struct CopyStdio : CommandOf<CommandKind::kCopyStdio> {
  bool from = false;
  ObjectName table;  // empty with a query
  std::vector<Identifier> columns;
  QueryPtr query;  // TO STDOUT only
  std::vector<CopyOption> options;
};

// ---- Tables, views and other objects --------------------------------------------------------------------------------

struct References {
  ObjectName table;
  std::vector<Identifier> columns;  // empty: its primary key
};

struct ColumnDefinition {
  Identifier name;
  Type type;              // with its length: defaults are filled in
  ExprPtr default_value;  // print() gives the text that a catalog keeps
  struct Identity {
    int64_t seed = 1, step = 1;
    bool always = true;  // IDENTITY(..); false: GENERATED BY DEFAULT AS IDENTITY(..)
  };
  std::optional<Identity> identity;
  std::optional<bool> nullable;  // nullopt: neither NULL nor NOT NULL
  std::string encode;            // lower case: "az64", "raw"
  bool distkey = false, sortkey = false;
  bool unique = false, primary_key = false;
  std::optional<References> references;
  std::string collate;  // "case_sensitive" | "case_insensitive"
};

struct TableConstraint {
  enum class Kind : uint8_t { kPrimaryKey, kUnique, kForeignKey };
  Kind kind = Kind::kPrimaryKey;
  std::string name;
  std::vector<Identifier> columns;
  References references;  // kForeignKey
  Position position = 0;
};

struct LikeClause {
  ObjectName table;
  bool including_defaults = false;
};

enum class DistStyle : uint8_t { kAuto, kEven, kKey, kAll };
enum class SortStyle : uint8_t { kCompound, kInterleaved, kAuto, kNone };

struct TableAttributes {
  std::optional<bool> backup;
  std::optional<DistStyle> dist_style;
  std::optional<Identifier> dist_key;
  std::optional<SortStyle> sort_style;  // SORTKEY (..) alone is kCompound
  std::vector<Identifier> sort_key;
  bool encode_auto = false;
};

struct CreateTable : CommandOf<CommandKind::kCreateTable> {
  ObjectName table;
  bool temporary = false, if_not_exists = false;
  /// Columns, constraints and LIKEs keep their order only among their own kind; `like_before` says how many columns came
  /// before each LIKE. At least one of the three isn't empty.
  std::vector<ColumnDefinition> columns;
  std::vector<TableConstraint> constraints;
  std::vector<LikeClause> likes;
  std::vector<size_t> like_before;
  TableAttributes attributes;
};

/// CREATE TABLE .. AS, and SELECT .. INTO (printed as CREATE TABLE .. AS).
struct CreateTableAs : CommandOf<CommandKind::kCreateTableAs> {
  ObjectName table;
  bool temporary = false, if_not_exists = false;
  bool select_into = false;         // its tag is SELECT
  std::vector<Identifier> columns;  // may be empty
  TableAttributes attributes;
  QueryPtr query;
};

/// CREATE [OR REPLACE] VIEW and CREATE MATERIALIZED VIEW.
struct CreateView : CommandOf<CommandKind::kCreateView> {
  ObjectName view;
  bool materialized = false, or_replace = false, if_not_exists = false;
  bool no_schema_binding = false;
  std::optional<bool> auto_refresh;  // materialized
  std::vector<Identifier> columns;   // may be empty
  TableAttributes attributes;        // materialized
  QueryPtr query;
  std::string query_text;  // as written
};

struct RefreshMaterializedView : CommandOf<CommandKind::kRefreshMaterializedView> {
  ObjectName view;
  bool cascade = false;
};

struct AlterAction {
  enum class Kind : uint8_t {
    kAddColumn,       // column
    kDropColumn,      // name, cascade
    kAddConstraint,   // constraint
    kDropConstraint,  // name, cascade
    kRenameTo,        // new_name
    kRenameColumn,    // name, new_name
    kOwnerTo,         // new_name
    kSetSchema,       // new_name
    kColumnType,      // name, type
    kColumnEncode,    // name, encode
    kDistStyle,       // dist_style, and name with kKey
    kSortKey,         // sort_style, sort_key
    kEncodeAuto,
    kAppendFrom,        // source, ignore_extra, fill_target
    kRowLevelSecurity,  // on, conjunction_or, for_datashares
    kAutoRefresh,       // on (materialized views)
  };
  Kind kind = Kind::kRenameTo;
  Position position = 0;
  std::optional<ColumnDefinition> column;
  std::optional<TableConstraint> constraint;
  Identifier name;
  std::string new_name;
  std::optional<Type> type;
  std::string encode;
  DistStyle dist_style = DistStyle::kAuto;
  SortStyle sort_style = SortStyle::kCompound;
  std::vector<Identifier> sort_key;
  ObjectName source;
  bool cascade = false, ignore_extra = false, fill_target = false;
  bool on = false, for_datashares = false;
  std::optional<bool> conjunction_or;  // CONJUNCTION TYPE OR: true, AND: false
};

/// ALTER TABLE | VIEW | MATERIALIZED VIEW.
struct AlterTable : CommandOf<CommandKind::kAlterTable> {
  enum class Target : uint8_t { kTable, kView, kMaterializedView };
  Target target = Target::kTable;
  ObjectName name;
  std::vector<AlterAction> actions;
};

/// What DROP and COMMENT name. Procedures and functions are RoutineName.
enum class ObjectKind : uint8_t {
  kTable,
  kView,
  kMaterializedView,
  kSchema,
  kDatabase,
  kUser,
  kGroup,
  kRole,
  kProcedure,
  kFunction,
  kRlsPolicy,
  kMaskingPolicy,
  kColumn,
  kConstraint,  // COMMENT only
};

struct RoutineArg {
  enum class Mode : uint8_t { kIn, kOut, kInOut };
  std::string name;  // empty: none
  Mode mode = Mode::kIn;
  Type type;
  Position position = 0;
};

/// f(int, varchar); `has_args` is false where the list wasn't written.
struct RoutineName {
  ObjectName name;
  bool has_args = false;
  std::vector<RoutineArg> args;  // may be empty
};

struct Drop : CommandOf<CommandKind::kDrop> {
  ObjectKind object = ObjectKind::kTable;
  bool if_exists = false;
  std::vector<ObjectName> names;  // all but routines
  std::vector<RoutineName> routines;
  bool cascade = false;  // RESTRICT is the default
  bool force = false;    // DROP ROLE .. FORCE
};

/// A schema's QUOTA in megabytes; kUnlimited for UNLIMITED.
struct Quota {
  static constexpr int64_t kUnlimited = -1;
  int64_t megabytes = kUnlimited;
};

struct CreateSchema : CommandOf<CommandKind::kCreateSchema> {
  ObjectName schema;  // [database.]schema; empty with AUTHORIZATION alone: the owner's name
  bool if_not_exists = false;
  std::string authorization;
  std::optional<Quota> quota;
};

struct AlterSchema : CommandOf<CommandKind::kAlterSchema> {
  ObjectName schema;
  std::string rename_to, owner_to;  // exactly one of the three
  std::optional<Quota> quota;
};

struct DatabaseOptions {
  static constexpr int64_t kUnlimited = -1;
  std::string owner;
  std::optional<int64_t> connection_limit;
  std::string collate;          // "case_sensitive" | "case_insensitive"
  std::string isolation_level;  // "serializable" | "snapshot"
};

struct CreateDatabase : CommandOf<CommandKind::kCreateDatabase> {
  Identifier name;
  DatabaseOptions options;
};

struct AlterDatabase : CommandOf<CommandKind::kAlterDatabase> {
  Identifier name;
  std::string rename_to;
  DatabaseOptions options;  // owner: OWNER TO
};

struct SetValue {
  enum class Kind : uint8_t { kWord, kString, kNumber };
  Kind kind = Kind::kWord;  // kWord: an identifier or keyword, quoted or not
  std::string text;         // numbers with their sign
};

struct Setting {
  std::string name;              // lower case; may have one dot (app.user_id)
  std::vector<SetValue> values;  // empty: DEFAULT
};

struct CreateRoutine : CommandOf<CommandKind::kCreateRoutine> {
  enum class Volatility : uint8_t { kVolatile, kStable, kImmutable };
  bool procedure = true;
  bool or_replace = false, nonatomic = false;
  ObjectName name;
  std::vector<RoutineArg> args;  // may be empty
  std::optional<Type> returns;   // functions
  std::optional<Volatility> volatility;
  std::string language;  // lower case: plpgsql, sql, plpythonu
  std::string body;      // the literal's value
  Position body_position = 0;
  Position body_text_position = 0;  // of the body's first character; 0 where escapes may have moved what follows
  std::optional<bool> security_definer;
  std::vector<Setting> settings;  // SET name TO value
};

struct AlterRoutine : CommandOf<CommandKind::kAlterRoutine> {
  bool procedure = true;
  RoutineName routine;
  std::string rename_to, owner_to;  // one of the two
};

struct Comment : CommandOf<CommandKind::kComment> {
  ObjectKind object = ObjectKind::kTable;
  ObjectName name;       // kColumn: the table; kConstraint: the table
  std::string sub_name;  // kColumn, kConstraint: its name
  std::optional<RoutineName> routine;
  std::optional<std::string> text;  // nullopt: NULL
};

// ---- Sessions and transactions --------------------------------------------------------------------------------------

enum class IsolationLevel : uint8_t { kSerializable, kRepeatableRead, kReadCommitted, kReadUncommitted };

struct TransactionModes {
  std::optional<IsolationLevel> isolation;
  std::optional<bool> read_only;
};

struct Transaction : CommandOf<CommandKind::kTransaction> {
  enum class Action : uint8_t { kBegin, kCommit, kRollback, kSavepoint, kRollbackTo, kRelease };
  Action action = Action::kBegin;
  bool start = false;      // START TRANSACTION: its tag differs
  TransactionModes modes;  // kBegin
  std::string savepoint;
};

struct Set : CommandOf<CommandKind::kSet> {
  enum class Kind : uint8_t {
    kSetting,                 // also TIME ZONE (timezone), ROLE (role), NAMES (client_encoding)
    kSessionAuthorization,    // user; empty: DEFAULT
    kTransaction,             // SET TRANSACTION: modes
    kSessionCharacteristics,  // SET SESSION CHARACTERISTICS AS TRANSACTION: modes
  };
  Kind set_kind = Kind::kSetting;
  bool local = false;
  Setting setting;
  std::string user;
  TransactionModes modes;
};

struct Reset : CommandOf<CommandKind::kReset> {
  enum class Kind : uint8_t { kSetting, kAll, kSessionAuthorization, kUse };
  Kind reset_kind = Kind::kSetting;
  std::string name;  // kSetting, lower case
};

/// SHOW name | ALL. TIME ZONE is "timezone", TRANSACTION ISOLATION LEVEL "transaction_isolation", SESSION AUTHORIZATION
/// "session_authorization".
struct Show : CommandOf<CommandKind::kShow> {
  bool all = false;
  std::string name;
};

/// One part of a name in the SHOW family: an identifier, or a parameter bound by the client (number > 0).
struct ShowPart {
  std::string text;
  int parameter = 0;
};

/// The SHOW family: SHOW TABLES FROM SCHEMA $1.$2 LIKE $3.
struct ShowObjects : CommandOf<CommandKind::kShowObjects> {
  enum class Kind : uint8_t {
    kDatabases,
    kSchemas,
    kTables,
    kColumns,
    kPrimaryKeys,
    kForeignKeys,
    kExportedKeys,
    kGrants,  // ON object, FOR principal, or ON TABLES FROM DATABASE
    kColumnGrants,
    kProcedures,
    kFunctions,
    kParametersOfProcedure,
    kParametersOfFunction,
    kTable,
    kView,
    kProcedure,  // SHOW TABLE t: its DDL
    kRlsPolicies,
    kMaskingPolicies,
    kPolicies,
  };
  enum class From : uint8_t { kNothing, kDatabase, kSchema, kTable, kFunction, kProcedure, kUser, kRole, kGroup };
  Kind show = Kind::kDatabases;
  From from = From::kNothing;             // what `name` is
  bool on_tables = false;                 // kGrants: ON TABLES FROM DATABASE, all its tables
  std::vector<ShowPart> name;             // database; database.schema; [[database.]schema.]table
  bool has_args = false;                  // of routines
  std::vector<ShowPart> args;             // argument types
  std::optional<ShowPart> for_principal;  // SHOW GRANTS .. FOR x
  From principal_kind = From::kUser;
  ShowPart in_database;          // SHOW GRANTS FOR x FROM DATABASE d
  std::optional<ShowPart> like;  // a pattern (text: the literal's value)
  std::optional<ShowPart> driver_token;
  std::optional<ShowPart> schema_like, table_like, column_like;  // WHERE SCHEMA_NAME LIKE x AND ..
  std::optional<ShowPart> limit;
};

struct Use : CommandOf<CommandKind::kUse> {
  Identifier database;
};

/// DISCARD ALL | PLANS | TEMP.
struct Discard : CommandOf<CommandKind::kDiscard> {
  std::string what;  // lower case
};

struct Prepare : CommandOf<CommandKind::kPrepare> {
  Identifier name;
  std::vector<Type> types;               // may be empty
  std::unique_ptr<Statement> statement;  // SELECT, INSERT, UPDATE, DELETE; its spans are those of the whole text
};

struct Execute : CommandOf<CommandKind::kExecute> {
  Identifier name;
  std::vector<ExprPtr> args;  // may be empty
};

struct Deallocate : CommandOf<CommandKind::kDeallocate> {
  Identifier name;  // empty: ALL
};

struct DeclareCursor : CommandOf<CommandKind::kDeclareCursor> {
  Identifier name;
  bool with_hold = false;
  QueryPtr query;
};

/// FETCH {NEXT | ALL | FORWARD [n | ALL] | n} FROM cursor. Cursors go forward only.
struct Fetch : CommandOf<CommandKind::kFetch> {
  static constexpr int64_t kAll = -1;
  int64_t count = 1;
  Identifier cursor;
};

struct CloseCursor : CommandOf<CommandKind::kCloseCursor> {
  Identifier name;  // empty: ALL
};

struct Call : CommandOf<CommandKind::kCall> {
  std::unique_ptr<FunctionCall> call;
};

struct Explain : CommandOf<CommandKind::kExplain> {
  bool verbose = false;
  CommandPtr command;  // SELECT, CREATE TABLE AS, INSERT, UPDATE, DELETE, MERGE
};

struct Lock : CommandOf<CommandKind::kLock> {
  std::vector<ObjectName> tables;
};

struct Vacuum : CommandOf<CommandKind::kVacuum> {
  enum class Mode : uint8_t { kFull, kSortOnly, kDeleteOnly, kReindex, kRecluster };
  Mode mode = Mode::kFull;
  ObjectName table;  // empty: all
  std::optional<int> threshold_percent;
  bool boost = false;
};

struct Analyze : CommandOf<CommandKind::kAnalyze> {
  enum class Columns : uint8_t { kDefault, kPredicate, kAll };
  bool compression = false;  // ANALYZE COMPRESSION
  bool verbose = false;
  ObjectName table;                 // empty: all
  std::vector<Identifier> columns;  // may be empty
  Columns which = Columns::kDefault;
  std::optional<int64_t> comprows;
};

struct Cancel : CommandOf<CommandKind::kCancel> {
  int64_t pid = 0;
  std::optional<std::string> message;
};

}  // namespace redoubt::warehouse::sql

#include "warehouse/sql/ast_security.h"  // IWYU pragma: export
