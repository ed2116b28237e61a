# SPDX-License-Identifier: GPL-2.0-only
"""The clauses of the contract: a failure always names one by number and title."""

CLAUSES = {
    "C1": "contents",
    "C2": "stage-2",
    "C3": "host mapping",
    "C4": "unmovable",
    "C5": "mechanism only",
    "C6": "UAPI",
    "C7": "placement",
    "C8": "atomicity",
    "C9": "liveness",
    "C10": "accounting",
    "C11": "lifecycle",
    "C12": "memory failure",
    "C13": "diagnostics",
}


def title(clause):
    """'C4' -> 'C4 unmovable'; no clause is an empty string."""
    return f"{clause} {CLAUSES[clause]}" if clause in CLAUSES else ""
