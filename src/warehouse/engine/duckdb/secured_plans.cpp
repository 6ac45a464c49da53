#include "warehouse/engine/duckdb/secured_plans.h"

#include <duckdb.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/function/function_binder.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression/list.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/operator/list.hpp>
#include <map>
#include <set>

#include "base/text.h"

namespace redoubt::warehouse::engine {
namespace {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::LogicalGet;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using duckdb::LogicalTypeId;

// ---- what a plan reads ------------------------------------------------------------------------------------------------

std::string physical_of(LogicalGet& get) {
  auto table = get.GetTable();
  return table ? table->ParentSchema().name + "." + table->name : "";
}

/// "c3", "rowid" or "?".
std::string column_name(const LogicalGet& get, duckdb::idx_t position) {
  auto& ids = get.GetColumnIds();
  if (position >= ids.size() || ids[position].HasChildren()) return "?";
  if (ids[position].IsVirtualColumn()) return ids[position].GetPrimaryIndex() == duckdb::COLUMN_IDENTIFIER_ROW_ID ? "rowid" : "?";
  return ids[position].GetPrimaryIndex() < get.names.size() ? get.names[ids[position].GetPrimaryIndex()] : "?";
}

bool reads_rowid_alone(const LogicalGet& get) {
  for (duckdb::idx_t i = 0; i < get.GetColumnIds().size(); i++)
    if (column_name(get, i) != "rowid") return false;
  return true;
}

/// The scan that a chain of filters stands on: the first child, down.
LogicalGet* spine(LogicalOperator& op) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_GET:
      return &op.Cast<LogicalGet>();
    case LogicalOperatorType::LOGICAL_FILTER:
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
      return op.children.empty() ? nullptr : spine(*op.children[0]);
    default:
      return nullptr;
  }
}

// ---- two plans of one condition are the same text -----------------------------------------------------------------------

/// Everything that decides what a subtree computes, with the binder's own numbers replaced by their order.
class Rendering {
 public:
  static std::string of(LogicalOperator& op, const LogicalGet* protected_scan) {
    Rendering r(protected_scan);
    r.number(op);
    r.write(op);
    return r.known_ ? r.out_ : "";
  }

 private:
  explicit Rendering(const LogicalGet* protected_scan) : protected_scan_(protected_scan) {}

  void number(LogicalOperator& op) {
    for (auto index : op.GetTableIndex()) numbers_.try_emplace(index, numbers_.size());
    if (op.type == LogicalOperatorType::LOGICAL_GET) gets_[op.Cast<LogicalGet>().table_index] = &op.Cast<LogicalGet>();
    for (auto& child : op.children) number(*child);
  }

  void put(const std::string& text) { out_ += std::to_string(text.size()) + ":" + text + " "; }

  void write(LogicalOperator& op) {
    put(duckdb::LogicalOperatorToString(op.type));
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_FILTER:
      case LogicalOperatorType::LOGICAL_PROJECTION:
      case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
      case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
      case LogicalOperatorType::LOGICAL_EMPTY_RESULT:
        break;
      case LogicalOperatorType::LOGICAL_GET: {
        auto& get = op.Cast<LogicalGet>();
        if (!get.GetTable() || !get.table_filters.filters.empty() || !get.parameters.empty() || get.ordinality_idx.IsValid() ||
            get.extra_info.sample_options)
          known_ = false;
        put(physical_of(get));
        if (&get == protected_scan_) break;  // its columns are the projection's affair
        for (duckdb::idx_t i = 0; i < get.GetColumnIds().size(); i++) put(column_name(get, i));
        break;
      }
      case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY: {
        auto& aggregate = op.Cast<duckdb::LogicalAggregate>();
        if (!aggregate.grouping_functions.empty() || aggregate.grouping_sets.size() > 1) known_ = false;
        put(std::to_string(aggregate.groups.size()));
        break;
      }
      case LogicalOperatorType::LOGICAL_DISTINCT:
        put(std::to_string(int(op.Cast<duckdb::LogicalDistinct>().distinct_type)));
        break;
      case LogicalOperatorType::LOGICAL_COMPARISON_JOIN: {
        auto& join = op.Cast<duckdb::LogicalComparisonJoin>();
        if (!join.duplicate_eliminated_columns.empty() || join.predicate) known_ = false;
        put(std::to_string(int(join.join_type)));
        for (auto& condition : join.conditions) put(std::to_string(int(condition.comparison)));
        break;
      }
      default:
        known_ = false;
        return;
    }
    size_t count = 0;
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(op, [&](duckdb::unique_ptr<Expression>* e) {
      write(**e);
      count++;
    });
    put(std::to_string(count) + "/" + std::to_string(op.children.size()));
    for (auto& child : op.children) write(*child);
  }

  void write(Expression& e) {
    put(std::to_string(int(e.GetExpressionClass())) + "/" + std::to_string(int(e.GetExpressionType())) + "/" +
        e.return_type.ToString());
    switch (e.GetExpressionClass()) {
      case ExpressionClass::BOUND_COLUMN_REF: {
        auto& ref = e.Cast<duckdb::BoundColumnRefExpression>();
        auto number = numbers_.find(ref.binding.table_index);
        if (number == numbers_.end() || ref.depth != 0) {
          known_ = false;
          return;
        }
        auto get = gets_.find(ref.binding.table_index);
        put(std::to_string(number->second) + "." +
            (get == gets_.end() ? std::to_string(ref.binding.column_index)
                                : column_name(*get->second, ref.binding.column_index)));
        return;
      }
      case ExpressionClass::BOUND_CONSTANT:
        put(e.Cast<duckdb::BoundConstantExpression>().value.ToSQLString());
        return;
      case ExpressionClass::BOUND_FUNCTION: {
        auto& f = e.Cast<duckdb::BoundFunctionExpression>();
        put(f.function.name);
        for (auto& type : f.function.arguments) put(type.ToString());
        break;
      }
      case ExpressionClass::BOUND_AGGREGATE: {
        auto& a = e.Cast<duckdb::BoundAggregateExpression>();
        if (a.order_bys) known_ = false;
        put(a.function.name + (a.IsDistinct() ? "!" : "") + (a.filter ? "?" : ""));
        break;
      }
      case ExpressionClass::BOUND_CAST:
        put(e.Cast<duckdb::BoundCastExpression>().try_cast ? "try" : "cast");
        break;
      case ExpressionClass::BOUND_BETWEEN: {
        auto& b = e.Cast<duckdb::BoundBetweenExpression>();
        put(std::string(b.lower_inclusive ? "[" : "(") + (b.upper_inclusive ? "]" : ")"));
        break;
      }
      case ExpressionClass::BOUND_CASE:
      case ExpressionClass::BOUND_COMPARISON:
      case ExpressionClass::BOUND_CONJUNCTION:
      case ExpressionClass::BOUND_OPERATOR:
        break;
      default:
        known_ = false;
        return;
    }
    size_t count = 0;
    duckdb::ExpressionIterator::EnumerateChildren(e, [&](Expression& child) {
      write(child);
      count++;
    });
    put(std::to_string(count));
  }

  const LogicalGet* protected_scan_;
  std::map<duckdb::idx_t, size_t> numbers_;
  std::map<duckdb::idx_t, LogicalGet*> gets_;
  std::string out_;
  bool known_ = true;
};

// ---- the second line ------------------------------------------------------------------------------------------------------

class Checker {
 public:
  Checker(duckdb::ClientContext& context, StatementState& state, const Refuse& refuse)
      : context_(context), state_(state), refuse_(refuse) {
    for (auto& scan : state.authorised) allowed_[scan.physical];
  }

  void check(duckdb::unique_ptr<LogicalOperator>& plan) {
    LogicalOperator* root = plan.get();
    while (root->type == LogicalOperatorType::LOGICAL_MATERIALIZED_CTE && !root->children.empty())
      root = root->children.back().get();
    duckdb::optional_ptr<duckdb::TableCatalogEntry> target;
    if (root->type == LogicalOperatorType::LOGICAL_UPDATE) target = root->Cast<duckdb::LogicalUpdate>().table;
    if (root->type == LogicalOperatorType::LOGICAL_DELETE) target = root->Cast<duckdb::LogicalDelete>().table;
    if (root->type == LogicalOperatorType::LOGICAL_MERGE_INTO) target = root->Cast<duckdb::LogicalMergeInto>().table;
    if (target) rowids_of_ = target->ParentSchema().name + "." + target->name;
    visit(plan);
    if (!allowed_.contains(rowids_of_)) return;
    std::vector<Expression*> conditions;
    if (!target_ || root->children.size() != 1 || !writes_secured_rows(*root->children[0], conditions))
      refuse_("protected table " + rowids_of_ + " is written without its policies");
  }

  /// Where the authorised projections are.
  const std::vector<duckdb::unique_ptr<LogicalOperator>*>& secured() const { return secured_; }

 private:
  void visit(duckdb::unique_ptr<LogicalOperator>& op) {
    if (op->type == LogicalOperatorType::LOGICAL_PROJECTION) {
      projections_[op->Cast<duckdb::LogicalProjection>().table_index] = op.get();
      if (is_authorised(*op)) {
        secured_.push_back(&op);
        authorised_.insert(op.get());
        return;
      }
    }
    if (op->type == LogicalOperatorType::LOGICAL_GET) check_scan(op->Cast<LogicalGet>());
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(*op, [&](duckdb::unique_ptr<Expression>* e) { visit(**e); });
    for (auto& child : op->children) visit(child);
  }

  void visit(Expression& e) {
    if (e.GetExpressionClass() == ExpressionClass::BOUND_SUBQUERY)
      if (auto& plan = e.Cast<duckdb::BoundSubqueryExpression>().subquery.plan) visit(plan);
    duckdb::ExpressionIterator::EnumerateChildren(e, [&](Expression& child) { visit(child); });
  }

  void check_scan(LogicalGet& get) {
    std::string physical = physical_of(get);
    if (allowed_.contains(physical)) {
      if (physical != rowids_of_ || !reads_rowid_alone(get) || target_)
        refuse_("protected table " + physical + " is read without its policies");
      target_ = &get;
    }
    auto oid = physical.rfind(".t") == std::string::npos ? std::nullopt : parse_int(physical.substr(physical.rfind(".t") + 2));
    if (oid && state_.policy_only.contains(Oid(*oid))) refuse_("table " + physical + " is read outside of the policies that may");
  }

  /// Projection(columns) > the condition > Get, for one of the readers?
  bool is_authorised(LogicalOperator& projection) {
    LogicalGet* get = projection.children.size() == 1 ? spine(*projection.children[0]) : nullptr;
    if (!get || !allowed_.contains(physical_of(*get))) return false;
    if (projection.children[0]->type != LogicalOperatorType::LOGICAL_FILTER) return false;
    std::unordered_set<int64_t> columns;
    for (auto& e : projection.expressions) {
      if (e->GetExpressionClass() != ExpressionClass::BOUND_COLUMN_REF) return false;
      auto& binding = e->Cast<duckdb::BoundColumnRefExpression>().binding;
      if (binding.table_index != get->table_index) return false;
      std::string name = column_name(*get, binding.column_index);
      if (name == "rowid") continue;
      auto attnum = name.size() > 1 && name[0] == 'c' ? parse_int(std::string_view(name).substr(1)) : std::nullopt;
      if (!attnum) return false;
      columns.insert(*attnum);
    }
    std::string found = Rendering::of(*projection.children[0], get);
    if (found.empty()) return false;
    for (auto& scan : state_.authorised) {
      if (scan.physical != physical_of(*get)) continue;
      bool may = true;
      for (auto attnum : columns) may &= scan.columns.contains(attnum);
      if (may && found == expected(scan)) return true;
    }
    return false;
  }

  /// Is the column, carried up unchanged, the rowid of an authorised scan of the table that is written?
  bool is_secured_rowid(const Expression& e) {
    if (e.GetExpressionClass() != ExpressionClass::BOUND_COLUMN_REF) return false;
    auto& binding = e.Cast<duckdb::BoundColumnRefExpression>().binding;
    auto at = projections_.find(binding.table_index);
    if (at == projections_.end() || binding.column_index >= at->second->expressions.size()) return false;
    Expression& from = *at->second->expressions[binding.column_index];
    if (!authorised_.contains(at->second)) return is_secured_rowid(from);
    LogicalGet* get = spine(*at->second->children[0]);
    return get && physical_of(*get) == rowids_of_ &&
           column_name(*get, from.Cast<duckdb::BoundColumnRefExpression>().binding.column_index) == "rowid";
  }

  bool is_target_rowid(const Expression& e) {
    return e.GetExpressionClass() == ExpressionClass::BOUND_COLUMN_REF &&
           e.Cast<duckdb::BoundColumnRefExpression>().binding.table_index == target_->table_index;
  }

  bool joins_secured_rowid(duckdb::ExpressionType comparison, const Expression& left, const Expression& right) {
    return comparison == duckdb::ExpressionType::COMPARE_EQUAL &&
           ((is_target_rowid(left) && is_secured_rowid(right)) || (is_secured_rowid(left) && is_target_rowid(right)));
  }

  /// The rows that UPDATE, DELETE or MERGE gets from the scan of its target are those whose rowid an authorised scan gave:
  /// Filter(rowid = k) > CrossProduct, Filter(mark) > mark join on rowid = k, or a join on rowid = k that adds no other row of
  /// the target's.
  bool writes_secured_rows(LogicalOperator& op, std::vector<Expression*>& conditions) {
    auto is_target = [&](size_t child) { return op.children[child].get() == target_; };
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_FILTER:
        for (auto& e : op.expressions) conditions.push_back(e.get());
        return writes_secured_rows(*op.children[0], conditions);
      case LogicalOperatorType::LOGICAL_PROJECTION:
        conditions.clear();
        return writes_secured_rows(*op.children[0], conditions);
      case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
        if (!is_target(0) && !is_target(1)) return false;
        for (auto* e : conditions)
          if (e->GetExpressionClass() == ExpressionClass::BOUND_COMPARISON) {
            auto& c = e->Cast<duckdb::BoundComparisonExpression>();
            if (joins_secured_rowid(c.GetExpressionType(), *c.left, *c.right)) return true;
          }
        return false;
      case LogicalOperatorType::LOGICAL_COMPARISON_JOIN: {
        auto& join = op.Cast<duckdb::LogicalComparisonJoin>();
        bool joined = false, marked = false;
        for (auto& c : join.conditions) joined |= joins_secured_rowid(c.comparison, *c.left, *c.right);
        for (auto* e : conditions)
          marked |= e->GetExpressionClass() == ExpressionClass::BOUND_COLUMN_REF &&
                    e->Cast<duckdb::BoundColumnRefExpression>().binding.table_index == join.mark_index;
        if (!joined) return false;
        switch (join.join_type) {
          case duckdb::JoinType::MARK:
            return is_target(0) && marked;
          case duckdb::JoinType::INNER:
            return is_target(0) || is_target(1);
          case duckdb::JoinType::LEFT:
            return is_target(1);
          case duckdb::JoinType::RIGHT:
            return is_target(0);
          default:
            return false;
        }
      }
      default:
        return false;
    }
  }

  const std::string& expected(const StatementState::AuthorisedScan& scan) {
    auto& known = allowed_[scan.physical];
    if (!known.empty()) return known;
    duckdb::Parser parser(context_.GetParserOptions());
    parser.ParseQuery(scan.sql);
    if (parser.statements.size() != 1) refuse_("an authorised condition isn't one query");
    auto binder = duckdb::Binder::CreateBinder(context_);
    auto bound = binder->Bind(*parser.statements[0]);
    // Two projections: the query's and the subquery's; the condition is below.
    LogicalOperator* op = bound.plan.get();
    while (op->type == LogicalOperatorType::LOGICAL_PROJECTION && op->children.size() == 1) op = op->children[0].get();
    LogicalGet* get = spine(*op);
    if (!get || op->type != LogicalOperatorType::LOGICAL_FILTER || physical_of(*get) != scan.physical)
      refuse_("an authorised condition has an unknown shape");
    known = Rendering::of(*op, get);
    if (known.empty()) refuse_("an authorised condition holds what can't be compared");
    return known;
  }

  duckdb::ClientContext& context_;
  StatementState& state_;
  const Refuse& refuse_;
  std::map<std::string, std::string> allowed_;  // protected table -> rendering of its condition, made when first asked for
  std::string rowids_of_;
  LogicalGet* target_ = nullptr;                           // the scan of the table that is written, for its rowid
  std::map<duckdb::idx_t, LogicalOperator*> projections_;  // by table index
  std::set<LogicalOperator*> authorised_;
  std::vector<duckdb::unique_ptr<LogicalOperator>*> secured_;
};

// ---- the first line -------------------------------------------------------------------------------------------------------

/// Total functions: no argument makes them fail, and their result is all that they do.
bool is_leak_proof(const std::string& function) {
  static const std::unordered_set<std::string_view> kLeakProof{"lower",  "upper",  "length",  "strlen",
                                                               "prefix", "suffix", "contains"};
  return kLeakProof.contains(function);
}

int integer_digits(LogicalTypeId type) {
  switch (type) {
    case LogicalTypeId::TINYINT:
      return 3;
    case LogicalTypeId::SMALLINT:
      return 5;
    case LogicalTypeId::INTEGER:
      return 10;
    case LogicalTypeId::BIGINT:
      return 19;
    default:
      return 0;
  }
}

/// Casts that succeed for every value.
bool is_leak_proof(const duckdb::LogicalType& from, const duckdb::LogicalType& to) {
  if (from == to) return true;
  int digits = integer_digits(from.id());
  if (digits && integer_digits(to.id())) return integer_digits(to.id()) >= digits;
  if (digits && to.id() == LogicalTypeId::DECIMAL)
    return duckdb::DecimalType::GetWidth(to) - duckdb::DecimalType::GetScale(to) >= digits;
  if (digits) return to.id() == LogicalTypeId::VARCHAR || to.id() == LogicalTypeId::DOUBLE;
  if (from.id() == LogicalTypeId::DECIMAL && to.id() == LogicalTypeId::DECIMAL)
    return duckdb::DecimalType::GetScale(to) >= duckdb::DecimalType::GetScale(from) &&
           duckdb::DecimalType::GetWidth(to) - duckdb::DecimalType::GetScale(to) >=
               duckdb::DecimalType::GetWidth(from) - duckdb::DecimalType::GetScale(from);
  return from.id() == LogicalTypeId::FLOAT && to.id() == LogicalTypeId::DOUBLE;
}

void same(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) { result.Reference(arguments.data[0]); }

duckdb::unique_ptr<duckdb::FunctionData> bind_same(duckdb::ClientContext&, duckdb::ScalarFunction& function,
                                                   duckdb::vector<duckdb::unique_ptr<Expression>>& arguments) {
  function.arguments[0] = arguments[0]->return_type;
  function.SetReturnType(arguments[0]->return_type);
  return nullptr;
}

duckdb::ScalarFunction same_function() {
  duckdb::ScalarFunction f("rs_same", {duckdb::LogicalType::ANY}, duckdb::LogicalType::ANY, same, bind_same);
  f.SetErrorMode(duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR);
  f.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  return f;
}

class Marker {
 public:
  explicit Marker(duckdb::ClientContext& context) : context_(context) {}
  bool knows_all() const { return knows_all_; }

  void mark(LogicalOperator& op) {
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(op, [&](duckdb::unique_ptr<Expression>* e) { mark(*e); });
    for (auto& child : op.children) mark(*child);
  }

 private:
  void mark(duckdb::unique_ptr<Expression>& e) {
    duckdb::ExpressionIterator::EnumerateChildren(*e, [&](duckdb::unique_ptr<Expression>& child) { mark(child); });
    switch (e->GetExpressionClass()) {
      case ExpressionClass::BOUND_FUNCTION: {
        auto& f = e->Cast<duckdb::BoundFunctionExpression>();
        if (!is_leak_proof(f.function.name)) f.function.SetErrorMode(duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR);
        return;
      }
      case ExpressionClass::BOUND_CAST: {
        auto& cast = e->Cast<duckdb::BoundCastExpression>();
        if (cast.child->IsFoldable() || is_leak_proof(cast.child->return_type, cast.return_type)) return;
        std::string alias = e->GetAlias();
        duckdb::vector<duckdb::unique_ptr<Expression>> arguments;
        arguments.push_back(std::move(e));
        e = duckdb::FunctionBinder(context_).BindScalarFunction(same_function(), std::move(arguments));
        e->SetAlias(alias);
        return;
      }
      case ExpressionClass::BOUND_SUBQUERY:
        if (auto& plan = e->Cast<duckdb::BoundSubqueryExpression>().subquery.plan) mark(*plan);
        return;
      case ExpressionClass::BOUND_AGGREGATE:
      case ExpressionClass::BOUND_BETWEEN:
      case ExpressionClass::BOUND_CASE:
      case ExpressionClass::BOUND_COLUMN_REF:
      case ExpressionClass::BOUND_COMPARISON:
      case ExpressionClass::BOUND_CONJUNCTION:
      case ExpressionClass::BOUND_CONSTANT:
      case ExpressionClass::BOUND_OPERATOR:
      case ExpressionClass::BOUND_PARAMETER:
      case ExpressionClass::BOUND_UNNEST:
      case ExpressionClass::BOUND_WINDOW:
        return;
      default:
        knows_all_ = false;
    }
  }

  duckdb::ClientContext& context_;
  bool knows_all_ = true;
};

/// Nothing is pushed through an operator that the optimizer doesn't know; it leaves no trace in the physical plan.
struct Barrier final : duckdb::LogicalExtensionOperator {
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override { return children[0]->GetColumnBindings(); }
  void ResolveTypes() override { types = children[0]->types; }
  duckdb::idx_t EstimateCardinality(duckdb::ClientContext& context) override { return children[0]->EstimateCardinality(context); }
  duckdb::string GetExtensionName() const override { return "redoubt_barrier"; }
  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& generator) override {
    return generator.CreatePlan(*children[0]);
  }
};

}  // namespace

void secure_plan(duckdb::ClientContext& context, StatementState& state, duckdb::unique_ptr<LogicalOperator>& plan,
                 const Refuse& refuse) {
  Checker checker(context, state, refuse);
  checker.check(plan);
  Marker marker(context);
  marker.mark(*plan);
  if (marker.knows_all()) return;
  for (auto* slot : checker.secured()) {
    auto barrier = duckdb::make_uniq<Barrier>();
    barrier->children.push_back(std::move(*slot));
    barrier->ResolveOperatorTypes();
    *slot = std::move(barrier);
  }
}

void register_marks(duckdb::ExtensionLoader& loader) { loader.RegisterFunction(same_function()); }

}  // namespace redoubt::warehouse::engine
