#!/usr/bin/env python3
"""What a call costs on the wire, vigil and its peer in the same run: the table of figures of gRPC and REST.

  tools/bench/run rpc                     all of it, some ten minutes
  tools/bench/run rpc --quick             short rounds, below three minutes: to see that nothing is broken
  tools/bench/run rpc --only echo,client  some of: echo client rest tls memory stream

Server and client share the machine's cores. CPU is user + system time of the server over the run, divided by the
calls. Each figure is the median of several rounds in which vigil and the peers take turns, with the least and the
largest in brackets.

The echo is grpc.testing.TestService.UnaryCall with messages of 104 bytes both ways. vigil serves it by the test
server of tests/support: the stack of vigild (connections, HTTP/2, gRPC, dispatch, deadlines, wire decoder and
encoder, metrics, one access line in 1,000 calls) with one worker, but any key is good; what keys and handlers cost is
`tools/bench/run get`. grpc C++ has two queue threads, or the threads it chooses, and counts and logs nothing.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time

from bench_server import BIN, ROOT, Program, event, get_request, server

UNARY = "/grpc.testing.TestService/UnaryCall"
GET = "/vigil.events.v2.EventService/GetEvent"
LOGGED = ("access_log=all", "access_log_sample=1000")
LOGGING = ("--set", "log_level=info", "--set", "access_log_sample=1000")


class Length:
    """How long things take in this run."""

    def __init__(self, quick):
        self.rounds = 3 if quick else 7
        self.calls = 60000 if quick else 300000
        self.seconds = 1 if quick else 4
        self.stream_seconds = 10 if quick else 60
        self.store_seconds = 3 if quick else 15
        self.idle_connections = 2000 if quick else 10000


class Table:
    HEAD = ("measure", "vigil", "peer", "ratio", "target", "met")

    def __init__(self):
        self.rows = []

    def add(self, measure, vigil, peer, ratio, target, met):
        """`met` None: there was no peer, or no figure."""
        row = (measure, vigil, peer, ratio, target, "-" if met is None else "yes" if met else "NO")
        self.rows.append(row)
        print("   ".join(row), flush=True)

    def show(self):
        widths = [max(len(row[i]) for row in [self.HEAD, *self.rows]) for i in range(len(self.HEAD))]
        print()
        for row in [self.HEAD, tuple("-" * width for width in widths), *self.rows]:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def median(values):
    return statistics.median(values)


def spread(values, form):
    if not values:
        return "-"
    return f"{form.format(median(values))} [{form.format(min(values))}..{form.format(max(values))}]"


def ratio_of(one, other):
    """Of rounds side by side: what they share of the machine's mood cancels out."""
    return median([a / b for a, b in zip(one, other)])


class Measured(Program):
    def __init__(self, name, command):
        self.log = tempfile.TemporaryFile()  # the access log is written like any other, to a file
        super().__init__(command, self.log)
        self.name = name

    def stop(self):
        self.process.kill()
        self.process.wait(60)


def build(*targets):
    done = subprocess.run(["cmake", "--build", "--preset", "release", "--target", *targets, "--", "--quiet"], cwd=ROOT,
                          capture_output=True, text=True)
    return done.returncode == 0


def echo_servers():
    """vigil first; then the peers that can be built here."""
    if not build("echo_server"):
        raise SystemExit("the echo server of the tests cannot be built: tools/setup --tests")
    servers = [Measured("vigil", [ROOT / "build/release/tests/echo_server", "workers=1", *LOGGED])]
    if build("bench_rpc_peer", "bench_rpc_client"):
        servers.append(Measured("async", [BIN / "bench_rpc_peer", "async"]))
        servers.append(Measured("callback", [BIN / "bench_rpc_peer", "callback"]))
    else:
        print("peer missing: grpc C++ is not here (g++ libgrpc++-dev protobuf-compiler-grpc; then configure again)")
    return servers


def cpu_of(one, run):
    """(what `run` returns as rate, CPU-us a call); `run` returns rate and calls."""
    before = one.cpu_seconds()
    rate, calls = run()
    return rate, (one.cpu_seconds() - before) / calls * 1e6


def h2load(port, path, calls, connections, streams, *extra, scheme="http"):
    out = subprocess.run(["h2load", "-c", str(connections), "-m", str(streams), "-n", str(calls), "-t", "1", *extra,
                          f"{scheme}://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True).stdout
    if int(re.search(r"(\d+) succeeded", out).group(1)) != calls:
        raise SystemExit(out)
    return float(re.search(r"finished in [^,]*, ([0-9.]+) req/s", out).group(1)), calls


def grpc_file(message):
    file = tempfile.NamedTemporaryFile(suffix=".bin")
    file.write(b"\x00" + struct.pack(">I", len(message)) + message)
    file.flush()
    return file


def echo_message():
    """SimpleRequest with a payload of 100 bytes."""
    payload = b"\x12" + bytes([100]) + b"x" * 100
    return b"\x1a" + bytes([len(payload)]) + payload


GRPC_HEADERS = ("-H", "content-type: application/grpc", "-H", "te: trailers")


def check_echo(one):
    """h2load looks at HTTP 200 only: one call is looked at closely."""
    with grpc_file(echo_message()) as file:
        out = subprocess.run(["nghttp", "-v", "-d", file.name, *GRPC_HEADERS, f"http://127.0.0.1:{one.port}{UNARY}"],
                             capture_output=True, text=True, check=True).stdout
    if "grpc-status: 0" not in out or "length=109" not in out:
        raise SystemExit(f"{one.name} does not echo:\n{out}")


def measure_echo(table, length, servers):
    rates = {one.name: [] for one in servers}
    costs = {one.name: [] for one in servers}
    for one in servers:
        check_echo(one)
    with grpc_file(echo_message()) as file:
        for turn in range(length.rounds + 1):
            for one in servers:
                rate, cost = cpu_of(one, lambda: h2load(one.port, UNARY, length.calls, 10, 32, "-d", file.name,
                                                        *GRPC_HEADERS))
                if turn > 0:
                    rates[one.name].append(rate / 1000)
                    costs[one.name].append(cost)
    has = "async" in rates
    table.add("unary echo, server CPU per call", spread(costs["vigil"], "{:.2f}") + " us",
              spread(costs["async"], "{:.1f}") + " us" if has else "missing",
              f"{ratio_of(costs['vigil'], costs['async']):.2f}" if has else "-", "<= 3 us", median(costs["vigil"]) <= 3)
    if has:
        ratio = ratio_of(rates["vigil"], rates["async"])
        table.add("unary echo, h2load 10 x 32", spread(rates["vigil"], "{:.0f}") + " k/s",
                  spread(rates["async"], "{:.0f}") + " k/s", f"{ratio:.2f}", ">= 2x grpc C++ async", ratio >= 2)
        table.add("  grpc C++ callback in the same rounds", "", spread(rates["callback"], "{:.0f}") + " k/s, "
                  + spread(costs["callback"], "{:.1f}") + " us", "", "", None)


def closed_loop(one, connections, flight, seconds):
    out = subprocess.run([BIN / "bench_rpc_client", f"127.0.0.1:{one.port}", str(connections), str(flight),
                          str(seconds)], capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def measure_client(table, length, servers):
    if len(servers) == 1:
        table.add("grpc C++ client", "-", "missing", "-", ">= 1.2x grpc C++ async", None)
        return
    rates, costs, clients, delays, tails = ({one.name: [] for one in servers} for _ in range(5))
    for turn in range(length.rounds + 1):
        for one in servers:
            before = one.cpu_seconds()
            many = closed_loop(one, 4, 32, length.seconds)
            cost = (one.cpu_seconds() - before) / (many["rate"] * length.seconds) * 1e6
            single = closed_loop(one, 1, 1, length.seconds)
            if turn > 0:
                rates[one.name].append(many["rate"] / 1000)
                costs[one.name].append(cost)
                clients[one.name].append(many["cpu_us"])
                delays[one.name].append(single["p50_us"])
                tails[one.name].append(many["p99_us"] / 1000)
    ratio = ratio_of(rates["vigil"], rates["async"])
    table.add("grpc C++ client, 4 x 32", spread(rates["vigil"], "{:.1f}") + " k/s",
              spread(rates["async"], "{:.1f}") + " k/s", f"{ratio:.2f}", ">= 1.2x grpc C++ async", ratio >= 1.2)
    table.add("  CPU of server and of client, p99", *(
        f"{median(costs[name]):.1f} + {median(clients[name]):.1f} us, {median(tails[name]):.1f} ms"
        for name in ("vigil", "async")), "", "", None)
    ratio = ratio_of(delays["vigil"], delays["callback"])
    table.add("grpc C++ client, 1 x 1, p50", spread(delays["vigil"], "{:.0f}") + " us",
              spread(delays["callback"], "{:.0f}") + " us", f"{ratio:.2f}", "not slower than callback", ratio <= 1)


def wrk(port, path, seconds, *extra):
    out = subprocess.run(["wrk", "-t1", "-c50", f"-d{seconds}s", *extra, f"http://127.0.0.1:{port}{path}"],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", out).group(1)), int(re.search(r"(\d+) requests in", out).group(1))


GATEWAY_PACKAGES = ("golang-go", "golang-grpc-gateway", "golang-github-grpc-ecosystem-grpc-gateway-dev",
                    "golang-google-grpc-dev", "golang-google-genproto-dev")


def build_gateway():
    """grpc-gateway of Debian, with the contract and the program of gateway_peer; None if it is not here."""
    folder = ROOT / "build/release/gateway_peer"
    program = folder / "gateway_peer"
    source = ROOT / "tools/bench/gateway_peer"
    if program.exists() and program.stat().st_mtime > max(file.stat().st_mtime for file in source.iterdir()):
        return program
    if shutil.which("go") is None or shutil.which("protoc-gen-grpc-gateway") is None:
        return None
    generated = folder / "src/peer"
    generated.mkdir(parents=True, exist_ok=True)
    mapped = "Mgoogle/api/annotations.proto=google.golang.org/genproto/googleapis/api/annotations"
    made = subprocess.run(["protoc", "-I", source, "-I", "/usr/share/gocode/src/github.com/gogo/googleapis", "-I",
                           "/usr/include", f"--go_out=plugins=grpc,{mapped}:{generated}",
                           f"--grpc-gateway_out={mapped}:{generated}", "peer.proto"], capture_output=True, text=True)
    if made.returncode == 0:
        made = subprocess.run(["go", "build", "-o", program, source / "main.go"], capture_output=True, text=True,
                              env=dict(os.environ, GO111MODULE="off", GOFLAGS="", GOPATH=f"{folder}:/usr/share/gocode"))
    if made.returncode != 0:
        print(made.stderr)
    return program if made.returncode == 0 else None


def rest_event(one):
    """An event of 1 KiB with 8 properties; its id."""
    one.rest("POST", "/admin/v1/customers", {"shortName": "bench", "id": 7, "name": "Bench"})
    return one.rest("POST", "/events/v2/event", dict(event(1), id={"customer": "bench"}))["id"]


def measure_rest(table, length):
    program = build_gateway()
    if program is None:
        print("peer missing: grpc-gateway is not here (" + " ".join(GATEWAY_PACKAGES) + ")")
    rates, costs, peer_rates, peer_costs = [], [], [], []
    with tempfile.TemporaryFile() as log, server(*LOGGING, log=log) as one:
        path = "/events/v2/event/" + rest_event(one).split("/", 1)[1] + "?includeAllProperties=true"
        peer = None if program is None else Measured("grpc-gateway", [program])
        for turn in range(length.rounds + 1):
            rate, cost = cpu_of(one, lambda: wrk(one.port, path, length.seconds, "-H", f"Argus-API-Key: {one.key}"))
            if turn > 0:
                rates.append(rate / 1000)
                costs.append(cost)
            if peer is not None:
                rate, cost = cpu_of(peer, lambda: wrk(peer.port, path, length.seconds))
                if turn > 0:
                    peer_rates.append(rate / 1000)
                    peer_costs.append(cost)
        if peer is not None:
            peer.stop()
    ratio = ratio_of(rates, peer_rates) if peer_rates else None
    table.add("REST get of an event, wrk -t1 -c50", spread(rates, "{:.0f}") + " k/s",
              spread(peer_rates, "{:.1f}") + " k/s" if peer_rates else "missing",
              f"{ratio:.1f}" if ratio else "-", ">= 100 k/s, >= 5x grpc-gateway",
              median(rates) >= 100 and (ratio is None or ratio >= 5))
    table.add("  CPU per call", spread(costs, "{:.1f}") + " us",
              spread(peer_costs, "{:.0f}") + " us" if peer_costs else "missing", "", "", None)


def make_certificate(folder):
    """(certificate, key) of 127.0.0.1, signed by itself: files in `folder`."""
    certificate, key = pathlib.Path(folder) / "server.pem", pathlib.Path(folder) / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                    certificate], capture_output=True, check=True)
    return certificate, key


class Nginx:
    """One worker that answers `size` bytes from memory, in plain text and by TLS on two ports."""

    def __init__(self, folder, certificate, key, size):
        self.port, self.tls_port = free_port(), free_port()
        (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1000; }}
http {{
    access_log off; keepalive_requests 100000000; http2_max_concurrent_streams 128;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    ssl_certificate {certificate}; ssl_certificate_key {key};
    server {{ listen 127.0.0.1:{self.port} http2; location / {{ return 200 "{'x' * size}"; }} }}
    server {{ listen 127.0.0.1:{self.tls_port} ssl http2; location / {{ return 200 "{'x' * size}"; }} }}
}}
""")
        self.process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.answers():
            if time.monotonic() > deadline:
                raise SystemExit("nginx does not start")
            time.sleep(0.05)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def cpu_seconds(self):
        """Of its worker, its only child."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        fields = pathlib.Path(f"/proc/{children[0]}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


ANSWER_BYTES = 1100  # about what GetEvent answers


def measure_tls(table, length):
    """GetEvent by TLS and in plain text of the same server, and the same of nginx with an answer of that size."""
    plain, secret, peer_plain, peer_secret = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as name, tempfile.TemporaryFile() as log:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        certificate, key = make_certificate(folder)
        peer = None if shutil.which("nginx") is None else Nginx(folder, certificate, key, ANSWER_BYTES)
        if peer is None:
            print("peer missing: nginx is not here (nginx-light)")
        options = ("--set", "workers=1", "--set", "listen_tls=127.0.0.1:0", "--set", f"tls_certificates={certificate}",
                   "--set", f"tls_keys={key}", *LOGGING)
        with server(*options, log=log) as one, grpc_file(get_request(rest_event(one))[5:]) as file:
            extra = ("-d", file.name, *GRPC_HEADERS, "-H", f"argus-api-key: {one.key}")
            for turn in range(length.rounds + 1):
                for of, port, scheme, path, words, found in (
                        (one, one.port, "http", GET, extra, plain), (one, one.tls_port, "https", GET, extra, secret),
                        (peer, peer and peer.port, "http", "/", (), peer_plain),
                        (peer, peer and peer.tls_port, "https", "/", (), peer_secret)):
                    if of is not None:
                        cost = cpu_of(of, lambda: h2load(port, path, length.calls // 2, 10, 32, *words, scheme=scheme))[1]
                        found += [cost] if turn > 0 else []
        if peer is not None:
            peer.stop()
    ratio = ratio_of(secret, plain)
    table.add("TLS: CPU per call beside plain text", f"{median(secret):.2f} / {median(plain):.2f} us = {ratio:.2f}",
              f"nginx {median(peer_secret):.2f} / {median(peer_plain):.2f} us = {ratio_of(peer_secret, peer_plain):.2f}"
              if peer_plain else "missing", "-" if not peer_plain else f"{ratio / ratio_of(peer_secret, peer_plain):.2f}",
              "<= 1.5x of plain", ratio <= 1.5)


def call_of(path, key, message):
    """The bytes of a client that connects, says its settings and makes one call: preface, SETTINGS, HEADERS with every
    field written out, DATA."""
    def field(name, value):
        return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()

    def frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    fields = b"".join(field(*pair) for pair in ((":method", "POST"), (":scheme", "http"), (":path", path),
                                                (":authority", "127.0.0.1"), ("content-type", "application/grpc"),
                                                ("te", "trailers"), ("argus-api-key", key)))
    body = b"\x00" + struct.pack(">I", len(message)) + message
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b"")
            + frame(1, 4, 1, fields) + frame(0, 1, 1, body))


def open_idle(port, count, words):
    """So many connections that have made one call each, from as many addresses as it takes."""
    connections = []
    for i in range(count):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((f"127.0.{1 + i // 500}.1", 0))
        one.connect(("127.0.0.1", port))
        one.sendall(words)
        connections.append(one)
    for one in connections:
        seen = b""
        while not ends_stream(seen):
            part = one.recv(65536)
            if not part:
                raise SystemExit("the server has closed an idle connection")
            seen += part
    return connections


def ends_stream(seen):
    """Has a frame with END_STREAM of stream 1 arrived?"""
    at = 0
    while at + 9 <= len(seen):
        size = int.from_bytes(seen[at:at + 3], "big")
        kind, flags = seen[at + 3], seen[at + 4]
        if kind in (0, 1) and flags & 1 and at + 9 + size <= len(seen):
            return True
        at += 9 + size
    return False


def measure_memory(table, length):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(length.idle_connections, hard - 500)
    with server("--set", f"connections_max={count + 1000}", "--set", "access_log=off") as one:
        event_id = rest_event(one)
        message = get_request(event_id)
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(message)
            file.flush()
            extra = ("-d", file.name, *GRPC_HEADERS, "-H", f"argus-api-key: {one.key}")
            h2load(one.port, GET, 1000, 1, 1, *extra)
            time.sleep(0.5)
            idle = one.rss_mib()
            one.forget_peak()
            h2load(one.port, GET, length.calls, 100, 10, *extra)
            busy = one.peak_mib() - idle
        table.add("memory: 100 connections x 10 over idle, peak", f"{busy:.1f} MB (idle {idle:.0f})", "", "", "<= 15 MB",
                  busy <= 15)
        before = one.rss_mib()
        connections = open_idle(one.port, count, call_of(GET, one.key, message[5:]))
        time.sleep(0.5)
        each = (one.rss_mib() - before) * 1024 / count
        table.add(f"memory: each of {count:,} idle connections", f"{each:.1f} KB", "", "", "<= 20 KB", each <= 20)
        for connection in connections:
            connection.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Watch(threading.Thread):
    """The resident memory of a program, once a second: (seconds since the start, MiB)."""

    def __init__(self, one):
        super().__init__(daemon=True)
        self.one, self.seen, self.over = one, [], threading.Event()

    def run(self):
        begun = time.monotonic()
        while not self.over.wait(1):
            self.seen.append((time.monotonic() - begun, self.one.rss_mib(), self.one.status_mib("RssAnon")))


def stream_once(seconds):
    with tempfile.TemporaryFile() as log, server(*LOGGING, log=log) as one:
        one.add_customers()
        watch = Watch(one)
        before = one.cpu_seconds()
        watch.start()
        out = subprocess.run([BIN / "bench_stream", "--port", str(one.port), "--key", one.key, "--seconds", str(seconds)],
                             capture_output=True, text=True)
        watch.over.set()
        watch.join()
        if out.returncode != 0:
            raise SystemExit(out.stderr)
        result = json.loads(out.stdout)
        result["cpu_us"] = (one.cpu_seconds() - before) / result["events"] * 1e6
        result["memory"] = watch.seen
    return result


def store_alone(seconds):
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        out = subprocess.run([BIN / "bench_store", pathlib.Path(folder) / "store", str(seconds)], capture_output=True,
                             text=True, check=True).stdout
    return json.loads(out)["rate"]


def show_memory(memory):
    """Anonymous memory at the quarters of the run."""
    picks = [memory[len(memory) * part // 4 - 1] for part in (1, 2, 3, 4)] if len(memory) >= 4 else memory
    return "/".join(f"{pick[2]:.0f}" for pick in picks)


# What memory grows by: of an event in the id map and the dictionaries; and LevelDB's two write buffers, until both have
# been filled once. A run that does not fill them in its first half says nothing about memory.
ROW_BYTES = 40
WRITE_BUFFERS_BYTES = 2 * 256 * 2**20


def measure_stream(table, length):
    if not build("bench_stream", "bench_store"):
        raise SystemExit("bench_stream cannot be built")
    floors = [store_alone(length.store_seconds)]
    result = stream_once(length.stream_seconds)
    floors.append(store_alone(length.store_seconds))
    floor = median(floors)
    table.add(f"stream of {result['event_bytes']}-byte events, {length.stream_seconds} s, durable",
              f"{result['rate'] / 1000:.1f} k/s", f"LevelDB alone {floor / 1000:.0f} k/s",
              f"{result['rate'] / floor:.2f}", ">= 60 k/s", result["rate"] >= 60000)
    memory = result["memory"]
    grown = memory[-1][2] - memory[len(memory) // 2][2] if memory else 0
    rows_mib = result["events"] / 2 * ROW_BYTES / 2**20
    is_full = result["events"] / 2 * result["event_bytes"] > WRITE_BUFFERS_BYTES
    table.add("  slowest second; acknowledged p50, p99; server CPU",
              f"{result['slowest_second'] / 1000:.1f} k/s; {result['p50_ms']:.0f}, {result['p99_ms']:.0f} ms; "
              f"{result['cpu_us']:.1f} us", "", "", "", None)
    table.add("  anonymous memory at the quarters of the run", show_memory(memory) + " MiB", "", "",
              f"flat: second half <= {rows_mib:.0f} MiB of rows", grown <= rows_mib if is_full else None)


PARTS = ("echo", "client", "rest", "tls", "memory", "stream")


def main():
    parser = argparse.ArgumentParser(prog="tools/bench/run rpc", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short rounds, below three minutes")
    parser.add_argument("--rounds", type=int, help="rounds of each figure")
    parser.add_argument("--only", default=",".join(PARTS), help="some of " + ",".join(PARTS))
    options = parser.parse_args()
    wanted = options.only.split(",")
    if not set(wanted) <= set(PARTS):
        parser.error(f"--only takes {','.join(PARTS)}")
    length = Length(options.quick)
    length.rounds = options.rounds or length.rounds
    table = Table()
    if "echo" in wanted or "client" in wanted:
        servers = echo_servers()
        try:
            if "echo" in wanted:
                measure_echo(table, length, servers)
            if "client" in wanted:
                measure_client(table, length, servers)
        finally:
            for one in servers:
                one.stop()
    for name, measure in (("rest", measure_rest), ("tls", measure_tls), ("memory", measure_memory), ("stream", measure_stream)):
        if name in wanted:
            measure(table, length)
    table.show()


if __name__ == "__main__":
    main()
