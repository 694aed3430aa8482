"""The clients of the matrix: whether they are there, which version, and how each of them is made to do the cases."""
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys

import buf_curl
from cases import CASES, LOAD
from servers import Aging, Proxy, deadline
from vigiltest.clients import metrics
from vigiltest.load import no_call_fails

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance/grpc"))
import grpc_interop  # noqa: E402  the official client of Ruby

MODULES = HERE / "node/node_modules"
# The names that the clients have for them.
PROTOCOLS = {"gRPC": "grpc", "gRPC-Web": "grpcweb", "Connect": "connect"}
WAIT = 60
CALLS = 200  # before and after what a load is there for
AT_ONCE = 2


def major_minor(version):
    return ".".join(version.split(".")[:2])


def installed_version(package):
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False).stdout
    return major_minor(re.split(r"[-+~]", said)[0])


class Client:
    """One client; `transports` are its columns."""

    name = ""
    transports = ("gRPC",)
    absent = {}  # case: why this client has it not

    def __init__(self, options):
        self.options = options

    def missing(self):
        """What has to be installed, None if nothing."""

    def version(self):
        raise NotImplementedError

    def run(self, servers, transport):
        """{case: [result, why]}"""
        raise NotImplementedError

    def begin(self, servers):
        """Before the first transport."""

    def end(self):
        """After the last."""


class Program(Client):
    """A client program of ours; client_cases.py says how they are called."""

    def command(self, transport):
        raise NotImplementedError

    def address_words(self, servers):
        return servers.words()

    def run(self, servers, transport):
        asked = [case for case in CASES if case not in LOAD and case not in self.absent]
        words = [*self.command(transport), *self.address_words(servers), f"descriptors={self.options.descriptors}", *asked]
        run = subprocess.run(words, capture_output=True, text=True, timeout=2 * WAIT, check=False)
        results = {case: ["absent", self.absent[case]] for case in CASES if case in self.absent}
        for line in run.stdout.splitlines():
            name, result, why = line.split("\t")
            results[name] = [result, why]
        for case in asked:
            results.setdefault(case, ["fail", f"the program ended with {run.returncode}: {run.stderr[-1000:]}"])
        for case, turn in (("drain", self.drain), ("connection_age", self.age)):
            if case not in results:
                results[case] = turn(servers, transport)
        return results

    def drain(self, servers, transport):
        load = Load(self, transport, servers.vigil.port)
        try:
            no_call_fails(servers.vigil, load, CALLS)
        except AssertionError as error:
            return ["fail", str(error)]
        return load.result

    def age(self, servers, transport):
        with Aging() as server:
            with Load(self, transport, server.port) as load:
                load.until(CALLS)
                check = deadline(WAIT)
                while metrics(server.port)["vigil_http2_goaway_age_total"] < 4 and load.is_going():
                    load.until(load.calls + CALLS)
                    check("connections grow old")
        return load.result


class Load:
    """The load of a client program, until the end of the with block."""

    def __init__(self, client, transport, port):
        words = [*client.command(transport), f"vigil=127.0.0.1:{port}", f"descriptors={client.options.descriptors}", "load"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.calls = 0
        self.failures = []
        self.result = None

    def read(self):
        line = self.process.stdout.readline()
        if line.startswith("calls "):
            self.calls = int(line.split()[1])
        elif line.startswith("load\t"):
            self.result = line.rstrip("\n").split("\t")[1:]
        elif not line:
            self.result = self.result or ["fail", "the program ended without a result"]
        if self.result is not None and self.result[0] == "fail":
            self.failures = [self.result[1]]

    def is_going(self):
        return self.result is None

    def until(self, calls):
        check = deadline(WAIT)
        while self.calls < calls and self.is_going():
            self.read()
            check(f"{calls} calls")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        while self.is_going() and kind is None:
            self.read()
        self.process.stdout.close()
        if kind is not None:
            self.process.kill()
        self.process.wait(WAIT)


class Ruby(Client):
    name = "Ruby"
    absent = {case: "the official client of Ruby has no such case" for case in CASES if case not in grpc_interop.CASES}

    def missing(self):
        return None if grpc_interop.client_path() else "ruby-grpc"

    def version(self):
        return installed_version("ruby-grpc")

    def run(self, servers, transport):
        client = grpc_interop.client_path()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            asked = [case for case in CASES if case not in self.absent]
            good = pool.map(lambda case: grpc_interop.run_case(client, servers.echo.port, case), asked)
            results = {case: ["pass" if each else "fail", ""] for case, each in zip(asked, good)}
        return {**results, **{case: ["absent", why] for case, why in self.absent.items()}}


class Grpcio(Program):
    name = "grpcio"
    script = "grpcio_client.py"

    def version(self):
        import grpc

        return major_minor(grpc.__version__)

    def command(self, transport):
        return [sys.executable, "-B", str(HERE / self.script)]


class GrpcioAio(Grpcio):
    name = "grpcio aio"
    script = "grpcio_aio_client.py"


class GrpcCpp(Program):
    name = "grpc++"

    def missing(self):
        return None if self.options.cpp_client else "libgrpc++-dev"

    def version(self):
        said = subprocess.run([self.options.cpp_client, "version"], capture_output=True, text=True, check=True).stdout
        return major_minor(said.strip())

    def command(self, transport):
        return [self.options.cpp_client]


class Nghttpx(Grpcio):
    """grpcio through a proxy that speaks HTTP/2 on both sides."""

    name = "grpcio through nghttpx"
    absent = {case: "the proxy ends TLS and connections itself" for case in ("tls", "mtls", "drain", "connection_age")}

    def missing(self):
        return None if Proxy.program else "nghttp2-proxy"

    def version(self):
        return f"{super().version()}, {Proxy.version()}"

    def begin(self, servers):
        self.proxy = Proxy(servers)

    def end(self):
        self.proxy.close()

    def address_words(self, servers):
        return self.proxy.words()


class Node(Program):
    """A client of Node.js, of the packages below tests/interop/node."""

    script = ""
    package = ""
    node = shutil.which("node") or shutil.which("nodejs")

    def missing(self):
        if self.node is None:
            return "nodejs"
        return None if (MODULES / self.package).is_dir() else self.package

    def version(self):
        return major_minor(json.loads((MODULES / self.package / "package.json").read_text(encoding="utf-8"))["version"])

    def command(self, transport):
        return [self.node, str(HERE / "node" / self.script)]


class GrpcJs(Node):
    name = "grpc-js"
    script = "grpc_js_client.mjs"
    package = "@grpc/grpc-js"


class ConnectNode(Node):
    name = "connect-node"
    transports = ("gRPC", "gRPC-Web", "Connect")
    script = "connect_node_client.mjs"
    package = "@connectrpc/connect-node"
    # After a GOAWAY nghttp2 refuses what it was asked to send but has not sent; the server has not seen those calls.
    absent = {"drain": "connect has no way to wait for a server that is away",
              "connection_age": "connect does not repeat what Node.js's own HTTP/2 refused to send after a GOAWAY"}

    def command(self, transport):
        return [*super().command(transport), "protocol=" + PROTOCOLS[transport]]


class Buf(Client):
    name = "buf curl"
    transports = ("gRPC", "gRPC-Web", "Connect")
    program = next(MODULES.glob("@bufbuild/buf-linux-*/bin/buf"), None)

    def missing(self):
        return None if self.program else "@bufbuild/buf-linux-*"

    def version(self):
        return major_minor(subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout.strip())

    def run(self, servers, transport):
        absent = buf_curl.ABSENT_OF[transport]
        arguments = dict(word.split("=", 1) for word in [*servers.words(), f"descriptors={self.options.descriptors}"])
        calls = buf_curl.Cases(str(self.program), PROTOCOLS[transport], arguments)
        results = buf_curl.run(calls, [case for case in CASES if case not in absent])
        return {**results, **{case: ["absent", why] for case, why in absent.items()}}


CLIENTS = {"ruby": Ruby, "grpcio": Grpcio, "grpcio_aio": GrpcioAio, "cpp": GrpcCpp, "nghttpx": Nghttpx, "grpc_js": GrpcJs,
           "connect_node": ConnectNode, "buf": Buf}
