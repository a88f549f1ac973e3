"""What was measured, and how it is shown: a table of 80 columns, and JSON."""
import dataclasses
import statistics
import textwrap

# Of a report: not phases of the hold.
WHOLE = ("duration_seconds", "downtime_seconds")


@dataclasses.dataclass
class Comparison:
    """Pairs of one run: a floor and what was measured right after it."""
    row: str
    case: str
    floors: list = dataclasses.field(default_factory=list)    #: seconds
    measured: list = dataclasses.field(default_factory=list)  #: seconds
    details: list = dataclasses.field(default_factory=list)   #: of each pair, for the JSON
    reports: list = dataclasses.field(default_factory=list)   #: of each backup

    def add(self, floor, measured, detail=None, report=None):
        self.floors.append(floor)
        self.measured.append(measured)
        self.details.append(detail or {})
        if report is not None:
            self.reports.append(report)
        number = len(self.floors)
        print(f"    {self.case} {number}: floor {floor:.2f}s, measured {measured:.2f}s, ratio {measured / floor:.2f}", flush=True)

    @property
    def ratios(self):
        return [measured / floor for floor, measured in zip(self.floors, self.measured)]

    def line(self):
        ratios = self.ratios
        return (f"{self.row:<5} {self.case:<33}{statistics.median(self.floors):>7.2f}s{statistics.median(self.measured):>8.2f}s"
                f"{statistics.median(ratios):>8.2f}{min(ratios):>8.2f}{max(ratios):>8.2f}")

    def as_json(self):
        ratios = self.ratios
        return {
            "row": self.row, "case": self.case, "kind": "ratio",
            "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios), "all": ratios},
            "floor_seconds": self.floors, "measured_seconds": self.measured, "details": self.details,
            "report_downtime_seconds": [report["downtime_seconds"] for report in self.reports],
            "phases": phases_of(self.median_report()) if self.reports else {},
            "read": [read_of(report) for report in self.reports],
        }

    def median_report(self):
        """The report of the run whose downtime lies in the middle."""
        order = sorted(range(len(self.measured)), key=self.measured.__getitem__)
        return self.reports[order[(len(order) - 1) // 2]]


@dataclasses.dataclass
class Figure:
    """A value that has no floor to be compared with."""
    row: str
    what: str
    unit: str
    values: list

    def line(self):
        return (f"{self.row:<5} {self.what:<45} {self.unit:<4}{statistics.median(self.values):>8.1f}{min(self.values):>8.1f}"
                f"{max(self.values):>8.1f}")

    def as_json(self):
        return {"row": self.row, "case": self.what, "kind": "value", "unit": self.unit, "median": statistics.median(self.values),
                "min": min(self.values), "max": max(self.values), "all": self.values}


@dataclasses.dataclass
class Remark:
    """A row that could not be measured, or a check that was made on the way, in words."""
    row: str
    text: str

    def as_json(self):
        return {"row": self.row, "kind": "remark", "text": self.text}


def phases_of(report):
    """Durations within the hold that a report tells beside its downtime: name to seconds."""
    phases = {key.removesuffix("_seconds"): value for key, value in report.items()
              if key.endswith("_seconds") and key not in WHOLE and isinstance(value, (int, float))}
    for key in ("hold", "phases"):
        value = report.get(key)
        entries = value.items() if isinstance(value, dict) else []
        if isinstance(value, list):
            entries = [(entry.get("name") or entry.get("phase"), entry.get("seconds")) for entry in value if isinstance(entry, dict)]
        phases.update({str(name).removesuffix("_seconds"): seconds for name, seconds in entries if isinstance(seconds, (int, float))})
    return phases


def read_of(report):
    """How the sources were read, as the report tells: "cold", "clone, cold" ...; empty when it does not."""
    return ", ".join(sorted({snapshot["warm"] for snapshot in report.get("snapshots", []) if snapshot.get("warm")}))


def table(head, results):
    """The lines to print at the end."""
    lines = textwrap.wrap(head, 80)
    comparisons = [result for result in results if isinstance(result, Comparison)]
    figures = [result for result in results if isinstance(result, Figure)]
    remarks = [result for result in results if isinstance(result, Remark)]
    if comparisons:
        lines += ["", f"{'ROW':<5} {'RATIO OF ONE RUN, MEDIANS':<33}{'FLOOR':>8}{'MEASURED':>9}{'RATIO':>8}{'MIN':>8}{'MAX':>8}"]
        lines += [comparison.line() for comparison in comparisons]
    if figures:
        lines += ["", f"{'ROW':<5} {'VALUE':<50}{'MEDIAN':>8}{'MIN':>8}{'MAX':>8}"]
        lines += [figure.line() for figure in figures]
    lines += hold_lines([comparison for comparison in comparisons if comparison.reports])
    if remarks:
        lines += [""]
        for remark in remarks:
            lines += textwrap.wrap(f"{remark.row}: {remark.text}", 80, subsequent_indent="      ")
    return lines


def hold_lines(comparisons):
    if not comparisons:
        return []
    lines = ["", f"{'ROW':<5} {'THE HOLD BY THE EVENTS, MEDIANS':<33}{'STOP':>8}{'(FLOOR)':>9}{'':>6}{'REST':>8}{'(FLOOR)':>10}"]
    for comparison in comparisons:
        middle = {key: statistics.median(detail[key] for detail in comparison.details)
                  for key in ("stopping", "floor_stopping", "rest", "floor_rest")}
        lines.append(f"{comparison.row:<5} {comparison.case:<33}{middle['stopping']:>7.2f}s{middle['floor_stopping']:>8.2f}s"
                     f"{'':>6}{middle['rest']:>7.2f}s{middle['floor_rest']:>9.2f}s")
    ways = [(comparison, " or ".join(sorted({read_of(report) for report in comparison.reports} - {""}))) for comparison in comparisons]
    if any(way for _, way in ways):
        lines += ["", "ROW   HOW THE SOURCES WERE READ, BY THE REPORTS"]
        lines += [f"{comparison.row:<5} {comparison.case:<33}   {way}" for comparison, way in ways if way]
    phased = [(comparison, phases_of(comparison.median_report())) for comparison in comparisons]
    if any(phases for _, phases in phased):
        lines += ["", "Phases of the hold as the report of the median run gives them:"]
    for comparison, phases in phased:
        if phases:
            words = ", ".join(f"{name.replace('_', ' ')} {seconds:.2f}s" for name, seconds in phases.items())
            lines += textwrap.wrap(f"{comparison.row} {comparison.case}: {words}", 80, subsequent_indent="      ")
    return lines
