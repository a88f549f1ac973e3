"""W4: PostgreSQL that is written to until it is stopped, and what its restored copy holds."""
import subprocess
import threading
import time

from made import NAME_PREFIX
from pairs import pair
from program import Program
from results import Comparison, Remark
from stack import MIB, Service, Stack

PLACE = "/var/lib/postgresql/data"
READY = 'test -e "$PGDATA/PG_VERSION" && pg_isready --quiet'
# Rows are written one by one, each committed and answered before the next: 1, 2, 3, ...
ROW = "insert into acknowledged values ({0}) returning n;\n"


def bytes_of(options):
    return 2048 * MIB


class Database:
    """One PostgreSQL in a container, asked with its own programs."""

    def __init__(self, container):
        self.container = container

    def run(self, *words, database="bench"):
        argv = ["docker", "exec", "--env", "PGDATABASE=" + database, self.container, *words]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout.strip()

    def wait(self, seconds=180):
        until = time.monotonic() + seconds
        while True:
            try:
                return self.run("sh", "-c", READY, database="postgres")
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def sql(self, text):
        return self.run("psql", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--command", text)


class Load:
    """pgbench, and a writer that counts what the server has acknowledged, both until the server goes."""

    def __init__(self, made, database):
        self._made, self._database = made, database
        self.acknowledged = 0

    def begin(self):
        self._database.wait()
        self.acknowledged = int(self._database.sql("select coalesce(max(n), 0) from acknowledged"))
        start = ["docker", "exec", "--interactive", "--env", "PGDATABASE=bench", self._database.container]
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self._made.started(subprocess.Popen([*start, "pgbench", "--no-vacuum", "--client=4", "--jobs=2", "--time=86400"],
                                            stdin=subprocess.DEVNULL, **options))
        options["stdout"] = subprocess.PIPE
        writer = self._made.started(subprocess.Popen([*start, "psql", "--quiet", "--no-align", "--tuples-only"],
                                                     stdin=subprocess.PIPE, text=True, bufsize=1, **options))
        self._thread = threading.Thread(target=self._write, args=(writer,), daemon=True)
        self._thread.start()
        time.sleep(5)

    def _write(self, writer):
        try:
            while True:
                writer.stdin.write(ROW.format(self.acknowledged + 1))
                if writer.stdout.readline().strip() != str(self.acknowledged + 1):
                    return
                self.acknowledged += 1
        except OSError:
            pass  # the server is gone

    def end(self):
        """After a stop: both have ended by themselves."""
        self._thread.join(30)
        self._made.end_children()


def check(made, options, program, stack, last, number):
    """Restores into a fresh place, starts a server there, has it check itself; how many rows it has."""
    place = made.folder / f"restored-{number}"
    place.mkdir()
    program.restore(stack.project, place)
    name = made.container(f"w4-restored-{number}", options.database_image, {f"{place}/volumes/{NAME_PREFIX}w4-db": PLACE}, {})
    made.engine.start(name)
    restored = Database(name)
    restored.wait()
    restored.run("pg_amcheck", "--database=bench", "--install-missing", "--heapallindexed", "--parent-check")
    count, least, most = (int(word) for word in restored.sql("select count(*), min(n), max(n) from acknowledged").split("|"))
    if count != most or least != 1 or most < last:
        raise RuntimeError(f"the restored table has {count} rows from {least} to {most}, but row {last} was acknowledged")
    made.engine.call("DELETE", f"/containers/{name}?force=1&v=1")
    made.remove_folder(place.name)
    print(f"    restored copy: pg_amcheck has no complaint, {count} rows without a gap, {last} were acknowledged", flush=True)
    return count


def measure_w4(made, options):
    stack = Stack(made, "w4", [Service("db", options.database_image, {"w4-db": PLACE})])
    database = Database(stack.container(stack.services[0]))
    database.wait()
    database.run("createdb", "bench", database="postgres")
    scale = max(1, int(20 * options.scale))
    database.run("pgbench", "--initialize", "--quiet", f"--scale={scale}")
    database.sql("create table acknowledged (n bigint primary key)")
    program = Program(made, options, "w4")
    program.begin_afresh()
    program.backup(stack.project)
    load = Load(made, database)
    comparison = Comparison("W4", "PostgreSQL under pgbench")
    rows = 0
    for number in range(options.runs):
        # The pause of a pair lies within the load.
        pair(comparison, stack, program, load.begin, lambda: (load.end(), load.begin()))
        load.end()
        rows += check(made, options, program, stack, load.acknowledged, number)
    yield comparison
    yield Remark("W4", f"{options.runs} of {options.runs} restored copies started, pg_amcheck found nothing, and all rows acknowledged "
                       f"before the stop were there without a gap ({rows} rows in all)")
