"""Request ids and W3C trace context on both faces: what a client is told, and what stands in the access log."""
import json
import re

import grpc

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, Rest
from vigiltest.process import wait_until

SESSION = "vigil.account.v1.AccountService/GetSession"
URL = "/authentication/v1/session"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
OWN_ID = re.compile("[0-9a-f]{16}")


def parent(flags="01"):
    return f"00-{TRACE}-{SPAN}-{flags}"


class Trace(ServerCase):
    settings = ("access_log_sample=1000000",)

    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        for part in (cls.rest, cls.grpc):
            cls.addClassCleanup(part.close)
        cls.rest.get(URL)  # one of a million, for each of two threads, is logged
        cls.rest.get(URL)

    def answer(self, target=URL, **headers):
        answer = self.rest.get(target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return answer, {name.lower(): value for name, value in answer.headers.items()}

    def lines(self, request_id):
        return [line for line in map(json.loads, filter(lambda text: text.startswith("{"), self.server.log_text().splitlines()))
                if line.get("request_id") == request_id]

    def line(self, request_id):
        return wait_until(lambda: self.lines(request_id), what=f"a line of {request_id}")[0]

    def unary(self, metadata=(), key=...):
        """The call's code, its initial metadata and its trailers."""
        stub = self.grpc.stub(SESSION)
        request = contract.method(SESSION).request()
        try:
            _, call = stub.with_call(request, metadata=(*self.grpc.metadata(key), *metadata), timeout=30)
        except grpc.RpcError as error:
            call = error
        return call.code(), dict(call.initial_metadata()), dict(call.trailing_metadata())

    def test_every_rest_answer_has_an_id(self):
        ids = set()
        for target in (URL, "/no/such/url", "/healthz", "/metrics"):
            _, headers = self.answer(target)
            self.assertRegex(headers["x-request-id"], OWN_ID)
            self.assertNotIn("traceresponse", headers)
            ids.add(headers["x-request-id"])
        self.assertEqual(len(ids), 4)

    def test_the_clients_id_is_kept_if_it_is_sane(self):
        _, headers = self.answer(X_Request_Id="order-4711:a")
        self.assertEqual(headers["x-request-id"], "order-4711:a")
        for bad in ("a b", 'a"b', "x" * 129):
            _, headers = self.answer(X_Request_Id=bad)
            self.assertRegex(headers["x-request-id"], OWN_ID)
        _, headers = self.answer("/no/such/url", X_Request_Id="x" * 128)
        self.assertEqual(headers["x-request-id"], "x" * 128)

    def test_a_trace_goes_on(self):
        _, headers = self.answer(traceparent=parent("00"))
        self.assertRegex(headers["traceresponse"], f"^00-{TRACE}-[0-9a-f]{{16}}-00$")
        self.assertNotIn(SPAN, headers["traceresponse"])
        for bad in (parent().upper(), parent()[:-1], f"00-{'0' * 32}-{SPAN}-01", "ff" + parent()[2:]):
            _, headers = self.answer(traceparent=bad)
            self.assertNotIn("traceresponse", headers)

    def test_a_sampled_trace_is_logged_whatever_the_sampling(self):
        answer, _ = self.answer(traceparent=parent(), X_Request_Id="sampled-1", tracestate="congo=t61rcWkgMzE",
                                user_agent="tester/1.0")
        line = self.line("sampled-1")
        self.assertEqual(answer.status, 200)
        self.assertEqual((line["trace_id"], line["parent_span_id"]), (TRACE, SPAN))
        self.assertRegex(line["span_id"], OWN_ID)
        self.assertEqual((line["trace_state"], line["user_agent"]), ("congo=t61rcWkgMzE", "tester/1.0"))
        self.assertEqual((line["face"], line["protocol"], line["verb"], line["status"], line["code"]),
                         ("rest", "HTTP/1.1", "GET", 200, 0))
        self.assertEqual((line["peer"], line["user"]), ("127.0.0.1", "admin"))
        self.assertGreater(line["port"], 0)
        self.assertEqual(line["out"], len(answer.body))
        self.assertGreaterEqual(line["us"], 0)
        self.answer(traceparent=parent("00"), X_Request_Id="unsampled-1")
        self.answer(traceparent=parent(), tracestate="A=1", X_Request_Id="sampled-2")
        self.assertNotIn("trace_state", self.line("sampled-2"))
        self.assertEqual(self.lines("unsampled-1"), [])

    def test_failures_are_logged_with_their_id(self):
        _, headers = self.answer("/no/such/url")
        line = self.line(headers["x-request-id"])
        self.assertEqual((line["status"], line["target"], line["reason"]), (404, "/no/such/url", "URL_NOT_FOUND"))

    def test_grpc_tells_the_id_of_failures_and_of_who_asks(self):
        code, head, trailers = self.unary()
        self.assertEqual(code, grpc.StatusCode.OK)
        self.assertNotIn("x-request-id", {**head, **trailers})
        code, head, trailers = self.unary(metadata=(("x-request-id", "mine-1"), ("traceparent", parent())))
        self.assertEqual((code, head["x-request-id"]), (grpc.StatusCode.OK, "mine-1"))
        self.assertRegex(head["traceresponse"], f"^00-{TRACE}-[0-9a-f]{{16}}-01$")
        line = self.line("mine-1")
        self.assertEqual((line["face"], line["protocol"], line["method"], line["status"], line["code"]),
                         ("grpc", "HTTP/2", "/" + SESSION, 200, 0))
        self.assertIn("grpc", line["user_agent"])
        code, head, trailers = self.unary(key="no/1/key")
        self.assertEqual(code, grpc.StatusCode.UNAUTHENTICATED)
        request_id = {**head, **trailers}["x-request-id"]
        self.assertRegex(request_id, OWN_ID)
        self.assertEqual(self.line(request_id)["reason"], "AUTHENTICATION_FAILED")
        code, head, trailers = self.unary(key="no/1/key", metadata=(("x-request-id", "mine-2"),))
        self.assertEqual({**head, **trailers}["x-request-id"], "mine-2")

    def test_no_key_stands_in_the_log(self):
        self.assertNotIn(self.key.rsplit("/", 1)[1], self.server.log_text())


if __name__ == "__main__":
    main()
