#include "warehouse/sql/printer.h"

#include "warehouse/sql/printer_impl.h"

namespace redoubt::warehouse::sql {

void Printer::identifier(std::string_view text) {
  out_ += '"';
  for (char c : text) {
    if (c == '"') out_ += '"';
    out_ += c;
  }
  out_ += '"';
}

std::string print(const Expr& expr) {
  Printer printer;
  printer.expr(expr);
  return printer.take();
}

std::string print(const Query& query) {
  Printer printer;
  printer.query(query);
  return printer.take();
}

std::string print(const Command& command) {
  Printer printer;
  printer.command(command);
  return printer.take();
}

std::string print(const ObjectName& name) {
  Printer printer;
  printer.name(name);
  return printer.take();
}

std::string redacted_text(const Statement& statement) {
  std::string text;
  size_t end = 0;
  for (Span secret : statement.secrets) {
    text.append(statement.text, end, secret.begin - end);
    text += "'***'";
    end = secret.end;
  }
  text.append(statement.text, end);
  return text;
}

}  // namespace redoubt::warehouse::sql
