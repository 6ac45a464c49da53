#pragma once
/// The parts of the codec that are one protocol's body or one concern each; codec.h is the door. Internal to api.
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "api/shape.h"
#include "api/xml.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace redoubt::api::wire {

/// Where in an input a reader or the validator stands, as AWS's messages write it: tags.1.member.key
class Path {
 public:
  /// Steps in and, when it goes out of scope, out again.
  class Step {
   public:
    Step(Path& path, std::string_view member);
    Step(Path& path, size_t index_from_one);
    ~Step() { path_.text_.resize(size_); }
    Step(const Step&) = delete;

   private:
    Path& path_;
    size_t size_;
  };
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// What reading a structure needs to know and finds out. `missing` collects the paths of required members that aren't there; null
/// for answers of a server, which are taken as they are.
struct ReadContext {
  const ErrorKind* malformed;  // the kind for values that can't be read
  std::set<std::string>* missing = nullptr;
  bool strict = false;  // unknown XML elements are errors (S3's schema)
  Path path = {};

  void note_missing(const Member& m) {
    if (!missing) return;
    Path::Step step(path, m.name);
    missing->insert(path.text());
  }
};

/// A scalar from its text form; `format` when the shape says nothing. Errors: context.malformed.
Result<void> scalar_from_text(const Shape& shape, std::string_view text, void* out, TimeFormat format, ReadContext& context);
/// The text form. `millis`: timestamps always carry milliseconds.
std::string scalar_to_text(const Shape& shape, const void* value, TimeFormat format, bool millis = false);

std::string timestamp_to_text(Timestamp t, TimeFormat format, bool millis);
std::optional<Timestamp> timestamp_from_text(std::string_view text, TimeFormat format);

// XML bodies: query and ec2 answers, rest-xml both ways.
struct XmlStyle {
  bool millis = false;
};
void write_xml_members(XmlWriter& writer, const StructShape& shape, const void* value, const XmlStyle& style);
void write_xml(XmlWriter& writer, std::string_view name, std::string_view xml_namespace, const Shape& shape, const void* value,
               const XmlStyle& style);
Result<void> read_xml(const XmlElement& element, const StructShape& shape, void* out, ReadContext& context);
Result<void> read_xml_value(const XmlElement& element, const Shape& shape, void* out, ReadContext& context);

// JSON bodies.
Json write_json(const StructShape& shape, const void* value);
Json write_json_value(const Shape& shape, const void* value);
Result<void> read_json(const Json& json, const StructShape& shape, void* out, ReadContext& context);
Result<void> read_json_value(const Json& json, const Shape& shape, void* out, ReadContext& context);

// Form parameters: query and ec2 requests.
using Params = std::vector<std::pair<std::string, std::string>>;
Result<void> read_params(const Params& params, Protocol protocol, const StructShape& shape, void* out, ReadContext& context);
void write_params(Params& params, Protocol protocol, const StructShape& shape, const void* value);

// REST bindings (rest-xml, rest-json): labels, query, headers, payload.
Result<const OperationShape*> route_rest(const ServiceShape& service, const RequestHead& head);
Result<void> read_rest(const OperationShape& op, const RequestHead& head, std::string_view body, void* out, ReadContext& context);
Response write_rest_response(const OperationShape& op, const void* output);
RequestParts write_rest_request(const OperationShape& op, const void* input);
Result<void> read_rest_response(const OperationShape& op, int status, const Headers& headers, std::string_view body, void* out);

/// The model's constraints, in the words and codes of the operation's protocol. `missing`: paths that the reader found absent.
Result<void> validate(const OperationShape& op, const void* input, const std::set<std::string>& missing);

}  // namespace redoubt::api::wire
