"""W3: a folder on xfs with reflink, in which every file has changed."""
from pairs import pairs
from program import Program
from rows_stack import WAIT
from stack import MIB, Service, Stack, touch_contents, write_large

COUNT = 64


def size_of(options):
    return max(MIB, int(4096 * MIB * options.scale) // COUNT)


def bytes_of(options):
    """The files, as much in the repository, and what each run adds to it: a chunk or two of each file."""
    return COUNT * (2 * size_of(options) + options.runs * min(size_of(options), 8 * MIB)) + 1024 * MIB


def measure_w3(made, options):
    size = size_of(options)
    # A file system below 300 MiB is refused by newer mkfs.xfs.
    place = made.xfs("xfs", COUNT * size * 5 // 4 + 512 * MIB) / "data"
    place.mkdir()
    print(f"    data: {COUNT} x {size // MIB} MiB on xfs", flush=True)
    write_large(place, COUNT, size)
    stack = Stack(made, "w3", [Service("files", options.image, {str(place): "/data"}, WAIT)])
    program = Program(made, options, "w3")
    program.begin_afresh()
    program.backup(stack.project)
    yield pairs("W3", f"{COUNT * size / 1024 / MIB:.1f} GiB on xfs, all files touched", stack, program, options.runs,
                before_backup=lambda: touch_contents(place))
