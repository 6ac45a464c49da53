#pragma once
/// COPY .. JSON: objects behind one another, no commas, no list around them. Which member goes where: by name ('auto', 'auto
/// ignorecase'), by a JSONPaths file, or the whole object into one SUPER column ('noshred').
/// Source: Database Developer Guide, "COPY from JSON format".
#include "warehouse/transfer/json_paths.h"
#include "warehouse/transfer/text_scanner.h"

namespace redoubt::warehouse::transfer {

/// Where a value that begins at text[0] (not a blank) ends: the matching bracket, or the end of the line of what is neither an
/// object nor a list. 0: it isn't complete.
size_t json_value_end(std::string_view text);

std::shared_ptr<const RecordEnds> json_record_ends();
/// Errors of its readers as text_source().
std::unique_ptr<engine::LoadSource> json_source(ScanContext context, FieldMap map);

}  // namespace redoubt::warehouse::transfer
