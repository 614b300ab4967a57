"""A link by which others see a view; made by `View.share()`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvlink.errors import OptionError, PvlinkError, ShareError, StreamerLost, refuse_unknown

if TYPE_CHECKING:
    from pvlink.inside import Inside
    from pvlink.sessions import Session

OPTIONS = ("role", "expires", "password", "host", "port", "certificate", "key")
# Of any text; the streamer is stricter about passwords.
MAX_TEXT = 4096


class Covered(str):
    """A password that is not printed: IPython's verbose traces show every value, and notebooks keep them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<password>"


def covered(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call, fit to be in a trace."""
    password = options.get("password")
    return {**options, "password": Covered(password)} if isinstance(password, str) else options


class Share:
    """One link, until it is revoked, its time is over, or the session ends. Its password is never printed by itself."""

    def __init__(self, session: Session | Inside, answer: dict[str, Any]) -> None:
        facts = answer["share"]
        self._session = session
        self._name: str = facts["share"]
        self._password: str = answer["password"]
        self.url: str = facts["url"]
        self.role: str = facts["role"]
        # SHA-256 of the certificate, as a browser shows it: what tells the real page from another.
        self.fingerprint: str = facts["fingerprint"]
        self.expires = datetime.datetime.fromtimestamp(facts["expires"]).astimezone()
        self.note: str = answer["note"]

    @classmethod
    def of(cls, session: Session | Inside, view: str, **options: Any) -> Share:
        """A new link to one of the session's views."""
        refuse_unknown("View.share()", set(options) - set(OPTIONS), OPTIONS)
        options = covered(options)
        asked = _checked(options)
        try:
            return cls(session, session.ask("share", view=view, **asked))
        except ValueError as error:
            raise ShareError(str(error)) from None
        except (PvlinkError, KeyboardInterrupt) as error:
            # Without where it came from: on the wire the password is as it is.
            raise error.with_traceback(None) from None

    @property
    def password(self) -> str:
        """To be told to whoever gets the link. Printed in a cell it is saved with the notebook."""
        return self._password

    def revoke(self) -> None:
        """End it now, and the visits of those who came by it. May be called twice."""
        try:
            self._session.ask("revoke", share=self._name)
        except StreamerLost:
            # With the session ended all its links have.
            return

    def __repr__(self) -> str:
        what = {"view": "to look at", "control": "to look at and to steer"}[self.role]
        return (
            f"<pvlink share {self.url} {what}, until {self.expires:%Y-%m-%d %H:%M}; "
            "its password: in the view's Sharing panel, or share.password"
            + (f"; {self.note}" if self.note else "")
            + ">"
        )

    def __reduce__(self) -> Any:
        raise TypeError("A share holds a password and cannot be pickled or copied.")


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """As the streamer wants them; what cannot be is said in the words of the call."""
    asked = {key: value for key, value in options.items() if value is not None}
    for name, kind in (("role", str), ("password", str), ("host", str), ("port", int)):
        if name in asked and (not isinstance(asked[name], kind) or isinstance(asked[name], bool)):
            raise OptionError(f"{name}= is a {kind.__name__}, not a {type(asked[name]).__name__}.")
        if kind is str and not _can_be_sent(asked.get(name, "")):
            raise OptionError(f"{name}= is too long, or holds what is no text.")
    if isinstance(asked.get("expires"), datetime.timedelta):
        asked["expires"] = asked["expires"].total_seconds()
    if isinstance(asked.get("expires", 0.0), bool) or not isinstance(asked.get("expires", 0.0), int | float):
        raise OptionError(f"expires={asked['expires']!r}: give seconds, or a datetime.timedelta.")
    # JSON knows no infinity, and NaN compares with nothing.
    if not 0 < asked.get("expires", 1.0) < 1e12:
        raise OptionError(f"expires={str(asked['expires'])[:20]}: a link lasts 1 second to 366 days.")
    if asked.get("role", "view") not in ("view", "control"):
        raise OptionError(f"role={asked['role']!r}: a link is for 'view' or 'control'.")
    if asked.get("password") == "":
        raise ShareError("An empty password protects nothing. Leave it out, and a good one is made for you.")
    if not 0 <= asked.get("port", 0) <= 65535:
        raise OptionError(f"port={asked['port']!r}: 1 to 65535, or 0 for any.")
    for name in ("certificate", "key"):
        if name in asked:
            asked[name] = str(Path(asked[name]).expanduser().absolute())
            if not _can_be_sent(asked[name]):
                raise OptionError(f"{name}={asked[name][:80]!r} is no path.")
    return asked


def _can_be_sent(text: str) -> bool:
    """What JSON or the streamer's bound does not let pass would end the streamer, not this call."""
    try:
        return "\0" not in text and len(text.encode()) <= MAX_TEXT
    except UnicodeEncodeError:
        return False
