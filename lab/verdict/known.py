# SPDX-License-Identifier: GPL-2.0-only
"""Known issues of the kernel, and the failures that each explains.

An issue explains a failure only if kind of kernel, version, case, clause and text all
match.  Anything malformed in the list is a complaint, because an entry that matches more
than its author intended would turn failures into passes.
"""

import dataclasses
import fnmatch
import re

from .console import printable
from .contract import CLAUSES

KEYS = ("id", "kernels", "versions", "clause", "case", "text", "evidence")
REPEATED = ("case", "evidence")

STRAY = ""  # the key that malformed lines of an entry are kept under

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
VERSIONS = re.compile(rf"({VERSION.pattern})\.\.({VERSION.pattern})")


@dataclasses.dataclass
class Issue:
    """One well-formed entry of known_issues."""

    name: str
    kernels: list
    versions: str
    first: tuple
    last: tuple
    clause: str
    globs: list
    text: re.Pattern
    evidence: list

    def concerns(self, kernel, release):
        """Tell whether this kind of kernel has the issue in this version."""
        running = version(release)
        # A bound of 7.3 includes 7.3.4, so that only as many numbers are compared.
        return kernel in self.kernels and running is not None \
            and self.first <= running[:len(self.first)] \
            and running[:len(self.last)] <= self.last

    def names(self, program, case):
        """Tell whether the case may meet the issue."""
        return any(fnmatch.fnmatchcase(f"{program}/{case}", glob) for glob in self.globs)

    def explains(self, program, case, clause, text):
        """Tell whether the issue explains this failure of the case."""
        return clause == self.clause and self.names(program, case) \
            and self.text.match(text) is not None


def version(release):
    """Return (7, 3, 4) for "7.3.4-rc1+", and None if it does not begin like a version."""
    found = VERSION.match(release)
    return tuple(int(x) for x in found.groups() if x) if found else None


def parse(lines, kinds):
    """Return (issues, complaints) of LINES; KINDS are the kinds of kernel that exist."""
    issues, complaints = [], []
    for entry in _entries(lines, complaints):
        wrong = list(_wrong(entry, kinds))
        if entry["id"][-1] in [issue.name for issue in issues]:
            wrong.append("is listed twice")
        if wrong:
            complaints += [f"{printable(entry['id'][-1])}: {why}" for why in wrong]
        else:
            issues.append(_issue(entry))
    return issues, complaints


def _entries(lines, complaints):
    """Return each entry as {key: [values]}.  An entry begins with its id."""
    entries = []
    for line in lines:
        key, equals, value = (x.strip() for x in line.partition("="))
        if key == "id" and value:
            entries.append({"id": [value]})
        elif not entries:
            complaints.append(f"before the first id: {printable(line)}")
        elif equals and value and key in KEYS:
            entries[-1].setdefault(key, []).append(value)
        else:
            entries[-1].setdefault(STRAY, []).append(line)
    return entries


def _wrong(entry, kinds):
    """Yield a sentence for each thing that is wrong with ENTRY."""
    for line in entry.get(STRAY, ()):
        yield f"not 'key = value' with a known key: {printable(line)}"
    for key in KEYS:
        if key not in entry:
            yield f"does not say its {key}"
        elif len(entry[key]) > 1 and key not in REPEATED:
            yield f"says its {key} more than once"
    if not ID.fullmatch(entry["id"][-1]):
        yield "its id is not lower-case-words-with-dashes"
    for kind in " ".join(entry.get("kernels", ())).split():
        if kind not in kinds:
            yield f"there is no kind of kernel '{printable(kind)}' in lab/scenarios"
    for clause in entry.get("clause", ()):
        if clause not in CLAUSES:
            yield f"there is no clause '{printable(clause)}'"
    for glob in entry.get("case", ()):
        if not all(glob.partition("/")):
            yield f"case is not 'PROGRAM/CASE': {printable(glob)}"
    for words in entry.get("versions", ()):
        yield from _wrong_versions(words)
    for pattern in entry.get("text", ()):
        yield from _wrong_text(pattern)


def _wrong_versions(words):
    found = VERSIONS.fullmatch(words)
    if not found:
        yield f"versions are not 'FIRST..LAST': {printable(words)}"
        return
    first, last = (version(bound) for bound in words.split(".."))
    shorter = min(len(first), len(last))
    if first[:shorter] > last[:shorter]:
        yield f"versions end before they begin: {words}"


def _wrong_text(pattern):
    try:
        if re.compile(pattern).match(""):
            yield f"its text would explain every failure: {printable(pattern)}"
    except (re.error, OverflowError, RecursionError) as error:
        yield f"its text is no regular expression: {printable(str(error))}"


def _issue(entry):
    words = entry["versions"][0]
    first, last = (version(bound) for bound in words.split(".."))
    return Issue(entry["id"][0], entry["kernels"][0].split(), words, first, last,
                 entry["clause"][0], entry["case"], re.compile(entry["text"][0]),
                 entry["evidence"])
