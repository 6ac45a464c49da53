// Writes what we answer for tools/apigen/check_responses.py, which has botocore parse it: one JSON line a response. Runs only
// when REDOUBT_API_DUMP names a file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "api/codec.h"
#include "api/random_value.h"
#include "api/services.h"

namespace redoubt::api {
namespace {

Json line(const OperationShape& op, const Response& r, Json expected) {
  Json headers = Json::object();
  for (auto& [n, v] : r.headers.all()) headers.set(n, v);
  return Json::object()
      .set("service", std::string(op.service->name))
      .set("operation", std::string(op.name))
      .set("status", int64_t(r.status))
      .set("headers", headers)
      .set("body", base64(r.body))
      .set("expected", std::move(expected));
}

TEST(Dump, ResponsesForBotocore) {
  const char* path = std::getenv("REDOUBT_API_DUMP");
  if (!path) GTEST_SKIP() << "REDOUBT_API_DUMP names no file";
  std::ofstream out(path);
  static constexpr ErrorKind kDenied{"AccessDenied", 403};
  for (auto* service : services())
    for (auto* op : service->operations) {
      for (uint64_t round = 0; round < 5; ++round) {
        auto value = op->make_output();
        testing::RandomValue(round * 15485863 + 17, true).fill(*op->output, value.get());
        out << line(*op, encode_response(*op, value.get(), "req-1"), testing::everything(*op->output, value.get())).dump()
            << "\n";
      }
      out << line(*op, encode_error(*service, Error{&kDenied, "No <&> entry"}, "req-1"), {}).dump() << "\n";
    }
}

}  // namespace
}  // namespace redoubt::api
