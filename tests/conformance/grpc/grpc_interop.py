#!/usr/bin/python3
"""The official interoperability client (grpc for Ruby) against tests/support/echo_server: all of its cases that need no
account somewhere.

usage: grpc_interop.py ECHO_SERVER
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server_process import ServerProcess  # noqa: E402

CASES = ["empty_unary", "large_unary", "client_compressed_unary", "client_compressed_streaming", "client_streaming",
         "server_streaming", "ping_pong", "empty_stream", "timeout_on_sleeping_server", "cancel_after_begin",
         "cancel_after_first_response", "unimplemented_method", "unimplemented_service", "status_code_and_message",
         "custom_metadata"]
AT_ONCE = 3


def client_path():
    if not shutil.which("ruby"):
        return None
    files = subprocess.run(["dpkg", "-L", "ruby-grpc"], capture_output=True, text=True, check=False).stdout
    return next((line for line in files.splitlines() if line.endswith("pb/test/client.rb")), None)


def run_case(client, port, case):
    command = ["ruby", client, "--server_host", "127.0.0.1", "--server_port", str(port), "--use_tls", "false",
               "--test_case", case]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    good = run.returncode == 0 and f"OK: {case}" in run.stdout + run.stderr
    print(f"{case}: {'ok' if good else 'FAILED ' + run.stdout + run.stderr}")
    return good


def main():
    client = client_path()
    if client is None:
        print("SKIP: ruby-grpc is not installed")
        return 77
    server = ServerProcess(sys.argv[1])
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda case: run_case(client, server.port, case), CASES))
    failed = [case for case, good in zip(CASES, results) if not good]
    code, _ = server.stop()
    return 1 if failed or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
