#include "policy/context.h"

#include <algorithm>
#include <cstring>

#include "policy/match.h"

namespace redoubt::policy {
namespace {
constexpr size_t kChunkSize = 2048, kEntries = 32, kSpares = 8;
}

std::vector<std::unique_ptr<Context::Storage>>& Context::spares() {
  thread_local std::vector<std::unique_ptr<Storage>> spares;
  return spares;
}

Context::Context(const Context* base) : base_(base) {
  auto& free = spares();
  if (free.empty()) {
    own_ = std::make_unique<Storage>();
    own_->entries.reserve(kEntries);
    own_->values.reserve(kEntries);
  } else {
    own_ = std::move(free.back());
    free.pop_back();
  }
}

Context::~Context() {
  if (!own_ || spares().size() >= kSpares) return;
  own_->clear();
  spares().push_back(std::move(own_));
}

void Context::Storage::clear() {
  entries.clear();
  values.clear();
  // One chunk of the usual size stays.
  if (chunks.size() > 1 || size != kChunkSize) chunks.clear(), size = 0;
  used = 0;
}

std::string_view Context::Storage::keep(std::string_view text) {
  if (chunks.empty() || size - used < text.size()) {
    size = std::max(kChunkSize, text.size());
    chunks.push_back(std::make_unique_for_overwrite<char[]>(size));
    used = 0;
  }
  char* to = chunks.back().get() + used;
  if (!text.empty()) memcpy(to, text.data(), text.size());
  used += text.size();
  return {to, text.size()};
}

void Context::set(const ContextKey& key, std::string_view value) { set_list(key, std::span(&value, 1)); }

void Context::set_list(const ContextKey& key, std::span<const std::string_view> values) {
  auto& kept = own_->values;
  std::vector<std::string_view> copy;
  if (values.data() >= kept.data() && values.data() < kept.data() + kept.size()) {  // our own, which are about to move
    copy.assign(values.begin(), values.end());
    values = copy;
  }
  Entry* entry = nullptr;
  for (auto& e : own_->entries)
    if (e.hash == key.hash && fold_equal(e.name, key.name)) entry = &e;
  if (!entry) entry = &own_->entries.emplace_back(Entry{key.hash, 0, 0, key.literal ? key.name : own_->keep(key.name)});
  // A replaced value stays until the context goes: contexts live for a request and replacing is rare.
  entry->first = uint32_t(kept.size());
  entry->count = uint32_t(values.size());
  for (auto v : values) kept.push_back(own_->keep(v));
}

void Context::set_list(const ContextKey& key, const std::vector<std::string>& values) {
  std::vector<std::string_view> views(values.begin(), values.end());
  set_list(key, std::span<const std::string_view>(views));
}

std::span<const std::string_view> Context::find(std::string_view key, uint32_t hash) const {
  for (auto& e : own_->entries)
    if (e.hash == hash && fold_equal(e.name, key)) return {own_->values.data() + e.first, e.count};
  return base_ ? base_->find(key, hash) : std::span<const std::string_view>();
}

std::vector<Context::Item> Context::items() const {
  std::vector<Item> items;
  std::vector<const Entry*> seen;
  for (const Context* c = this; c; c = c->base_)
    for (auto& e : c->own_->entries) {
      bool overridden = false;
      for (auto* s : seen) overridden |= s->hash == e.hash && fold_equal(s->name, e.name);
      seen.push_back(&e);
      if (!overridden && e.count) items.push_back({e.name, {c->own_->values.data() + e.first, e.count}});
    }
  return items;
}

}  // namespace redoubt::policy
