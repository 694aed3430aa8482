#!/usr/bin/env python3
"""Resident memory of the idle demo server, and how long a start takes: with its checkpoint, and rebuilding the columns."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from bench_server import Server, BIN, server

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 300000


def started(directory):
    """Seconds until ready, and what the server says of how its table came up."""
    log = tempfile.TemporaryFile("w+")
    before = time.monotonic()
    process = subprocess.Popen([BIN / "vigild", "--data", directory, "--listen", "127.0.0.1:0"],
                               stdout=subprocess.PIPE, stderr=log, text=True)
    process.stdout.readline()
    seconds = time.monotonic() - before
    process.terminate()
    process.wait(60)
    log.seek(0)
    table = [json.loads(line) for line in log if '"table_started"' in line][0]
    return seconds, table


def main():
    with server("--demo") as one:
        one.rest("GET", "/events/v1/aggregated")
        print(f"idle demo server: {one.rss_mib():.1f} MB resident   target <= 40 MB")
    directory = tempfile.mkdtemp(prefix="vigil-bench-")
    one = Server(directory=directory)
    one.add_customers()
    subprocess.run([BIN / "bench_load", "--port", str(one.port), "--key", one.key, "--events", str(EVENTS), "--quiet"],
                   check=True)
    one.stop()
    seconds, table = started(directory)
    print(f"start with checkpoint, {EVENTS} events: {seconds:.2f} s {table}")
    shutil.rmtree(pathlib.Path(directory) / "table")
    seconds, table = started(directory)
    rate = table["rows"] / max(table["ms"], 1)
    print(f"start with rebuild, {EVENTS} events: {seconds:.2f} s, {rate:.0f} k rows/s   target >= 300 k rows/s")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
