#include "warehouse/engine/duckdb/emit_udf.h"

#include "warehouse/engine/duckdb/emit_define.h"
#include "warehouse/engine/duckdb/secured_plans.h"

namespace redoubt::warehouse::engine {

void register_udfs(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "redoubt");
  udf::register_conversions(loader);
  udf::register_numbers(loader);
  udf::register_texts(loader);
  register_marks(loader);
}

}  // namespace redoubt::warehouse::engine
