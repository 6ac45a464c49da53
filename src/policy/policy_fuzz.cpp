/// Any bytes: parse doesn't crash; a document that it accepts comes back as it was, rewrites to itself, and can be decided,
/// explained and simulated. The first byte picks the kind, the rest is the document.
#include <cstdint>
#include <cstdlib>

#include "policy/decide.h"
#include "policy/simulate.h"

namespace {
void require(bool condition) {
  if (!condition) abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::policy;
  if (size == 0) return 0;
  constexpr Kind kKinds[] = {Kind::identity, Kind::session, Kind::boundary, Kind::scp,     Kind::rcp,
                             Kind::bucket,   Kind::key,     Kind::trust,    Kind::endpoint};
  Kind kind = kKinds[data[0] % std::size(kKinds)];
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  counted_size(text);
  auto same = [](std::string_view, std::string_view value) -> redoubt::Result<std::string> { return std::string(value); };
  auto policy = parse(text, kind);
  auto rewritten = rewrite_principals(text, same);
  if (rewritten) require(*rewritten == text);
  if (!policy) return 0;
  require((*policy)->document() == text && rewritten.has_value());

  Principal principal{.type = PrincipalType::assumed_role,
                      .account = "111122223333",
                      .arn = "arn:aws:sts::111122223333:assumed-role/r/s",
                      .issuer_arn = "arn:aws:iam::111122223333:role/r",
                      .unique_id = "AROAANALYST000000001"};
  Context context;
  for (auto key : {"aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:x", "s3:prefix"}) context.set(key, text.substr(0, 40));
  context.set_list("aws:TagKeys", {"a", "*", "${aws:x}"});
  NamedPolicy list[] = {{"p", policy->get()}};
  std::span<const NamedPolicy> levels[] = {list};
  Request request{principal, "s3:GetObject", "arn:aws:s3:::b/k", "111122223333", context};
  Layers layers{.resource_rule = ResourceRule::optional};
  if (kind == Kind::scp)
    layers.scp_levels = levels;
  else if (kind == Kind::rcp)
    layers.rcp_levels = levels;
  else if (kind == Kind::endpoint)
    layers.endpoint = list[0];
  else if (kind == Kind::session)
    layers.session = list;
  else if (kind == Kind::boundary)
    layers.boundary = list[0];
  else if (kind == Kind::identity)
    layers.identity = list;
  else
    layers.resource = list[0];
  Decision d = decide(layers, request);
  Explanation e = explain(layers, request);
  require(e.effect == d.effect);
  e.json().dump();
  if (!d.allowed()) denial_text(d, request, DenialStyle::kms);
  if (kind == Kind::identity) {
    SimulationInput in{
        .principal = principal, .identity = {{"p", "", *policy}}, .actions = {"s3:GetObject"}, .resources = {"arn:aws:s3:::b/k"}};
    simulate(in);
  }
  return 0;
}
