// Values of a procedure: expressions, conversions, assignment; see procedure_call.h.
#include <algorithm>

#include "warehouse/secure/errors.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/procedure_call.h"
#include "warehouse/session/resolve.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::session {

using namespace sql::plpgsql;
using K = sql::TypeKind;

namespace {

constexpr size_t kBytesMax = size_t{64} << 20;  // of all variables of a CALL

/// What a parameter of this type is declared as.
sql::Type bound_as(const sql::Type& type) { return type.is(K::kRefCursor) ? sql::Type::varchar() : type; }

}  // namespace

engine::RowFormat ProcedureCall::exact_format() const {
  engine::RowFormat format = session_.text_format();
  format.extra_float_digits = 3;
  return format;
}

Result<ProcedureCall::Row> ProcedureCall::read_row(engine::ResultStream& stream, int64_t most) {
  Row row{.columns = stream.columns(), .values = {}, .rows = 0};
  std::vector<std::vector<engine::Datum>> rows;
  while (row.rows < most) {
    TRY(auto got, stream.values(most - row.rows, rows, exact_format()));
    row.rows += got.rows;
    if (got.done) break;
  }
  if (!rows.empty()) row.values = std::move(rows[0]);
  return row;
}

Result<int64_t> ProcedureCall::read_away(engine::ResultStream& stream) {
  int64_t count = 0;
  for (;;) {
    std::vector<std::vector<engine::Datum>> rows;
    TRY(auto got, stream.values(1000, rows, exact_format()));
    count += got.rows;
    if (got.done) return count;
    TRY_VOID(session_.check_running());
  }
}

Result<ProcedureCall::Row> ProcedureCall::query_row(StatementPtr statement, std::span<const sql::Type> types,
                                                    std::vector<engine::Parameter> values) {
  Running inner{.statement = std::move(statement), .declared = {types.begin(), types.end()}, .parameters = std::move(values)};
  TRY(Outcome outcome, session_.run_inside(inner, restricted_));
  if (!outcome.stream) return fail(kInternal, "an expression gave no rows");
  TRY(Row row, read_row(*outcome.stream, 2));
  outcome.stream.reset();
  TRY_VOID(session_.apply_effects());
  return row;
}

Result<Value> ProcedureCall::evaluate(const Sql& sql) {
  std::vector<sql::Type> types;
  std::vector<engine::Parameter> values;
  TRY_VOID(bind(sql, types, values));
  // A plain expression is its statement's own; a query is shown in CONTEXT.
  auto& select = sql::as<sql::SelectCommand>(*sql.statement.command).query->select;
  if (!select.from.empty()) sql_text_ = sql.text;
  TRY(Row row, query_row(StatementPtr(top().program, &sql.statement), types, std::move(values)));
  if (row.columns.size() != 1)
    return fail(secure::kSyntaxError, "query \"" + sql.text + "\" returned " + std::to_string(row.columns.size()) + " columns");
  if (row.rows > 1) return fail(secure::kCardinality, "query \"" + sql.text + "\" returned more than one row");
  sql_text_.clear();
  return Value{row.columns[0].type, row.rows ? std::move(row.values[0]) : engine::Datum{}};
}

Result<bool> ProcedureCall::condition(const Sql& sql) {
  TRY(Value value, evaluate(sql));
  TRY(auto datum, convert(value, K::kBoolean));
  return datum && (*datum == "t" || *datum == "true");
}

Result<std::string> ProcedureCall::text_of(const Sql& sql, std::string_view what) {
  TRY(Value value, evaluate(sql));
  TRY(auto datum, convert(value, K::kText));
  if (!datum) return fail(kNullNotAllowed, "cannot " + std::string(what) + " a null querystring");
  return *std::move(datum);
}

Result<void> ProcedureCall::bind(const Sql& sql, std::vector<sql::Type>& types, std::vector<engine::Parameter>& values) {
  for (auto& place : sql.parameters) {
    TRY(Value value, read(place));
    types.push_back(bound_as(value.type));
    values.push_back({std::move(value.datum)});
  }
  return {};
}

Result<Value> ProcedureCall::read(const Place& place) {
  VariableState& state = top().variables[size_t(place.variable)];
  if (place.field.empty()) return state.value;
  auto& name = top().program->body.variables[size_t(place.variable)].name;
  if (!state.shaped) {
    Error error{&kUnassignedRecord, "record \"" + name + "\" is not assigned yet"};
    return fail(std::move(error).with("DETAIL", "The tuple structure of a not-yet-assigned record is indeterminate."));
  }
  for (auto& field : state.fields)
    if (field.name == place.field) return field.value;
  return fail(secure::kUndefinedColumn, "record \"" + name + "\" has no field \"" + place.field + "\"");
}

/// Every change of a variable comes through here: that is what is counted.
Result<void> ProcedureCall::store(engine::Datum& slot, engine::Datum value) {
  size_t before = slot ? slot->size() : 0, after = value ? value->size() : 0;
  if (bytes_ - before + after > kBytesMax)
    return fail(engine::kOutOfMemory, "the variables of a procedure call hold more than 64 MB");
  bytes_ += after - before;
  slot = std::move(value);
  return {};
}

Result<void> ProcedureCall::put(int variable, engine::Datum value) {
  return store(top().variables[size_t(variable)].value.datum, std::move(value));
}

Result<void> ProcedureCall::assign(const Place& place, const Value& value) {
  const Variable& variable = top().program->body.variables[size_t(place.variable)];
  VariableState& state = top().variables[size_t(place.variable)];
  if (!place.field.empty()) {
    if (!state.shaped) return fail(kUnassignedRecord, "record \"" + variable.name + "\" is not assigned yet");
    for (auto& field : state.fields) {
      if (field.name != place.field) continue;
      TRY(auto datum, convert(value, field.value.type));
      return store(field.value.datum, std::move(datum));
    }
    return fail(secure::kUndefinedColumn, "record \"" + variable.name + "\" has no field \"" + place.field + "\"");
  }
  if (variable.name.empty() && variable.type.is(K::kUnknown)) {  // hidden: takes the type it gets
    state.value.type = value.type;
    return put(place.variable, value.datum);
  }
  TRY(auto datum, convert(value, state.value.type));
  if (!datum && variable.not_null)
    return fail(kNullNotAllowed, "null value cannot be assigned to variable \"" + variable.name + "\" declared NOT NULL");
  return put(place.variable, std::move(datum));
}

Result<void> ProcedureCall::assign_row(const Target& target, const Row& row) {
  const Variable& first = top().program->body.variables[size_t(target[0].variable)];
  auto value_of = [&](size_t i) { return Value{row.columns[i].type, row.rows ? row.values[i] : engine::Datum{}}; };
  if (target.size() == 1 && target[0].field.empty() && first.is_record()) {
    VariableState& state = top().variables[size_t(target[0].variable)];
    if (first.kind == Variable::Kind::kRecord) {
      for (auto& field : state.fields) TRY_VOID(store(field.value.datum, std::nullopt));
      state.fields.clear();
      state.shaped = true;
      for (size_t i = 0; i < row.columns.size(); i++) {
        state.fields.push_back({row.columns[i].name, {row.columns[i].type, std::nullopt}});
        TRY_VOID(store(state.fields.back().value.datum, value_of(i).datum));
      }
      return {};
    }
    if (state.fields.size() != row.columns.size())
      return fail(secure::kDatatypeMismatch, "the query's columns do not match row variable \"" + first.name + "\"");
    for (size_t i = 0; i < state.fields.size(); i++) {
      TRY(auto datum, convert(value_of(i), state.fields[i].value.type));
      TRY_VOID(store(state.fields[i].value.datum, std::move(datum)));
    }
    return {};
  }
  if (target.size() != row.columns.size())
    return fail(secure::kDatatypeMismatch, "number of source and target fields in assignment does not match");
  for (size_t i = 0; i < target.size(); i++) TRY_VOID(assign(target[i], value_of(i)));
  return {};
}

/// As an assignment converts: by the engine's cast, through text where there is none, as plpgsql's input functions would.
Result<engine::Datum> ProcedureCall::convert(const Value& value, const sql::Type& to) {
  if (to.is(K::kUnknown)) return value.datum;
  TRY(auto here, convert_here(value, to));
  if (here) return *std::move(here);
  bool text = to.is(K::kVarchar) || to.is(K::kChar) || to.is(K::kText) || to.is(K::kRefCursor);
  sql::Type cast_to = text ? sql::Type::varchar() : to;
  auto cast = [&](const std::string& expression) -> Result<Row> {
    auto& statement = casts_[expression];
    if (!statement) {
      TRY(auto parsed, sql::parse_one("SELECT " + expression));
      statement = std::make_shared<const sql::Statement>(std::move(parsed));
    }
    std::vector<sql::Type> types{bound_as(value.type)};
    std::vector<engine::Parameter> values;
    values.push_back({value.datum});
    return query_row(statement, types, std::move(values));
  };
  std::string name = cast_to.format();
  auto row = cast("CAST($1 AS " + name + ")");
  if (!row && row.error().is(secure::kCannotCoerce)) row = cast("CAST(CAST($1 AS varchar) AS " + name + ")");
  if (!row) return fail(row.error());
  engine::Datum datum = row->rows ? std::move(row->values[0]) : engine::Datum{};
  if (!text) return datum;
  TRY(auto cut, convert_here({sql::Type::varchar(), std::move(datum)}, to));
  return cut.value_or(engine::Datum{});
}

Result<void> ProcedureCall::resolve_type(const Variable& variable, VariableState& state) {
  state.value.type = variable.type;
  if (variable.kind == Variable::Kind::kRecord) {
    for (auto& field : state.fields) TRY_VOID(store(field.value.datum, std::nullopt));
    state.fields.clear();
    state.shaped = false;
  }
  if (variable.like.empty()) return {};
  session_.ensure_transaction();
  auto facts = session_.make_facts();
  sql::ObjectName name = variable.like;
  name.position = 0;
  TRY(Found found, resolve(*facts, *facts->snapshot, name));
  std::vector<VariableState::Field> fields;
  if (found.relation) {
    for (auto& column : found.relation->columns)
      if (!column.dropped) fields.push_back({column.name, {column.type, std::nullopt}});
  } else {
    for (auto& column : found.system->columns) fields.push_back({std::string(column.name), {column.type, std::nullopt}});
  }
  if (variable.kind == Variable::Kind::kRow) {
    for (auto& field : state.fields) TRY_VOID(store(field.value.datum, std::nullopt));
    state.fields = std::move(fields);
    state.shaped = true;
    return {};
  }
  for (auto& field : fields)
    if (field.name == variable.like_column) {
      state.value.type = field.value.type;
      return {};
    }
  return fail(secure::kUndefinedColumn,
              "column \"" + variable.like_column + "\" of relation \"" + variable.like.name + "\" does not exist");
}

}  // namespace redoubt::warehouse::session
