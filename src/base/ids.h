#pragma once
/// Identifiers in the shapes AWS gives them. All random; thread-safe.
#include <string>
#include <string_view>

namespace redoubt {

std::string random_text(size_t n, std::string_view alphabet);
std::string new_uuid();                           // 8-4-4-4-12, version 4
std::string new_request_id();                     // a uuid
std::string new_iam_id(std::string_view prefix);  // AIDA, AROA, AGPA, ANPA, AIPA + 17 of A-Z2-7; AKIA, ASIA + 16
std::string new_secret_access_key();              // 40 of base64's alphabet
std::string new_hex_id(std::string_view prefix, size_t hex_digits = 17);  // sg-0123.., vpc-.., i-..

}  // namespace redoubt
