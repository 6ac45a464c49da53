#include "stacks/store.h"

#include <algorithm>
#include <tuple>

#include "base/arn.h"
#include "base/crypto.h"

namespace redoubt::stacks {
namespace {

constexpr std::string_view kStacks = "cfn.stacks", kPlans = "cfn.plans", kParts = "cfn.parts", kProtected = "cfn.protected",
                           kEvents = "cfn.events", kChangeSets = "cfn.changesets";

constexpr std::string_view kResource = "resource", kUndo = "undo", kReplaced = "replaced";  // kinds of parts

std::string digits(int64_t number) {
  char out[24];
  std::snprintf(out, sizeof out, "%012lld", static_cast<long long>(number));
  return out;
}

/// Export name -> value, of what the stack offers to others.
std::map<std::string, std::string> offered(const StackState* s) {
  std::map<std::string, std::string> out;
  if (!s || !s->offers_exports()) return out;
  for (auto& o : s->outputs)
    if (!o.export_name.empty()) out[o.export_name] = o.value;
  return out;
}
std::set<std::string> used(const StackState* s) { return s && !s->deleted_for_good() ? s->imports : std::set<std::string>{}; }

}  // namespace

std::string StackStore::seal(std::string_view text, std::string_view id) const {
  return crypto::seal(root_key_, text, "cfn/" + std::string(id));
}
Result<std::string> StackStore::unseal(std::string_view bytes, std::string_view id) const {
  auto text = crypto::open(root_key_, bytes, "cfn/" + std::string(id));
  if (!text)
    return fail(kInternal,
                "the record of stack " + std::string(id) + " can't be unsealed: the root key is not the one it was made with");
  return text;
}

Result<void> StackStore::load() {
  States states;
  for (auto& row : store_.scan_prefix(kStacks, "")) {
    TRY(auto text, unseal(row.value, row.key));
    TRY(states[row.key], StackState::from(text));
    states[row.key].plan = nullptr;
  }
  TRY_VOID(load_plans(states));
  TRY_VOID(load_parts(states));
  for (auto& [id, s] : states) {
    if (!s.plan) return fail(kInternal, "the plan of stack " + id + " is missing");
    auto state = std::make_shared<const StackState>(std::move(s));
    index(state);
    for (auto& [name, value] : offered(state.get())) exports_[meta::key({state->account, state->region, name})] = id;
    for (auto& name : used(state.get())) imports_[meta::key({state->account, state->region, name})].insert(id);
  }
  for (auto& row : store_.scan_prefix(kProtected, "")) protected_.insert(row.key);
  for (auto& row : store_.scan_prefix(kChangeSets, "")) {
    TRY(auto text, unseal(row.value, row.key));
    TRY(auto s, ChangeSetState::from(text));
    changes_of_[s.stack_id][s.name] = s.id;
    changes_[row.key] = std::make_shared<const ChangeSetState>(std::move(s));
  }
  return {};
}

Result<void> StackStore::load_plans(States& states) const {
  for (auto& row : store_.scan_prefix(kPlans, "")) {
    auto parts = meta::key_parts(row.key);
    auto it = states.find(parts.at(0));
    if (it == states.end()) return fail(kInternal, "a plan without its stack: " + parts.at(0));
    TRY(auto text, unseal(row.value, row.key));
    TRY(auto plan, Plan::from(text));
    (parts.at(1) == "plan" ? it->second.plan : it->second.before) = std::make_shared<const Plan>(std::move(plan));
  }
  return {};
}

Result<void> StackStore::load_parts(States& states) const {
  for (auto& row : store_.scan_prefix(kParts, "")) {
    auto parts = meta::key_parts(row.key);
    auto it = states.find(parts.at(0));
    if (it == states.end()) return fail(kInternal, "a resource without its stack: " + parts.at(0));
    TRY(auto text, unseal(row.value, row.key));
    TRY(auto j, Json::parse(text));
    auto& s = it->second;
    if (parts.at(1) == kResource) {
      auto r = ResourceState::from(j);
      s.resources[r.logical_id] = std::move(r);
    } else if (parts.at(1) == kUndo) {
      s.undo.push_back(StackState::Undo::from(j));
    } else {
      s.replaced.push_back(ResourceState::from(j));
    }
  }
  return {};
}

/// Writes what differs: a step of a large stack costs no more than one of a small one.
void StackStore::put_parts(meta::Txn& t, const StackState& now, const StackState* old) const {
  static const StackState kNone;
  if (!old) old = &kNone;
  auto put = [&](std::string_view kind, const std::string& which, const auto& value) {
    auto k = meta::key({now.id, kind, which});
    t.put(kParts, k, seal(value.json().dump(), k));
  };
  for (auto& [id, r] : now.resources)
    if (auto was = old->resources.find(id); was == old->resources.end() || !(was->second == r)) put(kResource, id, r);
  for (auto& [id, r] : old->resources)
    if (!now.resources.contains(id)) t.erase(kParts, meta::key({now.id, kResource, id}));
  auto list = [&](std::string_view kind, const auto& values, const auto& before) {
    for (size_t i = 0; i < values.size(); ++i)
      if (i >= before.size() || !(before[i] == values[i])) put(kind, digits(int64_t(i)), values[i]);
    for (size_t i = values.size(); i < before.size(); ++i) t.erase(kParts, meta::key({now.id, kind, digits(int64_t(i))}));
  };
  list(kUndo, now.undo, old->undo);
  list(kReplaced, now.replaced, old->replaced);
}

void StackStore::index(const StackPtr& s) {
  stacks_[s->id] = s;
  auto name = meta::key({s->account, s->region, s->name});
  if (!s->deleted_for_good())
    names_[name] = s->id;
  else if (auto it = names_.find(name); it != names_.end() && it->second == s->id)
    names_.erase(it);
}

StackPtr StackStore::find(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = stacks_.find(id);
  return it == stacks_.end() ? nullptr : it->second;
}
StackPtr StackStore::find(std::string_view account, std::string_view region, std::string_view name_or_id) const {
  std::lock_guard lock(mutex_);
  std::string_view id = name_or_id;
  if (!id.starts_with("arn:")) {
    auto name = names_.find(meta::key({account, region, name_or_id}));
    if (name == names_.end()) return nullptr;
    id = name->second;
  }
  auto it = stacks_.find(id);
  return it == stacks_.end() || it->second->account != account || it->second->region != region ? nullptr : it->second;
}
std::vector<StackPtr> StackStore::list(std::string_view account, std::string_view region) const {
  std::vector<StackPtr> out;
  auto prefix = make_arn("cloudformation", region, account, "stack/");
  {
    std::lock_guard lock(mutex_);
    for (auto it = stacks_.lower_bound(prefix); it != stacks_.end() && it->first.starts_with(prefix); ++it)
      out.push_back(it->second);
  }
  // Newest first; pages need one order for stacks of the same moment.
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return std::tie(b->created, a->id) < std::tie(a->created, b->id); });
  return out;
}
std::vector<StackPtr> StackStore::unfinished() const {
  std::vector<StackPtr> out;
  std::lock_guard lock(mutex_);
  for (auto& [id, s] : stacks_)
    if (s->being_worked_on()) out.push_back(s);
  return out;
}
StackPtr StackStore::owner_of(std::string_view account, std::string_view region, std::string_view physical_id) const {
  for (auto& s : list(account, region))
    for (auto& [id, r] : s->resources)
      if (!s->deleted_for_good() && r.exists() && r.physical_id == physical_id) return s;
  return nullptr;
}

/// What `now` exports and imports beyond `old` becomes its own, under the lock and before anything is stored.
Result<void> StackStore::claim(const StackState& now, const StackState* old) {
  auto k = [&](const std::string& name) { return meta::key({now.account, now.region, name}); };
  auto offers = offered(&now), offered_before = offered(old);
  auto uses = used(&now), used_before = used(old);
  for (auto& [name, value] : offers)
    if (auto it = exports_.find(k(name)); it != exports_.end() && it->second != now.id)
      return invalid("Export with name " + name + " is already exported by stack " + stacks_.at(it->second)->name + ".");
  for (auto& [name, value] : offered_before) {
    auto same = offers.find(name);
    if (same != offers.end() && same->second == value) continue;
    for (auto& importer : imports_[k(name)])
      if (importer != now.id)
        return invalid("Export " + name + " cannot be " + (same == offers.end() ? "deleted" : "updated") +
                       " as it is in use by " + stacks_.at(importer)->name);
  }
  for (auto& name : uses)
    if (!used_before.contains(name) && !exports_.contains(k(name))) return invalid("No export named " + name + " found.");
  for (auto& [name, value] : offers) exports_[k(name)] = now.id;
  // Withdrawn before the record is written: from here on nobody can begin to use it.
  for (auto& [name, value] : offered_before)
    if (!offers.contains(name)) exports_.erase(k(name));
  for (auto& name : uses) imports_[k(name)].insert(now.id);
  return {};
}

/// Gives back what `now` has and `old` has not: claim() undone, or what a stored state gave up.
void StackStore::release(const StackState& now, const StackState* old) {
  auto k = [&](const std::string& name) { return meta::key({now.account, now.region, name}); };
  auto offers = offered(&now), kept = offered(old);
  auto uses = used(&now), uses_kept = used(old);
  for (auto& [name, value] : offers)
    if (auto it = exports_.find(k(name)); !kept.contains(name) && it != exports_.end() && it->second == now.id)
      exports_.erase(it);
  for (auto& [name, value] : kept) exports_.emplace(k(name), now.id);  // unless somebody has taken the name since
  for (auto& name : uses)
    if (!uses_kept.contains(name)) imports_[k(name)].erase(now.id);
}

Result<void> StackStore::put(StackState& state, std::vector<Event> events) {
  int64_t first = state.next_event;
  StackPtr old = find(state.id);
  state.next_event += int64_t(events.size());
  ++state.revision;
  auto kept = std::make_shared<const StackState>(state);
  {
    std::lock_guard lock(mutex_);
    TRY_VOID(claim(*kept, old.get()));
  }
  auto stored = store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kStacks, kept->id, seal(kept->dump(), kept->id));
    put_parts(t, *kept, old.get());
    auto put_plan = [&](const PlanPtr& now, const PlanPtr& was, const char* which) {
      auto k = meta::key({kept->id, which});
      if (now && now != was) t.put(kPlans, k, seal(now->dump(), k));
      if (!now && was) t.erase(kPlans, k);
    };
    put_plan(kept->plan, old ? old->plan : nullptr, "plan");
    put_plan(kept->before, old ? old->before : nullptr, "before");
    for (size_t i = 0; i < events.size(); ++i) {
      auto k = meta::key({kept->id, digits(first + int64_t(i))});
      t.put(kEvents, k, seal(events[i].json().dump(), k));
    }
    return {};
  });
  {
    std::lock_guard lock(mutex_);
    if (!stored) {
      release(*kept, old.get());
      return stored;
    }
    if (old) release(*old, kept.get());
    index(kept);
  }
  if (kept->deleted_for_good()) return forget_old(*kept);
  return {};
}

Result<void> StackStore::add(StackState& state, std::vector<Event> events, bool termination_protection) {
  std::lock_guard changing(change_mutex_);
  if (find(state.account, state.region, state.name)) return fail(kAlreadyExists, "Stack [" + state.name + "] already exists");
  {
    std::lock_guard lock(mutex_);
    auto first = names_.lower_bound(meta::key({state.account, state.region}));
    auto last = names_.lower_bound(meta::after_prefix(meta::key({state.account, state.region})));
    if (size_t(std::distance(first, last)) >= kStacksMax) return fail(kLimitExceeded, "Limit for stack has been exceeded");
  }
  // Protected first: after a crash in between there is a protection without a stack, never the other way round.
  if (termination_protection)
    TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
      t.put(kProtected, state.id, "1");
      return {};
    }));
  if (termination_protection) {
    std::lock_guard lock(mutex_);
    protected_.insert(state.id);
  }
  return put(state, std::move(events));
}

Result<void> StackStore::change(StackState& state, std::vector<Event> events, std::string_view verb) {
  std::lock_guard changing(change_mutex_);
  auto now = find(state.id);
  if (!now || now->revision != state.revision)
    return invalid("Stack:" + state.id + " is in " + (now ? now->status : "DELETE_COMPLETE") + " state and can not be " +
                   std::string(verb) + ".");
  return put(state, std::move(events));
}

bool StackStore::is_protected(std::string_view stack_id) const {
  std::lock_guard lock(mutex_);
  return protected_.contains(stack_id);
}
Result<void> StackStore::protect(const std::string& stack_id, bool on) {
  std::lock_guard changing(change_mutex_);
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    if (on)
      t.put(kProtected, stack_id, "1");
    else
      t.erase(kProtected, stack_id);
    return {};
  }));
  std::lock_guard lock(mutex_);
  if (on)
    protected_.insert(stack_id);
  else
    protected_.erase(stack_id);
  return {};
}

/// Deleted stacks are remembered for a while: DescribeStacks and its like find them by id.
Result<void> StackStore::forget_old(const StackState& just_deleted) {
  std::vector<StackPtr> deleted;
  for (auto& s : list(just_deleted.account, just_deleted.region))
    if (s->deleted_for_good()) deleted.push_back(s);
  if (deleted.size() <= kDeletedMax / 2) return {};
  std::sort(deleted.begin(), deleted.end(), [](auto& a, auto& b) { return a->deleted > b->deleted; });
  auto horizon = clock_.now().plus_seconds(-kDeletedDays * 86400);
  while (!deleted.empty() && (deleted.size() > kDeletedMax || deleted.back()->deleted < horizon)) {
    TRY_VOID(forget(deleted.back()));
    deleted.pop_back();
  }
  return {};
}

Result<void> StackStore::forget(const StackPtr& stack) {
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.erase(kStacks, stack->id);
    t.erase(kProtected, stack->id);
    for (auto* which : {"plan", "before"}) t.erase(kPlans, meta::key({stack->id, which}));
    for (auto collection : {kEvents, kParts})
      for (auto& row : t.scan_prefix(collection, meta::key({stack->id}))) t.erase(collection, row.key);
    return {};
  }));
  std::lock_guard lock(mutex_);
  stacks_.erase(stack->id);
  protected_.erase(stack->id);
  return {};
}

Result<std::vector<Event>> StackStore::events(std::string_view stack_id) const {
  std::vector<Event> out;
  for (auto& row : store_.scan_prefix(kEvents, meta::key({stack_id}))) {
    TRY(auto text, unseal(row.value, row.key));
    TRY(auto j, Json::parse(text));
    out.push_back(Event::from(j));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// ---------------------------------------------------------------------------------------------------------- exports, imports

std::optional<StackStore::ExportedValue> StackStore::exported(std::string_view account, std::string_view region,
                                                              std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto it = exports_.find(meta::key({account, region, name}));
  auto stack = it == exports_.end() ? stacks_.end() : stacks_.find(it->second);
  if (stack == stacks_.end()) return std::nullopt;  // being stored this moment
  for (auto& o : stack->second->outputs)
    if (o.export_name == name) return ExportedValue{o.value, stack->second};
  return std::nullopt;
}
std::vector<StackStore::ExportedValue> StackStore::exports(std::string_view account, std::string_view region,
                                                           std::vector<std::string>* names) const {
  std::vector<ExportedValue> out;
  std::lock_guard lock(mutex_);
  auto prefix = meta::key({account, region});
  for (auto it = exports_.lower_bound(prefix); it != exports_.end() && it->first.starts_with(prefix); ++it) {
    auto stack = stacks_.find(it->second);
    auto name = meta::key_parts(it->first).back();
    if (stack == stacks_.end()) continue;
    for (auto& o : stack->second->outputs)
      if (o.export_name == name) {
        out.push_back({o.value, stack->second});
        names->push_back(name);
        break;
      }
  }
  return out;
}
std::vector<std::string> StackStore::importers(std::string_view account, std::string_view region, std::string_view name) const {
  std::vector<std::string> out;
  std::lock_guard lock(mutex_);
  auto it = imports_.find(meta::key({account, region, name}));
  if (it == imports_.end()) return out;
  for (auto& id : it->second)
    if (auto s = stacks_.find(id); s != stacks_.end()) out.push_back(s->second->name);
  return out;
}

// ---------------------------------------------------------------------------------------------------------------- change sets

Result<void> StackStore::put(const ChangeSetState& set) {
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kChangeSets, set.id, seal(set.dump(), set.id));
    return {};
  }));
  std::lock_guard lock(mutex_);
  changes_[set.id] = std::make_shared<const ChangeSetState>(set);
  changes_of_[set.stack_id][set.name] = set.id;
  return {};
}
Result<void> StackStore::remove(const ChangeSetState& set) {
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.erase(kChangeSets, set.id);
    return {};
  }));
  std::lock_guard lock(mutex_);
  changes_.erase(set.id);
  auto of = changes_of_.find(set.stack_id);
  if (of == changes_of_.end()) return {};
  std::erase_if(of->second, [&](auto& entry) { return entry.second == set.id; });
  if (of->second.empty()) changes_of_.erase(of);
  return {};
}
ChangeSetPtr StackStore::change_set(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = changes_.find(id);
  return it == changes_.end() ? nullptr : it->second;
}
ChangeSetPtr StackStore::change_set(std::string_view stack_id, std::string_view name_or_id) const {
  std::string id(name_or_id);
  {
    std::lock_guard lock(mutex_);
    auto of = changes_of_.find(stack_id);
    if (of == changes_of_.end()) return nullptr;
    if (auto named = of->second.find(id); named != of->second.end()) id = named->second;
  }
  auto set = change_set(id);
  return set && set->stack_id == stack_id ? set : nullptr;
}
std::vector<ChangeSetPtr> StackStore::change_sets(std::string_view stack_id) const {
  std::vector<ChangeSetPtr> out;
  std::lock_guard lock(mutex_);
  auto of = changes_of_.find(stack_id);
  if (of == changes_of_.end()) return out;
  for (auto& [name, id] : of->second) out.push_back(changes_.at(id));
  return out;
}

}  // namespace redoubt::stacks
