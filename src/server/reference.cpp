#include "server/reference.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "access/audit.h"
#include "access/gate.h"
#include "access/trail.h"
#include "base/crypto.h"
#include "base/text.h"
#include "identity/identity.h"
#include "keys/keys.h"
#include "meta/store.h"
#include "network/network.h"
#include "objects/objects.h"
#include "stacks/provider.h"
#include "stacks/stacks.h"
#include "warehouse/control/control.h"
#include "warehouse/secure/functions.h"
#include "warehouse/session/settings.h"
#include "warehouse/session/statements.h"
#include "warehouse/system/relation.h"
#include "warehouse/transfer/s3_transfer.h"

namespace redoubt::server {
namespace {

using namespace warehouse;

std::string shown(const secure::FunctionParameter& p) {
  switch (p.kind) {
    case secure::ParameterKind::kType:
      return p.type.format();
    case secure::ParameterKind::kString:
      return "string";
    case secure::ParameterKind::kNumber:
      return "number";
    case secure::ParameterKind::kDecimal:
      return "numeric";
    case secure::ParameterKind::kAny:
    case secure::ParameterKind::kSame:
      return "any";
    case secure::ParameterKind::kArray:
      return "array";
    case secure::ParameterKind::kDatePart:
      return "datepart";
  }
  return "";
}

std::string signature(const secure::Function& f) {
  std::string out = std::string(f.name) + "(";
  for (size_t i = 0; i < f.parameters.size(); ++i) out += (i ? ", " : "") + shown(f.parameters[i]);
  return out + (f.variadic ? ", ..)" : ")");
}

/// No cluster is ever opened here.
class NoFront final : public control::Front {
 public:
  Result<control::ClusterAddress> reserve(int) override { return fail(kInternal, "there are no listeners here"); }
  Result<control::ClusterAddress> reserve_first() override { return fail(kInternal, "there are no listeners here"); }
  Result<void> also_listen_first(const std::string&) override { return fail(kInternal, "there are no listeners here"); }
  Result<void> open(const std::string&, const control::ClusterAddress&, Service, Admit) override {
    return fail(kInternal, "there are no listeners here");
  }
  void close(const std::string&) override {}
};

struct TemporaryFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("redoubt-docs-" + hex(crypto::random_bytes(8)));
  TemporaryFolder() { std::filesystem::create_directories(path); }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

std::string list_apis(const access::Gate& gate) {
  std::map<std::string, std::map<std::string, std::set<std::string>>> services;
  std::map<std::string, const api::ServiceShape*> shapes;
  for (auto& row : gate.rows()) {
    auto name = std::string(row.shape->service->name);
    shapes[name] = row.shape->service;
    auto& actions = services[name][std::string(row.shape->name)];
    for (auto a : row.actions) actions.insert(std::string(a));
  }
  std::string out =
      "# AWS APIs\nMade by `redoubt docs apis` from the rows that the Gate decides by. Any other operation of these services is "
      "answered with an "
      "error that names it.\n";
  for (auto& [name, operations] : services) {
    out += "\n## " + name + "\n| operation | permission |\n|---|---|\n";
    for (auto& [operation, actions] : operations)
      out += "| " + operation + " | " +
             (actions.empty() ? std::string("none: AWS requires none, or each item is decided by itself")
                              : join({actions.begin(), actions.end()}, ", ")) +
             " |\n";
  }
  out +=
      "\n## CloudFormation resource types\nAny other type, property or attribute is refused by name.\n\n| type | properties | "
      "GetAtt |\n|---|---|---|\n";
  for (auto* p : stacks::all_providers()) {
    std::vector<std::string> properties, attributes;
    for (auto& x : p->properties) properties.push_back(std::string(x.name) + (x.required ? "*" : ""));
    for (auto a : p->attributes) attributes.emplace_back(a);
    out += "| " + std::string(p->type) + " | " + join(properties, ", ") + " | " + join(attributes, ", ") + " |\n";
  }
  return out + "\n`*`: required.\n";
}

}  // namespace

std::string sql_reference() {
  std::string out =
      "# SQL\nMade by `redoubt docs sql` from the tables that the analyzer goes by. The dialect is Redshift's; a statement, "
      "function or setting that "
      "isn't built is refused by name.\n";
  out += "\n## Statements\n";
  std::string refused;
  for (auto& row : session::statement_table()) {
    if (row.built)
      out += "- " + std::string(row.names) + "\n";
    else
      refused += std::string(refused.empty() ? "" : ", ") + std::string(row.names);
  }
  out += "\nNot built: " + refused + ".\n\n## Settings\n\n| name | default | |\n|---|---|---|\n";
  for (auto& row : session::setting_table())
    out += "| " + std::string(row.name) + " | " + std::string(row.value) + " | " + std::string(row.description) + " |\n";
  out +=
      "\nA name with a dot (`app_context.tenant_id`) is a context variable, text, and everybody's to set.\n\n## System "
      "relations\n";
  std::map<std::string, std::vector<std::string>> by_schema;
  for (auto& r : system::all_relations()) by_schema[std::string(r.schema)].push_back(std::string(r.name));
  for (auto& [schema, names] : by_schema) {
    std::sort(names.begin(), names.end());
    out += "- " + schema + ": " + join(names, ", ") + "\n";
  }
  struct Group {
    secure::FunctionKind kind;
    const char* title;
  };
  for (auto& [kind, title] : {Group{secure::FunctionKind::kScalar, "Functions and operators"},
                              Group{secure::FunctionKind::kAggregate, "Aggregates (also with OVER)"},
                              Group{secure::FunctionKind::kOrderedSet, "Ordered-set aggregates (WITHIN GROUP)"},
                              Group{secure::FunctionKind::kWindow, "Window functions"}}) {
    std::map<std::string, std::vector<std::string>> by_name;
    for (auto& f : secure::all_functions())
      if (f.kind == kind) by_name[std::string(f.name)].push_back(signature(f));
    out += std::string("\n## ") + title + "\n";
    for (auto& [name, signatures] : by_name) {
      std::set<std::string> once(signatures.begin(), signatures.end());
      out += "- `" + join({once.begin(), once.end()}, "`, `") + "`\n";
    }
  }
  return out;
}

Result<std::string> api_reference() {
  TemporaryFolder folder;
  std::string key(32, 'k');
  auto& clock = Clock::system();
  TRY(auto store, meta::Store::open(folder / "meta.db"));
  TRY(auto audit, access::Audit::open(folder / "audit.db"));
  TRY(auto identity, identity::Identity::create(*store, clock, key));
  access::Gate gate(*identity, *audit, clock, {});
  identity->declare(gate);
  access::declare_trail(gate, *audit);
  network::Network network(*store, "111122223333");
  network.declare(gate);
  keys::Keys keys(*store, key, clock);
  keys.declare(gate);
  TRY(auto objects, objects::Objects::open(*store, clock, {.directory = folder / "objects", .root_key = key}));
  objects->declare(gate);
  NoFront front;
  transfer::S3Transfer transfer(gate, {});
  control::Control control(*store, key, clock, {}, front, transfer);
  control.declare(gate);
  stacks::Stacks stacks(*store, key, clock, {});
  stacks.declare(gate);
  auto text = list_apis(gate);
  stacks.stop();
  return text;
}

}  // namespace redoubt::server
