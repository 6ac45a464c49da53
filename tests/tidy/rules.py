"""The house rules that a program can check. Each takes a file's path below the repository and its text, and yields what is wrong."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")', re.M)

# Hazards and the only places that may touch them: what to look for, where it may stand, why not elsewhere.
GUARDED = [
    (re.compile(r'#\s*include\s*[<"]duckdb'), r"^src/warehouse/engine/duckdb/", "DuckDB stays behind warehouse/engine"),
    (re.compile(r'#\s*include\s*<openssl/'), r"^src/(base/crypto[^/]*|net/[^/]+|server/[^/]+|.*_test\.cpp)$", "OpenSSL stays in base/crypto, net and server"),
    (re.compile(r'#\s*include\s*<boost/asio'), r"^src/(net|server|warehouse/wire)/", "Asio stays in net, server and warehouse/wire"),
    (re.compile(r'#\s*include\s*<sqlite3'), r"^src/meta/", "SQLite stays in meta"),
    (re.compile(r"\bsystem_clock\b|\bgettimeofday\b|\bCLOCK_REALTIME\b"), r"^src/base/clock\.cpp$", "the time comes from a Clock"),
    (re.compile(r'#\s*include\s*<regex>|\bstd::regex'), r"^$", "std::regex backtracks; use RE2"),
    (re.compile(r"\bstd::random_device\b|\bstd::mt19937|[^_:\w]s?rand\s*\("), r"^src/base/|_test|^src/api/random_value\.h$", "randomness comes from base/ids and base/crypto"),
]
PROMISE = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
# Names of one machine or of a mirror have no place in a repository.
MACHINE = re.compile(r"/ro" r"ot/|/wo" r"rk/|/tmp/" r"w/|\.int" r"ernal\b|deb\.deb" r"ian\.org")
LINES_MAX = 700


def headers_to_compile(texts):
    """The headers that no source of a release build includes before anything else. texts: path -> text."""
    first = {"src/" + names[0][1:-1] for path, text in texts.items()
             if path.endswith(".cpp") and not path.endswith(("_fuzz.cpp", "_bench.cpp")) and (names := includes(text))}
    return sorted(path for path in texts if path.endswith(".h") and path not in first)


def read_layers(text):
    """room -> the rooms that it may include; the order of the file is kept."""
    rooms = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            room, _, needs = line.partition(":")
            rooms[room] = needs.split()
    return rooms


def room_of(path, rooms):
    """The room of src/a/b/c.h or of the include "a/b/c.h"; None outside of all rooms."""
    parts = path.removeprefix("src/").split("/")
    for n in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:n]) in rooms:
            return "/".join(parts[:n])
    return None


def includes(text):
    return [m.group(1) for m in INCLUDE.finditer(text)]


def wrong_layers(rooms):
    above = set()
    for room, needs in rooms.items():
        for need in needs:
            if need not in above:
                yield f"layers.txt: {room} may not lean on {need}, which doesn't stand above it"
        above.add(room)


def wrong_includes(path, text, rooms):
    room = room_of(path, rooms)
    if room is None:
        yield f"{path}: belongs to no room of layers.txt"
        return
    for name in includes(text):
        if name.startswith("<"):
            continue
        to = room_of(name[1:-1], rooms)
        if to is None:
            yield f"{path}: {name} is no file of a room (name files from src/ on)"
        elif to != room and to not in rooms[room]:
            yield f"{path}: {room} may not include {to} ({name})"


def wrong_hazards(path, text):
    code = re.sub(r"//[^\n]*", "", text)
    for pattern, where, why in GUARDED:
        if pattern.search(code) and not re.search(where, path):
            yield f"{path}: {why} ({pattern.search(code).group(0).strip()})"


def promises(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if PROMISE.search(line):
            yield f"{path}:{number}: promises later work: build it, or let it err by name"


def machine_names(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE.search(line):
            yield f"{path}:{number}: names a machine's own path or host: {MACHINE.search(line).group(0)}"


def too_long(path, text, allowed):
    lines = text.count("\n")
    if lines > LINES_MAX and path not in allowed:
        yield f"{path}: {lines} lines; one idea a file, or a reason in tests/tidy/long_files.txt"
