"""A zone's life: what each event told of it, appended and never changed, and what follows the zones of a map."""

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION heatmaps_refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'zone event % was told and can not be changed', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER heatmaps_zoneevent_keep BEFORE UPDATE ON heatmaps_zoneevent
    FOR EACH ROW EXECUTE FUNCTION heatmaps_refuse_rewrite();
"""
REWRITABLE = """
DROP TRIGGER heatmaps_zoneevent_keep ON heatmaps_zoneevent;
DROP FUNCTION heatmaps_refuse_rewrite();
"""
RENAMED = "UPDATE heatmaps_zone SET state = 'expired' WHERE state = 'faded'"
FORMER = "UPDATE heatmaps_zone SET state = 'faded' WHERE state = 'expired'"


class Migration(migrations.Migration):

    dependencies = [
        ('heatmaps', '0010_keep_chances'),
    ]

    operations = [
        migrations.CreateModel(
            name='ZoneEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('forming', 'Forming'), ('active', 'Active'), ('approached', 'Approached'), ('partly_swept', 'Partly swept'), ('swept', 'Swept'), ('expired', 'Expired'), ('merged', 'Merged')], default='forming', max_length=12)),
                ('cause', models.CharField(blank=True, choices=[('through', 'price traded through all of it'), ('eaten', 'price swept most of it'), ('closed', 'closing left less than half'), ('levelled', 'it no longer stands out'), ('joined', 'it is part of another zone')], default='', help_text='why it is over', max_length=8)),
                ('other_number', models.IntegerField(help_text='the zone that it became part of, or that became part of it', null=True)),
                ('tested_at', models.DateTimeField(help_text='price first came into the band', null=True)),
                ('price_low', models.FloatField()),
                ('price_high', models.FloatField()),
                ('price_peak', models.FloatField()),
                ('usd', models.FloatField()),
                ('usd_low', models.FloatField(help_text='lower end of the 80 % interval')),
                ('usd_high', models.FloatField(help_text='upper end of the 80 % interval')),
                ('usd_peak', models.FloatField(help_text='largest estimate so far, in the band as it is drawn')),
                ('deposited', models.FloatField(default=0.0)),
                ('closed', models.FloatField(default=0.0)),
                ('swept', models.FloatField(default=0.0)),
                ('moved', models.FloatField(default=0.0)),
                ('number', models.IntegerField(help_text='counts up within a zone')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('formed', 'Formed'), ('changed', 'Estimate changed'), ('state', 'State changed'), ('touched', 'Price came into the band'), ('absorbed', 'Took in another zone'), ('ended', 'Ended')], max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name='ZoneTracking',
            fields=[
                ('heatmap', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='heatmaps.heatmap')),
                ('body', models.TextField(help_text='heatmaps.core.zones.Tracker.dump as JSON')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='zone',
            name='zone_end_matches_state',
        ),
        migrations.RemoveField(
            model_name='zone',
            name='missing_count',
        ),
        migrations.AddField(
            model_name='zone',
            name='cause',
            field=models.CharField(blank=True, choices=[('through', 'price traded through all of it'), ('eaten', 'price swept most of it'), ('closed', 'closing left less than half'), ('levelled', 'it no longer stands out'), ('joined', 'it is part of another zone')], default='', help_text='why it is over', max_length=8),
        ),
        migrations.AddField(
            model_name='zone',
            name='closed',
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name='zone',
            name='deposited',
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name='zone',
            name='moved',
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name='zone',
            name='other_number',
            field=models.IntegerField(help_text='the zone that it became part of, or that became part of it', null=True),
        ),
        migrations.AddField(
            model_name='zone',
            name='swept',
            field=models.FloatField(default=0.0),
        ),
        migrations.AlterField(
            model_name='zone',
            name='last_seen_at',
            field=models.DateTimeField(help_text='when it was as it is told here: its newest event'),
        ),
        migrations.AlterField(
            model_name='zone',
            name='state',
            field=models.CharField(choices=[('forming', 'Forming'), ('active', 'Active'), ('approached', 'Approached'), ('partly_swept', 'Partly swept'), ('swept', 'Swept'), ('expired', 'Expired'), ('merged', 'Merged')], default='forming', max_length=12),
        ),
        migrations.AlterField(
            model_name='zone',
            name='usd_peak',
            field=models.FloatField(help_text='largest estimate so far, in the band as it is drawn'),
        ),
        migrations.RunSQL(RENAMED, FORMER),
        migrations.AddConstraint(
            model_name='zone',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ('forming', 'active', 'approached', 'partly_swept'))), models.Q(models.Q(('state__in', ('forming', 'active', 'approached', 'partly_swept')), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='zone_end_matches_state'),
        ),
        migrations.AddField(
            model_name='zoneevent',
            name='zone',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='heatmaps.zone'),
        ),
        migrations.AddConstraint(
            model_name='zoneevent',
            constraint=models.UniqueConstraint(fields=('zone', 'number'), name='zone_event_number_unique'),
        ),
        migrations.RunSQL(APPEND_ONLY, REWRITABLE),
    ]
