"""All that a measurement makes: containers, volumes, networks, a file system, a folder. Everything goes again."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.parse

from engine_api import ApiError

MARK = "org.kopi-docka.bench"
# Labels under a prefix of our own: what else is labelled on this machine is no unit of ours, and ours are nobody else's.
LABEL_PREFIX = "kopi-docka-bench"
NAME_PREFIX = "kopi-docka-bench-"
FOLDER_MARK = ".made-by-kopi-docka-bench"


def in_parallel(work, items, width=8):
    """work(item) of every item; the results in their order, or the first failure."""
    pool = concurrent.futures.ThreadPoolExecutor(width)
    try:
        return list(pool.map(work, items))
    finally:
        # After a failure or Ctrl-C nothing more is begun.
        pool.shutdown(cancel_futures=True)


class Made:
    """The folder of this run and everything in Docker that carries MARK."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = pathlib.Path(folder)
        self._children = []

    # --- making -----------------------------------------------------------------------------------------------------

    def open_folder(self):
        if self.folder.exists() and not (self.folder / FOLDER_MARK).exists() and any(self.folder.iterdir()):
            raise SystemExit(f"FAILED: {self.folder} is not empty and was not made by scripts/bench")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / FOLDER_MARK).write_text("scripts/bench removes this folder when it ends.\n")

    def labels(self, more=None):
        return {MARK: "true", "kopi-docka.enable": "false", **(more or {})}

    def volume(self, name):
        """Makes a volume; its folder on this machine."""
        body = {"Name": NAME_PREFIX + name, "Labels": {MARK: "true"}}
        return pathlib.Path(self.engine.call("POST", "/volumes/create", body)["Mountpoint"])

    def network(self, name):
        body = {"Name": NAME_PREFIX + name, "Labels": {MARK: "true"}, "CheckDuplicate": True}
        self.engine.call("POST", "/networks/create", body)
        return NAME_PREFIX + name

    def container(self, name, image, mounts, labels, command=None, network="bridge"):
        """Makes a container that is not started. `mounts`: source (a volume's short name or a path) to destination."""
        binds = [f"{source if source.startswith('/') else NAME_PREFIX + source}:{place}" for source, place in mounts.items()]
        body = {"Image": image, "Labels": self.labels(labels), "HostConfig": {"Binds": binds, "NetworkMode": network}}
        if command:
            body["Cmd"] = command
        self.engine.call("POST", f"/containers/create?name={NAME_PREFIX}{name}", body)
        return NAME_PREFIX + name

    def xfs(self, name, size):
        """A file system with reflink in a file; where it is mounted."""
        image, place = self.folder / (name + ".img"), self.folder / name
        with open(image, "wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", str(image)], check=True)
        place.mkdir()
        subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
        return place

    def started(self, process):
        """Notes a child, so that it is ended when we are. In a session of its own: Ctrl-C is passed on in order."""
        self._children.append(process)
        return process

    # --- removing ---------------------------------------------------------------------------------------------------

    def _ours(self, kind):
        filters = urllib.parse.quote(json.dumps({"label": [MARK + "=true"]}))
        if kind == "containers":
            return [entry["Id"] for entry in self.engine.get(f"/containers/json?all=1&filters={filters}")]
        if kind == "volumes":
            return [entry["Name"] for entry in self.engine.get(f"/volumes?filters={filters}")["Volumes"] or []]
        return [entry["Id"] for entry in self.engine.get(f"/networks?filters={filters}")]

    def remove_objects(self):
        """Containers, volumes and networks, of earlier runs as well."""
        for kind, options in (("containers", "?force=1&v=1"), ("volumes", "?force=1"), ("networks", "")):
            found = self._ours(kind)
            in_parallel(lambda name: self.engine.call("DELETE", f"/{kind}/{name}{options}", tolerate=(404, 409)), found)

    def end_children(self):
        for process in self._children:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._children:
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._children.clear()

    def remove_folder(self, name=None):
        """A part of the folder, or all of it; file systems in it are unmounted first."""
        place = self.folder / name if name else self.folder
        mounts = [line.split()[1] for line in open("/proc/self/mounts", encoding="utf-8")]
        for mount in reversed(mounts):
            if mount == str(place) or mount.startswith(str(place) + "/"):
                subprocess.run(["umount", mount], check=False)
                if os.path.ismount(mount):
                    raise SystemExit(f"FAILED: {mount} cannot be unmounted; umount it, then start scripts/bench again")
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def clear(self):
        """After a row: all of it goes, but the empty folder."""
        self.end_children()
        self.remove_objects()
        self.remove_folder()
        self.open_folder()

    def remove_all(self):
        self.end_children()
        try:
            self.remove_objects()
            left = self._ours("containers") + self._ours("volumes") + self._ours("networks")
        except (ApiError, OSError) as error:
            left = [str(error)]
        if (self.folder / FOLDER_MARK).exists():
            self.remove_folder()
        return left
