#include "warehouse/transfer/load_log.h"

#include <algorithm>
#include <tuple>

namespace redoubt::warehouse::transfer {

std::vector<LoadError> LoadLog::take() {
  std::lock_guard lock(mutex_);
  std::sort(errors_.begin(), errors_.end(),
            [](auto& a, auto& b) { return std::tie(a.file_name, a.line_number) < std::tie(b.file_name, b.line_number); });
  return std::move(errors_);
}

}  // namespace redoubt::warehouse::transfer
