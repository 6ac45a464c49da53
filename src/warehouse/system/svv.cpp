// SVV_*: tables, columns, schemas and databases as Redshift shows them. Source: Database Developer Guide, "SVV metadata views".
#include "base/text.h"
#include "warehouse/system/declare.h"

namespace redoubt::warehouse::system {

namespace {

Rows svv_tables(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s)) {
    bool table = r->kind == catalog::RelationKind::kTable;
    rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(r->name), text(table ? "BASE TABLE" : "VIEW"),
                    or_null(r->comment)});
  }
  return rows;
}

Rows svv_all_tables(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s)) {
    bool table = r->kind == catalog::RelationKind::kTable;
    rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(r->name), null, text(table ? "TABLE" : "VIEW"),
                    or_null(r->comment), text(s.snapshot->user_name(r->owner))});
  }
  return rows;
}

template <class F>
void each_column(const Source& s, F f) {
  for (auto* r : accessible_relations(s)) {
    int position = 0;
    for (auto& c : r->columns)
      if (!c.dropped) f(*r, c, ++position);
  }
}

Rows svv_columns(const Source& s, const SystemRelation&) {
  Rows rows;
  each_column(s, [&](auto& r, auto& c, int position) {
    rows.push_back({text(s.database_name),
                    text(schema_name(s, r)),
                    text(r.name),
                    text(c.name),
                    number(position),
                    default_text(r, c),
                    yes_no(!c.not_null),
                    text(c.type.base_name()),
                    character_length(c.type),
                    numeric_precision(c.type),
                    numeric_precision(c.type) ? number(2) : null,
                    numeric_scale(c.type),
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    or_null(c.comment)});
  });
  return rows;
}

Rows svv_all_columns(const Source& s, const SystemRelation&) {
  Rows rows;
  each_column(s, [&](auto& r, auto& c, int position) {
    rows.push_back({text(s.database_name), text(schema_name(s, r)), text(r.name), text(c.name), number(position),
                    default_text(r, c), yes_no(!c.not_null), text(c.type.base_name()), character_length(c.type),
                    numeric_precision(c.type), numeric_scale(c.type), or_null(c.comment)});
  });
  return rows;
}

Rows svv_redshift_columns(const Source& s, const SystemRelation&) {
  Rows rows;
  each_column(s, [&](auto& r, auto& c, int position) {
    rows.push_back({text(s.database_name), text(schema_name(s, r)), text(r.name), text(c.name), number(position),
                    text(c.type.format()), default_text(r, c), yes_no(!c.not_null), text(c.encoding), truth(c.distkey),
                    number(c.sortkey_position), acl_text(*s.snapshot, c.acl), or_null(c.comment)});
  });
  return rows;
}

Rows svv_redshift_tables(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s))
    rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(r->name),
                    text(r->kind == catalog::RelationKind::kTable ? "TABLE" : "VIEW"), acl_text(*s.snapshot, r->acl),
                    or_null(r->comment), text(s.snapshot->user_name(r->owner))});
  return rows;
}

template <class F>
void each_schema(const Source& s, F f) {
  for (auto* schema : known_schemas(s))
    if (catalog::owns(s.who, *schema) || catalog::may(s.who, catalog::kUsage, *schema)) f(*schema);
}

Rows svv_all_schemas(const Source& s, const SystemRelation&) {
  Rows rows;
  each_schema(s, [&](auto& schema) {
    rows.push_back({text(s.database_name), text(schema.name), number(schema.owner), text("local"),
                    acl_text(*s.snapshot, schema.acl), null, null});
  });
  return rows;
}

Rows svv_redshift_schemas(const Source& s, const SystemRelation&) {
  Rows rows;
  each_schema(s, [&](auto& schema) {
    rows.push_back(
        {text(s.database_name), text(schema.name), number(schema.owner), text("local"), acl_text(*s.snapshot, schema.acl), null});
  });
  return rows;
}

Rows svv_redshift_databases(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* d : s.snapshot->databases())
    rows.push_back({text(d->name), number(d->owner), text("local"), acl_text(*s.snapshot, d->acl), null, text("Serializable")});
  return rows;
}

Rows svv_table_info(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s)) {
    if (r->kind != catalog::RelationKind::kTable) continue;
    auto size = s.size ? s.size(*r) : std::nullopt;
    auto keys = r->sort_key();
    int longest = 0;
    bool encoded = false;
    for (auto& c : r->columns) {
      if (c.dropped) continue;
      if (c.type.is(sql::TypeKind::kVarchar)) longest = std::max(longest, c.type.length);
      encoded |= c.encoding != "none";
    }
    std::string dist = dist_style_name(*r);
    for (auto& c : r->columns)
      if (!c.dropped && c.distkey) dist = "KEY(" + c.name + ")";
    int64_t megabytes = size ? (size->bytes + 1048575) / 1048576 : 0;
    rows.push_back({text(s.database_name),
                    text(schema_name(s, *r)),
                    number(r->oid),
                    text(r->name),
                    text(encoded ? "Y" : "N"),
                    text(dist),
                    keys.empty() ? text(r->sort_style == catalog::SortStyle::kAuto ? "AUTO(SORTKEY)" : "") : text(keys[0]->name),
                    number(longest),
                    keys.empty() ? null : text(keys[0]->encoding),
                    number(keys.size()),
                    number(megabytes),
                    number(0),
                    null,
                    number(0),
                    number(0),
                    null,
                    null,
                    number(size ? size->rows : 0),
                    null,
                    null,
                    text("N"),
                    number(size ? size->rows : 0),
                    stamp(r->created),
                    null});
  }
  return rows;
}

Rows svv_transactions(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& session : s.sessions())
    if (session.transaction && (s.sees_all || session.user == s.who.user))
      rows.push_back({text(session.user_name), number(session.transaction), number(session.pid), stamp(session.statement_started),
                      text("ExclusiveLock"), text("transactionid"), null, truth(true)});
  return rows;
}

Rows stv_sessions(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& session : s.sessions())
    if (s.sees_all || session.user == s.who.user)
      rows.push_back({stamp(session.started), number(session.pid), text(session.user_name), text(session.database), number(0)});
  return rows;
}

Rows stv_recents(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& session : s.sessions())
    if (!session.statement.empty() && (s.sees_all || session.user == s.who.user))
      rows.push_back({number(session.user), text("Running"), stamp(session.statement_started),
                      number((s.now.us - session.statement_started.us) / 1000000 * 1000000), text(session.user_name),
                      text(session.database), text(session.statement.substr(0, 600)), number(session.pid)});
  return rows;
}

Rows stv_locks(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& lock : s.locks())
    if (s.who.superuser || lock.pid == s.pid)
      rows.push_back({number(lock.relation), null, null, number(lock.pid), number(lock.transaction),
                      text(lock.granted ? "Holding write lock" : "Waiting")});
  return rows;
}

Rows stv_slices(const Source&, const SystemRelation&) {
  Rows rows;
  for (int slice = 0; slice < 4; slice++) rows.push_back({number(slice / 2), number(slice), number(slice % 2), text("D")});
  return rows;
}

}  // namespace

void declare_svv(Relations& out) {
  constexpr std::string_view pg = "pg_catalog";
  constexpr Declared view{.is_view = true};
  add(out, pg, "svv_tables", 0,
      "table_catalog varchar, table_schema varchar, table_name varchar, table_type varchar, remarks varchar", svv_tables, view);
  add(out, pg, "svv_columns", 0,
      "table_catalog varchar, table_schema varchar, table_name varchar, column_name varchar, ordinal_position int4, "
      "column_default varchar(4096), "
      "is_nullable varchar, data_type varchar, character_maximum_length int4, numeric_precision int4, numeric_precision_radix "
      "int4, numeric_scale int4, "
      "datetime_precision int4, interval_type varchar, interval_precision varchar, character_set_catalog varchar, "
      "character_set_schema varchar, "
      "character_set_name varchar, collation_catalog varchar, collation_schema varchar, collation_name varchar, domain_name "
      "varchar, remarks varchar",
      svv_columns, view);
  add(out, pg, "svv_all_tables", 0,
      "database_name varchar, schema_name varchar, table_name varchar, table_acl varchar, table_type varchar, remarks varchar, "
      "owner varchar",
      svv_all_tables, view);
  add(out, pg, "svv_all_columns", 0,
      "database_name varchar, schema_name varchar, table_name varchar, column_name varchar, ordinal_position int4, "
      "column_default varchar(4096), "
      "is_nullable varchar, data_type varchar, character_maximum_length int4, numeric_precision int4, numeric_scale int4, "
      "remarks varchar",
      svv_all_columns, view);
  add(out, pg, "svv_all_schemas", 0,
      "database_name varchar, schema_name varchar, schema_owner int4, schema_type varchar, schema_acl aclitem[], source_database "
      "varchar, "
      "schema_option varchar",
      svv_all_schemas, view);
  add(out, pg, "svv_redshift_databases", 0,
      "database_name varchar, database_owner int4, database_type varchar, database_acl aclitem[], database_options varchar, "
      "database_isolation_level varchar",
      svv_redshift_databases, view);
  add(out, pg, "svv_redshift_schemas", 0,
      "database_name varchar, schema_name varchar, schema_owner int4, schema_type varchar, schema_acl aclitem[], schema_option "
      "varchar",
      svv_redshift_schemas, view);
  add(out, pg, "svv_redshift_tables", 0,
      "database_name varchar, schema_name varchar, table_name varchar, table_type varchar, table_acl aclitem[], remarks varchar, "
      "table_owner varchar",
      svv_redshift_tables, view);
  add(out, pg, "svv_redshift_columns", 0,
      "database_name varchar, schema_name varchar, table_name varchar, column_name varchar, ordinal_position int4, data_type "
      "varchar, "
      "column_default varchar(4096), is_nullable varchar, encoding varchar, distkey bool, sortkey int4, column_acl aclitem[], "
      "remarks varchar",
      svv_redshift_columns, view);
  add(out, pg, "svv_table_info", 0,
      "database text, schema text, table_id oid, table text, encoded text, diststyle text, sortkey1 text, max_varchar int4, "
      "sortkey1_enc bpchar(32), "
      "sortkey_num int4, size int8, pct_used numeric, empty int8, unsorted numeric, stats_off numeric, skew_sortkey1 numeric, "
      "skew_rows numeric, "
      "tbl_rows numeric, estimated_visible_rows_x numeric, risk_event text, vacuum_sort_benefit_x text, estimated_visible_rows "
      "numeric, "
      "create_time timestamp, vacuum_sort_benefit numeric",
      svv_table_info, view);
  add(out, pg, "svv_transactions", 0,
      "txn_owner text, txn_db_xid int8, pid int4, txn_start timestamp, lock_mode text, lockable_object_type text, relation int4, "
      "granted bool",
      svv_transactions, view);
  add(out, pg, "svv_external_schemas", 0,
      "esoid oid, eskind int2, schemaname name, esowner int4, databasename text, esoptions text", no_rows, view);
  add(out, pg, "svv_external_databases", 0, "eskind int4, esoptions text, databasename text, location text, parameters text",
      no_rows, view);
  add(out, pg, "svv_external_tables", 0,
      "redshift_database_name text, schemaname text, tablename text, tabletype text, location text, input_format text, "
      "output_format text, "
      "serialization_lib text, serde_parameters text, compressed int4, parameters text",
      no_rows, view);
  add(out, pg, "svv_external_columns", 0,
      "redshift_database_name text, schemaname text, tablename text, columnname text, external_type text, columnnum int4, "
      "part_key int4, is_nullable text",
      no_rows, view);
  add(out, pg, "svv_external_partitions", 0, "schemaname text, tablename text, values text, location text", no_rows, view);
  add(out, pg, "svv_mv_info", 0,
      "database_name bpchar(128), schema_name bpchar(128), user_name bpchar(128), name bpchar(128), is_stale bpchar(1), "
      "owner_user_name bpchar(128), "
      "state int4, autorewrite bpchar(1), autorefresh bpchar(1)",
      no_rows, view);
  add(out, pg, "svv_datashares", 0,
      "share_name varchar, share_id int4, share_owner int4, source_database varchar, share_type varchar", no_rows, view);
  add(out, pg, "stv_sessions", 0, "starttime timestamp, process int4, user_name bpchar(50), db_name bpchar(50), timeout_sec int4",
      stv_sessions);
  add(out, pg, "stv_recents", 0,
      "userid int4, status bpchar(20), starttime timestamp, duration int8, user_name bpchar(50), db_name bpchar(50), query "
      "bpchar(600), pid int4",
      stv_recents);
  add(out, pg, "stv_locks", 0,
      "table_id int4, last_commit timestamp, last_update timestamp, lock_owner_pid int8, lock_owner int8, lock_status text",
      stv_locks);
  add(out, pg, "stv_slices", 0, "node int4, slice int4, localslice int4, type bpchar(1)", stv_slices);
}

}  // namespace redoubt::warehouse::system
