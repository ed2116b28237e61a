# SPDX-License-Identifier: GPL-2.0-only
"""Read what the tests say of themselves in their opening comments.

Complaints are added to the list WRONG of the caller.
"""

import dataclasses
import pathlib
import re

from .contract import CLAUSES

FIELDS = ("Contract", "Method", "Guards", "Needs", "Kills")

COMMENT = re.compile(r"// SPDX-License-Identifier: \S+\n/\*\n((?: \*.*\n)*?) \*/\n")
FIELD = re.compile(r"([A-Z][a-z]+):\s+(.*)")
STATEMENT = re.compile(r"(C\d+(?:, C\d+)*): \S")
MUTANT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclasses.dataclass
class Test:
    """One test program, as its opening comment describes it."""

    path: str
    claim: str = ""
    fields: dict = dataclasses.field(default_factory=dict)
    clauses: list = dataclasses.field(default_factory=list)
    kills: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        """Return the name that run_all.sh --only takes."""
        return pathlib.Path(self.path).stem


def tests(root, wrong):
    """Return a Test for each test in the Makefile of ROOT, which is the only list of them."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    return [_read(root, f"{path}.c", wrong)
            for line in re.findall(r"^TESTS \+= (.*)$", makefile, re.MULTILINE)
            for path in line.split()]


def _paragraphs(comment):
    """Return the claim of a comment, and its fields in order as (name, text)."""
    parts = [["claim", ""]]
    for line in comment.splitlines():
        # A field begins in the same column as the claim; its other lines are indented.
        found = FIELD.match(line[3:]) if line.startswith(" * ") else None
        if found:
            parts.append([found[1], found[2]])
        else:
            parts[-1][1] += " " + line[2:].strip()
    return parts[0][1].strip(), [(name, text.strip()) for name, text in parts[1:]]


def _read(root, path, wrong):
    """Return the Test at PATH."""
    test = Test(path)
    source = root / path
    found = COMMENT.match(source.read_text(encoding="utf-8")) if source.exists() else None
    if not found:
        wrong.append(f"{path}: has no opening comment after its SPDX line")
        return test
    test.claim, fields = _paragraphs(found[1])
    test.fields = dict(fields)
    if not test.claim.endswith("."):
        wrong.append(f"{path}: its comment does not begin with a claim, in sentences")
    if [name for name, text in fields if text] != list(FIELDS):
        wrong.append(f"{path}: wanted the fields {', '.join(FIELDS)}, once each and in "
                     f"this order, got {', '.join(name for name, _ in fields) or 'none'}")
    test.clauses = _clauses(test, wrong)
    test.kills = _kills(test, wrong)
    return test


def _clauses(test, wrong):
    """Return the clauses in the field Contract, as in "C1, C2: text; C9: text"."""
    statements = re.split(r";\s+(?=C\d+[,:])", test.fields.get("Contract", ""))
    clauses = []
    for statement in statements:
        found = STATEMENT.match(statement)
        if not found:
            wrong.append(f"{test.path}: Contract is not 'C1, C2: what; C9: what': {statement}")
        else:
            clauses += found[1].split(", ")
    wrong += [f"{test.path}: there is no clause {c}" for c in clauses if c not in CLAUSES]
    return clauses


def _kills(test, wrong):
    """Return the mutants in the field Kills."""
    mutants = [name.strip() for name in test.fields.get("Kills", "").split(",")]
    wrong += [f"{test.path}: Kills is not a list of mutants: '{name}'"
              for name in mutants if not MUTANT.fullmatch(name)]
    return mutants
