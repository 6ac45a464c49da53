#include "warehouse/secure/analyze.h"

#include "warehouse/secure/analyzer.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using TK = sql::TypeKind;

namespace {
/// Nodes of one statement, counted as a tree: what aliases used many times may grow to.
constexpr uint64_t kWeightMax = 400000;
}  // namespace

Analyzer::Analyzer(const Scope& scope, std::span<const sql::Type> declared)
    : scope_(scope), parameters_(declared.begin(), declared.end()) {
  context_.user = scope.catalog.current_user();
}

Result<void> Analyzer::check_weight(uint64_t weight) const {
  if (weight > kWeightMax) return fail(kTooComplex, "the statement is too complex");
  return {};
}

Result<plan::Statement> Analyzer::run(const sql::Command& command) {
  switch (command.kind) {
    case sql::CommandKind::kSelect: {
      out_.kind = plan::StatementKind::kSelect;
      TRY(out_.query, bind_query(*sql::as<sql::SelectCommand>(command).query, nullptr));
      out_.query = with_reg_names(std::move(out_.query));
      out_.columns = out_.query->outputs;
      break;
    }
    case sql::CommandKind::kDeclareCursor: {
      out_.kind = plan::StatementKind::kSelect;
      TRY(out_.query, bind_query(*sql::as<sql::DeclareCursor>(command).query, nullptr));
      out_.query = with_reg_names(std::move(out_.query));
      out_.columns = out_.query->outputs;
      break;
    }
    case sql::CommandKind::kInsert:
      TRY_VOID(bind_insert(sql::as<sql::Insert>(command)));
      break;
    case sql::CommandKind::kUpdate:
      TRY_VOID(bind_update(sql::as<sql::Update>(command)));
      break;
    case sql::CommandKind::kDelete:
      TRY_VOID(bind_delete(sql::as<sql::Delete>(command)));
      break;
    case sql::CommandKind::kMerge:
      TRY_VOID(bind_merge(sql::as<sql::Merge>(command)));
      break;
    case sql::CommandKind::kCreateTableAs:
      TRY_VOID(bind_create_table_as(sql::as<sql::CreateTableAs>(command)));
      break;
    case sql::CommandKind::kCreateView:
      TRY_VOID(bind_create_view(sql::as<sql::CreateView>(command)));
      break;
    case sql::CommandKind::kExplain:
      return run(*sql::as<sql::Explain>(command).command);
    default:
      return fail(kNotSupported, "this command has no plan");
  }
  TRY_VOID(finish_statement());
  return std::move(out_);
}

/// regclass and its kin reach a client as names. Sorting stays by oid.
plan::QueryPtr Analyzer::with_reg_names(plan::QueryPtr query) {
  auto named = [](const sql::Type& t) {
    return type_class(t) == TypeClass::kOid && !t.is(TK::kOid) && !t.is(TK::kXid) && !t.is(TK::kTid) && !t.is(TK::kCid);
  };
  bool any = false;
  for (auto& o : query->outputs) any |= named(o.type);
  if (!any) return query;
  auto out = std::make_shared<plan::Query>();
  if (query->kind == plan::Query::Kind::kSelect && !query->select.distinct) {
    *out = *query;
  } else {
    auto from = make_leaf(plan::FromKind::kQuery);
    from->query = query;
    out->outputs = query->outputs;
    out->select.from = from;
    for (size_t i = 0; i < query->outputs.size(); i++)
      out->select.outputs.push_back(make_column(from->id, int(i + 1), query->outputs[i].type));
  }
  for (size_t i = 0; i < out->outputs.size(); i++) {
    if (!named(out->outputs[i].type)) continue;
    auto text = convert(out->select.outputs[i], sql::Type::varchar(), Conversion::kExplicit);
    if (!text) text = make_cast(out->select.outputs[i], TK::kOid, plan::Coercion::kExplicit);  // no names to be had: the number
    for (auto& k : out->order_by)
      if (k.output == int(i + 1)) k.output = 0, k.expr = out->select.outputs[i];
    out->select.outputs[i] = *text;
    out->outputs[i].type = (*text)->type;
  }
  return out;
}

Result<void> Analyzer::finish_statement() {
  TRY_VOID(authorise());
  for (auto& [id, scan] : scans_) {
    std::vector<plan::ScanColumn> columns;
    for (auto& c : scan.relation->columns)
      if (scan.used.contains(c.attnum)) columns.push_back({c.attnum, c.type});
    if (id == out_.target.id && out_.target.relation == scan.relation->oid) out_.target.readable = columns;
    if (scan.from) scan.from->columns = std::move(columns);
  }
  for (auto& t : parameters_)
    if (t.is(TK::kUnknown)) t = sql::Type::varchar();
  out_.parameters = parameters_;
  out_.reads.assign(reads_.begin(), reads_.end());
  out_.writes.assign(writes_.begin(), writes_.end());
  out_.views.assign(views_.begin(), views_.end());
  return {};
}

Result<plan::Statement> analyze(const sql::Command& command, const Scope& scope, std::span<const sql::Type> declared_parameters) {
  return Analyzer(scope, declared_parameters).run(command);
}

Result<plan::Statement> analyze(const sql::Statement& ast, const Scope& scope, std::span<const sql::Type> declared_parameters) {
  return analyze(*ast.command, scope, declared_parameters);
}

}  // namespace redoubt::warehouse::secure
