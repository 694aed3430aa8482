#!/usr/bin/python3
"""An agent that streams events by EventStream.Submit, made of grpcio and our .proto files alone.

usage: stream_agent.py SERVER STREAM SPOOL [--follow]     (VIGIL_API_KEY, VIGIL_STUBS: what protoc made of proto/)

A line of the spool, a JSON object, is an event, and its number the event's position. Nothing else is kept: where to go on is
what the server says. So it may be killed at any moment. Without --follow it ends when the whole spool is stored.

It begins when a line comes on stdin (starting an interpreter takes longer than all the rest) and tells on stdout, a line each:
"told N" (where the server says the stream is), "sent N", "acknowledged N", "rejected N WHY", "again CODE".
"""
import itertools
import json
import os
import random
import sys
import threading
import time

import google
import grpc

STUBS = os.environ["VIGIL_STUBS"]
google.__path__.append(os.path.join(STUBS, "google"))  # google.api: of the stubs; google.protobuf: of its package
sys.path.insert(0, STUBS)

from vigil.events.v2 import stream_pb2, stream_pb2_grpc  # noqa: E402

AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.RESOURCE_EXHAUSTED)
AHEAD = 20000  # events sent and not yet acknowledged
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
LOOK = 0.02


def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # whole lines, whichever thread it is


class Call:
    """One call: it sends what stands behind the place the server names, until it fails or nothing is left."""

    def __init__(self, stub, stream, spool, follow):
        self.stream, self.spool, self.follow = stream, spool, follow
        self.ended = False
        self.changed = threading.Condition()
        self.durable = None
        metadata = (("argus-api-key", os.environ["VIGIL_API_KEY"]),)
        # While the server is away the call waits for it. (A channel of grpcio connects only while a call is under way.)
        self.answers = stub.Submit(self.requests(), metadata=metadata, wait_for_ready=True)

    def requests(self):
        yield stream_pb2.StreamSubmitRequest(stream=self.stream)
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.durable is not None)
            position = (self.durable or 0) + 1
        with open(self.spool, "rb") as spool:
            for _ in itertools.islice(spool, position - 1):
                pass
            while not self.ended:
                events = self.read(spool, random.choice((1, 7, 50, 300)))
                if events:
                    yield stream_pb2.StreamSubmitRequest(position=position, events=events)
                    position += len(events)
                    tell("sent", position - 1)
                    with self.changed:
                        self.changed.wait_for(lambda: self.ended or position - self.durable < AHEAD)
                elif self.follow:
                    time.sleep(LOOK)
                else:
                    return

    @staticmethod
    def read(spool, count):
        events = []
        while len(events) < count:
            place = spool.tell()
            line = spool.readline()
            if not line.endswith(b"\n"):  # the rest of it is still to come
                spool.seek(place)
                break
            row = json.loads(line)
            event = stream_pb2.StreamSubmitRequest().events.add(signature=row["signature"])
            event.properties.add(key="number", values=[str(row["number"])])
            events.append(event)
        return events

    def run(self):
        try:
            for answer in self.answers:
                with self.changed:
                    tell("told" if self.durable is None else "acknowledged", answer.position)
                    self.durable = answer.position
                    self.changed.notify_all()
                for row in answer.rejected:
                    tell("rejected", row.position, row.message)
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()


def pause_after(error, failures):
    """As long as the server asks for, else a little longer each time."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-retry-pushback-ms":
            return int(value) / 1000
    return random.uniform(0.5, 1) * PAUSES[min(failures, len(PAUSES) - 1)]


def main():
    server, stream, spool = sys.argv[1:4]
    follow = "--follow" in sys.argv[4:]
    sys.stdin.readline()
    options = [("grpc.enable_http_proxy", 0), ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 500)]
    stub = stream_pb2_grpc.EventStreamStub(grpc.insecure_channel(server, options=options))
    failures = 0
    while True:
        call = Call(stub, stream, spool, follow)
        try:
            call.run()
            return
        except grpc.RpcError as error:
            tell("again", error.code().name)
            if error.code() not in AGAIN:
                raise
            failures = failures + 1 if call.durable is None else 0
            time.sleep(pause_after(error, failures))


main()
