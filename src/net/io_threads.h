#pragma once
/// The io threads: n threads, each running an io_context of its own. A connection is pinned to one of them, so its coroutines
/// need no locks among themselves. Nothing that runs here may block.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace redoubt::net {

class IoThreads {
 public:
  /// Starts the threads. Also makes the process ignore SIGPIPE: a peer that hangs up is an Error of the write.
  explicit IoThreads(size_t threads);
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;

  /// The next context, round robin. Threads: any.
  boost::asio::io_context& next();
  size_t size() const { return threads_.size(); }

  /// Stops and joins the threads; coroutines that still wait are destroyed with this object. Idempotent.
  void stop();

 private:
  struct One {
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
    std::thread thread;
  };
  std::vector<std::unique_ptr<One>> threads_;
  std::atomic<size_t> next_{0};
};

}  // namespace redoubt::net
