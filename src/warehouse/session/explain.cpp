#include "warehouse/session/explain.h"

#include <map>
#include <set>

#include "base/text.h"
#include "warehouse/secure/nodes.h"

namespace redoubt::warehouse::session {

namespace {

namespace plan = secure::plan;
using plan::ExprPtr;

/// What a list of ANDed conditions is made of.
void conjuncts(const ExprPtr& e, std::vector<ExprPtr>& out) {
  if (!e) return;
  if (e->kind == plan::ExprKind::kCall && e->function == "and") {
    for (auto& arg : e->args) conjuncts(arg, out);
    return;
  }
  out.push_back(e);
}

void leaf_ids(const plan::From& f, std::set<int>& out) {
  if (f.kind == plan::FromKind::kJoin) {
    leaf_ids(*f.left, out);
    leaf_ids(*f.right, out);
  } else {
    out.insert(f.id);
  }
}

struct Planner {
  const catalog::Snapshot& snapshot;
  const bool shows_policies;
  std::vector<PlanNode> nodes;
  std::map<int, const plan::From*> leaves;  // by id
  std::map<int, const catalog::Relation*> scanned;
  std::map<int, std::vector<std::string>> cte_columns;

  size_t node(int depth, const std::string& text) {
    nodes.push_back({depth, text + "  (cost=0.00..0.00 rows=1 width=0)", {}});
    return nodes.size() - 1;
  }

  // ---- names

  std::string column_name(int id, int column) const {
    if (auto at = scanned.find(id); at != scanned.end() && at->second) {
      auto* c = at->second->column(int16_t(column));
      return c ? c->name : "";
    }
    auto at = leaves.find(id);
    if (at == leaves.end()) return "";
    const plan::From& f = *at->second;
    size_t i = size_t(column) - 1;
    if (f.kind == plan::FromKind::kQuery && i < f.query->outputs.size()) return f.query->outputs[i].name;
    if (f.kind == plan::FromKind::kSystemScan && i < f.system_columns.size()) return f.system_columns[i];
    if (f.kind == plan::FromKind::kCte)
      if (auto cte = cte_columns.find(f.cte); cte != cte_columns.end() && i < cte->second.size()) return cte->second[i];
    if (f.kind == plan::FromKind::kFunction && f.call) return f.call->function;
    return "";
  }

  std::string relation_name(const plan::From& f) const {
    switch (f.kind) {
      case plan::FromKind::kScan: {
        auto* relation = snapshot.relation(f.relation);
        return relation ? relation->name : "?";
      }
      case plan::FromKind::kSystemScan:
        return f.system_relation.substr(f.system_relation.find('.') + 1);
      case plan::FromKind::kCte:
        return "volt_cte_" + std::to_string(f.cte);
      default:
        return "";
    }
  }

  ColumnNames names(bool qualified) const {
    return [this, qualified](int id, int column) {
      std::string name = column_name(id, column);
      auto at = leaves.find(id);
      std::string relation = qualified && at != leaves.end() ? relation_name(*at->second) : "";
      return relation.empty() ? name : relation + "." + name;
    };
  }

  std::string filter(const std::vector<ExprPtr>& list, const ColumnNames& by) const {
    std::string out;
    for (auto& e : list) out += (out.empty() ? "" : " AND ") + deparse(*e, by);
    return list.size() == 1 ? out : "(" + out + ")";
  }

  // ---- nodes

  void query(const plan::Query& q, int depth) {
    if (q.limit || q.offset) node(depth++, "XN Limit");
    if (!q.order_by.empty()) {
      node(depth++, "XN Merge");
      node(depth++, "XN Network");
      node(depth++, "XN Sort");
    }
    for (auto& cte : q.ctes) {
      auto& columns = cte_columns[cte.id];
      for (auto& output : cte.query->outputs) columns.push_back(output.name);
      node(depth, "XN Subquery Scan volt_cte_" + std::to_string(cte.id));
      query(*cte.query, depth + 1);
    }
    switch (q.kind) {
      case plan::Query::Kind::kSelect:
        select(q.select, depth);
        break;
      case plan::Query::Kind::kSetOp:
        if (q.set_op == plan::SetOp::kUnion) {
          if (!q.all) node(depth++, "XN Unique");
          node(depth++, "XN Append");
        } else {
          node(depth++, q.set_op == plan::SetOp::kIntersect ? "XN SetOp Intersect" : "XN SetOp Except");
        }
        query(*q.left, depth);
        query(*q.right, depth);
        break;
      case plan::Query::Kind::kValues:
        node(depth, "XN Values Scan");
        break;
    }
  }

  void subqueries(const ExprPtr& e, int depth) {
    secure::walk(e, [&](const ExprPtr& inner) {
      if (inner->query) {
        node(depth, "XN SubPlan");
        query(*inner->query, depth + 1);
      }
      return true;
    });
  }

  void select(const plan::Select& s, int depth) {
    if (s.distinct) node(depth++, "XN Unique");
    bool window = false;
    for (auto& output : s.outputs) window |= output->has_window;
    if (window) node(depth++, "XN Window");
    size_t aggregate = 0;
    if (s.grouped) aggregate = node(depth++, s.group_by.empty() ? "XN Aggregate" : "XN HashAggregate");
    if (!s.from) {
      size_t result = node(depth, "XN Result");
      if (s.where) nodes[result].infos.push_back("One-Time Filter: " + deparse(*s.where, names(false)));
      return;
    }
    std::vector<ExprPtr> conditions;
    conjuncts(s.where, conditions);
    std::set<int> ids;
    leaf_ids(*s.from, ids);
    bool qualified = ids.size() > 1;
    from(*s.from, depth, conditions, qualified);
    if (s.having) nodes[aggregate].infos.push_back("Filter: " + deparse(*s.having, names(qualified)));
    for (auto& output : s.outputs) subqueries(output, depth + 1);
    subqueries(s.where, depth + 1);
  }

  /// Takes from `conditions` those that read nothing of this level but the leaves in `ids`.
  static std::vector<ExprPtr> take(std::vector<ExprPtr>& conditions, const std::set<int>& ids) {
    std::vector<ExprPtr> out;
    std::erase_if(conditions, [&](const ExprPtr& e) {
      std::set<int> read;
      secure::walk(e, [&](const ExprPtr& x) {
        if (x->kind == plan::ExprKind::kColumn) read.insert(x->relation);
        return true;
      });
      bool mine = false, others = false;
      for (int id : read) (ids.contains(id) ? mine : others) = true;
      if (!mine || others) return false;
      out.push_back(e);
      return true;
    });
    return out;
  }

  void secure_scan(const catalog::Relation* relation, int secured_id, const ExprPtr& policy, int depth) {
    if (!shows_policies) return;
    scanned[secured_id] = relation;
    size_t scan = node(depth, "XN Seq Scan on " + (relation ? relation->name : "?") + " rls_table");
    nodes[scan].infos.push_back("Filter: " + deparse(*policy, names(false)));
    subqueries(policy, depth + 1);
  }

  void from(const plan::From& f, int depth, std::vector<ExprPtr>& conditions, bool qualified) {
    if (f.kind == plan::FromKind::kJoin) return join(f, depth, conditions, qualified);
    leaves[f.id] = &f;
    if (f.kind == plan::FromKind::kScan) scanned[f.id] = snapshot.relation(f.relation);
    std::string name = relation_name(f);
    std::string text = f.kind == plan::FromKind::kScan
                           ? std::string(f.secured_by ? "XN RLS SecureScan " : "XN Seq Scan on ") + name
                       : f.kind == plan::FromKind::kSystemScan ? "LD Seq Scan on " + name
                       : f.kind == plan::FromKind::kFunction   ? "XN Function Scan"
                       : f.kind == plan::FromKind::kCte        ? "XN Subquery Scan " + name
                                                               : "XN Subquery Scan";
    size_t scan = node(depth, text);
    auto own = take(conditions, {f.id});
    if (f.secured_by) secure_scan(scanned[f.id], f.secured_id, f.secured_by, depth + 1);
    if (f.query) query(*f.query, depth + 1);
    if (!own.empty()) nodes[scan].infos.push_back("Filter: " + filter(own, names(qualified)));
  }

  void join(const plan::From& f, int depth, std::vector<ExprPtr>& conditions, bool qualified) {
    std::vector<ExprPtr> on;
    conjuncts(f.on, on);
    bool inner = f.join == plan::JoinKind::kInner || f.join == plan::JoinKind::kCross;
    if (inner) {
      conditions.insert(conditions.end(), on.begin(), on.end());
      on.clear();
    }
    std::set<int> left, right, both;
    leaf_ids(*f.left, left);
    leaf_ids(*f.right, right);
    both = left;
    both.insert(right.begin(), right.end());
    size_t at = node(depth, "");
    std::vector<ExprPtr> left_conditions, right_conditions;
    if (f.join != plan::JoinKind::kFull && f.join != plan::JoinKind::kRight) left_conditions = take(conditions, left);
    if (f.join != plan::JoinKind::kFull && f.join != plan::JoinKind::kLeft) right_conditions = take(conditions, right);
    auto here = take(conditions, both);
    auto& matching = inner ? here : on;
    from(*f.left, depth + 1, left_conditions, qualified);
    std::vector<std::string> hash, rest;
    bool hashed = false;
    for (auto& e : matching) hashed |= e->kind == plan::ExprKind::kCall && e->function == "eq";
    if (hashed) node(depth + 1, "XN Hash");
    from(*f.right, depth + (hashed ? 2 : 1), right_conditions, qualified);
    ColumnNames sides = [&](int id, int column) {
      return (left.contains(id) ? "\"outer\"." : right.contains(id) ? "\"inner\"." : "") + column_name(id, column);
    };
    for (auto& e : matching) {
      bool eq = e->kind == plan::ExprKind::kCall && e->function == "eq";
      (eq ? hash : rest).push_back(deparse(*e, eq ? sides : names(true)));
    }
    std::string kind = f.join == plan::JoinKind::kLeft    ? "Left "
                       : f.join == plan::JoinKind::kRight ? "Right "
                       : f.join == plan::JoinKind::kFull  ? "Full "
                                                          : "";
    std::string text = hashed ? "XN Hash " + kind + "Join DS_DIST_NONE"
                              : "XN Nested Loop " + kind + (kind.empty() ? "" : "Join ") + "DS_BCAST_INNER";
    nodes[at].text = text + nodes[at].text;
    auto joined = [](const std::vector<std::string>& list) {
      return list.size() == 1 ? list[0] : "(" + redoubt::join(list, " AND ") + ")";
    };
    if (!hash.empty()) nodes[at].infos.push_back("Hash Cond: " + joined(hash));
    if (!rest.empty()) nodes[at].infos.push_back("Join Filter: " + joined(rest));
    if (!inner && !here.empty()) nodes[at].infos.push_back("Filter: " + filter(here, names(true)));
  }
};

}  // namespace

std::vector<PlanNode> plan_nodes(const plan::Statement& statement, const catalog::Snapshot& snapshot, bool shows_policies) {
  Planner p{snapshot, shows_policies, {}, {}, {}, {}};
  int depth = 0;
  auto* target = snapshot.relation(statement.target.relation);
  std::string name = target ? target->name : "?";
  using K = plan::StatementKind;
  if (statement.kind == K::kInsert) p.node(depth++, "XN Insert into " + name);
  if (statement.kind == K::kUpdate) p.node(depth++, "XN Update of " + name);
  if (statement.kind == K::kDelete) p.node(depth++, "XN Delete from " + name);
  if (statement.kind == K::kMerge) p.node(depth++, "XN Merge into " + name);
  bool reads_target = statement.kind == K::kUpdate || statement.kind == K::kDelete || statement.kind == K::kMerge;
  std::vector<ExprPtr> conditions;
  conjuncts(statement.where, conditions);
  if (reads_target) {
    plan::From scan;
    scan.kind = plan::FromKind::kScan;
    scan.id = statement.target.id;
    scan.relation = statement.target.relation;
    scan.secured_by = statement.target.secured_by;
    scan.secured_id = statement.target.secured_id;
    p.from(scan, depth, conditions, false);
    p.leaves.erase(scan.id);
  }
  if (statement.query && (!reads_target || !statement.query->ctes.empty())) {
    if (reads_target) {
      plan::Query ctes;
      ctes.ctes = statement.query->ctes;
      p.query(ctes, depth);
    } else {
      p.query(*statement.query, depth);
    }
  }
  if (statement.from) p.from(*statement.from, depth, conditions, true);
  return p.nodes;
}

std::vector<std::string> explain_lines(const std::vector<PlanNode>& nodes) {
  std::vector<std::string> lines;
  for (auto& node : nodes) {
    std::string indent = node.depth == 0 ? " " : std::string(size_t(node.depth) * 6 - 3, ' ');
    lines.push_back(indent + (node.depth == 0 ? "" : "->  ") + node.text);
    for (auto& info : node.infos) lines.push_back(indent + (node.depth == 0 ? "  " : "      ") + info);
  }
  return lines;
}

}  // namespace redoubt::warehouse::session
