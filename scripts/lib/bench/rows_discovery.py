"""W5: a host with a thousand containers, and how soon a new one is known."""
import json
import time

from engine_api import EventLog
from made import LABEL_PREFIX, NAME_PREFIX, in_parallel
from program import Program, ProgramError
from results import Comparison, Figure
from rows_stack import WAIT
from stack import MIB

SERVICES = 4  # of one project
WIDTH = 8     # requests at the same time, as in the program


def make_containers(made, options):
    """Containers with a volume each, four to a project; none is started."""
    def one(number):
        name, project = f"w5-{number:05}", NAME_PREFIX + f"w5-{number // SERVICES:05}"
        made.volume(name)
        made.container(name, options.image, {name: "/data"}, {
            LABEL_PREFIX + ".schedule": "0 3 * * *",
            "com.docker.compose.project": project,
            "com.docker.compose.service": f"service-{number % SERVICES}",
        })
        if number % 100 == 99:
            print(f"    {number + 1} containers", flush=True)
    in_parallel(one, range(options.w5_count), WIDTH)


def bare_calls(engine):
    """The calls that discovery needs, their answers read and not looked at; seconds."""
    begin = time.monotonic()
    ids = [entry["Id"] for entry in json.loads(engine.connection().call("GET", engine.base + "/containers/json?all=1")[1])]
    in_parallel(lambda name: engine.connection().call("GET", f"{engine.base}/containers/{name}/json"), ids, WIDTH)
    engine.connection().call("GET", engine.base + "/volumes")
    return time.monotonic() - begin


def listing(program, count):
    begin = time.monotonic()
    units = json.loads(program.run("list", "--json", "--inline"))
    seconds = time.monotonic() - begin
    if sum(len(unit["containers"]) for unit in units) != count:
        raise ProgramError(f"list shows {sum(len(unit['containers']) for unit in units)} containers instead of {count}")
    return seconds


def discovery(made, options, program):
    comparison = Comparison("W5", f"list, {options.w5_count} containers / API calls")
    bare_calls(made.engine)  # the engine's own first reading from disk is nobody's work
    for _ in range(options.runs):
        floor = bare_calls(made.engine)
        comparison.add(floor, listing(program, options.w5_count))
    return comparison


def reaction(made, options, program, number):
    """Seconds from a new container's create and start events to the first metrics that name its unit's next run."""
    name = f"w5-new-{number}"
    project = NAME_PREFIX + name
    made.volume(name)
    with EventLog(made.engine, project) as log:
        labels = {LABEL_PREFIX + ".schedule": "0 3 * * *", "com.docker.compose.project": project,
                  "com.docker.compose.service": "new"}
        made.engine.start(made.container(name, options.image, {name: "/data"}, labels, WAIT))
        known = seen(program, project)
        log.wait_for("start", 1)
        return known - log.times("create")[0] / 1e9, known - log.times("start")[0] / 1e9


def seen(program, unit, seconds=60):
    wanted = f'kopidocka_schedule_next_run_timestamp_seconds{{unit="{unit}"'
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if wanted in program.metrics():
            return time.time()
        time.sleep(0.005)
    raise ProgramError(f"the daemon does not know {unit} after {seconds} seconds:\n{(program.folder / 'log').read_text()[-1000:]}")


def measure_w5(made, options):
    make_containers(made, options)
    program = Program(made, options, "w5")
    program.begin_afresh()
    yield discovery(made, options, program)
    program.start_daemon()
    reactions = []
    for number in range(options.runs):
        reactions.append(reaction(made, options, program, number))
        print(f"    new container {number + 1}: scheduled {1000 * reactions[-1][0]:.0f} ms after its creation", flush=True)
    yield Figure("W5", "new container: creation to scheduled", "ms", [1000 * created for created, _ in reactions])
    yield Figure("W5", "new container: start to scheduled", "ms", [1000 * started for _, started in reactions])
    yield Figure("W5", f"daemon, memory, {options.w5_count} containers (VmRSS)", "MiB", [program.status("VmRSS") / MIB])
    program.stop_daemon()
