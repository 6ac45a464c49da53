#pragma once
/// What docs/SQL.md and docs/APIS.md say, made from the tables that the server itself goes by: the SQL functions, the Gate's
/// rows, the CloudFormation providers. `redoubt docs sql|apis` prints them; a test compares the files.
#include <string>

#include "base/result.h"

namespace redoubt::server {

std::string sql_reference();
/// Declares every room's rows on a Gate of its own, in a temporary folder that is gone afterwards. Errors: kInternal.
Result<std::string> api_reference();

}  // namespace redoubt::server
