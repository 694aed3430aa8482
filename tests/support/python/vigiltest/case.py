"""unittest with a server for each class of tests, and skips that nobody can overlook."""
import json
import os
import pathlib
import sys
import unittest

from . import contract
from .process import Server, require_program

SHARED = pathlib.Path(os.environ.get("VIGIL_SHARED") or contract.SOURCE.parent / "shared")


def fixture(name):
    """The parsed fixture; the test that asks skips, loudly, when it is not there."""
    path = SHARED / "fixtures" / name
    if not path.exists():
        print(f"SKIP: {path} is not there (VIGIL_SHARED names its folder)", flush=True)
        raise unittest.SkipTest(f"no fixture {name}")
    return json.loads(path.read_text(encoding="utf-8"))


class ServerCase(unittest.TestCase):
    """Every class has a server of its own, started with `settings`, and stopped with exit code 0."""

    settings = ()
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(settings=cls.settings)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.arrange()

    @classmethod
    def arrange(cls):
        """What the class needs in the store."""

    def assert_error(self, answer, status, template, field=...):
        """An error answer in the documented envelope."""
        self.assertEqual((answer.status, answer.template), (status, template), answer)
        document = answer.json
        self.assertEqual(document["responseCode"], status)
        self.assertIsNone(document["data"])
        self.assertEqual((document["limit"], document["offset"], document["count"], document["size"]), (0, 0, 0, 0))
        if field is not ...:
            self.assertEqual(answer.field, field, answer)


def main():
    require_program()
    if not contract.STUBS:
        print("VIGIL_STUBS does not name the folder of Python stubs")
        sys.exit(2)
    unittest.main(verbosity=2)
