#!/usr/bin/env python3
"""Searches, statistics, export and upserts over a million events, beside PostgreSQL and OpenSearch.

    tools/bench/run search [--events N] [--states fresh,restart,updated] [--questions Q2,Q3] [--quick]

Each question is asked 50 times with other values, ten rounds after one that warms, by one gRPC client that waits for the whole
answer; "empty" is the same call with nothing to do, the floor of the machine. Then 16 clients at a time over gRPC, and over REST.
All of it fresh, after a restart, and after 30 % of the events were updated. The peers' figures were measured on the same kind of
machine over the same questions and a million events, each with its own client (median of three).
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time

from bench_server import BIN, Server

DAY_MS = 86400000
# question: (what, milliseconds to reach at p50, at p99 or None, PostgreSQL 15, OpenSearch 3.4)
QUESTIONS = {
    "empty": ("an empty call", None, None, "", ""),
    "Q1": ("one event by id", 0.15, None, "0.18", "0.76"),
    "Q2": ("24 h of a customer, 25, count", 0.5, 1.1, "0.72", "3.1"),
    "Q3": ("signature, 7 days, 25, count", 0.9, 2.4, "1.35, p99 13", "3.1"),
    "Q4": ("/24 either side, 7 days, 25, count", 1.0, 4, "1.0, p99 50", "4.2"),
    "Q5": ("port, severity, flags, property", 3, 8, "87, p99 660", "13, p99 65"),
    "Q6": ("(signature or net), not customer, 1000", 7, None, "14", "59"),
    "Q7": ("pull of 1000 by lastUpdated", 5.5, None, "5.9", "45"),
    "Q8": ("top 25 signatures", 1.8, None, "319", "2.3"),
    "Q9": ("customer x severity", 2.5, None, "337", "55"),
    "Q10d": ("daily histogram", 0.9, None, "169", "2.0"),
    "Q10h": ("hourly histogram of a customer", 0.9, None, "21", "5.3"),
}
# question: (answers a second to reach, PostgreSQL, OpenSearch), 16 clients
TOGETHER = {"Q2": (4600, 2840, 739), "Q3": (2200, 745, 752), "Q4": (2000, 381, 1084), "Q5": (600, 15, 142)}


class Bench:
    def __init__(self, options):
        self.options = options
        self.now = int(time.time() * 1000) // DAY_MS * DAY_MS
        self.one = Server()
        self.one.add_customers()
        self.updated = (0, 0)

    def load(self, *more):
        before = self.one.cpu_seconds()
        out = subprocess.run([BIN / "bench_load", "--port", str(self.one.port), "--key", self.one.key, "--now", str(self.now),
                              "--month", str(self.options.events), *map(str, more)], capture_output=True, text=True, check=True).stdout
        result = json.loads(out)
        result["cpu"] = (self.one.cpu_seconds() - before) / result["events"] * 1e6
        return result

    def query(self, question, *more):
        before = self.one.cpu_seconds()
        out = subprocess.run([BIN / "bench_query", "--port", str(self.one.port), "--key", self.one.key, "--now", str(self.now),
                              "--month", str(self.options.events), "--events", str(self.options.events), "--question", question,
                              "--updated-from", str(self.updated[0]), "--updated-to", str(self.updated[1]), *map(str, more)],
                             capture_output=True, text=True, check=True).stdout
        if "--print" in more:
            return out.splitlines()
        result = json.loads(out)
        result["cpu_us"] = (self.one.cpu_seconds() - before) / result["calls"] * 1e6
        return result

    def settle(self):
        """Until the store and the table have nothing left to do: no CPU used for two seconds."""
        quiet, before = 0, self.one.cpu_seconds()
        for _ in range(300):
            time.sleep(0.5)
            now = self.one.cpu_seconds()
            quiet, before = (quiet + 1 if now - before < 0.02 else 0), now
            if quiet == 4:
                return

    def find_updated(self):
        """The first and the last lastUpdatedTimestamp, less a page."""
        ends = []
        for sort in ("lastUpdatedTimestamp", "-lastUpdatedTimestamp"):
            events = self.one.rest("POST", "/events/v2/event/search", {"sortBy": sort, "limit": 1,
                                   "offset": 0 if sort[0] == "l" else 1000})
            ends.append(events[0]["timestamps"]["lastUpdated"])
        self.updated = tuple(ends)

    def restart(self):
        directory = self.one.directory
        self.one.owns = False
        self.one.stop()
        self.one = Server(directory=directory)
        self.one.owns = True

    def update(self, percent=30):
        self.load("--events", self.options.events * percent // 100, "--first", self.options.events, "--updates", 100)

    def rest_together(self, question):
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            bodies = self.query(question, "--print")
            script.write('wrk.method = "POST"\nlocal bodies = {\n' + ",\n".join("[==[" + body + "]==]" for body in bodies) +
                         "}\nlocal next = 0\nfunction request()\n  next = next % #bodies + 1\n"
                         "  return wrk.format(nil, nil, nil, bodies[next])\nend\n")
            script.flush()
            out = subprocess.run(["wrk", "-t1", "-c16", f"-d{self.options.seconds}s", "--timeout", "30s", "-s", script.name, "-H",
                                  f"Argus-API-Key: {self.one.key}", f"http://127.0.0.1:{self.one.port}/events/v2/event/search"],
                                 capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in out:
            raise SystemExit(out)
        return float(next(line.split()[1] for line in out.splitlines() if line.startswith("Requests/sec:")))

    def export(self):
        """Everything as JSON lines over REST, and as a stream of messages over gRPC."""
        import http.client
        for accept in ("application/json", "application/jsonl"):
            cpu, before = self.one.cpu_seconds(), time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.one.port)
            body = json.dumps({"limit": 0, "includeAllProperties": True, "includeComments": True, "includeSubEvents": True})
            connection.request("POST", "/events/v2/event/search", body, {"Argus-API-Key": self.one.key, "Accept": accept})
            answer, size = connection.getresponse(), 0
            while part := answer.read(1 << 20):
                size += len(part)
            took = time.monotonic() - before
            print(f"export, {accept:24} {self.options.events / took / 1000:8.0f} k events/s   {size / took / 1e6:6.0f} MB/s   "
                  f"{(self.one.cpu_seconds() - cpu) / self.options.events * 1e6:5.1f} CPU-us each   target >= 130 k/s "
                  "(PostgreSQL COPY 199, OpenSearch 55)", flush=True)
        result = self.query("export", "--count", 1, "--rounds", 1)
        took = result["p50_ms"] / 1000
        print(f"export, gRPC stream              {self.options.events / took / 1000:8.0f} k events/s   "
              f"{result['cpu_us'] / self.options.events:5.2f} CPU-us each   target >= 290 k/s", flush=True)


def show(name, results):
    """One line: p50 and p99 of each state."""
    what, p50, p99, postgres, opensearch = QUESTIONS[name]
    figures = "  ".join(f"{result['p50_ms']:7.3f} /{result['p99_ms']:7.3f} {result['cpu_us']:7.0f}us" for result in results)
    limit = "" if p50 is None else f"{p50}" + (f"/{p99}" if p99 else "")
    print(f"{name:5} {what:39} {figures}   {limit:8} {postgres:13} {opensearch}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--states", default="fresh,restart,updated")
    parser.add_argument("--questions", default=",".join(QUESTIONS))
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="only the questions of one client")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        loaded = None
        for first in range(0, options.events, 1000000):
            loaded = bench.load("--events", min(1000000, options.events - first), "--first", first)
        print(f"{options.events} events loaded, the last part at {loaded['rate'] / 1000:.0f} k/s, {loaded['cpu']:.1f} CPU-s a million",
              flush=True)
        results = {name: [] for name in options.questions.split(",")}
        together = {}
        for state in options.states.split(","):
            if state == "restart":
                bench.restart()
            elif state == "updated":
                bench.update()
            bench.settle()
            bench.find_updated()
            print(f"{state}: resident {bench.one.rss_mib():.0f} MB", flush=True)
            for name, all_of_it in results.items():
                all_of_it.append(bench.query(name, "--rounds", options.rounds))
            for name in TOGETHER if not options.quick else ():
                if name in results:
                    together.setdefault(name, []).append((
                        bench.query(name, "--clients", 16, "--seconds", options.seconds)["rate"], bench.rest_together(name)))
        print(f"\n      one client, p50 / p99 in ms, server CPU a question: {options.states}   to reach  PostgreSQL 15  OpenSearch 3.4")
        for name, all_of_it in results.items():
            show(name, all_of_it)
        worst = {name: max(r["p50_ms"] for r in all_of_it) / min(r["p50_ms"] for r in all_of_it)
                 for name, all_of_it in results.items() if len(all_of_it) > 1}
        if worst:
            print("worst state / best state, p50 (to reach <= 1.5): " +
                  "  ".join(f"{name} {ratio:.2f}" for name, ratio in worst.items()) +
                  f"; median {statistics.median(worst.values()):.2f}")
        for name, rates in together.items():
            target, postgres, opensearch = TOGETHER[name]
            print(f"{name:5} 16 clients, questions/s: gRPC " + " / ".join(f"{grpc:.0f}" for grpc, _ in rates) + "   REST " +
                  " / ".join(f"{rest:.0f}" for _, rest in rates) + f"   to reach {target} (PostgreSQL {postgres}, OpenSearch {opensearch})")
        if not options.quick:
            bench.export()
            upserts = bench.load("--events", 100000, "--first", options.events, "--updates", 100, "--batch", 1, "--flight", 1,
                                 "--clients", 16)
            print(f"upserts, 16 clients, synced      {upserts['rate'] / 1000:8.1f} k/s   p50/p99 {upserts['p50_ms']}/{upserts['p99_ms']} ms"
                  f"   {upserts['cpu']:5.0f} CPU-us each   target >= 10 k/s (PostgreSQL 3.1, OpenSearch 1.3)", flush=True)
    finally:
        bench.one.stop()


if __name__ == "__main__":
    main()
