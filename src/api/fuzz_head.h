#pragma once
/// For fuzz targets: bytes as a request. First line "METHOD target", then "Name: value" lines, an empty line, the body.
#include <string>
#include <string_view>
#include <utility>

#include "api/http.h"
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

}  // namespace redoubt::api
