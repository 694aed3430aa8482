#!/usr/bin/env python3
"""One unary GetEvent of a warm event of 1 KiB with 8 properties, one worker; beside an empty answer of the same server.

gRPC by h2load (10 connections x 32 streams), REST by wrk (50 connections). The floor is GET /healthz over HTTP/2 and
HTTP/1.1: the same sockets and sessions without key, dispatch, store and answer.
"""
import re
import subprocess
import sys
import tempfile

from bench_server import event, get_request, server, spread

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200000
RUNS = 3


def h2load(one, path, *extra):
    before = one.cpu_seconds()
    out = subprocess.run(["h2load", "-c", "10", "-m", "32", "-n", str(CALLS), "-t", "1", *extra,
                          f"http://127.0.0.1:{one.port}{path}"], capture_output=True, text=True, check=True).stdout
    done = int(re.search(r"(\d+) succeeded", out).group(1))
    if done != CALLS:
        raise SystemExit(out)
    rate = float(re.search(r"finished in [^,]*, ([0-9.]+) req/s", out).group(1))
    return rate, (one.cpu_seconds() - before) / CALLS * 1e6


def wrk(one, path, *extra):
    before = one.cpu_seconds()
    out = subprocess.run(["wrk", "-t1", "-c50", "-d4s", *extra, f"http://127.0.0.1:{one.port}{path}"],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(out)
    count = int(re.search(r"(\d+) requests in", out).group(1))
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", out).group(1))
    return rate, (one.cpu_seconds() - before) / count * 1e6


def show(name, runs, limit):
    print(f"{name:44} {spread([run[0] / 1000 for run in runs])} k/s   "
          f"{spread([run[1] for run in runs], '{:.2f}')} CPU-us   {limit}")


def main():
    # The floors ask without a key, and at full speed.
    with server("--set", "workers=1", "--set", "log_level=info", "--set", "access_log_sample=1000", "--set",
                "stranger_share_max=100") as one:
        one.rest("POST", "/admin/v1/customers", {"shortName": "bench", "id": 7, "name": "Bench"})
        submitted = dict(event(1), id={"customer": "bench"})
        event_id = one.rest("POST", "/events/v2/event", submitted)["id"]
        request = tempfile.NamedTemporaryFile(suffix=".bin")
        request.write(get_request(event_id))
        request.flush()
        grpc = ["-d", request.name, "-H", "content-type: application/grpc", "-H", "te: trailers", "-H",
                f"argus-api-key: {one.key}"]
        print("min/median/max of", RUNS, "runs; client and server share the machine's cores")
        show("floor: /healthz over HTTP/2", [h2load(one, "/healthz") for _ in range(RUNS)], "")
        show("gRPC GetEvent, 1 KiB", [h2load(one, "/vigil.events.v2.EventService/GetEvent", *grpc) for _ in range(RUNS)],
             "target >= 85 k/s, <= 11 CPU-us, aim 8")
        show("floor: /healthz over HTTP/1.1", [wrk(one, "/healthz") for _ in range(RUNS)], "")
        path = "/events/v2/event/" + event_id.split("/", 1)[1] + "?includeAllProperties=true"
        show("REST get of the same event", [wrk(one, path, "-H", f"Argus-API-Key: {one.key}") for _ in range(RUNS)],
             "target >= 50 k/s")
        print("counted by the server:", [line for line in metrics(one) if "GetEvent" in line and "handled" in line])


def metrics(one):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", one.port)
    connection.request("GET", "/metrics")
    return connection.getresponse().read().decode().splitlines()


if __name__ == "__main__":
    main()
