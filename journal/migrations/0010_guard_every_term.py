"""A plan is armed with evidence that agrees with its row in every term that the trader wrote."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION journal_guard_arming() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held jsonb := to_jsonb(NEW);
    terms jsonb := NEW.evidence -> 'plan';
    name text;
    differs boolean;
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
        OR (terms ->> 'expires_at')::numeric IS DISTINCT FROM floor(extract(epoch FROM NEW.expires_at) * 1000)
    THEN
        RAISE EXCEPTION 'plan % can not be armed: its evidence says otherwise', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    FOREACH name IN ARRAY ARRAY[
        'number', 'direction', 'thesis', 'wrong_if', 'setups', 'more_zones', 'confirmation', 'entry_kind', 'entry',
        'max_chase', 'invalidation', 'targets', 'management', 'trail_atr', 'trigger_source', 'time_stop_hours',
        'risk_pct', 'equity', 'leverage', 'belief_pct', 'conviction'
    ] LOOP
        differs := CASE jsonb_typeof(held -> name)
            WHEN 'number' THEN (terms ->> name)::numeric IS DISTINCT FROM (held ->> name)::numeric
            ELSE (terms -> name) IS DISTINCT FROM (held -> name)
        END;
        IF differs THEN
            RAISE EXCEPTION 'plan % can not be armed: its evidence says otherwise about %', OLD.id, name
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0009_let_targets_be_lists")]

    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
