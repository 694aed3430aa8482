#!/usr/bin/env python3
"""What attacks do to another client: its latency, the server's memory and CPU, for each attack that docs/hardening.md answers.

  tools/bench/run attack                    every attack, three rounds, some five minutes
  tools/bench/run attack --quick            one short round, below 90 s
  tools/bench/run attack --only reset,tls   those whose names contain one of these words

An attacker of one thread sends prepared bytes from an address of its own and connects again as fast as it can
(bench_attacker). Meanwhile three clients on another address make calls at a fixed rate (bench_victim): gRPC GetEvent
and REST get over connections that stay, and the same get over a new connection each time. A call's time runs from
when it was due.

Attacker, clients and server share the machine's cores, and an attacker that was elsewhere would take none of them. So
latency under attack is divided by the latency beside a harmless process that burns as much CPU as the attacker did and
talks to nobody; what is left is what the server does to its clients because of the attack. Memory is the peak of the
resident memory over what it was before the attack.
"""
import argparse
import gzip
import json
import pathlib
import re
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

from bench_server import BIN, ROOT, Server, event, get_request

sys.path.insert(0, str(ROOT / "tests/support/python"))
from vigiltest import frames  # noqa: E402  the bytes of the tests of the same attacks

VICTIM = "127.0.0.5"
GET = "/vigil.events.v2.EventService/GetEvent"
SEARCH = "/events/v1/aggregated/search"
SEARCH_V2 = "/events/v2/event/search"
EVENT = "/events/v2/event"
WITHIN = 3.0
# What an attack may add to the memory for as long as it lasts: 10,000 calls under way, or a few large bodies.
MEMORY_MIB = 64
STREAMS = 1500  # of a connection; it is ended long before
KINDS = ("grpc", "rest", "fresh")
LEAD_MS = 150
GREETING = frames.PREFACE + frames.settings()


class Attack:
    """`payload`: what a connection sends; `options`: of bench_attacker; `unit`: bytes of one request of it, or none."""

    def __init__(self, name, payload, unit=None, tls=False, **options):
        self.name, self.payload, self.tls = name, payload, tls
        self.each = len(payload) if unit is None else unit
        self.options = options


def fields_of(path, key=None, **extra):
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "vigil")]
    fields += [] if key is None else [("argus-api-key", key)]
    return fields + [(name.replace("_", "-"), value) for name, value in extra.items()]


def grpc_fields(key, **extra):
    return fields_of(GET, key, content_type="application/grpc", te="trailers", **extra)


def streams(one, count=STREAMS):
    return GREETING + b"".join(one(2 * at + 1) for at in range(count))


def http1(method, path, key=None, body=b"", *lines):
    head = [f"{method} {path} HTTP/1.1", "Host: vigil", *([] if key is None else [f"Argus-API-Key: {key}"]), *lines]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def client_hello():
    """The first message of a client with a key share, to which a server has to answer with a signature."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def bulk_body(count, size):
    filler = {"bench.filler": "x" * size}
    return json.dumps([dict(event(i), id={"customer": "bench"}, properties=filler) for i in range(count)]).encode()


def floods_of_frames(key):
    fields = grpc_fields(key)
    kept = b"\x40" + frames.text("x-kept") + frames.text("v" * 3800)
    start = frames.block(fields)
    bomb = [start + kept] + [b"\xbe" * 12000]

    def head(stream, **extra):
        return frames.headers(stream, grpc_fields(key, **extra), end=False)

    def exploding(stream):
        payload = start + (kept if stream == 1 else b"") + bomb[1]
        return (frames.frame(frames.HEADERS, 0, stream, payload[:16384])
                + frames.frame(frames.CONTINUATION, frames.END_HEADERS, stream, payload[16384:]))

    body = frames.data(1, get_request("/1/1/x"))
    waits = {"then": "wait"}
    yield Attack("rapid reset", streams(lambda s: head(s) + frames.reset(s)), **waits)
    yield Attack("CONTINUATION flood", GREETING + frames.headers(1, fields, flags=0)
                 + frames.frame(frames.CONTINUATION, 0, 1, b"\0" + frames.text("x") + frames.text("v" * 100)) * 1000, **waits)
    yield Attack("HPACK bomb", streams(exploding, 60), **waits)
    yield Attack("wrong content-length", streams(
        lambda s: head(s, content_length="9999") + frames.data(s, body[9:])), **waits)
    yield Attack("window overflow", streams(lambda s: head(s) + frames.window_update(s, 0x7fffffff)), **waits)
    yield Attack("SETTINGS flood", GREETING + frames.settings((3, 100), (4, 65535)) * 3000, **waits)
    yield Attack("PING flood", GREETING + frames.ping() * 5000, **waits)
    yield Attack("empty DATA", GREETING + head(1) + frames.data(1, b"", False) * 5000, **waits)
    yield Attack("PRIORITY flood", streams(lambda s: frames.frame(frames.PRIORITY, 0, s, b"\0\0\0\0\0")), **waits)
    yield Attack("unknown frames", GREETING + frames.frame(0x77, 0, 0) * 20000, then="repeat", prefix=len(GREETING))
    yield Attack("calls without a key", streams(
        lambda s: frames.headers(s, grpc_fields(None), end=False) + frames.data(s, body[9:]), 20000), then="wait")
    yield Attack("answers without a window", frames.PREFACE + frames.settings((4, 0)) + b"".join(
        head(2 * at + 1) + frames.data(2 * at + 1, body[9:]) for at in range(100)), then="wait", connections=200, deaf=1)


def floods_of_connections(key):
    search = json.dumps({"startTimestamp": 0, "limit": 1}).encode()
    yield Attack("connections, at once reset", b"", then="close", connections=64)
    yield Attack("connections to the cap", b"", then="wait", connections=1500)
    yield Attack("preface, then reset", GREETING, then="close", connections=64)
    yield Attack("slow heads", http1("POST", SEARCH, key, search), then="wait", connections=900, drip=1, every=100)
    slow = http1("POST", SEARCH, key, search.ljust(60000))
    yield Attack("slow bodies", slow, then="repeat", connections=900, drip=200, every=100)
    yield Attack("slow HTTP/2", GREETING + frames.headers(1, grpc_fields(key), end=False) + frames.data(1, b"\0" * 16000),
                 then="repeat", connections=900, drip=20, every=100, prefix=len(GREETING))
    yield Attack("slow readers", http1("GET", "/openapi.json") * 20, then="wait", connections=200, deaf=1)
    yield Attack("TLS hellos, then reset", client_hello(), tls=True, then="answer")
    yield Attack("TLS garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 600, tls=True, then="wait")


def floods_of_requests(key):
    alive = http1("GET", "/healthz")
    search = json.dumps({"startTimestamp": 0, "limit": 500, "includeAllProperties": True}).encode()
    deep = b'{"a":' * 30000 + b"1" + b"}" * 30000
    bomb = gzip.compress(b" " * (60 << 20))
    bulk = bulk_body(400, 4000)
    zipped = (f"POST {SEARCH} HTTP/1.1\r\nHost: vigil\r\nArgus-API-Key: {key}\r\nContent-Type: application/json\r\n"
              f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n").encode() + bomb
    grpc_bomb = b"\x01" + struct.pack(">I", len(bomb)) + bomb
    repeats = {"then": "repeat"}
    yield Attack("HTTP/1.1 pipelining", alive * 500, len(alive), **repeats)
    yield Attack("HTTP/1.1 garbage", b"\x00\xff GARBAGE" * 100, then="wait")
    yield Attack("requests without a key", http1("POST", SEARCH, None, b"{}") * 200, **repeats)
    yield Attack("requests with a wrong key", http1("GET", EVENT, "0" * 64) * 200, **repeats)
    yield Attack("zip bomb, REST", zipped, **repeats)
    yield Attack("zip bomb, gRPC", streams(lambda s: frames.headers(
        s, grpc_fields(key, grpc_encoding="gzip"), end=False) + b"".join(
            frames.data(s, grpc_bomb[at:at + 16384], at + 16384 >= len(grpc_bomb))
            for at in range(0, len(grpc_bomb), 16384)), 100), then="wait")
    yield Attack("deep JSON", http1("POST", SEARCH, key, deep), **repeats)
    yield Attack("bulk bodies without a key", http1("POST", EVENT + "/bulk", None, bulk), **repeats)
    yield Attack("bulk bodies, wrong", http1("POST", SEARCH, key, bulk), **repeats)
    yield Attack("searches from one key", http1("POST", SEARCH_V2, key, search) * 10, **repeats)


class Bench:
    def __init__(self, options):
        self.options = options
        self.attackers = 0
        self.folder = tempfile.TemporaryDirectory(prefix="vigil-bench-")
        self.path = pathlib.Path(self.folder.name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=vigil", "-keyout", self.path / "tls.key", "-out",
                        self.path / "tls.pem"], check=True, capture_output=True)
        self.log = (self.path / "log").open("w+b")
        self.one = Server("--set", "listen_tls=127.0.0.1:0", "--set", f"tls_certificates={self.path / 'tls.pem'}",
                             "--set", f"tls_keys={self.path / 'tls.key'}", "--set", "log_level=info", "--set",
                             "access_log_sample=1000", log=self.log)
        self.one.add_customers()
        self.one.rest("POST", "/admin/v1/customers", {"shortName": "bench", "id": 7, "name": "Bench"})
        id_ = self.one.rest("POST", EVENT, dict(event(1), id={"customer": "bench"}))["id"]
        subprocess.run([BIN / "bench_load", "--port", str(self.one.port), "--key", self.one.key, "--events",
                        str(options.events), "--batch", "1000", "--quiet"], check=True, capture_output=True)
        key = self.one.key
        self.write("grpc", frames.headers(1, grpc_fields(key), end=False) + frames.data(1, get_request(id_)))
        self.write("rest", http1("GET", EVENT + "/" + id_.split("/", 1)[1] + "?includeAllProperties=true", key))

    def address(self):
        """Of one more attacker: what the last one has done is not held against this one."""
        self.attackers += 1
        return f"127.0.{1 + self.attackers // 250}.{1 + self.attackers % 250}"

    def write(self, name, content):
        (self.path / name).write_bytes(content)

    def attacks(self):
        key = self.one.key
        every = [*floods_of_frames(key), *floods_of_connections(key), *floods_of_requests(key)]
        words = self.options.only.split(",") if self.options.only else [""]
        return [attack for attack in every if any(word in attack.name for word in words)]

    def victim(self):
        out = subprocess.run([BIN / "bench_victim", "--from", VICTIM, "--port", str(self.one.port), "--milliseconds",
                              str(self.options.milliseconds), "--grpc", self.path / "grpc", "--rest", self.path / "rest"],
                             capture_output=True, text=True, check=True).stdout
        return json.loads(out)

    def beside(self, *words):
        """The victim beside a bench_attacker with these arguments, which begins a little before and ends with it:
        (the victim's figures, the attacker's, CPU seconds of the server, seconds)."""
        length = self.options.milliseconds + 2 * LEAD_MS
        attacker = subprocess.Popen([BIN / "bench_attacker", "--milliseconds", str(length), *map(str, words)],
                                    stdout=subprocess.PIPE, text=True)
        before = self.one.cpu_seconds()
        time.sleep(LEAD_MS / 1000)
        victim = self.victim()
        out = json.loads(attacker.communicate()[0])
        return victim, out, self.one.cpu_seconds() - before, length / 1000

    def settle(self):
        """Until the connections of an attack are gone and what it has begun is over."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            before = self.one.cpu_seconds()
            time.sleep(0.1)
            if self.one.cpu_seconds() - before < 0.02:
                return

    def measure(self, attack):
        self.write("payload", attack.payload)
        options = [word for name, value in attack.options.items() for word in ("--" + name, value)]
        port = self.one.tls_port if attack.tls else self.one.port
        rounds = []
        for _ in range(self.options.rounds):
            before = self.one.rss_mib()
            self.one.forget_peak()
            hurt, attacker, cpu, length = self.beside("--from", self.address(), "--port", port, "--payload",
                                                      self.path / "payload", *options)
            grown = self.one.peak_mib() - before
            self.settle()
            share = attacker["cpu_seconds"] / length
            calm, _, _, _ = self.beside("--burn", min(100, round(share * 100)))
            rounds.append(Round(hurt, calm, attacker, grown, cpu / length, share, length))
        return rounds


class Round:
    def __init__(self, hurt, calm, attacker, grown, server, share, length):
        self.p50 = {kind: hurt[kind]["p50_us"] / calm[kind]["p50_us"] for kind in KINDS}
        self.p99 = {kind: hurt[kind]["p99_us"] / calm[kind]["p99_us"] for kind in KINDS}
        self.failed = sum(hurt[kind]["failed"] for kind in KINDS)
        self.grown, self.server, self.share = grown, server, share
        self.connections = attacker["connections"] / length
        self.sent = attacker["sent"] / length


def of(rounds, figure):
    return statistics.median(figure(one) for one in rounds)


def thousand(number):
    return f"{number:.0f}" if number < 1000 else f"{number / 1000:.1f}k" if number < 1e6 else f"{number / 1e6:.1f}M"


HEAD = ("attack", "connections/s", "requests/s", "MB/s", "p50 gRPC REST new", "p99 gRPC REST new", "failed", "memory",
        "CPU attacker server", "p50 within 3x", "p99", "flat")


def within(ratios, failed):
    return "yes" if max(ratios) <= WITHIN and failed == 0 else "NO"


def row_of(attack, rounds):
    p50 = [of(rounds, lambda one, k=kind: one.p50[k]) for kind in KINDS]
    p99 = [of(rounds, lambda one, k=kind: one.p99[k]) for kind in KINDS]
    failed = sum(one.failed for one in rounds)
    sent = of(rounds, lambda one: one.sent)
    grown = of(rounds, lambda one: one.grown)
    return (attack.name, thousand(of(rounds, lambda one: one.connections)),
            thousand(sent / attack.each) if attack.each else "", f"{sent / 1e6:.1f}",
            " ".join(f"{value:4.1f}" for value in p50), " ".join(f"{value:4.1f}" for value in p99), str(failed),
            f"{grown:+.0f} MiB", f"{of(rounds, lambda one: one.share):.0%} {of(rounds, lambda one: one.server):.0%}",
            within(p50, failed), within(p99, failed), "yes" if grown <= MEMORY_MIB else "NO")


def show(rows):
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    print()
    for row in [HEAD, tuple("-" * width for width in widths), *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def main():
    parser = argparse.ArgumentParser(prog="tools/bench/run attack", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round, below 90 s")
    parser.add_argument("--rounds", type=int, help="rounds of each attack")
    parser.add_argument("--only", help="words that the names of the attacks contain, with commas")
    options = parser.parse_args()
    options.milliseconds = 600 if options.quick else 3000
    options.events = 20000 if options.quick else 100000
    options.rounds = options.rounds or (1 if options.quick else 3)
    bench = Bench(options)
    rows = []
    try:
        quiet = bench.victim()
        print("nothing else, microseconds p50/p99: " + ", ".join(
            f"{kind} {quiet[kind]['p50_us']:.0f}/{quiet[kind]['p99_us']:.0f}" for kind in KINDS))
        for attack in bench.attacks():
            rounds = bench.measure(attack)
            rows.append(row_of(attack, rounds))
            print("   ".join(rows[-1]), flush=True)
    finally:
        bench.one.stop()
    show(rows)


if __name__ == "__main__":
    main()
