#pragma once
/// Catalog objects as rows and back. Bodies are JSON with short member names; what has its default value is left out.
#include <optional>
#include <string_view>

#include "warehouse/catalog/catalog.h"

namespace redoubt::warehouse::catalog {

/// The row that names `key`: kind and oid; the body stays empty.
Row row_of(const Key& key);
/// The key a row is about. Errors: kCorruptCatalog.
Result<Key> key_of_row(const Row& row);

/// `secret_key`: 32 bytes that seal verifiers; empty: in clear.
std::string to_body(const Object& object, std::string_view secret_key);
/// Errors: kCorruptCatalog, also when a verifier doesn't open with the key.
Result<Object> from_body(const Key& key, std::string_view body, std::string_view secret_key);

}  // namespace redoubt::warehouse::catalog
