#include "server/config.h"

#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "server/data_dir.h"

namespace redoubt::server {
namespace {

struct Raw {
  std::string config_file, listen = "127.0.0.1", cluster_net = "127.100.0.0/16";
};

/// The flags. Their texts are the manual of --help.
void declare(CLI::App& app, Config& c, Raw& raw) {
  auto once = CLI::MultiOptionPolicy::TakeLast;  // the command line comes behind the file, and wins
  auto port = CLI::Range(0, 65535);
  app.add_option("--config", raw.config_file, "YAML file with the same names: `https-port: 4443`. Flags win over it.")
      ->type_name("FILE");
  app.add_option("--data", c.data, "Where everything is kept; made when it doesn't exist.")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--listen", raw.listen, "Address to listen on.")->type_name("IP")->capture_default_str();
  app.add_option("--https-port", c.https_port, "AWS APIs; 0 takes a free port, as for the other two.")
      ->type_name("PORT")
      ->check(port)
      ->capture_default_str();
  app.add_option("--http-port", c.http_port, "AWS APIs without TLS, /_redoubt/health and /_redoubt/metrics.")
      ->type_name("PORT")
      ->check(port)
      ->capture_default_str();
  app.add_option("--cluster-port", c.cluster_port, "SQL, for the cluster that --cluster makes.")
      ->type_name("PORT")
      ->check(port)
      ->capture_default_str();
  app.add_option("--account-id", c.account_id, "The first account, made on the first start: 12 digits.")
      ->type_name("ID")
      ->capture_default_str();
  app.add_option("--region", c.region, "The AWS region that this server is.")->type_name("REGION")->capture_default_str();
  app.add_option("--cluster", c.cluster, "Makes a cluster of this name if it isn't there: database dev, user awsuser.")
      ->type_name("NAME");
  app.add_option("--cluster-net", raw.cluster_net, "Addresses for clusters; each listens on one of its own.")
      ->type_name("CIDR")
      ->capture_default_str();
  app.add_option("--advertise", c.advertise, "For servers that others reach: clusters share HOST and differ in port.")
      ->type_name("HOST");
  app.add_flag("--strict", c.strict, "No extensions: only what AWS has.");
  app.add_flag("--strict-acl", c.strict_acl, "Refuse bucket ACLs as AWS does since 2023.");
  for (auto* option : app.get_options())
    if (option->get_name() != "--help") option->multi_option_policy(once);
}

/// The file as the flags that it stands for.
Result<std::vector<std::string>> flags_of_file(const std::string& name, const CLI::App& app) {
  TRY(auto text, read_file(name));
  if (!text) return fail(kCannotStart, "--config: there is no file " + name);
  std::vector<std::string> flags;
  try {
    auto root = YAML::Load(*text);
    if (root.IsNull()) return flags;
    if (!root.IsMap()) return fail(kCannotStart, name + " must be a mapping of settings to values");
    for (auto entry : root) {
      auto key = entry.first.as<std::string>();
      auto* option = app.get_option_no_throw("--" + key);
      if (!option || key == "config" || key == "help") return fail(kCannotStart, name + ": there is no setting '" + key + "'");
      if (!entry.second.IsScalar()) return fail(kCannotStart, name + ": '" + key + "' must have one value");
      flags.push_back("--" + key + "=" + entry.second.as<std::string>());
    }
  } catch (const YAML::Exception& e) {
    return fail(kCannotStart, name + " is not YAML: " + e.what());
  }
  return flags;
}

bool is_region(std::string_view s) {  // us-east-1, us-gov-west-1
  auto parts = split(s, '-');
  auto lower = [](std::string_view p) {
    return !p.empty() && std::all_of(p.begin(), p.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  };
  if (parts.size() < 3 || parts.size() > 4) return false;
  for (size_t i = 0; i + 1 < parts.size(); ++i)
    if (!lower(parts[i])) return false;
  return parts.back().size() == 1 && is_digit(parts.back()[0]);
}

// Amazon Redshift API Reference, CreateCluster, ClusterIdentifier.
bool is_cluster_name(std::string_view s) {
  return !s.empty() && s.size() <= 63 && s[0] >= 'a' && s[0] <= 'z' && s.back() != '-' && s.find("--") == s.npos &&
         std::all_of(s.begin(), s.end(), [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}

bool is_host(std::string_view s) {
  return !s.empty() && s.size() <= 253 &&
         (Ip::parse(s) || std::all_of(s.begin(), s.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.'; }));
}

Result<void> validate(Config& c, const Raw& raw) {
  auto listen = Ip::parse(raw.listen);
  if (!listen) return fail(kCannotStart, "--listen: '" + raw.listen + "' is not an IP address");
  c.listen = *listen;
  auto net = Cidr::parse(raw.cluster_net);
  if (!net || !net->is_v4())
    return fail(kCannotStart, "--cluster-net: '" + raw.cluster_net + "' is not an IPv4 network like 127.100.0.0/16");
  c.cluster_net = *net;
  if (c.account_id.size() != 12 || !std::all_of(c.account_id.begin(), c.account_id.end(), is_digit))
    return fail(kCannotStart, "--account-id: '" + c.account_id + "' is not 12 digits");
  if (!is_region(c.region)) return fail(kCannotStart, "--region: '" + c.region + "' is not a region like us-east-1");
  if (!c.cluster.empty() && !is_cluster_name(c.cluster))
    return fail(
        kCannotStart,
        "--cluster: '" + c.cluster +
            "' must be 1 to 63 lower case letters, digits and single hyphens, begin with a letter and not end with a hyphen");
  if (!c.advertise.empty() && !is_host(c.advertise))
    return fail(kCannotStart, "--advertise: '" + c.advertise + "' is not a host name");
  if (c.data.empty()) return fail(kCannotStart, "--data must name a directory");
  const uint16_t ports[] = {c.https_port, c.http_port, c.cluster_port};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < i; ++j)
      if (ports[i] != 0 && ports[i] == ports[j])
        return fail(kCannotStart, "--https-port, --http-port and --cluster-port must differ");
  return {};
}

}  // namespace

Result<Parsed> parse_config(const std::vector<std::string>& args) {
  Parsed out;
  Raw raw;
  CLI::App app("Starts the server and keeps running until SIGTERM or SIGINT. Prints 'ready' when every port accepts.",
               "redoubt serve");
  app.allow_config_extras(false);
  declare(app, out.config, raw);
  // CLI11 takes its arguments from the back.
  auto parse = [&](std::vector<std::string> list) -> Result<void> {
    std::reverse(list.begin(), list.end());
    try {
      app.parse(list);
    } catch (const CLI::CallForHelp&) {
      out.help = app.help();
    } catch (const CLI::ParseError& e) {
      return fail(kCannotStart, replace_all(e.what(), "\n", " "));
    }
    return {};
  };
  TRY_VOID(parse(args));
  if (!out.help.empty()) return out;
  if (!raw.config_file.empty()) {
    TRY(auto all, flags_of_file(raw.config_file, app));
    auto file = raw.config_file;
    all.insert(all.end(), args.begin(), args.end());
    if (auto ok = parse(all); !ok) return fail(kCannotStart, file + ": " + ok.error().message);
  }
  for (auto* option : app.get_options())
    if (option->count() > 0) out.config.given.insert(option->get_name().substr(2));
  TRY_VOID(validate(out.config, raw));
  return out;
}

}  // namespace redoubt::server
