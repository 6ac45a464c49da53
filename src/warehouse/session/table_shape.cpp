#include "warehouse/session/table_shape.h"

#include <algorithm>

#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/errors.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::session {

using catalog::Column;
using catalog::Constraint;
using catalog::Relation;

namespace {

constexpr std::string_view kSystemColumns[] = {"oid",  "ctid",     "xmin",      "cmin",     "xmax",
                                               "cmax", "tableoid", "insertxid", "deletexid"};
constexpr std::string_view kEncodings[] = {"raw",       "none",    "az64",    "bytedict", "delta",
                                           "delta32k",  "lzo",     "mostly8", "mostly16", "mostly32",
                                           "runlength", "text255", "text32k", "zstd",     "auto"};

/// A default stands alone: no columns, no relations. It is bound again at each INSERT that needs it.
Result<void> check_default(Work& work, const std::string& text, const sql::Type& type) {
  TRY(auto statement, sql::parse_one("SELECT CAST(" + text + " AS " + type.format() + ")", sql::ParseOptions::stored()));
  auto host = make_host_context(work.facts);
  TRY(auto plan, secure::analyze(statement, {work.view, host->host_functions()}));
  if (!plan.reads.empty() || !plan.views.empty() || plan.query->select.from || plan.query->select.outputs[0]->has_query)
    return fail(secure::kNotSupported, "cannot use subquery in default expression");
  return {};
}

Column* find(Relation& relation, const std::string& name) {
  for (auto& column : relation.columns)
    if (!column.dropped && column.name == name) return &column;
  return nullptr;
}

std::unexpected<Error> no_column(const std::string& name) {
  return fail(secure::kUndefinedColumn, "column \"" + name + "\" named in key does not exist");
}

std::string free_constraint_name(const Relation& relation, const std::string& wanted) {
  std::string name = wanted.substr(0, 120);
  for (int n = 1; std::any_of(relation.constraints.begin(), relation.constraints.end(), [&](auto& c) { return c.name == name; });
       n++)
    name = wanted.substr(0, 120) + std::to_string(n);
  return name;
}

}  // namespace

std::string default_encoding(const sql::Type& type) {
  using K = sql::TypeKind;
  switch (type.kind) {
    case K::kSmallint:
    case K::kInteger:
    case K::kBigint:
    case K::kDecimal:
    case K::kDate:
    case K::kTimestamp:
    case K::kTimestampTz:
    case K::kTime:
    case K::kTimeTz:
      return "az64";
    case K::kChar:
    case K::kVarchar:
    case K::kVarbyte:
      return "lzo";
    case K::kSuper:
      return "zstd";
    default:
      return "none";
  }
}

Result<Column> make_column(Work& work, const sql::ColumnDefinition& d, int16_t attnum) {
  const std::string& name = d.name.text;
  if (std::find(std::begin(kSystemColumns), std::end(kSystemColumns), name) != std::end(kSystemColumns))
    return fail(secure::kDuplicateColumn, "column name \"" + name + "\" conflicts with a system column name");
  if (!d.type.is_storable())
    return fail(secure::kNotSupported, "Column \"" + name + "\" has unsupported type \"" + d.type.format() + "\".");
  if (d.collate == "case_insensitive") return fail(secure::kNotSupported, "COLLATE CASE_INSENSITIVE is not supported");
  Column column{.name = name, .type = d.type, .attnum = attnum};
  column.not_null = d.nullable.has_value() && !*d.nullable;
  if (d.identity) {
    if (!d.type.is(sql::TypeKind::kInteger) && !d.type.is(sql::TypeKind::kBigint))
      return fail(kInvalidTableDefinition, "identity column type must be INT or BIGINT");
    if (d.default_value) return fail(kInvalidTableDefinition, "both default and identity specified for column \"" + name + "\"");
    if (d.identity->step == 0) return fail(secure::kInvalidParameterValue, "IDENTITY step must not be zero");
    if (d.nullable.value_or(false)) return fail(kInvalidTableDefinition, "identity column \"" + name + "\" must be NOT NULL");
    column.identity = column.not_null = true;
    column.identity_always = d.identity->always;
    column.identity_seed = d.identity->seed;
    column.identity_step = d.identity->step;
  }
  if (d.default_value) {
    column.default_sql = sql::print(*d.default_value);
    TRY_VOID(check_default(work, *column.default_sql, d.type));
  }
  column.encoding = d.encode.empty() ? default_encoding(d.type) : d.encode;
  if (std::find(std::begin(kEncodings), std::end(kEncodings), column.encoding) == std::end(kEncodings))
    return fail(secure::kUndefinedObject, "encoding type \"" + column.encoding + "\" does not exist");
  if (column.encoding == "raw") column.encoding = "none";
  if (column.encoding == "auto") column.encoding = default_encoding(d.type);
  return column;
}

Result<void> set_distribution(Relation& relation, catalog::DistStyle style, const std::string& key) {
  if (style == catalog::DistStyle::kKey && key.empty())
    return fail(kInvalidTableDefinition, "DISTSTYLE KEY needs a DISTKEY column");
  for (auto& column : relation.columns) column.distkey = false;
  if (!key.empty()) {
    Column* column = find(relation, key);
    if (!column) return no_column(key);
    column->distkey = true;
  }
  relation.dist_style = key.empty() ? style : catalog::DistStyle::kKey;
  return {};
}

Result<void> set_sort_key(Relation& relation, catalog::SortStyle style, const std::vector<sql::Identifier>& columns) {
  for (auto& column : relation.columns) column.sortkey_position = 0;
  relation.sort_style = columns.empty() ? (style == catalog::SortStyle::kAuto ? style : catalog::SortStyle::kNone) : style;
  if (style == catalog::SortStyle::kInterleaved && columns.size() > 8)
    return fail(secure::kTooComplex, "An interleaved sort key can have a maximum of 8 columns.");
  if (columns.size() > 400) return fail(secure::kTooComplex, "A compound sort key can have a maximum of 400 columns.");
  for (size_t i = 0; i < columns.size(); i++) {
    Column* column = find(relation, columns[i].text);
    if (!column) return no_column(columns[i].text);
    if (column->sortkey_position != 0)
      return fail(secure::kDuplicateColumn, "column \"" + columns[i].text + "\" appears twice in sort key");
    int position = int(i) + 1;
    column->sortkey_position = int16_t(style == catalog::SortStyle::kInterleaved && i % 2 == 0 ? -position : position);
  }
  return {};
}

Result<void> apply_attributes(Relation& relation, const sql::TableAttributes& a) {
  using D = sql::DistStyle;
  if (a.backup) relation.backup = *a.backup;
  catalog::DistStyle style = catalog::DistStyle::kAuto;
  if (a.dist_style)
    style = *a.dist_style == D::kEven  ? catalog::DistStyle::kEven
            : *a.dist_style == D::kAll ? catalog::DistStyle::kAll
            : *a.dist_style == D::kKey ? catalog::DistStyle::kKey
                                       : catalog::DistStyle::kAuto;
  std::string key = a.dist_key ? a.dist_key->text : "";
  for (auto& column : relation.columns)
    if (column.distkey && key.empty()) key = column.name;
  if (!key.empty() && (style == catalog::DistStyle::kEven || style == catalog::DistStyle::kAll))
    return fail(kInvalidTableDefinition, "DISTKEY can't be combined with DISTSTYLE EVEN or ALL");
  TRY_VOID(set_distribution(relation, style, key));
  if (!a.sort_style) return {};
  using S = sql::SortStyle;
  return set_sort_key(relation,
                      *a.sort_style == S::kInterleaved ? catalog::SortStyle::kInterleaved
                      : *a.sort_style == S::kAuto      ? catalog::SortStyle::kAuto
                      : *a.sort_style == S::kNone      ? catalog::SortStyle::kNone
                                                       : catalog::SortStyle::kCompound,
                      a.sort_key);
}

Result<void> add_constraint(Work& work, Relation& relation, const sql::TableConstraint& c) {
  using K = sql::TableConstraint::Kind;
  Constraint out{.oid = work.core.catalog.new_oid()};
  std::string first;
  for (auto& name : c.columns) {
    Column* column = find(relation, name.text);
    if (!column) return no_column(name.text);
    if (std::find(out.columns.begin(), out.columns.end(), column->attnum) != out.columns.end())
      return fail(secure::kDuplicateColumn, "column \"" + name.text + "\" appears twice in constraint");
    out.columns.push_back(column->attnum);
    if (c.kind == K::kPrimaryKey) column->not_null = true;
    if (first.empty()) first = name.text;
  }
  std::string wanted;
  switch (c.kind) {
    case K::kPrimaryKey:
      out.kind = Constraint::Kind::kPrimaryKey;
      wanted = relation.name + "_pkey";
      for (auto& other : relation.constraints)
        if (other.kind == Constraint::Kind::kPrimaryKey)
          return fail(kInvalidTableDefinition, "multiple primary keys for table \"" + relation.name + "\" are not allowed");
      break;
    case K::kUnique:
      out.kind = Constraint::Kind::kUnique;
      wanted = relation.name + "_" + first + "_key";
      break;
    case K::kForeignKey: {
      out.kind = Constraint::Kind::kForeignKey;
      wanted = relation.name + "_" + first + "_fkey";
      auto* schema = work.now().schema(relation.schema);
      bool self = c.references.table.name == relation.name &&
                  (c.references.table.schema.empty() || (schema && schema->name == c.references.table.schema));
      const Relation* target = &relation;
      if (!self) {
        TRY(target, find_table(work, c.references.table));
        if (!catalog::may(work.who(), catalog::kReferences, *target)) return fail(permission_denied("relation", target->name));
      }
      out.references = target->oid;
      if (c.references.columns.empty()) {
        for (auto& key : target->constraints)
          if (key.kind == Constraint::Kind::kPrimaryKey) out.referenced_columns = key.columns;
        if (out.referenced_columns.empty())
          return fail(secure::kUndefinedObject, "there is no primary key for referenced table \"" + target->name + "\"");
      }
      for (auto& name : c.references.columns) {
        auto* column = target->column(name.text);
        if (!column)
          return fail(secure::kUndefinedColumn,
                      "column \"" + name.text + "\" referenced in foreign key constraint does not exist");
        out.referenced_columns.push_back(column->attnum);
      }
      if (out.referenced_columns.size() != out.columns.size())
        return fail(kInvalidObjectDefinition, "number of referencing and referenced columns for foreign key disagree");
      break;
    }
  }
  if (!c.name.empty() &&
      std::any_of(relation.constraints.begin(), relation.constraints.end(), [&](auto& o) { return o.name == c.name; }))
    return fail(catalog::kDuplicateObject, "constraint \"" + c.name + "\" for relation \"" + relation.name + "\" already exists");
  out.name = c.name.empty() ? free_constraint_name(relation, wanted) : c.name;
  relation.constraints.push_back(std::move(out));
  return {};
}

std::vector<engine::PhysicalColumn> physical_columns(const Relation& relation) {
  std::vector<engine::PhysicalColumn> out;
  for (auto& column : relation.columns)
    if (!column.dropped) out.push_back({column.attnum, column.type, column.not_null});
  return out;
}

std::vector<int16_t> sort_attnums(const Relation& relation) {
  std::vector<int16_t> out;
  for (auto* column : relation.sort_key()) out.push_back(column->attnum);
  return out;
}

}  // namespace redoubt::warehouse::session
