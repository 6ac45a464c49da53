#pragma once
/// The functions that only the server can answer: names of users and relations, rights, what the session did last.
#include "warehouse/secure/scope.h"
#include "warehouse/session/facts.h"

namespace redoubt::warehouse::session {

class Functions : public secure::HostFunctions {
 public:
  explicit Functions(FactsPtr facts) : facts_(std::move(facts)) {}
  std::span<const secure::HostFunction> find(std::string_view name) const override;
  Result<secure::Datum> call(const secure::HostFunction& function, std::span<const secure::Datum> arguments) const override;

 private:
  FactsPtr facts_;
};

/// Text of a view, constraint and so on, as the pg_get_*def functions give it; nullopt: there is no such object.
std::optional<std::string> view_definition(const catalog::Snapshot& snapshot, catalog::Oid view);
std::optional<std::string> constraint_definition(const Facts& facts, catalog::Oid constraint);

}  // namespace redoubt::warehouse::session
