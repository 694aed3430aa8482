"""One POST (or other request) over HTTP/1.1 or HTTP/2 with the body in pieces, and its answer: what the suites of gRPC-Web and
Connect share."""
import http.client
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from raw_http2 import DEADLINE, Client, h2  # noqa: E402


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {}
        for name, value in headers:
            assert name == name.lower(), f"{name} has capitals"
            self.headers[name] = value if name not in self.headers else f"{self.headers[name]}, {value}"
        self.body = body

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body!r}>"


class Http1:
    """HTTP/1.1; a body of several pieces is sent chunked. The connection is kept alive."""
    name = "HTTP/1.1"

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)

    def ask(self, path, pieces, headers, verb="POST"):
        self.connection.putrequest(verb, path, skip_accept_encoding=True)
        for name, value in headers:
            self.connection.putheader(name, value)
        if len(pieces) != 1:
            self.connection.putheader("transfer-encoding", "chunked")
        else:
            self.connection.putheader("content-length", str(len(pieces[0])))
        self.connection.endheaders()
        try:
            for piece in pieces:
                self.connection.send(piece if len(pieces) == 1 else b"%x\r\n%s\r\n" % (len(piece), piece))
            if len(pieces) != 1:
                self.connection.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has been answered before the end
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())

    def close(self):
        self.connection.close()


class Http2:
    name = "HTTP/2"

    def __init__(self, port, window=None):
        self.client = Client(port, window=window)

    def begin(self, path, headers, verb="POST"):
        return self.client.request(path, end=False, method=verb, extra=headers)

    def send(self, stream, data, end=False):
        """All of `data`, as the windows let it go."""
        inner = self.client.h2
        while data:
            room = min(inner.local_flow_control_window(stream), inner.max_outbound_frame_size, len(data))
            if room == 0:
                if self.client.find(h2.events.StreamReset, stream) or self.client.find(h2.events.StreamEnded, stream):
                    return
                self.client.receive()
                continue
            inner.send_data(stream, data[:room])
            self.client.flush()
            data = data[room:]
        if end:
            inner.end_stream(stream)
            self.client.flush()

    def finish(self, stream):
        self.client.until(h2.events.StreamEnded, stream)
        head = self.client.until(h2.events.ResponseReceived, stream)
        headers = [(name, value) for name, value in head.headers if not name.startswith(":")]
        return Answer(int(dict(head.headers)[":status"]), headers, self.client.body(stream))

    def ask(self, path, pieces, headers, verb="POST"):
        if not pieces:
            return self.finish(self.client.request(path, method=verb, extra=headers))
        stream = self.begin(path, headers, verb)
        for piece in pieces:
            self.send(stream, piece)
        if not self.client.find(h2.events.StreamEnded, stream):
            self.client.h2.end_stream(stream)
            self.client.flush()
        return self.finish(stream)

    def close(self):
        self.client.close()


CARRIERS = (Http1, Http2)


def envelope(data, flag=0):
    return struct.pack("!BI", flag, len(data)) + data


def envelopes(body):
    """(flag, message) of each; the body has to end with one."""
    found = []
    while body:
        flag, size = struct.unpack("!BI", body[:5])
        assert len(body) >= 5 + size, f"cut: {body!r}"
        found.append((flag, body[5:5 + size]))
        body = body[5 + size:]
    return found


def cut(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]
