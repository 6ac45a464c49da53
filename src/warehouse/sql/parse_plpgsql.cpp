/// plpgsql's statements around the SQL parser; see plpgsql.h.
#include "base/text.h"
#include "warehouse/sql/plpgsql_names.h"

namespace redoubt::warehouse::sql::plpgsql {

namespace {

class BodyParser : public BodyNames {
 public:
  using BodyNames::BodyNames;

  Body parse() {
    std::string label = parse_label_before();
    if (!at_any({"declare", "begin"})) syntax_error();
    out_.block = parse_block(std::move(label));
    accept_op(";");
    if (peek().kind != TokenKind::kEnd) syntax_error();
    return std::move(out_);
  }

 private:
  // ---- blocks

  std::string parse_label_before() {
    if (!accept_op("<<")) return "";
    std::string label = parse_label().text;
    expect_op(">>");
    return label;
  }

  void expect_label_after(const std::string& label) {
    if (at_op(";") || peek().kind == TokenKind::kEnd) return;
    Identifier name = parse_identifier();
    if (name.text != label) raise(kSyntaxError, "label \"" + name.text + "\" does not match", name.position);
  }

  Nodes parse_nodes() {
    Nodes nodes;
    while (!at_any({"end", "else", "elsif", "elseif", "when", "exception"}) && peek().kind != TokenKind::kEnd) parse_node(nodes);
    return nodes;
  }

  std::unique_ptr<Block> parse_block(std::string label) {
    Nest nest(*this);
    auto block = node<Block>();
    block->label = label;
    scopes_.push_back({.label = std::move(label), .names = {}});
    if (accept("declare"))
      while (!at("begin")) {
        if (accept("declare")) continue;
        parse_declaration(*block);
      }
    block->line = line_of(peek().begin);
    expect("begin");
    block->body = parse_nodes();
    if (accept("exception")) parse_handler(*block);
    expect("end");
    expect_label_after(block->label);
    scopes_.pop_back();
    return block;
  }

  void parse_handler(Block& block) {
    block.has_handler = true;
    expect("when");
    if (!at("others")) not_supported("an exception condition other than OTHERS");
    take();
    expect("then");
    block.sqlstate = add_variable({.name = "sqlstate", .type = Type::varchar()});
    block.sqlerrm = add_variable({.name = "sqlerrm", .type = Type::varchar()});
    scopes_.push_back({.label = "", .names = {{"sqlstate", block.sqlstate}, {"sqlerrm", block.sqlerrm}}});
    ++handlers_;
    block.handler = parse_nodes();
    --handlers_;
    scopes_.pop_back();
    if (at("when")) not_supported("more than one exception condition");
  }

  void parse_declaration(Block& block) {
    Variable declared;
    declared.line = line_of(peek().begin);
    Identifier name = parse_identifier();
    declared.name = name.text;
    auto& names = scopes_.back().names;
    if (names.contains(name.text)) raise(kSyntaxError, "duplicate declaration at or near \"" + name.text + "\"", name.position);
    if (accept_words({"alias", "for"})) {
      Place place;
      size_t tokens = find_place(place);
      if (tokens == 0) syntax_error();
      for (size_t i = 0; i < tokens; ++i) take();
      end_statement();
      names[name.text] = place.variable;
      return;
    }
    if (at("cursor") || at_words({"no", "scroll"}) || at("scroll")) {
      if (!at("cursor")) not_supported("SCROLL");
      parse_cursor_declaration(declared);
    } else {
      declared.constant = accept("constant");
      parse_variable_type(declared);
      declared.not_null = accept_words({"not", "null"});
      if (accept("default") || accept_assign()) {
        if (declared.kind == Variable::Kind::kRow || declared.kind == Variable::Kind::kRecord)
          not_supported("a default value for a row or record variable");
        declared.initial = parse_expression();
      } else if (declared.not_null) {
        raise(kNullNotAllowed, "variable \"" + name.text + "\" declared NOT NULL cannot default to NULL", name.position);
      }
    }
    end_statement();
    int index = add_variable(std::move(declared));
    scopes_.back().names[name.text] = index;
    block.variables.push_back(index);
  }

  void parse_variable_type(Variable& declared) {
    using Kind = Variable::Kind;
    if (accept("record")) {
      declared.kind = Kind::kRecord;
      return;
    }
    // name%TYPE, table.column%TYPE, table%ROWTYPE: up to four parts before the %.
    size_t parts = 0;
    while (parts < 4 && at_name(parts * 2)) {
      ++parts;
      if (!at_op(".", parts * 2 - 1)) break;
    }
    bool like = parts > 0 && at_op("%", parts * 2 - 1) && at_any({"type", "rowtype"}, parts * 2);
    if (!like) {
      declared.type = parse_type();
      if (declared.type.is(TypeKind::kRefCursor)) declared.kind = Kind::kCursor;
      return;
    }
    bool row = at("rowtype", parts * 2);
    Place place;
    Position position = peek().position;
    if (!row && find_place(place) > 0 && place.field.empty()) {
      const Variable& other = variable(place.variable);
      if (other.is_record()) raise(kSyntaxError, "\"" + other.name + "\" is not a scalar variable", position);
      declared.kind = other.kind;
      declared.type = other.type;
      declared.like = other.like;
      declared.like_column = other.like_column;
      while (!at_op("%")) take();
    } else {
      std::vector<std::string> names;
      for (size_t i = 0; i < parts; ++i) {
        names.push_back(take().text);
        if (i + 1 < parts) take();
      }
      if (!row) {
        if (names.size() < 2) raise(kSyntaxError, "\"" + names[0] + "\" is not a known variable", position);
        declared.like_column = names.back();
        names.pop_back();
      } else {
        declared.kind = Kind::kRow;
      }
      if (names.size() > 3) raise(kSyntaxError, "improper qualified name (too many dotted names)", position);
      declared.like.position = position;
      declared.like.name = names.back();
      if (names.size() > 1) declared.like.schema = names[names.size() - 2];
      if (names.size() > 2) declared.like.database = names[0];
    }
    take(), take();  // % TYPE
  }

  /// name CURSOR [(argument type, ..)] {FOR | IS} query
  void parse_cursor_declaration(Variable& declared) {
    expect("cursor");
    declared.kind = Variable::Kind::kCursor;
    declared.type = TypeKind::kRefCursor;
    Scope arguments;
    if (accept_op("(")) {
      do {
        Identifier name = parse_identifier();
        int index = add_variable({.name = name.text, .type = parse_type()});
        declared.parameters.push_back(index);
        if (!arguments.names.emplace(name.text, index).second)
          raise(kSyntaxError, "duplicate declaration at or near \"" + name.text + "\"", name.position);
      } while (accept_op(","));
      expect_op(")");
    }
    if (!accept("for")) expect("is");
    if (!at_select()) syntax_error();
    scopes_.push_back(std::move(arguments));
    declared.query = parse_query_sql();
    scopes_.pop_back();
  }

  // ---- statements

  bool accept_assign() { return accept_op(":=") || accept_op("="); }
  bool at_assign(size_t n) { return at_op("=", n) || at_op(":=", n); }

  bool at_assignment() {
    if (peek().kind == TokenKind::kParameter) return at_assign(1);
    if (!at_identifier()) return false;
    size_t n = 1;
    while (n < 5 && at_op(".", n) && at_name(n + 1)) n += 2;
    return at_assign(n);
  }

  void parse_node(Nodes& out) {
    Nest nest(*this);
    if (accept_op(";")) return;
    if (at_op("<<")) {
      std::string label = parse_label_before();
      if (!at_any({"declare", "begin", "loop", "while", "for"})) syntax_error();
      return parse_labelled(std::move(label), out);
    }
    if (at_assignment()) return out.push_back(parse_assignment());
    if (!peek().is_word() && !at_op("(")) syntax_error();
    if (at_any({"declare", "begin", "loop", "while", "for"})) return parse_labelled("", out);
    if (at("if")) return out.push_back(parse_if());
    if (at("case")) return parse_case_statement(out);
    if (at("exit") || at("continue")) return out.push_back(parse_exit());
    if (at("return")) return out.push_back(parse_return());
    if (at("raise")) return out.push_back(parse_raise());
    if (at("execute")) return out.push_back(parse_run_text());
    if (at("perform")) return out.push_back(parse_perform());
    if (at("call")) return out.push_back(parse_call_node());
    if (at_words({"get", "diagnostics"})) return out.push_back(parse_diagnostics());
    if (at("open")) return out.push_back(parse_open());
    if (at("fetch")) return out.push_back(parse_fetch_row());
    if (at("close")) return out.push_back(parse_close_cursor());
    if (at("move")) not_supported("MOVE");
    if (at_any({"commit", "rollback", "abort", "start"})) return out.push_back(parse_transaction_control());
    if (at("null")) {
      out.push_back(node<Null>());
      take();
      return end_statement();
    }
    out.push_back(parse_run_sql());
  }

  void parse_labelled(std::string label, Nodes& out) {
    if (at_any({"declare", "begin"})) {
      int line = line_of(peek().begin);
      auto block = parse_block(std::move(label));
      block->line = line;
      end_statement();
      return out.push_back(std::move(block));
    }
    if (at("loop")) {
      auto loop = node<Loop>();
      loop->label = label;
      scopes_.push_back({.label = std::move(label), .names = {}, .loop = true});
      parse_loop_body(loop->body, loop->label);
      return out.push_back(std::move(loop));
    }
    if (at("while")) {
      auto loop = node<While>();
      take();
      loop->label = label;
      loop->condition = parse_expression();
      scopes_.push_back({.label = std::move(label), .names = {}, .loop = true});
      parse_loop_body(loop->body, loop->label);
      return out.push_back(std::move(loop));
    }
    out.push_back(parse_for(std::move(label)));
  }

  /// LOOP .. END LOOP [label]; and leaves the scope of the loop.
  void parse_loop_body(Nodes& body, const std::string& label) {
    expect("loop");
    body = parse_nodes();
    expect("end");
    expect("loop");
    expect_label_after(label);
    end_statement();
    scopes_.pop_back();
  }

  NodePtr parse_for(std::string label) {
    int line = line_of(peek().begin);
    expect("for");
    Position position = peek().position;
    bool query = false;
    // What follows IN decides: a query, EXECUTE, or a range.
    if (size_t n = find_word("in"); n > 0)
      query = at_any({"select", "with", "values", "execute"}, n + 1) || (at_op("(", n + 1) && at_any({"select", "with"}, n + 2));
    if (query) {
      auto loop = std::make_unique<ForQuery>();
      loop->line = line;
      loop->label = label;
      Place place;
      if (find_place(place) == 0)
        raise(kSyntaxError, "loop variable of loop over rows must be a record or row variable or list of scalar variables",
              position);
      loop->target = parse_target();
      expect("in");
      if (accept("execute"))
        loop->dynamic = parse_expression();
      else
        loop->query = parse_query_sql();
      scopes_.push_back({.label = std::move(label), .names = {}, .loop = true});
      parse_loop_body(loop->body, loop->label);
      return loop;
    }
    auto loop = std::make_unique<ForRange>();
    loop->line = line;
    loop->label = label;
    Identifier name = parse_identifier();
    expect("in");
    loop->reverse = accept("reverse");
    loop->from = parse_expression();
    expect_op("..");
    loop->to = parse_expression();
    loop->variable = add_variable({.name = name.text, .type = TypeKind::kInteger});
    scopes_.push_back({.label = std::move(label), .names = {{name.text, loop->variable}}, .loop = true});
    parse_loop_body(loop->body, loop->label);
    return loop;
  }

  NodePtr parse_assignment() {
    auto assign = node<Assign>();
    Position position = peek().position;
    assign->target = parse_place();
    if (assign->target.field.empty() && variable(assign->target.variable).is_record())
      raise(kNotSupported, "assignment to a whole record is not supported: use SELECT INTO", position);
    if (!accept_assign()) syntax_error();
    assign->value = parse_assigned();
    end_statement();
    return assign;
  }

  NodePtr parse_if() {
    auto out = node<If>();
    expect("if");
    do {
      If::Branch branch;
      branch.condition = parse_expression();
      expect("then");
      branch.body = parse_nodes();
      out->branches.push_back(std::move(branch));
    } while (accept("elsif") || accept("elseif"));
    if (accept("else")) out->otherwise = parse_nodes();
    expect("end");
    expect("if");
    end_statement();
    return out;
  }

  /// CASE x WHEN a, b THEN .. becomes hidden := x; IF hidden IN (a, b) THEN ..
  void parse_case_statement(Nodes& out) {
    auto choice = node<If>();
    expect("case");
    int hidden = -1;
    if (!at("when")) {
      auto assign = node<Assign>();
      assign->line = choice->line;
      hidden = add_variable({});
      assign->target = {hidden, ""};
      assign->value = parse_expression();
      out.push_back(std::move(assign));
    }
    if (!at("when")) syntax_error();
    while (accept("when")) {
      If::Branch branch;
      branch.condition = hidden < 0 ? parse_expression() : parse_case_values(hidden);
      expect("then");
      branch.body = parse_nodes();
      choice->branches.push_back(std::move(branch));
    }
    if (accept("else")) {
      choice->otherwise = parse_nodes();
    } else {
      auto missing = node<CaseMissing>();
      missing->line = choice->line;
      choice->otherwise.push_back(std::move(missing));
    }
    expect("end");
    expect("case");
    end_statement();
    out.push_back(std::move(choice));
  }

  SqlPtr parse_case_values(int hidden) {
    return parse_sql(
        [&] {
          auto in = std::make_unique<InList>();
          in->position = peek().position;
          sql_->parameters.push_back({hidden, ""});
          auto operand = make<Parameter>();
          operand->number = 1;
          in->operand = std::move(operand);
          do in->items.push_back(parse_expr());
          while (accept_op(","));
          return select_of(std::move(in));
        },
        "SELECT  $1 IN ");
  }

  NodePtr parse_exit() {
    auto out = node<Exit>();
    Position position = peek().position;
    out->is_continue = take().text == "continue";
    if (!at_op(";") && !at("when")) {
      Identifier label = parse_identifier();
      out->label = label.text;
      auto scope = std::find_if(scopes_.begin() + 1, scopes_.end(), [&](auto& s) { return s.label == label.text; });
      if (scope == scopes_.end())
        raise(kSyntaxError, "there is no label \"" + label.text + "\" attached to any block or loop enclosing this statement",
              label.position);
      if (out->is_continue && !scope->loop)
        raise(kSyntaxError, "block label \"" + label.text + "\" cannot be used in CONTINUE", label.position);
    } else if (std::none_of(scopes_.begin(), scopes_.end(), [](auto& s) { return s.loop; })) {
      raise(kSyntaxError,
            out->is_continue ? "CONTINUE cannot be used outside a loop"
                             : "EXIT cannot be used outside a loop, unless it has a label",
            position);
    }
    if (accept("when")) out->condition = parse_expression();
    end_statement();
    return out;
  }

  NodePtr parse_return() {
    auto out = node<Return>();
    expect("return");
    if (!at_op(";")) raise(kDatatypeMismatch, "RETURN cannot have a parameter in a procedure", peek().position);
    end_statement();
    return out;
  }

  NodePtr parse_raise() {
    auto out = node<Raise>();
    Position position = peek().position;
    expect("raise");
    using Level = Raise::Level;
    if (accept_op(";")) {
      if (handlers_ == 0) raise(kSyntaxError, "RAISE without parameters cannot be used outside an exception handler", position);
      out->level = Level::kAgain;
      return out;
    }
    static const std::map<std::string_view, Level> levels = {{"debug", Level::kDebug},     {"log", Level::kLog},
                                                             {"info", Level::kInfo},       {"notice", Level::kNotice},
                                                             {"warning", Level::kWarning}, {"exception", Level::kException}};
    auto level = peek().is_word() ? levels.find(peek().text) : levels.end();
    if (level == levels.end()) syntax_error();
    out->level = level->second;
    take();
    if (at("using")) not_supported("RAISE ... USING");
    out->format = expect_string();
    while (accept_op(",")) out->arguments.push_back(parse_expression());
    if (at("using")) not_supported("RAISE ... USING");
    end_statement();
    size_t holes = 0;
    for (size_t i = 0; i < out->format.size(); ++i) {
      if (out->format[i] != '%') continue;
      if (i + 1 < out->format.size() && out->format[i + 1] == '%')
        ++i;
      else
        ++holes;
    }
    if (holes != out->arguments.size())
      raise(kSyntaxError,
            holes > out->arguments.size() ? "too few parameters specified for RAISE" : "too many parameters specified for RAISE",
            position);
    return out;
  }

  NodePtr parse_run_text() {
    auto out = node<RunText>();
    expect("execute");
    out->text = parse_expression();
    if (accept("into")) out->into = parse_target();
    if (at("using")) not_supported("EXECUTE ... USING");
    end_statement();
    return out;
  }

  NodePtr parse_perform() {
    auto out = node<Perform>();
    expect("perform");
    out->query = parse_sql([&] { return parse_rest_of_select(); }, "SELECT ");
    end_statement();
    return out;
  }

  NodePtr parse_call_node() {
    auto out = node<CallProcedure>();
    out->call = parse_sql([&] { return parse_call_command(); });
    for (auto& argument : as<Call>(*out->call->statement.command).call->args) {
      auto* parameter = get_if<Parameter>(argument.get());
      out->variables.push_back(parameter ? std::optional(out->call->parameters[size_t(parameter->number - 1)]) : std::nullopt);
    }
    end_statement();
    return out;
  }

  NodePtr parse_diagnostics() {
    auto out = node<Diagnostics>();
    take(), take();
    do {
      out->targets.push_back(parse_place());
      if (!accept_assign()) syntax_error();
      if (at("result_oid")) not_supported("RESULT_OID");
      expect("row_count");
    } while (accept_op(","));
    end_statement();
    return out;
  }

  NodePtr parse_open() {
    auto out = node<Open>();
    expect("open");
    Position position = peek().position;
    out->cursor = parse_cursor_variable();
    const Variable& cursor = variable(out->cursor);
    if (cursor.query) {
      if (accept_op("(")) {
        do out->arguments.push_back(parse_expression());
        while (accept_op(","));
        expect_op(")");
      }
      if (out->arguments.size() != cursor.parameters.size())
        raise(kSyntaxError,
              cursor.parameters.empty() ? "cursor \"" + cursor.name + "\" has no arguments"
                                        : "wrong number of arguments for cursor \"" + cursor.name + "\"",
              position);
    } else {
      expect("for");
      if (accept("execute"))
        out->dynamic = parse_expression();
      else if (at_select())
        out->query = parse_query_sql();
      else
        syntax_error();
    }
    end_statement();
    return out;
  }

  NodePtr parse_fetch_row() {
    auto out = node<FetchRow>();
    expect("fetch");
    if (at("next") && (at_any({"from", "in"}, 1) || at_name(1)) && !at("into", 1)) take();
    if (at_any({"from", "in"})) take();
    out->cursor = parse_cursor_variable();
    expect("into");
    out->into = parse_target();
    end_statement();
    return out;
  }

  NodePtr parse_close_cursor() {
    auto out = node<Close>();
    expect("close");
    out->cursor = parse_cursor_variable();
    end_statement();
    return out;
  }

  NodePtr parse_transaction_control() {
    auto out = node<TransactionControl>();
    using Action = TransactionControl::Action;
    std::string word = take().text;
    if (word == "start") {
      expect("transaction");
      out->action = Action::kStart;
    } else {
      out->action = word == "commit" ? Action::kCommit : Action::kRollback;
      if (at_any({"work", "transaction"})) take();
      if (at("to")) not_supported("ROLLBACK TO SAVEPOINT");
    }
    end_statement();
    return out;
  }

  NodePtr parse_run_sql() {
    auto out = node<RunSql>();
    if (size_t into = at_select() ? find_word("into") : 0; into > 0) out->into = take_into(into);
    out->sql = parse_sql([&] {
      if (take_into_edit_) edits_.push_back(*take_into_edit_);
      take_into_edit_.reset();
      return parse_command();
    });
    end_statement();
    return out;
  }

  int handlers_ = 0;  // exception handlers around the current statement
};

/// Byte offset of a 1-based character position.
size_t offset_of(std::string_view text, std::string_view position) {
  int64_t characters = parse_int(position).value_or(1) - 1;
  size_t offset = 0;
  while (offset < text.size() && characters > 0) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xc0) == 0x80) ++offset;
    --characters;
  }
  return offset;
}

}  // namespace

Result<Body> parse_body(const BodyText& body) {
  try {
    BodyParser parser(body, {.case_sensitive_identifiers = body.case_sensitive_identifiers, .max_bytes = kBodyMax});
    try {
      return parser.parse();
    } catch (Failure& failure) {
      int line = parser.line_of(offset_of(body.text, failure.error.get("POSITION")));
      return fail(std::move(failure.error)
                      .with("CONTEXT",
                            "compile of PL/pgSQL function \"" + std::string(body.name) + "\" near line " + std::to_string(line)));
    }
  } catch (Failure& failure) {
    return fail(std::move(failure.error));
  }
}

}  // namespace redoubt::warehouse::sql::plpgsql
