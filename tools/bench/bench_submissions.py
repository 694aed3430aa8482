#!/usr/bin/env python3
"""Challenge and add, then searches and statistics over what was added, all over gRPC, beside their targets.

    tools/bench/run submissions [--pairs N] [--bytes B] [--samples S] [--flight F] [--rounds R]

A caller who holds the files asks for a challenge, hashes the part and adds the submission, 64 of these pairs at a time, each with
its own token and synced. A million of them are added so, and each tenth is reported: the rate lasts or it does not. Then each
question is asked 50 times with other values, R rounds after one that warms, by one client that waits for the whole answer; in
the window of the last 100,000 submissions, and over all of them. Client and server share the machine.
"""
import argparse
import json
import subprocess
import time

from bench_server import BIN, Server, spread

# question: (what, milliseconds to reach at p50 in the window, over everything; None = none is promised)
QUESTIONS = {
    "empty": ("an empty call", None, None),
    "S1": ("customer, time, metadata value, count", 3, 3),
    "S2": ("keyword in all fields, rare", 10, 100),
    "S3": ("keyword of six digits in all fields", 10, 100),
    "S4": ("keyword of one letter or digit", 10, 100),
    "S5": ("customer x mime type, days", 25, 25),
}
PAIRS_TARGET = 8000


class Bench:
    def __init__(self, options):
        self.options = options
        self.one = Server()
        self.one.add_customers()

    def run(self, program, *more):
        before = self.one.cpu_seconds()
        out = subprocess.run([BIN / program, "--port", str(self.one.port), "--key", self.one.key, *map(str, more)],
                             capture_output=True, text=True, check=True).stdout
        result = json.loads(out)
        result["cpu_us"] = (self.one.cpu_seconds() - before) / result.get("count", result.get("calls")) * 1e6
        return result

    def pairs(self, *more):
        options = self.options
        return self.run("bench_pairs", "--samples", options.samples, "--bytes", options.bytes, "--flight", options.flight, *more)

    def load(self):
        """All pairs, in tenths; returns the time at which the last tenth began."""
        tenth, begun, parts = self.options.pairs // 10, 0, []
        for part in range(10):
            begun = int(time.time() * 1000)
            parts.append(self.pairs("--pairs", tenth, "--first", part * tenth))
        rates = [part["rate"] for part in parts]
        last = parts[-1]
        print(f"challenge + add, {self.options.flight} in flight, synced, {10 * tenth} pairs in tenths, min/median/max: "
              f"{spread(rates, '{:.0f}')} pairs/s   {spread([part['cpu_us'] for part in parts], '{:.0f}')} CPU-us each   "
              f"target >= {PAIRS_TARGET}/s", flush=True)
        print("the last tenth, p50/p99 ms: " + "   ".join(
            f"{name} {last[name + '_p50_ms']}/{last[name + '_p99_ms']}" for name in ("pair", "challenge", "add")) +
            f"   refused {sum(part['refused'] for part in parts)}", flush=True)
        return begun

    def settle(self):
        """Until the store and the table have nothing left to do: no CPU used for two seconds."""
        quiet, before = 0, self.one.cpu_seconds()
        for _ in range(300):
            time.sleep(0.5)
            now = self.one.cpu_seconds()
            quiet, before = (quiet + 1 if now - before < 0.02 else 0), now
            if quiet == 4:
                return

    def ask(self, window_from):
        return {name: self.run("bench_query", "--question", name, "--window-from", window_from, "--rounds", self.options.rounds)
                for name in QUESTIONS}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=1000000)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=32768, help="of each sample")
    parser.add_argument("--flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    bench = Bench(options)
    try:
        uploaded = bench.pairs("--upload", 1)
        print(f"{options.samples} samples of {options.bytes} bytes uploaded at {uploaded['rate']:.0f}/s, {uploaded['cpu_us']:.0f} "
              "CPU-us each", flush=True)
        begun = int(time.time() * 1000)
        last_tenth = bench.load()
        bench.settle()
        print(f"resident {bench.one.rss_mib():.0f} MB\n\n{'':48}p50 / p99 in ms, server CPU a question\n"
              f"{'':48}{'of the last ' + str(options.pairs // 10):29} {'to reach':8}  {'of all ' + str(options.pairs):29} to reach",
              flush=True)
        near, far = bench.ask(last_tenth), bench.ask(begun)
        for name, (what, near_target, far_target) in QUESTIONS.items():
            figures = []
            for result, target in ((near[name], near_target), (far[name], far_target)):
                figures.append(f"{result['p50_ms']:8.3f} /{result['p99_ms']:8.3f} {result['cpu_us']:8.0f}us  "
                               f"{'' if target is None else '<= ' + str(target):8}")
            print(f"{name:6}{what:42}" + "  ".join(figures), flush=True)
    finally:
        bench.one.stop()


if __name__ == "__main__":
    main()
