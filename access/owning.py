"""Private rows, in whatever room they lie: no question without an owner.

A manager asks for an owner and filters by it. Behind it stands a second wall: for the role under which the web server
connects, PostgreSQL itself shows the rows of the owner that was named last and no others. A table with private rows
needs a policy like that of journal's migration 0014.
"""

from __future__ import annotations

from typing import ClassVar, Final, NoReturn, TypeVar

from django.db import connection, models

WEB_ROLE: Final = "bh_web"
_M = TypeVar("_M", bound=models.Model)


class OwnerScopeError(RuntimeError):
    """Private rows were asked for without saying whose."""


def name_owner(owner_id: int) -> None:
    """Tell the database whose rows the web server may see from now on; other roles see what they are granted."""
    if connection.settings_dict["USER"] == WEB_ROLE:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('bh.owner', %s, false)", [str(owner_id)])
        connection.bh_owner = owner_id  # type: ignore[attr-defined]  # bhweb.walls forgets it with the request


class OwnedManager(models.Manager[_M]):
    """The only door to an owner's rows; a subclass names the others, if there are any.

    Saving, cascades and foreign keys use Django's base manager and are not touched; ``dumpdata`` needs ``--all``.
    """

    owner_path: ClassVar[str] = "owner_id"

    def get_queryset(self) -> NoReturn:
        """Refuse."""
        name = self.model.__name__
        raise OwnerScopeError(f"Rows of {name} are private: begin with {name}.objects.owned_by(owner_id).")

    def owned_by(self, owner_id: int) -> models.QuerySet[_M]:
        """Return the rows of one owner."""
        name_owner(owner_id)
        return self._of_everybody().filter(**{self.owner_path: owner_id})

    def _of_everybody(self) -> models.QuerySet[_M]:
        """Return all rows, for what a subclass lets the machine do."""
        return super().get_queryset()
