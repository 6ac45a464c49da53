#include "warehouse/engine/duckdb/host_calls.h"

#include <duckdb.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/statement_state.h"
#include "warehouse/engine/duckdb/values.h"

namespace redoubt::warehouse::engine {
namespace {

/// Ends the statement with an Error of ours.
[[noreturn]] void raise(StatementState& state, Error error) {
  state.raise(std::move(error));
  throw duckdb::InvalidInputException("host call");
}

duckdb::shared_ptr<StatementState> host_state(duckdb::ClientContext& context) {
  auto state = statement_state(context);
  if (!state || !state->host) throw duckdb::InvalidInputException("no host");
  return state;
}

// ---------------------------------------------------------------------------------------------------------- redoubt_system

struct SystemBind final : duckdb::TableFunctionData {
  std::string relation;
  std::vector<SystemColumn> columns;
};

struct SystemScan final : duckdb::GlobalTableFunctionState {
  duckdb::shared_ptr<StatementState> state;
  std::unique_ptr<SystemRows> rows;
  std::vector<duckdb::column_t> columns;
  std::vector<Datum> row;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_system(duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
                                                     duckdb::vector<duckdb::LogicalType>& types,
                                                     duckdb::vector<std::string>& names) {
  auto state = host_state(context);
  auto data = duckdb::make_uniq<SystemBind>();
  data->relation = input.inputs[0].ToString();
  data->columns = state->host->system_columns(data->relation);
  if (data->columns.empty()) raise(*state, {&kInternal, "system relation " + data->relation + " isn't declared"});
  for (auto& column : data->columns) {
    types.push_back(logical_type(column.type));
    names.push_back(column.name);
  }
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start_system(duckdb::ClientContext& context,
                                                                  duckdb::TableFunctionInitInput& input) {
  auto scan = duckdb::make_uniq<SystemScan>();
  scan->state = host_state(context);
  scan->columns = input.column_ids;
  auto rows = scan->state->host->system_rows(input.bind_data->Cast<SystemBind>().relation);
  if (!rows) raise(*scan->state, std::move(rows).error());
  scan->rows = *std::move(rows);
  return scan;
}

void scan_system(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  auto& bind = input.bind_data->Cast<SystemBind>();
  auto& scan = input.global_state->Cast<SystemScan>();
  duckdb::idx_t n = 0;
  while (scan.rows && n < STANDARD_VECTOR_SIZE) {
    auto more = scan.rows->next(scan.row);
    if (!more) raise(*scan.state, std::move(more).error());
    if (!*more) {
      scan.rows.reset();
      break;
    }
    if (scan.row.size() != bind.columns.size())
      raise(*scan.state, {&kInternal, "system relation " + bind.relation + " gave a row of another width"});
    for (size_t c = 0; c < scan.columns.size(); ++c) {
      if (scan.columns[c] >= bind.columns.size()) continue;  // a row id: count(*)
      auto set = set_text(output.data[c], n, bind.columns[scan.columns[c]].type, scan.row[scan.columns[c]]);
      if (!set) raise(*scan.state, std::move(set).error());
    }
    ++n;
  }
  output.SetCardinality(n);
}

// ------------------------------------------------------------------------------------------------------------ redoubt_host

const secure::HostFunction* find_host(const secure::HostFunctions& functions, std::string_view name, size_t arity) {
  auto paren = name.find('(');
  const secure::HostFunction* found = nullptr;
  for (auto& f : functions.find(name.substr(0, paren))) {
    if (f.arguments.size() != arity) continue;
    if (paren != std::string_view::npos) {
      std::string signature = std::string(f.name) + "(";
      for (size_t i = 0; i < f.arguments.size(); ++i) signature += (i ? ", " : "") + f.arguments[i].base_name();
      if (signature + ")" != name) continue;
    } else if (found != nullptr) {
      return nullptr;  // ambiguous
    }
    found = &f;
  }
  return found;
}

void call_host(duckdb::DataChunk& args, duckdb::ExpressionState& expression, duckdb::Vector& result) {
  auto state = host_state(expression.GetContext());
  auto& functions = state->host->host_functions();
  size_t rows = args.size(), arity = args.ColumnCount() - 1;
  auto& out_valid = duckdb::FlatVector::Validity(result);
  auto* out = duckdb::FlatVector::GetData<duckdb::string_t>(result);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  std::vector<duckdb::UnifiedVectorFormat> columns(args.ColumnCount());
  for (size_t c = 0; c < columns.size(); ++c) args.data[c].ToUnifiedFormat(rows, columns[c]);
  auto text = [&](size_t c, size_t row) -> Datum {
    auto at = columns[c].sel->get_index(row);
    if (!columns[c].validity.RowIsValid(at)) return std::nullopt;
    return duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(columns[c])[at].GetString();
  };
  const secure::HostFunction* function = nullptr;
  std::string last_name;
  std::vector<Datum> values(arity);
  for (size_t row = 0; row < rows; ++row) {
    std::string name = text(0, row).value_or("");
    if (function == nullptr || name != last_name) {
      function = find_host(functions, name, arity);
      if (function == nullptr) raise(*state, {&kInternal, "host function " + name + " isn't declared"});
      last_name = name;
    }
    bool null = false;
    for (size_t c = 0; c < arity; ++c) {
      values[c] = text(c + 1, row);
      null |= !values[c];
    }
    Result<Datum> answer = null && function->strict ? Result<Datum>(std::nullopt) : functions.call(*function, values);
    if (!answer) raise(*state, std::move(answer).error());
    if (*answer)
      out[row] = duckdb::StringVector::AddString(result, **answer);
    else
      out_valid.SetInvalid(row);
  }
}

}  // namespace

void register_host_calls(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "redoubt");
  duckdb::TableFunction system("redoubt_system", {duckdb::LogicalType::VARCHAR}, scan_system, bind_system, start_system);
  system.projection_pushdown = true;
  loader.RegisterFunction(system);
  duckdb::ScalarFunction host("redoubt_host", {duckdb::LogicalType::VARCHAR}, duckdb::LogicalType::VARCHAR, call_host);
  host.varargs = duckdb::LogicalType::VARCHAR;
  host.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  host.SetStability(duckdb::FunctionStability::VOLATILE);  // never folded: the session's answers aren't the engine's to keep
  host.SetErrorMode(duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR);
  loader.RegisterFunction(host);
}

}  // namespace redoubt::warehouse::engine
