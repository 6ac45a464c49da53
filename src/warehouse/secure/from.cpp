#include <algorithm>

#include "warehouse/secure/analyzer.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using plan::FromKind;

namespace {
constexpr int kViewDepthMax = 32;
}

plan::FromPtr Analyzer::make_leaf(FromKind kind) {
  auto from = std::make_shared<plan::From>();
  from->kind = kind;
  from->id = next_id_++;
  return from;
}

/// A FROM leaf under its alias, its columns renamed as the alias list says.
Result<Bound> Analyzer::leaf(plan::FromPtr from, std::vector<VisibleColumn> columns, const sql::TableRef& ref,
                             std::string alias) {
  if (ref.column_aliases.size() > columns.size())
    return error(kInvalidColumnReference,
                 "table \"" + alias + "\" has " + std::to_string(columns.size()) + " columns available but " +
                     std::to_string(ref.column_aliases.size()) + " columns specified",
                 ref.position);
  for (size_t i = 0; i < ref.column_aliases.size(); i++) columns[i].name = columns[i].origin.name = ref.column_aliases[i];
  Bound bound;
  bound.from = std::move(from);
  bound.columns = columns;
  Range range;
  range.alias = std::move(alias);
  range.columns = std::move(columns);
  bound.ranges.push_back(std::move(range));
  return bound;
}

Result<Bound> Analyzer::bind_from(const sql::TableRef& ref, Level& lateral) {
  switch (ref.kind) {
    case sql::TableRefKind::kTable:
      return bind_table(sql::as<sql::TableName>(ref), lateral);
    case sql::TableRefKind::kSubquery:
      return bind_subquery(sql::as<sql::TableSubquery>(ref), lateral);
    case sql::TableRefKind::kFunction:
      return bind_function(sql::as<sql::TableFunction>(ref), lateral);
    case sql::TableRefKind::kJoin:
      return bind_join(sql::as<sql::Join>(ref), lateral);
  }
  return fail(kNotSupported, "this FROM item is not supported");
}

Result<Bound> Analyzer::bind_table(const sql::TableName& ref, Level& lateral) {
  const auto& name = ref.name;
  if (name.schema.empty()) {
    for (size_t i = context_.ctes.size(); i-- > 0;) {
      if (context_.ctes[i].first != name.name) continue;
      auto from = make_leaf(FromKind::kCte);
      from->cte = context_.ctes[i].second.id;
      std::vector<VisibleColumn> columns;
      int number = 1;
      for (auto& o : context_.cte_outputs[from->cte]) columns.push_back({o.name, make_column(from->id, number++, o.type), o});
      return leaf(from, std::move(columns), ref, ref.alias.empty() ? name.name : ref.alias);
    }
  } else {
    // `FROM t, t.items AS i` and `t.order.items AS i` unnest a SUPER when t is a range to the left.
    const std::string& table = name.database.empty() ? name.schema : name.database;
    for (auto& r : lateral.ranges)
      if (r.alias == table) return bind_unnest(ref, lateral);
  }
  TRY(const Relation* relation, find_relation(name));
  if (!ref.at.empty()) return error(kNotSupported, "AT is only supported for unnested SUPER arrays", ref.position);
  return bind_relation(*relation, ref, name.name);
}

Result<Bound> Analyzer::bind_relation(const Relation& relation, const sql::TableRef& ref, std::string_view name) {
  if (context_.policy) return bind_lookup(relation, ref, name);
  bool whole = scope_.catalog.may(context_.user, Privilege::kSelect, relation);
  if (!whole && std::none_of(relation.columns.begin(), relation.columns.end(), [&](const Column& c) {
        return scope_.catalog.may_column(context_.user, Privilege::kSelect, relation, c.attnum);
      }))
    return denied(relation);
  if (relation.kind == RelationKind::kView || relation.kind == RelationKind::kLateBindingView) return bind_view(relation, ref);

  bool system = relation.kind == RelationKind::kSystem;
  auto from = make_leaf(system ? FromKind::kSystemScan : FromKind::kScan);
  from->relation = relation.oid;
  if (system) {
    from->system_relation = relation.schema + "." + relation.name;
    for (auto& c : relation.columns) from->system_columns.push_back(c.name);
    out_.reads_system = true;
  } else {
    from->physical = relation.physical;
    reads_.insert(relation.oid);
    named_.insert(relation.oid);
    TRY_VOID(secure_scan(relation, *from));
  }
  Scan scan;
  scan.relation = &relation;
  scan.user = context_.user;
  scan.whole = whole;
  scan.from = from;
  scans_[from->id] = std::move(scan);
  std::vector<VisibleColumn> columns;
  for (auto& c : relation.columns) {
    plan::Output o;
    o.name = c.name;
    o.type = c.type;
    o.origin_relation = relation.oid;
    o.origin_attnum = c.attnum;
    o.origin_database = relation.database;
    o.origin_schema = relation.schema;
    o.origin_table = relation.name;
    o.origin_column = c.name;
    o.not_null = c.not_null;
    o.identity = c.identity;
    columns.push_back({c.name, make_column(from->id, c.attnum, c.type), std::move(o)});
  }
  TRY(Bound bound, leaf(from, std::move(columns), ref, ref.alias.empty() ? std::string(name) : ref.alias));
  if (ref.alias.empty()) {
    bound.ranges[0].schema = relation.schema;
    bound.ranges[0].database = relation.database;
  }
  return bound;
}

/// A view is its body as a subquery, bound with its owner's rights and the names it was created with.
Result<Bound> Analyzer::bind_view(const Relation& view, const sql::TableRef& ref) {
  if (view.protected_by_rls) return fail(kNotSupported, "row-level security on view \"" + view.name + "\" is not supported");
  if (context_.depth >= kViewDepthMax) return fail(kTooComplex, "view \"" + view.name + "\" is nested too deeply");
  views_.insert(view.oid);
  Oid reader = context_.user;
  plan::QueryPtr body;
  {
    Context inner;
    inner.user = view.owner;
    inner.pins = view.kind == RelationKind::kView ? &view.pins : nullptr;
    inner.depth = context_.depth + 1;
    Restore<Context> context(context_, std::move(inner));
    Restore<Level*> level(level_, nullptr);
    TRY(sql::QueryPtr ast, sql::parse_query(view.view_sql, sql::ParseOptions::stored()));
    TRY(body, bind_query(*ast, nullptr));
  }
  auto from = make_leaf(FromKind::kQuery);
  from->relation = view.oid;
  std::vector<VisibleColumn> columns;
  if (view.kind == RelationKind::kView) {
    if (view.columns.size() != body->outputs.size())
      return fail(kUndefinedColumn, "view \"" + view.name + "\" no longer matches its tables; create it again");
    std::vector<sql::Type> types;
    for (auto& c : view.columns) types.push_back(c.type);
    TRY(body, coerce_query(std::move(body), types));
  }
  for (size_t i = 0; i < body->outputs.size(); i++) {
    plan::Output o;
    o.name = view.kind == RelationKind::kView ? view.columns[i].name : body->outputs[i].name;
    o.type = body->outputs[i].type;
    o.origin_relation = view.oid;
    o.origin_attnum = int16_t(i + 1);
    o.origin_database = view.database;
    o.origin_schema = view.schema;
    o.origin_table = view.name;
    o.origin_column = o.name;
    columns.push_back({o.name, make_column(from->id, int(i + 1), o.type), o});
  }
  from->query = std::move(body);
  Scan scan;
  scan.relation = &view;
  scan.user = reader;
  scan.whole = scope_.catalog.may(reader, Privilege::kSelect, view);
  scans_[from->id] = std::move(scan);
  TRY(Bound bound, leaf(from, std::move(columns), ref, ref.alias.empty() ? view.name : ref.alias));
  if (ref.alias.empty()) {
    bound.ranges[0].schema = view.schema;
    bound.ranges[0].database = view.database;
  }
  return bound;
}

Result<Bound> Analyzer::bind_subquery(const sql::TableSubquery& ref, Level& lateral) {
  TRY(plan::QueryPtr query, bind_query(*ref.query, ref.lateral ? &lateral : lateral.parent));
  auto from = make_leaf(FromKind::kQuery);
  from->lateral = ref.lateral;
  std::vector<VisibleColumn> columns;
  int number = 1;
  for (auto& o : query->outputs) columns.push_back({o.name, make_column(from->id, number++, o.type), o});
  from->query = std::move(query);
  return leaf(from, std::move(columns), ref, ref.alias);
}

/// FROM f(..): a set-returning function, a relation that pg_catalog offers as one, or a scalar as a row of its own.
Result<Bound> Analyzer::bind_function(const sql::TableFunction& ref, Level& lateral) {
  const auto& call = *ref.call;
  const std::string& name = call.name.name;
  std::string alias = ref.alias.empty() ? name : ref.alias;
  bool catalog_name = call.name.schema.empty() || call.name.schema == "pg_catalog";
  sql::TableName shape;
  shape.position = ref.position;
  shape.column_aliases = ref.column_aliases;
  for (auto& d : ref.column_definitions) shape.column_aliases.push_back(d.name);
  if (catalog_name && call.args.empty() && call.name.database.empty()) {
    const Schema* schema = scope_.catalog.find_schema(scope_.catalog.current_database(), "pg_catalog");
    const Relation* relation = schema ? scope_.catalog.find_relation(*schema, name + "()") : nullptr;
    if (relation) {
      shape.alias = alias;
      return bind_relation(*relation, shape, alias);
    }
  }
  auto from = make_leaf(FromKind::kFunction);
  ExprPtr value;
  {
    Restore<Level*> level(level_, &lateral);
    if (catalog_name && name == "generate_series") {
      TRY(auto args, bind_args(call.args));
      if (args.size() != 2 && args.size() != 3) return no_function(call, args);
      sql::Type type = sql::TypeKind::kInteger;
      for (auto& a : args)
        if (a->type.is(sql::TypeKind::kBigint)) type = sql::TypeKind::kBigint;
      for (auto& a : args) {
        TRY(a, convert(a, type, Conversion::kImplicit, call.position));
      }
      value = make_call("generate_series", type, std::move(args));
    } else if (catalog_name && name == "unnest" && call.args.size() == 1) {
      TRY(auto args, bind_args(call.args));
      if (!args[0]->type.is(sql::TypeKind::kArray)) return no_function(call, args);
      value = make_call("unnest", args[0]->type.element, {args[0]});
    } else {
      TRY(value, bind_call(call));
      TRY(value, finish(value));
      if (value->has_aggregate || value->has_window)
        return error(kGroupingError, "cannot use aggregate function in function expression in FROM", ref.position);
    }
  }
  from->lateral = true;
  from->call = value;
  plan::Output o;
  o.name = ref.alias.empty() || (name != "generate_series" && name != "unnest") ? name : ref.alias;
  o.type = value->type;
  std::vector<VisibleColumn> columns{{o.name, make_column(from->id, 1, o.type), o}};
  return leaf(from, std::move(columns), shape, alias);
}

Result<Bound> Analyzer::bind_unnest(const sql::TableName& ref, Level& lateral) {
  if (!ref.at.empty()) return error(kNotSupported, "AT in a FROM clause that unnests is not supported", ref.position);
  sql::ColumnRef column;
  column.position = ref.position;
  if (!ref.name.database.empty()) column.parts.push_back(ref.name.database);
  column.parts.push_back(ref.name.schema);
  column.parts.push_back(ref.name.name);
  ExprPtr array;
  {
    Restore<Level*> level(level_, &lateral);
    TRY(array, resolve(column));
  }
  if (!array->type.is(sql::TypeKind::kSuper))
    return error(kDatatypeMismatch, "only a column of type super can be unnested, not " + array->type.format(), ref.position);
  auto from = make_leaf(FromKind::kFunction);
  from->lateral = true;
  from->call = make_call("super_unnest", sql::TypeKind::kSuper, {array});
  plan::Output o;
  o.name = ref.alias.empty() ? ref.name.name : ref.alias;
  o.type = sql::TypeKind::kSuper;
  std::vector<VisibleColumn> columns{{o.name, make_column(from->id, 1, o.type), o}};
  return leaf(from, std::move(columns), ref, o.name);
}

Result<Bound> Analyzer::bind_join(const sql::Join& join, Level& lateral) {
  TRY(Bound left, bind_from(*join.left, lateral));
  Level with_left;
  with_left.parent = lateral.parent;
  with_left.ranges = lateral.ranges;
  with_left.columns = lateral.columns;
  with_left.ranges.insert(with_left.ranges.end(), left.ranges.begin(), left.ranges.end());
  with_left.columns.insert(with_left.columns.end(), left.columns.begin(), left.columns.end());
  TRY(Bound right, bind_from(*join.right, with_left));

  Bound out;
  out.from = std::make_shared<plan::From>();
  out.from->kind = FromKind::kJoin;
  out.from->join = static_cast<plan::JoinKind>(join.type);
  out.from->left = left.from;
  out.from->right = right.from;

  if (join.natural || !join.columns.empty()) {
    auto names = join.columns;
    if (join.natural) {
      for (auto& l : left.columns)
        for (auto& r : right.columns)
          if (l.name == r.name) names.push_back({l.name, join.position});
      if (names.empty()) out.from->on = make_boolean(true);
    }
    TRY_VOID(join_using(names, left, right, out));
  } else {
    out.columns = left.columns;
    out.columns.insert(out.columns.end(), right.columns.begin(), right.columns.end());
    if (join.on) {
      Level on;
      on.parent = lateral.parent;
      on.ranges = left.ranges;
      on.ranges.insert(on.ranges.end(), right.ranges.begin(), right.ranges.end());
      on.columns = out.columns;
      Restore<Level*> level(level_, &on);
      TRY(out.from->on, bind_condition(*join.on, Place::kOn, "JOIN/ON"));
    }
  }
  out.ranges = std::move(left.ranges);
  out.ranges.insert(out.ranges.end(), right.ranges.begin(), right.ranges.end());
  if (!join.alias.empty()) {  // (a JOIN b ..) AS x hides a and b
    Range range;
    range.alias = join.alias;
    for (size_t i = 0; i < std::min(join.column_aliases.size(), out.columns.size()); i++)
      out.columns[i].name = join.column_aliases[i];
    range.columns = out.columns;
    out.ranges = {std::move(range)};
  }
  return out;
}

/// USING: each named column once, from the left (the right in a right join, whichever isn't NULL in a full one).
Result<void> Analyzer::join_using(const std::vector<sql::Identifier>& names, Bound& left, Bound& right, Bound& out) {
  auto find = [&](Bound& side, const sql::Identifier& name, const char* which) -> Result<const VisibleColumn*> {
    const VisibleColumn* found = nullptr;
    for (auto& c : side.columns) {
      if (c.name != name.text) continue;
      if (found)
        return error(kAmbiguousColumn, "common column name \"" + name.text + "\" appears more than once in " + which + " table",
                     name.position);
      found = &c;
    }
    if (!found)
      return error(kUndefinedColumn,
                   "column \"" + name.text + "\" specified in USING clause does not exist in " + which + " table", name.position);
    return found;
  };
  std::vector<ExprPtr> conditions;
  auto used = [&](const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](auto& n) { return n.text == name; });
  };
  for (auto& name : names) {
    TRY(auto* l, find(left, name, "left"));
    TRY(auto* r, find(right, name, "right"));
    TRY_VOID(touch(l->expr));
    TRY_VOID(touch(r->expr));
    TRY(ExprPtr equal, comparison("=", l->expr, r->expr, name.position));
    conditions.push_back(std::move(equal));
    VisibleColumn merged = out.from->join == plan::JoinKind::kRight ? *r : *l;
    if (out.from->join == plan::JoinKind::kFull) {
      std::vector<ExprPtr> both{l->expr, r->expr};
      TRY(sql::Type type, unify(both, "JOIN/USING", name.position));
      merged.expr = make_call("coalesce", type, std::move(both));
      merged.origin = plan::Output();
      merged.origin.name = name.text;
      merged.origin.type = type;
    }
    out.columns.push_back(std::move(merged));
  }
  for (auto* side : {&left, &right})
    for (auto& c : side->columns)
      if (!used(c.name)) out.columns.push_back(c);
  if (!conditions.empty()) out.from->on = make_logical(true, std::move(conditions));
  return {};
}

Result<void> Analyzer::bind_from_list(const std::vector<sql::TableRefPtr>& list, Level& level, plan::FromPtr& from) {
  for (auto& ref : list) {
    TRY(Bound bound, bind_from(*ref, level));
    for (auto& r : bound.ranges) {
      for (auto& other : level.ranges)
        if (!r.alias.empty() && other.alias == r.alias && other.schema == r.schema && other.database == r.database)
          return error(kDuplicateAlias, "table name \"" + r.alias + "\" specified more than once", ref->position);
      level.ranges.push_back(r);
    }
    level.columns.insert(level.columns.end(), bound.columns.begin(), bound.columns.end());
    std::function<void(const plan::From&)> collect = [&](const plan::From& f) {
      if (f.kind == FromKind::kJoin) {
        collect(*f.left);
        collect(*f.right);
      } else {
        level.leaves.insert(f.id);
      }
    };
    collect(*bound.from);
    if (!from) {
      from = bound.from;
      continue;
    }
    auto join = std::make_shared<plan::From>();
    join->kind = FromKind::kJoin;
    join->join = plan::JoinKind::kCross;
    join->left = from;
    join->right = bound.from;
    from = join;
  }
  return {};
}

}  // namespace redoubt::warehouse::secure
