#pragma once
/// What `redoubt serve` can be told: flags, or the same names in a YAML file given by --config (flags win). docs/OPERATIONS.md.
#include <set>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "server/errors.h"

namespace redoubt::server {

struct Config {
  std::string data = "redoubt-data";
  Ip listen = *Ip::parse("127.0.0.1");
  uint16_t https_port = 4443;  // 0: a free one, for this and the other ports
  uint16_t http_port = 4480;
  uint16_t cluster_port = 5439;
  std::string account_id = "111122223333";
  std::string region = "us-east-1";
  std::string cluster;                                // "": none is made
  Cidr cluster_net = *Cidr::parse("127.100.0.0/16");  // where clusters get their addresses
  std::string advertise;                              // "": every cluster has an address of its own
  bool strict = false;                                // no extensions of ours
  bool strict_acl = false;                            // bucket ACLs are refused, as AWS does since 2023
  std::set<std::string> given;                        // the names that flags or the file mention
};

struct Parsed {
  Config config;
  std::string help;  // not "": --help was asked; print it and exit with 0
};

/// `args`: what follows "serve" on the command line. kCannotStart with the sentence to print.
Result<Parsed> parse_config(const std::vector<std::string>& args);

}  // namespace redoubt::server
