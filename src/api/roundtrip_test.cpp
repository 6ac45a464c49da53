// decode(encode(x)) = x for every operation of every service, both ways.
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/random_value.h"
#include "api/services.h"

namespace redoubt::api {
namespace {

constexpr int kRounds = 12;

RequestHead head_of(const RequestParts& parts) {
  RequestHead head;
  head.method = parts.method;
  head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
  head.headers = parts.headers;
  head.headers.add("Host", "127.0.0.1:4480");
  return head;
}

/// Violations of patterns are expected of random text; what matters is what was read before they were noticed.
bool is_violation(const Error& e) {
  return e.kind->code.starts_with("Validation") || e.kind->code == "MissingParameter" ||
         e.kind->code == "InvalidParameterValue" || e.kind->code == "InvalidStorageClass";
}

TEST(RoundTrip, EveryRequestComesBack) {
  for (auto* service : services())
    for (auto* op : service->operations)
      for (int round = 0; round < kRounds; ++round) {
        auto sent = op->make_input(), got = op->make_input();
        testing::RandomValue(uint64_t(round) * 7919 + 1).fill(*op->input, sent.get());
        RequestParts parts = encode_request(*op, sent.get());
        RequestHead head = head_of(parts);
        auto routed = route(*service, head, parts.body);
        ASSERT_TRUE(routed) << service->name << " " << op->name << ": " << routed.error().message << " " << head.target;
        ASSERT_EQ((*routed)->name, op->name) << head.method << " " << head.target;
        auto decoded = decode_request(*op, head, parts.body, got.get());
        if (!decoded)
          ASSERT_TRUE(is_violation(decoded.error()))
              << op->name << ": " << decoded.error().kind->code << " " << decoded.error().message << "\n"
              << parts.body;
        Json a = testing::everything(*op->input, sent.get()), b = testing::everything(*op->input, got.get());
        a.erase("ContentLength"), b.erase("ContentLength");  // the transport's
        ASSERT_EQ(a.dump(1), b.dump(1)) << service->name << " " << op->name << "\n" << head.target << "\n" << parts.body;
      }
}

TEST(RoundTrip, EveryResponseComesBack) {
  for (auto* service : services())
    for (auto* op : service->operations)
      for (int round = 0; round < kRounds; ++round) {
        auto sent = op->make_output(), got = op->make_output();
        bool whole_seconds = service->name == "iam" || service->name == "sts";
        testing::RandomValue(uint64_t(round) * 104729 + 3, whole_seconds).fill(*op->output, sent.get());
        Response response = encode_response(*op, sent.get(), "req-1");
        if (op->method != "HEAD" && response.stream_length)
          response.headers.add("Content-Length", std::to_string(*response.stream_length));
        auto decoded = decode_response(*op, response.status, response.headers, response.body, got.get());
        ASSERT_TRUE(decoded) << op->name << ": " << decoded.error().message << "\n" << response.body;
        Json a = testing::everything(*op->output, sent.get()), b = testing::everything(*op->output, got.get());
        a.erase("ContentLength"), b.erase("ContentLength");  // the transport's
        ASSERT_EQ(a.dump(1), b.dump(1)) << service->name << " " << op->name << "\n" << response.body;
      }
}

}  // namespace
}  // namespace redoubt::api
