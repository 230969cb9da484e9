"""A plan is armed now, by an update, with evidence that agrees with its row; no other armed plan comes in."""

from django.db import migrations

GUARD = """
CREATE FUNCTION journal_guard_arming() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms jsonb := NEW.evidence -> 'plan';
BEGIN
    IF NEW.armed_at IS NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'a plan begins as a draft; it can not be inserted armed' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.armed_at IS NOT NULL THEN
        RETURN NEW;  -- journal_plan_lock refuses
    END IF;
    IF abs(extract(epoch FROM clock_timestamp() - NEW.armed_at)) > 5 THEN
        RAISE EXCEPTION 'plan % can only be armed at the present moment', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.evidence_sha256 !~ '^[0-9a-f]{64}$' THEN
        RAISE EXCEPTION 'plan % can not be armed without a SHA-256', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    -- The hash itself is over a spelling that SQL does not have; the pages compute it again.
    IF (NEW.evidence ->> 'armed_at_ms')::numeric IS DISTINCT FROM floor(extract(epoch FROM NEW.armed_at) * 1000)
        OR (terms ->> 'number')::numeric IS DISTINCT FROM NEW.number
        OR (terms ->> 'direction') IS DISTINCT FROM NEW.direction
        OR (terms ->> 'entry')::numeric IS DISTINCT FROM NEW.entry
        OR (terms ->> 'invalidation')::numeric IS DISTINCT FROM NEW.invalidation
        OR (terms ->> 'target')::numeric IS DISTINCT FROM NEW.target
        OR (terms ->> 'risk_pct')::numeric IS DISTINCT FROM NEW.risk_pct
        OR (terms ->> 'thesis') IS DISTINCT FROM NEW.thesis
        OR (terms ->> 'expires_at')::numeric IS DISTINCT FROM floor(extract(epoch FROM NEW.expires_at) * 1000)
    THEN
        RAISE EXCEPTION 'plan % can not be armed: its evidence says otherwise', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_plan_arming BEFORE INSERT OR UPDATE ON journal_plan
    FOR EACH ROW EXECUTE FUNCTION journal_guard_arming();
"""
UNGUARD = """
DROP TRIGGER journal_plan_arming ON journal_plan;
DROP FUNCTION journal_guard_arming();
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0003_give_drafts_a_request_key")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
