"""Keep journals that came from elsewhere: shown to their owner, and never changed once they are taken in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

OWN = "owner_id::text IN (current_setting('bh.owner', true), current_setting('bh.erasing_owner', true))"
WALL = f"""
ALTER TABLE journal_movedjournal ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON journal_movedjournal USING ({OWN}) WITH CHECK ({OWN});
CREATE FUNCTION journal_keep_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.taken_at IS NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('bh.erasing_owner', true) = OLD.owner_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'an imported journal can not be changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_moved_keep BEFORE UPDATE OR DELETE ON journal_movedjournal
    FOR EACH ROW EXECUTE FUNCTION journal_keep_moved();
"""
NO_WALL = """
DROP TRIGGER journal_moved_keep ON journal_movedjournal;
DROP FUNCTION journal_keep_moved();
DROP POLICY own_rows ON journal_movedjournal;
ALTER TABLE journal_movedjournal DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0018_keep_answers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MovedJournal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(help_text="of the file", max_length=64)),
                ("content", models.BinaryField(help_text="the file, until it is taken in", null=True)),
                (
                    "parts",
                    models.JSONField(default=list, help_text="journal.imports.own.Part, oldest first"),
                ),
                ("counts", models.JSONField(default=dict, help_text="what became of its rows")),
                ("refused", models.JSONField(default=list, help_text='[["where", "why"], …]')),
                ("sent_at", models.DateTimeField(db_default=Now())),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("owner", "sha256"), name="moved_journal_once")],
            },
        ),
        migrations.RunSQL(WALL, NO_WALL),
    ]
