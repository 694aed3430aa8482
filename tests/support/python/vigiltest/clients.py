"""Clients of both faces: REST by http.client and by curl, gRPC by grpcio."""
import collections
import http.client
import json
import subprocess
import tempfile

import grpc

from . import contract

DEADLINE = 30
ENVELOPE = ["responseCode", "limit", "offset", "count", "metaData", "messages", "data", "size"]


class Answer:
    """An HTTP answer. `json` keeps the order of members."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]

    @property
    def template(self):
        """messageTemplate of the first message, None without one."""
        messages = self.json["messages"]
        return messages[0]["messageTemplate"] if messages else None

    @property
    def field(self):
        messages = self.json["messages"]
        return messages[0]["field"] if messages else None

    def __repr__(self):
        return f"<{self.status} {self.body[:2000]!r}>"


class Rest:
    """One keep-alive connection; dialled anew after a failure."""

    def __init__(self, port, key=None, timeout=DEADLINE):
        self.port = port
        self.key = key
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, verb, target, body=None, key=..., headers=None):
        sent = dict(headers or {})
        key = self.key if key is ... else key
        if key is not None:
            sent["Argus-API-Key"] = key
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        try:
            self.connection.request(verb, target, body=body, headers=sent)
            answer = self.connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def get(self, target, **options):
        return self.request("GET", target, **options)

    def post(self, target, body, **options):
        return self.request("POST", target, body=body, **options)

    def close(self):
        self.connection.close()


def curl(*words, data=None):
    """Run curl as a user would; the words are its arguments. `data` goes to -d by a file, so that it is sent as is."""
    with tempfile.NamedTemporaryFile() as head, tempfile.NamedTemporaryFile() as body:
        command = ["curl", "-sS", "--max-time", str(DEADLINE), "-D", head.name, "-o", body.name, "-w", "%{http_code}"]
        if data is not None:
            command += ["-d", data]
        run = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise AssertionError(f"curl failed: {run.stderr}")
        lines = head.read().decode().strip().splitlines()
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return Answer(int(run.stdout), headers, body.read())


class GrpcError(Exception):
    """A status other than OK, with what its details tell."""

    def __init__(self, error):
        self.code = error.code().name
        self.text = error.details() or ""
        self.reason = None
        self.fields = []
        for name, value in error.trailing_metadata() or ():
            if name == "grpc-status-details-bin":
                self._read_details(value)
        super().__init__(f"{self.code} {self.reason} {self.fields} {self.text}")

    def _read_details(self, data):
        from google.rpc import error_details_pb2, status_pb2

        for detail in status_pb2.Status.FromString(data).details:
            if detail.type_url.endswith("/google.rpc.ErrorInfo"):
                self.reason = error_details_pb2.ErrorInfo.FromString(detail.value).reason
            elif detail.type_url.endswith("/google.rpc.BadRequest"):
                bad = error_details_pb2.BadRequest.FromString(detail.value)
                self.fields = [row.field for row in bad.field_violations]


class Grpc:
    """One channel with a connection of its own."""

    def __init__(self, port, key=None, options=()):
        self.key = key
        own = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0),
               ("grpc.max_receive_message_length", -1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[*own, *options])

    def metadata(self, key):
        key = self.key if key is ... else key
        return () if key is None else (("argus-api-key", key),)

    def call(self, full_name, request, key=..., timeout=DEADLINE):
        """A unary call of "package.Service/Method". GrpcError on any status but OK."""
        try:
            return self.stub(full_name)(request, metadata=self.metadata(key), timeout=timeout)
        except grpc.RpcError as error:
            raise GrpcError(error) from None

    def stub(self, full_name):
        method = _method(full_name)
        return self.channel.unary_unary("/" + full_name, request_serializer=lambda request: request.SerializeToString(),
                                        response_deserializer=method.answer.FromString)

    def raw(self, full_name, data, key=..., timeout=DEADLINE):
        """The same with a request given as bytes."""
        call = self.channel.unary_unary("/" + full_name)
        try:
            return call(data, metadata=self.metadata(key), timeout=timeout)
        except grpc.RpcError as error:
            raise GrpcError(error) from None

    def start_rows(self, full_name, request, key=..., timeout=DEADLINE):
        """A server-streaming call under way: iterate over it for its rows."""
        method = _method(full_name)
        call = self.channel.unary_stream("/" + full_name,
                                         request_serializer=lambda request: request.SerializeToString(),
                                         response_deserializer=method.answer.FromString)
        return call(request, metadata=self.metadata(key), timeout=timeout)

    def rows(self, full_name, request, key=..., timeout=DEADLINE):
        """All rows of a server-streaming call, and (limit, offset, count). GrpcError on any status but OK."""
        call = self.start_rows(full_name, request, key, timeout)
        try:
            rows = list(call)
            return rows, page_of(call)
        except grpc.RpcError as error:
            raise GrpcError(error) from None

    def close(self):
        self.channel.close()


def page_of(call):
    """(limit, offset, count) of a stream of rows, from its initial metadata."""
    told = dict(call.initial_metadata())
    return tuple(int(told["vigil-" + name]) for name in ("limit", "offset", "count"))


_METHODS = {}


def _method(full_name):
    if not _METHODS:
        _METHODS.update({row.full_name: row for row in contract.methods()})
    return _METHODS[full_name]


def metrics(port):
    """All samples of /metrics: text of name and labels -> value."""
    rest = Rest(port)
    answer = rest.get("/metrics")
    rest.close()
    assert answer.status == 200, answer
    found = collections.OrderedDict()
    for line in answer.body.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[name] = float(value)
    return found


def started_by_method(port):
    """grpc_server_started_total by full method name."""
    found = {}
    for name, value in metrics(port).items():
        if name.startswith("grpc_server_started_total{"):
            labels = dict(part.split("=", 1) for part in name[name.index("{") + 1:-1].split(","))
            found[labels["grpc_service"].strip('"') + "/" + labels["grpc_method"].strip('"')] = value
    return found
