// The model's constraints on inputs: required, length, range, pattern, enum; in the words of AWS's services.
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <shared_mutex>
#include <unordered_map>

#include "api/errors.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api::wire {
namespace {

struct Violation {
  enum class Kind { missing, enumeration, other } kind;
  std::string path;
  const Member* member;  // the top-level or nested member it is about
  const Shape* shape;
  std::string constraint;
  std::optional<std::string> value;  // shown in the message; absent for sensitive and composite values
};

/// Compiled once a pattern; patterns are constants, so that their address names them.
const RE2& compiled(std::string_view pattern) {
  static std::shared_mutex mutex;
  static std::unordered_map<const char*, std::unique_ptr<RE2>> cache;
  {
    std::shared_lock lock(mutex);
    auto it = cache.find(pattern.data());
    if (it != cache.end()) return *it->second;
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto made = std::make_unique<RE2>(pattern, options);
  CHECK(made->ok());  // shape_test compiles every generated pattern
  std::unique_lock lock(mutex);
  return *cache.emplace(pattern.data(), std::move(made)).first->second;
}

int64_t characters(std::string_view s) {
  return std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::string bound(std::string_view what, std::string_view relation, int64_t n) {
  return "Member must have " + std::string(what) + " " + std::string(relation) + " than or equal to " + std::to_string(n);
}

/// What a scalar, list or map breaks, as texts.
std::vector<std::string> broken(const Shape& shape, const void* v) {
  std::vector<std::string> out;
  auto length = [&](int64_t n) {
    if (shape.min != kNoMin && n < shape.min) out.push_back(bound("length", "greater", shape.min));
    if (shape.max != kNoMax && n > shape.max) out.push_back(bound("length", "less", shape.max));
  };
  switch (shape.type) {
    case Type::string: {
      auto& s = *static_cast<const std::string*>(v);
      length(characters(s));
      if (!shape.pattern.empty() && !RE2::FullMatch(s, compiled(shape.pattern)))
        out.push_back("Member must satisfy regular expression pattern: " + std::string(shape.pattern));
      if (!shape.enum_values.empty() &&
          std::find(shape.enum_values.begin(), shape.enum_values.end(), s) == shape.enum_values.end()) {
        std::string set;
        for (auto e : shape.enum_values) set += (set.empty() ? "" : ", ") + std::string(e);
        out.push_back("Member must satisfy enum value set: [" + set + "]");
      }
      return out;
    }
    case Type::blob:
      length(int64_t(static_cast<const std::string*>(v)->size()));
      return out;
    case Type::integer: {
      int64_t n = *static_cast<const int64_t*>(v);
      if (shape.min != kNoMin && n < shape.min) out.push_back(bound("value", "greater", shape.min));
      if (shape.max != kNoMax && n > shape.max) out.push_back(bound("value", "less", shape.max));
      return out;
    }
    case Type::list:
      length(int64_t(shape.list->size(v)));
      return out;
    case Type::map:
      length(int64_t(shape.map->size(v)));
      return out;
    default:
      return out;
  }
}

class Validator {
 public:
  explicit Validator(const std::set<std::string>& missing) : missing_(missing) {}

  void structure(const StructShape& shape, const void* v) {
    for (auto& m : shape.members) {
      if (m.streaming) continue;
      Path::Step step(path_, m.name);
      const void* x = m.get(v);
      if (m.required && (!x || missing_.contains(path_.text()))) {
        found.push_back({Violation::Kind::missing, path_.text(), &m, m.shape, "Member must not be null", "null"});
        continue;
      }
      if (!x) continue;
      member_ = &m;
      value(*m.shape, x);
    }
  }

  std::vector<Violation> found;

 private:
  void value(const Shape& shape, const void* v) {
    for (auto& text : broken(shape, v)) add(shape, v, text);
    switch (shape.type) {
      case Type::structure:
        return structure(*shape.structure, v);
      case Type::list:
        return list(shape, v);
      case Type::map:
        return map(shape, v);
      default:
        return;
    }
  }

  void list(const Shape& shape, const void* v) {
    const Shape& element = *shape.element;
    size_t n = shape.list->size(v);
    const Member* member = member_;
    if (element.type == Type::structure || element.type == Type::list || element.type == Type::map) {
      for (size_t i = 0; i < n; ++i) {
        Path::Step step(path_, i + 1);
        member_ = member;
        value(element, shape.list->at(v, i));
      }
      return;
    }
    // AWS reports a broken element as the list's, with everything that elements must satisfy.
    for (size_t i = 0; i < n; ++i) {
      auto texts = broken(element, shape.list->at(v, i));
      if (texts.empty()) continue;
      auto kind = !element.enum_values.empty() ? Violation::Kind::enumeration : Violation::Kind::other;
      std::optional<std::string> shown;
      if (!shape.sensitive && !element.sensitive && element.type == Type::string) {
        shown = "[";
        for (size_t k = 0; k < n; ++k) *shown += (k ? ", " : "") + *static_cast<const std::string*>(shape.list->at(v, k));
        *shown += "]";
      }
      found.push_back(
          {kind, path_.text(), member_, &element, "Member must satisfy constraint: [" + join(texts, ", ") + "]", shown});
      return;
    }
  }

  struct Entry {
    Validator& validator;
    const Shape& shape;
    const Member* member;
  };
  void map(const Shape& shape, const void* v) {
    Entry entry{*this, shape, member_};
    shape.map->each(
        v,
        [](void* context, const std::string& key, const void* x) {
          auto& e = *static_cast<Entry*>(context);
          e.validator.member_ = e.member;
          if (e.shape.key)
            for (auto& text : broken(*e.shape.key, &key))
              e.validator.add(*e.shape.key, &key, "Map keys must satisfy constraint: [" + text + "]");
          Path::Step step(e.validator.path_, key);
          e.validator.value(*e.shape.element, x);
        },
        &entry);
  }

  void add(const Shape& shape, const void* v, std::string text) {
    auto kind = shape.enum_values.empty() ? Violation::Kind::other : Violation::Kind::enumeration;
    std::optional<std::string> shown;
    bool secret = shape.sensitive || shape.type == Type::blob || shape.type == Type::map;
    if (!secret && shape.type == Type::list && shape.list->size(v) == 0) shown = "[]";
    if (!secret && (shape.type == Type::string || shape.type == Type::integer))
      shown = scalar_to_text(shape, v, TimeFormat::iso8601);
    found.push_back({kind, path_.text(), member_, &shape, std::move(text), std::move(shown)});
  }

  const std::set<std::string>& missing_;
  Path path_;
  const Member* member_ = nullptr;
};

std::string shortened(std::string_view s) { return s.size() <= 1024 ? std::string(s) : std::string(s.substr(0, 1024)) + "..."; }

std::string describe(const std::vector<Violation>& all) {
  std::string out =
      std::to_string(all.size()) + (all.size() == 1 ? " validation error detected: " : " validation errors detected: ");
  bool first = true;
  for (auto& v : all) {
    if (!first) out += "; ";
    first = false;
    if (v.kind == Violation::Kind::missing)
      out += "Value null";
    else
      out += v.value ? "Value '" + shortened(*v.value) + "'" : std::string("Value");
    out += " at '" + v.path + "' failed to satisfy constraint: " + v.constraint;
  }
  return out;
}

Error s3_error(const Violation& v) {
  const Member& m = *v.member;
  if (m.location == Location::body)
    return {&kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema"};
  if (v.kind == Violation::Kind::missing) {
    std::string_view where = m.location == Location::query ? "parameter" : "header";
    return {&kInvalidRequest, "Missing required " + std::string(where) + " for this request: " + std::string(m.wire_name)};
  }
  static constexpr ErrorKind kInvalidStorageClass{"InvalidStorageClass", 400};
  if (v.shape->name == "StorageClass") return {&kInvalidStorageClass, "The storage class you specified is not valid"};
  return Error{&kInvalidArgument, "Invalid value for " + std::string(m.wire_name)}
      .with("ArgumentName", std::string(m.wire_name))
      .with("ArgumentValue", shortened(v.value.value_or("")));
}

Error error_of(const OperationShape& op, const std::vector<Violation>& all) {
  const Violation& v = all.front();
  const ServiceShape& service = *op.service;
  if (service.protocol == Protocol::rest_xml) return s3_error(v);
  if (service.protocol == Protocol::json || service.protocol == Protocol::rest_json) return {&kValidation, describe(all)};
  bool old_style = service.protocol == Protocol::ec2 || service.name == "redshift";
  if (old_style && v.kind == Violation::Kind::missing)
    return {&kMissingParameter, "The request must contain the parameter " + std::string(v.member->query_name)};
  if (service.protocol == Protocol::ec2)
    return {&kInvalidParameterValue,
            "Value (" + shortened(v.value.value_or("")) + ") for parameter " + v.path + " is invalid. " + v.constraint};
  return {&kValidationError, describe(all)};
}

}  // namespace

Result<void> validate(const OperationShape& op, const void* input, const std::set<std::string>& missing) {
  Validator validator(missing);
  validator.structure(*op.input, input);
  if (validator.found.empty()) return {};
  return fail(error_of(op, validator.found));
}

}  // namespace redoubt::api::wire
