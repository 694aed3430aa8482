#!/usr/bin/env python3
"""Upload of one large file over REST by curl, beside OpenSSL alone, which computes the same four
digests of the same bytes one after another, in memory, on one core.

The answer comes when file and record are on the disk. Client and server share the machine's cores. The target is 70 % of
the floor.
"""
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time

from bench_server import server, spread

MIB = 1024 * 1024
SIZE = (int(sys.argv[1]) if len(sys.argv) > 1 else 100) * MIB
RUNS = 5


def floor(data):
    begun = time.monotonic()
    for name in ("sha256", "sha512", "sha1", "md5"):
        hashlib.new(name, data).digest()
    return len(data) / (time.monotonic() - begun) / 1e6


def upload(one, path, size):
    begun = time.monotonic()
    status = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"argus-api-key: {one.key}", "-H",
                             "expect:", "-T", path, "-X", "POST", f"http://127.0.0.1:{one.port}/sampledb/v2/sample"],
                            capture_output=True, text=True, check=True).stdout
    taken = time.monotonic() - begun
    if status != "201":
        raise SystemExit(f"status {status}")
    return size / taken / 1e6


def main():
    with server("--set", f"sample_bytes_max={2 * SIZE}") as one, tempfile.NamedTemporaryFile() as file:
        floors, rates, cpu = [], [], one.cpu_seconds()
        before = one.rss_mib()
        block = os.urandom(MIB)
        for run in range(RUNS):
            data = b"%016d" % run + (block * (SIZE // MIB))[16:]
            file.seek(0)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            floors.append(floor(data))
            rates.append(upload(one, file.name, SIZE))
        cpu = (one.cpu_seconds() - cpu) / (RUNS * SIZE) * 1e9
        print(f"min/median/max of {RUNS} runs, a file of {SIZE // MIB} MiB")
        print(f"floor: OpenSSL alone, four digests in turn   {spread(floors)} MB/s")
        print(f"upload over REST, durable                    {spread(rates)} MB/s   server {cpu:.2f} CPU-ns a byte")
        ratios = [rate / one_floor * 100 for rate, one_floor in zip(rates, floors)]
        print(f"upload of floor                              {spread(ratios)} %      target >= 70 %")
        print(f"resident memory of the server                {before:.0f} -> {one.rss_mib():.0f} MiB; this script "
              f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
