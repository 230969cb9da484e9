"""The outbox: rows that are to be sent. PostgreSQL is the truth about them, the broker only a hint."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models.functions import Now

from access.mail.suppression import address_digest
from access.models import LocalMail, Mail

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from access.mail.notices import Notice

ATTEMPTS: Final = 8
# No sending outlives it: the transport gives up well before [s].
LEASE_S: Final = 90
RETRY_S: Final = 30
# A hint that nobody acted upon for so long is taken for lost [s].
RESEND_S: Final = 30
KEEP: Final = "14 days"
KEEP_DEAD: Final = "30 days"
BATCH: Final = 500
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DUE: Final = """(state = 'queued' AND due_at <= clock_timestamp())
    OR (state = 'sending' AND lease_until < clock_timestamp())"""


@transaction.atomic
def post(  # noqa: PLR0913  # each is said by name
    notice: Notice,
    *,
    to: str,
    context: Mapping[str, Any],
    key: str | None = None,
    batch: str = "",
    due_at: dt.datetime | None = None,
) -> int | None:
    """Write a mail to the outbox, in the caller's transaction; None where its key was posted before.

    The context holds what JSON can hold; links in it are paths of this site. Raises ValueError for an address that
    is none. Whether the address may be written to is looked up when the mail's turn comes.
    """
    try:
        validate_email(to)
    except ValidationError:
        raise ValueError("The mail needs one e-mail address, such as name@example.com.") from None
    mail = Mail(
        key=key,
        notice=notice.slug,
        is_letter=notice.is_letter,
        batch=batch,
        address=to,
        digest=address_digest(to),
        context=_clean(dict(context)),
        message_id=f"<{uuid.uuid4()}@{urlsplit(settings.SITE_URL).hostname}>",
    )
    if due_at is not None:
        mail.due_at = due_at
    Mail.objects.bulk_create([mail], ignore_conflicts=key is not None)
    return Mail.objects.filter(message_id=mail.message_id).values_list("pk", flat=True).first()


def _clean(value: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Take control characters out of all text: nothing that a person typed starts a line or a header of its own."""
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


def hint() -> int:
    """Mark what is due and was not hinted at lately; return how many mails that is."""
    return len(
        _rows(
            f"""UPDATE access_mail SET hinted_at = clock_timestamp() WHERE id IN (
                SELECT id FROM access_mail WHERE ({_DUE})
                    AND (hinted_at IS NULL OR hinted_at < clock_timestamp() - make_interval(secs => %s))
                ORDER BY due_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED
            ) RETURNING id""",  # noqa: S608  # constants
            (RESEND_S,),
        )
    )


def claim() -> Mail | None:
    """Take the next mail that is due for one attempt, what is about accounts first; two workers never take the same."""
    taken = Mail.objects.raw(
        f"""UPDATE access_mail SET state = CASE WHEN attempt >= {ATTEMPTS} THEN 'dead' ELSE 'sending' END,
            ended_at = CASE WHEN attempt >= {ATTEMPTS} THEN clock_timestamp() END,
            attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => {LEASE_S})
        WHERE id = (SELECT id FROM access_mail WHERE {_DUE}
            ORDER BY is_letter, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"""  # noqa: S608  # constants
    )
    return next(iter(taken), None)


def end(mail: Mail, *, state: str, error: str = "") -> None:
    """Note how an attempt ended; what the text was filled with is not needed any more, whoever may read the table."""
    mine = Mail.objects.filter(pk=mail.pk, attempt=mail.attempt, state=Mail.State.SENDING)
    mine.update(state=state, error=error, context={}, ended_at=Now(), lease_until=None)


def put_off(mail: Mail, *, error: str, is_outage: bool) -> None:
    """Try a mail again later; in an outage of the transport it costs no attempt, and all others wait, too."""
    _rows(
        """UPDATE access_mail SET state = 'queued', lease_until = NULL, hinted_at = NULL, error = %s,
            attempt = attempt - %s, due_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id = %s AND attempt = %s AND state = 'sending' RETURNING id""",
        (error, int(is_outage), RETRY_S * 2 ** (0 if is_outage else mail.attempt - 1), mail.pk, mail.attempt),
    )
    if is_outage:
        _rows(
            """UPDATE access_mail SET due_at = clock_timestamp() + make_interval(secs => %s), hinted_at = NULL
            WHERE state = 'queued' AND due_at < clock_timestamp() RETURNING id""",
            (RETRY_S,),
        )


def prune() -> None:
    """Forget mail that ended long ago; the dead are kept longer for whoever looks into them."""
    _rows(
        """DELETE FROM access_mail WHERE ended_at < clock_timestamp() -
            (CASE state WHEN 'dead' THEN %s ELSE %s END)::interval RETURNING id""",
        (KEEP_DEAD, KEEP),
    )
    _rows("DELETE FROM access_localmail WHERE arrived_at < clock_timestamp() - %s::interval RETURNING id", (KEEP,))


def forget(*, address: str) -> None:
    """Delete every mail to an address, sent or not; that it wants none is kept, as a hash."""
    Mail.objects.filter(digest=address_digest(address)).delete()
    LocalMail.objects.filter(address__iexact=address.strip()).delete()


def _rows(sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
