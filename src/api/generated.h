#pragma once
/// What generated .cpp files need beside shape.h: accessors for the C++ types of members. Included by generated sources alone, so
/// that whoever uses the structs doesn't pay for it.
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "api/shape.h"

#pragma clang diagnostic ignored "-Winvalid-offsetof"

namespace redoubt::api::generated {

template <class T>
struct PresenceOf;  // not optional: none
template <class T>
struct PresenceOf<std::optional<T>> {
  static const void* get(const void* p) {
    auto& o = *static_cast<const std::optional<T>*>(p);
    return o ? &*o : nullptr;
  }
  static void* emplace(void* p) { return &static_cast<std::optional<T>*>(p)->emplace(); }
  static constexpr Presence value{get, emplace};
};
template <class T>
struct PresenceOf<std::shared_ptr<T>> {
  static const void* get(const void* p) { return static_cast<const std::shared_ptr<T>*>(p)->get(); }
  static void* emplace(void* p) { return (*static_cast<std::shared_ptr<T>*>(p) = std::make_shared<T>()).get(); }
  static constexpr Presence value{get, emplace};
};

template <class T>
struct ListOf {
  static size_t size(const void* p) { return static_cast<const std::vector<T>*>(p)->size(); }
  static const void* at(const void* p, size_t i) { return &(*static_cast<const std::vector<T>*>(p))[i]; }
  static void* append(void* p) { return &static_cast<std::vector<T>*>(p)->emplace_back(); }
  static constexpr ListAccess value{size, at, append};
};

template <class T>
struct MapOf {
  static size_t size(const void* p) { return static_cast<const std::map<std::string, T>*>(p)->size(); }
  static void each(const void* p, void (*visit)(void*, const std::string&, const void*), void* context) {
    for (auto& [k, v] : *static_cast<const std::map<std::string, T>*>(p)) visit(context, k, &v);
  }
  static void* insert(void* p, std::string key) { return &(*static_cast<std::map<std::string, T>*>(p))[std::move(key)]; }
  static constexpr MapAccess value{size, each, insert};
};

template <class T>
std::shared_ptr<void> make() {
  return std::make_shared<T>();
}

}  // namespace redoubt::api::generated
