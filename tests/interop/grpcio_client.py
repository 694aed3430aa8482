"""The client program of grpcio; client_cases.py says how it is called."""
import os
import queue
import sys
import threading

import grpc
from client_cases import (ANSWERS, CODES, FLIGHT, LIMIT, METADATA, MIB, SIZES, SPECIAL, TRAILING, WAIT, Calls, Contract, Messages,
                          arguments_of, check_details, check_reflection, credentials, equal, one_line, reflection_requests, say)

OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
TESTING = "grpc.testing.TestService."
HEALTH = "grpc.health.v1.Health."
GZIP = grpc.Compression.Gzip


class Cases:
    def __init__(self, arguments):
        self.arguments = arguments
        self.contract = Contract(arguments["descriptors"])
        self.make = Messages(self.contract)
        self.echo = grpc.insecure_channel(arguments["echo"], options=OPTIONS)
        self.vigil = grpc.insecure_channel(arguments["vigil"], options=OPTIONS)

    def call(self, name, channel=None):
        path, kind, encode, decode = self.contract.parts(name)
        return getattr(channel or self.echo, kind)(path, request_serializer=encode, response_deserializer=decode)

    def unary(self, request, name=TESTING + "UnaryCall", **options):
        return self.call(name, options.pop("channel", None))(request, timeout=WAIT, **options)

    def code(self, function):
        try:
            function()
        except grpc.RpcError as error:
            return error.code(), error.details()
        return CODES.OK, ""

    def empty_unary(self):
        equal(self.unary(self.make.empty(), TESTING + "EmptyCall"), self.make.empty())

    def large_unary(self):
        equal(self.unary(self.make.simple(314159, bytes(271828))).payload.body, bytes(314159))

    def client_compressed_unary(self):
        announced = self.make.simple(314159, bytes(271828), expect_compressed={"value": True})
        equal(self.code(lambda: self.unary(announced))[0], CODES.INVALID_ARGUMENT)
        equal(self.unary(announced, compression=GZIP).payload.body, bytes(314159))
        plain = self.make.simple(314159, bytes(271828), expect_compressed={"value": False})
        equal(self.unary(plain).payload.body, bytes(314159))

    def collect(self, requests, **options):
        return self.call(TESTING + "StreamingInputCall")(iter(requests), timeout=WAIT, **options).aggregated_payload_size

    def client_compressed_streaming(self):
        announced = self.make.input(bytes(27182), expect_compressed={"value": True})
        equal(self.code(lambda: self.collect([announced]))[0], CODES.INVALID_ARGUMENT)
        # What gzip makes no smaller is sent plain.
        plain = self.make.input(os.urandom(45904), expect_compressed={"value": False})
        equal(self.collect([announced, plain], compression=GZIP), 73086)

    def client_streaming(self):
        equal(self.collect([self.make.input(bytes(size)) for size in SIZES]), sum(SIZES))

    def stream(self, request, **options):
        return [len(row.payload.body) for row in self.call(TESTING + "StreamingOutputCall")(request, timeout=WAIT, **options)]

    def server_streaming(self):
        equal(self.stream(self.make.output(ANSWERS)), list(ANSWERS))

    def converse(self, requests=None, **options):
        options.setdefault("timeout", WAIT)
        return self.call(TESTING + "FullDuplexCall")(iter(requests.get, None), **options)

    def ping_pong(self):
        requests = queue.Queue()
        answers = self.converse(requests)
        for asked, sent in zip(ANSWERS, SIZES):
            requests.put(self.make.output([asked], bytes(sent)))
            equal(len(next(answers).payload.body), asked)
        requests.put(None)
        equal(list(answers), [])
        equal(answers.code(), CODES.OK)

    def empty_stream(self):
        requests = queue.Queue()
        requests.put(None)
        equal(list(self.converse(requests)), [])

    def timeout_on_sleeping_server(self):
        requests = queue.Queue()
        requests.put(self.make.output([{"size": 8, "interval_us": 2000000}], bytes(27182)))
        equal(self.code(lambda: list(self.converse(requests, timeout=0.001)))[0], CODES.DEADLINE_EXCEEDED)
        requests.put(None)

    def cancel_after_begin(self):
        requests = queue.Queue()
        call = self.call(TESTING + "StreamingInputCall").future(iter(requests.get, None))
        call.cancel()
        equal(call.code(), CODES.CANCELLED)
        requests.put(None)

    def cancel_after_first_response(self):
        requests = queue.Queue()
        answers = self.converse(requests)
        requests.put(self.make.output([31415], bytes(27182)))
        equal(len(next(answers).payload.body), 31415)
        answers.cancel()
        equal(self.code(lambda: next(answers))[0], CODES.CANCELLED)
        requests.put(None)

    def unimplemented_method(self):
        equal(self.code(lambda: self.unary(self.make.empty(), TESTING + "UnimplementedCall"))[0], CODES.UNIMPLEMENTED)

    def unimplemented_service(self):
        name = "grpc.testing.UnimplementedService.UnimplementedCall"
        equal(self.code(lambda: self.unary(self.make.empty(), name))[0], CODES.UNIMPLEMENTED)

    def fails(self, text):
        failure = self.make.failure(text=text)
        equal(self.code(lambda: self.unary(self.make.simple(response_status=failure))), (CODES.UNKNOWN, text))
        requests = queue.Queue()
        requests.put(self.make.output(response_status=failure))
        requests.put(None)
        equal(self.code(lambda: list(self.converse(requests))), (CODES.UNKNOWN, text))

    def status_code_and_message(self):
        self.fails("test status message")

    def special_status_message(self):
        self.fails(SPECIAL)

    def custom_metadata(self):
        method = self.call(TESTING + "UnaryCall")
        _, unary = method.with_call(self.make.simple(314159, bytes(271828)), timeout=WAIT, metadata=METADATA)
        requests = queue.Queue()
        requests.put(self.make.output([314159], bytes(271828)))
        requests.put(None)
        duplex = self.converse(requests, metadata=METADATA)
        equal(len(list(duplex)), 1)
        for call in (unary, duplex):
            assert METADATA[0] in [tuple(row) for row in call.initial_metadata()], call.initial_metadata()
            equal(dict(call.trailing_metadata())[TRAILING], METADATA[1][1])

    def server_compressed_unary(self):
        for packed in (True, False):
            request = self.make.simple(314159, bytes(271828), response_compressed={"value": packed})
            equal(self.unary(request).payload.body, bytes(314159))

    def server_compressed_streaming(self):
        rows = [{"size": 31415, "compressed": {"value": True}}, {"size": 92653, "compressed": {"value": False}}]
        equal(self.stream(self.make.output(rows)), [31415, 92653])

    def big_messages(self):
        equal(len(self.unary(self.make.simple(body=os.urandom(3 * MIB))).payload.body), 3 * MIB)
        over = LIMIT + 1 - self.make.simple(body=bytes(LIMIT - 100)).ByteSize()
        request = self.make.simple(body=bytes(LIMIT - 100 + over))
        equal(request.ByteSize(), LIMIT + 1)
        equal(self.code(lambda: self.unary(request))[0], CODES.RESOURCE_EXHAUSTED)

    def status_details(self):
        try:
            self.unary(self.make.simple(2), "vigil.test.Echo.Fail")
        except grpc.RpcError as error:
            equal(error.code(), CODES.INVALID_ARGUMENT)
            check_details(self.contract, error.trailing_metadata())
            return
        raise AssertionError("the call did not fail")

    def deadline(self):
        call = self.call("vigil.test.Echo.Sleep")
        equal(self.code(lambda: call(self.make.simple(20000), timeout=0.1))[0], CODES.DEADLINE_EXCEEDED)

    def check(self, channel, service=""):
        return self.unary(self.make.health(service), HEALTH + "Check", channel=channel)

    def health_check(self):
        for name in ("", "vigil.events.v2.EventService"):
            equal(self.check(self.vigil, name).status, 1)
        equal(self.code(lambda: self.check(self.vigil, "no.such.Service"))[0], CODES.NOT_FOUND)

    def health_watch(self):
        for name, status in (("", 1), ("no.such.Service", 3)):
            watch = self.call(HEALTH + "Watch", self.vigil)(self.make.health(name), timeout=WAIT)
            equal(next(watch).status, status)
            watch.cancel()
            equal(self.code(lambda: next(watch))[0], CODES.CANCELLED)

    def reflection(self, version):
        call = self.call(f"grpc.reflection.{version}.ServerReflection.ServerReflectionInfo", self.vigil)
        check_reflection(list(call(iter(reflection_requests(self.make, version)), timeout=WAIT)))

    def reflection_v1(self):
        self.reflection("v1")

    def reflection_v1alpha(self):
        self.reflection("v1alpha")

    def secure(self, with_certificate=False):
        return grpc.secure_channel(self.arguments["tls"], credentials(self.arguments, with_certificate), options=OPTIONS)

    def tls(self):
        with self.secure() as channel:
            equal(self.check(channel).status, 1)

    def who(self, channel):
        path = "/vigil.account.v1.AccountService/GetCurrentUser"
        call = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        return self.code(lambda: call(b"", timeout=WAIT))[0]

    def mtls(self):
        with self.secure(True) as mine, self.secure() as nobody:
            equal(self.who(mine), CODES.OK)
            equal(self.who(nobody), CODES.UNAUTHENTICATED)


def load(arguments):
    """Calls without an end, each of them waiting for a server if there is none."""
    contract, calls = Contract(arguments["descriptors"]), Calls()
    path, _, encode, decode = contract.parts(HEALTH + "Check")
    request = Messages(contract).health()
    channel = grpc.insecure_channel(arguments["vigil"], options=OPTIONS)
    call = channel.unary_unary(path, request_serializer=encode, response_deserializer=decode)

    def run():
        while not calls.over.is_set():
            try:
                call(request, timeout=WAIT, wait_for_ready=True)
                calls.done()
            except grpc.RpcError as error:
                calls.failed(error)
    threads = [threading.Thread(target=run) for _ in range(FLIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls.report()


def main():
    arguments, names = arguments_of(sys.argv[1:])
    if names == ["load"]:
        load(arguments)
        return
    cases = Cases(arguments)
    for name in names:
        try:
            getattr(cases, name)()
            say(name, "pass", "")
        except (AssertionError, grpc.RpcError, KeyError, StopIteration) as error:
            say(name, "fail", one_line(error))


if __name__ == "__main__":
    main()
