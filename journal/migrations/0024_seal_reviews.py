"""Seal the words of reviews and the answers that are kept; run with BH_NOTES_KEYS, as the web server is."""

import json
from typing import Any

from django.db import migrations

from journal.queries.sealing import new_key, seal

WORDS = ("what_happened", "lesson", "early_interest", "mistakes", "remarks")


def seal_all(apps: Any, schema_editor: Any) -> None:
    def key_of(owner_id: int) -> Any:
        return apps.get_model("journal", "NoteKey")._base_manager.get_or_create(
            owner_id=owner_id, defaults={"wrapped": new_key(owner_id)}
        )[0]

    for row in apps.get_model("journal", "Review")._base_manager.order_by("owner_id").iterator(500):
        place = f"review of trade {row.trade_id}" if row.plan_id is None else f"review of plan {row.plan_id}"
        words = {name: getattr(row, name) for name in WORDS}
        row.sealed = seal(key_of(row.owner_id), place, json.dumps(words, ensure_ascii=False))
        row.save(update_fields=["sealed"])
    for row in apps.get_model("journal", "SentAnswer")._base_manager.order_by("owner_id").iterator(500):
        place = f"answer {row.key_sha256}"
        row.sealed = seal(key_of(row.owner_id), place, json.dumps(row.body, ensure_ascii=False))
        row.save(update_fields=["sealed"])


class Migration(migrations.Migration):
    dependencies = [("journal", "0023_make_room_for_sealed_words")]

    operations = [migrations.RunPython(seal_all, migrations.RunPython.noop)]
