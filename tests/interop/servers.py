"""The servers of the test build that clients talk to, and the proxy before them."""
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from vigiltest.certificates import Authority
from vigiltest.directory import Directory
from vigiltest.process import Server, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from server_process import ServerProcess  # noqa: E402


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Servers:
    """echo_server for grpc.testing.TestService, vigild for health, reflection and TLS."""

    def __init__(self, echo_program):
        self.authority = Authority()
        own = self.authority.make("localhost", "DNS:localhost")
        self.agent = self.authority.make("agent", "URI:spiffe://test/agent")
        self.echo = ServerProcess(echo_program)
        self.vigil = Server(settings=(
            "listen_tls=127.0.0.1:0", f"tls_certificates={own[0]}", f"tls_keys={own[1]}",
            f"tls_client_ca={self.authority.ca}", "tls_client_certificates=optional", "access_log=errors"))
        self.vigil.start()
        directory = Directory(self.vigil)
        directory.customer("own", 7)
        directory.user("robot", "own")
        directory.add("keys", user="robot", role=["EVENT-VIEWER"], certificate="URI:spiffe://test/agent")
        directory.close()

    def words(self):
        """Arguments of a client program: where everything is."""
        return [f"echo=127.0.0.1:{self.echo.port}", f"vigil=127.0.0.1:{self.vigil.port}", f"tls=localhost:{self.vigil.tls_port}",
                f"ca={self.authority.ca}", f"certificate={self.agent[0]}", f"key={self.agent[1]}"]

    def close(self):
        """The servers end in order, and nothing of their calls is left."""
        try:
            code, said = self.echo.stop()
            assert code == 0, f"echo_server ended with {code}: {said}"
        finally:
            self.echo.kill()
            self.vigil.close()
            self.authority.close()


class Proxy:
    """nghttpx before both servers, HTTP/2 without TLS on both sides."""

    program = shutil.which("nghttpx", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def __init__(self, servers):
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            self.port = place.getsockname()[1]
        testing = "/grpc.testing.TestService/:/grpc.testing.UnimplementedService/:/vigil.test.Echo/"
        self.process = subprocess.Popen(
            [self.program, f"--frontend=127.0.0.1,{self.port};no-tls", f"--backend=127.0.0.1,{servers.echo.port};{testing};proto=h2",
             f"--backend=127.0.0.1,{servers.vigil.port};/;proto=h2", "--workers=1", "--conf=/dev/null", "--no-via",
             "--accesslog-file=/dev/null", "--errorlog-file=/dev/null"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: is_open(self.port), what="nghttpx")

    def words(self):
        return [f"echo=127.0.0.1:{self.port}", f"vigil=127.0.0.1:{self.port}"]

    def close(self):
        self.process.terminate()
        self.process.wait(20)

    @classmethod
    def version(cls):
        said = subprocess.run([cls.program, "--version"], capture_output=True, text=True, check=True).stdout
        return re.search(r"nghttp2/(\d+\.\d+)", said)[1]


class Aging:
    """A vigild whose connections grow old fast."""

    def __init__(self):
        self.server = Server(settings=("connection_age_ms=300ms", "connection_age_grace_ms=10s", "access_log=errors"))
        self.server.start()

    def __enter__(self):
        return self.server

    def __exit__(self, *_):
        self.server.close()


def deadline(seconds):
    """A function that fails once the time is over."""
    end = time.monotonic() + seconds

    def check(what):
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
    return check
