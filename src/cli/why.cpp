#include "cli/why.h"

#include <cstdio>

#include "api/cloudtrail.h"
#include "cli/aws_client.h"

namespace redoubt::cli {
namespace {

constexpr const char* kHelp =
    "usage: redoubt why REQUEST-ID [--json]\n"
    "\n"
    "Shows who made a request, what it needed, and which statement of which policy decided. The id is in every answer\n"
    "(x-amz-request-id, x-amzn-RequestId; `aws --debug`, boto3's ResponseMetadata).\n"
    "  --json    the audit records as they are\n";

std::string quoted(const std::string& text) { return "'" + text + "'"; }

/// "Statement 'Sid' of policy 'name'", as far as it is known.
std::string statement_of(const Json& from, const char* policy, const char* sid) {
  std::string out;
  if (!from[sid].str().empty()) out = "statement " + quoted(from[sid].str());
  if (!from[policy].str().empty()) out += (out.empty() ? "policy " : " of policy ") + quoted(from[policy].str());
  return out;
}

void explain_layers(const Json& explanation, std::string& out) {
  for (auto& layer : explanation["layers"].items()) {
    out += "      " + layer["layer"].str() + ": " + layer["effect"].str() + "\n";
    for (auto& policy : layer["policies"].items())
      for (auto& statement : policy["statements"].items()) {
        auto sid = statement["sid"].str();
        out += "        " + policy["name"].str() + " " + (sid.empty() ? "#" + statement["statement"].str() : sid) + " (" +
               statement["effect"].str() + ") " +
               (statement["matched"].boolean() ? "matches" : "doesn't match: " + statement["because"].str()) + "\n";
      }
  }
  for (auto& key : explanation["missingContextKeys"].items()) out += "      the request has no " + key.str() + "\n";
}

void explain_decision(const Json& decision, std::string& out) {
  bool allowed = decision["decision"].str() == "allowed";
  out += "  " + std::string(allowed ? "allowed" : "DENIED ") + "  " + decision["action"].str() + "  on " +
         decision["resource"].str() + "\n";
  auto& explanation = decision["explanation"];
  auto by = statement_of(decision, "policy", "statement");
  if (!decision["layer"].str().empty()) out += "    by " + decision["layer"].str() + (by.empty() ? "" : ", " + by) + "\n";
  if (allowed) return;
  out += std::string("    ") +
         (explanation["explicitDeny"].boolean() ? "an explicit deny" : "nothing allows it (implicit deny)") + "\n";
  explain_layers(explanation, out);
}

}  // namespace

std::string explain_record(const Json& record) {
  auto& ours = record["additionalEventData"]["redoubt"];
  auto& identity = record["userIdentity"];
  auto principal = ours["principal"].str();
  if (principal.empty()) principal = identity["arn"].str();
  if (principal.empty())
    principal =
        identity["type"].str() + (identity["accountId"].str().empty() ? "" : " of account " + identity["accountId"].str());
  std::string out = record["eventSource"].str() + " " + record["eventName"].str() + " at " + record["eventTime"].str() + "\n";
  out += "  by " + principal + " from " + record["sourceIPAddress"].str() + "\n";
  if (auto code = record["errorCode"].str(); !code.empty())
    out += "  answered " + code + ": " + record["errorMessage"].str() + "\n";
  if (auto because = ours["public"].str(); !because.empty()) out += "  needs no permission: " + because + "\n";
  for (auto& decision : ours["decisions"].items()) explain_decision(decision, out);
  return out;
}

int why(const std::vector<std::string>& args) {
  std::string id;
  bool json = false;
  for (auto& arg : args) {
    if (arg == "--help" || arg == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (arg == "--json") {
      json = true;
    } else if (arg.starts_with("-") || !id.empty()) {
      std::fprintf(stderr, "redoubt why: unexpected argument '%s'\n%s", arg.c_str(), kHelp);
      return 2;
    } else {
      id = arg;
    }
  }
  if (id.empty()) {
    std::fprintf(stderr, "redoubt why: which request?\n%s", kHelp);
    return 2;
  }
  auto refuse = [](const Error& e) {
    std::fprintf(stderr, "redoubt why: %s\n", e.message.c_str());
    return e.is(kUsage) ? 2 : 1;
  };
  auto client = AwsClient::from_environment();
  if (!client) return refuse(client.error());
  api::cloudtrail::LookupEventsRequest ask;
  ask.LookupAttributes.emplace();
  ask.LookupAttributes->push_back({.AttributeKey = "RequestId", .AttributeValue = id});
  auto found = client->call<api::cloudtrail::op::LookupEvents>(ask);
  if (!found) return refuse(found.error());
  if (!found->Events || found->Events->empty()) {
    std::fprintf(stderr, "redoubt why: this account's audit trail has no request %s\n", id.c_str());
    return 1;
  }
  // Oldest first: the calls that a request made (S3 asking KMS), then the request's own record.
  for (auto it = found->Events->rbegin(); it != found->Events->rend(); ++it) {
    auto record = Json::parse(it->CloudTrailEvent.value_or(""));
    if (!record) return refuse(record.error());
    std::fputs((json ? record->dump(2) + "\n" : explain_record(*record)).c_str(), stdout);
  }
  return 0;
}

}  // namespace redoubt::cli
