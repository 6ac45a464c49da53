#pragma once
/// A stored policy document, compiled when it is first asked for: a server with thousands of roles starts without parsing them.
/// Documents of the same text share one compiled policy. Threads: any.
#include <memory>
#include <mutex>
#include <string>

#include "policy/policy.h"

namespace redoubt::identity {

class Document {
 public:
  Document(std::string text, policy::Kind kind) : text_(std::move(text)), kind_(kind) {}
  Document(policy::PolicyPtr compiled, policy::Kind kind);
  const std::string& text() const { return text_; }
  /// Never null. A stored text that doesn't parse (a damaged store) is a policy that denies everything: nothing is let through
  /// because a layer is missing.
  const policy::PolicyPtr& policy() const;

 private:
  const std::string text_;
  const policy::Kind kind_;
  mutable std::once_flag once_;
  mutable policy::PolicyPtr policy_;
};
using DocumentPtr = std::shared_ptr<const Document>;

/// Parses and checks a document that someone wants to store. Errors: policy's kMalformedPolicyDocument.
Result<DocumentPtr> new_document(std::string_view text, policy::Kind kind);
/// As it was stored.
DocumentPtr stored_document(std::string text, policy::Kind kind);
/// Compiled through the cache that all documents share. Errors: policy's.
Result<policy::PolicyPtr> compile(std::string_view text, policy::Kind kind);
/// Denies every action on every resource to everybody.
policy::PolicyPtr deny_everything();

}  // namespace redoubt::identity
