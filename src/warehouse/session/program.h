#pragma once
/// A plpgsql body as a flat list of instructions, so that a CALL can stop anywhere (a lock, its turn on the pool) and go on
/// later without a thread of its own. Immutable; shared by every CALL of the procedure.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "warehouse/catalog/objects.h"
#include "warehouse/sql/plpgsql.h"

namespace redoubt::warehouse::session {

enum class Op : uint8_t {
  kEnterBlock,   // initialise the block's variables
  kAssign,       // node
  kJump,         // target
  kJumpUnless,   // sql, target
  kRangeStart,   // node, loop
  kRangeNext,    // node, loop; target: where the loop ends
  kQueryStart,   // node, loop
  kQueryNext,    // node, loop; target: where the loop ends
  kLoopEnd,      // loop: sets FOUND
  kLoopDrop,     // loop: left by EXIT, CONTINUE or RETURN from inside
  kRun,          // node: RunSql, Perform, RunText
  kCall,         // node
  kDiagnostics,  // node
  kOpen,
  kFetch,
  kClose,
  kTransaction,
  kRaise,
  kCaseMissing,
  kPushHandler,  // target: the handler; node: the block
  kPopHandler,
  kHandlerEnd,
  kReturn,
};

struct Instruction {
  Op op;
  const sql::plpgsql::Node* node = nullptr;
  const sql::plpgsql::Sql* sql = nullptr;
  size_t target = 0;
  size_t loop = 0;
  int line = 0;
  const char* what = "";  // "assignment", "SQL statement": as CONTEXT names it
};

struct Program {
  sql::plpgsql::Body body;
  std::vector<Instruction> code;
  size_t loops = 0;

  /// Errors: kNotSupported for what only the other transaction mode has (START TRANSACTION, RAISE;).
  static Result<std::shared_ptr<const Program>> make(sql::plpgsql::Body body, bool nonatomic);
};

/// Programs of the procedures that were called, for the sessions of one cluster. Threads: any.
class ProgramCache {
 public:
  /// Errors: those of parse_body() and Program::make(), which CREATE PROCEDURE has seen before.
  Result<std::shared_ptr<const Program>> get(const catalog::Procedure& procedure);

 private:
  struct Entry {
    catalog::Procedure procedure;  // as it was: another body is another program
    std::shared_ptr<const Program> program;
  };
  std::mutex mutex_;
  std::map<catalog::Oid, Entry> entries_;
};

/// The arguments as CREATE PROCEDURE wrote them.
std::vector<sql::RoutineArg> routine_args(const catalog::Procedure& procedure);

}  // namespace redoubt::warehouse::session
