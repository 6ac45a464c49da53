// Any bytes as an XML body: read as a request of an operation; what was read is written and read to the same.
#include "api/codec.h"
#include "api/fuzz_head.h"
#include "api/random_value.h"
#include "api/s3.h"
#include "api/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt;
  using namespace redoubt::api;
  std::string_view body(reinterpret_cast<const char*>(data), size);
  const ServiceShape* const services[] = {&s3::service()};
  const OperationShape& op = *fuzz_operation(services, body).second;
  (void)parse_xml(body);
  RequestHead head;
  head.method = op.method;
  head.target = "/bucket/key?uploadId=u&partNumber=1";
  if (op.uri.find("Key") == op.uri.npos) head.target = op.uri.find("Bucket") == op.uri.npos ? "/" : "/bucket";
  head.headers.add("Host", "127.0.0.1");
  auto input = op.make_input(), again = op.make_input();
  if (!decode_request(op, head, body, input.get())) return 0;
  if (body.find("&#") != body.npos) return 0;  // references to control characters can be read, but not be written in XML 1.0
  RequestParts parts = encode_request(op, input.get());
  head.headers = parts.headers;
  head.headers.add("Host", "127.0.0.1");
  head.target = parts.path + "?" + parts.query;
  auto ok = decode_request(op, head, parts.body, again.get());
  CHECK(ok);
  CHECK(testing::everything(*op.input, input.get()) == testing::everything(*op.input, again.get()));
  return 0;
}
