// STL_* over the cluster's log, and the SYS_* views that read the same rows. Users see their own, superusers and users with
// SYSLOG ACCESS UNRESTRICTED everybody's.
#include <algorithm>

#include "base/text.h"
#include "warehouse/system/declare.h"
#include "warehouse/system/log.h"

namespace redoubt::warehouse::system {

namespace {

Rows visible(const Source& s, std::string_view table) {
  Rows rows = s.log->rows(table);
  if (!s.sees_all) std::erase_if(rows, [me = std::to_string(s.who.user)](auto& row) { return row[0] != me; });
  return rows;
}

Rows of_log(const Source& s, const SystemRelation& relation) { return visible(s, relation.name); }

/// Column of a log by name.
size_t at(std::string_view table, std::string_view column) {
  auto& columns = find_log_table(table)->columns;
  return size_t(std::find_if(columns.begin(), columns.end(), [&](auto& c) { return c.name == column; }) - columns.begin());
}

Rows sys_load_error_detail(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : visible(s, "stl_load_errors")) {
    auto get = [&](std::string_view name) { return r[at("stl_load_errors", name)]; };
    rows.push_back({get("userid"), get("query"), get("tbl"), null, text(s.database_name), get("session"), get("starttime"),
                    get("filename"), get("line_number"), get("colname"), get("type"), get("col_length"), get("position"),
                    get("err_code"), get("err_reason"), get("copy_job_id")});
  }
  return rows;
}

Rows sys_query_history(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : visible(s, "stl_query")) {
    auto get = [&](std::string_view name) { return r[at("stl_query", name)]; };
    rows.push_back({get("userid"), get("query"), get("label"), get("xid"), get("pid"), get("database"), null,
                    text(get("aborted") == "1" ? "failed" : "success"), get("starttime"), get("endtime"), get("querytxt")});
  }
  return rows;
}

Rows sys_connection_log(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : visible(s, "stl_connection_log")) {
    auto get = [&](std::string_view name) { return r[at("stl_connection_log", name)]; };
    rows.push_back({get("event"), get("recordtime"), get("remotehost"), get("remoteport"), get("pid"), get("dbname"),
                    get("username"), get("authmethod"), get("duration"), get("application_name")});
  }
  return rows;
}

Rows svl_qlog(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : visible(s, "stl_query")) {
    auto get = [&](std::string_view name) { return r[at("stl_query", name)]; };
    Datum short_text = get("querytxt") ? Datum(get("querytxt")->substr(0, 60)) : null;
    rows.push_back({get("userid"), get("query"), get("xid"), get("pid"), get("starttime"), get("endtime"), number(0),
                    get("aborted"), get("label"), short_text, null, null});
  }
  return rows;
}

}  // namespace

void declare_logs(Relations& out) {
  constexpr std::string_view pg = "pg_catalog";
  for (auto& table : log_tables()) {
    if (table.name.starts_with('_')) continue;  // shown through a view
    out.push_back(
        {pg, table.name, 0, table.columns, table.name == "stl_userlog" || table.name == "stl_connection_log", false, of_log});
  }
  add(out, pg, "stl_loaderror_detail", 0,
      "userid int4, slice int4, session int4, query int4, filename bpchar(256), line_number int8, field int4, colname "
      "bpchar(1024), value bpchar(1024), "
      "is_null int4, type bpchar(10), col_length bpchar(10)",
      no_rows);
  add(out, pg, "stl_replacements", 0,
      "userid int4, query int4, slice int4, tbl int4, starttime timestamp, session int4, filename bpchar(256), line_number int8, "
      "colname bpchar(127), "
      "raw_line bpchar(1024)",
      no_rows);
  add(out, pg, "sys_load_error_detail", 0,
      "user_id int4, query_id int8, table_id int4, transaction_id int8, database_name bpchar(128), session_id int4, start_time "
      "timestamp, "
      "file_name bpchar(256), line_number int8, column_name bpchar(127), column_type bpchar(10), column_length bpchar(10), "
      "position int4, "
      "error_code int4, error_message bpchar(512), copy_job_id int8",
      sys_load_error_detail, {.is_view = true});
  add(out, pg, "sys_query_history", 0,
      "user_id int4, query_id int8, query_label bpchar(320), transaction_id int8, session_id int4, database_name bpchar(128), "
      "query_type bpchar(32), "
      "status bpchar(10), start_time timestamp, end_time timestamp, query_text bpchar(4000)",
      sys_query_history, {.is_view = true});
  add(out, pg, "sys_query_detail", 0,
      "user_id int4, query_id int8, step_name bpchar(30), table_id int4, table_name bpchar(136), start_time timestamp, end_time "
      "timestamp",
      no_rows, {.is_view = true});
  add(out, pg, "sys_connection_log", 0,
      "event bpchar(50), record_time timestamp, remote_host bpchar(45), remote_port bpchar(32), session_id int4, database_name "
      "bpchar(50), "
      "user_name bpchar(50), auth_method bpchar(32), duration int8, application_name bpchar(250)",
      sys_connection_log, {.superuser_only = true, .is_view = true});
  add(out, pg, "svl_qlog", 0,
      "userid int4, query int4, xid int8, pid int4, starttime timestamp, endtime timestamp, elapsed int8, aborted int4, label "
      "bpchar(320), "
      "substring bpchar(60), source_query int4, concurrency_scaling_status_txt text",
      svl_qlog, {.is_view = true});
}

}  // namespace redoubt::warehouse::system
