#pragma once
/// For fuzz targets: bytes as a request. First line "METHOD target", then "Name: value" lines, an empty line, the body.
/// And bytes as a body of an operation: first line "kms Encrypt" (other words stand for some operation or other), then the body.
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/http.h"
#include "api/shape.h"
#include "base/text.h"

namespace redoubt::api {

inline std::pair<RequestHead, std::string> fuzz_head(std::string_view text) {
  auto line = [&] {
    auto end = text.find('\n');
    std::string_view out = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return out;
  };
  RequestHead head;
  std::string_view first = line();
  auto blank = first.find(' ');
  head.method = first.substr(0, blank);
  head.target = blank == first.npos ? "/" : first.substr(blank + 1);
  while (!text.empty()) {
    std::string_view field = line();
    if (trim(field).empty()) break;
    auto colon = field.find(':');
    if (colon != field.npos) head.headers.add(std::string(field.substr(0, colon)), std::string(trim(field.substr(colon + 1))));
  }
  return {std::move(head), std::string(text)};
}

/// Takes the first line off `text`.
inline std::pair<const ServiceShape*, const OperationShape*> fuzz_operation(std::span<const ServiceShape* const> services,
                                                                            std::string_view& text) {
  auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  for (auto* service : services)
    if (line.starts_with(service->name) && line.substr(service->name.size()).starts_with(" "))
      for (auto* op : service->operations)
        if (line.substr(service->name.size() + 1) == op->name) return {service, op};
  size_t some = 0;
  for (unsigned char c : line) some = some * 31 + c;
  const ServiceShape* service = services[some % services.size()];
  return {service, service->operations[some / services.size() % service->operations.size()]};
}

}  // namespace redoubt::api
