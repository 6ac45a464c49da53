#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyzer.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;

namespace {

std::string dotted(const sql::ObjectName& n) {
  std::string s;
  if (!n.database.empty()) s += n.database + ".";
  if (!n.schema.empty()) s += n.schema + ".";
  return s + n.name;
}

}  // namespace

std::unexpected<Error> Analyzer::error(const ErrorKind& kind, std::string message, sql::Position position) const {
  Error e{&kind, std::move(message)};
  // Positions inside a view's or default's text would point into the wrong text.
  if (position > 0 && context_.depth == 0) e.more.emplace_back("POSITION", std::to_string(position));
  return std::unexpected(std::move(e));
}

std::unexpected<Error> Analyzer::denied(const Relation& relation) const {
  return fail(kPermissionDenied, "permission denied for relation " + relation.name);
}

Result<void> Analyzer::require(Privilege privilege, const Relation& relation) {
  if (!scope_.catalog.may(context_.user, privilege, relation)) return denied(relation);
  return {};
}

Result<const Relation*> Analyzer::find_relation(const sql::ObjectName& name) {
  const CatalogView& catalog = scope_.catalog;
  auto missing = [&] { return error(kUndefinedTable, "relation \"" + dotted(name) + "\" does not exist", name.position); };
  if (context_.pins) {
    auto key = dotted(name);
    for (auto& [pinned, oid] : *context_.pins) {
      if (pinned != key) continue;
      const Relation* relation = catalog.relation_by_oid(oid);
      if (!relation) return missing();
      return relation;
    }
  }
  if (context_.policy && !context_.defining) return missing();
  const Relation* found = nullptr;
  if (!name.schema.empty()) {
    std::string database = name.database.empty() ? catalog.current_database() : name.database;
    if (!name.database.empty() && !catalog.database_exists(database))
      return error(kUndefinedDatabase, "database \"" + database + "\" does not exist", name.position);
    const Schema* schema = catalog.find_schema(database, name.schema);
    if (!schema) return error(kUndefinedSchema, "schema \"" + name.schema + "\" does not exist", name.position);
    if (!schema->system && !catalog.may_schema(context_.user, Privilege::kUsage, *schema))
      return fail(kPermissionDenied, "permission denied for schema " + schema->name);
    found = catalog.find_relation(*schema, name.name);
  } else {
    for (const Schema* schema : catalog.search_path()) {
      if (!schema->system && !catalog.may_schema(context_.user, Privilege::kUsage, *schema)) continue;
      if ((found = catalog.find_relation(*schema, name.name))) break;
    }
  }
  if (!found) return missing();
  if (context_.defining && context_.depth == 0) {
    sql::ObjectName full;
    full.schema = found->schema;
    full.name = found->name;
    if (found->database != catalog.current_database()) full.database = found->database;
    full.position = name.position;
    pins_[dotted(full)] = found->oid;
    edits_.push_back([target = const_cast<sql::ObjectName*>(&name), full] { *target = full; });
  }
  return found;
}

Result<const Relation*> Analyzer::find_target(const sql::ObjectName& name, const char* verb) {
  TRY(const Relation* relation, find_relation(name));
  switch (relation->kind) {
    case RelationKind::kTable:
      break;
    case RelationKind::kSystem:
      return error(kPermissionDenied, "permission denied: \"" + relation->name + "\" is a system catalog", name.position);
    default:
      return error(kWrongObjectType, std::string("cannot ") + verb + " a view", name.position);
  }
  if (relation->database != scope_.catalog.current_database())
    return error(kNotSupported, "cross-database write to \"" + dotted(name) + "\" is not supported", name.position);
  writes_.insert(relation->oid);
  named_.insert(relation->oid);
  return relation;
}

bool Analyzer::readable(const VisibleColumn& column) const {
  bool ok = true;
  walk(column.expr, [&](const ExprPtr& e) {
    if (e->kind != plan::ExprKind::kColumn) return true;
    auto it = scans_.find(e->relation);
    if (it != scans_.end() && !it->second.whole &&
        !scope_.catalog.may_column(it->second.user, Privilege::kSelect, *it->second.relation, int16_t(e->column)))
      ok = false;
    return true;
  });
  return ok;
}

/// Marks the base columns in `expr` as read, and refuses those that the reader may not read.
Result<void> Analyzer::touch(const ExprPtr& expr) {
  const Relation* refused = nullptr;
  walk(expr, [&](const ExprPtr& e) {
    if (e->kind != plan::ExprKind::kColumn) return true;
    auto it = scans_.find(e->relation);
    if (it == scans_.end()) return true;
    Scan& scan = it->second;
    int16_t attnum = int16_t(e->column);
    if (!scan.whole && !scope_.catalog.may_column(scan.user, Privilege::kSelect, *scan.relation, attnum)) refused = scan.relation;
    scan.used.insert(attnum);
    return true;
  });
  if (refused) return denied(*refused);
  return {};
}

Result<ExprPtr> Analyzer::resolve_alias(Level& level, std::string_view name) {
  if (!level.select) return ExprPtr{};
  for (size_t i = 0; i < std::min(level.alias_limit, level.select->items.size()); i++) {
    if (level.select->items[i].alias != name) continue;
    if (level.binding[i]) continue;
    return bind_item(level, i);
  }
  return ExprPtr{};
}

const VisibleColumn* Analyzer::find_qualified(const std::vector<std::string>& parts, size_t count, const Range** range,
                                              bool* ambiguous) {
  // parts[count-2] is the table, parts[count-1] the column.
  for (Level* level = level_; level; level = level->parent) {
    const Range* match = nullptr;
    for (auto& r : level->ranges) {
      if (r.alias != parts[count - 2]) continue;
      if (count >= 3 && r.schema != parts[count - 3]) continue;
      if (count >= 4 && r.database != parts[count - 4]) continue;
      if (match) {
        *ambiguous = true;
        return nullptr;
      }
      match = &r;
    }
    if (!match) continue;
    *range = match;
    const VisibleColumn* found = nullptr;
    for (auto& c : match->columns) {
      if (c.name != parts[count - 1]) continue;
      if (found) {
        *ambiguous = true;
        return nullptr;
      }
      found = &c;
    }
    return found;
  }
  return nullptr;
}

std::unexpected<Error> Analyzer::no_column(const sql::ColumnRef& ref) {
  std::vector<std::string> tables;
  if (level_)
    for (auto& r : level_->ranges)
      if (!r.alias.empty()) tables.push_back(r.alias);
  std::string where = tables.empty() ? "" : " in " + join(tables, ", ");
  return error(kUndefinedColumn, "column \"" + ref.parts.back() + "\" does not exist" + where, ref.position);
}

/// The column a plain reference means, for its origin; null if it is anything else.
const VisibleColumn* Analyzer::origin_of(const sql::ColumnRef& ref) {
  if (ref.parts.size() > 1) {
    const Range* range = nullptr;
    bool ambiguous = false;
    return find_qualified(ref.parts, ref.parts.size(), &range, &ambiguous);
  }
  for (Level* level = level_; level; level = level->parent)
    for (auto& c : level->columns)
      if (c.name == ref.parts[0]) return &c;
  return nullptr;
}

Result<ExprPtr> Analyzer::resolve(const sql::ColumnRef& ref) {
  auto ambiguous_error = [&](const std::string& name) {
    return error(kAmbiguousColumn, "column reference \"" + name + "\" is ambiguous", ref.position);
  };
  auto path = [&](ExprPtr base, size_t from) -> Result<ExprPtr> {
    for (size_t i = from; i < ref.parts.size(); i++) {
      if (!base->type.is(sql::TypeKind::kSuper)) return no_column(ref);
      base = make_call("super_field", sql::TypeKind::kSuper, {base, make_text(ref.parts[i])});
    }
    return base;
  };
  // The longest qualified reading first, then shorter ones with a SUPER path after them.
  const Range* range = nullptr;
  for (size_t count = std::min<size_t>(ref.parts.size(), 4); count >= 2; count--) {
    bool ambiguous = false;
    auto* column = find_qualified(ref.parts, count, &range, &ambiguous);
    if (ambiguous) return ambiguous_error(ref.parts[count - 1]);
    if (!column) continue;
    TRY_VOID(touch(column->expr));
    return path(column->expr, count);
  }
  const std::string& name = ref.parts[0];
  // An unnested array element is range and column at once: e.name reads a member of e.
  bool element = range && range->columns.size() == 1 && range->columns[0].name == range->alias && range->alias == name &&
                 range->columns[0].expr->type.is(sql::TypeKind::kSuper);
  if (ref.parts.size() == 1 || !range || element) {
    for (Level* level = level_; level; level = level->parent) {
      const VisibleColumn* found = nullptr;
      for (auto& c : level->columns) {
        if (c.name != name) continue;
        if (found && found->expr != c.expr) return ambiguous_error(name);
        found = &c;
      }
      if (found) {
        TRY_VOID(touch(found->expr));
        return path(found->expr, 1);
      }
      TRY(ExprPtr alias, resolve_alias(*level, name));
      if (alias) {
        if (level != level_) {
          return error(kNotSupported, "reference to the select alias \"" + name + "\" of an outer query is not supported",
                       ref.position);
        }
        return path(alias, 1);
      }
    }
  }
  if (ref.parts.size() > 1 && !range)
    return error(kUndefinedTable, "missing FROM-clause entry for table \"" + ref.parts[ref.parts.size() - 2] + "\"",
                 ref.position);
  if (range)
    return error(kUndefinedColumn, "column \"" + ref.parts.back() + "\" does not exist in " + range->alias, ref.position);
  return no_column(ref);
}

}  // namespace redoubt::warehouse::secure
