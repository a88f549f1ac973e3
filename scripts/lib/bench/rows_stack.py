"""W1, W1x4 and W2: three services with large files, many small ones, and next to nothing."""
import random
import time

from pairs import pair, pairs, settle
from program import Program
from results import Comparison, Figure, Remark
from stack import MIB, Service, Stack, rewrite_part, small_file, write_large, write_random, write_small

WAIT = ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483647 & wait"]


class ThreeServices:
    """The stack and its data: volumes a (large files), b (small files) and c; `times` as much data as W1 has."""

    def __init__(self, made, options, name, times=1):
        self.large, self.small = 4 * times, max(100, int(20_000 * options.scale) * times)
        self.size, self.rest = max(MIB, int(256 * MIB * options.scale)), max(MIB // 4, int(10 * MIB * options.scale) * times)
        services = [Service(letter, options.image, {f"{name}-{letter}": "/data"}, WAIT) for letter in "abc"]
        self.stack = Stack(made, name, services)
        self.a, self.b, self.c = (self.stack.folders[f"{name}-{letter}"] for letter in "abc")
        print(f"    data: {self.large} x {self.size // MIB} MiB, {self.small} files of about 10 KiB, {self.rest / MIB:.1f} MiB", flush=True)
        write_large(self.a, self.large, self.size)
        write_small(self.b, self.small)
        write_random(self.c / "rest", self.rest)

    def change(self, share):
        """That share of the bytes of every large file, and of the small files, is written anew."""
        for path in sorted(self.a.iterdir()):
            rewrite_part(path, share)
        for number in random.sample(range(self.small), max(1, int(self.small * share))):
            write_random(small_file(self.b, number), 10 << 10)

    def add_large(self, size):
        write_random(self.a / "new", size)


def bytes_of(options, times=1):
    """Room for data and repository."""
    return int(2.2 * times * options.scale * (1024 + 200 + 10) * MIB) + 512 * MIB


def measure_w1(made, options):
    with_data = ThreeServices(made, options, "w1")
    program = Program(made, options, "w1")
    yield pairs("W1", "first backup", with_data.stack, program, options.runs, before_backup=program.begin_afresh)
    yield pairs("W1", "second, unchanged", with_data.stack, program, options.runs)
    yield pairs("W1", "1 % changed", with_data.stack, program, options.runs, before_backup=lambda: with_data.change(0.01))


def measure_w1x4(made, options):
    """Both stacks side by side: the ratio is that of the two downtimes, each measured right after the other."""
    small, large = ThreeServices(made, options, "w1"), ThreeServices(made, options, "w1x4", 4)
    programs = {stack: Program(made, options, name) for stack, name in ((small, "w1"), (large, "w1x4"))}
    for with_data, program in programs.items():
        program.begin_afresh()
        program.backup(with_data.stack.project)
    comparison = Comparison("W1x4", "4 x the data / W1, unchanged")
    own = Comparison("W1x4", "4 x the data, unchanged")
    for _ in range(options.runs):
        settle()
        once, _ = small.stack.hold(lambda: programs[small].backup(small.stack.project))
        pair(own, large.stack, programs[large])
        comparison.add(once.down, own.measured[-1])
    yield own
    yield comparison


def measure_w2(made, options):
    if options.engine != "kopia":
        yield Remark("W2", f"not measured: {options.engine} cannot be told a rate from outside the program")
        return
    with_data = ThreeServices(made, options, "w2")
    program = Program(made, options, "w2")
    program.begin_afresh()
    program.backup(with_data.stack.project)
    program.throttle(2 * MIB)
    size = max(MIB, int(200 * MIB * options.scale))
    yield pairs("W2", f"{size // MIB} MiB new, 2 MiB/s", with_data.stack, program, options.runs,
                before_backup=lambda: with_data.add_large(size))


def measure_daemon(made, options):
    with_data = ThreeServices(made, options, "d")
    program = Program(made, options, "d")
    program.begin_afresh()
    program.start_daemon()
    time.sleep(min(10, options.idle_seconds))
    idle, cpu, wake_ups = [program.status("VmRSS")], program.cpu_seconds(), program.wake_ups()
    print(f"    the daemon is left alone for {options.idle_seconds} seconds", flush=True)
    time.sleep(options.idle_seconds)
    cpu, wake_ups = program.cpu_seconds() - cpu, program.wake_ups() - wake_ups
    idle.append(program.status("VmRSS"))
    print("    backups through the daemon", flush=True)
    for _ in range(options.runs):
        program.backup(with_data.stack.project, inline=False)
    yield Figure("D", "daemon, memory when idle (VmRSS)", "MiB", [value / MIB for value in idle])
    yield Figure("D", f"daemon, peak memory after {options.runs} backups (VmHWM)", "MiB", [program.status("VmHWM") / MIB])
    yield Figure("D", f"daemon, processor time in {options.idle_seconds} s idle", "ms", [1000 * cpu])
    yield Figure("D", f"daemon, wake-ups in {options.idle_seconds} s idle", "", [wake_ups])
    program.stop_daemon()
