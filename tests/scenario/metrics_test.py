"""GET /metrics: the text is what Prometheus reads, and the figures are of what was done."""
from vigiltest import contract, prometheus
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory

SESSION = "vigil.account.v1.AccountService/GetSession"
STREAM = "vigil.admin.v1.AdminService/StreamListCustomers"


class Metrics(ServerCase):
    @classmethod
    def arrange(cls):
        cls.rest = Rest(cls.server.port, cls.server.admin_key())
        cls.grpc = Grpc(cls.server.port, cls.server.admin_key())
        cls.directory = Directory(cls.server)
        for part in (cls.rest, cls.grpc, cls.directory):
            cls.addClassCleanup(part.close)

    def read(self):
        answer = self.rest.get("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers.get("content-type", answer.headers.get("Content-Type", ""))
                        .startswith("text/plain; version=0.0.4"))
        return prometheus.read(answer.body.decode())

    def value(self, families, name, **labels):
        """The one sample that has these labels, maybe among others."""
        family = families[name.removesuffix("_count") if name.endswith("_count") else name]
        found = [value for (sample, pairs), value in family.samples.items()
                 if sample == name and set(labels.items()) <= set(pairs)]
        self.assertLessEqual(len(found), 1, (name, labels))
        return found[0] if found else 0

    def rpc(self, families, name, full_name, **labels):
        service, method = full_name.split("/")
        return self.value(families, "grpc_server_" + name, grpc_service=service, grpc_method=method, **labels)

    def test_the_text_is_strict_and_has_the_expected_names(self):
        families = self.read()
        for name, kind in (("grpc_server_started_total", "counter"), ("grpc_server_handled_total", "counter"),
                           ("grpc_server_handling_seconds", "histogram"), ("grpc_server_msg_received_total", "counter"),
                           ("grpc_server_msg_sent_total", "counter"), ("process_cpu_seconds_total", "counter"),
                           ("process_resident_memory_bytes", "gauge"), ("process_open_fds", "gauge"),
                           ("process_max_fds", "gauge"), ("process_start_time_seconds", "gauge"),
                           ("vigil_build_info", "gauge"), ("vigil_http_responses_total", "counter"),
                           ("vigil_store_level_files", "gauge"), ("vigil_store_memory_bytes", "gauge"),
                           ("vigil_connections_open", "gauge"), ("vigil_ingest_commit_seconds", "histogram")):
            self.assertEqual(families[name].type, kind, name)
            self.assertTrue(families[name].text, name)
        services = {tuple(method.full_name.split("/")) for method in contract.methods()}
        told = {(dict(labels)["grpc_service"], dict(labels)["grpc_method"])
                for _, labels in families["grpc_server_started_total"].samples}
        self.assertLessEqual(services, told)

    def test_calls_are_counted_by_method_and_status(self):
        before = self.read()
        request = contract.method(SESSION).request
        for _ in range(3):
            self.grpc.call(SESSION, request())
        with self.assertRaises(GrpcError):
            self.grpc.call(SESSION, request(), key="no/1/key")
        self.assertEqual(self.rest.get("/authentication/v1/session").status, 200)
        after = self.read()

        def grown(name, **labels):
            return self.rpc(after, name, SESSION, **labels) - self.rpc(before, name, SESSION, **labels)

        self.assertEqual(grown("started_total", grpc_type="unary"), 5)
        self.assertEqual(grown("handled_total", grpc_code="OK"), 4)
        self.assertEqual(grown("handled_total", grpc_code="Unauthenticated"), 1)
        self.assertEqual(grown("handling_seconds_count"), 5)
        # What is refused by its headers has sent no message that anybody read.
        self.assertEqual(grown("msg_received_total"), 4)
        self.assertEqual(grown("msg_sent_total"), 4)

    def test_messages_of_a_stream_are_counted(self):
        for number in range(5):
            self.directory.customer(f"metrics{number}", 5000 + number)
        before = self.read()
        rows, _ = self.grpc.rows(STREAM, contract.method(STREAM).request(limit=4))
        self.assertEqual(len(rows), 4)
        after = self.read()
        self.assertEqual(self.rpc(after, "msg_sent_total", STREAM) - self.rpc(before, "msg_sent_total", STREAM), 4)
        self.assertEqual(self.rpc(after, "msg_received_total", STREAM) - self.rpc(before, "msg_received_total", STREAM), 1)

    def test_answers_of_http_are_counted_by_method_and_status(self):
        before = self.read()
        self.rest.get("/no/such/path")
        self.rest.request("DELETE", "/authentication/v1/session")
        after = self.read()
        for method, code in (("GET", "404"), ("DELETE", "405")):
            self.assertEqual(self.value(after, "vigil_http_responses_total", method=method, code=code) -
                             self.value(before, "vigil_http_responses_total", method=method, code=code), 1)

    def test_the_process_and_the_store(self):
        families = self.read()
        resident = self.value(families, "process_resident_memory_bytes")
        self.assertTrue(1e6 < resident < 8e9, resident)
        self.assertGreater(self.value(families, "process_cpu_seconds_total"), 0)
        self.assertAlmostEqual(self.value(families, "process_open_fds"), self.server.descriptors(), delta=20)
        self.assertEqual(len(families["vigil_store_level_files"].samples), 7)
        ((_, labels),) = families["vigil_build_info"].samples
        self.assertRegex(dict(labels)["version"], r"^\d+\.\d+")


class Reader(ServerCase):
    """The strict reader is strict: each of these is refused."""

    @classmethod
    def setUpClass(cls):
        pass

    def test_what_is_wrong_is_refused(self):
        head = "# HELP a_total text\n# TYPE a_total counter\n"
        prometheus.read(head + 'a_total{b="c\\"\\\\\\n",d="e"} 5\n')
        for text in (head + "a_total 5", head + "a_total 5\n\n", "a_total 5\n", head + "a_total -1\n",
                     head + "b_total 1\n", head + "a_total 1\na_total 1\n", head + 'a_total{b="c} 1\n',
                     head + 'a_total{b="c",} 1\n', head + 'a_total{b="c",b="d"} 1\n', head + "a_total 1x\n",
                     head + 'a_total{b="\\t"} 1\n', head + head, "# TYPE a_total counter\na_total 1\n",
                     "# HELP a text\n# TYPE a counter\na 1\n",
                     "# HELP h t\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
                     "# HELP h t\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
                     "# HELP h t\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"):
            with self.assertRaises(prometheus.FormatError, msg=text):
                prometheus.read(text)


if __name__ == "__main__":
    main()
