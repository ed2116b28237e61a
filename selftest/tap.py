# SPDX-License-Identifier: GPL-2.0-only
"""Print the TAP of the self-test groups that are written in Python.

    tap = Tap("judge")
    tap.check("a clean run passes", why_not)
    tap.equal("a clean run exits with 0", 0, status)
    sys.exit(tap.finish())
"""


class Tap:
    """The result lines of one group, with the plan after them."""

    def __init__(self, group):
        self.group = group
        self.count = self.failed = 0

    def check(self, name, why):
        """Print one result: it is ok if WHY is empty, else WHY says what is wrong."""
        self.count += 1
        self.failed += bool(why)
        print(f"{'not ok' if why else 'ok'} {self.count} - {self.group}: {name}")
        for line in str(why).splitlines() if why else ():
            print(f"# {line}")

    def equal(self, name, wanted, got):
        """Print one result: it is ok if both values are the same."""
        self.check(name, "" if wanted == got else f"wanted {wanted}, got {got}")

    def finish(self):
        """Print the plan and return the exit status.

        A group that crashed has printed no plan, so that selftest/run notices.
        """
        print(f"1..{self.count}")
        return int(self.failed > 0)
