#pragma once
/// What COPY and UNLOAD can end with beyond the errors of SQL (secure/errors.h) and of the engine. Redshift answers XX000 with a
/// DETAIL block for everything that happens on the way to S3. Source: Database Developer Guide, "Troubleshooting data loads",
/// "Load error reference"; texts as clusters print them.
#include "base/result.h"

namespace redoubt::warehouse::transfer {

inline constexpr ErrorKind kTransferFailed{"TransferFailed", 400, "XX000"};  // S3, STS: see wording.h
inline constexpr ErrorKind kLoadFailed{"LoadFailed", 400, "XX000"};          // rows didn't fit: see stl_load_errors
inline constexpr ErrorKind kInvalidCredentials{"InvalidCredentials", 400, "XX000"};
inline constexpr ErrorKind kDestinationNotEmpty{"DestinationNotEmpty", 400, "XX000"};

/// STL_LOAD_ERRORS.err_code.
namespace load_code {
inline constexpr int kExtraColumn = 1202, kOutOfRange = 1204, kDate = 1205, kTimestamp = 1206, kDigit = 1207, kFloat = 1208,
                     kDecimal = 1209, kBoolean = 1210, kEmptyLine = 1211, kNotNull = 1213, kDelimiter = 1214, kChar = 1215,
                     kInvalidLine = 1216, kUtf8 = 1220, kOverflow = 1222, kType = 1223, kJson = 1224, kManifestPath = 8001;
}

}  // namespace redoubt::warehouse::transfer
