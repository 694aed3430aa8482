"""Services that every gRPC tool expects: health (Check, Watch, List) and reflection (v1 and v1alpha), without a key, by
grpcio alone. /readyz says the same truth as health.
"""
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Rest
from vigiltest.foreign import health, reflection, reflection_alpha
from vigiltest.process import wait_until

DEADLINE = 30
HEALTH = "/grpc.health.v1.Health/"
EVENTS = "vigil.events.v2.EventService"
STATUS = health.HealthCheckResponse
REFLECTIONS = (("v1", reflection), ("v1alpha", reflection_alpha))
KEPT = "vigil.record.v1.Event"  # a message that is stored, and no part of the interface


def serialize(message):
    return message.SerializeToString()


class Client:
    """A connection without a key."""

    def __init__(self, port):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.use_local_subchannel_pool", 1),))

    def check(self, service="", **options):
        call = self.channel.unary_unary(HEALTH + "Check", serialize, STATUS.FromString)
        return call(health.HealthCheckRequest(service=service), timeout=DEADLINE, **options).status

    def list(self):
        call = self.channel.unary_unary(HEALTH + "List", serialize, health.HealthListResponse.FromString)
        return {name: row.status for name, row in call(health.HealthListRequest(), timeout=DEADLINE).statuses.items()}

    def watch(self, service=""):
        call = self.channel.unary_stream(HEALTH + "Watch", serialize, STATUS.FromString)
        return call(health.HealthCheckRequest(service=service), timeout=DEADLINE)

    def reflect(self, requests, version="v1", module=reflection):
        call = self.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", serialize,
                                          module.ServerReflectionResponse.FromString)
        return call(iter(requests), timeout=DEADLINE)

    def close(self):
        self.channel.close()


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


class Served(ServerCase):
    settings = ("public_calls_in_flight_max=20",)

    def setUp(self):
        self.client = Client(self.server.port)
        self.addCleanup(self.client.close)


class Health(Served):
    def test_the_server_and_each_of_its_services_serve(self):
        self.assertEqual(self.client.check(), STATUS.SERVING)
        for service in sorted({method.service for method in contract.methods()}):
            self.assertEqual(self.client.check(service), STATUS.SERVING, service)

    def test_an_unknown_service_is_not_found(self):
        for name in ("vigil.events.v2.eventservice", EVENTS + "/GetEvent", "vigil", "\u20ac", " "):
            self.assertEqual(code_of(lambda: self.client.check(name)), grpc.StatusCode.NOT_FOUND, name)

    def test_a_list_has_what_check_knows(self):
        statuses = self.client.list()
        self.assertEqual(set(statuses.values()), {STATUS.SERVING})
        self.assertIn("", statuses)
        self.assertLessEqual({method.service for method in contract.methods()}, set(statuses))
        for name in statuses:
            self.assertEqual(self.client.check(name), STATUS.SERVING)

    def test_whatever_key_comes_with_it(self):
        for key in ("", "wrong", self.server.admin_key()):
            self.assertEqual(self.client.check(metadata=(("argus-api-key", key),)), STATUS.SERVING)

    def test_a_watch_of_the_unknown_says_so_and_stays_open(self):
        watch = self.client.watch("no.such.Service")
        self.assertEqual(next(watch).status, STATUS.SERVICE_UNKNOWN)
        self.assertEqual(self.client.check(), STATUS.SERVING)
        self.assertTrue(watch.is_active())
        watch.cancel()

    def test_strangers_are_counted_by_themselves(self):
        """And streams without end have half of their places: who watches keeps nobody from asking."""
        watches = [self.client.watch() for _ in range(10)]
        self.assertEqual({next(watch).status for watch in watches}, {STATUS.SERVING})
        self.assertEqual(code_of(lambda: next(self.client.watch())), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(code_of(self.client.check), grpc.StatusCode.OK)
        rest = Rest(self.server.port, self.server.admin_key())
        self.addCleanup(rest.close)
        self.assertEqual(rest.get("/events/v1/aggregated").status, 200)
        for watch in watches:
            watch.cancel()
        wait_until(lambda: code_of(lambda: next(self.client.watch())) == grpc.StatusCode.OK, what="places given back")

    def test_a_request_of_a_stranger_is_small(self):
        def fits(size):
            return code_of(lambda: self.client.check("x" * size))

        # A key of one byte and a length of three stand before the name.
        self.assertEqual(fits(65536 - 4), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(fits(65536 - 3), grpc.StatusCode.RESOURCE_EXHAUSTED)


class Life(ServerCase):
    """One server through its whole life."""

    settings = ("drain_notice_ms=400",)

    def test_watch_and_readyz_tell_the_end_before_the_listener_closes(self):
        port = self.server.port
        client = Client(port)
        self.addCleanup(client.close)
        watches = [client.watch(name) for name in ("", EVENTS, "no.such.Service")]
        first = [next(watch).status for watch in watches]
        self.assertEqual(first, [STATUS.SERVING, STATUS.SERVING, STATUS.SERVICE_UNKNOWN])
        self.server.terminate()
        self.assertEqual([next(watch).status for watch in watches[:2]], [STATUS.NOT_SERVING] * 2)
        # The notice: new connections and calls are still served, and told.
        late = Client(port)
        self.addCleanup(late.close)
        self.assertEqual(late.check(), STATUS.NOT_SERVING)
        self.assertEqual(set(late.list().values()), {STATUS.NOT_SERVING})
        self.assertEqual(code_of(lambda: late.check("no.such.Service")), grpc.StatusCode.NOT_FOUND)
        rest = Rest(port, self.server.admin_key())
        ready = rest.get("/readyz")
        self.assertEqual((ready.status, ready.body), (503, b"draining\n"))
        self.assertEqual(rest.get("/healthz").status, 200)
        self.assertEqual(rest.get("/events/v1/aggregated").status, 200)
        rest.close()
        for watch in watches:
            self.assertEqual(code_of(lambda: next(watch)), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(self.server.wait_exit(), 0)


class Reflection(Served):
    def ask(self, version="v1", module=reflection, **request):
        """The one answer to the one request."""
        answers = list(self.client.reflect([module.ServerReflectionRequest(host="example", **request)], version, module))
        self.assertEqual(len(answers), 1)
        self.assertEqual(answers[0].valid_host, "example")
        self.assertEqual(answers[0].original_request, module.ServerReflectionRequest(host="example", **request))
        return answers[0]

    def files(self, answer):
        return [descriptor_pb2.FileDescriptorProto.FromString(data)
                for data in answer.file_descriptor_response.file_descriptor_proto]

    def test_all_services_are_listed(self):
        expected = {method.service for method in contract.methods()} | {
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
        for version, module in REFLECTIONS:
            names = [row.name for row in self.ask(version, module, list_services="*").list_services_response.service]
            self.assertEqual(set(names), expected)
            self.assertEqual(len(names), len(expected))

    def test_each_kind_of_symbol_is_found_in_its_file(self):
        for symbol, file in (
                (EVENTS, "vigil/events/v2/service.proto"),
                (EVENTS + ".GetEvent", "vigil/events/v2/service.proto"),
                ("vigil.events.v2.EventStream.Submit", "vigil/events/v2/stream.proto"),
                ("vigil.events.v2.Event", "vigil/events/v2/event.proto"),
                ("vigil.events.v2.Event.id", "vigil/events/v2/event.proto"),
                ("vigil.method", "vigil/options.proto"),
                ("vigil.Permission", "vigil/options.proto"),
                ("vigil.PERMISSION_EVENT_LOOKUP", "vigil/options.proto"),
                ("google.api.HttpRule.pattern", "google/api/http.proto"),
                ("google.protobuf.DescriptorProto.ExtensionRange.start", "google/protobuf/descriptor.proto"),
                ("grpc.health.v1.Health.List", "grpc/health/v1/health.proto"),
                ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
                ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
                ("grpc.health.v1.HealthListResponse.StatusesEntry.key", "grpc/health/v1/health.proto"),
                ("grpc.reflection.v1.ServerReflectionRequest.message_request", "grpc/reflection/v1/reflection.proto")):
            for version, module in REFLECTIONS:
                with self.subTest(symbol, version=version):
                    files = self.files(self.ask(version, module, file_containing_symbol=symbol))
                    self.assertEqual(files[0].name, file)

    def test_what_is_not_there_is_answered_and_the_stream_goes_on(self):
        ask = reflection.ServerReflectionRequest
        extension = reflection.ExtensionRequest
        wrong = [ask(file_containing_symbol=name) for name in
                 ("", ".", "vigil", "vigil.events.v2.", EVENTS + ".getEvent", "." + EVENTS, KEPT, "\u20ac")]
        wrong += [ask(file_by_filename=name) for name in ("", "service.proto", "/etc/passwd", "vigil/record/v1/event.proto")]
        wrong += [ask(all_extension_numbers_of_type=name) for name in ("", EVENTS, "vigil.events.v2.Event.id")]
        wrong += [ask(file_containing_extension=extension(containing_type=name, extension_number=number)) for name, number in
                  (("google.protobuf.MethodOptions", 50002), ("google.protobuf.MethodOptions", -1), ("", 50001),
                   ("vigil.events.v2.Event", 1))]
        wrong += [ask(file_containing_extension=extension())]
        right = ask(file_by_filename="grpc/health/v1/health.proto")
        answers = list(self.client.reflect([request for each in wrong for request in (each, right)]))
        self.assertEqual(len(answers), 2 * len(wrong))
        for request, answer in zip(wrong, answers[::2]):
            self.assertEqual(answer.error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0], request)
            self.assertNotEqual(answer.error_response.error_message, "")
            self.assertEqual(answer.original_request, request)
        for answer in answers[1::2]:
            self.assertEqual([file.name for file in self.files(answer)], ["grpc/health/v1/health.proto"])

    def test_a_request_for_nothing_is_answered_too(self):
        error = self.ask().error_response
        self.assertEqual(error.error_code, grpc.StatusCode.INVALID_ARGUMENT.value[0])

    def test_extensions_are_found(self):
        for version, module in REFLECTIONS:
            answer = self.ask(version, module, all_extension_numbers_of_type="google.protobuf.MethodOptions")
            numbers = answer.all_extension_numbers_response
            self.assertEqual(numbers.base_type_name, "google.protobuf.MethodOptions")
            self.assertEqual(sorted(numbers.extension_number), [50001, 72295728])
            for number, file in ((50001, "vigil/options.proto"), (72295728, "google/api/annotations.proto")):
                files = self.files(self.ask(version, module, file_containing_extension=module.ExtensionRequest(
                    containing_type="google.protobuf.MethodOptions", extension_number=number)))
                self.assertEqual(files[0].name, file)
        empty = self.ask(all_extension_numbers_of_type="vigil.events.v2.Event").all_extension_numbers_response
        self.assertEqual(list(empty.extension_number), [])
        self.assertEqual(empty.base_type_name, "vigil.events.v2.Event")

    def test_what_a_file_imports_comes_with_it_once_a_stream(self):
        ask = reflection.ServerReflectionRequest
        answers = list(self.client.reflect([ask(file_containing_symbol=EVENTS), ask(file_containing_symbol="vigil.events.v2.Event"),
                                            ask(file_containing_symbol=EVENTS)]))
        first = {file.name: file for file in self.files(answers[0])}
        for file in first.values():
            self.assertLessEqual(set(file.dependency), set(first))
        self.assertEqual([file.name for file in self.files(answers[1])], ["vigil/events/v2/event.proto"])
        self.assertEqual([file.name for file in self.files(answers[2])], ["vigil/events/v2/service.proto"])

    def test_a_client_without_our_files_calls_a_method(self):
        """What grpcurl and buf curl do: find the method, make its messages, call it."""
        files = {}
        for service in ("vigil.account.v1.AccountService", "vigil.events.v1.EventService", "grpc.health.v1.Health"):
            files.update({file.name: file for file in self.files(self.ask(file_containing_symbol=service))})
        pool = descriptor_pool.DescriptorPool()
        waiting = dict(files)
        while waiting:
            ready = [file for file in waiting.values() if not set(file.dependency) & set(waiting)]
            for file in ready:
                pool.Add(file)
                del waiting[file.name]
        from google.protobuf import message_factory
        factory = message_factory.MessageFactory(pool)
        method = pool.FindMethodByName("grpc.health.v1.Health.List")
        answer = factory.GetPrototype(method.output_type)
        call = self.client.channel.unary_unary("/grpc.health.v1.Health/List", serialize, answer.FromString)
        statuses = call(factory.GetPrototype(method.input_type)(), timeout=DEADLINE).statuses
        self.assertIn(EVENTS, statuses)
        service = pool.FindServiceByName("vigil.events.v1.EventService")
        self.assertIn("SearchAggregated", [row.name for row in service.methods])

    def test_a_stream_of_thousands_is_answered_in_order_and_has_an_end(self):
        names = [f"no.such.Symbol{number}" for number in range(10000)]
        ask = reflection.ServerReflectionRequest
        answers = self.client.reflect(ask(file_containing_symbol=name) for name in names)
        self.assertEqual([answer.original_request.file_containing_symbol for answer in answers], names)
        self.assertEqual(answers.code(), grpc.StatusCode.OK)
        one_more = self.client.reflect(ask(host="h") for _ in range(10001))
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in one_more:
                pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_a_client_that_does_not_read_stops_the_questions(self):
        # Each answer is as large as a few hundred questions; all of them would be 200 MB.
        before = self.server.resident_kib()
        asked = 0
        over = threading.Event()

        def questions():
            nonlocal asked
            for _ in range(5000):
                if over.is_set():
                    return
                asked += 1
                yield reflection.ServerReflectionRequest(file_by_filename="google/protobuf/descriptor.proto" if asked % 2
                                                         else "vigil/events/v2/service.proto")

        slow = Client(self.server.port)
        self.addCleanup(slow.close)
        answers = slow.reflect(questions())
        next(answers)
        for _ in range(20):
            self.assertEqual(self.client.check(), STATUS.SERVING)
        self.assertLess(self.server.resident_kib() - before, 64 * 1024)
        over.set()
        self.assertGreater(len(list(answers)), 0)


class ReflectionOff(ServerCase):
    settings = ("reflection=false",)

    def test_reflection_is_not_there_and_the_rest_is(self):
        client = Client(self.server.port)
        self.addCleanup(client.close)
        for version, module in REFLECTIONS:
            answers = client.reflect([module.ServerReflectionRequest(list_services="")], version, module)
            self.assertEqual(code_of(lambda: next(answers)), grpc.StatusCode.UNIMPLEMENTED)
            self.assertEqual(code_of(lambda: client.check(f"grpc.reflection.{version}.ServerReflection")),
                             grpc.StatusCode.NOT_FOUND)
        self.assertEqual(client.check(), STATUS.SERVING)
        self.assertNotIn("grpc.reflection.v1.ServerReflection", client.list())


if __name__ == "__main__":
    main()
