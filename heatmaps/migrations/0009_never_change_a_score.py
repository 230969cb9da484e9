"""A score run is only ever added: no update, no deletion, no emptying of the table while it holds any."""

from django.db import migrations

LOCK = """
CREATE FUNCTION heatmaps_refuse_score_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        IF EXISTS (SELECT 1 FROM heatmaps_scorerun) THEN
            RAISE EXCEPTION 'score runs can not be truncated' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'score run % is kept as it was measured', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER heatmaps_score_lock BEFORE UPDATE OR DELETE ON heatmaps_scorerun
    FOR EACH ROW EXECUTE FUNCTION heatmaps_refuse_score_change();
CREATE TRIGGER heatmaps_score_keep BEFORE TRUNCATE ON heatmaps_scorerun
    FOR EACH STATEMENT EXECUTE FUNCTION heatmaps_refuse_score_change();
"""
UNLOCK = """
DROP TRIGGER heatmaps_score_keep ON heatmaps_scorerun;
DROP TRIGGER heatmaps_score_lock ON heatmaps_scorerun;
DROP FUNCTION heatmaps_refuse_score_change();
"""


class Migration(migrations.Migration):
    dependencies = [("heatmaps", "0008_keep_scores")]

    operations = [migrations.RunSQL(LOCK, UNLOCK)]
