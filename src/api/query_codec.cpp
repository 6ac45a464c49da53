// Form parameters (Tags.member.1.Key=..) as structures and back: requests of the query and ec2 protocols.
#include <algorithm>
#include <map>

#include "api/errors.h"
#include "api/wire.h"
#include "base/text.h"

namespace redoubt::api::wire {
namespace {

constexpr size_t kParamsMax = 20000;
constexpr size_t kDepthMax = 24;

/// Parameters by the parts of their names.
struct Node {
  std::optional<std::string_view> value;
  std::map<std::string_view, Node> children;

  const Node* child(std::string_view name) const {
    auto it = children.find(name);
    return it == children.end() ? nullptr : &it->second;
  }
};

Result<Node> tree(const Params& params) {
  if (params.size() > kParamsMax) return fail(kMalformedQueryString, "The request has too many parameters");
  Node root;
  for (auto& [name, value] : params) {
    auto parts = split(name, '.');
    if (parts.size() > kDepthMax) return fail(kMalformedQueryString, "A parameter's name has too many parts");
    Node* node = &root;
    for (auto part : parts) node = &node->children[part];
    if (node->value) return fail(kMalformedQueryString, "The parameter " + name.substr(0, 256) + " is given twice");
    node->value = value;
  }
  return root;
}

class Reader {
 public:
  Reader(Protocol protocol, ReadContext& context) : protocol_(protocol), context_(context) {}

  Result<void> structure(const Node& node, const StructShape& shape, void* out) {
    for (auto& m : shape.members) {
      const Node* child = node.child(m.query_name);
      if (!child) {
        if (m.required) context_.note_missing(m);
        continue;
      }
      Path::Step step(context_.path, m.name);
      TRY_VOID(value(*child, *m.shape, m.make(out)));
    }
    return {};
  }

 private:
  Result<void> value(const Node& node, const Shape& shape, void* out) {
    switch (shape.type) {
      case Type::structure:
        return structure(node, *shape.structure, out);
      case Type::list:
        return list(node, shape, out);
      case Type::map:
        return map(node, shape, out);
      default:
        if (!node.value || !node.children.empty())
          return fail(*context_.malformed, "Unexpected complex element at '" + context_.path.text() + "'");
        return scalar_from_text(shape, *node.value, out, TimeFormat::iso8601, context_);
    }
  }

  /// The numbered children, in order. An empty list is sent as an empty value.
  Result<std::vector<const Node*>> numbered(const Node& node) {
    std::vector<std::pair<int64_t, const Node*>> found;
    for (auto& [name, child] : node.children) {
      auto n = name.size() <= 9 ? parse_int(name) : std::nullopt;
      if (!n || *n < 0)
        return fail(*context_.malformed,
                    "Unexpected list element '" + std::string(name.substr(0, 64)) + "' at '" + context_.path.text() + "'");
      found.emplace_back(*n, &child);
    }
    std::sort(found.begin(), found.end());
    std::vector<const Node*> out;
    for (auto& [n, child] : found) out.push_back(child);
    return out;
  }

  Result<void> list(const Node& node, const Shape& shape, void* out) {
    const Node* parent = &node;
    if (protocol_ == Protocol::query && !shape.flattened) parent = node.child(shape.element_name);
    if (!parent || (parent->children.empty() && parent->value && parent->value->empty())) {
      if (!parent && !node.children.empty())
        return fail(*context_.malformed, "Unexpected list element at '" + context_.path.text() + "'");
      return {};
    }
    if (parent->children.empty()) return fail(*context_.malformed, "Expected a list at '" + context_.path.text() + "'");
    TRY(auto elements, numbered(*parent));
    size_t i = 0;
    for (auto* e : elements) {
      Path::Step step(context_.path, ++i);
      TRY_VOID(value(*e, *shape.element, shape.list->append(out)));
    }
    return {};
  }

  Result<void> map(const Node& node, const Shape& shape, void* out) {
    const Node* parent = shape.flattened ? &node : node.child("entry");
    if (!parent) return {};
    TRY(auto entries, numbered(*parent));
    for (auto* e : entries) {
      const Node* key = e->child(shape.key_name);
      const Node* v = e->child(shape.element_name);
      if (!key || !key->value || !v)
        return fail(*context_.malformed, "A map entry at '" + context_.path.text() + "' lacks its key or value");
      TRY_VOID(value(*v, *shape.element, shape.map->insert(out, std::string(*key->value))));
    }
    return {};
  }

  Protocol protocol_;
  ReadContext& context_;
};

class Writer {
 public:
  Writer(Protocol protocol, Params& out) : protocol_(protocol), out_(out) {}

  void structure(const std::string& prefix, const StructShape& shape, const void* v) {
    for (auto& m : shape.members)
      if (const void* x = m.get(v))
        value(prefix.empty() ? std::string(m.query_name) : prefix + "." + std::string(m.query_name), *m.shape, x);
  }

 private:
  void value(const std::string& name, const Shape& shape, const void* v) {
    switch (shape.type) {
      case Type::structure:
        return structure(name, *shape.structure, v);
      case Type::list: {
        size_t n = shape.list->size(v);
        if (n == 0 && protocol_ == Protocol::query) out_.emplace_back(name, "");
        std::string prefix =
            protocol_ == Protocol::query && !shape.flattened ? name + "." + std::string(shape.element_name) : name;
        for (size_t i = 0; i < n; ++i) value(prefix + "." + std::to_string(i + 1), *shape.element, shape.list->at(v, i));
        return;
      }
      case Type::map: {
        Entries entries{*this, shape, shape.flattened ? name : name + ".entry"};
        shape.map->each(
            v,
            [](void* context, const std::string& key, const void* x) {
              auto& e = *static_cast<Entries*>(context);
              std::string at = e.prefix + "." + std::to_string(++e.i) + ".";
              e.writer.out_.emplace_back(at + std::string(e.shape.key_name), key);
              e.writer.value(at + std::string(e.shape.element_name), *e.shape.element, x);
            },
            &entries);
        return;
      }
      default:
        out_.emplace_back(name, scalar_to_text(shape, v, TimeFormat::iso8601, true));
    }
  }

  struct Entries {
    Writer& writer;
    const Shape& shape;
    std::string prefix;
    size_t i = 0;
  };
  Protocol protocol_;
  Params& out_;
};

}  // namespace

Result<void> read_params(const Params& params, Protocol protocol, const StructShape& shape, void* out, ReadContext& context) {
  TRY(Node root, tree(params));
  return Reader(protocol, context).structure(root, shape, out);
}

void write_params(Params& params, Protocol protocol, const StructShape& shape, const void* value) {
  Writer(protocol, params).structure("", shape, value);
}

}  // namespace redoubt::api::wire
