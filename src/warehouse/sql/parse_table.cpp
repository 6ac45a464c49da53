/// CREATE TABLE with Redshift's attributes, CTAS, views, ALTER TABLE.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

/// After CREATE [TEMP]; at TABLE.
CommandPtr Parser::parse_create_table(bool temporary) {
  expect("table");
  bool if_not_exists = accept_if_not_exists();
  auto table = make<CreateTable>();
  table->temporary = temporary;
  table->if_not_exists = if_not_exists;
  table->table = parse_object_name();

  std::vector<Identifier> names;  // of CREATE TABLE t (a, b) AS
  bool elements = at_op("(");
  if (elements) {
    take();
    do parse_table_element(*table, names);
    while (accept_op(","));
    if (!names.empty() && !(table->columns.empty() && table->constraints.empty() && table->likes.empty())) syntax_error();
    expect_op(")");
  }
  if (at("inherits")) not_supported("INHERITS");
  parse_table_attributes(table->attributes);
  if (!at("as")) {
    if (!elements || !names.empty()) syntax_error();
    if (at_words({"on", "commit"})) not_supported("ON COMMIT");
    return table;
  }
  if (elements && names.empty()) syntax_error();
  take();
  auto create = std::make_unique<CreateTableAs>();
  create->table = std::move(table->table);
  create->temporary = temporary;
  create->if_not_exists = if_not_exists;
  create->columns = std::move(names);
  create->attributes = std::move(table->attributes);
  create->query = parse_query();
  return create;
}

bool Parser::at_table_constraint() {
  return at_any({"constraint", "primary", "unique", "foreign", "check"}) && peek().kind == TokenKind::kWord;
}

void Parser::parse_table_element(CreateTable& table, std::vector<Identifier>& bare_names) {
  if (at("like")) {
    take();
    LikeClause like;
    like.table = parse_object_name();
    while (at_any({"including", "excluding"})) {
      like.including_defaults = take().text == "including";
      expect("defaults");
    }
    table.like_before.push_back(table.columns.size());
    table.likes.push_back(std::move(like));
    return;
  }
  if (at_table_constraint()) {
    table.constraints.push_back(parse_table_constraint());
    return;
  }
  Identifier name = parse_identifier();
  if (at_op(",") || at_op(")"))
    bare_names.push_back(std::move(name));
  else
    table.columns.push_back(parse_column_definition(std::move(name)));
}

ColumnDefinition Parser::parse_column_definition(Identifier name) {
  ColumnDefinition column;
  column.name = std::move(name);
  column.type = parse_type(TypeUse::kColumn);
  parse_column_attributes(column);
  return column;
}

void Parser::parse_column_attributes(ColumnDefinition& column) {
  for (;;) {
    Position position = peek().position;
    auto once = [&](bool given) {
      if (given) raise(kSyntaxError, "conflicting or redundant options for column \"" + column.name.text + "\"", position);
    };
    if (accept("constraint")) {
      parse_identifier();  // the name of a column constraint: nothing can refer to it later
      if (!at_any({"not", "null", "unique", "primary", "references", "check"})) syntax_error();
    } else if (accept("default")) {
      once(column.default_value != nullptr);
      column.default_value = parse_expr(kOperatorPower);  // so that NOT NULL may follow
    } else if (at("identity") || at_words({"generated", "by", "default", "as", "identity"})) {
      once(column.identity.has_value());
      ColumnDefinition::Identity identity;
      identity.always = !accept("generated");
      if (!identity.always) expect_words({"by", "default", "as"});
      expect("identity");
      expect_op("(");
      identity.seed = expect_integer();
      expect_op(",");
      identity.step = expect_integer();
      expect_op(")");
      column.identity = identity;
    } else if (at("generated")) {
      not_supported("GENERATED other than BY DEFAULT AS IDENTITY");
    } else if (accept("not")) {
      expect("null");
      once(column.nullable.has_value());
      column.nullable = false;
    } else if (accept("null")) {
      once(column.nullable.has_value());
      column.nullable = true;
    } else if (accept("encode")) {
      once(!column.encode.empty());
      column.encode = parse_encoding();
    } else if (accept("distkey")) {
      column.distkey = true;
    } else if (accept("sortkey")) {
      column.sortkey = true;
    } else if (accept("unique")) {
      column.unique = true;
    } else if (accept_words({"primary", "key"})) {
      column.primary_key = true;
    } else if (at("references")) {
      once(column.references.has_value());
      column.references = parse_references();
    } else if (accept("collate")) {
      once(!column.collate.empty());
      if (!at_any({"case_sensitive", "case_insensitive", "cs", "ci"})) syntax_error();
      column.collate = at_any({"case_sensitive", "cs"}) ? "case_sensitive" : "case_insensitive";
      take();
    } else if (at("check")) {
      not_supported("a CHECK constraint");
    } else {
      return;
    }
  }
}

std::string Parser::parse_encoding() {
  if (at_string()) return to_lower(take().text);
  if (!peek().is_word()) syntax_error();
  return take().text;
}

References Parser::parse_references() {
  expect("references");
  References references;
  references.table = parse_object_name();
  if (at_op("(")) references.columns = parse_parenthesized_identifiers();
  if (at_words({"on", "delete"}) || at_words({"on", "update"}) || at_any({"match", "deferrable", "initially"}))
    not_supported("an action or a mode of a foreign key");
  return references;
}

TableConstraint Parser::parse_table_constraint() {
  TableConstraint constraint;
  constraint.position = peek().position;
  if (accept("constraint")) constraint.name = parse_identifier().text;
  if (accept("unique")) {
    constraint.kind = TableConstraint::Kind::kUnique;
    constraint.columns = parse_parenthesized_identifiers();
  } else if (accept("primary")) {
    expect("key");
    constraint.columns = parse_parenthesized_identifiers();
  } else if (accept("foreign")) {
    expect("key");
    constraint.kind = TableConstraint::Kind::kForeignKey;
    constraint.columns = parse_parenthesized_identifiers();
    constraint.references = parse_references();
  } else if (at("check")) {
    not_supported("a CHECK constraint");
  } else {
    syntax_error();
  }
  return constraint;
}

DistStyle Parser::parse_dist_style() {
  DistStyle style = at("auto") ? DistStyle::kAuto : at("even") ? DistStyle::kEven : at("key") ? DistStyle::kKey : DistStyle::kAll;
  if (!at_any({"auto", "even", "key", "all"})) syntax_error();
  take();
  return style;
}

void Parser::parse_table_attributes(TableAttributes& attributes) {
  while (parse_table_attribute(attributes)) {
  }
}

/// One of BACKUP, DISTSTYLE, DISTKEY, [COMPOUND | INTERLEAVED] SORTKEY, ENCODE AUTO; false at anything else.
bool Parser::parse_table_attribute(TableAttributes& attributes) {
  Position position = peek().position;
  auto once = [&](bool given) {
    if (given) raise(kSyntaxError, "conflicting or redundant options", position);
  };
  if (accept("backup")) {
    once(attributes.backup.has_value());
    if (!at_any({"yes", "no"})) syntax_error();
    attributes.backup = take().text == "yes";
  } else if (accept("diststyle")) {
    once(attributes.dist_style.has_value());
    attributes.dist_style = parse_dist_style();
  } else if (accept("distkey")) {
    once(attributes.dist_key.has_value());
    expect_op("(");
    attributes.dist_key = parse_identifier();
    expect_op(")");
  } else if (at("sortkey") || (at_any({"compound", "interleaved"}) && at("sortkey", 1))) {
    once(attributes.sort_style.has_value());
    attributes.sort_style = at("interleaved") ? SortStyle::kInterleaved : SortStyle::kCompound;
    if (!at("sortkey")) take();
    take();
    if (accept("auto"))
      attributes.sort_style = SortStyle::kAuto;
    else
      attributes.sort_key = parse_parenthesized_identifiers();
  } else if (at_words({"encode", "auto"})) {
    once(attributes.encode_auto);
    take(), take();
    attributes.encode_auto = true;
  } else {
    return false;
  }
  return true;
}

/// At VIEW.
CommandPtr Parser::parse_create_view(bool or_replace, bool materialized) {
  auto view = make<CreateView>();
  expect("view");
  view->or_replace = or_replace;
  view->materialized = materialized;
  view->if_not_exists = accept_if_not_exists();
  view->view = parse_object_name();
  if (at_op("(")) view->columns = parse_parenthesized_identifiers();
  while (materialized && !at("as")) {
    if (accept_words({"auto", "refresh"})) {
      if (view->auto_refresh || !at_any({"yes", "no"})) syntax_error();
      view->auto_refresh = take().text == "yes";
    } else if (!parse_table_attribute(view->attributes)) {
      syntax_error();
    }
  }
  expect("as");
  size_t begin = peek().begin;
  view->query = parse_query();
  view->query_text = text_since(begin);
  view->no_schema_binding = !materialized && accept_words({"with", "no", "schema", "binding"});
  if (at("with") && at_any({"check", "local", "cascaded"}, 1)) not_supported("WITH CHECK OPTION");
  return view;
}

// ---- ALTER TABLE

/// After ALTER TABLE | VIEW | MATERIALIZED VIEW.
CommandPtr Parser::parse_alter_table(AlterTable::Target target) {
  auto alter = make<AlterTable>();
  alter->target = target;
  alter->name = parse_object_name();
  do alter->actions.push_back(parse_alter_action(target));
  while (accept_op(","));
  return alter;
}

AlterAction Parser::parse_alter_action(AlterTable::Target target) {
  using Kind = AlterAction::Kind;
  AlterAction action;
  action.position = peek().position;
  if (accept("rename")) {
    if (accept("to")) {
      action.kind = Kind::kRenameTo;
    } else {
      accept("column");
      action.kind = Kind::kRenameColumn;
      action.name = parse_identifier();
      expect("to");
    }
    action.new_name = parse_identifier().text;
  } else if (accept_words({"owner", "to"})) {
    action.kind = Kind::kOwnerTo;
    action.new_name = parse_identifier().text;
  } else if (accept_words({"set", "schema"})) {
    action.kind = Kind::kSetSchema;
    action.new_name = parse_identifier().text;
  } else if (accept_words({"row", "level", "security"})) {
    parse_row_level_security(action);
  } else if (target == AlterTable::Target::kMaterializedView && accept_words({"auto", "refresh"})) {
    action.kind = Kind::kAutoRefresh;
    if (!at_any({"yes", "no"})) syntax_error();
    action.on = take().text == "yes";
  } else if (accept("alter")) {
    parse_alter_alter(action);
  } else if (target != AlterTable::Target::kTable) {
    syntax_error();
  } else if (accept("add")) {
    parse_alter_add(action);
  } else if (accept("drop")) {
    if (at("partition")) not_supported("ALTER TABLE DROP PARTITION");
    bool constraint = accept("constraint");
    if (!constraint) accept("column");
    action.kind = constraint ? Kind::kDropConstraint : Kind::kDropColumn;
    if (at_words({"if", "exists"})) not_supported("IF EXISTS in ALTER TABLE DROP");
    action.name = parse_identifier();
    action.cascade = accept_cascade();
  } else if (accept_words({"append", "from"})) {
    action.kind = Kind::kAppendFrom;
    action.source = parse_object_name();
    action.ignore_extra = accept("ignoreextra");
    action.fill_target = !action.ignore_extra && accept("filltarget");
  } else if (at("masking")) {
    not_supported("ALTER TABLE MASKING");
  } else if (at("set")) {
    not_supported("ALTER TABLE SET");
  } else {
    syntax_error();
  }
  return action;
}

void Parser::parse_alter_add(AlterAction& action) {
  if (at_table_constraint()) {
    action.kind = AlterAction::Kind::kAddConstraint;
    action.constraint = parse_table_constraint();
    return;
  }
  if (at("partition")) not_supported("ALTER TABLE ADD PARTITION");
  accept("column");
  if (at_words({"if", "not"})) not_supported("IF NOT EXISTS in ALTER TABLE ADD");
  action.kind = AlterAction::Kind::kAddColumn;
  Identifier name = parse_identifier();
  action.column = parse_column_definition(std::move(name));
}

/// ALTER [COLUMN] c TYPE t | ENCODE e; ALTER DISTSTYLE, DISTKEY, SORTKEY, ENCODE AUTO.
void Parser::parse_alter_alter(AlterAction& action) {
  using Kind = AlterAction::Kind;
  if (accept("diststyle")) {
    action.kind = Kind::kDistStyle;
    action.dist_style = parse_dist_style();
    if (action.dist_style == DistStyle::kKey) {
      expect("distkey");
      action.name = parse_identifier();
    }
  } else if (accept("distkey")) {
    action.kind = Kind::kDistStyle;
    action.dist_style = DistStyle::kKey;
    action.name = parse_identifier();
  } else if (at("sortkey") || (at_any({"compound", "interleaved"}) && at("sortkey", 1))) {
    action.kind = Kind::kSortKey;
    action.sort_style = at("interleaved") ? SortStyle::kInterleaved : SortStyle::kCompound;
    if (!at("sortkey")) take();
    take();
    if (accept("auto"))
      action.sort_style = SortStyle::kAuto;
    else if (accept("none"))
      action.sort_style = SortStyle::kNone;
    else
      action.sort_key = parse_parenthesized_identifiers();
  } else if (accept_words({"encode", "auto"})) {
    action.kind = Kind::kEncodeAuto;
  } else {
    accept("column");
    action.name = parse_identifier();
    if (at("set") || at("drop")) not_supported("ALTER COLUMN " + to_upper(peek().text));
    if (accept("encode")) {
      action.kind = Kind::kColumnEncode;
      action.encode = parse_encoding();
    } else {
      expect("type");
      action.kind = Kind::kColumnType;
      action.type = parse_type(TypeUse::kColumn);
    }
  }
}

bool Parser::parse_on_off() {
  if (!at_any({"on", "off"})) syntax_error();
  return take().text == "on";
}

void Parser::parse_row_level_security(AlterAction& action) {
  action.kind = AlterAction::Kind::kRowLevelSecurity;
  action.on = parse_on_off();
  for (;;) {
    if (!action.conjunction_or && accept_words({"conjunction", "type"})) {
      if (!at_any({"and", "or"})) syntax_error();
      action.conjunction_or = take().text == "or";
    } else if (!action.for_datashares && accept_words({"for", "datashares"})) {
      action.for_datashares = true;
    } else {
      return;
    }
  }
}

}  // namespace redoubt::warehouse::sql
