#include "warehouse/session/program.h"

#include <algorithm>

#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::session {

using namespace sql::plpgsql;
using sql::as;

namespace {

class Lowering {
 public:
  Lowering(Program& out, bool nonatomic) : out_(out), nonatomic_(nonatomic) {}

  Result<void> block(const Block& block) {
    emit({.op = Op::kEnterBlock, .node = &block, .line = block.line, .what = "block variables initialization"});
    around_.push_back({.label = block.label});
    size_t push = 0;
    if (block.has_handler) {
      push = emit({.op = Op::kPushHandler, .node = &block});
      around_.back().handler = true;
    }
    TRY_VOID(nodes(block.body));
    if (block.has_handler) {
      emit({.op = Op::kPopHandler});
      size_t over = emit({.op = Op::kJump});
      out_.code[push].target = here();
      around_.back().handler = false;
      around_.back().handling = true;
      TRY_VOID(nodes(block.handler));
      emit({.op = Op::kHandlerEnd});
      out_.code[over].target = here();
    }
    leave();
    return {};
  }

 private:
  /// A block or loop around the current statement.
  struct Around {
    std::string label;
    bool is_loop = false, handler = false, handling = false;
    size_t next = 0;             // loops: where CONTINUE goes
    std::optional<size_t> loop;  // loops that hold state
    std::vector<size_t> exits;   // jumps to its end
  };

  size_t here() const { return out_.code.size(); }
  size_t emit(Instruction instruction) {
    out_.code.push_back(instruction);
    return here() - 1;
  }

  /// The end of the innermost block or loop is here.
  void leave() {
    for (size_t at : around_.back().exits) out_.code[at].target = here();
    around_.pop_back();
  }

  Result<void> nodes(const Nodes& list) {
    for (auto& n : list) TRY_VOID(node(*n));
    return {};
  }

  void simple(Op op, const Node& n, const char* what) { emit({.op = op, .node = &n, .line = n.line, .what = what}); }

  Result<void> node(const Node& n) {
    switch (n.kind) {
      case NodeKind::kBlock:
        return block(as<Block>(n));
      case NodeKind::kAssign:
        simple(Op::kAssign, n, "assignment");
        return {};
      case NodeKind::kIf:
        return choice(as<If>(n));
      case NodeKind::kLoop: {
        auto& loop = as<Loop>(n);
        around_.push_back({.label = loop.label, .is_loop = true, .next = here()});
        TRY_VOID(nodes(loop.body));
        emit({.op = Op::kJump, .target = around_.back().next});
        leave();
        return {};
      }
      case NodeKind::kWhile: {
        auto& loop = as<While>(n);
        around_.push_back({.label = loop.label, .is_loop = true, .next = here()});
        around_.back().exits.push_back(
            emit({.op = Op::kJumpUnless, .node = &n, .sql = loop.condition.get(), .line = n.line, .what = "while"}));
        TRY_VOID(nodes(loop.body));
        emit({.op = Op::kJump, .target = around_.back().next});
        leave();
        return {};
      }
      case NodeKind::kForRange: {
        auto& loop = as<ForRange>(n);
        return counted(n, loop.label, loop.body, Op::kRangeStart, Op::kRangeNext, "for with integer loopvar");
      }
      case NodeKind::kForQuery: {
        auto& loop = as<ForQuery>(n);
        return counted(n, loop.label, loop.body, Op::kQueryStart, Op::kQueryNext,
                       loop.dynamic ? "for over execute statement" : "for over select rows");
      }
      case NodeKind::kExit:
        return exit(as<Exit>(n));
      case NodeKind::kReturn:
        leave_to(0);
        simple(Op::kReturn, n, "return");
        return {};
      case NodeKind::kRaise:
        if (as<Raise>(n).level == Raise::Level::kAgain && !nonatomic_)
          return fail(secure::kNotSupported, "RAISE without parameters is only supported in NONATOMIC stored procedures");
        simple(Op::kRaise, n, "raise");
        return {};
      case NodeKind::kSql:
        simple(Op::kRun, n, as<RunSql>(n).into.empty() ? "SQL statement" : "select into variables");
        return {};
      case NodeKind::kPerform:
        simple(Op::kRun, n, "perform");
        return {};
      case NodeKind::kExecute:
        simple(Op::kRun, n, "execute statement");
        return {};
      case NodeKind::kCall:
        simple(Op::kCall, n, "SQL statement");
        return {};
      case NodeKind::kDiagnostics:
        simple(Op::kDiagnostics, n, "get diagnostics");
        return {};
      case NodeKind::kOpen:
        simple(Op::kOpen, n, "open");
        return {};
      case NodeKind::kFetch:
        simple(Op::kFetch, n, "fetch");
        return {};
      case NodeKind::kClose:
        simple(Op::kClose, n, "close");
        return {};
      case NodeKind::kTransaction:
        if (as<TransactionControl>(n).action == TransactionControl::Action::kStart && !nonatomic_)
          return fail(secure::kNotSupported, "START TRANSACTION is only supported in NONATOMIC stored procedures");
        simple(Op::kTransaction, n, "SQL statement");
        return {};
      case NodeKind::kCaseMissing:
        simple(Op::kCaseMissing, n, "case");
        return {};
      case NodeKind::kNull:
        return {};
    }
    return fail(secure::kNotSupported, "this plpgsql statement is not supported");
  }

  Result<void> choice(const If& n) {
    std::vector<size_t> ends;
    for (auto& branch : n.branches) {
      size_t test = emit({.op = Op::kJumpUnless, .node = &n, .sql = branch.condition.get(), .line = n.line, .what = "if"});
      TRY_VOID(nodes(branch.body));
      ends.push_back(emit({.op = Op::kJump}));
      out_.code[test].target = here();
    }
    TRY_VOID(nodes(n.otherwise));
    for (size_t at : ends) out_.code[at].target = here();
    return {};
  }

  Result<void> counted(const Node& n, const std::string& label, const Nodes& body, Op start, Op next, const char* what) {
    size_t loop = out_.loops++;
    emit({.op = start, .node = &n, .loop = loop, .line = n.line, .what = what});
    around_.push_back({.label = label, .is_loop = true, .next = here(), .loop = loop});
    around_.back().exits.push_back(emit({.op = next, .node = &n, .loop = loop, .line = n.line, .what = what}));
    TRY_VOID(nodes(body));
    emit({.op = Op::kJump, .target = around_.back().next});
    leave();
    emit({.op = Op::kLoopEnd, .loop = loop});
    return {};
  }

  /// Instructions that undo what the blocks and loops inside `depth` hold, innermost first.
  void leave_to(size_t depth) {
    for (size_t i = around_.size(); i > depth; --i) {
      auto& a = around_[i - 1];
      if (a.handling) emit({.op = Op::kHandlerEnd});
      if (a.handler) emit({.op = Op::kPopHandler});
      if (a.loop) emit({.op = Op::kLoopDrop, .loop = *a.loop});
    }
  }

  Result<void> exit(const Exit& n) {
    size_t depth = around_.size();
    while (depth > 0 && !(n.label.empty() ? around_[depth - 1].is_loop : around_[depth - 1].label == n.label)) --depth;
    if (depth == 0) return fail(secure::kSyntaxError, "EXIT cannot leave the procedure's outermost block");
    auto& to = around_[depth - 1];
    std::optional<size_t> test;
    if (n.condition) test = emit({.op = Op::kJumpUnless, .node = &n, .sql = n.condition.get(), .line = n.line, .what = "exit"});
    leave_to(depth);
    if (n.is_continue) {
      emit({.op = Op::kJump, .target = to.next});
    } else {
      if (to.handling) emit({.op = Op::kHandlerEnd});
      if (to.handler) emit({.op = Op::kPopHandler});
      to.exits.push_back(emit({.op = Op::kJump}));
    }
    if (test) out_.code[*test].target = here();
    return {};
  }

  Program& out_;
  bool nonatomic_;
  std::vector<Around> around_;
};

}  // namespace

Result<std::shared_ptr<const Program>> Program::make(Body body, bool nonatomic) {
  auto program = std::make_shared<Program>();
  program->body = std::move(body);
  Lowering lowering(*program, nonatomic);
  TRY_VOID(lowering.block(*program->body.block));
  program->code.push_back({.op = Op::kReturn});
  return std::shared_ptr<const Program>(std::move(program));
}

std::vector<sql::RoutineArg> routine_args(const catalog::Procedure& procedure) {
  using Mode = sql::RoutineArg::Mode;
  std::vector<sql::RoutineArg> args;
  for (auto& a : procedure.arguments) {
    Mode mode = a.mode == catalog::ArgumentMode::kIn    ? Mode::kIn
                : a.mode == catalog::ArgumentMode::kOut ? Mode::kOut
                                                        : Mode::kInOut;
    args.push_back({.name = a.name, .mode = mode, .type = a.type});
  }
  return args;
}

Result<std::shared_ptr<const Program>> ProgramCache::get(const catalog::Procedure& procedure) {
  constexpr size_t kEntriesMax = 1000;
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(procedure.oid);
    if (at != entries_.end() && at->second.procedure == procedure) return at->second.program;
  }
  auto args = routine_args(procedure);
  TRY(auto body, parse_body({.name = procedure.name,
                             .text = procedure.body,
                             .arguments = args,
                             .case_sensitive_identifiers = procedure.case_sensitive}));
  TRY(auto program, Program::make(std::move(body), procedure.nonatomic));
  std::lock_guard lock(mutex_);
  if (entries_.size() >= kEntriesMax) entries_.clear();
  entries_[procedure.oid] = {procedure, program};
  return program;
}

}  // namespace redoubt::warehouse::session
