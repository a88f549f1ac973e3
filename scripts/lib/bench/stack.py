"""A stack as compose would have made it, its floor, and its data."""
import dataclasses
import os
import random
import threading

from engine_api import EventLog
from made import LABEL_PREFIX, NAME_PREFIX

MIB = 1 << 20
# The grace time that kopi-docka gives as well.
GRACE = 30


@dataclasses.dataclass
class Service:
    """One container. `mounts`: volume or path to its place; `needs`: services that are up before it and stop after it."""
    name: str
    image: str
    mounts: dict
    command: list = None
    needs: tuple = ()


@dataclasses.dataclass
class Hold:
    """What the engine's events tell of one time that a stack was down, in seconds."""
    down: float      #: first kill to last start
    stopping: float  #: first kill to last stop
    rest: float      #: last stop to last start


def hold_of(log):
    """A kill event is the stop signal; a container that ends before it is noted has its die event first."""
    first = log.times("kill", "die", "stop")[0]
    stopped = log.times("stop", "die")[-1]
    last = log.times("start")[-1]
    return Hold((last - first) / 1e9, (stopped - first) / 1e9, (last - stopped) / 1e9)


class Stack:
    """Makes and starts the containers of a compose project, with a network and the volumes they name."""

    def __init__(self, made, name, services):
        self.engine, self.services = made.engine, services
        self.project = NAME_PREFIX + name
        self.folders = {}
        network = made.network(name)
        for service in services:
            for source in service.mounts:
                if not source.startswith("/") and source not in self.folders:
                    self.folders[source] = made.volume(source)
            made.container(self._short(service), service.image, service.mounts, self._labels(service), service.command, network)
        for service in self._providers_first():
            self.engine.start(self.container(service))

    def _short(self, service):
        return self.project[len(NAME_PREFIX):] + "-" + service.name

    def container(self, service):
        return NAME_PREFIX + self._short(service)

    def _labels(self, service):
        return {
            LABEL_PREFIX + ".enable": "true",
            "com.docker.compose.project": self.project,
            "com.docker.compose.service": service.name,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.depends_on": ",".join(f"{other}:service_started:false" for other in service.needs),
        }

    def _providers_first(self):
        order = []
        while len(order) < len(self.services):
            names = {service.name for service in order}
            order += [service for service in self.services if service.name not in names and names.issuperset(service.needs)]
        return order

    def watch(self):
        return EventLog(self.engine, self.project)

    def hold(self, act):
        """Calls act() and returns what the engine's events tell of it, and what act() returned."""
        with self.watch() as log:
            answer = act()
            log.wait_for("start", len(self.services))
        return hold_of(log), answer

    def stop_and_start(self):
        """The floor: no backup, each container stopped after those that need it and started after those it needs."""
        stopped = {service.name: threading.Event() for service in self.services}
        started = {service.name: threading.Event() for service in self.services}
        failures = []

        def one(service):
            try:
                for other in self.services:
                    if service.name in other.needs:
                        stopped[other.name].wait()
                self.engine.stop(self.container(service), GRACE)
                stopped[service.name].set()
                for name in service.needs:
                    started[name].wait()
                self.engine.start(self.container(service))
            except Exception as failure:  # whatever it is, the others must not wait for ever
                failures.append(failure)
            finally:
                stopped[service.name].set()
                started[service.name].set()

        threads = [threading.Thread(target=one, args=(service,)) for service in self.services]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


# --- data ---------------------------------------------------------------------------------------------------------------


def write_random(path, size):
    """Bytes that no engine can compress or has seen before."""
    with open(path, "wb") as file:
        while size > 0:
            piece = os.urandom(min(size, 4 * MIB))
            file.write(piece)
            size -= len(piece)


def write_large(folder, count, size):
    for number in range(count):
        write_random(folder / f"large-{number:03}", size)


def write_small(folder, count):
    """`count` files of 5 to 15 KiB, a hundred in a folder."""
    for number in range(count):
        if number % 100 == 0:
            (folder / f"{number // 100:04}").mkdir(exist_ok=True)
        write_random(small_file(folder, number), random.randrange(5 << 10, 15 << 10))


def small_file(folder, number):
    return folder / f"{number // 100:04}" / f"small-{number:06}"


def rewrite_part(path, share):
    """A stretch of the file, somewhere in it, in place."""
    size = path.stat().st_size
    length = max(1, int(size * share))
    with open(path, "r+b") as file:
        file.seek(random.randrange(size - length + 1))
        file.write(os.urandom(length))


def touch_contents(folder):
    """4 KiB at the start of every file: each of them has new content and a new time."""
    for path in folder.iterdir():
        with open(path, "r+b") as file:
            file.write(os.urandom(4096))
