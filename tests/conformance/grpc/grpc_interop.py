#!/usr/bin/python3
"""The official interoperability client (grpc for Ruby) against tests/support/echo_server: the cases of unary calls and
server streaming.

usage: grpc_interop.py ECHO_SERVER
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server_process import ServerProcess  # noqa: E402

CASES = ["empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
         "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server", "unimplemented_method",
         "unimplemented_service"]


def client_path():
    if not shutil.which("ruby"):
        return None
    files = subprocess.run(["dpkg", "-L", "ruby-grpc"], capture_output=True, text=True, check=False).stdout
    return next((line for line in files.splitlines() if line.endswith("pb/test/client.rb")), None)


def main():
    client = client_path()
    if client is None:
        print("SKIP: ruby-grpc is not installed")
        return 77
    server = ServerProcess(sys.argv[1])
    failed = []
    for case in CASES:
        command = ["ruby", client, "--server_host", "127.0.0.1", "--server_port", str(server.port),
                   "--use_tls", "false", "--test_case", case]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        good = run.returncode == 0 and f"OK: {case}" in run.stdout + run.stderr
        print(f"{case}: {'ok' if good else 'FAILED'}")
        if not good:
            print(run.stdout, run.stderr)
            failed.append(case)
    code, _ = server.stop()
    return 1 if failed or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
