"""Floor and backup by turns, so that whatever else the machine does hits both."""
import os
import time

from results import Comparison

# After the disk is quiet, before the next stop.
PAUSE = 1.0


def settle():
    os.sync()
    time.sleep(PAUSE)


def pair(comparison, stack, program, before_floor=None, before_backup=None):
    """One floor and one backup. `before_...` prepare each of them, unmeasured."""
    if before_floor:
        before_floor()
    settle()
    floor, _ = stack.hold(stack.stop_and_start)
    if before_backup:
        before_backup()
    settle()
    hold, report = stack.hold(lambda: program.backup(stack.project))
    detail = {"stopping": hold.stopping, "rest": hold.rest, "floor_stopping": floor.stopping, "floor_rest": floor.rest}
    comparison.add(floor.down, hold.down, detail, report)
    return report


def pairs(row, case, stack, program, runs, before_floor=None, before_backup=None):
    comparison = Comparison(row, case)
    for _ in range(runs):
        pair(comparison, stack, program, before_floor, before_backup)
    return comparison
