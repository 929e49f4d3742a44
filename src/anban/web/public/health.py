"""What machines ask: does the process live, is the house in order, how busy is it."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from anban.base import health
from anban.kit.clock import now
from anban.web.shell.access import open_to_all

HELP = {
    "journal_entries": ("counter", "Entries in the journal"),
    "jobs_due": ("gauge", "Jobs that could run and wait"),
    "jobs_running": ("gauge", "Jobs at work"),
    "jobs_failed": ("gauge", "Jobs that failed for good"),
    "queue_lag_seconds": ("gauge", "How long the oldest due job has waited"),
    "job_last_done_seconds": ("gauge", "When a job of the timetable last ended well, Unix time"),
    "sign_in_failures_15m": ("gauge", "Failed tries to sign in during the last 15 minutes"),
    "disk_free_bytes": ("gauge", "Free space where the home folder is"),
    "guards_missing": ("gauge", "Guards of the journal that should stand and do not"),
}


@open_to_all
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives; nothing else is looked at."""
    del request
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@open_to_all
@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when everything is in order and 503 when something is not, each check by name."""
    del request
    checks = health.checks(now())
    ready = all(check.ok for check in checks)
    body = {"ready": ready, "checks": {c.name: {"ok": c.ok, "zh": c.zh, "en": c.en} for c in checks}}
    return JsonResponse(body, status=200 if ready else 503, json_dumps_params={"ensure_ascii": False})


@open_to_all
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures in the text format of Prometheus; they name no person and no place."""
    del request
    lines: list[str] = []
    for name, value in health.readings(now()).items():
        kind, text = HELP[name]
        lines += [f"# HELP anban_{name} {text}", f"# TYPE anban_{name} {kind}"]
        if isinstance(value, Mapping):
            lines += [f'anban_{name}{{job="{job}"}} {figure:.0f}' for job, figure in value.items()]
        else:
            lines.append(f"anban_{name} {value:.0f}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")
