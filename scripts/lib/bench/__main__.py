"""The measuring part of scripts/bench, which has built and installed everything before it starts this."""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time
import traceback

import rows_database
import rows_discovery
import rows_stack
import rows_xfs
from engine_api import Engine
from made import Made
from results import Remark, table

ROWS = {
    "W1": ("three services", rows_stack.measure_w1, rows_stack.bytes_of),
    "W1x4": ("the same with four times the data", rows_stack.measure_w1x4, lambda options: rows_stack.bytes_of(options, 5)),
    "W2": ("much new data and a slow repository", rows_stack.measure_w2,
           lambda options: rows_stack.bytes_of(options) + int(options.runs * 200 * options.scale * (1 << 20))),
    "W3": ("a file system that can clone", rows_xfs.measure_w3, rows_xfs.bytes_of),
    "W4": ("a database under load", rows_database.measure_w4, rows_database.bytes_of),
    "W5": ("a host with many containers", rows_discovery.measure_w5, lambda options: 512 << 20),
    "D": ("the daemon at rest", rows_stack.measure_daemon, rows_stack.bytes_of),
}


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--engine", default="kopia")
    parser.add_argument("--json", required=True)
    parser.add_argument("--w5-count", type=int, default=1000)
    parser.add_argument("--idle-seconds", type=int, default=60)
    for name in ("program", "folder", "socket", "image", "database-image"):
        parser.add_argument("--" + name, required=True)
    return parser.parse_args(arguments)


def end_in_order(*_):
    """The first signal ends the work; what follows it must not end the removal."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    print("\nInterrupted: removing what was made, which may take a minute.", flush=True)
    raise SystemExit(130)


def first_line(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[0]


def machine(options, engine):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    version = ["kopia", "--version"] if options.engine == "kopia" else ["restic", "version"]
    return {
        "program": first_line(options.program, "version"), "engine": options.engine, "engine_version": first_line(*version),
        "docker": engine.version["Version"], "storage_driver": engine.get("/info")["Driver"], "kernel": platform.release(),
        "cores": os.cpu_count(), "memory_bytes": memory, "runs": options.runs, "scale": options.scale,
        "w5_count": options.w5_count, "idle_seconds": options.idle_seconds,
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
    }


def head_of(facts):
    runs = f"{facts['runs']} run" + ("" if facts["runs"] == 1 else "s")
    engine = " ".join(facts["engine_version"].split()[:2]) if facts["engine"] == "restic" else "kopia " + facts["engine_version"].split()[0]
    return (f"{facts['program']}, {engine}, docker {facts['docker']} ({facts['storage_driver']}), kernel {facts['kernel']}, "
            f"{facts['cores']} cores, {facts['memory_bytes'] >> 30} GiB; {runs}, scale {facts['scale']:g}")


def no_room(made, options, wanted):
    """Why a row cannot be measured on these disks; empty when it can."""
    root = made.engine.get("/info")["DockerRootDir"]
    places = {os.stat(place).st_dev: place for place in (made.folder, root)}
    for place in places.values():
        free = shutil.disk_usage(place).free
        if free < wanted:
            return f"not measured: it may need {wanted / 2**30:.1f} GiB, {place} has {free / 2**30:.1f} GiB free; --scale makes it smaller"
    return ""


def measure_row(made, options, row, results):
    """Adds what was measured; false when the row failed, of which its words stay among the results."""
    title, work, wanted = ROWS[row]
    print(f"\n==> {row}: {title}", flush=True)
    problem = no_room(made, options, wanted(options))
    if problem:
        print("    " + problem, flush=True)
        results.append(Remark(row, problem))
        return True
    try:
        for result in work(made, options):
            results.append(result)
        return True
    except Exception as failure:  # the rows before and after it are worth something
        print(f"    FAILED: {failure}", flush=True)
        if os.environ.get("KOPI_DOCKA_VERBOSE"):
            traceback.print_exc()
        results.append(Remark(row, f"failed: {failure}"))
        return False
    finally:
        made.clear()


def main():
    options = options_of(sys.argv[1:])
    made = Made(Engine(options.socket), options.folder)
    made.remove_all()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_in_order)
    try:
        made.open_folder()
        facts = machine(options, made.engine)
        results = []
        succeeded = [measure_row(made, options, row, results) for row in options.only.split(",")]
    finally:
        left = made.remove_all()
        if left:
            print("Left behind: " + ", ".join(left), file=sys.stderr)
    pathlib.Path(options.json).write_text(
        json.dumps({"schema_version": 1, **facts, "rows": [result.as_json() for result in results]}, indent=1) + "\n")
    print("\n" + "\n".join(table(head_of(facts), results)))
    print(f"\nAll of it, as JSON: {options.json}")
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
