// links only: warehouse/wire/conversation.cpp warehouse/wire/protocol.cpp warehouse/wire/startup.cpp warehouse/sql base
/// No bytes on the wire may crash us: startup packets, and everything that a signed-on client can send.
#include <cstdint>

#include "warehouse/wire/conversation.h"
#include "warehouse/wire/fake_session_for_test.h"
#include "warehouse/wire/startup.h"

using namespace redoubt::warehouse::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  char first = bytes[0];
  bytes.remove_prefix(1);
  if (auto packet = read_startup(bytes); packet && *packet && (*packet)->kind == Startup::Kind::kSession)
    static_cast<void>(read_hello(**packet, first & 1));

  FakeSession session(1, 2, first & 3, nullptr);
  session.be_impatient();
  Conversation conversation(session);
  Input input;
  input.limit_to_sign_on(false);
  std::string out;
  size_t piece = static_cast<size_t>(first >> 2 & 31) + 1;
  while (!bytes.empty()) {
    input.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      Next next = conversation.advance(input, out);
      out.clear();
      if (next == Next::kClose) return 0;
      if (next == Next::kWait) session.release();
      if (next == Next::kRead) break;
    }
  }
  return 0;
}
