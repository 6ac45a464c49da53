#pragma once
/// Errors are values. A function that can fail returns Result<T>; what it can fail with is an ErrorKind, one row of a
/// service's table (its errors.h), and a message for whoever made the request.
///
///   Result<Key> find(KeyId id);
///   auto key = find(id);
///   if (!key) return std::unexpected(key.error());      // or: TRY(auto key, find(id));
///
/// Messages reach the caller: they speak of the caller's input, never of our internals, of emitted SQL or of foreign data.
/// A broken invariant of ours is not an Error: it aborts (CHECK).
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redoubt {

/// One condition a request can end with. `code` is AWS's error code as clients see it on the wire, `http_status` its
/// status, `sqlstate` what SQL clients see. Declared constexpr at namespace scope; compared by address or code.
struct ErrorKind {
  std::string_view code;
  int http_status = 400;
  std::string_view sqlstate = "XX000";
};

struct Error {
  const ErrorKind* kind;
  std::string message;
  /// Further members of the error's shape by name: ("DETAIL", ..), ("HINT", ..), ("CONTEXT", ..), ("POSITION", "12") in SQL;
  /// ("BucketName", ..), ("Key", ..), ("Resource", ..) in S3.
  std::vector<std::pair<std::string, std::string>> more = {};

  bool is(const ErrorKind& k) const { return kind->code == k.code; }
  Error&& with(std::string name, std::string value) && {
    more.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }
  std::string_view get(std::string_view name) const {
    for (auto& [n, v] : more)
      if (n == name) return v;
    return {};
  }
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(kNoSuchBucket, "The specified bucket does not exist");`
inline std::unexpected<Error> fail(const ErrorKind& kind, std::string message) {
  return std::unexpected(Error{&kind, std::move(message)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

/// What went wrong on our side (disk full, a corrupt file). The message names it for the log; the wire layers answer
/// "internal error" with the request id instead.
inline constexpr ErrorKind kInternal{"InternalFailure", 500, "XX000"};

[[noreturn]] void check_failed(const char* what, const char* file, int line);

}  // namespace redoubt

#define REDOUBT_CONCAT2(a, b) a##b
#define REDOUBT_CONCAT(a, b) REDOUBT_CONCAT2(a, b)
/// TRY(auto x, f()): x is f()'s value, or return f()'s error. TRY_VOID(g()): the same for Result<void>.
#define TRY(decl, expr) TRY_IMPL(decl, expr, REDOUBT_CONCAT(try_result_, __COUNTER__))
#define TRY_IMPL(decl, expr, tmp)                           \
  auto tmp = (expr);                                        \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
#define TRY_VOID(expr)                                                                             \
  do {                                                                                             \
    if (auto try_void_ = (expr); !try_void_) return std::unexpected(std::move(try_void_).error()); \
  } while (0)
/// Our own invariant: aborts with file and line if it doesn't hold.
#define CHECK(cond)                                                  \
  do {                                                               \
    if (!(cond)) ::redoubt::check_failed(#cond, __FILE__, __LINE__); \
  } while (0)
