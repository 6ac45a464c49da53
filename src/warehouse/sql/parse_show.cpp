/// SHOW: settings, and the family that drivers use for metadata. There a name's parts may be parameters bound by the client.
/// Source: clients.md §1.7; Database Developer Guide, SHOW DATABASES, SHOW TABLES, SHOW GRANTS and so on.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"

namespace redoubt::warehouse::sql {

CommandPtr Parser::parse_show() {
  Position position = peek().position;
  expect("show");
  auto objects = std::make_unique<ShowObjects>();
  if (parse_show_objects(*objects)) return objects;
  auto show = std::make_unique<Show>();
  show->position = position;
  if (accept("all"))
    show->all = true;
  else if (accept_words({"time", "zone"}))
    show->name = "timezone";
  else if (accept_words({"transaction", "isolation", "level"}))
    show->name = "transaction_isolation";
  else if (accept_words({"session", "authorization"}))
    show->name = "session_authorization";
  else
    show->name = parse_setting_name();
  return show;
}

ShowPart Parser::parse_show_part() {
  ShowPart part;
  if (peek().kind == TokenKind::kParameter)
    part.parameter = take().number;
  else
    part.text = parse_label().text;
  return part;
}

/// A pattern: 'text' or a parameter.
ShowPart Parser::parse_show_text() {
  ShowPart part;
  if (peek().kind == TokenKind::kParameter)
    part.parameter = take().number;
  else
    part.text = expect_string();
  return part;
}

std::vector<ShowPart> Parser::parse_show_name() {
  Position position = peek().position;
  std::vector<ShowPart> name = {parse_show_part()};
  while (accept_op(".")) name.push_back(parse_show_part());
  if (name.size() > 3) raise(kSyntaxError, "improper qualified name (too many dotted names)", position);
  return name;
}

/// Argument types of a routine: type names, or parameters that hold them.
void Parser::parse_show_args(ShowObjects& show) {
  if (!accept_op("(")) return;
  show.has_args = true;
  if (!at_op(")")) {
    do {
      if (peek().kind == TokenKind::kParameter || at_string())
        show.args.push_back(parse_show_text());
      else
        show.args.push_back({.text = parse_type().format()});
    } while (accept_op(","));
  }
  expect_op(")");
}

/// False, and nothing taken, if it is a setting.
bool Parser::parse_show_objects(ShowObjects& show) {
  using Kind = ShowObjects::Kind;
  using From = ShowObjects::From;
  show.position = peek().position;
  if (accept("databases")) {
    if (at_words({"from", "data", "catalog"})) not_supported("SHOW DATABASES FROM DATA CATALOG");
    show.show = Kind::kDatabases;
    parse_show_filters(show);
    return true;
  }
  struct Listing {
    std::string_view word;
    Kind kind;
  };
  constexpr Listing kListings[] = {{"schemas", Kind::kSchemas},
                                   {"tables", Kind::kTables},
                                   {"columns", Kind::kColumns},
                                   {"procedures", Kind::kProcedures},
                                   {"functions", Kind::kFunctions}};
  for (const Listing& listing : kListings) {
    if (!at(listing.word) || !at("from", 1)) continue;
    take();
    show.show = listing.kind;
    if (!parse_show_from(show)) syntax_error();
    return true;
  }
  if (at_words({"constraints", "primary", "keys"}) || at_words({"constraints", "foreign", "keys"})) {
    take();
    show.show = take().text == "primary" ? Kind::kPrimaryKeys : Kind::kForeignKeys;
    take();
    if (show.show == Kind::kForeignKeys && accept("exported")) show.show = Kind::kExportedKeys;
    if (!parse_show_from(show)) syntax_error();
    return true;
  }
  if (at_words({"column", "grants"})) {
    take(), take();
    show.show = Kind::kColumnGrants;
    expect("on");
    expect("table");
    show.from = From::kTable;
    show.name = parse_show_name();
    parse_show_filters(show);
    return true;
  }
  if (at("grants") && at_any({"on", "for"}, 1)) {
    take();
    parse_show_grants(show);
    return true;
  }
  if (at("parameters") && at("of", 1)) {
    take(), take();
    bool procedure = at("procedure");
    if (!procedure && !at("function")) syntax_error();
    take();
    show.show = procedure ? Kind::kParametersOfProcedure : Kind::kParametersOfFunction;
    show.from = procedure ? From::kProcedure : From::kFunction;
    show.name = parse_show_name();
    parse_show_args(show);
    parse_show_filters(show);
    return true;
  }
  bool name_follows = peek(1).kind == TokenKind::kParameter || peek(1).is_word() || peek(1).kind == TokenKind::kQuoted;
  if (at_any({"table", "view", "procedure"}) && name_follows) {
    std::string word = take().text;
    show.show = word == "table" ? Kind::kTable : word == "view" ? Kind::kView : Kind::kProcedure;
    show.from = word == "procedure" ? From::kProcedure : From::kTable;
    show.name = parse_show_name();
    if (show.show == Kind::kProcedure) parse_show_args(show);
    return true;
  }
  if (at_words({"rls", "policies"}) || at_words({"masking", "policies"}) || at("policies")) {
    show.show = at("rls") ? Kind::kRlsPolicies : at("masking") ? Kind::kMaskingPolicies : Kind::kPolicies;
    if (!at("policies")) take();
    take();
    if (accept("on")) {
      accept("table");
      show.from = From::kTable;
      show.name = parse_show_name();
    }
    parse_show_filters(show);
    return true;
  }
  for (std::string_view unbuilt :
       {"datashares", "model", "external", "identity", "columns", "tables", "schemas", "template", "templates"})
    if (at(unbuilt) && name_follows) not_supported("SHOW " + to_upper(unbuilt));
  return false;
}

/// FROM DATABASE | SCHEMA | TABLE name, and the filters.
bool Parser::parse_show_from(ShowObjects& show) {
  using Kind = ShowObjects::Kind;
  using From = ShowObjects::From;
  expect("from");
  bool of_table = show.show == Kind::kColumns || show.show == Kind::kPrimaryKeys || show.show == Kind::kForeignKeys ||
                  show.show == Kind::kExportedKeys;
  bool of_schema = show.show == Kind::kTables || show.show == Kind::kProcedures || show.show == Kind::kFunctions;
  bool of_database = show.show == Kind::kSchemas || show.show == Kind::kTables || show.show == Kind::kColumns;
  size_t parts_max = 1;
  if (of_table && accept("table")) {
    show.from = From::kTable;
    parts_max = 3;
  } else if (of_schema && accept("schema")) {
    show.from = From::kSchema;
    parts_max = 2;
  } else if (of_database && accept("database")) {
    show.from = From::kDatabase;
  } else {
    return false;
  }
  Position position = peek().position;
  show.name = parse_show_name();
  if (show.name.size() > parts_max) raise(kSyntaxError, "improper qualified name (too many dotted names)", position);
  parse_show_filters(show);
  return true;
}

/// ON TABLE t [FOR x] | ON TABLES FROM DATABASE d | FOR x.
void Parser::parse_show_grants(ShowObjects& show) {
  using From = ShowObjects::From;
  show.show = ShowObjects::Kind::kGrants;
  if (accept("on")) {
    if (accept("tables")) {
      expect_words({"from", "database"});
      show.from = From::kDatabase;
      show.show = ShowObjects::Kind::kGrants;
      show.on_tables = true;
    } else if (accept("table")) {
      show.from = From::kTable;
    } else if (accept("schema")) {
      show.from = From::kSchema;
    } else if (accept("database")) {
      show.from = From::kDatabase;
    } else if (accept("function")) {
      show.from = From::kFunction;
    } else if (accept("procedure")) {
      show.from = From::kProcedure;
    } else {
      syntax_error();
    }
    show.name = parse_show_name();
    if (show.from == From::kFunction || show.from == From::kProcedure) parse_show_args(show);
  }
  if (accept("for")) {
    if (peek(1).kind != TokenKind::kEnd && !at_op(";", 1) && at_any({"role", "group", "user"})) {
      std::string word = take().text;
      show.principal_kind = word == "role" ? From::kRole : word == "group" ? From::kGroup : From::kUser;
    }
    show.for_principal = parse_show_part();
    if (show.from == From::kNothing && accept_words({"from", "database"})) show.in_database = parse_show_part();
  }
  parse_show_filters(show);
}

/// [DRIVER_TOKEN x] [LIKE x] [WHERE SCHEMA_NAME LIKE x AND ..] [LIMIT n].
void Parser::parse_show_filters(ShowObjects& show) {
  if (accept("driver_token")) show.driver_token = parse_show_text();
  if (accept("like")) show.like = parse_show_text();
  if (accept("where")) {
    do {
      std::optional<ShowPart>* pattern = at("schema_name")   ? &show.schema_like
                                         : at("table_name")  ? &show.table_like
                                         : at("column_name") ? &show.column_like
                                                             : nullptr;
      if (!pattern || pattern->has_value()) syntax_error();
      take();
      expect("like");
      *pattern = parse_show_text();
    } while (accept("and"));
  }
  if (accept("limit")) {
    ShowPart limit;
    if (peek().kind == TokenKind::kParameter)
      limit.parameter = take().number;
    else if (peek().kind == TokenKind::kInteger)
      limit.text = take().text;
    else
      syntax_error();
    show.limit = std::move(limit);
  }
}

}  // namespace redoubt::warehouse::sql
