#pragma once
/// Compressed and re-encoded streams, in bounded memory: what a reader asks for is what is decompressed, however much a file
/// claims to hold. Concatenated members are read as one, as gzip has it.
#include <memory>
#include <string>

#include "api/http.h"
#include "warehouse/engine/bulk.h"
#include "warehouse/transfer/options.h"

namespace redoubt::warehouse::transfer {

/// `source` itself if there is nothing to do. Errors while reading: kTransferFailed (not of that format, or cut off).
std::shared_ptr<api::BodySource> decompress(std::shared_ptr<api::BodySource> source, Compression compression);
/// `source` as UTF-8. Characters that can't be are left as they are, for the load to find.
std::shared_ptr<api::BodySource> to_utf8(std::shared_ptr<api::BodySource> source, Encoding encoding);

/// Compresses what is written into `out`, which is finished when it is.
std::unique_ptr<engine::SequentialFile> compress(std::unique_ptr<engine::SequentialFile> out, Compression compression);
/// ".gz" and the like; "" for none.
std::string_view suffix(Compression compression);

}  // namespace redoubt::warehouse::transfer
