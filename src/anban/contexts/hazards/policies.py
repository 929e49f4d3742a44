"""Who may put a danger on the ledger at a place."""

from __future__ import annotations

from anban.base.people.actor import Actor
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.queries import is_business


def can_enter(actor: Actor, place: Place) -> bool:
    """Tell whether the actor may report about a place: its own one, or any in its areas whatever its kind.

    A sector doesn't narrow this: whoever answers for gas looks at restaurants, which another sector keeps.
    """
    if actor.system:
        return actor.root == place.root
    grants = [g for g in actor.grants if g.root == place.root and not g.matter_id and is_business(g.role)]
    own = {g.place_id for g in grants if g.place_id}
    if any(not g.place_id and (not g.paths or any(place.area_path.startswith(p) for p in g.paths)) for g in grants):
        return True
    # A firm whose place was merged reports about the survivor.
    return not own.isdisjoint({place.pk, place.survivor_id}) or (
        bool(own) and Place.objects.filter(pk__in=own, survivor_id=place.pk).exists()
    )
