"""A vigild process: start, ready line, stop, kill, restart; no test of ours sleeps to wait for it."""
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ.get("VIGILD", "")
# Sanitizers make starting and everything else several times slower.
IS_SANITIZED = os.environ.get("VIGIL_SANITIZED", "") not in ("", "0")
START_DEADLINE = 60 if IS_SANITIZED else 20
STOP_DEADLINE = 60 if IS_SANITIZED else 30
BAD_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "assertion failed")


class StartError(Exception):
    """The server did not print its ready line."""


def wait_until(condition, deadline=10, what="the condition"):
    """Poll `condition` until it is true; its value is returned. Fails after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {deadline} s")
        time.sleep(0.005)


class Server:
    """One data directory and the process that serves it, if any. The directory is removed by close()."""

    def __init__(self, settings=(), demo=False, data=None):
        self.own_folder = None
        if data is None:
            self.own_folder = tempfile.mkdtemp(prefix="vigil-test-")
            data = os.path.join(self.own_folder, "data")
        self.data = data
        self.log_path = data + ".log"
        self.settings = list(settings)
        self.demo = demo
        self.process = None
        self.port = 0
        self.tls_port = 0

    def command(self, port=0):
        words = [PROGRAM, "--data", self.data, "--listen", f"127.0.0.1:{port}"]
        for setting in self.settings:
            words += ["--set", setting]
        return words + (["--demo"] if self.demo else [])

    def launch(self, port=0):
        """Start the process without waiting for anything."""
        assert self.process is None, "the server runs already"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(port), stdout=subprocess.PIPE, stderr=log)

    def wait_ready(self, deadline=START_DEADLINE):
        """Read the ready line. StartError when it does not come; the process is gone then."""
        end = time.monotonic() + deadline
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            # With TLS beside plain text a line about that comes first.
            while not re.search(rb"ready on [^\n]*\n", line) and selector.select(max(0, end - time.monotonic())):
                piece = os.read(self.process.stdout.fileno(), 4096)
                if not piece:
                    break
                line += piece
        ready = re.search(rb"ready on \S+:(\d+)\n", line)
        if ready is None:
            self.kill()
            raise StartError(f"no ready line, but {line!r}; it said:\n{self.log_tail()}")
        self.port = int(ready[1])
        tls = re.search(rb"serves TLS on \S+:(\d+)\n", line)
        self.tls_port = int(tls[1]) if tls else 0

    def start(self, port=0):
        self.launch(port)
        self.wait_ready()
        return self

    def restart(self):
        self.stop()
        return self.start()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_exit(self, deadline=STOP_DEADLINE):
        """The exit code after terminate; the log is held against what must not stand in it."""
        process, self.process = self.process, None
        try:
            process.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError(f"the server did not end within {deadline} s; it said:\n{self.log_tail()}") from None
        self.check_log()
        return process.returncode

    def stop(self):
        self.terminate()
        code = self.wait_exit()
        if code != 0:
            raise AssertionError(f"exit code {code} after SIGTERM; it said:\n{self.log_tail()}")

    def kill(self):
        """SIGKILL: the end of a process that nobody asked."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.communicate()

    def close(self):
        """Stop if it runs, then remove the directory."""
        try:
            if self.process is not None:
                self.stop()
        finally:
            self.kill()
            if self.own_folder is not None:
                shutil.rmtree(self.own_folder, ignore_errors=True)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def log_text(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def log_tail(self):
        return self.log_text()[-6000:]

    def check_log(self):
        text = self.log_text()
        for word in BAD_WORDS:
            if word in text:
                start = max(0, text.index(word) - 1000)
                raise AssertionError(f"the server's log has {word!r}:\n{text[start:start + 6000]}")

    def admin_key(self):
        with open(os.path.join(self.data, "admin.key"), encoding="utf-8") as file:
            return file.read().strip()

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        raise AssertionError("the process has no VmRSS")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def require_program():
    if not PROGRAM or not os.path.exists(PROGRAM):
        print(f"VIGILD does not name the server program: {PROGRAM!r}")
        sys.exit(2)
