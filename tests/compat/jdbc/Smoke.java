import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

/**
 * One JDBC driver against one cluster, for tests/compat/test_jdbc.py: every check prints a line, "ok NAME" or "FAILED NAME why".
 * usage: java -cp DRIVER.jar Smoke.java URL USER PASSWORD, URL without options; the driver is known from its scheme.
 */
public class Smoke {
    interface Check {
        void run() throws Exception;
    }

    static String url, user, password;
    static boolean redshift;

    static Connection connect(String... more) throws SQLException {
        Properties p = new Properties();
        p.setProperty("user", user);
        p.setProperty("password", password);
        p.setProperty("ssl", "true");
        p.setProperty("sslmode", "verify-full");
        p.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
        for (int i = 0; i < more.length; i += 2) p.setProperty(more[i], more[i + 1]);
        return DriverManager.getConnection(url, p);
    }

    static void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable e) {
            String why = e.toString().replace("\n", " / ");
            StackTraceElement at = Arrays.stream(e.getStackTrace()).filter(f -> "Smoke.java".equals(f.getFileName())).findFirst().orElse(null);
            System.out.println("FAILED " + name + " " + why + (at == null ? "" : " at line " + at.getLineNumber()));
        }
    }

    static void equal(Object expected, Object got) {
        if (!Objects.equals(expected, got)) throw new AssertionError("expected " + expected + ", got " + got);
    }

    static SQLException refused(String sqlstate, Check check) throws Exception {
        try {
            check.run();
        } catch (SQLException e) {
            equal(sqlstate, e.getSQLState());
            return e;
        }
        throw new AssertionError("not refused");
    }

    static List<List<Object>> rows(ResultSet r, String... columns) throws SQLException {
        List<List<Object>> out = new ArrayList<>();
        while (r.next()) {
            List<Object> row = new ArrayList<>();
            for (String c : columns) row.add(r.getObject(c));
            out.add(row);
        }
        r.close();
        return out;
    }

    static Object one(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
            r.next();
            return r.getObject(1);
        }
    }

    public static void main(String[] args) throws Exception {
        url = args[0];
        user = args[1];
        password = args[2];
        redshift = url.startsWith("jdbc:redshift:");
        Connection c = connect();
        Statement s = c.createStatement();

        check("connection", () -> {
            DatabaseMetaData m = c.getMetaData();
            equal(redshift ? "Redshift" : "PostgreSQL", m.getDatabaseProductName());
            if (!m.getDatabaseProductVersion().startsWith("8.0.2")) throw new AssertionError(m.getDatabaseProductVersion());
            equal("dev", c.getCatalog());
            equal("public", c.getSchema());
            equal(true, c.isValid(10));
            equal(user, one(c, "select current_user"));
        });
        s.execute("create schema jm");
        s.execute("create table jm.parent (a int not null, b varchar(10) not null, c decimal(12,3), primary key (a, b)) sortkey (a)");
        s.execute("create table jm.child (id bigint identity(1,1), a int, b varchar(10), t timestamp, foreign key (a, b) references jm.parent (a, b))");
        s.execute("create view jm.view1 as select a, c from jm.parent");
        DatabaseMetaData m = c.getMetaData();
        check("getSchemas", () -> {
            List<List<Object>> got = rows(m.getSchemas(), "TABLE_SCHEM");
            if (!got.contains(List.of("jm")) || !got.contains(List.of("public"))) throw new AssertionError(got);
            equal(List.of(List.of("jm")), rows(m.getSchemas(redshift ? "dev" : null, "j%"), "TABLE_SCHEM"));
        });
        check("getCatalogs", () -> equal(List.of(List.of("dev")), rows(m.getCatalogs(), "TABLE_CAT")));
        check("getTables", () -> {
            List<List<Object>> got = rows(m.getTables(null, "jm", "%", new String[] {"TABLE", "VIEW"}), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE");
            got.sort(Comparator.comparing(Object::toString));
            equal(List.of(List.of("jm", "child", "TABLE"), List.of("jm", "parent", "TABLE"), List.of("jm", "view1", "VIEW")), got);
            equal(List.of(List.of("view1")), rows(m.getTables(null, "jm", "%", new String[] {"VIEW"}), "TABLE_NAME"));
            equal(List.of(), rows(m.getTables(null, "jm", "nothing", new String[] {"TABLE"}), "TABLE_NAME"));
        });
        check("getColumns", () -> {
            equal(List.of(List.of("a", Types.INTEGER, 10, 0, 1, "NO"), List.of("b", Types.VARCHAR, 10, 0, 2, "NO"),
                          List.of("c", Types.NUMERIC, 12, 3, 3, "YES")),
                  rows(m.getColumns(null, "jm", "parent", "%"), "COLUMN_NAME", "DATA_TYPE", "COLUMN_SIZE", "DECIMAL_DIGITS", "ORDINAL_POSITION",
                       "IS_NULLABLE"));
            ResultSet r = m.getColumns(null, "jm", "child", "id");
            equal(true, r.next());
            if (redshift) equal("YES", r.getString("IS_AUTOINCREMENT"));
        });
        check("getPrimaryKeys", () -> {
            if (!redshift) {  // PostgreSQL's driver asks with a function that Redshift hasn't
                refused("42883", () -> m.getPrimaryKeys(null, "jm", "parent"));
                return;
            }
            List<List<Object>> got = new ArrayList<>();
            ResultSet r = m.getPrimaryKeys(null, "jm", "parent");
            while (r.next()) got.add(List.of(r.getString("COLUMN_NAME"), r.getInt("KEY_SEQ"), r.getString("PK_NAME")));
            equal(List.of(List.of("a", 1, "parent_pkey"), List.of("b", 2, "parent_pkey")), got);
        });
        check("getImportedKeys", () -> {
            List<List<Object>> got = new ArrayList<>();
            ResultSet r = m.getImportedKeys(null, "jm", "child");
            while (r.next()) got.add(List.of(r.getString("PKTABLE_NAME"), r.getString("PKCOLUMN_NAME"), r.getString("FKCOLUMN_NAME"), r.getInt("KEY_SEQ")));
            equal(List.of(List.of("parent", "a", "a", 1), List.of("parent", "b", "b", 2)), got);
        });
        check("getExportedKeys", () -> {
            int n = 0;
            ResultSet r = m.getExportedKeys(null, "jm", "parent");
            while (r.next()) n++;
            equal(2, n);
        });
        check("getCrossReference", () -> {
            int n = 0;
            ResultSet r = m.getCrossReference(null, "jm", "parent", null, "jm", "child");
            while (r.next()) n++;
            equal(2, n);
        });
        check("getTypeInfo", () -> {
            Set<String> names = new HashSet<>();
            ResultSet r = m.getTypeInfo();
            while (r.next()) names.add(r.getString("TYPE_NAME"));
            for (String t : List.of("int4", "varchar", "numeric", "timestamp"))
                if (!names.contains(t)) throw new AssertionError(t + " is not in " + names);
        });
        check("getTablePrivileges", () -> {
            Set<String> got = new TreeSet<>();
            ResultSet r = m.getTablePrivileges(null, "jm", "parent");
            while (r.next()) got.add(r.getString("PRIVILEGE"));
            if (!got.containsAll(List.of("SELECT", "INSERT", "UPDATE", "DELETE"))) throw new AssertionError(got);
        });
        check("other metadata", () -> {
            m.getTableTypes().close();
            m.getProcedures(null, "jm", "%").close();
            m.getFunctions(null, "jm", "%").close();
            if (redshift) {
                m.getIndexInfo(null, "jm", "parent", false, false).close();
                m.getBestRowIdentifier(null, "jm", "parent", DatabaseMetaData.bestRowSession, true).close();
            }
            m.getColumnPrivileges(null, "jm", "parent", "%").close();
            m.getMaxColumnNameLength();
            m.getUDTs(null, "jm", "%", null).close();
        });

        s.execute("create table jm.types (i2 smallint, i4 int, i8 bigint, n decimal(20,4), f4 real, f8 double precision, b boolean, c char(4),"
                  + " v varchar(20), d date, t time, ts timestamp, tz timestamptz, s super, x varbyte(8), n38 decimal(38,10))");
        String insert = "insert into jm.types values (?,?,?,?,?,?,?,?,?,?,?,?,?,json_parse(?),?,?)";
        Timestamp ts = Timestamp.valueOf("2024-02-29 23:59:58.123456");
        check("a parameter of each type", () -> {
            try (PreparedStatement p = c.prepareStatement(insert)) {
                p.setShort(1, (short) -5);
                p.setInt(2, 1 << 30);
                p.setLong(3, 1L << 60);
                p.setBigDecimal(4, new BigDecimal("-1234.5678"));
                p.setFloat(5, 1.5f);
                p.setDouble(6, -2.25e100);
                p.setBoolean(7, true);
                p.setString(8, "ab");
                p.setString(9, "it's \\ \u00e9");
                p.setDate(10, java.sql.Date.valueOf("2024-02-29"));
                p.setTime(11, Time.valueOf("12:34:56"));
                p.setTimestamp(12, ts);
                p.setTimestamp(13, ts);
                p.setString(14, "{\"k\": [1, null]}");
                p.setBytes(15, new byte[] {0, 1, (byte) 255});
                p.setBigDecimal(16, new BigDecimal("1234567890123456789012345678.0123456789"));
                equal(1, p.executeUpdate());
                for (int i = 1; i <= 16; i++) p.setNull(i, Types.NULL);
                equal(1, p.executeUpdate());
            }
        });
        // The first runs get text, later ones binary.
        check("a result of each type", () -> {
            try (PreparedStatement p = c.prepareStatement("select * from jm.types where i2 is not null")) {
                for (int run = 0; run < 8; run++) {
                    ResultSet r = p.executeQuery();
                    equal(true, r.next());
                    equal((short) -5, r.getShort(1));
                    equal(1 << 30, r.getInt(2));
                    equal(1L << 60, r.getLong(3));
                    equal(new BigDecimal("-1234.5678"), r.getBigDecimal(4));
                    equal(1.5f, r.getFloat(5));
                    equal(-2.25e100, r.getDouble(6));
                    equal(true, r.getBoolean(7));
                    equal("ab  ", r.getString(8));
                    equal("it's \\ \u00e9", r.getString(9));
                    equal(java.sql.Date.valueOf("2024-02-29"), r.getDate(10));
                    equal(Time.valueOf("12:34:56"), r.getTime(11));
                    equal(ts, r.getTimestamp(12));
                    equal(ts, r.getTimestamp(13));
                    equal("{\"k\":[1,null]}", r.getString(14));
                    equal(new BigDecimal("1234567890123456789012345678.0123456789"), r.getBigDecimal(16));
                    equal(false, r.next());
                }
            }
        });
        check("NULL of each type", () -> {
            try (PreparedStatement p = c.prepareStatement("select * from jm.types where i2 is null")) {
                for (int run = 0; run < 8; run++) {
                    ResultSet r = p.executeQuery();
                    equal(true, r.next());
                    for (int i = 1; i <= 16; i++) equal(null, r.getObject(i));
                }
            }
        });
        check("ResultSetMetaData", () -> {
            try (PreparedStatement p = c.prepareStatement("select a, b, c, a + 1 as next from jm.parent")) {
                ResultSetMetaData md = p.getMetaData();
                equal(4, md.getColumnCount());
                equal(Types.INTEGER, md.getColumnType(1));
                equal(Types.NUMERIC, md.getColumnType(3));
                equal(12, md.getPrecision(3));
                equal(3, md.getScale(3));
                equal("next", md.getColumnLabel(4));
                equal(ResultSetMetaData.columnNoNulls, md.isNullable(1));
                if (redshift) {
                    equal("parent", md.getTableName(1));
                    equal("jm", md.getSchemaName(1));
                }
            }
        });
        check("ParameterMetaData", () -> {
            try (PreparedStatement p = c.prepareStatement("select * from jm.parent where a = ? and b = ?")) {
                ParameterMetaData pm = p.getParameterMetaData();
                equal(2, pm.getParameterCount());
                equal(Types.INTEGER, pm.getParameterType(1));
            }
        });
        check("decimals keep their digits", () -> {
            try (PreparedStatement p = c.prepareStatement("select ?, c from jm.parent where c = ?")) {
                s.execute("insert into jm.parent values (100, 'd', 1.125)");
                for (int run = 0; run < 8; run++) {
                    p.setBigDecimal(1, new BigDecimal("1.50"));
                    p.setBigDecimal(2, new BigDecimal("1.125"));
                    ResultSet r = p.executeQuery();
                    equal(true, r.next());
                    equal(0, new BigDecimal("1.5").compareTo(r.getBigDecimal(1)));
                    equal(new BigDecimal("1.125"), r.getBigDecimal(2));
                }
                s.execute("delete from jm.parent where a = 100");
            }
        });
        check("batch", () -> {
            try (PreparedStatement p = c.prepareStatement("insert into jm.parent values (?, ?, ?)")) {
                for (int i = 0; i < 50; i++) {
                    p.setInt(1, i);
                    p.setString(2, "b" + i);
                    p.setBigDecimal(3, new BigDecimal(i + ".125"));
                    p.addBatch();
                }
                equal(50, Arrays.stream(p.executeBatch()).sum());
            }
            equal(new BigDecimal("1231.250"), one(c, "select sum(c) from jm.parent"));
            Statement b = c.createStatement();
            b.addBatch("insert into jm.parent values (98, 'x', null)");
            b.addBatch("delete from jm.parent where a = 98");
            equal(List.of(1, 1), Arrays.stream(b.executeBatch()).boxed().toList());
        });
        check("a batch that fails names its element", () -> {
            try (PreparedStatement p = c.prepareStatement("insert into jm.parent values (?, ?, null)")) {
                p.setInt(1, 1);
                p.setString(2, "fits");
                p.addBatch();
                p.setString(2, "is much too long");
                p.addBatch();
                try {
                    p.executeBatch();
                    throw new AssertionError("not refused");
                } catch (BatchUpdateException e) {
                    equal("22001", e.getSQLState());
                }
            }
            equal(0L, one(c, "select count(*) from jm.parent where b = 'fits'"));
        });
        check("two statements in one text", () -> {
            Statement two = c.createStatement();
            equal(true, two.execute("select 1; select 2"));
            two.getResultSet().next();
            equal(true, two.getMoreResults());
            ResultSet r = two.getResultSet();
            r.next();
            equal(2, r.getInt(1));
        });
        check("maxRows and fetchSize", () -> {
            Statement few = c.createStatement();
            few.setMaxRows(7);
            equal(7, rows(few.executeQuery("select a from jm.parent"), "a").size());
            c.setAutoCommit(false);
            Statement some = c.createStatement();
            some.setFetchSize(10);
            equal(50, rows(some.executeQuery("select a from jm.parent"), "a").size());
            c.commit();
            c.setAutoCommit(true);
        });
        check("transactions", () -> {
            c.setAutoCommit(false);
            s.execute("insert into jm.parent values (1000, 'tx', null)");
            c.rollback();
            equal(0L, one(c, "select count(*) from jm.parent where a = 1000"));
            s.execute("insert into jm.parent values (1001, 'tx', null)");
            c.commit();
            refused("42P01", () -> s.execute("select * from jm.nothing"));
            refused("25P02", () -> s.execute("select 1"));
            c.rollback();
            c.setAutoCommit(true);
            equal(1L, one(c, "select count(*) from jm.parent where a = 1001"));
            c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            equal(Connection.TRANSACTION_SERIALIZABLE, c.getTransactionIsolation());
        });
        check("savepoints are refused by name", () -> {
            c.setAutoCommit(false);
            SQLException e = refused("0A000", () -> c.setSavepoint("one"));
            if (!e.getMessage().contains("SAVEPOINT")) throw new AssertionError(e.getMessage());
            c.rollback();
            c.setAutoCommit(true);
        });
        check("read only", () -> {
            Connection r = connect();
            r.setReadOnly(true);
            if (!redshift) r.setAutoCommit(false);  // PostgreSQL's driver says it with BEGIN
            equal(1L, one(r, "select count(*) from jm.parent where a = 1"));
            refused("25006", () -> r.createStatement().execute("insert into jm.parent values (1, 'r', null)"));
            r.close();
        });
        check("errors carry SQLSTATE and text", () -> {
            equal(true, refused("42601", () -> s.execute("selec 1")).getMessage().contains("syntax error"));
            equal(true, refused("42703", () -> s.execute("select zz from jm.parent")).getMessage().contains("column \"zz\" does not exist"));
            refused("22012", () -> s.execute("select 1/0"));
            refused("22P02", () -> s.execute("select 'x'::int"));
            refused("42P07", () -> s.execute("create table jm.parent (a int)"));
            refused("23502", () -> s.execute("insert into jm.parent values (null, 'x', 1)"));
        });
        String slow = "select count(*) from jm.parent a, jm.parent b, jm.parent c, jm.parent d, jm.parent e, jm.parent f"
                      + " where a.c + b.c * c.c + d.c - e.c * f.c = 0.5";
        check("a query timeout cancels", () -> {
            Statement q = c.createStatement();
            q.setQueryTimeout(1);
            refused("57014", () -> q.executeQuery(slow));
            equal(1, one(c, "select 1"));
        });
        check("cancel from another thread", () -> {
            Statement q = c.createStatement();
            CompletableFuture<String> state = CompletableFuture.supplyAsync(() -> {
                try {
                    q.executeQuery(slow);
                    return "finished";
                } catch (SQLException e) {
                    return e.getSQLState();
                }
            });
            // Again until it bites: a cancel that comes before the statement has begun is lost, by the protocol's nature.
            while (!state.isDone()) {
                q.cancel();
                try {
                    state.get(50, TimeUnit.MILLISECONDS);
                } catch (TimeoutException stillRuns) {
                }
            }
            equal("57014", state.get());
            equal(1, one(c, "select 1"));
        });
        check("a result set closed early", () -> {
            Statement q = c.createStatement();
            q.setFetchSize(5);
            ResultSet r = q.executeQuery("select a.a from jm.parent a, jm.parent b");
            r.next();
            r.close();
            equal(1, one(c, "select 1"));
        });
        check("setSchema", () -> {
            Connection other = connect();
            other.setSchema("jm");
            equal("jm", other.getSchema());
            equal(51L, one(other, "select count(*) from parent"));
            other.close();
        });
        check("sign-on errors", () -> {
            refused("28000", () -> DriverManager.getConnection(url + "?ssl=false", user, "wrong"));
            SQLException known = refused("28000", () -> DriverManager.getConnection(url + "?ssl=false", user, "Wrong1234"));
            SQLException unknown = refused("28000", () -> DriverManager.getConnection(url + "?ssl=false", "nobody", "Wrong1234"));
            equal(known.getMessage().replace(user, "X"), unknown.getMessage().replace("nobody", "X"));
        });
        check("drop", () -> s.execute("drop schema jm cascade"));
        c.close();
    }
}
