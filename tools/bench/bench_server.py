"""A vigild for measuring: the release build in a fresh directory, and what it costs. Used by the bench_*.py beside it."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """A server under measurement: it prints a line with "ready on HOST:PORT". `log`: a file for what else it says."""

    def __init__(self, command, log=None):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.tls_port = None
        for line in self.process.stdout:
            if " serves TLS on " in line:
                self.tls_port = int(line.rsplit(":", 1)[1])
            if "ready on " in line:
                self.port = int(line.rsplit(":", 1)[1])
                break
        else:
            raise SystemExit(f"{pathlib.Path(command[0]).name} did not start")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def status_mib(self, name):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return 0.0

    def rss_mib(self):
        return self.status_mib("VmRSS")

    def forget_peak(self):
        """From here on the peak of the resident memory is counted anew."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_mib(self):
        return self.status_mib("VmHWM")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Server(Program):
    def __init__(self, *options, directory=None, log=None):
        self.directory = directory or tempfile.mkdtemp(prefix="vigil-bench-")
        self.owns = directory is None
        super().__init__([BIN / "vigild", "--data", self.directory, "--listen", "127.0.0.1:0", "--set", "log_level=warn",
                          *options], log)
        self.key = (pathlib.Path(self.directory) / "admin.key").read_text().strip()

    def rest(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, None if body is None else json.dumps(body), {"Argus-API-Key": self.key})
        answer = connection.getresponse()
        data = json.load(answer)
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {data}")
        return data["data"]

    def add_customers(self, count=50, first=1001):
        """The customers that bench_load names."""
        for i in range(count):
            self.rest("POST", "/admin/v1/customers", {"shortName": f"c{i}", "id": first + i, "name": f"Customer {i}"})

    def stop(self):
        super().stop()
        if self.owns:
            shutil.rmtree(self.directory, ignore_errors=True)


@contextlib.contextmanager
def server(*options, directory=None, log=None):
    one = Server(*options, directory=directory, log=log)
    try:
        yield one
    finally:
        one.stop()


def spread(values, form="{:.1f}"):
    """min/median/max of a few runs."""
    return "/".join(form.format(value) for value in (min(values), statistics.median(values), max(values)))


def event(number, size=1024, properties=8):
    """An event of about `size` bytes of JSON with so many properties; the same number gives the same event."""
    filler = "".join(chr(97 + (number * 7 + i) % 26) for i in range(64))
    body = {
        "signature": f"BENCH-1:{number % 2000}",
        "severity": ("low", "medium", "high", "critical")[number % 4],
        "protocol": "tcp",
        "source": {"ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", "port": 1024 + number % 60000},
        "destination": {"ip": f"192.0.2.{number % 254 + 1}", "port": 443},
        "uri": f"https://host{number % 100}.example.com/path/{number}",
        "fqdn": f"host{number % 100}.example.com",
        "properties": {f"bench.property.{i}": f"{filler} {number}" for i in range(properties)},
    }
    return body


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def get_request(event_id):
    """vigil.events.v2.GetEventRequest: timestamp 2, customer 3, uuid 4, includeAllProperties 5."""
    _, timestamp, customer, uuid = event_id.split("/")
    message = (b"\x10" + varint(int(timestamp)) + b"\x18" + varint(int(customer)) + b"\x22" + varint(len(uuid))
               + uuid.encode() + b"\x28\x01")
    return b"\x00" + struct.pack(">I", len(message)) + message
