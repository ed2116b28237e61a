# SPDX-License-Identifier: GPL-2.0-only
"""The clauses of the contract: what the kernel promises of guest_memfd.

Every failure names one clause, by number and title.  The library has the same numbers and
titles, which selftest/lint checks; docs/generate writes the promises into docs/contract.md.
"""

import typing


class Clause(typing.NamedTuple):
    """One clause: the title that follows its number, and what it promises."""

    title: str
    promise: str


CLAUSES = {
    "C1": Clause("contents",
                 "every byte written is read back; never-written pages read as zeros"),
    "C2": Clause("stage-2",
                 "no vCPU reaches the old page frame once it may be reused; then it reaches "
                 "the new one"),
    "C3": Clause("host mapping", "every user mapping follows"),
    "C4": Clause("unmovable", "same pfn, no stage-2 unmap, under every trigger"),
    "C5": Clause("mechanism only",
                 "NUMA balancing, KSM, reclaim, swap, DAMON, khugepaged never move it"),
    "C6": Clause("UAPI", "flags accepted, refused and advertised exactly as expected"),
    "C7": Clause("placement",
                 "movable memory uses ZONE_MOVABLE, CMA and MOVABLE pageblocks; unmovable "
                 "never"),
    "C8": Clause("atomicity", "a failed migration leaves everything as it was"),
    "C9": Clause("liveness",
                 "movable memory does move; refusals never hang; guests make progress"),
    "C10": Clause("accounting",
                  "references, charges and counters return to where they started"),
    "C11": Clause("lifecycle",
                  "punch, fallocate, bind, close, destroy racing with migration lose nothing"),
    "C12": Clause("memory failure", "soft and hard offline do what they report"),
    "C13": Clause("diagnostics",
                  'no WARN, BUG, lockdep or "Bad page" report, no new taint'),
}


def title(clause):
    """Return "C4 unmovable" for "C4", and an empty string for no clause."""
    return f"{clause} {CLAUSES[clause].title}" if clause in CLAUSES else ""
