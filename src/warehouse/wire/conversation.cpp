#include "warehouse/wire/conversation.h"

namespace redoubt::warehouse::wire {
namespace {
constexpr size_t kPieceBytes = 256 << 10;
using session::StepKind;
}  // namespace

void Conversation::greet(std::string& out, std::optional<int> protocol) {
  if (protocol) put_parameter_status(out, "server_protocol_version", std::to_string(*protocol));
  asides(out);
  Reply(out, 'K').int32(session_.pid()).int32(session_.secret());
  put_ready(out, session_.transaction_status());
}

Next Conversation::advance(Input& input, std::string& out) {
  flush_ = false;
  while (!close_) {
    if (running_ != Running::kNone) {
      Next next = run(out);
      if (next != Next::kRead) return next;
      continue;
    }
    auto message = input.next();
    if (!message) {
      put_error(out, "FATAL", message.error());
      break;
    }
    if (!*message) return Next::kRead;
    handle(**message, out);
  }
  return Next::kClose;
}

void Conversation::handle(const Message& message, std::string& out) {
  if (message.type == 'X') {
    close_ = true;
    return;
  }
  if (message.type == 'S') {
    skip_to_sync_ = false;
    if (auto done = session_.sync(); !done) error(out, std::move(done).error());
    skip_to_sync_ = false;
    if (session_.transaction_status() == 'I') portal_formats_.clear();  // portals end with their transaction
    asides(out);
    put_ready(out, session_.transaction_status());
    flush_ = true;
    return;
  }
  if (skip_to_sync_) return;
  switch (message.type) {
    case 'Q': {
      auto sql = read_query(message.body);
      auto started = sql ? session_.start_simple(*sql) : Result<void>(std::unexpected(sql.error()));
      if (started) {
        running_ = Running::kSimple;
      } else {
        error(out, std::move(started).error());
        finish_simple(out);
      }
      return;
    }
    case 'H':
      flush_ = true;
      return;
    case 'd':
    case 'c':
    case 'f':
      return;  // left over from a COPY that was refused
    case 'P':
    case 'B':
    case 'D':
    case 'C':
    case 'E':
      if (auto done = extended(message, out); !done) {
        error(out, std::move(done).error());
        skip_to_sync_ = true;
      }
      return;
    case 'F':
      error(out, {&kUnsupported, "the fast-path function call is not supported"});
      finish_simple(out);
      return;
    default:
      put_error(
          out, "FATAL",
          {&kProtocolViolation, "invalid frontend message type " + std::to_string(static_cast<unsigned char>(message.type))});
      close_ = true;
  }
}

Result<void> Conversation::extended(const Message& message, std::string& out) {
  switch (message.type) {
    case 'P': {
      TRY(Parse parse, read_parse(message.body));
      TRY_VOID(session_.parse(parse.statement, parse.sql, parse.types));
      put_empty(out, '1');
      return {};
    }
    case 'B': {
      TRY(Bind bind, read_bind(message.body));
      auto formats = bind.result_formats;
      TRY_VOID(session_.bind(bind.portal, bind.statement, std::move(bind.parameters), std::move(bind.result_formats)));
      portal_formats_[bind.portal] = std::move(formats);
      put_empty(out, '2');
      return {};
    }
    case 'D': {
      TRY(Named what, read_named(message.body));
      bool statement = what.kind == 'S';
      TRY(session::Description description,
          statement ? session_.describe_statement(what.name) : session_.describe_portal(what.name));
      if (statement) put_parameter_description(out, description.parameters);
      static const std::vector<int16_t> kText;
      auto formats = statement ? portal_formats_.end() : portal_formats_.find(what.name);
      if (description.has_rows)
        put_row_description(out, description.columns, formats == portal_formats_.end() ? kText : formats->second,
                            session_.protocol());
      else
        put_empty(out, 'n');
      return {};
    }
    case 'C': {
      TRY(Named what, read_named(message.body));
      if (what.kind == 'S') {
        session_.close_statement(what.name);
      } else {
        session_.close_portal(what.name);
        portal_formats_.erase(what.name);
      }
      put_empty(out, '3');
      return {};
    }
    default: {
      TRY(execute_, read_execute(message.body));
      running_ = Running::kExecute;
      return {};
    }
  }
}

/// Goes on with the statement in progress until it ends (kRead: go on with the next message), waits, or a piece of rows is full.
Next Conversation::run(std::string& out) {
  bool simple = running_ == Running::kSimple;
  while (true) {
    session::Output output;
    bool direct = out.empty();  // rows straight into the buffer that will be sent
    if (direct) output.buffer.swap(out);
    auto step = simple ? session_.step(output) : session_.execute(execute_.portal, execute_.max_rows, output);
    if (direct)
      out.swap(output.buffer);
    else
      out += output.buffer;
    if (!step) {
      error(out, std::move(step).error());
      running_ = Running::kNone;
      if (simple)
        finish_simple(out);
      else
        skip_to_sync_ = true;
      return Next::kRead;
    }
    switch (step->kind) {
      case StepKind::kWaiting:
        asides(out);  // what a procedure has raised so far
        wait_ = std::move(step->wait);
        return Next::kWait;
      case StepKind::kDescribed:
        put_row_description(out, step->columns, {}, session_.protocol());
        break;
      case StepKind::kRows:
        if (out.size() >= kPieceBytes) return Next::kAgain;
        break;
      case StepKind::kComplete:
        asides(out);
        put_complete(out, step->tag);
        if (!simple) running_ = Running::kNone;
        break;
      case StepKind::kSuspended:
        put_empty(out, 's');
        running_ = Running::kNone;
        break;
      case StepKind::kEmpty:
        asides(out);
        put_empty(out, 'I');
        if (!simple) running_ = Running::kNone;
        break;
      case StepKind::kDone:
        running_ = Running::kNone;
        finish_simple(out);
        break;
    }
    if (running_ == Running::kNone) return Next::kRead;
    if (out.size() >= kPieceBytes) return Next::kAgain;
  }
}

void Conversation::finish_simple(std::string& out) {
  if (session_.transaction_status() == 'I') portal_formats_.clear();
  asides(out);
  put_ready(out, session_.transaction_status());
  flush_ = true;
}

void Conversation::error(std::string& out, Error error) {
  asides(out);
  bool fatal = session_.terminated().has_value();
  put_error(out, fatal ? "FATAL" : "ERROR", presentable(fatal ? *session_.terminated() : std::move(error)));
  close_ |= fatal;
}

void Conversation::asides(std::string& out) {
  for (auto& notice : session_.take_notices()) put_notice(out, notice);
  for (auto& [name, value] : session_.take_parameter_changes()) put_parameter_status(out, name, value);
}

}  // namespace redoubt::warehouse::wire
