#pragma once
/// Optional lists and maps, as API types have them: an absent one reads as empty, and comes into being when something is put in.
#include <optional>

namespace redoubt {

template <class T>
const T& or_empty(const std::optional<T>& o) {
  static const T kEmpty{};
  return o ? *o : kEmpty;
}
template <class T>
T& ensure(std::optional<T>& o) {
  return o ? *o : o.emplace();
}

}  // namespace redoubt
