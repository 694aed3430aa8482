"""`buf curl` as a client: a process for each call, requests and answers in JSON."""
import base64
import concurrent.futures
import json
import re
import subprocess

from client_cases import ANSWERS, CODES, INITIAL, LIMIT, MIB, SIZES, SPECIAL, TRAILING, Contract, Messages, check_details, equal, one_line

WAIT = 60
AT_ONCE = 2
TESTING = "grpc.testing.TestService/"
HEALTH = "grpc.health.v1.Health/Check"
WHO = "vigil.account.v1.AccountService/GetCurrentUser"
RAW = base64.b64encode(b"\xab\xab\xab").decode()
ABSENT = {
    **dict.fromkeys(("client_compressed_unary", "client_compressed_streaming"), "buf curl does not compress what it sends"),
    **dict.fromkeys(("cancel_after_begin", "cancel_after_first_response"), "buf curl has no way to cancel"),
    "ping_pong": "buf curl does not wait for answers before it goes on",
    "timeout_on_sleeping_server": "the time limit of buf curl is about connecting too; see `deadline`",
    **dict.fromkeys(("drain", "connection_age"), "buf curl makes one call a process"),
}
ONLY_GRPC = dict.fromkeys(("reflection_v1", "reflection_v1alpha"), "buf curl reads reflection by gRPC alone")
ABSENT_OF = {
    "gRPC": ABSENT,
    "gRPC-Web": {**ABSENT, **ONLY_GRPC, "custom_metadata": "buf curl does not show the trailers of gRPC-Web"},
    "Connect": {**ABSENT, **ONLY_GRPC},
}


def body(size):
    return {"body": base64.b64encode(bytes(size)).decode()}


def documents(text):
    """The JSON documents that stand one after the other."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        found.append(document)
    return found


class Result:
    def __init__(self, run):
        self.said = run.stderr
        self.failure = None
        if run.returncode != 0:
            assert run.stderr.lstrip().startswith("{"), run.stderr
            self.failure = json.loads(run.stderr)
        self.answers = documents(run.stdout)

    def good(self):
        assert self.failure is None, self.failure
        return self.answers

    def code(self):
        return self.failure and self.failure["code"]


class Cases:
    def __init__(self, program, protocol, arguments):
        self.program, self.protocol, self.arguments = program, protocol, arguments
        self.contract = Contract(arguments["descriptors"])
        self.make = Messages(self.contract)

    def words(self, url, *more, schema=True):
        source = ["--schema", self.arguments["descriptors"]] if schema else []
        return [self.program, "curl", "--protocol", self.protocol, "--http2-prior-knowledge", *source, *more, url]

    def call(self, method, *requests, options=(), where="echo", schema=True):
        url = f"http://{self.arguments[where]}/{method}"
        run = subprocess.run(self.words(url, *options, "-d", "@-", schema=schema), input="".join(map(json.dumps, requests)),
                             capture_output=True, text=True, timeout=WAIT, check=False)
        return Result(run)

    def unary(self, **request):
        return self.call(TESTING + "UnaryCall", request)

    def empty_unary(self):
        equal(self.call(TESTING + "EmptyCall", {}).good(), [{}])

    def large_unary(self):
        equal(self.unary(responseSize=314159, payload=body(271828)).good(), [{"payload": body(314159)}])

    def client_streaming(self):
        answers = self.call(TESTING + "StreamingInputCall", *[{"payload": body(size)} for size in SIZES]).good()
        equal(answers, [{"aggregatedPayloadSize": sum(SIZES)}])

    def server_streaming(self):
        request = {"responseParameters": [{"size": size} for size in ANSWERS]}
        equal(self.call(TESTING + "StreamingOutputCall", request).good(), [{"payload": body(size)} for size in ANSWERS])

    def empty_stream(self):
        equal(self.call(TESTING + "FullDuplexCall").good(), [])

    def unimplemented_method(self):
        equal(self.call(TESTING + "UnimplementedCall", {}).code(), "unimplemented")

    def unimplemented_service(self):
        equal(self.call("grpc.testing.UnimplementedService/UnimplementedCall", {}).code(), "unimplemented")

    def fails(self, text):
        request = {"responseStatus": {"code": 2, "message": text}}
        for method in ("UnaryCall", "FullDuplexCall"):
            failure = self.call(TESTING + method, request).failure
            equal((failure["code"], failure["message"]), ("unknown", text))

    def status_code_and_message(self):
        self.fails("test status message")

    def special_status_message(self):
        self.fails(SPECIAL)

    def custom_metadata(self):
        """What -v shows; Connect's trailers are headers with a prefix."""
        sent = ("-v", "-H", f"{INITIAL}: test_initial_metadata_value", "-H", f"{TRAILING}: {RAW}")
        requests = {"UnaryCall": {"responseSize": 5}, "FullDuplexCall": {"responseParameters": [{"size": 5}]}}
        for method, request in requests.items():
            result = self.call(TESTING + method, request, options=sent)
            equal(result.good(), [{"payload": body(5)}])
            back = [line.lower() for line in re.findall(r"^buf: < (?:\(#\d+\) )?(.+)$", result.said, re.M)]
            assert f"{INITIAL}: test_initial_metadata_value" in back, back
            assert any(re.search(rf"{TRAILING}: {RAW.lower()}$", line) for line in back), back

    def server_compressed_unary(self):
        for packed in (True, False):
            answers = self.unary(responseSize=314159, responseCompressed={"value": packed}).good()
            equal(answers, [{"payload": body(314159)}])

    def server_compressed_streaming(self):
        rows = [{"size": 31415, "compressed": {"value": True}}, {"size": 92653, "compressed": {"value": False}}]
        answers = self.call(TESTING + "StreamingOutputCall", {"responseParameters": rows}).good()
        equal(answers, [{"payload": body(31415)}, {"payload": body(92653)}])

    def big_messages(self):
        equal(self.unary(payload=body(3 * MIB)).good(), [{"payload": body(3 * MIB)}])
        # Two keys of one byte, two lengths of four.
        equal(self.unary(payload=body(LIMIT + 1 - 10)).code(), "resource_exhausted")

    def status_details(self):
        failure = self.call("vigil.test.Echo/Fail", {"responseSize": 2}).failure
        equal(failure["code"], "invalid_argument")
        status = self.contract.message("google.rpc.Status", code=CODES.INVALID_ARGUMENT.value[0])
        for row in failure["details"]:
            value = base64.b64decode(row["value"] + "=" * (-len(row["value"]) % 4))
            status.details.add(type_url="type.googleapis.com/" + row["type"], value=value)
        check_details(self.contract, [("grpc-status-details-bin", status.SerializeToString())])

    def deadline(self):
        equal(self.call("vigil.test.Echo/Sleep", {"responseSize": 60000}, options=("--timeout", "1s")).code(), "deadline_exceeded")

    def health_check(self):
        for name in ("", "vigil.events.v2.EventService"):
            equal(self.call(HEALTH, {"service": name}, where="vigil").good(), [{"status": "SERVING"}])
        equal(self.call(HEALTH, {"service": "no.such.Service"}, where="vigil").code(), "not_found")

    def health_watch(self):
        url = f"http://{self.arguments['vigil']}/grpc.health.v1.Health/Watch"
        for name, status in (("", "SERVING"), ("no.such.Service", "SERVICE_UNKNOWN")):
            words = self.words(url, "-d", json.dumps({"service": name}))
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as watch:
                said = "".join(iter(lambda: watch.stdout.readline().strip(), "}"))
                watch.kill()
            equal(json.loads(said + "}"), {"status": status})

    def reflection(self, version):
        """The methods are listed, and one is called by what reflection tells about it."""
        options = ("--reflect-protocol", version)
        words = self.words(f"http://{self.arguments['vigil']}", *options, "--list-methods", schema=False)
        methods = subprocess.run(words, capture_output=True, text=True, timeout=WAIT, check=True).stdout.split()
        assert {HEALTH, "vigil.events.v2.EventService/SearchEvents"} <= set(methods), methods
        equal(self.call(HEALTH, {}, options=options, where="vigil", schema=False).good(), [{"status": "SERVING"}])

    def reflection_v1(self):
        self.reflection("grpc-v1")

    def reflection_v1alpha(self):
        self.reflection("grpc-v1alpha")

    def secure(self, method, *more):
        words = self.words(f"https://{self.arguments['tls']}/{method}", "--cacert", self.arguments["ca"], *more, "-d", "{}")
        return Result(subprocess.run(words, capture_output=True, text=True, timeout=WAIT, check=False))

    def tls(self):
        equal(self.secure(HEALTH).good(), [{"status": "SERVING"}])

    def mtls(self):
        equal(self.secure(WHO, "--cert", self.arguments["certificate"], "--key", self.arguments["key"]).good()[0]["userName"], "robot")
        equal(self.secure(WHO).code(), "unauthenticated")


def run(cases, names):
    """{case: [result, why]}"""
    def one(name):
        try:
            getattr(cases, name)()
            return ["pass", ""]
        except (AssertionError, KeyError, IndexError, TypeError, ValueError, subprocess.SubprocessError) as error:
            return ["fail", one_line(error)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(names, pool.map(one, names)))
