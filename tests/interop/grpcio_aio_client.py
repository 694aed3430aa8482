"""The client program of grpcio's asyncio; client_cases.py says how it is called."""
import asyncio
import os
import sys

import grpc
from client_cases import (ANSWERS, CODES, FLIGHT, LIMIT, METADATA, MIB, SIZES, SPECIAL, TRAILING, WAIT, Calls, Contract, Messages,
                          arguments_of, check_details, check_reflection, credentials, equal, one_line, reflection_requests, say)

OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
TESTING = "grpc.testing.TestService."
HEALTH = "grpc.health.v1.Health."
GZIP = grpc.Compression.Gzip


async def read_all(answers):
    return [answer async for answer in answers]


async def code_of(awaitable):
    try:
        await awaitable
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()
    return CODES.OK, ""


class Cases:
    def __init__(self, arguments):
        self.arguments = arguments
        self.contract = Contract(arguments["descriptors"])
        self.make = Messages(self.contract)
        self.echo = grpc.aio.insecure_channel(arguments["echo"], options=OPTIONS)
        self.vigil = grpc.aio.insecure_channel(arguments["vigil"], options=OPTIONS)

    def call(self, name, channel=None):
        path, kind, encode, decode = self.contract.parts(name)
        return getattr(channel or self.echo, kind)(path, request_serializer=encode, response_deserializer=decode)

    def unary(self, request, name=TESTING + "UnaryCall", **options):
        return self.call(name, options.pop("channel", None))(request, timeout=WAIT, **options)

    async def empty_unary(self):
        equal(await self.unary(self.make.empty(), TESTING + "EmptyCall"), self.make.empty())

    async def large_unary(self):
        equal((await self.unary(self.make.simple(314159, bytes(271828)))).payload.body, bytes(314159))

    async def client_compressed_unary(self):
        announced = self.make.simple(314159, bytes(271828), expect_compressed={"value": True})
        equal((await code_of(self.unary(announced)))[0], CODES.INVALID_ARGUMENT)
        equal((await self.unary(announced, compression=GZIP)).payload.body, bytes(314159))
        plain = self.make.simple(314159, bytes(271828), expect_compressed={"value": False})
        equal((await self.unary(plain)).payload.body, bytes(314159))

    def collect(self, requests, **options):
        return self.call(TESTING + "StreamingInputCall")(iter(requests), timeout=WAIT, **options)

    async def client_compressed_streaming(self):
        announced = self.make.input(bytes(27182), expect_compressed={"value": True})
        equal((await code_of(self.collect([announced])))[0], CODES.INVALID_ARGUMENT)
        # What gzip makes no smaller is sent plain.
        plain = self.make.input(os.urandom(45904), expect_compressed={"value": False})
        equal((await self.collect([announced, plain], compression=GZIP)).aggregated_payload_size, 73086)

    async def client_streaming(self):
        answer = await self.collect([self.make.input(bytes(size)) for size in SIZES])
        equal(answer.aggregated_payload_size, sum(SIZES))

    async def stream(self, request):
        return [len(row.payload.body) for row in await read_all(self.call(TESTING + "StreamingOutputCall")(request, timeout=WAIT))]

    async def server_streaming(self):
        equal(await self.stream(self.make.output(ANSWERS)), list(ANSWERS))

    def converse(self, **options):
        options.setdefault("timeout", WAIT)
        return self.call(TESTING + "FullDuplexCall")(**options)

    async def ping_pong(self):
        duplex = self.converse()
        for asked, sent in zip(ANSWERS, SIZES):
            await duplex.write(self.make.output([asked], bytes(sent)))
            equal(len((await duplex.read()).payload.body), asked)
        await duplex.done_writing()
        equal(await duplex.read(), grpc.aio.EOF)
        equal(await duplex.code(), CODES.OK)

    async def empty_stream(self):
        duplex = self.converse()
        await duplex.done_writing()
        equal(await duplex.read(), grpc.aio.EOF)
        equal(await duplex.code(), CODES.OK)

    async def timeout_on_sleeping_server(self):
        async def talk():
            duplex = self.converse(timeout=0.001)
            try:
                await duplex.write(self.make.output([{"size": 8, "interval_us": 2000000}], bytes(27182)))
            except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
                pass  # it has ended already
            return await duplex.code()
        equal(await talk(), CODES.DEADLINE_EXCEEDED)

    async def cancel_after_begin(self):
        call = self.call(TESTING + "StreamingInputCall")()
        call.cancel()
        equal(await call.code(), CODES.CANCELLED)

    async def cancel_after_first_response(self):
        duplex = self.converse()
        await duplex.write(self.make.output([31415], bytes(27182)))
        equal(len((await duplex.read()).payload.body), 31415)
        duplex.cancel()
        equal(await duplex.code(), CODES.CANCELLED)

    async def unimplemented_method(self):
        equal((await code_of(self.unary(self.make.empty(), TESTING + "UnimplementedCall")))[0], CODES.UNIMPLEMENTED)

    async def unimplemented_service(self):
        name = "grpc.testing.UnimplementedService.UnimplementedCall"
        equal((await code_of(self.unary(self.make.empty(), name)))[0], CODES.UNIMPLEMENTED)

    async def fails(self, text):
        failure = self.make.failure(text=text)
        equal(await code_of(self.unary(self.make.simple(response_status=failure))), (CODES.UNKNOWN, text))
        duplex = self.converse()
        await duplex.write(self.make.output(response_status=failure))
        await duplex.done_writing()
        equal((await duplex.code(), await duplex.details()), (CODES.UNKNOWN, text))

    async def status_code_and_message(self):
        await self.fails("test status message")

    async def special_status_message(self):
        await self.fails(SPECIAL)

    async def custom_metadata(self):
        unary = self.unary(self.make.simple(314159, bytes(271828)), metadata=METADATA)
        duplex = self.converse(metadata=METADATA)
        await duplex.write(self.make.output([314159], bytes(271828)))
        await duplex.done_writing()
        equal(len(await read_all(duplex)), 1)
        await unary
        for call in (unary, duplex):
            assert METADATA[0] in list(await call.initial_metadata()), await call.initial_metadata()
            equal(dict(list(await call.trailing_metadata()))[TRAILING], METADATA[1][1])

    async def server_compressed_unary(self):
        for packed in (True, False):
            request = self.make.simple(314159, bytes(271828), response_compressed={"value": packed})
            equal((await self.unary(request)).payload.body, bytes(314159))

    async def server_compressed_streaming(self):
        rows = [{"size": 31415, "compressed": {"value": True}}, {"size": 92653, "compressed": {"value": False}}]
        equal(await self.stream(self.make.output(rows)), [31415, 92653])

    async def big_messages(self):
        equal(len((await self.unary(self.make.simple(body=os.urandom(3 * MIB)))).payload.body), 3 * MIB)
        over = LIMIT + 1 - self.make.simple(body=bytes(LIMIT - 100)).ByteSize()
        request = self.make.simple(body=bytes(LIMIT - 100 + over))
        equal((await code_of(self.unary(request)))[0], CODES.RESOURCE_EXHAUSTED)

    async def status_details(self):
        call = self.unary(self.make.simple(2), "vigil.test.Echo.Fail")
        equal(await call.code(), CODES.INVALID_ARGUMENT)
        check_details(self.contract, list(await call.trailing_metadata()))

    async def deadline(self):
        call = self.call("vigil.test.Echo.Sleep")
        equal((await code_of(call(self.make.simple(20000), timeout=0.1)))[0], CODES.DEADLINE_EXCEEDED)

    def check(self, channel, service=""):
        return self.unary(self.make.health(service), HEALTH + "Check", channel=channel)

    async def health_check(self):
        for name in ("", "vigil.events.v2.EventService"):
            equal((await self.check(self.vigil, name)).status, 1)
        equal((await code_of(self.check(self.vigil, "no.such.Service")))[0], CODES.NOT_FOUND)

    async def health_watch(self):
        for name, status in (("", 1), ("no.such.Service", 3)):
            watch = self.call(HEALTH + "Watch", self.vigil)(self.make.health(name), timeout=WAIT)
            equal((await watch.read()).status, status)
            watch.cancel()
            equal(await watch.code(), CODES.CANCELLED)

    async def reflection(self, version):
        call = self.call(f"grpc.reflection.{version}.ServerReflection.ServerReflectionInfo", self.vigil)
        check_reflection(await read_all(call(iter(reflection_requests(self.make, version)), timeout=WAIT)))

    async def reflection_v1(self):
        await self.reflection("v1")

    async def reflection_v1alpha(self):
        await self.reflection("v1alpha")

    def secure(self, with_certificate=False):
        return grpc.aio.secure_channel(self.arguments["tls"], credentials(self.arguments, with_certificate), options=OPTIONS)

    async def tls(self):
        async with self.secure() as channel:
            equal((await self.check(channel)).status, 1)

    async def who(self, channel):
        path = "/vigil.account.v1.AccountService/GetCurrentUser"
        call = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        return (await code_of(call(b"", timeout=WAIT)))[0]

    async def mtls(self):
        async with self.secure(True) as mine, self.secure() as nobody:
            equal(await self.who(mine), CODES.OK)
            equal(await self.who(nobody), CODES.UNAUTHENTICATED)


async def load(arguments):
    """Calls without an end, each of them waiting for a server if there is none."""
    contract, calls = Contract(arguments["descriptors"]), Calls()
    path, _, encode, decode = contract.parts(HEALTH + "Check")
    request = Messages(contract).health()

    async with grpc.aio.insecure_channel(arguments["vigil"], options=OPTIONS) as channel:
        call = channel.unary_unary(path, request_serializer=encode, response_deserializer=decode)

        async def run():
            while not calls.over.is_set():
                try:
                    await call(request, timeout=WAIT, wait_for_ready=True)
                    calls.done()
                except grpc.aio.AioRpcError as error:
                    calls.failed(error)
        await asyncio.gather(*[run() for _ in range(FLIGHT)])
    calls.report()


async def main():
    arguments, names = arguments_of(sys.argv[1:])
    if names == ["load"]:
        await load(arguments)
        return
    cases = Cases(arguments)
    for name in names:
        try:
            await getattr(cases, name)()
            say(name, "pass", "")
        except (AssertionError, grpc.aio.AioRpcError, KeyError) as error:
            say(name, "fail", one_line(error))


if __name__ == "__main__":
    asyncio.run(main())
