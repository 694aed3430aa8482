#!/usr/bin/python3
"""RFC 9113 to the letter: every rule of sections 3 to 8 that a client can break, on both faces of one server.

usage: rfc9113_test.py [WORD...]    only the cases whose section or name has one of the words
"""
import os
import sys
import unittest

from vigiltest.clients import metrics
from vigiltest.process import Server, require_program
from vigiltest.rfc_case import faces, run

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rfc9113_definitions  # noqa: E402
import rfc9113_frames  # noqa: E402
import rfc9113_semantics  # noqa: E402
import rfc9113_streams  # noqa: E402

TABLES = (rfc9113_frames, rfc9113_streams, rfc9113_definitions, rfc9113_semantics)
WORDS = []


class Rfc9113(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The cases ask with PING whether a connection lives.
        cls.server = Server(settings=("ping_interval_ms=0ms", "ping_idle_interval_ms=0ms", "access_log=off", "hosts=*",
                                      "streams_per_connection_max=100", "log_level=warn"))
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.key = cls.server.admin_key()

    def test_every_rule(self):
        count = 0
        for face in faces(self.key):
            for module in TABLES:
                for case in module.table.cases:
                    title = f"{face.name} {case.section}: {case.name}"
                    if WORDS and not any(word in title for word in WORDS):
                        continue
                    count += 1
                    with self.subTest(title):
                        self.assertIsNone(run(case, face, self.server.port))
        print(f"{count} cases", flush=True)
        self.assertGreater(count, 0)
        self.assertTrue(self.server.is_alive())
        self.assertEqual(metrics(self.server.port)["vigil_calls_in_flight"], 0)

    def test_names_are_unique(self):
        names = [(case.section, case.name) for module in TABLES for case in module.table.cases]
        self.assertEqual(len(names), len(set(names)), [name for name in names if names.count(name) > 1])


if __name__ == "__main__":
    WORDS, sys.argv[1:] = sys.argv[1:], []
    require_program()
    unittest.main(verbosity=1)
