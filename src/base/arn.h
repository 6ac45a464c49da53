#pragma once
/// Amazon Resource Names: arn:partition:service:region:account:resource. Source: AWS General Reference, "ARNs".
#include <optional>
#include <string>
#include <string_view>

namespace redoubt {

struct Arn {
  std::string partition = "aws", service, region, account, resource;

  /// nullopt unless there are six parts that begin with "arn". Parts may be empty, the resource may hold colons.
  static std::optional<Arn> parse(std::string_view text);
  std::string str() const { return "arn:" + partition + ":" + service + ":" + region + ":" + account + ":" + resource; }
  bool operator==(const Arn&) const = default;
};

inline std::string make_arn(std::string_view service, std::string_view region, std::string_view account,
                            std::string_view resource) {
  return Arn{"aws", std::string(service), std::string(region), std::string(account), std::string(resource)}.str();
}
inline std::string iam_arn(std::string_view account, std::string_view resource) { return make_arn("iam", "", account, resource); }

bool is_account_id(std::string_view s);  // 12 digits

}  // namespace redoubt
