// Any bytes as a JSON body or as a form: read as a request of an operation; what was read is written and read to the same.
#include "api/codec.h"
#include "api/fuzz_head.h"
#include "api/random_value.h"
#include "api/services.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt;
  using namespace redoubt::api;
  std::string_view body(reinterpret_cast<const char*>(data), size);
  auto [service, op] = fuzz_operation(services(), body);
  if (service->protocol == Protocol::rest_xml) return 0;
  RequestHead head;
  head.method = "POST";
  head.target = "/";
  auto input = op->make_input(), again = op->make_input();
  (void)route(*service, head, body);
  if (!decode_request(*op, head, body, input.get())) return 0;
  RequestParts parts = encode_request(*op, input.get());
  auto ok = decode_request(*op, head, parts.body, again.get());
  if (!ok) {
    // Forms can't say "an empty structure": what was absent may be required again.
    CHECK(service->protocol != Protocol::json);
    return 0;
  }
  if (service->protocol == Protocol::json)
    CHECK(testing::everything(*op->input, input.get()) == testing::everything(*op->input, again.get()));
  return 0;
}
