"""What happened to a plan is only added to; it goes with its plan's owner."""

from django.db import migrations

KEEP = """
CREATE FUNCTION journal_keep_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (
        SELECT 1 FROM journal_plan WHERE id = OLD.plan_id
        AND current_setting('bh.erasing_owner', true) IS DISTINCT FROM owner_id::text
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'events of plan % can only be added to', OLD.plan_id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_event_keep BEFORE UPDATE OR DELETE ON journal_planevent
    FOR EACH ROW EXECUTE FUNCTION journal_keep_event();
CREATE FUNCTION journal_keep_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM journal_planevent) THEN
        RAISE EXCEPTION 'events of plans can not be truncated' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_events_keep BEFORE TRUNCATE ON journal_planevent
    FOR EACH STATEMENT EXECUTE FUNCTION journal_keep_events();
"""
LET_GO = """
DROP TRIGGER journal_events_keep ON journal_planevent;
DROP FUNCTION journal_keep_events();
DROP TRIGGER journal_event_keep ON journal_planevent;
DROP FUNCTION journal_keep_event();
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0005_judge_armed_plans")]

    operations = [migrations.RunSQL(KEEP, LET_GO)]
