#include "server/metrics.h"

#include <gtest/gtest.h>

#include "server/local_pages.h"

namespace redoubt::server {
namespace {

TEST(Metrics, AreWrittenAsPrometheusReadsThem) {
  Metrics metrics;
  metrics.counter("a_total", "As.", {{"x", "1"}}).add(2);
  metrics.counter("a_total", "As.", {{"x", "1"}}).add();  // the same one
  auto& h = metrics.histogram("s_seconds", "Seconds.");
  h.observe(0.001);
  h.observe(0.1);
  h.observe(100);
  metrics.gauge("g", "A gauge.", {}, [] { return 1.5; });
  auto text = metrics.text();
  EXPECT_NE(text.find("# HELP a_total As.\n# TYPE a_total counter\na_total{x=\"1\"} 3\n"), text.npos) << text;
  EXPECT_NE(text.find("g 1.5\n"), text.npos);
  EXPECT_NE(text.find("s_seconds_bucket{le=\"0.002\"} 1\n"), text.npos);
  EXPECT_NE(text.find("s_seconds_bucket{le=\"0.2\"} 2\n"), text.npos);
  EXPECT_NE(text.find("s_seconds_bucket{le=\"+Inf\"} 3\n"), text.npos);
  EXPECT_NE(text.find("s_seconds_count 3\n"), text.npos);
  metrics.gauge("g", "", {}, nullptr);
  EXPECT_EQ(metrics.text().find("g 1.5"), std::string::npos);
}

struct Next : api::Handler {
  std::unique_ptr<api::Exchange> begin(api::RequestHead) override { return nullptr; }
};

TEST(LocalPages, AnswerTheirOwnPathsAndLeaveTheRest) {
  Metrics metrics;
  metrics.counter("a_total", "As.").add();
  Next next;
  std::string trouble;
  LocalPages pages(next, metrics, [&] { return trouble; });
  auto get = [&](std::string target, std::string method = "GET") {
    auto exchange = pages.begin({.method = std::move(method), .target = std::move(target)});
    return exchange ? std::move(*exchange->early) : api::Response{.status = 0};
  };
  EXPECT_EQ(get("/_redoubt/health").body, "{\"status\":\"ok\"}\n");
  trouble = "the disk is full";
  EXPECT_EQ(get("/_redoubt/health").status, 503);
  EXPECT_NE(get("/_redoubt/metrics").body.find("a_total 1"), std::string::npos);
  EXPECT_EQ(get("/_redoubt/else").status, 404);
  EXPECT_EQ(get("/_redoubt/health", "POST").status, 405);
  EXPECT_EQ(get("/_redoubtx/health").status, 0);
  EXPECT_EQ(get("/bucket/_redoubt/health").status, 0);
}

}  // namespace
}  // namespace redoubt::server
