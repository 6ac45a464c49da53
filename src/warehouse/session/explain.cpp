#include "warehouse/session/explain.h"

namespace redoubt::warehouse::session {

namespace {

namespace plan = secure::plan;

struct Printer {
  const catalog::Snapshot& snapshot;
  std::vector<std::string> lines;

  void line(int depth, const std::string& text, bool node = true) {
    std::string indent = depth == 0 ? " " : std::string(size_t(depth) * 6 - 3, ' ') + (node ? "->  " : "      ");
    lines.push_back(indent + text + (node ? "  (cost=0.00..0.00 rows=1 width=0)" : ""));
  }

  void query(const plan::Query& q, int depth) {
    if (q.limit || q.offset) line(depth++, "XN Limit");
    if (!q.order_by.empty()) {
      line(depth++, "XN Merge");
      line(depth++, "XN Network");
      line(depth++, "XN Sort");
    }
    for (auto& cte : q.ctes) {
      line(depth, "XN Subquery Scan volt_cte_" + std::to_string(cte.id));
      query(*cte.query, depth + 1);
    }
    switch (q.kind) {
      case plan::Query::Kind::kSelect:
        select(q.select, depth);
        break;
      case plan::Query::Kind::kSetOp:
        if (q.set_op == plan::SetOp::kUnion) {
          if (!q.all) line(depth++, "XN Unique");
          line(depth++, "XN Append");
        } else {
          line(depth++, q.set_op == plan::SetOp::kIntersect ? "XN SetOp Intersect" : "XN SetOp Except");
        }
        query(*q.left, depth);
        query(*q.right, depth);
        break;
      case plan::Query::Kind::kValues:
        line(depth, "XN Values Scan");
        break;
    }
  }

  void select(const plan::Select& s, int depth) {
    if (s.distinct) line(depth++, "XN Unique");
    bool window = false;
    for (auto& output : s.outputs) window |= output->has_window;
    if (window) line(depth++, "XN Window");
    if (s.grouped) line(depth++, s.group_by.empty() ? "XN Aggregate" : "XN HashAggregate");
    if (!s.from) {
      line(depth, "XN Result");
      return;
    }
    from(*s.from, depth);
    if (s.where && s.from->kind != plan::FromKind::kJoin) line(depth + 1, "Filter: user predicate", false);
  }

  void from(const plan::From& f, int depth) {
    switch (f.kind) {
      case plan::FromKind::kScan: {
        auto* relation = snapshot.relation(f.relation);
        line(depth, std::string(f.secured_by ? "XN RLS SecureScan " : "XN Seq Scan on ") + (relation ? relation->name : "?"));
        break;
      }
      case plan::FromKind::kSystemScan:
        line(depth, "LD Seq Scan on " + f.system_relation.substr(f.system_relation.find('.') + 1));
        break;
      case plan::FromKind::kQuery:
        line(depth, "XN Subquery Scan");
        query(*f.query, depth + 1);
        break;
      case plan::FromKind::kCte:
        line(depth, "XN Subquery Scan volt_cte_" + std::to_string(f.cte));
        break;
      case plan::FromKind::kFunction:
        line(depth, "XN Function Scan");
        break;
      case plan::FromKind::kJoin: {
        const char* kind = f.join == plan::JoinKind::kLeft    ? "XN Hash Left Join DS_DIST_NONE"
                           : f.join == plan::JoinKind::kRight ? "XN Hash Right Join DS_DIST_NONE"
                           : f.join == plan::JoinKind::kFull  ? "XN Hash Full Join DS_DIST_NONE"
                           : f.on                             ? "XN Hash Join DS_DIST_NONE"
                                                              : "XN Nested Loop DS_BCAST_INNER";
        line(depth, kind);
        from(*f.left, depth + 1);
        if (f.on) line(++depth, "XN Hash");
        from(*f.right, depth + 1);
        break;
      }
    }
  }
};

}  // namespace

std::vector<std::string> explain_plan(const plan::Statement& statement, const catalog::Snapshot& snapshot) {
  Printer p{snapshot, {}};
  int depth = 0;
  auto target = [&] {
    auto* relation = snapshot.relation(statement.target.relation);
    return relation ? relation->name : std::string("?");
  };
  switch (statement.kind) {
    case plan::StatementKind::kInsert:
      p.line(depth++, "XN Insert into " + target());
      break;
    case plan::StatementKind::kUpdate:
      p.line(depth++, "XN Update of " + target());
      break;
    case plan::StatementKind::kDelete:
      p.line(depth++, "XN Delete from " + target());
      break;
    case plan::StatementKind::kMerge:
      p.line(depth++, "XN Merge into " + target());
      break;
    default:
      break;
  }
  if (statement.kind == plan::StatementKind::kUpdate || statement.kind == plan::StatementKind::kDelete)
    p.line(depth, "XN Seq Scan on " + target());
  if (statement.query) p.query(*statement.query, depth);
  if (statement.from) p.from(*statement.from, depth);
  return p.lines;
}

}  // namespace redoubt::warehouse::session
