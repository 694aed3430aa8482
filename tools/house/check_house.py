#!/usr/bin/env python3
"""Checks what the house style can check by reading files; run by the tests. Prints every breach, exits 1 if any.

Standard library only. The rules stand in CONTRIBUTING.md; the staircase in layers.toml.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("proto", "core", "rpc", "gateway", "tools", "tests")
TOP_LEVEL = {
    "CMakeLists.txt", "proto", "rpc", "gateway", "core", "tests", "tools", "README.md",
    "docs", "cmake", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "CMakePresets.json",
}
LINES_MAX = {".c": 900, ".h": 300, ".py": 900}
BANNED_CALLS = {"strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "gets", "rand", "srand",
                "localtime", "gmtime", "setenv", "putenv", "usleep", "alloca", "system", "popen"}
CALL = re.compile(r"(?<![\w.>])\b(\w+)\s*\(")
BANNED_NAMES = ("util", "utils", "common", "misc", "manager", "impl", "helper", "helpers")

# Tables whose every row somebody must use: the table, how a row's name is written in code, and the files that
# only carry the table itself.
TABLES = (
    ("core/base/settings.def", r"(?:->|\.){}\b", ("core/base/settings.c", "core/base/settings.h")),
    ("core/base/metrics.def", r"\bVG_METRIC_{}\b", ()),
    ("core/base/limits.def", r"\bVG_LIMIT_{}\b", ()),
    ("core/base/errors.def", r"\bVG_{}\b", ()),
)


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                         check=True).stdout
    return [path for path in out.splitlines() if (ROOT / path).is_file()]


def read_layers():
    tables, current = {}, None
    for line in (ROOT / "tools/house/layers.toml").read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            current = tables.setdefault(line.strip("[]"), {})
        elif line.startswith('"'):
            name, values = line.split(" = ", 1)
            current[name.strip('"')] = re.findall(r'"([^"]*)"', values)
    return tables


def folder_of(path, layers):
    """The row of layers.toml that a file belongs to: the longest that begins its path."""
    best = ""
    for name in layers:
        if path.startswith(name + "/") and len(name) > len(best):
            best = name
    return best


def allowed(target, names):
    return any(target == name or target.startswith(name + "/") for name in names)


def check_layers(files, breaches):
    tables = read_layers()
    for path in files:
        if not path.endswith((".c", ".h")):
            continue
        folder = folder_of(path, tables["may"])
        if not folder:
            breaches.append(f"{path}: no row of tools/house/layers.toml is for this folder")
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if quoted:
                target = quoted.group(1)
                if target.startswith("../"):
                    breaches.append(f"{path}:{number}: includes are written from the root")
                home = target.rsplit("/", 1)[0]
                if target.split("/")[0] in CODE_FOLDERS and not (
                        home == folder or home == "proto" or target.startswith(folder + "/")
                        or allowed(home, tables["may"][folder])):
                    breaches.append(f"{path}:{number}: {folder} may not include {home}")
            angled = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            package = angled and angled.group(1).split("/")[0]
            if package in tables["packages"] and not allowed(path, tables["packages"][package]) \
                    and not path.startswith("tests/"):
                breaches.append(f"{path}:{number}: {package} belongs to {' '.join(tables['packages'][package])}")


def check_top_level(files, breaches):
    for name in sorted({path.split("/")[0] for path in files}):
        if name not in TOP_LEVEL and not name.startswith("."):
            breaches.append(f"{name}: the top level holds nothing but {' '.join(sorted(TOP_LEVEL))} and dot-files")


def bare(text):
    """Code without comments and texts."""
    return re.sub(r'"(\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', "", text, flags=re.S)


def check_files(files, breaches):
    seen = {}
    for path in files:
        suffix = pathlib.Path(path).suffix
        text = None
        if suffix in LINES_MAX:
            text = (ROOT / path).read_text()
            lines = text.count("\n")
            if lines > LINES_MAX[suffix]:
                breaches.append(f"{path}: {lines} lines, at most {LINES_MAX[suffix]}")
        stem = pathlib.Path(path).stem
        if suffix in (".c", ".h") and any(part in BANNED_NAMES for part in stem.split("_")):
            breaches.append(f"{path}: a name that says nothing")
        if suffix == ".c" and not path.startswith("tests/"):
            other = seen.setdefault(stem, path)
            if other != path and stem not in ("main",):
                breaches.append(f"{path}: the name is taken by {other}; file names are unique in the tree")
        if suffix == ".h":
            if "Threads:" not in text[:4000] and not path.startswith("tests/"):
                breaches.append(f"{path}: the header's comment says nothing of threads")
            guard = "VG_" + re.sub(r"[^A-Z0-9]", "_", path.upper())
            if f"#ifndef {guard}" not in text:
                breaches.append(f"{path}: the include guard is not {guard}")
        if suffix in (".c", ".h"):
            for call in sorted(set(CALL.findall(bare(text))) & BANNED_CALLS):
                if call in ("rand", "srand") and path.startswith("tests/"):
                    continue  # a test with a fixed seed may
                breaches.append(f"{path}: calls {call}")


def check_homes(files, breaches):
    """Every source is built and every test is registered: a file outside the build is dead and nobody notices."""
    for path in files:
        if not path.endswith(".c"):
            continue
        file = pathlib.Path(path)
        if path.startswith("tests/unit/") and path.endswith("_test.c"):
            module = path[len("tests/unit/"):-len("_test.c")]
            lists = (ROOT / file.parent / "CMakeLists.txt")
            names = f"{re.escape(module)}|{re.escape(module.rsplit('/', 1)[1])}"  # whole, or in a list of one folder's
            if not lists.exists() or not re.search(rf"\b({names})\b", lists.read_text()):
                breaches.append(f"{path}: not registered in {file.parent}/CMakeLists.txt")
            continue
        folder = file.parent
        found = False
        while folder != pathlib.Path("."):
            lists = ROOT / folder / "CMakeLists.txt"
            if lists.exists() and (file.name in lists.read_text() or re.search(rf"\b{file.stem}\b", lists.read_text())):
                found = True
                break
            folder = folder.parent
        if not found:
            breaches.append(f"{path}: no CMakeLists.txt builds it")


def check_tables(files, breaches):
    """Every row of a table is used by code outside the table: what nobody reads or returns is no promise."""
    code = {path: bare((ROOT / path).read_text()) for path in files
            if path.endswith((".c", ".h")) and not path.startswith("tests/")}
    for table, pattern, carriers in TABLES:
        if table not in files:
            continue
        use = re.compile(pattern.format(r"(\w+)"))
        used = {name for path, text in code.items() if path not in carriers for name in use.findall(text)}
        for name in re.findall(r"^X\((\w+)", (ROOT / table).read_text(), flags=re.M):
            if name not in used:
                breaches.append(f"{table}: nobody uses {name}")


def main():
    files = tracked()
    breaches = []
    for check in (check_top_level, check_layers, check_files, check_homes, check_tables):
        check(files, breaches)
    for breach in breaches:
        print(breach)
    print(f"{len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
