#include "identity/document.h"

#include <unordered_map>

#include "base/crypto.h"
#include "base/log.h"

namespace redoubt::identity {

namespace {
/// Compiled policies by kind and hash of text. Holds none alive: entries of policies that are gone are swept as the table grows.
class Cache {
 public:
  policy::PolicyPtr find(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto it = policies_.find(key);
    return it == policies_.end() ? nullptr : it->second.lock();
  }
  void add(const std::string& key, const policy::PolicyPtr& policy) {
    std::lock_guard lock(mutex_);
    policies_[key] = policy;
    if (policies_.size() < sweep_at_) return;
    std::erase_if(policies_, [](auto& entry) { return entry.second.expired(); });
    sweep_at_ = policies_.size() * 2 + 1024;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<const policy::Policy>> policies_;
  size_t sweep_at_ = 1024;
};
Cache& cache() {
  static Cache instance;
  return instance;
}
}  // namespace

policy::PolicyPtr deny_everything() {
  static const policy::PolicyPtr policy = [] {
    auto parsed = policy::parse(
        R"({"Version":"2012-10-17","Statement":[{"Sid":"Unreadable","Effect":"Deny","Action":"*","Resource":"*"}]})",
        policy::Kind::identity);
    CHECK(parsed.has_value());
    return *parsed;
  }();
  return policy;
}

Result<policy::PolicyPtr> compile(std::string_view text, policy::Kind kind) {
  std::string key = crypto::sha256(text);
  key += char(kind);
  if (auto known = cache().find(key)) return known;
  TRY(auto policy, policy::parse(text, kind));
  cache().add(key, policy);
  return policy;
}

Document::Document(policy::PolicyPtr compiled, policy::Kind kind) : text_(compiled->document()), kind_(kind) {
  std::call_once(once_, [&] { policy_ = std::move(compiled); });
}

const policy::PolicyPtr& Document::policy() const {
  std::call_once(once_, [&] {
    auto compiled = compile(text_, kind_);
    if (!compiled) log::error("identity: a stored policy can't be read and denies everything: " + compiled.error().message);
    policy_ = compiled ? *compiled : deny_everything();
  });
  return policy_;
}

Result<DocumentPtr> new_document(std::string_view text, policy::Kind kind) {
  TRY(auto policy, compile(text, kind));
  return std::make_shared<const Document>(std::move(policy), kind);
}
DocumentPtr stored_document(std::string text, policy::Kind kind) {
  return std::make_shared<const Document>(std::move(text), kind);
}

}  // namespace redoubt::identity
