#include "policy/match.h"

#include <array>

#include "base/text.h"

namespace redoubt::policy {
namespace {
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

/// The length of the UTF-8 sequence that begins at `at`; 1 for bytes that don't begin a complete one.
size_t character_size(std::string_view s, size_t at) {
  auto lead = uint8_t(s[at]);
  size_t n = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 1;
  if (at + n > s.size()) return 1;
  for (size_t i = 1; i < n; ++i)
    if ((uint8_t(s[at + i]) & 0xC0) != 0x80) return 1;
  return n;
}

template <bool Fold>
bool starts(std::string_view s, size_t at, std::string_view text) {
  if (s.size() - at < text.size()) return false;
  if constexpr (!Fold) return s.compare(at, text.size(), text) == 0;
  for (size_t i = 0; i < text.size(); ++i)
    if (lower(s[at + i]) != lower(text[i])) return false;
  return true;
}

template <bool Fold>
size_t find(std::string_view s, size_t from, std::string_view text) {
  if constexpr (!Fold) return s.find(text, from);
  for (; from + text.size() <= s.size(); ++from)
    if (starts<true>(s, from, text)) return from;
  return std::string_view::npos;
}

std::string_view text_of(const Token& t, const std::string_view*& values) {
  return t.kind == Token::Kind::variable ? *values : std::string_view(t.text);
}

/// `values` holds the variables' values in the order of `tokens`.
template <bool Fold>
bool glob(const std::vector<Token>& tokens, const std::string_view* values, std::string_view s) {
  constexpr size_t kNone = size_t(-1);
  size_t t = 0, at = 0, retry_t = kNone, retry_at = 0;
  const std::string_view *value = values, *retry_value = values;
  for (;;) {
    if (t == tokens.size()) {
      if (at == s.size()) return true;
    } else {
      const Token& token = tokens[t];
      if (token.kind == Token::Kind::any_run) {
        if (t + 1 == tokens.size()) return true;
        retry_t = ++t;
        retry_at = at;
        retry_value = value;
        continue;
      }
      if (token.kind == Token::Kind::any_char) {
        if (at == s.size()) return false;  // retrying only shortens what is left
        at += character_size(s, at);
        ++t;
        continue;
      }
      auto text = text_of(token, value);
      if (starts<Fold>(s, at, text)) {
        at += text.size();
        ++t;
        if (token.kind == Token::Kind::variable) ++value;
        continue;
      }
    }
    if (retry_t == kNone || retry_at >= s.size()) return false;
    retry_at += character_size(s, retry_at);
    t = retry_t;
    value = retry_value;
    const Token& next = tokens[t];
    if (next.kind == Token::Kind::literal || next.kind == Token::Kind::variable) {
      retry_at = find<Fold>(s, retry_at, text_of(next, value));
      if (retry_at == std::string_view::npos) return false;
    }
    at = retry_at;
  }
}

/// The value of a variable; nullopt when it can't be told.
std::optional<std::string_view> resolve(const Token& variable, const Context& context) {
  auto values = context.find(variable.text, variable.hash);
  if (values.size() == 1) return values[0];
  if (values.empty() && variable.has_fallback) return std::string_view(variable.fallback);
  return std::nullopt;
}

/// ${*}, ${?} or ${$} at `at`.
bool is_escape(std::string_view text, size_t at) {
  auto e = text.substr(at, 4);
  return e == "${*}" || e == "${?}" || e == "${$}";
}

/// Reads the variable at `at` ("${"). False: broken.
bool read_variable(std::string_view text, size_t& at, Token& out) {
  size_t begin = at + 2, i = begin;
  auto key_char = [](char c) {
    return is_alnum(c) || c == ':' || c == '/' || c == '.' || c == '_' || c == '-' || c == '=' || c == '+' || c == '@' ||
           (c & 0x80);
  };
  while (i < text.size() && key_char(text[i])) ++i;
  if (i == begin) return false;
  out.kind = Token::Kind::variable;
  out.text = std::string(text.substr(begin, i - begin));
  out.hash = key_hash(out.text);
  if (i < text.size() && text[i] == ',') {
    ++i;
    while (i < text.size() && text[i] == ' ') ++i;
    if (i >= text.size() || text[i] != '\'') return false;
    size_t close = text.find('\'', i + 1);
    if (close == text.npos) return false;
    out.has_fallback = true;
    out.fallback = std::string(text.substr(i + 1, close - i - 1));
    i = close + 1;
  }
  if (i >= text.size() || text[i] != '}') return false;
  at = i + 1;
  return true;
}
}  // namespace

bool fold_equal(std::string_view a, std::string_view b) { return a.size() == b.size() && starts<true>(a, 0, b); }

std::optional<Pattern> compile_pattern(std::string_view text, PatternOptions options) {
  Pattern p;
  p.fold = options.fold;
  auto literal = [&](char c) {
    if (p.tokens.empty() || p.tokens.back().kind != Token::Kind::literal) p.tokens.push_back({});
    p.tokens.back().text += options.fold ? lower(c) : c;
  };
  for (size_t i = 0; i < text.size();) {
    char c = text[i];
    if (options.variables && c == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      if (is_escape(text, i)) {
        literal(text[i + 2]);
        i += 4;
        continue;
      }
      Token variable;
      if (!read_variable(text, i, variable) || p.variables == UINT16_MAX) return std::nullopt;
      p.tokens.push_back(std::move(variable));
      ++p.variables;
      continue;
    }
    if (options.wildcards && c == '*') {
      if (p.tokens.empty() || p.tokens.back().kind != Token::Kind::any_run) p.tokens.push_back({.kind = Token::Kind::any_run});
    } else if (options.wildcards && c == '?') {
      p.tokens.push_back({.kind = Token::Kind::any_char});
    } else {
      literal(c);
    }
    ++i;
  }
  auto& t = p.tokens;
  if (t.empty()) {
    p.shape = Pattern::Shape::exact;
  } else if (t.size() == 1 && t[0].kind == Token::Kind::any_run) {
    p.shape = Pattern::Shape::any;
  } else if (t.size() == 1 && t[0].kind == Token::Kind::literal) {
    p.shape = Pattern::Shape::exact;
    p.text = std::move(t[0].text);
  } else if (t.size() == 2 && t[0].kind == Token::Kind::literal && t[1].kind == Token::Kind::any_run) {
    p.shape = Pattern::Shape::prefix;
    p.text = std::move(t[0].text);
  } else {
    p.shape = Pattern::Shape::glob;
    return p;
  }
  t.clear();
  t.shrink_to_fit();
  return p;
}

std::optional<std::vector<Pattern>> compile_arn_pattern(std::string_view text, bool variables) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t i = 0; i < text.size() && parts.size() < 5;) {
    if (variables && text.substr(i, 2) == "${") {
      Token ignored;
      if (is_escape(text, i))
        i += 4;
      else if (!read_variable(text, i, ignored))
        return std::nullopt;
      continue;
    }
    if (text[i] == ':') {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
    ++i;
  }
  parts.push_back(text.substr(begin));
  std::vector<Pattern> patterns;
  for (auto part : parts) {
    auto p = compile_pattern(part, {.wildcards = true, .variables = variables});
    if (!p) return std::nullopt;
    patterns.push_back(std::move(*p));
  }
  if (patterns.size() < 6) patterns.clear();
  return patterns;
}

Match match(const Pattern& p, std::string_view s, const Context& context) {
  auto answer = [](bool yes) { return yes ? Match::yes : Match::no; };
  switch (p.shape) {
    case Pattern::Shape::any:
      return Match::yes;
    case Pattern::Shape::exact:
      return answer(s.size() == p.text.size() && (p.fold ? starts<true>(s, 0, p.text) : starts<false>(s, 0, p.text)));
    case Pattern::Shape::prefix:
      return answer(p.fold ? starts<true>(s, 0, p.text) : starts<false>(s, 0, p.text));
    case Pattern::Shape::glob:
      break;
  }
  std::array<std::string_view, 8> few;
  std::vector<std::string_view> many;  // only patterns with more variables than anybody writes allocate
  std::string_view* values = few.data();
  if (p.variables > few.size()) {
    many.resize(p.variables);
    values = many.data();
  }
  size_t n = 0;
  if (p.variables)
    for (auto& token : p.tokens)
      if (token.kind == Token::Kind::variable) {
        auto v = resolve(token, context);
        if (!v) return Match::unresolved;
        values[n++] = *v;
      }
  return answer(p.fold ? glob<true>(p.tokens, values, s) : glob<false>(p.tokens, values, s));
}

bool action_matches(std::string_view pattern, std::string_view action) {
  auto p = compile_pattern(pattern, {.wildcards = true, .fold = true});
  return p && match(*p, action, Context()) == Match::yes;
}

}  // namespace redoubt::policy
