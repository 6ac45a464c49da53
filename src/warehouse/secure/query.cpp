#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyzer.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using plan::QueryPtr;

namespace {

std::shared_ptr<plan::Query> mutable_copy(const plan::Query& q) { return std::make_shared<plan::Query>(q); }

bool uses_columns(const ExprPtr& e) {
  bool found = false;
  walk(e, [&](const ExprPtr& n) {
    found |= n->kind == plan::ExprKind::kColumn || n->query;
    return true;
  });
  return found;
}

}  // namespace

Result<QueryPtr> Analyzer::bind_query(const sql::Query& query, Level* parent) {
  size_t ctes_before = context_.ctes.size();
  auto out = std::make_shared<plan::Query>();
  auto bound = [&]() -> Result<void> {
    TRY_VOID(bind_with(query.with, parent, out->ctes));
    switch (query.kind) {
      case sql::Query::Kind::kSelect:
        return bind_select(query, parent, *out);
      case sql::Query::Kind::kSetOperation:
        return bind_set_operation(query, parent, *out);
      case sql::Query::Kind::kValues:
        return bind_values(query, parent, *out);
    }
    return fail(kNotSupported, "this form of query is not supported");
  }();
  context_.ctes.resize(ctes_before);
  TRY_VOID(std::move(bound));
  TRY_VOID(check_weight(weight_of(*out)));
  return out;
}

Result<void> Analyzer::bind_with(const sql::With& with, Level* parent, std::vector<plan::Cte>& out) {
  std::set<std::string> names;
  for (auto& cte : with.ctes) {
    if (!names.insert(cte.name).second)
      return error(kDuplicateAlias, "WITH query name \"" + cte.name + "\" specified more than once", cte.position);
    plan::Cte bound;
    bound.id = next_cte_++;
    bool set_operation = cte.query->kind == sql::Query::Kind::kSetOperation;
    if (with.recursive && set_operation) {
      TRY(bound.query, bind_recursive(cte, parent, bound));
    } else {
      TRY(bound.query, bind_query(*cte.query, parent));
      auto copy = mutable_copy(*bound.query);
      TRY_VOID(name_columns(*copy, cte.columns, cte.name));
      bound.query = copy;
    }
    context_.cte_outputs[bound.id] = bound.query->outputs;
    context_.ctes.emplace_back(cte.name, bound);
    out.push_back(std::move(bound));
  }
  return {};
}

/// WITH RECURSIVE: the left side of UNION ALL gives the columns, the right one may read the CTE itself.
Result<QueryPtr> Analyzer::bind_recursive(const sql::Cte& cte, Level* parent, plan::Cte& out) {
  const auto& q = *cte.query;
  auto result = std::make_shared<plan::Query>();
  TRY(result->left, bind_query(*q.left, parent));
  auto left = mutable_copy(*result->left);
  TRY_VOID(name_columns(*left, cte.columns, cte.name));
  context_.cte_outputs[out.id] = left->outputs;
  context_.ctes.emplace_back(cte.name, out);
  auto right = bind_query(*q.right, parent);
  context_.ctes.pop_back();
  if (!right) return std::unexpected(right.error());
  bool recurs = false;
  std::function<void(const plan::Query&)> search = [&](const plan::Query& query) {
    std::function<void(const plan::From&)> in_from = [&](const plan::From& f) {
      recurs |= f.kind == plan::FromKind::kCte && f.cte == out.id;
      if (f.query) search(*f.query);
      if (f.left) in_from(*f.left);
      if (f.right) in_from(*f.right);
    };
    for (auto& c : query.ctes) search(*c.query);
    if (query.select.from) in_from(*query.select.from);
    if (query.left) search(*query.left);
    if (query.right) search(*query.right);
  };
  search(**right);
  if (!recurs) {  // RECURSIVE was written, but this one isn't
    TRY(QueryPtr plain, bind_query(q, parent));
    auto copy = mutable_copy(*plain);
    TRY_VOID(name_columns(*copy, cte.columns, cte.name));
    return copy;
  }
  if (q.set_operator != sql::SetOperator::kUnion || !q.all)
    return error(kInvalidRecursion,
                 "recursive query \"" + cte.name + "\" must have the form non-recursive-term UNION ALL recursive-term",
                 cte.position);
  if (!q.order_by.empty() || q.limit || q.offset)
    return error(kNotSupported, "ORDER BY, LIMIT and OFFSET in a recursive query are not supported", cte.position);
  if ((*right)->outputs.size() != left->outputs.size())
    return error(kSyntaxError, "each UNION query must have the same number of columns", cte.position);
  std::vector<sql::Type> types;
  for (auto& o : left->outputs) types.push_back(o.type);
  TRY(result->right, coerce_query(std::move(*right), types));
  result->kind = plan::Query::Kind::kSetOp;
  result->all = true;
  result->left = left;
  result->outputs = left->outputs;
  for (auto& o : result->outputs) o.origin_relation = 0, o.origin_attnum = 0, o.not_null = false;
  out.recursive = true;
  return result;
}

Result<void> Analyzer::name_columns(plan::Query& query, const std::vector<std::string>& names, std::string_view what) {
  if (names.size() > query.outputs.size())
    return fail(kInvalidColumnReference, "WITH query \"" + std::string(what) + "\" has " + std::to_string(query.outputs.size()) +
                                             " columns available but " + std::to_string(names.size()) + " columns specified");
  for (size_t i = 0; i < names.size(); i++) query.outputs[i].name = names[i];
  return {};
}

// ---- SELECT ---------------------------------------------------------------------------------------------------------

Result<void> Analyzer::bind_select(const sql::Query& query, Level* parent, plan::Query& out) {
  const sql::Select& select = query.select;
  Level level;
  level.parent = parent;
  Restore<Level*> scope(level_, &level);
  out.kind = plan::Query::Kind::kSelect;
  out.select.distinct = select.distinct;
  TRY_VOID(bind_from_list(select.from, level, out.select.from));
  level.select = &select;
  level.items.resize(select.items.size());
  level.binding.resize(select.items.size());
  TRY_VOID(bind_items(select, level, out));
  level.alias_limit = select.items.size();

  if (select.where) {
    TRY(out.select.where, bind_condition(*select.where, Place::kWhere, "WHERE"));
  }
  TRY_VOID(bind_group_by(select, out));
  if (select.having) {
    TRY(out.select.having, bind_condition(*select.having, Place::kHaving, "HAVING"));
  }
  if (select.qualify) {
    TRY(out.select.qualify, bind_condition(*select.qualify, Place::kQualify, "QUALIFY"));
  }
  TRY_VOID(bind_order_by(query, out));
  TRY_VOID(bind_limit(query, out));

  auto& s = out.select;
  s.grouped |= s.having || (s.qualify && s.qualify->has_aggregate);
  for (auto& e : s.outputs) s.grouped |= e->has_aggregate;
  for (auto& k : out.order_by) s.grouped |= k.expr && k.expr->has_aggregate;
  if (s.grouped) return check_grouping(level, out);
  return {};
}

Result<ExprPtr> Analyzer::bind_item(Level& level, size_t index) {
  if (level.items[index]) return level.items[index];
  const auto& item = level.select->items[index];
  level.binding[index] = true;
  size_t limit = level.alias_limit;
  level.alias_limit = index;
  Restore<Level*> scope(level_, &level);
  auto bound = bind_in(Place::kSelect, *item.expr);
  level.alias_limit = limit;
  level.binding[index] = false;
  if (!bound) return std::unexpected(bound.error());
  TRY(ExprPtr expr, finish(std::move(*bound)));
  TRY_VOID(check_weight(expr->weight));
  level.items[index] = expr;
  return expr;
}

Result<void> Analyzer::bind_items(const sql::Select& select, Level& level, plan::Query& out) {
  // A star of CREATE VIEW is written out in its text: positions of items and what they became.
  std::vector<std::pair<size_t, std::vector<std::vector<std::string>>>> stars;
  for (size_t i = 0; i < select.items.size(); i++) {
    const auto& item = select.items[i];
    if (auto* star = sql::get_if<sql::Star>(item.expr.get())) {
      std::vector<const VisibleColumn*> columns;
      TRY_VOID(expand_star(*star, level, out, columns));
      if (context_.defining && context_.depth == 0) {
        std::vector<std::vector<std::string>> names;
        for (auto* c : columns) {
          // Qualified by the range that holds this very column, so that a new column elsewhere can't make it ambiguous.
          std::vector<std::string> parts{c->name};
          for (auto& r : level.ranges)
            for (auto& rc : r.columns)
              if (parts.size() == 1 && !r.alias.empty() && rc.expr == c->expr && rc.name == c->name)
                parts.insert(parts.begin(), r.alias);
          names.push_back(std::move(parts));
        }
        stars.emplace_back(i, std::move(names));
      }
      continue;
    }
    level.alias_limit = i;
    TRY(ExprPtr expr, bind_item(level, i));
    plan::Output o;
    if (auto* ref = sql::get_if<sql::ColumnRef>(item.expr.get()))
      if (auto* origin = origin_of(*ref); origin && same(*origin->expr, *expr)) o = origin->origin;
    o.name = item.alias.empty() ? output_name(*item.expr) : item.alias;
    o.type = expr->type;
    out.select.outputs.push_back(std::move(expr));
    out.outputs.push_back(std::move(o));
  }
  if (!stars.empty()) {
    edits_.push_back([&target = const_cast<sql::Select&>(select), stars] {
      for (auto it = stars.rbegin(); it != stars.rend(); ++it) {
        std::vector<sql::SelectItem> expanded;
        for (auto& parts : it->second) {
          auto ref = std::make_unique<sql::ColumnRef>();
          ref->parts = parts;
          sql::SelectItem item;
          item.expr = std::move(ref);
          expanded.push_back(std::move(item));
        }
        target.items.erase(target.items.begin() + ptrdiff_t(it->first));
        target.items.insert(target.items.begin() + ptrdiff_t(it->first), std::make_move_iterator(expanded.begin()),
                            std::make_move_iterator(expanded.end()));
      }
    });
  }
  return {};
}

Result<void> Analyzer::expand_star(const sql::Star& star, Level& level, plan::Query& out,
                                   std::vector<const VisibleColumn*>& expanded) {
  const std::vector<VisibleColumn>* columns = &level.columns;
  if (!star.qualifier.empty()) {
    const auto& q = star.qualifier;
    const Range* match = nullptr;
    for (auto& r : level.ranges) {
      if (r.alias != q.back()) continue;
      if (q.size() >= 2 && r.schema != q[q.size() - 2]) continue;
      if (q.size() >= 3 && r.database != q[q.size() - 3]) continue;
      match = &r;
    }
    if (!match) return error(kUndefinedTable, "missing FROM-clause entry for table \"" + q.back() + "\"", star.position);
    columns = &match->columns;
  } else if (level.ranges.empty()) {
    return error(kSyntaxError, "SELECT * with no tables specified is not valid", star.position);
  }
  std::set<std::string> excluded;
  for (auto& name : star.exclude) {
    if (std::none_of(columns->begin(), columns->end(), [&](auto& c) { return c.name == name.text; }))
      return error(kUndefinedColumn, "column \"" + name.text + "\" in the EXCLUDE list does not exist", name.position);
    excluded.insert(name.text);
  }
  bool any = false;
  for (auto& c : *columns) {
    if (excluded.contains(c.name)) continue;
    // Column grants: a star means what the reader may see; a view's owner must be able to read all of it.
    if (!context_.defining && !readable(c)) continue;
    TRY_VOID(touch(c.expr));
    any = true;
    expanded.push_back(&c);
    out.select.outputs.push_back(c.expr);
    out.outputs.push_back(c.origin);
    out.outputs.back().name = c.name;
    out.outputs.back().type = c.expr->type;
  }
  if (!any) return error(kSyntaxError, "the select list is empty", star.position);
  return {};
}

std::string Analyzer::output_name(const sql::Expr& expr) {
  switch (expr.kind) {
    case sql::ExprKind::kColumnRef:
      return sql::as<sql::ColumnRef>(expr).parts.back();
    case sql::ExprKind::kField:
      return sql::as<sql::Field>(expr).name;
    case sql::ExprKind::kSubscript:
      return output_name(*sql::as<sql::Subscript>(expr).base);
    case sql::ExprKind::kFunctionCall: {
      auto& call = sql::as<sql::FunctionCall>(expr);
      if (call.name.name == "extract") return "date_part";
      return call.name.name;
    }
    case sql::ExprKind::kCast: {
      auto& cast = sql::as<sql::Cast>(expr);
      auto inner = output_name(*cast.operand);
      return inner == "?column?" ? std::string(cast.type.type_name()) : inner;
    }
    case sql::ExprKind::kTypedLiteral:
      return std::string(sql::as<sql::TypedLiteral>(expr).type.type_name());
    case sql::ExprKind::kCase: {
      auto& c = sql::as<sql::Case>(expr);
      if (c.otherwise)
        if (auto name = output_name(*c.otherwise); name != "?column?") return name;
      return "case";
    }
    case sql::ExprKind::kArray:
    case sql::ExprKind::kArrayQuery:
      return "array";
    case sql::ExprKind::kLiteral:
      return sql::as<sql::Literal>(expr).value_kind == sql::Literal::Kind::kBoolean ? "bool" : "?column?";
    default:
      return "?column?";
  }
}

// ---- GROUP BY, ORDER BY, LIMIT --------------------------------------------------------------------------------------

namespace {

/// n if the expression is the integer literal n.
std::optional<int64_t> position_literal(const sql::Expr& expr) {
  auto* literal = sql::get_if<sql::Literal>(&expr);
  if (!literal || literal->value_kind != sql::Literal::Kind::kInteger) return std::nullopt;
  return parse_int(literal->text).value_or(INT64_MAX);
}

}  // namespace

/// The index of a GROUP BY expression among the keys; added if it is new.
Result<size_t> Analyzer::grouping_key(const sql::Expr& expr, plan::Query& out) {
  ExprPtr key;
  if (auto position = position_literal(expr)) {
    if (*position < 1 || *position > int64_t(out.outputs.size()))
      return error(kInvalidColumnReference, "GROUP BY position " + std::to_string(*position) + " is not in select list",
                   expr.position);
    key = out.select.outputs[size_t(*position - 1)];
  } else {
    TRY(key, bind_in(Place::kSelect, expr));
    TRY(key, finish(key));
  }
  if (key->has_aggregate) return error(kGroupingError, "aggregates not allowed in GROUP BY clause", expr.position);
  if (key->has_window) return error(kWindowingError, "window functions not allowed in GROUP BY clause", expr.position);
  auto& keys = out.select.group_by;
  for (size_t i = 0; i < keys.size(); i++)
    if (same(*keys[i], *key)) return i;
  keys.push_back(std::move(key));
  return keys.size() - 1;
}

/// The sets of keys one element of GROUP BY stands for: (a, b) one, ROLLUP (a, b) three, CUBE (a, b) four.
Result<Analyzer::GroupingSets> Analyzer::grouping_sets(const sql::GroupingElement& element, plan::Query& out) {
  using Kind = sql::GroupingElement::Kind;
  constexpr size_t kCubeMax = 10;
  GroupingSets sets;
  if (element.kind == Kind::kEmpty) return GroupingSets{{}};
  if (element.kind == Kind::kSets) {
    for (auto& inner : element.elements) {
      TRY(auto more, grouping_sets(inner, out));
      sets.insert(sets.end(), more.begin(), more.end());
    }
    return sets;
  }
  std::vector<std::vector<size_t>> items;  // a Row counts as one item
  for (auto& e : element.exprs) {
    std::vector<size_t> item;
    if (auto* row = sql::get_if<sql::Row>(e.get())) {
      for (auto& part : row->items) {
        TRY(size_t key, grouping_key(*part, out));
        item.push_back(key);
      }
    } else {
      TRY(size_t key, grouping_key(*e, out));
      item.push_back(key);
    }
    items.push_back(std::move(item));
  }
  auto joined = [&](auto wanted) {
    std::vector<size_t> set;
    for (size_t i = 0; i < items.size(); i++)
      if (wanted(i)) set.insert(set.end(), items[i].begin(), items[i].end());
    return set;
  };
  if (element.kind == Kind::kExpr) {
    sets.push_back(joined([](size_t) { return true; }));
  } else if (element.kind == Kind::kRollup) {
    for (size_t n = items.size() + 1; n-- > 0;) sets.push_back(joined([&](size_t i) { return i < n; }));
  } else {
    if (items.size() > kCubeMax) return fail(kTooComplex, "CUBE is limited to " + std::to_string(kCubeMax) + " elements");
    for (size_t mask = size_t(1) << items.size(); mask-- > 0;)
      sets.push_back(joined([&](size_t i) { return (mask >> i & 1) != 0; }));
  }
  return sets;
}

Result<void> Analyzer::bind_group_by(const sql::Select& select, plan::Query& out) {
  auto& s = out.select;
  if (select.group_by_all) {
    s.grouped = true;
    for (auto& e : s.outputs)
      if (!e->has_aggregate && !e->has_window && !is_constant(*e)) s.group_by.push_back(e);
    return {};
  }
  if (select.group_by.empty()) return {};
  s.grouped = true;
  GroupingSets all{{}};
  bool several = false;
  for (auto& element : select.group_by) {
    TRY(auto sets, grouping_sets(element, out));
    several |= element.kind != sql::GroupingElement::Kind::kExpr && element.kind != sql::GroupingElement::Kind::kEmpty;
    GroupingSets product;
    for (auto& before : all)
      for (auto& set : sets) {
        product.push_back(before);
        product.back().insert(product.back().end(), set.begin(), set.end());
      }
    if (product.size() > 4096) return fail(kTooComplex, "too many grouping sets");
    all = std::move(product);
  }
  if (several) s.grouping_sets = std::move(all);
  return {};
}

Result<void> Analyzer::bind_order_by(const sql::Query& query, plan::Query& out) {
  for (auto& item : query.order_by) {
    plan::SortKey key;
    key.descending = item.descending;
    key.nulls_first = item.nulls_first.value_or(item.descending);
    auto set_output = [&](size_t i) { key.output = int(i + 1); };
    if (auto position = position_literal(*item.expr)) {
      if (*position < 1 || *position > int64_t(out.outputs.size()))
        return error(kInvalidColumnReference, "ORDER BY position " + std::to_string(*position) + " is not in select list",
                     item.expr->position);
      set_output(size_t(*position - 1));
    } else if (auto* ref = sql::get_if<sql::ColumnRef>(item.expr.get()); ref && ref->parts.size() == 1) {
      // An output name comes before a column of the same name.
      for (size_t i = 0; i < out.outputs.size(); i++) {
        if (out.outputs[i].name != ref->parts[0]) continue;
        if (key.output && !same(*out.select.outputs[size_t(key.output - 1)], *out.select.outputs[i]))
          return error(kAmbiguousColumn, "ORDER BY \"" + ref->parts[0] + "\" is ambiguous", ref->position);
        if (!key.output) set_output(i);
      }
    }
    if (!key.output) {
      TRY(ExprPtr expr, bind_in(Place::kOrderBy, *item.expr));
      TRY(expr, finish(std::move(expr)));
      for (size_t i = 0; i < out.select.outputs.size() && !key.output; i++)
        if (same(*out.select.outputs[i], *expr)) set_output(i);
      if (!key.output) {
        if (out.select.distinct)
          return error(kInvalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                       item.expr->position);
        if (is_constant(*expr)) continue;  // orders nothing
        key.expr = std::move(expr);
      }
    }
    out.order_by.push_back(std::move(key));
  }
  return {};
}

Result<void> Analyzer::bind_limit(const sql::Query& query, plan::Query& out) {
  auto one = [&](const sql::Expr& expr, const char* clause) -> Result<ExprPtr> {
    Level empty;
    Restore<Level*> level(level_, &empty);
    TRY(ExprPtr e, bind_in(Place::kLimit, expr));
    if (uses_columns(e))
      return error(kInvalidColumnReference, std::string("argument of ") + clause + " must not contain variables", expr.position);
    TRY(e, convert(std::move(e), sql::TypeKind::kBigint, Conversion::kImplicit, expr.position));
    if (is_constant(*e) && e->value && e->value->starts_with('-'))
      return error(kInvalidParameterValue, std::string(clause) + " must not be negative", expr.position);
    return e;
  };
  const sql::Expr* limit = query.limit ? query.limit.get() : query.select.top.get();
  if (query.limit && query.select.top) return error(kSyntaxError, "TOP and LIMIT can't be used together", query.limit->position);
  if (limit) {
    TRY(out.limit, one(*limit, query.limit ? "LIMIT" : "TOP"));
  }
  if (query.offset) {
    TRY(out.offset, one(*query.offset, "OFFSET"));
  }
  return {};
}

// ---- Grouping -------------------------------------------------------------------------------------------------------

Result<void> Analyzer::check_grouping(const Level& level, const plan::Query& query) {
  const auto& s = query.select;
  for (auto& e : s.outputs) TRY_VOID(check_grouped(e, level, s.group_by));
  if (s.having) TRY_VOID(check_grouped(s.having, level, s.group_by));
  if (s.qualify) TRY_VOID(check_grouped(s.qualify, level, s.group_by));
  for (auto& k : query.order_by)
    if (k.expr) TRY_VOID(check_grouped(k.expr, level, s.group_by));
  return {};
}

Result<void> Analyzer::check_grouped(const ExprPtr& expr, const Level& level, const std::vector<ExprPtr>& keys) {
  const plan::Expr* loose = nullptr;
  std::function<void(const ExprPtr&, bool)> check = [&](const ExprPtr& root, bool nested) {
    walk(root, [&](const ExprPtr& e) {
      if (std::any_of(keys.begin(), keys.end(), [&](auto& k) { return same(*k, *e); })) return false;
      if (e->kind == plan::ExprKind::kAggregate && !nested) return false;
      if (e->kind == plan::ExprKind::kColumn && level.leaves.contains(e->relation)) loose = e.get();
      if (e->query) walk_query(*e->query, [&](const ExprPtr& inner) { check(inner, true); });
      return true;
    });
  };
  check(expr, false);
  if (!loose) return {};
  std::string name;
  for (auto& r : level.ranges)
    for (auto& c : r.columns)
      if (c.expr->kind == plan::ExprKind::kColumn && c.expr->relation == loose->relation && c.expr->column == loose->column)
        name = r.alias.empty() ? c.name : r.alias + "." + c.name;
  return fail(kGroupingError, "column \"" + name + "\" must appear in the GROUP BY clause or be used in an aggregate function");
}

// ---- Set operations and VALUES --------------------------------------------------------------------------------------

/// The query with each column converted to the given type (as a UNION needs it).
Result<QueryPtr> Analyzer::coerce_query(QueryPtr query, const std::vector<sql::Type>& types) {
  bool equal = true;
  for (size_t i = 0; i < types.size(); i++) equal = equal && query->outputs[i].type == types[i];
  if (equal) return query;
  bool plain = query->kind == plan::Query::Kind::kSelect && query->order_by.empty() && !query->select.distinct;
  auto out = std::make_shared<plan::Query>();
  if (plain) {
    *out = *query;
    for (size_t i = 0; i < types.size(); i++) {
      TRY(out->select.outputs[i], convert(out->select.outputs[i], types[i], Conversion::kExplicit));
    }
  } else if (query->kind == plan::Query::Kind::kValues && query->order_by.empty()) {
    *out = *query;
    for (auto& row : out->rows)
      for (size_t i = 0; i < types.size(); i++) {
        TRY(row[i], convert(row[i], types[i], Conversion::kExplicit));
      }
  } else {
    auto from = make_leaf(plan::FromKind::kQuery);
    from->query = query;
    out->outputs = query->outputs;
    out->select.from = from;
    for (size_t i = 0; i < types.size(); i++) {
      TRY(ExprPtr e, convert(make_column(from->id, int(i + 1), query->outputs[i].type), types[i], Conversion::kExplicit));
      out->select.outputs.push_back(std::move(e));
    }
  }
  for (size_t i = 0; i < types.size(); i++) out->outputs[i].type = types[i];
  return out;
}

Result<void> Analyzer::bind_set_operation(const sql::Query& query, Level* parent, plan::Query& out) {
  static constexpr const char* kNames[] = {"UNION", "INTERSECT", "EXCEPT"};
  const char* name = kNames[size_t(query.set_operator)];
  out.kind = plan::Query::Kind::kSetOp;
  out.set_op = static_cast<plan::SetOp>(query.set_operator);
  out.all = query.all;
  TRY(out.left, bind_query(*query.left, parent));
  TRY(out.right, bind_query(*query.right, parent));
  if (out.left->outputs.size() != out.right->outputs.size())
    return error(kSyntaxError, std::string("each ") + name + " query must have the same number of columns", query.position);
  std::vector<sql::Type> types;
  for (size_t i = 0; i < out.left->outputs.size(); i++) {
    auto type_of = [&](const plan::Query& q) {
      // A bare NULL or literal takes the other side's type, though finish() made it a varchar.
      if (q.kind == plan::Query::Kind::kSelect && is_constant(*q.select.outputs[i]) &&
          q.outputs[i].type.is(sql::TypeKind::kVarchar))
        return sql::Type();
      return q.outputs[i].type;
    };
    sql::Type both[] = {type_of(*out.left), type_of(*out.right)};
    auto type = common_type(both);
    if (!type)
      return error(kDatatypeMismatch,
                   std::string(name) + " types " + both[0].base_name() + " and " + both[1].base_name() + " cannot be matched",
                   query.position);
    if (both[0].is(sql::TypeKind::kUnknown) && both[1].is(sql::TypeKind::kUnknown)) {
      sql::Type strings[] = {out.left->outputs[i].type, out.right->outputs[i].type};
      type = common_type(strings);
    }
    types.push_back(*type);
  }
  TRY(out.left, coerce_query(out.left, types));
  TRY(out.right, coerce_query(out.right, types));
  for (size_t i = 0; i < types.size(); i++) {
    plan::Output o;
    o.name = out.left->outputs[i].name;
    o.type = types[i];
    out.outputs.push_back(std::move(o));
  }
  for (auto& item : query.order_by) {
    plan::SortKey key;
    key.descending = item.descending;
    key.nulls_first = item.nulls_first.value_or(item.descending);
    if (auto position = position_literal(*item.expr)) {
      if (*position < 1 || *position > int64_t(types.size()))
        return error(kInvalidColumnReference, "ORDER BY position " + std::to_string(*position) + " is not in select list",
                     item.expr->position);
      key.output = int(*position);
    } else if (auto* ref = sql::get_if<sql::ColumnRef>(item.expr.get()); ref && ref->parts.size() == 1) {
      for (size_t i = 0; i < types.size() && !key.output; i++)
        if (out.outputs[i].name == ref->parts[0]) key.output = int(i + 1);
      if (!key.output) return error(kUndefinedColumn, "column \"" + ref->parts[0] + "\" does not exist", ref->position);
    } else {
      return error(kNotSupported, "ORDER BY on a UNION/INTERSECT/EXCEPT result must be on one of the result columns",
                   item.expr->position);
    }
    out.order_by.push_back(std::move(key));
  }
  return bind_limit(query, out);
}

Result<void> Analyzer::bind_values(const sql::Query& query, Level* parent, plan::Query& out) {
  out.kind = plan::Query::Kind::kValues;
  Level level;
  level.parent = parent;
  Restore<Level*> scope(level_, &level);
  size_t width = query.rows[0].size();
  for (auto& row : query.rows) {
    std::vector<ExprPtr> values;
    if (row.size() != width) return error(kSyntaxError, "VALUES lists must all be the same length", query.position);
    for (auto& e : row) {
      TRY(ExprPtr value, bind_in(Place::kValues, *e));
      if (value->has_aggregate) return error(kGroupingError, "aggregates not allowed in VALUES", e->position);
      if (value->has_window) return error(kWindowingError, "window functions not allowed in VALUES", e->position);
      values.push_back(std::move(value));
    }
    out.rows.push_back(std::move(values));
  }
  for (size_t i = 0; i < width; i++) {
    std::vector<ExprPtr> column;
    for (auto& row : out.rows) column.push_back(row[i]);
    TRY(sql::Type type, unify(column, "VALUES", query.position));
    for (size_t r = 0; r < column.size(); r++) out.rows[r][i] = column[r];
    plan::Output o;
    o.name = "column" + std::to_string(i + 1);
    o.type = type;
    out.outputs.push_back(std::move(o));
  }
  for (auto& item : query.order_by) {
    auto position = position_literal(*item.expr);
    auto* ref = sql::get_if<sql::ColumnRef>(item.expr.get());
    plan::SortKey key;
    key.descending = item.descending;
    key.nulls_first = item.nulls_first.value_or(item.descending);
    if (position && *position >= 1 && *position <= int64_t(width)) key.output = int(*position);
    for (size_t i = 0; ref && i < width; i++)
      if (ref->parts.size() == 1 && out.outputs[i].name == ref->parts[0]) key.output = int(i + 1);
    if (!key.output) return error(kNotSupported, "ORDER BY on VALUES must be on one of its columns", item.expr->position);
    out.order_by.push_back(std::move(key));
  }
  return bind_limit(query, out);
}

}  // namespace redoubt::warehouse::secure
