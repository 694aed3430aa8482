#!/usr/bin/env python3
"""The programs given are hardened: read from the ELF files, not from the flags.

    hardening_test.py PROGRAM...
"""
import subprocess
import sys


def readelf(option, program):
    return subprocess.run(["readelf", "--wide", option, program], capture_output=True, text=True, check=True).stdout


def faults(program):
    header, segments = readelf("--file-header", program), readelf("--program-headers", program)
    dynamic, symbols = readelf("--dynamic", program), readelf("--dyn-syms", program)
    stack = [line.split() for line in segments.splitlines() if "GNU_STACK" in line]
    if "DYN (" not in header:
        yield "is not position independent"
    if "GNU_RELRO" not in segments:
        yield "has no read-only relocations"
    if "NOW" not in dynamic:  # BIND_NOW, or NOW among the flags
        yield "binds its functions late"
    if not stack or any("E" in row[-2] for row in stack):
        yield "has an executable stack"
    if "__stack_chk_fail" not in symbols:
        yield "has no stack protector"
    if "__memcpy_chk" not in symbols and "__snprintf_chk" not in symbols:
        yield "is built without _FORTIFY_SOURCE"


def main():
    found = [f"{program}: {fault}" for program in sys.argv[1:] for fault in faults(program)]
    for line in found:
        print(line)
    print(f"{len(sys.argv) - 1} programs, {len(found)} faults")
    return 1 if found or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
