#include "policy/policy.h"

#include "base/json.h"
#include "policy/compiled.h"
#include "policy/json_cursor.h"
#include "policy/wording.h"

namespace redoubt::policy {

size_t counted_size(std::string_view document) {
  size_t n = 0;
  for (char c : document) n += c != ' ' && c != '\t' && c != '\n' && c != '\r' && (c & 0xC0) != 0x80;  // characters, not bytes
  return n;
}

Policy::Policy(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Policy::~Policy() = default;
Kind Policy::kind() const { return compiled_->kind; }
const std::string& Policy::document() const { return compiled_->document; }
std::string_view Policy::version() const { return compiled_->version; }
size_t Policy::statement_count() const { return compiled_->statements.size(); }

StatementInfo Policy::statement(size_t index) const {
  CHECK(index < compiled_->statements.size());
  auto& s = compiled_->statements[index];
  return {s.index, s.sid, s.allow};
}

std::vector<PrincipalValue> Policy::principals() const {
  std::vector<PrincipalValue> out;
  for (auto& s : compiled_->statements)
    for (auto& p : s.principals) out.push_back({s.index, p.type, p.value, s.not_principal});
  return out;
}

namespace {
/// Collects replacements while walking, then writes the text with them.
class Rewriter {
 public:
  using To = std::function<Result<std::string>(std::string_view, std::string_view)>;
  Rewriter(std::string_view text, const To& to) : text_(text), to_(to), cursor_(text) {}

  Result<std::string> run() {
    if (cursor_.peek() != '{') return refuse(Kind::identity, Fault::syntax);
    cursor_.each_member([&](std::string name) {
      if (name != "Statement") return cursor_.skip();
      if (cursor_.peek() == '{')
        statement();
      else if (cursor_.peek() == '[')
        cursor_.each_item([&] { cursor_.peek() == '{' ? statement() : malformed(); });
      else
        malformed();
    });
    if (error_) return std::unexpected(std::move(*error_));
    return out_.append(text_.substr(copied_));
  }

 private:
  void statement() {
    cursor_.each_member([&](std::string name) {
      if (name != "Principal" && name != "NotPrincipal") return cursor_.skip();
      if (cursor_.peek() == '"') return value("AWS", true);
      if (cursor_.peek() != '{') return malformed();
      cursor_.each_member([&](std::string type) {
        if (cursor_.peek() == '"')
          value(type, false);
        else if (cursor_.peek() == '[')
          cursor_.each_item([&] { cursor_.peek() == '"' ? value(type, false) : malformed(); });
        else
          malformed();
      });
    });
  }

  void value(const std::string& type, bool plain) {
    size_t begin = 0, end = 0;
    std::string old = cursor_.string(begin, end);
    if (error_) return;
    auto now = to_(type, old);
    if (!now) {
      error_ = std::move(now.error());
      return;
    }
    if (*now == old) return;
    out_.append(text_.substr(copied_, begin - copied_));
    out_ += plain ? "{\"AWS\":" + json_quote(*now) + "}" : json_quote(*now);
    copied_ = end;
  }

  void malformed() {
    cursor_.skip();
    if (!error_) error_ = refuse(Kind::identity, Fault::syntax).error();
  }

  std::string_view text_;
  const To& to_;
  JsonCursor cursor_;
  std::optional<Error> error_;
  std::string out_;
  size_t copied_ = 0;
};
}  // namespace

Result<std::string> rewrite_principals(std::string_view document,
                                       const std::function<Result<std::string>(std::string_view, std::string_view)>& to) {
  if (document.size() > kDocumentSizeMax) return refuse(Kind::identity, Fault::too_long);
  if (!Json::parse(document)) return refuse(Kind::identity, Fault::json);
  return Rewriter(document, to).run();
}

Result<void> check_bucket_resources(const Policy& policy, std::string_view bucket) {
  std::string arn = "arn:aws:s3:::" + std::string(bucket);
  for (auto& s : policy.compiled().statements)
    for (auto& r : s.resource_texts)
      if (r != arn && !r.starts_with(arn + "/") && r != arn + "*") return refuse(Kind::bucket, Fault::resource_invalid);
  return {};
}

}  // namespace redoubt::policy
