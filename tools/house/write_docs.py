#!/usr/bin/env python3
"""Write the pages of docs/ that are made from the tables of core/base.

    tools/house/write_docs.py           write them
    tools/house/write_docs.py --check   say which are stale, and fail if any is
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTE = "<!-- Made by tools/house/write_docs.py from {source}. Change the table, not this page. -->\n"


def rows(source):
    """The arguments of every X(...) of a table, as texts; "..." loses its quotes."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", (ROOT / source).read_text(encoding="utf-8"), flags=re.S)
    found = []
    at = 0
    while (match := re.compile(r"^X\(", re.M).search(text, at)) is not None:
        at, row = read_row(text, match.end(), source)
        found.append(row)
    if not found:
        sys.exit(f"{source}: no rows")
    return found


def read_row(text, at, source):
    """Split one row at the commas that stand in no text and no parentheses."""
    row, cell, depth = [], "", 0
    while at < len(text):
        char = text[at]
        if char == '"':
            end = re.compile(r'"((?:[^"\\]|\\.)*)"').match(text, at)
            if end is None:
                break
            cell += end.group(1).replace('\\"', '"')
            at = end.end()
            continue
        at += 1
        if char == ")" and depth == 0:
            return at, row + [cell.strip()]
        if char == "," and depth == 0:
            row.append(cell.strip())
            cell = ""
            continue
        depth += {"(": 1, ")": -1}.get(char, 0)
        cell += char
    sys.exit(f"{source}: a row does not end")


def cell(text):
    return text.replace("|", "\\|")


def table(head, lines):
    text = "| " + " | ".join(head) + " |\n|" + "---|" * len(head) + "\n"
    return text + "".join("| " + " | ".join(cell(part) for part in line) + " |\n" for line in lines)


KINDS = {"COUNT": "number", "SIZE": "bytes", "MS": "time", "US": "time", "BOOL": "yes or no", "TEXT": "text", "WORD": "word"}


def allowed(kind, low, high, unit):
    if kind == "BOOL":
        return "`true`, `false`"
    if kind == "WORD":
        return ", ".join(f"`{word}`" for word in unit.split("|"))
    if kind == "TEXT":
        return f"{unit}, {low} to {high} bytes"
    return f"{low} to {high}" + (f" {unit}" if kind == "COUNT" else "")


def settings(source):
    lines = [
        (f"`{name}`", KINDS[kind], f"`{value}`", allowed(kind, low, high, unit), text)
        for name, kind, value, low, high, unit, text in rows(source)
    ]
    return (
        "# Settings\n\n"
        "Give them to `vigild` as `--set NAME=VALUE`, as often as needed, or as members of a JSON object in the file of `--config FILE`.\n"
        "Sizes take `KiB`, `MiB`, `GiB`; times take `ms`, `s`, `m`, `h` (and `us` where the name ends so), or are in the unit their name ends with.\n\n"
        + table(("name", "kind", "default", "allowed", "what"), lines)
    )


def number(value):
    shift = re.fullmatch(r"\((\d+) << (\d+)\)", value)
    return f"{int(shift[1]) << int(shift[2]) if shift else int(value):,}"


def limits(source):
    lines = [(f"`{name}`", number(value), text) for name, value, text in rows(source)]
    return (
        "# Limits\n\n"
        "The same on every server. What an operator may change stands in [settings](settings.md). Past a limit the answer is an error that says so.\n\n"
        + table(("name", "limit", "of what"), lines)
    )


def errors(source):
    lines = [
        (f"`{name}`", code, status, "later" if retry == "LATER" else "no", f"`{template}`", text)
        for name, code, status, retry, _, template, text in rows(source)
    ]
    return (
        "# Errors\n\n"
        "Every failure the server can answer. The reason is stable: gRPC sends it as `google.rpc.ErrorInfo.reason`, REST as the `messageTemplate` of a message.\n"
        "*Retry later* means that the same request may succeed after a while.\n\n"
        + table(("reason", "gRPC code", "HTTP status", "retry", "message template", "default text"), lines)
    )


def metrics(source):
    lines = [(f"`vigil_{name}`", kind.lower(), unit, text) for name, kind, unit, text in rows(source)]
    methods = [
        ("`grpc_server_started_total`", "counter", "calls", "Calls begun, by either face; labels `grpc_type`, `grpc_service`, `grpc_method`"),
        ("`grpc_server_handled_total`", "counter", "calls", "Calls ended, by status; the same labels and `grpc_code`"),
        ("`grpc_server_msg_received_total`", "counter", "messages", "Messages of requests; the same labels without `grpc_code`"),
        ("`grpc_server_msg_sent_total`", "counter", "messages", "Messages of answers"),
        ("`grpc_server_handling_seconds`", "histogram", "seconds", "Time from headers to status, for methods that were called"),
        ("`vigil_http_responses_total`", "counter", "answers", "Answers of the REST face; labels `method` (`other` = none that we know, or never read) and `code`"),
    ]
    asked = [
        ("`process_cpu_seconds_total`", "counter", "seconds", "User and system time of the process"),
        ("`process_resident_memory_bytes`, `process_virtual_memory_bytes`", "gauge", "bytes", "Memory of the process"),
        ("`process_start_time_seconds`", "gauge", "seconds", "When the process was started, since 1970"),
        ("`process_open_fds`, `process_max_fds`", "gauge", "files", "File descriptors open, and how many may be"),
        ("`process_threads`", "gauge", "threads", "Threads of the process"),
        ("`vigil_build_info`", "gauge", "", "Always 1; labels `version`, `compiler`"),
        ("`vigil_store_memory_bytes`", "gauge", "bytes", "Memory of LevelDB's cache and write buffers"),
        ("`vigil_store_level_files`, `vigil_store_level_bytes`", "gauge", "files, bytes", "A level of LevelDB; label `level`. Bytes are whole MiB, as LevelDB tells them"),
        ("`vigil_store_compaction_seconds_total`, `vigil_store_compaction_read_bytes_total`, `vigil_store_compaction_written_bytes_total`", "counter", "seconds, bytes", "Work LevelDB did to write a level; label `level`"),
        ("`vigil_store_views`", "gauge", "views", "Views of the store that answers hold now"),
    ]
    return (
        "# Metrics\n\n"
        "`GET /metrics` answers them in the text format of Prometheus. The figures of methods have the names and labels of go-grpc-middleware, and count REST calls too: both faces go through one dispatch.\n\n"
        + table(("name", "kind", "unit", "what"), methods + lines + asked)
    )


PAGES = {
    "docs/settings.md": ("core/base/settings.def", settings),
    "docs/limits.md": ("core/base/limits.def", limits),
    "docs/errors.md": ("core/base/errors.def", errors),
    "docs/metrics.md": ("core/base/metrics.def", metrics),
}


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = []
    for page, (source, write) in PAGES.items():
        text = NOTE.format(source=source) + write(source)
        path = ROOT / page
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(page)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {page}")
    if check and stale:
        sys.exit("stale, run tools/house/write_docs.py: " + ", ".join(stale))


main()
