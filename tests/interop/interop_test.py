"""One client against the servers of the test build, all cases of the matrix; or the page that is made of the results.

usage: interop_test.py CLIENT --echo-server PROGRAM --descriptors FILE --results FOLDER [--cpp-client PROGRAM]
       interop_test.py page --results FOLDER [--write]      compares docs/interop.md with the results, or writes it
"""
import argparse
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import page  # noqa: E402
from cases import CASES  # noqa: E402
from clients import CLIENTS  # noqa: E402
from servers import Servers  # noqa: E402

# Content types by which a server is asked whether it speaks a transport, for unary calls and for streams.
UNARY = {"gRPC": "application/grpc", "gRPC-Web": "application/grpc-web+proto", "Connect": "application/proto"}
STREAM = {**UNARY, "Connect": "application/connect+proto"}


def is_served(kind, method, port):
    """Whether an empty request of that content type is answered with 200 and in kind."""
    body = b"" if kind == UNARY["Connect"] else bytes(5)
    run = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code} %{content_type}", "-H",
         f"content-type: {kind}", "-H", "te: trailers", "--data-binary", "@-",
         f"http://127.0.0.1:{port}/grpc.testing.TestService/{method}"], input=body, capture_output=True, check=True)
    return run.stdout.decode().startswith(f"200 {kind}")


def columns(client, servers):
    for transport in client.transports:
        probes = ((UNARY[transport], "EmptyCall"), (STREAM[transport], "StreamingOutputCall"))
        if all(is_served(kind, method, servers.echo.port) for kind, method in probes):
            results = client.run(servers, transport)
        else:
            results = {case: ["not served", ""] for case in CASES}
        assert set(results) == set(CASES), set(results) ^ set(CASES)
        yield {"transport": transport, "cases": {case: results[case] for case in CASES}}


def run_client(options):
    client = CLIENTS[options.what](options)
    path = pathlib.Path(options.results, options.what + ".json")
    path.unlink(missing_ok=True)
    package = client.missing()
    if package:
        print(f"SKIP: {client.name} is not tried: {package} is not installed")
        return 77
    path.parent.mkdir(parents=True, exist_ok=True)
    servers = Servers(options.echo_server)
    try:
        client.begin(servers)
        try:
            rows = list(columns(client, servers))
        finally:
            client.end()
    finally:
        servers.close()
    path.write_text(json.dumps({"client": client.name, "version": client.version(), "columns": rows}, indent=1), encoding="utf-8")
    failed = 0
    for row in rows:
        for case, (result, why) in row["cases"].items():
            print(f"{client.name} {row['transport']} {case}: {result} {why}".rstrip())
            failed += result == "fail"
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["page", *CLIENTS])
    for name in ("--echo-server", "--descriptors", "--results", "--cpp-client"):
        parser.add_argument(name)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.what == "page":
        return page.main(pathlib.Path(options.results), list(CLIENTS), options.write)
    return run_client(options)


if __name__ == "__main__":
    sys.exit(main())
