"""Calls that go on while something happens to the server; none of them may fail.

A load of any client has `calls`, the number of those that were answered, `failures`, and `until(calls)`; it runs
within `with`. A program of another language is one as well, when it writes both down.
"""
import threading

import grpc

from . import contract
from .clients import Grpc

CALL = "vigil.account.v1.AccountService/GetSession"
DEADLINE = 20


def no_call_fails(server, load, calls=200):
    """The server is stopped under load and started again on its port: the client notices nothing but a delay."""
    with load:
        load.until(calls)
        port = server.port
        server.stop()
        server.start(port)
        load.until(load.calls + calls)
    assert not load.failures, load.failures


class GrpcioLoad:
    """Calls by grpcio as fast as they go, until a failure; a call waits while there is no server."""

    def __init__(self, port, key, threads=4):
        self.port, self.key = port, key
        self.stop = threading.Event()
        self.changed = threading.Condition()
        self.failures = []
        self.calls = 0
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        client = Grpc(self.port, self.key)
        request_type = contract.method(CALL).request
        stub = client.stub(CALL)
        while not self.stop.is_set():
            try:
                stub(request_type(), metadata=client.metadata(...), timeout=DEADLINE, wait_for_ready=True)
                self.note(None)
            except grpc.RpcError as error:
                self.note((error.code(), error.details()))
                break
        client.channel.close()

    def note(self, failure):
        with self.changed:
            if failure is None:
                self.calls += 1
            else:
                self.failures.append(failure)
            self.changed.notify_all()

    def until(self, calls):
        with self.changed:
            assert self.changed.wait_for(lambda: self.calls >= calls or self.failures, DEADLINE), f"{self.calls} calls"

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
