#pragma once
/// What each utility statement does: one function a statement, over Work. They check rights first, then lock, then read the
/// catalog again and change it. Errors as Redshift words them.
#include "warehouse/session/sql_session.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::session {

// names.cpp: names to objects, with the rights to name them
Result<const catalog::Schema*> find_schema_to_use(Work& work, const std::string& database, const std::string& schema);
/// A relation by name: search path and USAGE as in queries. Errors: kUndefinedTable, kUndefinedSchema, kPermissionDenied.
Result<const catalog::Relation*> find_relation(Work& work, const sql::ObjectName& name);
/// The same, refusing system relations and views with `cannot <verb> a view`.
Result<const catalog::Relation*> find_table(Work& work, const sql::ObjectName& name);
/// Where a new relation goes; makes the temporary schema if need be. CREATE on it is checked (or TEMP), or USAGE together with
/// the system privilege that stands for it: "CREATE TABLE", "CREATE OR REPLACE VIEW".
Result<const catalog::Schema*> creation_schema(Work& work, const sql::ObjectName& name, bool temporary,
                                               std::string_view system_privilege);
std::string display(const sql::ObjectName& name);
Error must_be_owner(std::string_view kind, std::string_view name);
Error permission_denied(std::string_view kind, std::string_view name);
Result<const catalog::User*> find_user(Work& work, std::string_view name);
Result<const catalog::Group*> find_group(Work& work, std::string_view name);
Result<const catalog::Role*> find_role(Work& work, std::string_view name);
Result<const catalog::Database*> find_database(Work& work, std::string_view name);
Result<void> check_new_name(std::string_view kind, std::string_view name);

// databases.cpp
Result<Outcome> create_database(Work& work, const sql::CreateDatabase& command);
Result<Outcome> alter_database(Work& work, const sql::AlterDatabase& command);
Result<Outcome> create_schema(Work& work, const sql::CreateSchema& command);
Result<Outcome> alter_schema(Work& work, const sql::AlterSchema& command);
Result<Outcome> drop(Work& work, const sql::Drop& command);
/// Drops one relation and what hangs on it (cascade); locks are held.
Result<void> drop_relation(Work& work, catalog::Oid relation);

// users.cpp
Result<Outcome> create_user(Work& work, const sql::CreateUser& command);
Result<Outcome> alter_user(Work& work, const sql::AlterUser& command);
Result<Outcome> drop_users(Work& work, const sql::Drop& command);
Result<Outcome> create_group(Work& work, const sql::CreateGroup& command);
Result<Outcome> alter_group(Work& work, const sql::AlterGroup& command);
Result<Outcome> drop_groups(Work& work, const sql::Drop& command);
Result<Outcome> create_role(Work& work, const sql::CreateRole& command);
Result<Outcome> alter_role(Work& work, const sql::AlterRole& command);
Result<Outcome> drop_roles(Work& work, const sql::Drop& command);

// grants.cpp
Result<Outcome> grant(Work& work, const sql::Grant& command);
Result<Outcome> alter_default_privileges(Work& work, const sql::AlterDefaultPrivileges& command);
/// The list a new relation or procedure of this user starts with; nullopt: its kind's default.
std::optional<catalog::Acl> initial_acl(Work& work, catalog::Oid schema,
                                        catalog::AclTarget target = catalog::AclTarget::kRelation);

// policies.cpp
Result<Outcome> create_rls_policy(Work& work, const sql::CreateRlsPolicy& command);
Result<Outcome> alter_rls_policy(Work& work, const sql::AlterRlsPolicy& command);
Result<Outcome> attach_rls_policy(Work& work, const sql::AttachRlsPolicy& command);
Result<Outcome> drop_rls_policies(Work& work, const sql::Drop& command);

// tables.cpp, alter.cpp
Result<Outcome> create_table(Work& work, const sql::CreateTable& command);
Result<Outcome> create_table_as(Work& work, const sql::CreateTableAs& command);
Result<Outcome> create_view(Work& work, const sql::CreateView& command);
Result<Outcome> alter_table(Work& work, const sql::AlterTable& command);
Result<Outcome> truncate(Work& work, const sql::Truncate& command);
Result<Outcome> comment(Work& work, const sql::Comment& command);
Result<Outcome> lock_tables(Work& work, const sql::Lock& command);
Result<Outcome> vacuum(Work& work, const sql::Vacuum& command);
Result<Outcome> analyze_tables(Work& work, const sql::Analyze& command);

// procedures.cpp
Result<Outcome> create_procedure(Work& work, const sql::CreateRoutine& command);
Result<Outcome> alter_procedure(Work& work, const sql::AlterRoutine& command);
Result<Outcome> drop_procedures(Work& work, const sql::Drop& command);
/// The procedure of this name and input types; without a list of types the only one of its name. Errors: kUndefinedFunction
/// `procedure p(integer) does not exist`, kAmbiguousFunction, kPermissionDenied (no USAGE on a schema that was named).
/// Where a procedure of that name is looked for: the path, or the schema that is named, which must be open to the user.
Result<std::vector<const catalog::Schema*>> schemas_to_search(Work& work, const sql::ObjectName& name);
Result<const catalog::Procedure*> find_procedure(Work& work, const sql::RoutineName& name);
/// "p(a integer, INOUT b character varying)", and the same types alone.
std::string describe_procedure(const catalog::Procedure& procedure);
std::string procedure_types(const std::vector<sql::Type>& types);

// transfers.cpp
Result<Outcome> copy(Work& work, const sql::Copy& command);
Result<Outcome> unload(Work& work, const sql::Unload& command);

// settings_commands.cpp
Result<Outcome> set(Work& work, const sql::Set& command);
Result<Outcome> reset(Work& work, const sql::Reset& command);
Result<Outcome> show(Work& work, const sql::Show& command);
Result<Outcome> use(Work& work, const sql::Use& command);
Result<Outcome> discard(Work& work, const sql::Discard& command);

// cursors.cpp
Result<Outcome> prepare(Work& work, const StatementPtr& statement);
Result<Outcome> execute_prepared(Work& work, const sql::Execute& command);
Result<Outcome> deallocate(Work& work, const sql::Deallocate& command);
Result<Outcome> declare_cursor(Work& work, const sql::DeclareCursor& command);
Result<Outcome> fetch(Work& work, const sql::Fetch& command);
Result<Outcome> close_cursor(Work& work, const sql::CloseCursor& command);
Result<Outcome> explain(Work& work, const sql::Explain& command);
Result<Outcome> cancel_session(Work& work, const sql::Cancel& command);

// show_objects.cpp
Result<Outcome> show_objects(Work& work, const sql::ShowObjects& command);
std::vector<secure::plan::Output> show_objects_columns(const sql::ShowObjects& command);

/// CANCEL and pg_terminate_backend: superusers any session, others their own. Errors: kPermissionDenied; an unknown pid is a
/// kUndefinedObject.
Result<void> signal_session(const Facts& facts, int pid, bool terminate);

/// Values of constant expressions, in text: EXECUTE's arguments, a column's DEFAULT. `texts` are SQL expressions.
Result<std::vector<engine::Datum>> evaluate(Work& work, const std::vector<std::string>& texts,
                                            const std::vector<sql::Type>& types);
/// Runs an analyzed SELECT or DML of this session: locks, then the engine.
Result<Outcome> run_plan(Work& work, const secure::plan::Statement& plan, std::span<const engine::Parameter> parameters);

}  // namespace redoubt::warehouse::session
