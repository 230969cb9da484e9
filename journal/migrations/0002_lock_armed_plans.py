"""An armed plan refuses every change, whoever asks; only the erasure of its owner removes it."""

from django.db import migrations

LOCK = """
CREATE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.armed_at IS NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- Erasing an account sets this for its own transaction (see access.operations).
    IF TG_OP = 'DELETE' AND current_setting('bh.erasing_owner', true) = OLD.owner_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'plan % is armed and can not be changed', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_plan_lock BEFORE UPDATE OR DELETE ON journal_plan
    FOR EACH ROW EXECUTE FUNCTION journal_refuse_change();
CREATE FUNCTION journal_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM journal_plan WHERE armed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'armed plans can not be truncated' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_plan_keep BEFORE TRUNCATE ON journal_plan
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_truncate();
"""
UNLOCK = """
DROP TRIGGER journal_plan_keep ON journal_plan;
DROP TRIGGER journal_plan_lock ON journal_plan;
DROP FUNCTION journal_refuse_truncate();
DROP FUNCTION journal_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_start")]

    operations = [migrations.RunSQL(LOCK, UNLOCK)]
