#pragma once
/// AWS's wire protocols over the generated descriptors: query, ec2, json, rest-json, rest-xml; server side, client side and
/// validation.
///
///   TRY(const OperationShape* op, route(kms::service(), head, body));
///   auto input = op->make_input();
///   TRY_VOID(decode_request(*op, head, body, input.get()));          // AWS's validation errors
///   Response ok = encode_response(*op, &output, request_id);
///   Response bad = encode_error(kms::service(), error, request_id);
///
/// Parameters that the model doesn't know are ignored, as AWS does; those that it knows are decoded and checked.
/// Everything a client can send ends in an answer: depth, counts and sizes are bounded (the body's size is the caller's bound).
/// Threads: any; no state.
#include <string>
#include <string_view>

#include "api/http.h"
#include "api/shape.h"
#include "base/json.h"
#include "base/result.h"

namespace redoubt::api {

/// A request as a client sends it, before signing.
struct RequestParts {
  std::string method = "POST";
  std::string path = "/";  // raw: percent-encoded
  std::string query;       // raw, without '?'
  Headers headers;         // without Host and Authorization
  std::string body;
};

/// Which operation a request means. `body` is needed for query and ec2 alone; the others look at the head.
/// Errors: query kInvalidAction, kMissingAction; json kUnknownOperation; rest kMethodNotAllowed; and for an operation that AWS
/// has and operations.txt doesn't list, kNotImplemented (501) naming it.
Result<const OperationShape*> route(const ServiceShape& service, const RequestHead& head, std::string_view body);

/// Fills `input` (of op.input) from head and body. For streaming operations the body is not looked at.
/// Errors: kSerialization, kMalformedInput, kMalformedXml .. for what can't be read; what can be read but breaks the model's
/// constraints: kValidation ("2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not
/// be null; ..") in the code that the protocol uses, kMissingParameter where the service says so (ec2, redshift).
Result<void> decode_request(const OperationShape& op, const RequestHead& head, std::string_view body, void* input);

/// The same constraints on a typed input, for nested calls that no codec has seen.
Result<void> validate(const OperationShape& op, const void* input);

/// REST outputs become headers and payload; a BodySource member becomes Response::stream; Content-Length is never a header but
/// stream_length (or head_length in answers to HEAD). A range (ContentRange set) answers 206.
/// What List*, Describe* and Lookup* operations list is there also when it is empty, as AWS sends it: clients index it without
/// asking. S3 leaves its own out. To be called on an output before it is encoded.
void complete_lists(const OperationShape& op, void* output);
Response encode_response(const OperationShape& op, const void* output, std::string_view request_id);

/// Error in the service's shape. Members of the model's error shape, and for S3 any element (Resource, BucketName, Key ..), are
/// taken from Error::more; names that begin with "header:" become response headers. kInternal's message is replaced.
/// `head_request`: no body (HEAD). Bodies of 304 are left out.
Response encode_error(const ServiceShape& service, const Error& error, std::string_view request_id, bool head_request = false);
/// The same in the bare JSON/XML shape where no service is known: an unsigned request to nowhere.
Response encode_error(Protocol protocol, const Error& error, std::string_view request_id);

/// Client side. S3 buckets go into the path (path style). Without Host and signature.
RequestParts encode_request(const OperationShape& op, const void* input);
/// Fills `output` from a successful answer. A streaming body is not touched. Errors: kSerialization.
Result<void> decode_response(const OperationShape& op, int status, const Headers& headers, std::string_view body, void* output);
/// The error in an unsuccessful answer of any protocol: code and message; http_status of the answer. "" code: none found.
struct RemoteError {
  int status = 0;
  std::string code, message, request_id;
};
RemoteError decode_error(Protocol protocol, int status, const Headers& headers, std::string_view body);

/// A structure as JSON with CloudTrail's lower-camel-case names. Sensitive members are "HIDDEN_DUE_TO_SECURITY_REASONS", streams
/// are left out. For the audit trail and tests.
Json to_json(const StructShape& shape, const void* value);

/// Where S3 requests put bucket and key: path style, or virtual-host style (BUCKET.localhost, BUCKET.s3.amazonaws.com,
/// BUCKET.s3.REGION.amazonaws.com, BUCKET.s3.localhost; with or without port). Both decoded; has_key: a key is there, maybe "/".
/// Errors: kInvalidUri for broken percent-escapes or bytes that aren't UTF-8.
struct S3Address {
  std::string bucket, key;
  bool has_key = false;
  bool virtual_host = false;
};
Result<S3Address> s3_address(const RequestHead& head);

/// Decoded pairs of a raw query string or form body, in order. '+' is a blank. A broken escape is an error.
Result<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view raw, bool plus_is_space = true);

}  // namespace redoubt::api
