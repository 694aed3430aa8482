#!/usr/bin/env python3
"""Runs a clang tool over our C: prints what it finds, exits 1 if anything, 77 (skipped) where the tool is missing.

    tools/house/check_clang.py tidy build/release    clang-tidy over core, rpc, gateway and tools, as .clang-tidy says
    tools/house/check_clang.py format                clang-format over every .c and .h, as .clang-format says
"""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIDY_FOLDERS = ("core/", "rpc/", "gateway/", "tools/")
SKIPPED = 77


def run(arguments):
    done = subprocess.run(arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or done.stderr.strip() or f"{arguments[0]} ended with {done.returncode}"


def batches(words, paths, size):
    return [[*words, *paths[at:at + size]] for at in range(0, len(paths), size)]


def tidy_commands(build):
    rows = json.loads((build / "compile_commands.json").read_text())
    paths = {os.path.relpath(os.path.join(row["directory"], row["file"]), ROOT) for row in rows}
    # The rules are those of C; what is C++ is the peer of a bench, and its messages are made when it is built.
    ours = sorted(path for path in paths if path.startswith(TIDY_FOLDERS) and path.endswith(".c"))
    # Without -O0 the macros of <ctype.h> count as ours; the options of gcc are unknown to clang.
    extra = ["--extra-arg=-O0", "--extra-arg=-U_FORTIFY_SOURCE", "--extra-arg=-Wno-unknown-warning-option"]
    quick = "--checks=-clang-analyzer-*"  # three quarters of the time
    return batches(["clang-tidy", "--quiet", quick, f"-p={build}", *extra], ours, 10)  # a third of what is left is its start


def format_commands():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split()
    ours = [path for path in listed if (ROOT / path).is_file()]
    return batches(["clang-format", "--dry-run", "--Werror"], ours, 50)


def main():
    what = sys.argv[1]
    if shutil.which(f"clang-{what}") is None:
        print(f"clang-{what} is not installed: nothing is checked")
        return SKIPPED
    commands = tidy_commands(pathlib.Path(sys.argv[2]).resolve()) if what == "tidy" else format_commands()
    if not commands:
        print("no file to check: is the build folder right?")
        return 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(run, commands) if text]
    for text in found:
        print(text)
    print(f"clang-{what}: {len(commands)} runs, {len(found)} with findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
