"""My notices (我的通知): what the house told me, newest first; nothing here has to be done, what has to be done is on the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from anban.base.notices import operations, queries
from anban.web.desk.wording import duty_name
from anban.web.shell.access import ADMINISTRATORS, EVERYBODY, actor_of, needs

ANYBODY: Final = (*EVERYBODY, *sorted(ADMINISTRATORS))
SHOWN: Final = 100
KINDS: Final = {
    "handover": gettext_lazy("等您签收"),
    "escalation": gettext_lazy("督办升级"),
    "import.finished": gettext_lazy("导入"),
    "job.failed": gettext_lazy("后台任务失败"),
}
DUTY: Final = "obligation."


def kind_name(kind: str) -> str:
    """Return what a kind of notice is called: for a duty, the verb of what has to be done."""
    if kind.startswith(DUTY):
        return duty_name(kind.removeprefix(DUTY))
    return str(KINDS.get(kind, _("通知")))


@needs(*ANYBODY)
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Show my newest notices, the unread ones marked."""
    actor = actor_of(request)
    rows = list(queries.inbox(actor)[: SHOWN + 1])
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "rows": [(row, kind_name(row.kind), row.title_in(get_language() or "")) for row in rows[:SHOWN]],
        "unread": queries.unread(actor),
        "more": len(rows) > SHOWN,
        "shown": SHOWN,
    }
    return render(request, "desk/notices.html", context)


@needs(*ANYBODY)
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark all of mine as read."""
    at: datetime = request.at  # type: ignore[attr-defined]
    operations.mark_read(actor=actor_of(request), at=at)
    messages.success(request, _("已全部标为已读。"))
    return redirect("/notices/")
