# SPDX-License-Identifier: GPL-2.0-only
"""Read what a run left behind.

Nothing is decided here.  A missing or malformed input becomes a sentence in Run.problems,
and the rules go on with the rest, so that a run directory of which half is missing still
shows which clause was broken.
"""

import dataclasses
import fnmatch
import pathlib
import re

from . import known
from .console import Console, printable
from .ktap import Ktap

REQUIRED_KEYS = ("kernel", "expect", "seed", "arch", "accel")


@dataclasses.dataclass
class Run:
    """Everything that the rules look at."""

    name: str
    problems: list = dataclasses.field(default_factory=list)
    settings: dict = dataclasses.field(default_factory=dict)
    allow_skip: list = dataclasses.field(default_factory=list)  # (slug, glob)
    allow_log: list = dataclasses.field(default_factory=list)
    slugs: set = None  # None if the list could not be read
    plan: list = None  # None if the plan could not be read
    ktap: Ktap = None
    console: Console = None
    qemu_exit: int = None
    qemu_error: str = ""
    watchdog: str = ""
    not_run: str = ""  # why the machine was not booted
    release: str = ""  # the version that the kernel itself reported
    issues: list = dataclasses.field(default_factory=list)  # those that this kernel may have

    def may_skip(self, slug, program, case=""):
        """Tell whether the scenario allows this skip.  A glob may name program, case or both."""
        names = (program, case, f"{program}/{case}")
        return any(slug == allowed and any(fnmatch.fnmatchcase(n, glob) for n in names)
                   for allowed, glob in self.allow_skip)

    def known_issue(self, program, case, clause, text):
        """Return the issue of this kernel that explains the failure, or None."""
        return next((issue for issue in self.issues
                     if issue.explains(program, case, clause, text)), None)


def read(run_dir, lab):
    """Return the Run in RUN_DIR.  LAB is the directory lab/, whose lists the run must keep to."""
    run = Run(pathlib.Path(run_dir).resolve().name)
    if (run_dir / "not-run").exists():
        why = _data(_lines(run, run_dir / "not-run"))
        run.not_run = printable(why[0]) if why else "for no reason that was told"
    _scenario(run, run_dir / "scenario")
    _skip_reasons(run, lab / "skip-reasons")
    _plan(run, run_dir / "plan")
    run.ktap = _feed(run, run_dir / "ktap.log", Ktap())
    run.console = _feed(run, run_dir / "console.log", Console(run.allow_log))
    if run.ktap.begun() and not run.console.last_line and (run_dir / "console.log").is_file():
        run.problems.append("console.log is empty, so nobody knows what the kernel reported")
    _qemu(run, run_dir)
    _known_issues(run, run_dir, lab)
    return run


def _lines(run, path):
    """Return the lines of PATH, or None and a complaint.  Bad bytes are no complaint."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            return file.read().split("\n")
    except OSError as error:
        run.problems.append(f"{path.name} could not be read: {error.strerror}")
        return None


def _feed(run, path, parser):
    """Give PARSER the lines of PATH one by one, because logs may be of any size."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file:
                parser.feed(line)
    except OSError as error:
        run.problems.append(f"{path.name} could not be read: {error.strerror}")
    return parser


def _data(lines):
    """Return the lines that are neither blank nor comments."""
    return [x.strip() for x in lines or () if x.strip() and x.strip()[0] != "#"]


def _scenario(run, path):
    lines = _lines(run, path)
    if lines is None:
        return
    for line in _data(lines):
        key, equals, value = (x.strip() for x in line.partition("="))
        if not equals:
            run.problems.append(f"scenario: not 'key = value': {printable(line)}")
        elif key == "allow-skip":
            slug, _, glob = value.partition(" ")
            run.allow_skip.append((slug, glob.strip() or "*"))
        elif key == "allow-log":
            _allow_log(run, value)
        else:
            run.settings[key] = value
    missing = [key for key in REQUIRED_KEYS if not run.settings.get(key)]
    if missing:
        run.problems.append(f"scenario does not say: {', '.join(missing)}")


def _allow_log(run, value):
    """Allow "REGEX # why it is harmless".  A pattern without a reason is a complaint."""
    pattern, _, reason = value.rpartition(" # ")
    try:
        re.compile(pattern)
    except re.error:
        pattern = ""
    if pattern.strip() and reason.strip():
        run.allow_log.append(pattern.strip())
    else:
        run.problems.append("scenario: allow-log needs 'REGEX # reason', got: "
                            + printable(value))


def _skip_reasons(run, path):
    lines = _lines(run, path)
    if lines is not None:
        run.slugs = {line.split()[0] for line in _data(lines)}


def _known_issues(run, run_dir, lab):
    """Read the issues that the kernel may have.  It has none if its version is unknown."""
    path = run_dir / "known_issues"
    if not path.exists():
        path = lab.parent / "known_issues"
    lines = _lines(run, path)
    kinds = {scenario.name for scenario in (lab / "scenarios").glob("*")
             if re.search(r"^kernel *=", scenario.read_text(encoding="utf-8"), re.M)}
    issues, complaints = known.parse(_data(lines), kinds)
    run.problems += [f"known_issues: {complaint}" for complaint in complaints]
    # With --host the lab writes the version into the scenario; a VM logs it at boot.
    run.release = run.settings.get("release", "") or run.console.release
    kind = "image" if "image" in run.settings else \
        run.settings.get("issues-of") or run.settings.get("kernel", "")
    run.issues = [issue for issue in issues if issue.concerns(kind, run.release)]


def _plan(run, path):
    lines = _lines(run, path)
    if lines is None:
        return
    run.plan = _data(lines)
    if not run.plan:
        run.problems.append("plan is empty: no test was selected")


def _qemu(run, run_dir):
    text = _lines(run, run_dir / "qemu.exit")
    if text is not None:
        try:
            run.qemu_exit = int(text[0].strip())
        except ValueError:
            run.problems.append("qemu.exit is not a number: " + printable(text[0]))
    for name, field in (("qemu.err", "qemu_error"), ("watchdog", "watchdog")):
        if (run_dir / name).exists():
            found = _data(_lines(run, run_dir / name))
            setattr(run, field, printable(found[0]) if found else "")
    if (run_dir / "watchdog").exists() and run.watchdog not in ("boot", "run"):
        run.problems.append(f"watchdog says '{run.watchdog}', not 'boot' or 'run'")
