"""The seal (存证可核验): the journal's signed head, and the proof that one entry is in it, for anybody to check."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from anban.base.journal.checkpoints import check_proof, head, proof_of, public_key
from anban.web.shell.access import open_to_all

LARGEST = 2**53


@open_to_all
@require_GET
def journal(request: HttpRequest) -> HttpResponse:
    """Show the head of the journal as it is now, signed."""
    now = head()
    context = {"size": now.size, "note": now.note, "key": public_key().hex(), "last": now.size - 1}
    return render(request, "public/journal.html", context)


@open_to_all
@require_GET
def entry(request: HttpRequest, position: int) -> HttpResponse:
    """Show that the entry at a position is under the head; what the entry says is not told here."""
    if position >= LARGEST:
        raise Http404
    try:
        proof: dict[str, Any] = proof_of(position)
    except LookupError as error:
        raise Http404 from error
    if request.GET.get("format") == "json":
        return JsonResponse(proof)
    return render(request, "public/seal.html", {"proof": proof, "faults": check_proof(proof)})
