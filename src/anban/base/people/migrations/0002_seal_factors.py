"""Encrypt the authenticators' secrets that an earlier release kept in clear."""

from typing import Any

from django.db import migrations, models

from anban.base.people import sealing


def zero_what_is_freed(apps: Any, schema_editor: Any) -> None:
    """Let SQLite overwrite the pages in which the secrets stood in clear."""
    del apps
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def seal_all(apps: Any, schema_editor: Any) -> None:
    """Encrypt each secret for its account."""
    del schema_editor
    Account = apps.get_model("people", "Account")
    for row in Account.objects.exclude(totp_secret="").exclude(totp_secret__startswith=sealing.MARK):
        row.totp_secret = sealing.seal(row.totp_secret, row.pk)
        row.save(update_fields=["totp_secret"])


class Migration(migrations.Migration):
    """Widen the column, then seal what stands in it."""

    dependencies = [("people", "0001_first")]

    operations = [
        migrations.RunPython(zero_what_is_freed, migrations.RunPython.noop),
        migrations.AlterField(
            "account",
            "totp_secret",
            models.CharField(
                blank=True, help_text="encrypted for this account, never in clear (see sealing)", max_length=200
            ),
        ),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
    ]
