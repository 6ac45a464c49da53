#pragma once
/// A bounded pool of threads for work that blocks, and the way there and back for a coroutine:
///
///   auto answer = co_await pool.run([&] { return service.answer(request); });   // Result<Answer>
///
/// Pools form a one-way street (server/threads.h): a thread of one pool may wait for a later one, never for an earlier one.
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "net/errors.h"

namespace redoubt::net {

namespace pool_detail {
template <class T>
struct Answer {
  using type = Result<T>;
};
template <class T>
struct Answer<Result<T>> {
  using type = Result<T>;
};
/// f() as a Result; what it throws (memory, a library) becomes kInternal.
template <class R, class F>
R invoke(F& f) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      f();
      return {};
    } else {
      return f();
    }
  } catch (const std::exception& e) {
    return fail(kInternal, e.what());
  }
}
}  // namespace pool_detail

class Pool {
 public:
  using Work = std::move_only_function<void()>;

  /// `queue_max`: how many pieces of work may wait for a thread.
  Pool(std::string name, size_t threads, size_t queue_max);
  /// Finishes what is queued, then joins.
  ~Pool();
  Pool(const Pool&) = delete;

  /// `bounded` work is refused when the queue is full. `always` is for what goes on with work that was admitted once (the next
  /// piece of a body, cleaning up): refusing that would break a promise, and what was admitted bounds it.
  enum class Admit { bounded, always };

  /// Queues work; false (and the work untouched) when the queue is full or the pool is stopping. Never blocks. The work must
  /// not throw. Threads: any.
  bool post(Work&& work, Admit admit = Admit::bounded);

  /// Runs `f` on a pool thread and resumes the caller on its own executor. The value of f (if that is a Result, it itself) or
  /// kBusy when the queue is full, kInternal when f threw. Can't be cancelled: references that f holds stay valid.
  template <class F>
  boost::asio::awaitable<typename pool_detail::Answer<std::invoke_result_t<F&>>::type> run(F f, Admit admit = Admit::bounded) {
    using R = typename pool_detail::Answer<std::invoke_result_t<F&>>::type;
    auto executor = co_await boost::asio::this_coro::executor;
    auto initiate = [this, executor, admit](auto handler, F work) {
      // Shared, because a full queue gives nothing back and the handler must run either way.
      auto back = std::make_shared<decltype(handler)>(std::move(handler));
      auto tracked = boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
      auto answer = [back, tracked](R result) {
        boost::asio::post(tracked, [back, result = std::move(result)]() mutable { std::move (*back)(std::move(result)); });
      };
      if (!post([answer, work = std::move(work)]() mutable { answer(pool_detail::invoke<R>(work)); }, admit))
        answer(fail(kBusy, "Too many requests are waiting."));
    };
    auto token = boost::asio::use_awaitable;
    co_return co_await boost::asio::async_initiate<decltype(token), void(R)>(std::move(initiate), token, std::move(f));
  }

  size_t queued() const;
  size_t size() const { return threads_.size(); }
  const std::string& name() const { return name_; }

 private:
  void work();

  const std::string name_;
  const size_t queue_max_;
  mutable std::mutex mutex_;  // guards queue_, stopping_
  std::condition_variable ready_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace redoubt::net
