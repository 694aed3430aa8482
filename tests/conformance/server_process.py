"""A server of tests/support as a child process: start, port, stop, and the state it reports."""
import os
import signal
import subprocess


class ServerProcess:
    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert "ready on " in line, f"the server did not start: {line!r}"
        self.port = int(line.rsplit(":", 1)[1])

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout=20):
        """Exit code and the rest of the output, after terminate."""
        rest, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, rest

    def stop(self):
        self.terminate()
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0
