"""docs/interop.md, made of the results that the clients left."""
import json
import pathlib

from cases import CASES, LOAD, OFFICIAL

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/interop.md"
HEAD = """<!-- Made of the results of the tests interop/*. To renew it: ctest --preset release -L interop, then the command that
     interop/page names. -->
# Interoperability

The test run calls the release build with the clients that people use. A cell is what happened: *yes*; *FAILED*, and then the run fails as well; *no*, vigil does not
speak that; or a letter, when it is the client that has no such thing.

"""
SECTIONS = (
    ("The cases of the official interoperability clients", "`grpc.testing.TestService`, under the names of gRPC's `interop-test-descriptions.md`.",
     [case for case in CASES if case in OFFICIAL]),
    ("What else people rely on", "Against vigild itself, but for the first three.", [case for case in CASES if case not in OFFICIAL and case not in LOAD]),
    ("Under load, while connections end", "Eight calls in flight at any time, for as long as it takes.", list(LOAD)),
)


def table(head, lines):
    rows = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


class Cells:
    """The words of cells; reasons get letters in the order in which they are met."""

    def __init__(self):
        self.reasons = []

    def word(self, result, why):
        if result == "absent":
            if why not in self.reasons:
                self.reasons.append(why)
            return chr(ord("a") + self.reasons.index(why))
        return {"pass": "yes", "fail": "FAILED", "not served": "no"}[result]


def heads(clients):
    """(title, version, transport, results) of each column."""
    for client in clients:
        for column in client["columns"]:
            several = len(client["columns"]) > 1
            title = f"{client['client']}, {column['transport']}" if several else client["client"]
            yield title, client["version"], column["transport"], column["cases"]


def render(clients):
    found = list(heads(clients))
    cells = Cells()
    text = HEAD + table(["client", "version", "transport", "cases that pass"], [
        [title, version, transport, f"{sum(result == 'pass' for result, _ in cases.values())} of {len(CASES)}"]
        for title, version, transport, cases in found])
    for title, about, names in SECTIONS:
        text += f"\n## {title}\n\n{about}\n\n" + table(["case", *[head[0] for head in found]], [
            [f"`{case}`", *[cells.word(*head[3][case]) for head in found]] for case in names])
    if cells.reasons:
        text += "\nWhy a client has no such thing:\n\n" + "".join(f"- **{chr(ord('a') + number)}** {why}\n" for number, why in enumerate(cells.reasons))
    return text + "\n## What a case shows\n\n" + table(["case", "what"], [[f"`{case}`", what] for case, what in CASES.items()])


def main(folder, names, write):
    """0: the page says what happened; 77: not every client ran."""
    missing = [name for name in names if not (folder / (name + ".json")).exists()]
    if missing:
        print("SKIP: docs/interop.md is not compared, for these clients have left no results: " + ", ".join(missing))
        return 77
    text = render([json.loads((folder / (name + ".json")).read_text(encoding="utf-8")) for name in names])
    if write:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"docs/interop.md is not what happened. Write it: /usr/bin/python3 tests/support/python/run_test.py "
          f"tests/interop/interop_test.py page --results {folder} --write")
    return 1
