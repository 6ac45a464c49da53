// REST bindings: labels, query string, headers, status and payload, around an XML or JSON body. S3 is the main customer.
#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "api/errors.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api::wire {
namespace {

constexpr const char* kUnexpectedRoot =
    "The XML you provided was not well-formed or did not validate against our published schema";

using Labels = std::vector<std::pair<std::string_view, std::string>>;

struct UriTemplate {
  std::string_view path;
  std::vector<std::pair<std::string_view, std::string_view>> query;  // constant parameters: uploads, list-type=2
};

UriTemplate parse_template(std::string_view uri) {
  UriTemplate out;
  auto q = uri.find('?');
  out.path = uri.substr(0, q);
  if (q == uri.npos) return out;
  for (auto part : split(uri.substr(q + 1), '&')) {
    auto eq = part.find('=');
    out.query.emplace_back(part.substr(0, eq), eq == part.npos ? std::string_view() : part.substr(eq + 1));
  }
  return out;
}

/// Matches a raw path against a template's: "/{Bucket}/{Key+}". A greedy label takes the rest, slashes included; no label may be
/// empty.
bool match_path(std::string_view tmpl, std::string_view path, Labels& labels) {
  while (!tmpl.empty() && tmpl[0] == '/') {
    if (path.empty() || path[0] != '/') return false;
    tmpl.remove_prefix(1), path.remove_prefix(1);
    std::string_view t = tmpl.substr(0, tmpl.find('/'));
    tmpl.remove_prefix(t.size());
    bool greedy = t.ends_with("+}");
    std::string_view p = greedy ? path : path.substr(0, path.find('/'));
    path.remove_prefix(p.size());
    if (t.starts_with("{")) {
      auto value = url_decode(p);
      if (!value || value->empty()) return false;
      labels.emplace_back(t.substr(1, t.size() - (greedy ? 3 : 2)), std::move(*value));
    } else if (t != p) {
      return false;
    }
  }
  return path.empty() || path == "/";
}

/// The path that templates are matched against: S3's virtual-host style becomes path style.
Result<std::string> template_path(const ServiceShape& service, const RequestHead& head) {
  if (service.name != "s3") return std::string(head.raw_path());
  TRY(S3Address address, s3_address(head));
  if (!address.virtual_host) return std::string(head.raw_path());
  return "/" + url_encode(address.bucket) + std::string(head.raw_path());
}

const std::string* find_param(const Params& params, std::string_view name) {
  for (auto& [n, v] : params)
    if (n == name) return &v;
  return nullptr;
}

Result<Params> query_params(const RequestHead& head) {
  auto params = parse_form(head.raw_query());
  if (!params) return fail(kInvalidUri, "Couldn't parse the specified URI.");
  return std::move(*params);
}

/// A row of a service's routing table.
struct Route {
  std::string_view name, method;
  UriTemplate uri;
  const OperationShape* op;  // null: AWS has it, operations.txt doesn't list it
  std::vector<std::string_view> required_query;
};

struct Router {
  std::vector<Route> routes;
  std::set<std::string_view> selectors;  // query parameters that tell operations apart: acl, uploads, uploadId ..
};

Router make_router(const ServiceShape& service) {
  Router r;
  for (auto* op : service.operations) {
    Route route{op->name, op->method, parse_template(op->uri), op, {}};
    for (auto& m : op->input->members)
      if (m.required && m.location == Location::query) route.required_query.push_back(m.wire_name);
    r.routes.push_back(std::move(route));
  }
  for (auto& u : service.unlisted) r.routes.push_back({u.name, u.method, parse_template(u.uri), nullptr, {}});
  for (auto& route : r.routes) {
    std::erase_if(route.uri.query, [](auto& p) { return p.first == "x-id"; });
    for (auto& [name, value] : route.uri.query) r.selectors.insert(name);
  }
  r.selectors.insert("uploadId");
  return r;
}

/// Built at a service's first request; services are constants.
const Router& router(const ServiceShape& service) {
  static std::shared_mutex mutex;
  static std::map<const ServiceShape*, Router> routers;
  {
    std::shared_lock lock(mutex);
    if (auto it = routers.find(&service); it != routers.end()) return it->second;
  }
  Router made = make_router(service);
  std::unique_lock lock(mutex);
  return routers.emplace(&service, std::move(made)).first->second;
}

/// How well a route fits: the number of things that it alone asks for; nullopt when it doesn't.
std::optional<int> fit(const Route& route, const RequestHead& head, std::string_view path, const Params& params) {
  if (route.method != head.method) return std::nullopt;
  int score = 0;
  for (auto& [name, value] : route.uri.query) {
    const std::string* v = find_param(params, name);
    if (!v || (!value.empty() && *v != value)) return std::nullopt;
    ++score;
  }
  for (auto name : route.required_query) {
    if (!find_param(params, name)) return std::nullopt;
    ++score;
  }
  if (route.op && !route.op->routing_header.empty()) {
    if (!head.headers.has(route.op->routing_header)) return std::nullopt;
    ++score;
  }
  Labels labels;
  if (!match_path(route.uri.path, path, labels)) return std::nullopt;
  return score;
}

/// A query parameter that selects an operation, but not this one: GET /bucket?acl&policy, PUT /b/k?uploadId=.. without
/// partNumber.
bool selects_another(const Route& route, const Router& router, const Params& params) {
  auto takes = [&](std::string_view name) {
    for (auto& [n, v] : route.uri.query)
      if (n == name) return true;
    for (auto& m : route.op->input->members)
      if (m.location == Location::query && m.wire_name == name) return true;
    return false;
  };
  return std::any_of(params.begin(), params.end(),
                     [&](auto& p) { return router.selectors.contains(p.first) && !takes(p.first); });
}

Result<void> read_header_value(const Member& m, std::string text, void* out, ReadContext& context) {
  if (m.shape->type != Type::list) return scalar_from_text(*m.shape, text, out, TimeFormat::rfc822, context);
  for (auto part : split(text, ','))
    TRY_VOID(scalar_from_text(*m.shape->element, trim(part), m.shape->list->append(out), TimeFormat::rfc822, context));
  return {};
}

/// "aws-chunked" is how the body travels, not how the object is encoded. Source: S3 API Reference, PutObject, Content-Encoding.
std::string without_aws_chunked(std::string_view encodings) {
  std::vector<std::string> kept;
  for (auto part : split(encodings, ','))
    if (!trim(part).empty() && !iequals(trim(part), "aws-chunked")) kept.emplace_back(trim(part));
  return join(kept, ",");
}

std::optional<std::string> joined_header(const Headers& headers, std::string_view name) {
  std::optional<std::string> out;
  for (auto& [n, v] : headers.all()) {
    if (!iequals(n, name)) continue;
    if (out)
      *out += "," + v;
    else
      out = v;
  }
  return out;
}

Result<void> read_headers(const StructShape& shape, const Headers& headers, void* out, ReadContext& context) {
  for (auto& m : shape.members) {
    if (m.location == Location::header) {
      auto text = joined_header(headers, m.wire_name);
      if (text && iequals(m.wire_name, "content-encoding")) text = without_aws_chunked(*text);
      if (!text || text->empty()) {
        if (m.required) context.note_missing(m);
        continue;
      }
      Path::Step step(context.path, m.name);
      TRY_VOID(read_header_value(m, std::move(*text), m.make(out), context));
    } else if (m.location == Location::header_prefix) {
      std::map<std::string, std::string> found;
      for (auto& [n, v] : headers.all())
        if (n.size() > m.wire_name.size() && iequals(std::string_view(n).substr(0, m.wire_name.size()), m.wire_name)) {
          auto& value = found[to_lower(std::string_view(n).substr(m.wire_name.size()))];
          value += (value.empty() ? "" : ",") + v;
        }
      if (found.empty()) continue;
      void* map = m.make(out);
      for (auto& [n, v] : found) *static_cast<std::string*>(m.shape->map->insert(map, n)) = v;
    }
  }
  return {};
}

/// ContentLength of a streamed body: of the object, not of its aws-chunked coding; also when the listener took the header.
Result<void> read_stream_length(const StructShape& shape, const RequestHead& head, void* out, ReadContext& context) {
  for (auto& m : shape.members) {
    if (m.location != Location::header || !iequals(m.wire_name, "content-length")) continue;
    std::string text(head.headers.get("x-amz-decoded-content-length"));
    if (text.empty() && head.content_length) text = std::to_string(*head.content_length);
    if (text.empty()) return {};
    Path::Step step(context.path, m.name);
    return scalar_from_text(*m.shape, text, m.make(out), TimeFormat::unspecified, context);
  }
  return {};
}

Result<void> read_query(const StructShape& shape, const Params& params, void* out, ReadContext& context) {
  for (auto& m : shape.members) {
    if (m.location != Location::query) continue;
    Path::Step step(context.path, m.name);
    bool list = m.shape->type == Type::list;
    void* place = nullptr;
    for (auto& [n, v] : params) {
      if (n != m.wire_name) continue;
      if (place && !list) return fail(*context.malformed, "The parameter " + std::string(m.wire_name) + " is given twice");
      if (!place) place = m.make(out);
      TRY_VOID(scalar_from_text(list ? *m.shape->element : *m.shape, v, list ? m.shape->list->append(place) : place,
                                TimeFormat::iso8601, context));
    }
    if (!place && m.required && context.missing) context.missing->insert(context.path.text());
  }
  return {};
}

Result<void> read_body(const OperationShape& op, const StructShape& shape, std::string_view root, std::string_view body,
                       void* out, ReadContext& context) {
  bool json = op.service->protocol == Protocol::rest_json;
  if (const Member* p = shape.payload()) {
    if (p->streaming) return {};
    if (body.empty()) {
      if (p->required && context.missing) return fail(kMissingRequestBody, "Request Body is empty");
      return {};
    }
    Path::Step step(context.path, p->name);
    if (p->shape->type == Type::string || p->shape->type == Type::blob) {
      *static_cast<std::string*>(p->make(out)) = body;
      return {};
    }
    if (json) {
      auto j = Json::parse(body);
      if (!j) return fail(kSerialization, "The request body is not JSON");
      return read_json_value(*j, *p->shape, p->make(out), context);
    }
    TRY(XmlElement element, parse_xml(body));
    if (context.strict && element.name != p->wire_name) return fail(kMalformedXml, kUnexpectedRoot);
    return read_xml_value(element, *p->shape, p->make(out), context);
  }
  bool has_body_members =
      std::any_of(shape.members.begin(), shape.members.end(), [](auto& m) { return m.location == Location::body; });
  if (!has_body_members) return {};
  if (json) {
    auto j = Json::parse(body.empty() ? std::string_view("{}") : body);
    if (!j || !j->is_object()) return fail(kSerialization, "The request body is not a JSON object");
    return read_json(*j, shape, out, context);
  }
  if (body.empty()) return read_xml(XmlElement{}, shape, out, context);
  TRY(XmlElement element, parse_xml(body));
  if (context.strict && element.name != root) return fail(kMalformedXml, kUnexpectedRoot);
  return read_xml(element, shape, out, context);
}

/// The shared stream of an output, as the exclusive one that a Response owns.
class SharedSource : public BodySource {
 public:
  explicit SharedSource(std::shared_ptr<BodySource> source) : source_(std::move(source)) {}
  Result<void> read(std::string& out, size_t max) override { return source_->read(out, max); }

 private:
  std::shared_ptr<BodySource> source_;
};

std::string header_text(const Member& m, const void* v) {
  if (m.shape->type != Type::list) return scalar_to_text(*m.shape, v, TimeFormat::rfc822, true);
  std::string out;
  for (size_t i = 0; i < m.shape->list->size(v); ++i)
    out += (i ? "," : "") + scalar_to_text(*m.shape->element, m.shape->list->at(v, i), TimeFormat::rfc822, true);
  return out;
}

void write_headers(const StructShape& shape, const void* value, Headers& headers) {
  for (auto& m : shape.members) {
    const void* v = m.location == Location::header || m.location == Location::header_prefix ? m.get(value) : nullptr;
    if (!v || iequals(m.wire_name, "content-length")) continue;
    if (m.location == Location::header) {
      std::string text = header_text(m, v);
      if (!text.empty()) headers.set(m.wire_name, std::move(text));
      continue;
    }
    struct Context {
      Headers& headers;
      std::string_view prefix;
    } context{headers, m.wire_name};
    m.shape->map->each(
        v,
        [](void* c, const std::string& key, const void* x) {
          auto& context = *static_cast<Context*>(c);
          context.headers.add(std::string(context.prefix) + key, *static_cast<const std::string*>(x));
        },
        &context);
  }
}

std::optional<int64_t> content_length(const StructShape& shape, const void* value) {
  for (auto& m : shape.members)
    if (m.location == Location::header && iequals(m.wire_name, "content-length"))
      if (const void* v = m.get(value)) return *static_cast<const int64_t*>(v);
  return std::nullopt;
}

bool has_body_members(const StructShape& shape) {
  return std::any_of(shape.members.begin(), shape.members.end(),
                     [](auto& m) { return m.location == Location::body && !m.streaming; });
}

/// The body of `value`; sets Content-Type if there is none yet.
std::string write_body(const OperationShape& op, const StructShape& shape, std::string_view root, const void* value,
                       Headers& headers) {
  bool json = op.service->protocol == Protocol::rest_json;
  auto content_type = [&](std::string_view type) {
    if (!headers.has("Content-Type")) headers.add("Content-Type", std::string(type));
  };
  const Member* p = shape.payload();
  if (p) {
    const void* v = p->streaming ? nullptr : p->get(value);
    if (!v) return {};
    if (p->shape->type == Type::string || p->shape->type == Type::blob) {
      content_type(p->shape->type == Type::string ? "application/json" : "application/octet-stream");
      return *static_cast<const std::string*>(v);
    }
    content_type(json ? "application/json" : "application/xml");
    if (json) return write_json_value(*p->shape, v).dump();
    XmlWriter w;
    write_xml(w, p->wire_name, op.service->xml_namespace, *p->shape, v, {.millis = true});
    return std::move(w).take();
  }
  if (!has_body_members(shape)) return {};
  content_type(json ? "application/json" : "application/xml");
  if (json) return write_json(shape, value).dump();
  XmlWriter w;
  w.open(root, op.service->xml_namespace);
  if (op.unwrapped_output && &shape == op.output) {
    if (const void* v = shape.members[0].get(value))
      w.text(scalar_to_text(*shape.members[0].shape, v, TimeFormat::iso8601, true));
  } else {
    write_xml_members(w, shape, value, {.millis = true});
  }
  w.close();
  return std::move(w).take();
}

}  // namespace

Result<const OperationShape*> route_rest(const ServiceShape& service, const RequestHead& head) {
  TRY(std::string path, template_path(service, head));
  TRY(Params params, query_params(head));
  const Router& table = router(service);
  const Route* best = nullptr;
  int best_score = -1;
  for (auto& route : table.routes) {
    auto score = fit(route, head, path, params);
    if (score && *score > best_score) best = &route, best_score = *score;
  }
  if (best && !best->op) return fail(kNotImplemented, "The operation " + std::string(best->name) + " is not implemented.");
  if (!best || selects_another(*best, table, params))
    return fail(
        Error{&kMethodNotAllowed, "The specified method is not allowed against this resource."}.with("Method", head.method));
  return best->op;
}

Result<void> read_rest(const OperationShape& op, const RequestHead& head, std::string_view body, void* out,
                       ReadContext& context) {
  TRY(std::string path, template_path(*op.service, head));
  TRY(Params params, query_params(head));
  Labels labels;
  if (!match_path(parse_template(op.uri).path, path, labels)) return fail(kInvalidUri, "Couldn't parse the specified URI.");
  for (auto& m : op.input->members) {
    if (m.location != Location::uri) continue;
    auto label = std::find_if(labels.begin(), labels.end(), [&](auto& l) { return l.first == m.wire_name; });
    if (label == labels.end()) {
      if (m.required) context.note_missing(m);
      continue;
    }
    Path::Step step(context.path, m.name);
    TRY_VOID(scalar_from_text(*m.shape, label->second, m.make(out), TimeFormat::iso8601, context));
  }
  TRY_VOID(read_query(*op.input, params, out, context));
  TRY_VOID(read_headers(*op.input, head.headers, out, context));
  if (op.streaming_input) return read_stream_length(*op.input, head, out, context);
  if (op.service->protocol == Protocol::rest_xml) context.malformed = &kMalformedXml;
  return read_body(op, *op.input, op.input_root, body, out, context);
}

Response write_rest_response(const OperationShape& op, const void* output) {
  Response r;
  r.status = op.status;
  // S3 answers these otherwise than its model says.
  if (op.service->name == "s3" && (op.name == "PutBucketTagging" || op.name == "PutBucketPolicy")) r.status = 204;
  const StructShape& shape = *op.output;
  write_headers(shape, output, r.headers);
  for (auto& m : shape.members) {
    if (m.location == Location::status_code)
      if (const void* v = m.get(output)) r.status = int(*static_cast<const int64_t*>(v));
    // S3 answers ranges with 206; the model has one status an operation.
    if (m.location == Location::header && iequals(m.wire_name, "content-range") && m.get(output)) r.status = 206;
  }
  auto length = content_length(shape, output);
  if (op.method == "HEAD") {
    if (length) r.head_length = uint64_t(*length);
    return r;
  }
  for (auto& m : shape.members) {
    if (!m.streaming) continue;
    auto& source = *static_cast<const std::shared_ptr<BodySource>*>(m.get(output));
    if (!source) continue;
    r.stream = std::make_unique<SharedSource>(source);
    if (length) r.stream_length = uint64_t(*length);
    return r;
  }
  r.body = write_body(op, shape, op.output_root, output, r.headers);
  return r;
}

RequestParts write_rest_request(const OperationShape& op, const void* input) {
  RequestParts out;
  out.method = op.method;
  UriTemplate t = parse_template(op.uri);
  out.path = t.path;
  auto add_query = [&](std::string_view name, std::string_view value, bool bare) {
    out.query += (out.query.empty() ? "" : "&") + url_encode(name) + (bare ? "" : "=" + url_encode(value));
  };
  for (auto& [n, v] : t.query) add_query(n, v, v.empty());
  for (auto& m : op.input->members) {
    const void* v = m.location == Location::uri || m.location == Location::query ? m.get(input) : nullptr;
    if (!v) continue;
    if (m.location == Location::query) {
      if (m.shape->type != Type::list) {
        add_query(m.wire_name, scalar_to_text(*m.shape, v, TimeFormat::iso8601, true), false);
      } else {
        for (size_t i = 0; i < m.shape->list->size(v); ++i)
          add_query(m.wire_name, scalar_to_text(*m.shape->element, m.shape->list->at(v, i), TimeFormat::iso8601, true), false);
      }
      continue;
    }
    std::string text = scalar_to_text(*m.shape, v, TimeFormat::iso8601, true);
    out.path = replace_all(out.path, "{" + std::string(m.wire_name) + "+}", url_encode(text, true));
    out.path = replace_all(out.path, "{" + std::string(m.wire_name) + "}", url_encode(text));
  }
  write_headers(*op.input, input, out.headers);
  if (!op.streaming_input) out.body = write_body(op, *op.input, op.input_root, input, out.headers);
  return out;
}

Result<void> read_rest_response(const OperationShape& op, int status, const Headers& headers, std::string_view body, void* out) {
  ReadContext context{.malformed = &kSerialization};
  TRY_VOID(read_headers(*op.output, headers, out, context));
  for (auto& m : op.output->members)
    if (m.location == Location::status_code) *static_cast<int64_t*>(m.make(out)) = status;
  if (op.streaming_output || op.method == "HEAD") return {};
  if (op.unwrapped_output) {
    TRY(XmlElement root, parse_xml(body));
    return root.text.empty() ? Result<void>()
                             : read_xml_value(root, *op.output->members[0].shape, op.output->members[0].make(out), context);
  }
  return read_body(op, *op.output, op.output_root, body, out, context);
}

}  // namespace redoubt::api::wire
