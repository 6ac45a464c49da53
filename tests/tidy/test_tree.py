"""The tree keeps the rules of rules.py."""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess

import rules

SOURCES = sorted(p for suffix in ("*.h", "*.cpp") for p in (rules.ROOT / "src").rglob(suffix))
TEXTS = {str(p.relative_to(rules.ROOT)): p.read_text() for p in SOURCES}
ROOMS = rules.read_layers((rules.ROOT / "layers.txt").read_text())
GENERATED_ROOMS = {"api"}  # their headers come from tools/ at build time


def tracked():
    """Every text file of the repository."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=rules.ROOT, capture_output=True)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:  # an export without its history
        names = [str(p.relative_to(rules.ROOT)) for p in rules.ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith((".git/", "build/", ".deps/", ".redoubt/"))]
    for name in sorted(n for n in names if n):
        try:
            yield name, (rules.ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def none(found):
    found = list(found)
    assert not found, "\n" + "\n".join(found)


def test_layers_point_up():
    none(rules.wrong_layers(ROOMS))


def test_every_include_follows_the_layers():
    none(w for path, text in TEXTS.items() for w in rules.wrong_includes(path, text, ROOMS))


def test_included_files_exist():
    none(f"{path}: {name} doesn't exist" for path, text in TEXTS.items() for name in rules.includes(text)
         if name.startswith('"') and "src/" + name[1:-1] not in TEXTS and rules.room_of(name[1:-1], ROOMS) not in GENERATED_ROOMS)


def test_every_header_is_included():
    used = {"src/" + name[1:-1] for text in TEXTS.values() for name in rules.includes(text) if name.startswith('"')}
    none(f"{path}: nobody includes it" for path in TEXTS if path.endswith(".h") and path not in used)


def test_hazards_stay_behind_their_doors():
    none(w for path, text in TEXTS.items() for w in rules.wrong_hazards(path, text))


def test_every_header_has_a_guard_and_a_manual():
    none(f"{path}: must begin with #pragma once and a /// comment" for path, text in TEXTS.items()
         if path.endswith(".h") and not text.startswith("#pragma once\n///"))


def test_every_room_has_a_readme():
    none(f"src/{room} has no README.md" for room in ROOMS
         if any(t.startswith(f"src/{room}/") for t in TEXTS) and not (rules.ROOT / "src" / room / "README.md").exists())


def test_nothing_is_promised_for_later():
    none(w for path, text in tracked() for w in rules.promises(path, text))


def test_no_machine_is_named():
    none(w for path, text in tracked() for w in rules.machine_names(path, text))


def test_files_are_one_idea():
    allowed = {}
    for line in (rules.ROOT / "tests/tidy/long_files.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            path, _, reason = line.partition(":")
            assert reason.strip(), f"{path} needs a reason"
            assert path in TEXTS, f"{path} is gone: take it off tests/tidy/long_files.txt"
            allowed[path] = reason
    none(w for path, text in TEXTS.items() for w in rules.too_long(path, text, allowed))


def test_formatting():
    names = list(TEXTS)
    found = []
    for i in range(0, len(names), 50):
        done = subprocess.run(["clang-format-19", "--dry-run", "--ferror-limit=1", *names[i:i + 50]], cwd=rules.ROOT, capture_output=True, text=True)
        found += [line for line in done.stderr.splitlines() if "warning:" in line or "error:" in line]
    none(found)


def test_every_header_compiles_alone():
    """A header that a source includes first has been compiled alone by that source's build; the others are read by themselves."""
    build = next((b for b in (rules.ROOT / "build/release", rules.ROOT / "build/debug") if (b / "gen/api").exists()), None)
    assert build, "no build has the generated headers: scripts/test makes it"
    flags = {}  # room -> how its sources are compiled
    for entry in json.loads((build / "compile_commands.json").read_text()):
        room = rules.room_of(str(pathlib.Path(entry["file"]).relative_to(rules.ROOT)), ROOMS)
        words = [w for w in shlex.split(entry["command"]) if not w.endswith("ccache")]
        flags.setdefault(room, words[:words.index("-o")])
    left = rules.headers_to_compile(TEXTS)
    assert left

    def compile_alone(path):
        done = subprocess.run([*flags[rules.room_of(path, ROOMS)], "-fsyntax-only", "-x", "c++", "-"], input=f'#include "{path.removeprefix("src/")}"\n',
                              capture_output=True, text=True, cwd=build)
        return "" if done.returncode == 0 else f"{path} doesn't compile alone:\n{done.stderr[:2000]}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        none(wrong for wrong in pool.map(compile_alone, left) if wrong)
