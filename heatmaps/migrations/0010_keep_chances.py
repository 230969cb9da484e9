"""What was learnt, stated and judged of touches: rows that refuse every change."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

LOCK = """
CREATE FUNCTION heatmaps_keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER heatmaps_reach_lock BEFORE UPDATE OR DELETE ON heatmaps_reach
    FOR EACH ROW EXECUTE FUNCTION heatmaps_keep_row();
CREATE TRIGGER heatmaps_statement_lock BEFORE UPDATE OR DELETE ON heatmaps_statement
    FOR EACH ROW EXECUTE FUNCTION heatmaps_keep_row();
CREATE TRIGGER heatmaps_outcome_lock BEFORE UPDATE OR DELETE ON heatmaps_outcome
    FOR EACH ROW EXECUTE FUNCTION heatmaps_keep_row();
"""
UNLOCK = """
DROP TRIGGER heatmaps_outcome_lock ON heatmaps_outcome;
DROP TRIGGER heatmaps_statement_lock ON heatmaps_statement;
DROP TRIGGER heatmaps_reach_lock ON heatmaps_reach;
DROP FUNCTION heatmaps_keep_row();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('heatmaps', '0009_never_change_a_score'),
        ('market', '0006_note_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('horizon', models.CharField(choices=[('4h', '4h'), ('24h', '24h'), ('3d', '3d'), ('7d', '7d')], max_length=4)),
                ('stated_at', models.DateTimeField(help_text='end of the newest bar that it rests on')),
                ('due_at', models.DateTimeField(help_text='end of the horizon')),
                ('price', models.FloatField(null=True)),
                ('levels', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('zones', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('chances', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('base', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), help_text='the share of past windows that went so far', size=None)),
                ('refused', models.TextField(blank=True, help_text='why nothing was stated')),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='market.instrument')),
            ],
        ),
        migrations.CreateModel(
            name='Reach',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('learnt_from', models.DateTimeField(help_text='open time of the first bar; empty without bars', null=True)),
                ('learnt_through', models.DateTimeField()),
                ('input_digest', models.CharField(help_text='SHA-256 of the bars', max_length=64)),
                ('body', models.BinaryField(help_text='heatmaps.core.reach.Fit.pack')),
                ('refused', models.JSONField(help_text='the horizons that the history does not carry, and why')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='market.instrument')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='heatmaps.estimatorrelease')),
            ],
        ),
        migrations.CreateModel(
            name='Outcome',
            fields=[
                ('statement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='outcome', serialize=False, to='heatmaps.statement')),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('missing', models.IntegerField(help_text='five-minute bars that never came: what was not seen touched is unknown')),
                ('judged_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='statement',
            name='reach',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='heatmaps.reach'),
        ),
        migrations.AddIndex(
            model_name='statement',
            index=models.Index(fields=['due_at'], name='statement_by_due'),
        ),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.UniqueConstraint(fields=('instrument', 'horizon', 'stated_at'), name='statement_once'),
        ),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('price__isnull', False), ('refused', '')), models.Q(models.Q(('refused', ''), _negated=True), ('levels', [])), _connector='OR'), name='statement_or_reason'),
        ),
        migrations.AddConstraint(
            model_name='reach',
            constraint=models.UniqueConstraint(fields=('instrument', 'release', 'learnt_through', 'input_digest'), name='reach_once_a_day'),
        ),
        migrations.RunSQL(LOCK, UNLOCK),
    ]
