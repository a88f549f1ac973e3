"""The program that is measured, as it runs on a host: folders of its own, settings in its environment."""
import json
import os
import secrets
import socket
import subprocess
import time

from made import LABEL_PREFIX


class ProgramError(RuntimeError):
    """It did not do what was asked; with its own words."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """kopi-docka with state, cache and a repository below <folder of the run>/<name>."""

    def __init__(self, made, options, name):
        self.made, self.binary, self.engine = made, options.program, options.engine
        self.name = name
        self.folder = made.folder / name
        self.port = 0
        self.daemon = None
        self._password = secrets.token_hex(16)

    def environment(self):
        return {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": "unix://" + self.made.engine.path,
            "KOPI_DOCKA_ENGINE": self.engine,
            "KOPI_DOCKA_STATE_DIR": str(self.folder / "state"),
            "KOPI_DOCKA_CACHE_DIR": str(self.folder / "cache"),
            "KOPI_DOCKA_HOOKS_DIR": str(self.folder / "hooks"),
            "KOPI_DOCKA_REPOSITORY": f"filesystem://{self.folder}/repository",
            "KOPI_DOCKA_PASSWORD": self._password,
            "KOPI_DOCKA_HOSTNAME": "bench",
            "KOPI_DOCKA_LABEL_PREFIX": LABEL_PREFIX,
            "KOPI_DOCKA_LISTEN": f"127.0.0.1:{self.port}" if self.port else "off",
        }

    # --- verbs ------------------------------------------------------------------------------------------------------

    def run(self, *words, tolerate=()):
        """Runs a verb to its end; its standard output."""
        return self._run([self.binary, *words], self.environment(), tolerate)

    def _run(self, argv, environment, tolerate=()):
        process = self.made.started(subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True))
        output, errors = process.communicate()
        if process.returncode != 0 and process.returncode not in tolerate:
            words = (output + errors).decode(errors="replace")[-2000:]
            raise ProgramError(f"{' '.join(argv)} ended with exit code {process.returncode}:\n{words}")
        return output.decode()

    def begin_afresh(self):
        """An empty repository; nothing is left of the one before."""
        self.made.remove_folder(self.name)
        (self.folder / "repository").mkdir(parents=True)
        self.run("repository", "init", "--inline")

    def backup(self, unit, inline=True):
        """The report of a backup, which must have succeeded."""
        return self._report(self.run("backup", unit, "--json", *(["--inline"] if inline else []), tolerate=(1, 3, 4)))

    def restore(self, unit, folder):
        return self._report(self.run("restore", unit, "--to", str(folder), "--yes", "--json", "--inline", tolerate=(1, 3, 4)))

    def _report(self, output):
        # Of one unit: the first value, whether it takes one line or many.
        report = json.JSONDecoder().raw_decode(output)[0] if output.strip() else {"result": "no report"}
        if report["result"] != "success":
            raise ProgramError(f"{report.get('kind')} {report['result']}: " + "; ".join(report.get("problems", [])))
        return report

    def throttle(self, bytes_per_second):
        """Kopia keeps it with the connection that the program has made."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "KOPIA_PASSWORD": self._password,
                       "KOPIA_CONFIG_PATH": str(next((self.folder / "state").rglob("kopia.config"))),
                       "KOPIA_LOG_DIR": str(self.folder / "log-of-throttle"), "KOPIA_CHECK_FOR_UPDATES": "false"}
        self._run(["kopia", "repository", "throttle", "set", f"--upload-bytes-per-second={bytes_per_second}"], environment)

    # --- daemon -----------------------------------------------------------------------------------------------------

    def start_daemon(self, seconds=120):
        self.port = free_port()
        log = self.folder / "log"
        with open(log, "ab") as file:
            self.daemon = self.made.started(subprocess.Popen(
                [self.binary, "daemon"], env=self.environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True))
        until = time.monotonic() + seconds
        while "ready: " not in log.read_text(errors="replace"):
            if self.daemon.poll() is not None or time.monotonic() > until:
                raise ProgramError("the daemon did not become ready:\n" + log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop_daemon(self):
        self.made.end_children()
        self.daemon = None
        self.port = 0

    def status(self, name):
        """A field of /proc/PID/status of the daemon itself, in bytes."""
        for line in open(f"/proc/{self.daemon.pid}/status", encoding="utf-8"):
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise ProgramError(f"/proc/PID/status has no {name}")

    def cpu_seconds(self):
        """Of the daemon itself, without its children."""
        fields = open(f"/proc/{self.daemon.pid}/stat", encoding="utf-8").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wake_ups(self):
        """Voluntary context switches of all its threads: each is one time that it went to sleep again."""
        total = 0
        for task in os.listdir(f"/proc/{self.daemon.pid}/task"):
            for line in open(f"/proc/{self.daemon.pid}/task/{task}/status", encoding="utf-8"):
                if line.startswith("voluntary_ctxt_switches:"):
                    total += int(line.split()[1])
        return total

    def metrics(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := connection.recv(1 << 16):
                answer += piece
        return answer.partition(b"\r\n\r\n")[2].decode(errors="replace")
