#pragma once
/// What the AWS models say about shapes and operations, as constant tables that codecs, the Gate and the audit trail walk. The
/// tables are generated at build time (tools/apigen) next to the structs they describe; nothing here knows a protocol or a
/// service.
///
///   const OperationShape& op = kms::op::Decrypt::shape();
///   for (const Member& m : op.input->members) if (const void* v = m.get(&request)) ..  // v points to a value of m.shape->type
///
/// A value of a shape is, in C++: string (also blob and enum) std::string; boolean bool; integer int64_t; real double; timestamp
/// redoubt::Timestamp; list std::vector<T>; map std::map<std::string, T>; structure its generated struct. A member that the model
/// doesn't require is a std::optional of that (recursive ones a std::shared_ptr). Threads: everything is constant.
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace redoubt::api {

enum class Type : uint8_t { string, blob, boolean, integer, real, timestamp, list, map, structure };
enum class TimeFormat : uint8_t { unspecified, iso8601, unix_seconds, rfc822 };
enum class Location : uint8_t { body, header, header_prefix, query, uri, status_code };
enum class Protocol : uint8_t { query, ec2, json, rest_json, rest_xml };

struct StructShape;
struct ServiceShape;

/// How an optional member (std::optional or std::shared_ptr) is looked into and filled.
struct Presence {
  const void* (*get)(const void* member);  // the value, or null when absent
  void* (*emplace)(void* member);          // makes a fresh value
};
struct ListAccess {
  size_t (*size)(const void* list);
  const void* (*at)(const void* list, size_t i);
  void* (*append)(void* list);
};
struct MapAccess {
  size_t (*size)(const void* map);
  void (*each)(const void* map, void (*visit)(void* context, const std::string& key, const void* value), void* context);
  void* (*insert)(void* map, std::string key);  // the entry's value, made if new
};

inline constexpr int64_t kNoMin = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kNoMax = std::numeric_limits<int64_t>::max();

/// A type of the model with its constraints and, for lists and maps, how its elements are named on the wire.
struct Shape {
  std::string_view name;
  Type type = Type::string;
  bool sensitive = false;                            // never shown in errors, logs or the audit trail
  bool flattened = false;                            // list or map without a wrapping element
  TimeFormat time_format = TimeFormat::unspecified;  // unspecified: the protocol's
  int64_t min = kNoMin, max = kNoMax;                // length in characters or elements, or value of an integer
  std::string_view pattern = {};                     // RE2 syntax, matches whole values
  std::span<const std::string_view> enum_values = {};
  const Shape* element = nullptr;      // list: element; map: value
  const Shape* key = nullptr;          // map
  std::string_view element_name = {};  // XML and query: "member" unless the model names it; map: "value"
  bool element_named = false;          // the model names list elements itself
  std::string_view key_name = {};      // map: "key"
  const ListAccess* list = nullptr;
  const MapAccess* map = nullptr;
  const StructShape* structure = nullptr;
};

struct Member {
  std::string_view name;        // the model's, also in C++ and JSON
  std::string_view wire_name;   // XML element or attribute, header, query parameter, label
  std::string_view query_name;  // query and ec2 protocol requests
  const Shape* shape = nullptr;
  uint32_t offset = 0;
  const Presence* presence = nullptr;  // null: the member itself is the value
  bool required = false;
  Location location = Location::body;
  bool payload = false;    // REST: the body is this member alone
  bool streaming = false;  // output: std::shared_ptr<BodySource>; never among an input's members
  bool xml_attribute = false;
  bool idempotency_token = false;
  std::string_view xml_namespace = {};

  /// The value inside `structure`, or null when absent.
  const void* get(const void* structure) const {
    const void* p = static_cast<const char*>(structure) + offset;
    return presence ? presence->get(p) : p;
  }
  /// The place to write the value to; makes it present.
  void* make(void* structure) const {
    void* p = static_cast<char*>(structure) + offset;
    return presence ? presence->emplace(p) : p;
  }
};

struct StructShape {
  std::string_view name;
  std::span<const Member> members;
  bool sensitive = false;
  bool is_union = false;                                 // exactly one member is present
  std::string_view xml_namespace = {}, xml_prefix = {};  // declared on the element (S3's Grantee: xsi)

  const Member* find(std::string_view member_name) const {
    for (auto& m : members)
      if (m.name == member_name) return &m;
    return nullptr;
  }
  const Member* payload() const {
    for (auto& m : members)
      if (m.payload) return &m;
    return nullptr;
  }
};

/// An error that the model declares.
struct ErrorShape {
  std::string_view shape_name;  // "ClusterNotFoundFault"
  std::string_view code;        // on the wire: "ClusterNotFound"
  int http_status = 400;
  bool sender = true;                              // the client's fault
  std::span<const std::string_view> members = {};  // besides message and code
  std::string_view message_member = {};            // "message" or "Message"; "" without one
};

struct OperationShape {
  std::string_view name;
  const ServiceShape* service = nullptr;
  std::string_view method, uri;  // "PUT", "/{Bucket}/{Key+}?uploads"
  int status = 200;
  const StructShape* input = nullptr;  // never null: Empty's when the model has none
  const StructShape* output = nullptr;
  bool has_output = false;                             // the model has an output shape
  bool streaming_input = false;                        // the body streams and is no member (PutObject)
  bool streaming_output = false;                       // the output has a BodySource member
  bool checksum_required = false;                      // the request needs Content-MD5 or x-amz-checksum-*
  bool unwrapped_output = false;                       // rest-xml: the only member is the root element (GetBucketLocation)
  bool unsigned_allowed = false;                       // the model says authtype none (AssumeRoleWithSAML)
  std::string_view result_wrapper = {};                // query
  std::string_view input_root = {}, output_root = {};  // rest-xml bodies that aren't a payload member
  std::string_view routing_header = {};  // REST: tells it from another operation of the same method and URI (x-amz-copy-source)
  std::span<const ErrorShape* const> errors = {};
  std::shared_ptr<void> (*make_input)() = nullptr;
  std::shared_ptr<void> (*make_output)() = nullptr;
};

/// An operation of AWS's model that operations.txt doesn't list: named in the answer, never mistaken for another.
struct UnlistedOperation {
  std::string_view name, method, uri;
};

struct ServiceShape {
  std::string_view name;  // the C++ namespace: "redshift_data"
  Protocol protocol = Protocol::query;
  std::string_view endpoint_prefix;  // "redshift-data"
  std::string_view signing_name;     // the service in SigV4's credential scope
  std::string_view target_prefix;    // X-Amz-Target: "TrentService"
  std::string_view api_version, json_version, xml_namespace;
  std::span<const OperationShape* const> operations;
  std::span<const UnlistedOperation> unlisted;
  std::span<const ErrorShape* const> errors;

  const OperationShape* find(std::string_view operation) const;
  const ErrorShape* find_error(std::string_view code) const;
};

/// The input or output of operations that have none.
struct Empty {
  static const StructShape kShape;
  static const StructShape& shape() { return kShape; }
};

}  // namespace redoubt::api
