#pragma once
/// An immutable hash map that shares structure: set() and erase() give a new map and copy O(log32 n) small nodes, so a catalog
/// snapshot of 10,000 relations changes in a microsecond while readers keep the old one. Look-ups are O(1) for practical sizes.
///
///   PersistentMap<Oid, Relation> m;  auto m2 = m.set(7, relation);  m.find(7) == nullptr;  m2.find(7)->name
///
/// A hash array mapped trie (Bagwell 2001). Values are held by shared_ptr: find() returns a pointer that lives as long as any
/// map that holds the value. Threads: a map is a value; distinct copies may be used by different threads at once.
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::warehouse::catalog {

template <class K, class V, class Hash = std::hash<K>>
class PersistentMap {
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;
  struct Leaf {
    K key;
    std::shared_ptr<const V> value;
  };
  /// Inner node: bitmap and children; at the last level (hash used up) `leaves` holds what collides.
  struct Node {
    uint32_t children_map = 0, leaves_map = 0;
    std::vector<NodePtr> children;
    std::vector<Leaf> leaves;
  };
  static constexpr int kBits = 5, kMaxShift = 60;

 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// nullptr if there is none.
  const V* find(const K& key) const { return find_shared(key).get(); }
  const std::shared_ptr<const V>& find_shared(const K& key) const {
    static const std::shared_ptr<const V> none;
    uint64_t hash = mix(key);
    const Node* node = root_.get();
    for (int shift = 0; node; shift += kBits) {
      if (shift > kMaxShift) {
        for (auto& leaf : node->leaves)
          if (leaf.key == key) return leaf.value;
        return none;
      }
      uint32_t bit = bit_of(hash, shift);
      if (node->leaves_map & bit) {
        const Leaf& leaf = node->leaves[index(node->leaves_map, bit)];
        return leaf.key == key ? leaf.value : none;
      }
      if (!(node->children_map & bit)) return none;
      node = node->children[index(node->children_map, bit)].get();
    }
    return none;
  }

  [[nodiscard]] PersistentMap set(const K& key, std::shared_ptr<const V> value) const {
    PersistentMap out;
    bool added = false;
    out.root_ = insert(root_, 0, mix(key), Leaf{key, std::move(value)}, added);
    out.size_ = size_ + (added ? 1 : 0);
    return out;
  }
  [[nodiscard]] PersistentMap set(const K& key, V value) const { return set(key, std::make_shared<const V>(std::move(value))); }

  [[nodiscard]] PersistentMap erase(const K& key) const {
    bool removed = false;
    PersistentMap out;
    out.root_ = remove(root_, 0, mix(key), key, removed);
    out.size_ = size_ - (removed ? 1 : 0);
    return removed ? out : *this;
  }

  /// Every pair once, in no useful order: f(key, value).
  template <class F>
  void for_each(F&& f) const {
    if (root_) walk(*root_, f);
  }

 private:
  static uint64_t mix(const K& key) {  // std::hash of integers is the identity: spread it (splitmix64's finisher)
    uint64_t h = Hash{}(key) + 0x9e3779b97f4a7c15ull;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
    return h ^ (h >> 31);
  }
  static uint32_t bit_of(uint64_t hash, int shift) { return 1u << ((hash >> shift) & 31); }
  static size_t index(uint32_t map, uint32_t bit) { return size_t(std::popcount(map & (bit - 1))); }

  static NodePtr insert(const NodePtr& node, int shift, uint64_t hash, Leaf leaf, bool& added) {
    auto copy = node ? std::make_shared<Node>(*node) : std::make_shared<Node>();
    if (shift > kMaxShift) {
      for (auto& old : copy->leaves)
        if (old.key == leaf.key) return old = std::move(leaf), copy;
      copy->leaves.push_back(std::move(leaf));
      added = true;
      return copy;
    }
    uint32_t bit = bit_of(hash, shift);
    if (copy->children_map & bit) {
      NodePtr& child = copy->children[index(copy->children_map, bit)];
      child = insert(child, shift + kBits, hash, std::move(leaf), added);
    } else if (copy->leaves_map & bit) {
      size_t at = index(copy->leaves_map, bit);
      if (copy->leaves[at].key == leaf.key) {
        copy->leaves[at] = std::move(leaf);
        return copy;
      }
      Leaf old = std::move(copy->leaves[at]);
      copy->leaves.erase(copy->leaves.begin() + ptrdiff_t(at));
      copy->leaves_map &= ~bit;
      bool ignored = false;
      uint64_t old_hash = mix(old.key);
      NodePtr child = insert(nullptr, shift + kBits, old_hash, std::move(old), ignored);
      child = insert(child, shift + kBits, hash, std::move(leaf), added);
      copy->children.insert(copy->children.begin() + ptrdiff_t(index(copy->children_map, bit)), std::move(child));
      copy->children_map |= bit;
    } else {
      copy->leaves.insert(copy->leaves.begin() + ptrdiff_t(index(copy->leaves_map, bit)), std::move(leaf));
      copy->leaves_map |= bit;
      added = true;
    }
    return copy;
  }

  static NodePtr remove(const NodePtr& node, int shift, uint64_t hash, const K& key, bool& removed) {
    if (!node) return node;
    if (shift > kMaxShift) {
      for (size_t i = 0; i < node->leaves.size(); i++)
        if (node->leaves[i].key == key) {
          removed = true;
          auto copy = std::make_shared<Node>(*node);
          copy->leaves.erase(copy->leaves.begin() + ptrdiff_t(i));
          return copy->leaves.empty() ? nullptr : copy;
        }
      return node;
    }
    uint32_t bit = bit_of(hash, shift);
    if (node->leaves_map & bit) {
      size_t at = index(node->leaves_map, bit);
      if (!(node->leaves[at].key == key)) return node;
      removed = true;
      auto copy = std::make_shared<Node>(*node);
      copy->leaves.erase(copy->leaves.begin() + ptrdiff_t(at));
      copy->leaves_map &= ~bit;
      return copy->leaves.empty() && copy->children.empty() ? nullptr : copy;
    }
    if (!(node->children_map & bit)) return node;
    size_t at = index(node->children_map, bit);
    NodePtr child = remove(node->children[at], shift + kBits, hash, key, removed);
    if (!removed) return node;
    auto copy = std::make_shared<Node>(*node);
    if (child) {
      copy->children[at] = std::move(child);
    } else {
      copy->children.erase(copy->children.begin() + ptrdiff_t(at));
      copy->children_map &= ~bit;
    }
    return copy->leaves.empty() && copy->children.empty() ? nullptr : copy;
  }

  template <class F>
  static void walk(const Node& node, F& f) {
    for (auto& leaf : node.leaves) f(leaf.key, *leaf.value);
    for (auto& child : node.children) walk(*child, f);
  }

  NodePtr root_;
  size_t size_ = 0;
};

}  // namespace redoubt::warehouse::catalog
