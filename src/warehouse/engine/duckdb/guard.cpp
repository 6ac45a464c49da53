#include "warehouse/engine/duckdb/guard.h"

#include <duckdb.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/planner/expression/bound_aggregate_expression.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/planner/expression/bound_subquery_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/operator/logical_copy_to_file.hpp>
#include <duckdb/planner/operator/logical_delete.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <duckdb/planner/operator/logical_insert.hpp>
#include <duckdb/planner/operator/logical_merge_into.hpp>
#include <duckdb/planner/operator/logical_update.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/database.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/secured_plans.h"
#include "warehouse/engine/duckdb/statement_state.h"

namespace redoubt::warehouse::engine {
namespace {

using duckdb::LogicalOperatorType;

[[noreturn]] void refuse(StatementState& state, const std::string& what) {
  log::error("guard: a statement was refused: " + what);
  state.raise({&kRefusedByGuard, "the statement was refused"});
  throw duckdb::PermissionException("refused");
}

bool allowed(LogicalOperatorType type) {
  switch (type) {
    case LogicalOperatorType::LOGICAL_PROJECTION:
    case LogicalOperatorType::LOGICAL_FILTER:
    case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY:
    case LogicalOperatorType::LOGICAL_WINDOW:
    case LogicalOperatorType::LOGICAL_UNNEST:
    case LogicalOperatorType::LOGICAL_LIMIT:
    case LogicalOperatorType::LOGICAL_ORDER_BY:
    case LogicalOperatorType::LOGICAL_TOP_N:
    case LogicalOperatorType::LOGICAL_DISTINCT:
    case LogicalOperatorType::LOGICAL_GET:
    case LogicalOperatorType::LOGICAL_CHUNK_GET:
    case LogicalOperatorType::LOGICAL_DELIM_GET:
    case LogicalOperatorType::LOGICAL_EXPRESSION_GET:
    case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
    case LogicalOperatorType::LOGICAL_EMPTY_RESULT:
    case LogicalOperatorType::LOGICAL_CTE_REF:
    case LogicalOperatorType::LOGICAL_JOIN:
    case LogicalOperatorType::LOGICAL_DELIM_JOIN:
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_ANY_JOIN:
    case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
    case LogicalOperatorType::LOGICAL_DEPENDENT_JOIN:
    case LogicalOperatorType::LOGICAL_UNION:
    case LogicalOperatorType::LOGICAL_EXCEPT:
    case LogicalOperatorType::LOGICAL_INTERSECT:
    case LogicalOperatorType::LOGICAL_RECURSIVE_CTE:
    case LogicalOperatorType::LOGICAL_MATERIALIZED_CTE:
    case LogicalOperatorType::LOGICAL_INSERT:
    case LogicalOperatorType::LOGICAL_DELETE:
    case LogicalOperatorType::LOGICAL_UPDATE:
    case LogicalOperatorType::LOGICAL_MERGE_INTO:
      return true;
    default:
      return false;
  }
}

bool reaches_out(std::string_view function) {
  static const std::unordered_set<std::string_view> kDenied{"getenv",
                                                            "current_setting",
                                                            "getvariable",
                                                            "read_text",
                                                            "read_blob",
                                                            "write_log",
                                                            "which_secret",
                                                            "current_query",
                                                            "currval",
                                                            "current_database",
                                                            "current_schemas",
                                                            "current_schema",
                                                            "in_search_path",
                                                            "txid_current",
                                                            "parse_duckdb_log_message",
                                                            "current_connection_id",
                                                            "current_query_id",
                                                            "current_transaction_id",
                                                            "version",
                                                            "stats",
                                                            "sleep_ms",
                                                            "setseed",
                                                            "json_serialize_sql",
                                                            "json_deserialize_sql"};
  return kDenied.contains(function);
}

void check_table(StatementState& state, duckdb::TableCatalogEntry& table) {
  auto oid = table.name.size() > 1 && table.name[0] == 't' ? parse_int(std::string_view(table.name).substr(1)) : std::nullopt;
  if (table.ParentCatalog().GetName() != kDatabaseName || !oid || !state.tables.contains(static_cast<Oid>(*oid)))
    refuse(state, "table " + table.ParentSchema().name + "." + table.name + " isn't in its plan");
}

void check_plan(StatementState& state, duckdb::LogicalOperator& op);

void check_expression(StatementState& state, duckdb::Expression& e) {
  switch (e.GetExpressionClass()) {
    case duckdb::ExpressionClass::BOUND_FUNCTION:
      if (reaches_out(e.Cast<duckdb::BoundFunctionExpression>().function.name))
        refuse(state, "function " + e.Cast<duckdb::BoundFunctionExpression>().function.name);
      break;
    case duckdb::ExpressionClass::BOUND_SUBQUERY:
      if (auto& plan = e.Cast<duckdb::BoundSubqueryExpression>().subquery.plan) check_plan(state, *plan);
      break;
    default:
      break;
  }
  duckdb::ExpressionIterator::EnumerateChildren(e, [&](duckdb::Expression& child) { check_expression(state, child); });
}

void check_plan(StatementState& state, duckdb::LogicalOperator& op) {
  // UNLOAD's own COPY TO around a plan: once, on top, and only into bulk transfers' file system.
  if (op.type == LogicalOperatorType::LOGICAL_COPY_TO_FILE && state.writes_files) {
    state.writes_files = false;
    if (!op.Cast<duckdb::LogicalCopyToFile>().file_path.starts_with(kFileScheme)) refuse(state, "COPY TO another file system");
    for (auto& child : op.children) check_plan(state, *child);
    return;
  }
  if (!allowed(op.type)) refuse(state, "operator " + duckdb::LogicalOperatorToString(op.type));
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_GET: {
      auto& get = op.Cast<duckdb::LogicalGet>();
      if (auto table = get.GetTable()) {
        check_table(state, *table);
      } else if (get.function.name != "redoubt_system" && get.function.name != "generate_series" &&
                 get.function.name != "range" && get.function.name != "unnest") {
        refuse(state, "table function " + get.function.name);
      }
      break;
    }
    case LogicalOperatorType::LOGICAL_INSERT:
      check_table(state, op.Cast<duckdb::LogicalInsert>().table);
      break;
    case LogicalOperatorType::LOGICAL_DELETE:
      check_table(state, op.Cast<duckdb::LogicalDelete>().table);
      break;
    case LogicalOperatorType::LOGICAL_UPDATE:
      check_table(state, op.Cast<duckdb::LogicalUpdate>().table);
      break;
    case LogicalOperatorType::LOGICAL_MERGE_INTO:
      check_table(state, op.Cast<duckdb::LogicalMergeInto>().table);
      break;
    default:
      break;
  }
  duckdb::LogicalOperatorVisitor::EnumerateExpressions(
      op, [&](duckdb::unique_ptr<duckdb::Expression>* e) { check_expression(state, **e); });
  for (auto& child : op.children) check_plan(state, *child);
}

void post_bind(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  auto state = statement_state(input.context);
  if (!state || !state->guarded || !statement.plan) return;
  check_plan(*state, *statement.plan);
  if (!state->authorised.empty() || !state->policy_only.empty())
    secure_plan(input.context, *state, statement.plan, [&](const std::string& what) { refuse(*state, what); });
}

}  // namespace

duckdb::shared_ptr<StatementState> statement_state(duckdb::ClientContext& context) {
  return context.registered_state->Get<StatementState>(StatementState::kKey);
}

void register_guard(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = post_bind;
  duckdb::PlannerExtension::Register(config, extension);
}

}  // namespace redoubt::warehouse::engine
