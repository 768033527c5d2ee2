"""Which of two logins for one uid counts: the whole decision, as one function of what is there and what is asked."""

from __future__ import annotations

from enum import Enum, auto

from harness.reference.sessions_core import Session
from harness.reference.wire import Code, Login, Refused


class Admission(Enum):
    """How a login is let in."""

    NEW = auto()  # nobody is in the way
    RESUME = auto()  # the session is still there: it goes on on the new connection (RECONNECTING-4)
    RETIRE = auto()  # the session of this same instance is of no use to it any more: no remote login (OPEN-16)
    TAKE_OVER = auto()  # another instance is in, and is thrown out (CONNECTED-5, OPEN-19)


_WHY_ENDED = {
    Code.SUPERSEDED: "another instance has logged in with this uid since",
    Code.BANNED: "the session was ended for good",
}


def admit(login: Login, current: Session | None, ended: Code | None) -> Admission | Refused:
    """Decide about a login whose token is good.

    Args:
        login: what is asked.
        current: the session of the uid, where it has one.
        ended: why the session that is to be resumed was ended for good, where it was; it stays so although the one that
            superseded it may have left since (OPEN-20).
    """
    if ended is not None:
        return Refused(ended, _WHY_ENDED[ended])
    if current is None:
        return Admission.NEW
    is_same_instance = current.instance == login.instance
    if is_same_instance and login.attempt < current.attempt:
        return Refused(Code.STALE, f"attempt {login.attempt} came after attempt {current.attempt}")
    if login.resume == current.id:
        return Admission.RESUME
    if is_same_instance:
        # Also with an unknown session to resume: then the answer to its last login got lost on the way.
        return Admission.RETIRE
    if login.resume is not None:
        return Refused(Code.SUPERSEDED, _WHY_ENDED[Code.SUPERSEDED])
    return Admission.TAKE_OVER
