"""The rules find what they are for: each gets one thing to find and one to leave alone."""
import rules

ROOMS = rules.read_layers("# comment\nbase:\nnet: base\nwarehouse/sql: base\nwarehouse/wire: base net warehouse/sql\n")


def test_layers_are_read():
    assert ROOMS["warehouse/wire"] == ["base", "net", "warehouse/sql"]
    assert rules.room_of("src/warehouse/sql/x/y.cpp", ROOMS) == "warehouse/sql"
    assert rules.room_of("warehouse/ast.h", ROOMS) is None


def test_arrows_point_up():
    assert not list(rules.wrong_layers(ROOMS))
    assert list(rules.wrong_layers(rules.read_layers("a: b\nb:\n")))


def test_includes_follow_the_arrows():
    assert not list(rules.wrong_includes("src/warehouse/wire/a.cpp", '#include <map>\n#include "net/b.h"\n#include "warehouse/wire/a.h"', ROOMS))
    assert list(rules.wrong_includes("src/net/a.cpp", '  #  include "warehouse/sql/b.h"', ROOMS))
    assert list(rules.wrong_includes("src/net/a.cpp", '#include "b.h"', ROOMS))
    assert list(rules.wrong_includes("src/elsewhere/a.cpp", "", ROOMS))


def test_hazards_stay_where_they_are():
    assert not list(rules.wrong_hazards("src/meta/store.cpp", "#include <sqlite3.h>"))
    assert not list(rules.wrong_hazards("src/base/crypto_hash.cpp", "#include <openssl/evp.h>"))
    assert not list(rules.wrong_hazards("src/base/a.cpp", "// std::regex is slow"))
    for path, text in [("src/objects/a.cpp", "#include <sqlite3.h>"), ("src/base/a.cpp", "#include <openssl/evp.h>"),
                       ("src/warehouse/engine/a.cpp", '#include "duckdb.hpp"'), ("src/api/a.cpp", "#include <boost/asio.hpp>"),
                       ("src/base/text.cpp", "std::chrono::system_clock::now()"), ("src/base/a.cpp", "std::regex r;"),
                       ("src/keys/a.cpp", "int i = rand();")]:
        assert list(rules.wrong_hazards(path, text)), (path, text)


def test_promises_and_machines_are_found():
    assert list(rules.promises("a", "// TO" "DO: later"))
    assert not list(rules.promises("a", "todos"))
    assert list(rules.machine_names("a", "see /wo" "rk/x"))
    assert not list(rules.machine_names("a", "https://docs.aws.amazon.com/home"))


def test_long_files_need_a_reason():
    assert list(rules.too_long("a", "\n" * 701, {}))
    assert not list(rules.too_long("a", "\n" * 701, {"a": "a table"}))
    assert not list(rules.too_long("a", "\n" * 700, {}))


def test_headers_that_stand_first_are_compiled_by_their_sources():
    texts = {"src/a/a.h": "", "src/a/b.h": "", "src/a/c.h": "", "src/a/a.cpp": '#include "a/a.h"\n#include "a/b.h"', "src/a/c_fuzz.cpp": '#include "a/c.h"'}
    assert rules.headers_to_compile(texts) == ["src/a/b.h", "src/a/c.h"]
