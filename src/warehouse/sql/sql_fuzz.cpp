/// libFuzzer: no text crashes the parser, and whatever it accepts prints as text that reads the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "warehouse/sql/parser.h"
#include "warehouse/sql/printer.h"

using namespace redoubt::warehouse::sql;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto statements = parse(text);
  if (!statements) {
    if (statements.error().message.empty()) abort();
    return 0;
  }
  for (const Statement& statement : *statements) {
    (void)redacted_text(statement);
    std::string once = print(*statement.command);
    auto again = parse_one(once, ParseOptions::stored());
    if (!again) {
      fprintf(stderr, "%s: %s\n", again.error().message.c_str(), once.c_str());
      abort();
    }
    if (std::string twice = print(*again->command); twice != once) {
      fprintf(stderr, "%s\n%s\n", once.c_str(), twice.c_str());
      abort();
    }
  }
  return 0;
}
