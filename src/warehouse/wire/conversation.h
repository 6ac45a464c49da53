#pragma once
/// One signed-on client's messages and their answers, over a Session. It does no I/O: the pump gives it what has come and sends
/// what it says.
///
///   Conversation conversation(session);
///   switch (conversation.advance(input, out)) {
///     case Next::kRead:  if (conversation.flush()) send out; read more into input; again
///     case Next::kAgain: send out (a piece of rows), again; both at once is the idea
///     case Next::kWait:  send out, wait for conversation.take_wait(), again
///     case Next::kClose: send out, hang up
///   }
///
/// Threads: one call at a time, on a thread that may block.
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "warehouse/session/session.h"
#include "warehouse/wire/protocol.h"

namespace redoubt::warehouse::wire {

enum class Next : uint8_t { kRead, kAgain, kWait, kClose };

class Conversation {
 public:
  explicit Conversation(session::Session& session) : session_(session) {}

  Next advance(Input& input, std::string& out);
  /// After kRead: the client asked for what is in `out` (Sync, Flush, the end of a simple query).
  bool flush() const { return flush_; }
  std::shared_ptr<session::Wait> take_wait() { return std::move(wait_); }
  /// A statement is in progress: the client is owed an answer.
  bool busy() const { return running_ != Running::kNone; }

  /// What goes out before the first ReadyForQuery: parameters, key data; `protocol` if the client asked for one.
  void greet(std::string& out, std::optional<int> protocol);

 private:
  enum class Running : uint8_t { kNone, kSimple, kExecute };

  void handle(const Message& message, std::string& out);
  Result<void> extended(const Message& message, std::string& out);
  Next run(std::string& out);
  void finish_simple(std::string& out);
  void error(std::string& out, Error error);
  void asides(std::string& out);  // notices and parameter changes

  session::Session& session_;
  Running running_ = Running::kNone;
  Execute execute_;
  std::shared_ptr<session::Wait> wait_;
  std::unordered_map<std::string, std::vector<int16_t>> portal_formats_;
  bool skip_to_sync_ = false, flush_ = false, close_ = false;
};

}  // namespace redoubt::warehouse::wire
