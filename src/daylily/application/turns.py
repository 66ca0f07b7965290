"""What is not for every cycle takes turns, so that no cycle costs more than another."""

import threading

from attrs import define, field


@define
class Turns:
    """
    Gives each cycle a few calls for what is not for every cycle; who is put off comes first next time.

    Much is due once a minute: a look at directories that run, or have ended in error; limits of
    customers; a sign of life. Together they would double what one cycle in a minute costs. None of it
    is urgent by seconds, so they take turns, a call at a time. Before the first cycle, in it, and in
    one that stands alone, all that is due is done at once: there may be no other.

    One process may be a monitor and a server, so threads may share it.
    """

    _begun: int = field(init=False, default=0)
    _bound: bool = field(init=False, default=False)
    _free: int = field(init=False, default=0)
    """Turns of this cycle that anybody may take."""
    _kept: list[str] = field(init=False, factory=list)
    """Who has a turn of this cycle for having been put off before."""
    _put_off: dict[str, None] = field(init=False, factory=dict)
    """Who was put off, the first of them first."""
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def begin(self, *, alone: bool = False) -> None:
        """Begin a cycle: with one turn; or, if it stands *alone*, with as many as anybody likes."""
        with self._mutex:
            self._bound = self._begun > 0 and not alone
            self._begun += 1
            self._free, self._kept = 0, []
        self.add(1)

    def add(self, number: int) -> None:
        """Give the cycle *number* turns more; none if there are less than none."""
        with self._mutex:
            for _ in range(number):
                # Who has nothing to do by then lets it lapse, so nobody is waited for.
                if (first := next(iter(self._put_off), None)) is None:
                    self._free += 1
                else:
                    del self._put_off[first]
                    self._kept.append(first)

    def take(self, who: str, *, soon: bool = False) -> bool:
        """
        Tell whether *who* may make a call now; if not, it comes first in one of the next cycles.

        Args:
            soon: Whether that is the very next one, whoever else was put off.
        """
        with self._mutex:
            if not self._bound:
                self._put_off.pop(who, None)
                return True
            if who in self._kept:
                self._kept.remove(who)
                return True
            if self._free > 0:
                self._free -= 1
                return True
            if soon:
                self._put_off = {who: None} | self._put_off
            else:
                self._put_off.setdefault(who)
            return False
