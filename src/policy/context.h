#pragma once
/// The condition keys of one request. Source: IAM User Guide, "AWS global condition context keys".
///
///   Context context(&principal_context);               // keys that don't change from request to request are inherited
///   context.set("aws:SourceIp", "10.0.0.7");
///   context.set("s3:ExistingObjectTag/Team", "blue");  // names compare without regard to ASCII case, tag keys included
///   context.set_list("aws:TagKeys", {"Team", "Cost"});
///
/// Values are copied; lookups allocate nothing, nor does building, mostly: a thread uses the memory of its last contexts again. A
/// key that isn't set is absent for IfExists and Null; so is one whose list is empty. Set a key only where AWS sets it: absence
/// decides (identity.md §4 tables presence). Threads: one writer, then any number of readers.
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace redoubt::policy {

/// FNV-1a over ASCII lower case: what condition keys are looked up by.
constexpr uint32_t key_hash(std::string_view name) {
  uint32_t h = 2166136261u;
  for (char c : name) h = (h ^ uint8_t(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 16777619u;
  return h;
}

/// A condition key's name. A literal's is hashed by the compiler and isn't copied into the context.
class ContextKey {
 public:
  template <size_t N>
  consteval ContextKey(const char (&literal)[N]) : name(literal, N - 1), hash(key_hash(name)), literal(true) {}
  template <typename T>
    requires(!std::is_array_v<std::remove_reference_t<T>> && std::is_convertible_v<const T&, std::string_view>)
  ContextKey(const T& text) : name(text), hash(key_hash(name)), literal(false) {}
  std::string_view name;
  uint32_t hash;
  bool literal;
};

class Context {
 public:
  /// `base` is asked for keys that this one doesn't have; it must outlive this.
  explicit Context(const Context* base = nullptr);
  ~Context();
  Context(Context&&) = default;
  Context& operator=(Context&&) = default;

  void set(const ContextKey& key, std::string_view value);  // replaces
  void set_bool(const ContextKey& key, bool value) { set(key, value ? "true" : "false"); }
  void set_int(const ContextKey& key, int64_t value) { set(key, std::to_string(value)); }
  void set_list(const ContextKey& key, std::span<const std::string_view> values);
  void set_list(const ContextKey& key, std::initializer_list<std::string_view> values) {
    set_list(key, std::span<const std::string_view>(values.begin(), values.size()));
  }
  void set_list(const ContextKey& key, const std::vector<std::string>& values);

  /// Empty: absent.
  std::span<const std::string_view> find(std::string_view key) const { return find(key, key_hash(key)); }
  std::span<const std::string_view> find(std::string_view key, uint32_t hash) const;
  /// The first value, "" when absent.
  std::string_view get(std::string_view key) const {
    auto v = find(key);
    return v.empty() ? std::string_view() : v[0];
  }

  /// Every key with its values, inherited ones last and without those that are overridden: for explanations and the audit.
  struct Item {
    std::string_view key;
    std::span<const std::string_view> values;
  };
  std::vector<Item> items() const;

 private:
  struct Entry {
    uint32_t hash, first, count;
    std::string_view name;
  };
  struct Storage {
    std::vector<Entry> entries;
    std::vector<std::string_view> values;  // an entry's are consecutive
    std::vector<std::unique_ptr<char[]>> chunks;
    size_t used = 0, size = 0;  // of the last chunk
    std::string_view keep(std::string_view text);
    void clear();
  };
  static std::vector<std::unique_ptr<Storage>>& spares();

  const Context* base_ = nullptr;
  std::unique_ptr<Storage> own_;
};

}  // namespace redoubt::policy
