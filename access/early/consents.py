"""What people agree to, word by word. A changed text is a new version by itself: its hash is kept with each consent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from access.models import Consent

if TYPE_CHECKING:
    import datetime as dt

    from access.models import Signup

TEXTS: Final = {
    Consent.Purpose.ACCESS: (
        "BH Terminal may keep this address and what I wrote to send me one confirmation and, when it is my turn, "
        "an invitation. I can end this and have everything deleted from any of these mails."
    ),
    Consent.Purpose.LETTER: (
        "BH Terminal may also send me its research letter: new articles and measurements, at most once a month. "
        "I can end this with one click."
    ),
}
FORM: Final = "request-1"


def note_asked(*, signup: Signup, wants_letter: bool, now: dt.datetime) -> None:
    """Add what was agreed to in the form."""
    purposes = [Consent.Purpose.ACCESS, *([Consent.Purpose.LETTER] if wants_letter else [])]
    Consent.objects.bulk_create(
        Consent(
            signup=signup,
            purpose=purpose,
            act=Consent.Act.ASKED,
            text=TEXTS[purpose],
            version=hashlib.sha256(TEXTS[purpose].encode()).hexdigest(),
            form=FORM,
            source=signup.source,
            at=now,
        )
        for purpose in purposes
    )


def note_confirmed(*, signup: Signup, now: dt.datetime) -> None:
    """Add that the owner of the address has confirmed what was asked for last."""
    asked = Consent.objects.filter(signup=signup, act=Consent.Act.ASKED).order_by("-at", "-pk")
    newest = asked.first()
    Consent.objects.bulk_create(
        Consent(
            signup=signup,
            purpose=one.purpose,
            act=Consent.Act.CONFIRMED,
            text=one.text,
            version=one.version,
            form=one.form,
            source=one.source,
            at=now,
        )
        for one in asked
        if newest is not None and one.at == newest.at
    )
