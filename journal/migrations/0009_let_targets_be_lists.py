from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0008_move_targets_into_lists'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='plan',
            name='plan_prices_positive',
        ),
        migrations.RemoveField(
            model_name='plan',
            name='target',
        ),
        migrations.AddConstraint(
            model_name='plan',
            constraint=models.CheckConstraint(condition=models.Q(('entry__gt', 0), ('invalidation__gt', 0)), name='plan_prices_positive'),
        ),
        migrations.AddConstraint(
            model_name='plan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('direction', 'observe'), ('entry__isnull', True), ('invalidation__isnull', True), ('risk_pct__isnull', True), ('targets', [])), models.Q(models.Q(('direction', 'observe'), _negated=True), ('entry__isnull', False), ('invalidation__isnull', False), ('risk_pct__isnull', False), models.Q(('targets', []), _negated=True)), _connector='OR'), name='plan_priced_unless_observed'),
        ),
        migrations.AddConstraint(
            model_name='plan',
            constraint=models.CheckConstraint(condition=models.Q(('belief_pct__range', (0, 100)), ('conviction__range', (1, 5))), name='plan_belief_range'),
        ),
        migrations.AddConstraint(
            model_name='plan',
            constraint=models.CheckConstraint(condition=models.Q(('equity__gt', 0), ('leverage__gte', 1), ('max_chase__gte', 0), ('time_stop_hours__gt', 0), ('trail_atr__gt', 0)), name='plan_amounts_positive'),
        ),
        migrations.AddConstraint(
            model_name='unfinished',
            constraint=models.UniqueConstraint(fields=('owner', 'zone', 'plan_number'), name='unfinished_once'),
        ),
    ]
