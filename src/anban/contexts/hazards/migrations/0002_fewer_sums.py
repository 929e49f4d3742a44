"""The roll-up with a row per street, and one per class and kind of it, instead of one per state, grade, proof and more."""

from django.db import migrations, models

import anban.base.fields

FIGURES = (
    'open', 'overdue', 'major', 'rebound', 'penalised_open', 'closed', 'closed_on_site', 'closed_photo', 'closed_declared',
)


class Migration(migrations.Migration):

    dependencies = [
        ('hazards', '0001_first'),
    ]

    # What it held is summed again within ten minutes.
    operations = [
        migrations.DeleteModel(name='Tally'),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('root', models.CharField(max_length=20)),
                ('area_path', anban.base.fields.PathField(help_text="the street's path; hazards below it count in it", max_length=60)),
                ('overview_code', models.CharField(blank=True, max_length=20)),
                ('whole', models.BooleanField(help_text='everything of the street, not one class and kind of it')),
                ('class_code', models.CharField(blank=True, max_length=40)),
                ('place_kind', models.CharField(blank=True, max_length=40)),
                *((name, models.BigIntegerField(default=0)) for name in FIGURES),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['root', 'whole', 'area_path'], name='tally_area')],
            },
        ),
    ]
