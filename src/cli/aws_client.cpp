#include "cli/aws_client.h"

#include <curl/curl.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>

#include "base/clock.h"
#include "base/text.h"

namespace redoubt::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Section -> name -> value of an AWS profile file; a missing file is empty.
std::map<std::string, std::map<std::string, std::string>> read_profiles(const std::string& file) {
  std::map<std::string, std::map<std::string, std::string>> out;
  std::ifstream in(file);
  std::string section;
  for (std::string line; std::getline(in, line);) {
    auto text = trim(line);
    if (text.empty() || text[0] == '#' || text[0] == ';') continue;
    if (text[0] == '[' && text.back() == ']') {
      auto name = trim(text.substr(1, text.size() - 2));
      if (name.starts_with("profile ")) name = trim(name.substr(8));  // the config file's way
      section = name;
    } else if (auto equals = text.find('='); equals != text.npos) {
      out[section][std::string(trim(text.substr(0, equals)))] = trim(text.substr(equals + 1));
    }
  }
  return out;
}

struct Answer {
  long status = 0;
  api::Headers headers;
  std::string body;
};

size_t take_body(char* data, size_t size, size_t count, void* to) {
  static_cast<Answer*>(to)->body.append(data, size * count);
  return size * count;
}
size_t take_header(char* data, size_t size, size_t count, void* to) {
  std::string_view line(data, size * count);
  if (auto colon = line.find(':'); colon != line.npos)
    static_cast<Answer*>(to)->headers.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
  return size * count;
}

Result<Answer> post(const std::string& url, const api::RequestParts& parts, const std::string& ca_bundle) {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return fail(kUnreachable, "no memory for a connection");
  curl_slist* list = nullptr;
  for (auto& [name, value] : parts.headers.all()) list = curl_slist_append(list, (name + ": " + value).c_str());
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, curl_slist_free_all);
  Answer answer;
  auto* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, parts.method.c_str());
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, parts.body.data());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, static_cast<long>(parts.body.size()));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!ca_bundle.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, ca_bundle.c_str());
  if (auto code = curl_easy_perform(c); code != CURLE_OK)
    return fail(kUnreachable, "cannot reach " + url + ": " + curl_easy_strerror(code));
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace

Result<AwsClient> AwsClient::from_environment() {
  auto home = variable("HOME");
  auto file = [&](const char* name, const char* otherwise) {
    auto set = variable(name);
    return set.empty() ? home + otherwise : set;
  };
  auto profile = variable("AWS_PROFILE").empty() ? "default" : variable("AWS_PROFILE");
  auto credentials = read_profiles(file("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"))[profile];
  auto config = read_profiles(file("AWS_CONFIG_FILE", "/.aws/config"));
  for (auto& [name, value] : config[profile]) credentials.try_emplace(name, value);
  auto setting = [&](const char* environment, const char* in_profile) {
    auto set = variable(environment);
    return set.empty() ? credentials[in_profile] : set;
  };

  AwsClient out;
  out.endpoint_ = setting("AWS_ENDPOINT_URL", "endpoint_url");
  out.region_ = setting("AWS_REGION", "region");
  if (out.region_.empty()) out.region_ = variable("AWS_DEFAULT_REGION");
  out.ca_bundle_ = setting("AWS_CA_BUNDLE", "ca_bundle");
  // A key from the environment never meets a secret or token of a profile.
  if (!variable("AWS_ACCESS_KEY_ID").empty()) {
    out.identity_ = {variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
  } else {
    out.identity_ = {credentials["aws_access_key_id"], credentials["aws_secret_access_key"], credentials["aws_session_token"]};
  }
  while (out.endpoint_.ends_with('/')) out.endpoint_.pop_back();
  if (out.endpoint_.empty()) return fail(kUsage, "which server? Set AWS_ENDPOINT_URL, or source DIR/env of the server.");
  if (out.region_.empty()) return fail(kUsage, "which region? Set AWS_REGION.");
  if (out.identity_.access_key_id.empty() || out.identity_.secret_access_key.empty())
    return fail(kUsage, "who are you? Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.");
  return out;
}

Result<void> AwsClient::send(const api::OperationShape& op, const void* input, void* output) const {
  auto parts = api::encode_request(op, input);
  auto host = endpoint_.substr(endpoint_.find("://") == endpoint_.npos ? 0 : endpoint_.find("://") + 3);
  api::sigv4::sign(parts, host, identity_,
                   {.region = region_, .service = std::string(op.service->signing_name), .now = Clock::system().now()});
  TRY(auto answer, post(endpoint_ + parts.path + (parts.query.empty() ? "" : "?" + parts.query), parts, ca_bundle_));
  if (answer.status / 100 != 2) {
    auto error = api::decode_error(op.service->protocol, static_cast<int>(answer.status), answer.headers, answer.body);
    if (error.code.empty()) return fail(kRefused, "the server answered with status " + std::to_string(answer.status));
    return fail(kRefused, error.code + ": " + error.message);
  }
  return api::decode_response(op, static_cast<int>(answer.status), answer.headers, answer.body, output);
}

}  // namespace redoubt::cli
