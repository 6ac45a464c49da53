#include "net/io_threads.h"

#include <pthread.h>

#include <csignal>
#include <string>

namespace redoubt::net {

IoThreads::IoThreads(size_t threads) {
  std::signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; i < threads; ++i) {
    auto one = std::make_unique<One>();
    one->thread = std::thread([context = &one->context, i] {
      pthread_setname_np(pthread_self(), ("io-" + std::to_string(i)).c_str());
      context->run();
    });
    threads_.push_back(std::move(one));
  }
}

IoThreads::~IoThreads() { stop(); }

boost::asio::io_context& IoThreads::next() {
  return threads_[next_.fetch_add(1, std::memory_order_relaxed) % threads_.size()]->context;
}

void IoThreads::stop() {
  for (auto& one : threads_) one->context.stop();
  for (auto& one : threads_)
    if (one->thread.joinable()) one->thread.join();
}

}  // namespace redoubt::net
