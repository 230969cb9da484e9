"""Mail, for every room: declare a notice once, then post it in the transaction that gives the reason for it.

    INVITE = declare("access/invite", is_letter=True, sample={"link": "/invite/…/"})
    post(INVITE, to=address, context={"link": path}, key=f"invite:{row.pk}")

`post` only writes a row; a worker renders and sends it (`access/mail/sending.py`). See docs/EXTENDING.md.
"""

from access.mail.notices import Notice, declare
from access.mail.outbox import forget, post
from access.mail.suppression import address_digest, is_withheld, resume_letters, suppress, unsubscribe_path

__all__ = [
    "Notice", "address_digest", "declare", "forget", "is_withheld", "post", "resume_letters", "suppress",
    "unsubscribe_path",
]  # fmt: skip
