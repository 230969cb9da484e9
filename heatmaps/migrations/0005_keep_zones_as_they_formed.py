"""What a zone was when it formed is never written again, whoever asks; a zone may still go with its map."""

from django.db import migrations

KEEP = """
CREATE FUNCTION heatmaps_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'zone % is frozen as it formed and can not be changed', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER heatmaps_zone_keep BEFORE UPDATE ON heatmaps_zone
    FOR EACH ROW WHEN (
        (OLD.heatmap_id, OLD.number, OLD.position_side, OLD.born_at, OLD.evidence, OLD.evidence_sha256,
            OLD.input_digest)
        IS DISTINCT FROM
        (NEW.heatmap_id, NEW.number, NEW.position_side, NEW.born_at, NEW.evidence, NEW.evidence_sha256,
            NEW.input_digest)
    )
    EXECUTE FUNCTION heatmaps_refuse_change();
"""
RELEASE = """
DROP TRIGGER heatmaps_zone_keep ON heatmaps_zone;
DROP FUNCTION heatmaps_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("heatmaps", "0004_count_rewritten_tiles")]

    operations = [migrations.RunSQL(KEEP, RELEASE)]
