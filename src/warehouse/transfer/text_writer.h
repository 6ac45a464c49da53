#pragma once
/// Rows as UNLOAD writes them: delimited, CSV, fixed-width, JSON lines. Input are the engine's DataRow messages, which it encodes
/// column by column; what is left is putting fields behind one another. Source: Database Developer Guide, UNLOAD.
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/secure/plan.h"
#include "warehouse/transfer/options.h"

namespace redoubt::warehouse::transfer {

/// Threads: any, several at once.
class TextWriter {
 public:
  /// Errors: kInvalidParameterValue (FIXEDWIDTH and the columns differ in number), kNotSupported (two columns of one name in
  /// JSON).
  static Result<TextWriter> make(const UnloadOptions& options, const std::vector<secure::plan::Output>& columns);

  /// The HEADER line, "" without.
  std::string header() const;
  /// Appends the rows of complete DataRow messages. Errors: a value wider than its FIXEDWIDTH column.
  Result<void> write(std::string_view rows, std::string& out) const;

 private:
  struct Column {
    std::string name;
    bool text = false;  // CHAR, VARCHAR and the like: may need quoting or escaping
    bool bare = false;  // JSON: written as it is
    bool boolean = false;
    std::string json_key;  // "name":
    size_t width = 0;
  };
  void delimited_field(const Column& column, std::string_view value, std::string& out) const;
  void csv_field(const Column& column, std::string_view value, std::string& out) const;
  Result<void> fixed_field(const Column& column, std::string_view value, std::string& out) const;

  UnloadOptions options_;
  std::vector<Column> columns_;
  bool special_[256] = {};  // characters of text that make a field need care
};

}  // namespace redoubt::warehouse::transfer
