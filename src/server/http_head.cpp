#include "server/http_head.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace redoubt::server {
namespace {

constexpr size_t kLineMax = 1024;     // chunk sizes with their extensions, trailer lines
constexpr size_t kTrailerMax = 8192;  // all trailer lines

bool is_token(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}
// RFC 9110: visible characters, blank, tab, and bytes from 0x80 on.
bool is_field_value(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) {
    auto u = static_cast<unsigned char>(c);
    return u == '\t' || (u >= 0x20 && u != 0x7f);
  });
}
std::string_view trim_blanks(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}
bool is_host(std::string_view s) {
  return s.size() <= 255 && std::all_of(s.begin(), s.end(), [](char c) {
           return is_alnum(c) || std::string_view("-._~:[]%").find(c) != std::string_view::npos;
         });
}

Result<void> parse_request_line(std::string_view line, ParsedHead& out) {
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  if (first == line.npos || first == last) return fail(kBadRequest, "The request line is not METHOD TARGET VERSION.");
  auto method = line.substr(0, first);
  auto target = line.substr(first + 1, last - first - 1);
  auto version = line.substr(last + 1);
  if (!is_token(method)) return fail(kBadRequest, "The method is not a token.");
  static constexpr std::array<std::string_view, 7> methods = {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"};
  if (std::find(methods.begin(), methods.end(), method) == methods.end())
    return fail(kNotImplemented, "The method is not implemented.");
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' || !is_digit(version[7]))
    return fail(kBadRequest, "The request line doesn't end with an HTTP version.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return fail(kVersionNotSupported, "The HTTP version must be 1.1 or 1.0.");
  if (target.size() > kTargetMax) return fail(kUriTooLong, "The request target is too long.");
  if (!target.starts_with('/')) return fail(kBadRequest, "The request target must begin with '/'.");
  if (!std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; }))
    return fail(kBadRequest, "The request target holds a byte that must be percent-encoded.");
  out.head.method = method;
  out.head.target = target;
  out.http_1_0 = version == "HTTP/1.0";
  return {};
}

Result<void> parse_field(std::string_view line, api::Headers& headers) {
  if (line.starts_with(' ') || line.starts_with('\t')) return fail(kBadRequest, "Folded header fields are not accepted.");
  auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return fail(kBadRequest, "A header field has no valid name.");
  auto value = trim_blanks(line.substr(colon + 1));
  if (!is_field_value(value)) return fail(kBadRequest, "A header field holds control characters.");
  headers.add(std::string(line.substr(0, colon)), std::string(value));
  return {};
}

/// What decides where the message ends.
Result<void> read_framing(ParsedHead& out) {
  auto& headers = out.head.headers;
  size_t hosts = 0, lengths = 0, codings = 0, expectations = 0;
  for (auto& [name, value] : headers.all()) {
    if (iequals(name, "host")) {
      if (++hosts > 1 || !is_host(value)) return fail(kBadRequest, "The Host header is repeated or malformed.");
    } else if (iequals(name, "content-length")) {
      auto length = value.size() <= 18 && std::all_of(value.begin(), value.end(), is_digit) ? parse_int(value) : std::nullopt;
      if (++lengths > 1 || !length) return fail(kBadRequest, "The Content-Length header is repeated or not a number.");
      out.head.content_length = static_cast<uint64_t>(*length);
    } else if (iequals(name, "transfer-encoding")) {
      if (++codings > 1) return fail(kBadRequest, "The Transfer-Encoding header is repeated.");
      if (!iequals(value, "chunked"))
        return fail(kNotImplemented, "A header you provided implies functionality that is not implemented");
      out.head.chunked = true;
    } else if (iequals(name, "expect")) {
      if (++expectations > 1 || !iequals(value, "100-continue"))
        return fail(kExpectationFailed, "The only supported value of Expect is 100-continue.");
      out.expect_continue = !out.http_1_0;
    } else if (iequals(name, "connection")) {
      for (auto& option : split(value, ',')) {
        if (iequals(trim(option), "close")) out.keep_alive = false;
        if (iequals(trim(option), "keep-alive") && out.http_1_0) out.keep_alive = true;
      }
    }
  }
  if (hosts == 0 && !out.http_1_0) return fail(kBadRequest, "The Host header is missing.");
  if (codings && lengths) return fail(kBadRequest, "Content-Length and Transfer-Encoding exclude each other.");
  if (codings && out.http_1_0) return fail(kBadRequest, "HTTP/1.0 knows no Transfer-Encoding.");
  return {};
}

}  // namespace

size_t head_end(std::string_view bytes, size_t from) {
  auto at = bytes.find("\r\n\r\n", from > 3 ? from - 3 : 0);
  return at == bytes.npos ? bytes.npos : at + 4;
}

Result<ParsedHead> parse_head(std::string_view head) {
  if (head.size() > kHeadMax) return fail(kHeadTooLarge, "The request's header fields are too large.");
  if (head_end(head) != head.size()) return fail(kBadRequest, "The request's head is incomplete.");
  head.remove_suffix(2);  // now a sequence of lines, each with its CRLF
  ParsedHead out;
  for (bool first = true; !head.empty(); first = false) {
    auto end = head.find("\r\n");
    auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos)
      return fail(kBadRequest, "Lines must end with CR LF, and hold neither of them nor NUL.");
    if (first) {
      TRY_VOID(parse_request_line(line, out));
      out.keep_alive = !out.http_1_0;
      continue;
    }
    if (out.head.headers.all().size() >= kFieldsMax) return fail(kHeadTooLarge, "The request has too many header fields.");
    TRY_VOID(parse_field(line, out.head.headers));
  }
  TRY_VOID(read_framing(out));
  return out;
}

Result<size_t> ChunkedDecoder::feed(std::string_view in, std::string& out, size_t max) {
  const size_t given = in.size();
  while (where_ != Where::done && !in.empty()) {
    if (where_ == Where::data) {
      auto n = static_cast<size_t>(std::min<uint64_t>({in.size(), left_, max}));
      if (n == 0) break;
      out.append(in.substr(0, n));
      in.remove_prefix(n);
      max -= n;
      left_ -= n;
      if (left_ == 0) where_ = Where::data_end;
      continue;
    }
    auto lf = in.find('\n');
    auto part = in.substr(0, lf);
    if (line_.size() + part.size() > kLineMax) return fail(kBadRequest, "A line of the chunked body is too long.");
    line_ += part;
    in.remove_prefix(lf == in.npos ? in.size() : lf + 1);
    if (lf == std::string_view::npos) break;
    if (!line_.ends_with('\r')) return fail(kBadRequest, "Lines of a chunked body must end with CR LF.");
    line_.pop_back();
    auto text = std::move(line_);
    line_.clear();
    TRY_VOID(line(text));
  }
  return given - in.size();
}

/// A complete line outside of the chunks' data.
Result<void> ChunkedDecoder::line(std::string_view text) {
  if (!is_field_value(text)) return fail(kBadRequest, "The chunked body holds control characters outside of its data.");
  if (where_ == Where::data_end) {
    if (!text.empty()) return fail(kBadRequest, "A chunk is longer than its size says.");
    where_ = Where::size;
    return {};
  }
  if (where_ == Where::trailer) {
    if (text.empty()) {
      where_ = Where::done;
      return {};
    }
    trailer_bytes_ += text.size();
    if (trailer_bytes_ > kTrailerMax) return fail(kBadRequest, "The trailer is too large.");
    api::Headers dropped;
    return parse_field(text, dropped);
  }
  auto digits = text.substr(0, text.find(';'));
  if (digits.empty() || digits.size() > 15) return fail(kBadRequest, "A chunk's size is missing or too large.");
  left_ = 0;
  for (char c : digits) {
    char l = static_cast<char>(c | 0x20);
    if (!is_digit(c) && !(l >= 'a' && l <= 'f')) return fail(kBadRequest, "A chunk's size is not a hexadecimal number.");
    left_ = left_ * 16 + static_cast<uint64_t>(is_digit(c) ? c - '0' : l - 'a' + 10);
  }
  where_ = left_ ? Where::data : Where::trailer;
  return {};
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

Result<std::string> write_head(int status, const api::Headers& headers) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
  for (auto& [name, value] : headers.all()) {
    if (!is_token(name) || !is_field_value(value)) return fail(kInternal, "a response's header field " + name + " can't be sent");
    out += name + ": " + value + "\r\n";
  }
  return out + "\r\n";
}

}  // namespace redoubt::server
