"""Each given package does its part, as the linked binaries show: the library is needed, and functions of it that are its
very point are called. A library that is only named on the link line would not pass.

usage: packages_test.py VIGILD VIGIL FOLDER_OF_UNIT_TESTS
"""
import pathlib
import re
import subprocess
import sys

# program -> package -> (library, a function without which the package would have no part in it)
PARTS = {
    "vigild": {
        "protobuf-c": ("libprotobuf-c.so", r"protobuf_c_message_\w+"),
        "nghttp2": ("libnghttp2.so", r"nghttp2_session_server_new\d?"),
        "OpenSSL": ("libcrypto.so", r"(EVP_Digest\w*|SHA256\w*|CRYPTO_memcmp)"),
        "LevelDB": ("libleveldb.so", r"leveldb_write"),
        "libxlsxwriter": ("libxlsxwriter.so", r"worksheet_write_string"),
    },
    "vigil": {
        "cJSON": ("libcjson.so", r"cJSON_Parse\w*"),
        "nghttp2": ("libnghttp2.so", r"nghttp2_session_client_new\d?"),
    },
}
UNIT_TESTS_LEAST = 40


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, program], capture_output=True, text=True, check=True).stdout


def needed(program):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("-d", program))


def called(program):
    """Functions the program takes from libraries."""
    return set(re.findall(r"\sUND\s+(\w+)", readelf("--dyn-syms", program)))


def check(program, name, library, function, breaches):
    if not any(item.startswith(library) for item in needed(program)):
        breaches.append(f"{program} does not link {library}")
    if not any(re.fullmatch(function, symbol) for symbol in called(program)):
        breaches.append(f"{program} calls no {function} of {name}")


def main():
    vigild, vigil, folder = sys.argv[1:]
    breaches = []
    for program, path in (("vigild", vigild), ("vigil", vigil)):
        for name, (library, function) in PARTS[program].items():
            check(path, name, library, function, breaches)
    units = sorted(pathlib.Path(folder).glob("unit_*"))
    if len(units) < UNIT_TESTS_LEAST:
        breaches.append(f"{folder} has {len(units)} unit tests, at least {UNIT_TESTS_LEAST} are expected")
    for unit in units:
        check(str(unit), "cmocka", "libcmocka.so", r"_cmocka_run_group_tests", breaches)
    for breach in breaches:
        print(breach)
    print(f"{len(units)} unit tests, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
