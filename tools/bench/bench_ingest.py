#!/usr/bin/env python3
"""Submissions, every batch synced, beside what the disk does in the same run.

Single submissions from 16 clients first, while the store is small. Bulk: 1,000 events of about 1 KiB a call, 4 calls in
flight, over gRPC, for the first and the second million; then two millions of which half are updates; then REST JSON.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from bench_server import BIN, event, server

MILLION = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000


def disk(size, seconds=2.0):
    """Appends of `size` bytes with fdatasync, a second."""
    block = os.urandom(size)
    with tempfile.NamedTemporaryFile() as file:
        count, before = 0, time.monotonic()
        while time.monotonic() - before < seconds:
            os.write(file.fileno(), block)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - before)


def load(one, *options):
    before = one.cpu_seconds()
    out = subprocess.run([BIN / "bench_load", "--port", str(one.port), "--key", one.key, *map(str, options)],
                         capture_output=True, text=True, check=True).stdout
    result = json.loads(out)
    result["cpu"] = (one.cpu_seconds() - before) / result["events"] * 1e6
    return result


def show(name, result, target):
    print(f"{name:46} {result['rate'] / 1000:8.1f} k/s   {result['cpu']:6.1f} CPU-s per million   call p50/p99/max "
          f"{result['p50_ms']}/{result['p99_ms']}/{result['max_ms']} ms   {target}", flush=True)


def rest_bulk(one, calls):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = json.dumps({"events": [dict(event(i), id={"customer": "c0"}) for i in range(1000)]})
        script.write('wrk.method = "POST"\nwrk.body = [==[' + body + ']==]\n')
        script.flush()
        before = one.cpu_seconds()
        out = subprocess.run(["wrk", "-t1", "-c4", "-d10s", "--timeout", "30s", "-s", script.name, "-H",
                              f"Argus-API-Key: {one.key}", f"http://127.0.0.1:{one.port}/events/v2/event/bulk"],
                             capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(out)
    count = int(re.search(r"(\d+) requests in", out).group(1)) * 1000
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", out).group(1)) * 1000
    print(f"{'REST JSON bulk, 4 connections':46} {rate / 1000:8.1f} k/s   {(one.cpu_seconds() - before) / count * 1e6:6.1f} "
          f"CPU-s per million   target >= 40 k/s", flush=True)


def main():
    print(f"disk: {disk(4096):.0f} appends of 4 KiB/s with fdatasync, {disk(1 << 20):.0f} of 1 MiB/s", flush=True)
    with server() as one:
        one.add_customers()
        show("gRPC single, 16 clients",
             load(one, "--events", 100000, "--first", 50 * MILLION, "--batch", 1, "--flight", 1, "--clients", 16),
             "target >= 9 k/s (PostgreSQL 5.1, OpenSearch 2.8)")
        show("gRPC bulk, first million", load(one, "--events", MILLION), "target >= 75 k/s, <= 20 CPU-s")
        show("gRPC bulk, second million", load(one, "--events", MILLION, "--first", MILLION), "the same")
        show("gRPC bulk, third and fourth, half updates",
             load(one, "--events", 2 * MILLION, "--first", 2 * MILLION, "--updates", 50), "no stall > 1 s")
        print(f"resident: {one.rss_mib():.0f} MB", flush=True)
        rest_bulk(one, 100)



if __name__ == "__main__":
    main()
