"""Entries follow each other, now, and stay; arming can be undone until its minute ends."""

from django.db import migrations

GUARD = """
CREATE FUNCTION journal_guard_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
    plan_number integer;
    at_ms bigint := floor(extract(epoch FROM NEW.at) * 1000);
BEGIN
    SELECT number, sha256 INTO last FROM journal_journalentry
        WHERE owner_id = NEW.owner_id ORDER BY number DESC LIMIT 1;
    SELECT number INTO plan_number FROM journal_plan WHERE id = NEW.plan_id AND owner_id = NEW.owner_id;
    IF plan_number IS NULL THEN
        RAISE EXCEPTION 'an entry belongs to a plan of its owner' USING ERRCODE = 'check_violation';
    END IF;
    IF abs(extract(epoch FROM clock_timestamp() - NEW.at)) > 5 THEN
        RAISE EXCEPTION 'an entry can only be made at the present moment' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.number IS DISTINCT FROM coalesce(last.number, 0) + 1
        OR NEW.previous_sha256 IS DISTINCT FROM coalesce(last.sha256, '')
        OR NEW.content_sha256 IS DISTINCT FROM encode(sha256(convert_to(NEW.content, 'UTF8')), 'hex')
        OR NEW.sha256 IS DISTINCT FROM encode(sha256(convert_to(
            '{"at_ms":' || at_ms || ',"content_sha256":"' || NEW.content_sha256 || '","kind":"' || NEW.kind
            || '","number":' || NEW.number || ',"plan":' || plan_number || ',"previous_sha256":"'
            || NEW.previous_sha256 || '","schema":"bh-journal-entry-1"}', 'UTF8')), 'hex')
    THEN
        RAISE EXCEPTION 'an entry follows the one before, with its hash' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entry_guard BEFORE INSERT ON journal_journalentry
    FOR EACH ROW EXECUTE FUNCTION journal_guard_entry();
CREATE FUNCTION journal_keep_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('bh.erasing_owner', true) = OLD.owner_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'entry % can only be added to', OLD.number USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_entry_keep BEFORE UPDATE OR DELETE ON journal_journalentry
    FOR EACH ROW EXECUTE FUNCTION journal_keep_entry();
CREATE FUNCTION journal_keep_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM journal_journalentry) THEN
        RAISE EXCEPTION 'entries can not be truncated' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_entries_keep BEFORE TRUNCATE ON journal_journalentry
    FOR EACH STATEMENT EXECUTE FUNCTION journal_keep_entries();

CREATE OR REPLACE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    arming text[] := ARRAY['armed_at', 'evidence', 'evidence_sha256'];
BEGIN
    IF OLD.armed_at IS NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- Erasing an account sets this for its own transaction (see access.operations).
    IF TG_OP = 'DELETE' THEN
        IF current_setting('bh.erasing_owner', true) = OLD.owner_id::text THEN
            RETURN OLD;
        END IF;
    ELSIF NEW.armed_at IS NULL AND to_jsonb(NEW) - arming = to_jsonb(OLD) - arming
        AND clock_timestamp() < date_trunc('minute', OLD.armed_at) + interval '1 minute'
        AND NOT EXISTS (SELECT 1 FROM journal_planevent WHERE plan_id = OLD.id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'plan % is armed and can not be changed', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
"""
LET_GO = """
DROP TRIGGER journal_entries_keep ON journal_journalentry;
DROP FUNCTION journal_keep_entries();
DROP TRIGGER journal_entry_keep ON journal_journalentry;
DROP FUNCTION journal_keep_entry();
DROP TRIGGER journal_entry_guard ON journal_journalentry;
DROP FUNCTION journal_guard_entry();
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0011_chain_entries")]

    operations = [migrations.RunSQL(GUARD, LET_GO)]
