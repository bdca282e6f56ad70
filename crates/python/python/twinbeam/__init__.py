"""Which attention heads and MLP neurons of a GPT-2 matter for a behaviour, by two methods side by side.

>>> import twinbeam
>>> model = twinbeam.load("assets/models/mini")
>>> result = model.compare(
...     clean="When Kate and Tom went to the park, Tom gave a ring to",
...     corrupted="When Kate and Tom went to the park, Kate gave a ring to",
...     answer=" Kate",
...     wrong=" Tom",
... )
>>> result.heads.ap.shape
(4, 8)

Scores are in the unit of the metric (logits for ``logit_diff``), and a positive one supports the clean behaviour, by
every method and in both directions.
"""

from . import tasks
from ._engine import (
    DeviceError,
    InputError,
    ModelError,
    PartError,
    TwinbeamError,
    __version__,
)
from ._lists import batch, compare_share, merge
from ._memory import from_transformer_lens, from_transformers
from ._model import Model, load
from ._result import Checked, Result, Side, Table, Tables

__all__ = [
    "Checked",
    "DeviceError",
    "InputError",
    "Model",
    "ModelError",
    "PartError",
    "Result",
    "Side",
    "Table",
    "Tables",
    "TwinbeamError",
    "__version__",
    "batch",
    "compare_share",
    "from_transformer_lens",
    "from_transformers",
    "load",
    "merge",
    "tasks",
]
