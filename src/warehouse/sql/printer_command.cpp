/// Data commands, sessions and transactions as SQL.
#include "base/text.h"
#include "warehouse/sql/printer_impl.h"

namespace redoubt::warehouse::sql {

void Printer::command(const Command& node) {
  switch (node.kind) {
    case CommandKind::kSelect:
      return query(*as<SelectCommand>(node).query);
    case CommandKind::kInsert:
      return insert(as<Insert>(node));
    case CommandKind::kUpdate:
      return update(as<Update>(node));
    case CommandKind::kDelete:
      return delete_from(as<Delete>(node));
    case CommandKind::kMerge:
      return merge(as<Merge>(node));
    case CommandKind::kTruncate:
      put("TRUNCATE TABLE ");
      return name(as<Truncate>(node).table);
    case CommandKind::kCopy: {
      auto& copy = as<Copy>(node);
      put("COPY ");
      name(copy.table);
      if (!copy.columns.empty()) put(" "), parenthesized(copy.columns);
      put(" FROM ");
      literal(copy.source);
      return copy_options(copy.options);
    }
    case CommandKind::kUnload: {
      auto& unload = as<Unload>(node);
      put("UNLOAD (");
      literal(unload.select);
      put(") TO ");
      literal(unload.target);
      return copy_options(unload.options);
    }
    case CommandKind::kCopyStdio:
      return copy_stdio(as<CopyStdio>(node));
    case CommandKind::kTransaction:
      return transaction(as<Transaction>(node));
    case CommandKind::kSet:
      return set(as<Set>(node));
    case CommandKind::kReset:
      return reset(as<Reset>(node));
    case CommandKind::kShow: {
      auto& show = as<Show>(node);
      put("SHOW ");
      return show.all ? put("ALL") : setting_name(show.name);
    }
    case CommandKind::kShowObjects:
      return show_objects(as<ShowObjects>(node));
    case CommandKind::kUse:
      put("USE ");
      return identifier(as<Use>(node).database.text);
    case CommandKind::kDiscard:
      return put("DISCARD " + to_upper(as<Discard>(node).what));
    case CommandKind::kPrepare:
      return prepare(as<Prepare>(node));
    case CommandKind::kExecute: {
      auto& execute = as<Execute>(node);
      put("EXECUTE ");
      identifier(execute.name.text);
      if (!execute.args.empty()) put(" ("), exprs(execute.args), put(")");
      return;
    }
    case CommandKind::kDeallocate: {
      auto& deallocate = as<Deallocate>(node);
      put("DEALLOCATE ");
      return deallocate.name.text.empty() ? put("ALL") : identifier(deallocate.name.text);
    }
    case CommandKind::kDeclareCursor: {
      auto& declare = as<DeclareCursor>(node);
      put("DECLARE ");
      identifier(declare.name.text);
      put(declare.with_hold ? " CURSOR WITH HOLD FOR " : " CURSOR FOR ");
      return query(*declare.query);
    }
    case CommandKind::kFetch: {
      auto& fetch = as<Fetch>(node);
      put("FETCH FORWARD ");
      fetch.count == Fetch::kAll ? put("ALL") : number(fetch.count);
      put(" FROM ");
      return identifier(fetch.cursor.text);
    }
    case CommandKind::kCloseCursor: {
      auto& close = as<CloseCursor>(node);
      put("CLOSE ");
      return close.name.text.empty() ? put("ALL") : identifier(close.name.text);
    }
    case CommandKind::kCall: {
      auto& call = *as<Call>(node).call;
      put("CALL ");
      name(call.name);
      put("(");
      exprs(call.args);
      return put(")");
    }
    case CommandKind::kExplain: {
      auto& explain = as<Explain>(node);
      put(explain.verbose ? "EXPLAIN VERBOSE " : "EXPLAIN ");
      return command(*explain.command);
    }
    case CommandKind::kLock:
      put("LOCK TABLE ");
      return names(as<Lock>(node).tables);
    case CommandKind::kVacuum:
      return vacuum(as<Vacuum>(node));
    case CommandKind::kAnalyze:
      return analyze(as<Analyze>(node));
    case CommandKind::kCancel: {
      auto& cancel = as<Cancel>(node);
      put("CANCEL ");
      number(cancel.pid);
      if (cancel.message) put(" "), literal(*cancel.message);
      return;
    }
    case CommandKind::kCreateTable:
    case CommandKind::kCreateTableAs:
    case CommandKind::kCreateView:
    case CommandKind::kRefreshMaterializedView:
    case CommandKind::kAlterTable:
    case CommandKind::kDrop:
    case CommandKind::kCreateSchema:
    case CommandKind::kAlterSchema:
    case CommandKind::kCreateDatabase:
    case CommandKind::kAlterDatabase:
    case CommandKind::kCreateRoutine:
    case CommandKind::kAlterRoutine:
    case CommandKind::kComment:
      return object_command(node);
    case CommandKind::kCreateUser:
    case CommandKind::kAlterUser:
    case CommandKind::kCreateGroup:
    case CommandKind::kAlterGroup:
    case CommandKind::kCreateRole:
    case CommandKind::kAlterRole:
    case CommandKind::kGrant:
    case CommandKind::kAlterDefaultPrivileges:
    case CommandKind::kCreateRlsPolicy:
    case CommandKind::kAlterRlsPolicy:
    case CommandKind::kAttachRlsPolicy:
    case CommandKind::kCreateMaskingPolicy:
    case CommandKind::kAlterMaskingPolicy:
    case CommandKind::kAttachMaskingPolicy:
      return security_command(node);
  }
}

// ---- Data

void Printer::insert(const Insert& node) {
  put("INSERT INTO ");
  name(node.table);
  if (!node.columns.empty()) put(" "), parenthesized(node.columns);
  put(" ");
  node.query ? query(*node.query) : put("DEFAULT VALUES");
}

void Printer::assignments(const std::vector<Assignment>& list_of) {
  list(list_of, [&](const Assignment& assignment) {
    identifier(assignment.column.text);
    put(" = ");
    expr(*assignment.value);
  });
}

void Printer::update(const Update& node) {
  with(node.with);
  put("UPDATE ");
  name(node.table);
  if (!node.alias.empty()) put(" AS "), identifier(node.alias);
  put(" SET ");
  assignments(node.assignments);
  if (!node.from.empty()) put(" FROM "), table_refs(node.from);
  if (node.where) put(" WHERE "), expr(*node.where);
}

void Printer::delete_from(const Delete& node) {
  with(node.with);
  put("DELETE FROM ");
  name(node.table);
  if (!node.alias.empty()) put(" AS "), identifier(node.alias);
  if (!node.from.empty()) put(" USING "), table_refs(node.from);
  if (node.where) put(" WHERE "), expr(*node.where);
}

void Printer::merge(const Merge& node) {
  put("MERGE INTO ");
  name(node.table);
  if (!node.alias.empty()) put(" AS "), identifier(node.alias);
  put(" USING ");
  table_ref(*node.source, true);
  put(" ON ");
  expr(*node.on);
  if (node.remove_duplicates) put(" REMOVE DUPLICATES");
  for (const MergeClause& clause : node.clauses) {
    put(clause.matched ? " WHEN MATCHED THEN " : " WHEN NOT MATCHED THEN ");
    switch (clause.action) {
      case MergeClause::Action::kUpdate:
        put("UPDATE SET ");
        assignments(clause.assignments);
        break;
      case MergeClause::Action::kDelete:
        put("DELETE");
        break;
      case MergeClause::Action::kInsert:
        put("INSERT ");
        if (!clause.columns.empty()) parenthesized(clause.columns), put(" ");
        put("VALUES (");
        exprs(clause.values);
        put(")");
        break;
    }
  }
}

void Printer::copy_options(const std::vector<CopyOption>& options) {
  for (const CopyOption& option : options) {
    put(" " + option.name);
    if (option.name == "PARTITION") put(" BY ("), identifiers(option.columns), put(")");
    if (option.number) put(" " + *option.number);
    for (const std::string& word : option.words) {
      put(" ");
      option.name == "ENCODING" ? literal(word) : put(to_upper(word));
    }
    if (option.text) put(" "), literal(*option.text);
  }
}

void Printer::copy_stdio(const CopyStdio& node) {
  put("COPY ");
  if (node.query) {
    put("(");
    query(*node.query);
    put(")");
  } else {
    name(node.table);
    if (!node.columns.empty()) put(" "), parenthesized(node.columns);
  }
  put(node.from ? " FROM STDIN" : " TO STDOUT");
  if (node.options.empty()) return;
  put(" WITH");
  copy_options(node.options);
}

// ---- Transactions and settings

void Printer::transaction_modes(const TransactionModes& modes) {
  if (modes.isolation) {
    put(" ISOLATION LEVEL ");
    switch (*modes.isolation) {
      case IsolationLevel::kSerializable:
        put("SERIALIZABLE");
        break;
      case IsolationLevel::kRepeatableRead:
        put("REPEATABLE READ");
        break;
      case IsolationLevel::kReadCommitted:
        put("READ COMMITTED");
        break;
      case IsolationLevel::kReadUncommitted:
        put("READ UNCOMMITTED");
        break;
    }
  }
  if (modes.read_only) put(*modes.read_only ? " READ ONLY" : " READ WRITE");
}

void Printer::transaction(const Transaction& node) {
  using Action = Transaction::Action;
  switch (node.action) {
    case Action::kBegin:
      put(node.start ? "START TRANSACTION" : "BEGIN");
      return transaction_modes(node.modes);
    case Action::kCommit:
      return put("COMMIT");
    case Action::kRollback:
      return put("ROLLBACK");
    case Action::kSavepoint:
      put("SAVEPOINT ");
      break;
    case Action::kRollbackTo:
      put("ROLLBACK TO SAVEPOINT ");
      break;
    case Action::kRelease:
      put("RELEASE SAVEPOINT ");
      break;
  }
  identifier(node.savepoint);
}

void Printer::setting_name(std::string_view setting) {
  size_t dot = setting.find('.');
  if (dot != std::string_view::npos) identifier(setting.substr(0, dot)), put("."), setting = setting.substr(dot + 1);
  identifier(setting);
}

void Printer::set_values(const std::vector<SetValue>& values) {
  if (values.empty()) return put("DEFAULT");
  list(values, [&](const SetValue& value) {
    switch (value.kind) {
      case SetValue::Kind::kWord:
        return identifier(value.text);
      case SetValue::Kind::kString:
        return literal(value.text);
      case SetValue::Kind::kNumber:
        return put(value.text);
    }
  });
}

void Printer::setting(const Setting& node) {
  setting_name(node.name);
  put(" TO ");
  set_values(node.values);
}

void Printer::set(const Set& node) {
  put(node.local ? "SET LOCAL " : "SET ");
  switch (node.set_kind) {
    case Set::Kind::kSetting:
      return setting(node.setting);
    case Set::Kind::kSessionAuthorization:
      put("SESSION AUTHORIZATION ");
      return node.user.empty() ? put("DEFAULT") : identifier(node.user);
    case Set::Kind::kTransaction:
      put("TRANSACTION");
      return transaction_modes(node.modes);
    case Set::Kind::kSessionCharacteristics:
      put("SESSION CHARACTERISTICS AS TRANSACTION");
      return transaction_modes(node.modes);
  }
}

void Printer::reset(const Reset& node) {
  put("RESET ");
  switch (node.reset_kind) {
    case Reset::Kind::kSetting:
      return setting_name(node.name);
    case Reset::Kind::kAll:
      return put("ALL");
    case Reset::Kind::kSessionAuthorization:
      return put("SESSION AUTHORIZATION");
    case Reset::Kind::kUse:
      return put("USE");
  }
}

// ---- SHOW

void Printer::show_part(const ShowPart& part, bool text) {
  if (part.parameter > 0) return put("$" + std::to_string(part.parameter));
  text ? literal(part.text) : identifier(part.text);
}

void Printer::show_name(const std::vector<ShowPart>& name) {
  list(name, [&](const ShowPart& part) { show_part(part, false); }, ".");
}

void Printer::show_filters(const ShowObjects& node) {
  if (node.driver_token) put(" DRIVER_TOKEN "), show_part(*node.driver_token, true);
  if (node.like) put(" LIKE "), show_part(*node.like, true);
  std::string_view separator = " WHERE ";
  auto filter = [&](std::string_view column, const std::optional<ShowPart>& pattern) {
    if (!pattern) return;
    put(separator);
    put(column);
    put(" LIKE ");
    show_part(*pattern, true);
    separator = " AND ";
  };
  filter("SCHEMA_NAME", node.schema_like);
  filter("TABLE_NAME", node.table_like);
  filter("COLUMN_NAME", node.column_like);
  if (node.limit) {
    put(" LIMIT ");
    node.limit->parameter > 0 ? show_part(*node.limit, true) : put(node.limit->text);
  }
}

void Printer::show_from(const ShowObjects& node) {
  put(node.from == ShowObjects::From::kDatabase ? " FROM DATABASE "
      : node.from == ShowObjects::From::kSchema ? " FROM SCHEMA "
                                                : " FROM TABLE ");
  show_name(node.name);
}

void Printer::show_args(const ShowObjects& node) {
  if (node.has_args) put("("), list(node.args, [&](const ShowPart& part) { show_part(part, true); }), put(")");
}

void Printer::show_grants(const ShowObjects& node) {
  using From = ShowObjects::From;
  put("GRANTS");
  if (node.from != From::kNothing) {
    put(node.on_tables                 ? " ON TABLES FROM DATABASE "
        : node.from == From::kTable    ? " ON TABLE "
        : node.from == From::kSchema   ? " ON SCHEMA "
        : node.from == From::kDatabase ? " ON DATABASE "
        : node.from == From::kFunction ? " ON FUNCTION "
                                       : " ON PROCEDURE ");
    show_name(node.name);
    show_args(node);
  }
  if (node.for_principal) {
    put(node.principal_kind == From::kRole ? " FOR ROLE " : node.principal_kind == From::kGroup ? " FOR GROUP " : " FOR USER ");
    show_part(*node.for_principal, false);
    if (!node.in_database.text.empty() || node.in_database.parameter > 0)
      put(" FROM DATABASE "), show_part(node.in_database, false);
  }
}

void Printer::show_objects(const ShowObjects& node) {
  using Kind = ShowObjects::Kind;
  put("SHOW ");
  auto policies = [&](std::string_view what) {
    put(what);
    if (!node.name.empty()) put(" ON "), show_name(node.name);
  };
  switch (node.show) {
    case Kind::kDatabases:
      put("DATABASES");
      break;
    case Kind::kSchemas:
      put("SCHEMAS"), show_from(node);
      break;
    case Kind::kTables:
      put("TABLES"), show_from(node);
      break;
    case Kind::kColumns:
      put("COLUMNS"), show_from(node);
      break;
    case Kind::kPrimaryKeys:
      put("CONSTRAINTS PRIMARY KEYS"), show_from(node);
      break;
    case Kind::kForeignKeys:
      put("CONSTRAINTS FOREIGN KEYS"), show_from(node);
      break;
    case Kind::kExportedKeys:
      put("CONSTRAINTS FOREIGN KEYS EXPORTED"), show_from(node);
      break;
    case Kind::kGrants:
      show_grants(node);
      break;
    case Kind::kColumnGrants:
      put("COLUMN GRANTS ON TABLE "), show_name(node.name);
      break;
    case Kind::kProcedures:
      put("PROCEDURES"), show_from(node);
      break;
    case Kind::kFunctions:
      put("FUNCTIONS"), show_from(node);
      break;
    case Kind::kParametersOfProcedure:
    case Kind::kParametersOfFunction:
      put(node.show == Kind::kParametersOfProcedure ? "PARAMETERS OF PROCEDURE " : "PARAMETERS OF FUNCTION ");
      show_name(node.name);
      show_args(node);
      break;
    case Kind::kTable:
      put("TABLE "), show_name(node.name);
      break;
    case Kind::kView:
      put("VIEW "), show_name(node.name);
      break;
    case Kind::kProcedure:
      put("PROCEDURE "), show_name(node.name), show_args(node);
      break;
    case Kind::kRlsPolicies:
      policies("RLS POLICIES");
      break;
    case Kind::kMaskingPolicies:
      policies("MASKING POLICIES");
      break;
    case Kind::kPolicies:
      policies("POLICIES");
      break;
  }
  show_filters(node);
}

// ---- Prepared statements, maintenance

void Printer::prepare(const Prepare& node) {
  put("PREPARE ");
  identifier(node.name.text);
  if (!node.types.empty()) put(" ("), list(node.types, [&](const Type& type) { put(type.format()); }), put(")");
  put(" AS ");
  command(*node.statement->command);
}

void Printer::vacuum(const Vacuum& node) {
  put("VACUUM");
  switch (node.mode) {
    case Vacuum::Mode::kFull:
      put(" FULL");
      break;
    case Vacuum::Mode::kSortOnly:
      put(" SORT ONLY");
      break;
    case Vacuum::Mode::kDeleteOnly:
      put(" DELETE ONLY");
      break;
    case Vacuum::Mode::kReindex:
      put(" REINDEX");
      break;
    case Vacuum::Mode::kRecluster:
      put(" RECLUSTER");
      break;
  }
  if (!node.table.empty()) put(" "), name(node.table);
  if (node.threshold_percent) put(" TO " + std::to_string(*node.threshold_percent) + " PERCENT");
  if (node.boost) put(" BOOST");
}

void Printer::analyze(const Analyze& node) {
  put(node.compression ? "ANALYZE COMPRESSION" : node.verbose ? "ANALYZE VERBOSE" : "ANALYZE");
  if (!node.table.empty()) put(" "), name(node.table);
  if (!node.columns.empty()) put(" "), parenthesized(node.columns);
  if (node.comprows) put(" COMPROWS "), number(*node.comprows);
  if (node.which == Analyze::Columns::kPredicate) put(" PREDICATE COLUMNS");
  if (node.which == Analyze::Columns::kAll) put(" ALL COLUMNS");
}

}  // namespace redoubt::warehouse::sql
