#pragma once
/// For tests: values of any generated structure, filled at random by its descriptors, and a complete view of them for comparison.
#include <random>

#include "api/shape.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

namespace redoubt::api::testing {

/// Fills structures with what a codec must carry: quotes, markup, blanks, several scripts. Fractions of seconds are milliseconds.
class RandomValue {
 public:
  explicit RandomValue(uint64_t seed, bool whole_seconds = false) : random_(seed), whole_seconds_(whole_seconds) {}

  void fill(const StructShape& shape, void* out, int depth = 0) {
    bool any = false;
    if (shape.is_union) {
      auto& m = shape.members[size_t(number(0, int64_t(shape.members.size()) - 1))];
      return value(*m.shape, m.make(out), depth);
    }
    for (auto& m : shape.members) {
      if (m.streaming || m.location == Location::status_code) continue;
      bool shallow = m.shape->type != Type::structure || depth < 3;
      // Forms can't carry an empty structure: a first member keeps it from being one.
      bool keep = depth > 0 && !any && shallow;
      if (!m.required && m.location != Location::uri && !keep && (depth > 3 || chance(0.4))) continue;
      any = true;
      location_ = m.location;
      value(*m.shape, m.make(out), depth);
    }
  }

 private:
  bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }
  int64_t number(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }

  std::string text(const Shape& shape) {
    if (!shape.enum_values.empty())
      return std::string(shape.enum_values[size_t(number(0, int64_t(shape.enum_values.size()) - 1))]);
    bool plain = location_ == Location::header || location_ == Location::header_prefix;
    static constexpr std::string_view kPieces[] = {"a",  "Z", "0", "-", "_",        "%41",          "=",  "&",  "<b>",
                                                   "\"", "'", "+", "/", "\xC3\xBC", "\xE2\x9C\x93", " x", "#?", "\r\n.",
                                                   "\t."};
    std::string out = "v";
    for (int64_t n = number(0, 6); n > 0; --n) out += kPieces[size_t(number(0, plain ? 4 : 18))];
    return out;
  }

  void value(const Shape& shape, void* out, int depth) {
    switch (shape.type) {
      case Type::string:
        *static_cast<std::string*>(out) = text(shape);
        return;
      case Type::blob: {
        auto& s = *static_cast<std::string*>(out);
        for (int64_t n = number(1, 8); n > 0; --n) s += char(number(0, 255));
        return;
      }
      case Type::boolean:
        *static_cast<bool*>(out) = chance(0.5);
        return;
      case Type::integer: {
        int64_t low = shape.min == kNoMin ? -1000 : shape.min, high = shape.max == kNoMax ? low + 100000 : shape.max;
        *static_cast<int64_t*>(out) = number(low, std::max(low, high));
        return;
      }
      case Type::real:
        *static_cast<double*>(out) = double(number(-1000000, 1000000)) / 128;
        return;
      case Type::timestamp: {
        bool seconds = whole_seconds_ || location_ == Location::header || shape.time_format == TimeFormat::rfc822;
        *static_cast<Timestamp*>(out) = {number(0, 4000000000) * 1000000 + (seconds ? 0 : number(0, 999) * 1000)};
        return;
      }
      case Type::list:
        for (int64_t n = number(1, 3); n > 0; --n) value(*shape.element, shape.list->append(out), depth + 1);
        return;
      case Type::map:
        for (int64_t n = number(1, 3); n > 0; --n)
          value(*shape.element, shape.map->insert(out, "k" + std::to_string(n)), depth + 1);
        return;
      case Type::structure:
        fill(*shape.structure, out, depth + 1);
        return;
    }
  }

  std::mt19937_64 random_;
  bool whole_seconds_;
  Location location_ = Location::body;
};

Json everything(const StructShape& shape, const void* v);

inline Json everything(const Shape& shape, const void* v) {
  switch (shape.type) {
    case Type::string:
      return Json(*static_cast<const std::string*>(v));
    case Type::blob:
      return Json(base64(*static_cast<const std::string*>(v)));
    case Type::boolean:
      return Json(*static_cast<const bool*>(v));
    case Type::integer:
      return Json(*static_cast<const int64_t*>(v));
    case Type::real:
      return Json(*static_cast<const double*>(v));
    case Type::timestamp:
      return Json(iso8601_millis(*static_cast<const Timestamp*>(v)));
    case Type::list: {
      Json out = Json::array();
      for (size_t i = 0; i < shape.list->size(v); ++i) out.push(everything(*shape.element, shape.list->at(v, i)));
      return out;
    }
    case Type::map: {
      std::pair<const Shape*, Json> context{&shape, Json::object()};
      shape.map->each(
          v,
          [](void* c, const std::string& key, const void* x) {
            auto& [s, j] = *static_cast<std::pair<const Shape*, Json>*>(c);
            j.set(key, everything(*s->element, x));
          },
          &context);
      return std::move(context.second);
    }
    case Type::structure:
      return everything(*shape.structure, v);
  }
  return {};
}

/// All members, also sensitive ones, by the model's names; streams apart.
inline Json everything(const StructShape& shape, const void* v) {
  Json out = Json::object();
  for (auto& m : shape.members) {
    if (m.streaming) continue;
    if (const void* x = m.get(v)) out.set(std::string(m.name), everything(*m.shape, x));
  }
  return out;
}

}  // namespace redoubt::api::testing
