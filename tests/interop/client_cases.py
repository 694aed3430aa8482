"""What the client programs in Python share: arguments, messages made from descriptors, and how they report.

    PROGRAM echo=HOST:PORT vigil=HOST:PORT [tls=HOST:PORT ca= certificate= key=] descriptors=FILE CASE...
    PROGRAM vigil=HOST:PORT descriptors=FILE load

prints a line "CASE<tab>pass|fail|absent<tab>why" for each case. `load` calls Health/Check as fast as it goes until
standard input ends, and says "calls N" now and then.
"""
import sys
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

WAIT = 30
MIB = 1024 * 1024
LIMIT = 4 * MIB
FLIGHT = 8
SIZES = (27182, 8, 1828, 45904)
ANSWERS = (31415, 9, 2653, 58979)
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
METADATA = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab"))
CODES = grpc.StatusCode


class Contract:
    """Methods and messages of the file of descriptors."""

    def __init__(self, path):
        self.pool = descriptor_pool.DescriptorPool()
        with open(path, "rb") as file:
            for row in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
                self.pool.Add(row)
        self.factory = message_factory.MessageFactory(self.pool)

    def message(self, name, **members):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))(**members)

    def parts(self, name):
        """(path, how a channel makes it, request to bytes, bytes to answer) of a method."""
        method = self.pool.FindMethodByName(name)
        service = descriptor_pb2.ServiceDescriptorProto()
        method.containing_service.CopyToProto(service)
        row = next(row for row in service.method if row.name == method.name)
        words = ["stream" if streams else "unary" for streams in (row.client_streaming, row.server_streaming)]
        path = f"/{method.containing_service.full_name}/{method.name}"
        return path, "_".join(words), lambda request: request.SerializeToString(), self.factory.GetPrototype(method.output_type).FromString


class Messages:
    """Requests of grpc.testing, and what answers are held against."""

    def __init__(self, contract):
        self.contract = contract

    def empty(self):
        return self.contract.message("grpc.testing.Empty")

    def simple(self, size=0, body=b"", **members):
        return self.contract.message("grpc.testing.SimpleRequest", response_size=size, payload={"body": body}, **members)

    def input(self, body, **members):
        return self.contract.message("grpc.testing.StreamingInputCallRequest", payload={"body": body}, **members)

    def output(self, sizes=(), body=b"", **members):
        rows = [row if isinstance(row, dict) else {"size": row} for row in sizes]
        return self.contract.message("grpc.testing.StreamingOutputCallRequest", response_parameters=rows, payload={"body": body}, **members)

    def health(self, service=""):
        return self.contract.message("grpc.health.v1.HealthCheckRequest", service=service)

    def reflection(self, version, **members):
        return self.contract.message(f"grpc.reflection.{version}.ServerReflectionRequest", **members)

    def failure(self, code=2, text="test status message"):
        return {"code": code, "message": text}


def equal(found, wanted):
    assert found == wanted, f"{found!r:.300} instead of {wanted!r:.300}"


def check_details(contract, metadata):
    """google.rpc.Status with a BadRequest of two violations."""
    status = contract.message("google.rpc.Status")
    status.ParseFromString(dict(metadata)["grpc-status-details-bin"])
    equal(status.code, CODES.INVALID_ARGUMENT.value[0])
    bad = [row for row in status.details if row.type_url.endswith("/google.rpc.BadRequest")]
    details = contract.message("google.rpc.BadRequest")
    details.ParseFromString(bad[0].value)
    equal([row.field for row in details.field_violations], ["events[0].location", "events[1].location"])


def check_reflection(answers):
    names = [row.name for row in answers[0].list_services_response.service]
    assert {"grpc.health.v1.Health", "vigil.events.v2.EventService"} <= set(names), names
    equal(len(answers[1].file_descriptor_response.file_descriptor_proto), 1)


def reflection_requests(messages, version):
    return [messages.reflection(version, list_services="*"),
            messages.reflection(version, file_containing_symbol="grpc.health.v1.Health.Check")]


def credentials(arguments, with_certificate):
    def read(name):
        with open(arguments[name], "rb") as file:
            return file.read()
    pair = (read("key"), read("certificate")) if with_certificate else (None, None)
    return grpc.ssl_channel_credentials(read("ca"), *pair)


def arguments_of(words):
    """(named arguments, cases)."""
    return dict(word.split("=", 1) for word in words if "=" in word), [word for word in words if "=" not in word]


def say(*words):
    print(*words, sep="\t", flush=True)


def one_line(error):
    return " ".join(str(error).split())[:500] or type(error).__name__


class Calls:
    """Counts calls of a load, and says so; knows when standard input has ended."""

    def __init__(self):
        self.lock = threading.Lock()
        self.count = 0
        self.failures = []
        self.over = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), self.over.set()), daemon=True).start()

    def done(self):
        with self.lock:
            self.count += 1
            if self.count % 50 == 0:
                print("calls", self.count, flush=True)

    def failed(self, error):
        with self.lock:
            self.failures.append(one_line(error))
        self.over.set()

    def report(self):
        say("load", "fail" if self.failures else "pass", self.failures[0] if self.failures else f"{self.count} calls")
