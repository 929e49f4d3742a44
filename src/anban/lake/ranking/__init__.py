"""The risk order: features as of a day, training, scores, reasons, the index and the night's list; one engine for every city.

``rank(tables, as_of, label)`` is the way in for the lake; ``folder.read`` for ``anban rank DIR``. Nothing here knows Django.
"""

from anban.lake.ranking.choosing import Choice, choose
from anban.lake.ranking.city import Label, Unrankable
from anban.lake.ranking.engine import Ranking, rank, retrain
from anban.lake.ranking.keeping import model_of, plain_of
from anban.lake.ranking.reasons import Reason
from anban.lake.ranking.training import Model, Setting

__all__ = [
    "Choice",
    "Label",
    "Model",
    "Ranking",
    "Reason",
    "Setting",
    "Unrankable",
    "choose",
    "model_of",
    "plain_of",
    "rank",
    "retrain",
]
