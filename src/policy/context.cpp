#include "policy/context.h"

#include <algorithm>
#include <cstring>

#include "policy/match.h"

namespace redoubt::policy {
namespace {
constexpr size_t kChunkSize = 2048, kEntries = 24;
}

std::string_view Context::keep(std::string_view text) {
  if (chunks_.empty() || size_ - used_ < text.size()) {
    size_ = std::max(kChunkSize, text.size());
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size_));
    used_ = 0;
  }
  char* to = chunks_.back().get() + used_;
  if (!text.empty()) memcpy(to, text.data(), text.size());
  used_ += text.size();
  return {to, text.size()};
}

void Context::set(std::string_view key, std::string_view value) { set_list(key, std::span(&value, 1)); }

void Context::set_list(std::string_view key, std::span<const std::string_view> values) {
  if (entries_.empty()) {
    entries_.reserve(kEntries);
    values_.reserve(kEntries);
  }
  std::vector<std::string_view> copy;
  if (values.data() >= values_.data() && values.data() < values_.data() + values_.size()) {  // our own, which are about to move
    copy.assign(values.begin(), values.end());
    values = copy;
  }
  uint32_t hash = key_hash(key);
  Entry* entry = nullptr;
  for (auto& e : entries_)
    if (e.hash == hash && fold_equal(e.name, key)) entry = &e;
  if (!entry) entry = &entries_.emplace_back(Entry{hash, 0, 0, keep(key)});
  // A replaced value stays in values_ until the context goes: contexts live for a request and replacing is rare.
  entry->first = uint32_t(values_.size());
  entry->count = uint32_t(values.size());
  for (auto v : values) values_.push_back(keep(v));
}

void Context::set_list(std::string_view key, const std::vector<std::string>& values) {
  std::vector<std::string_view> views(values.begin(), values.end());
  set_list(key, std::span<const std::string_view>(views));
}

std::span<const std::string_view> Context::find(std::string_view key, uint32_t hash) const {
  for (auto& e : entries_)
    if (e.hash == hash && fold_equal(e.name, key)) return {values_.data() + e.first, e.count};
  return base_ ? base_->find(key, hash) : std::span<const std::string_view>();
}

std::vector<Context::Item> Context::items() const {
  std::vector<Item> items;
  std::vector<const Entry*> seen;
  for (const Context* c = this; c; c = c->base_)
    for (auto& e : c->entries_) {
      bool overridden = false;
      for (auto* s : seen) overridden |= s->hash == e.hash && fold_equal(s->name, e.name);
      seen.push_back(&e);
      if (!overridden && e.count) items.push_back({e.name, {c->values_.data() + e.first, e.count}});
    }
  return items;
}

}  // namespace redoubt::policy
