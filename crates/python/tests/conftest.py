import json
from pathlib import Path

import pytest

import twinbeam

ROOT = Path(__file__).resolve().parents[3]
MINI = ROOT / "assets/models/mini"
FIXTURES = ROOT / "tests/fixtures"
CLEAN = "When Kate and Tom went to the park, Tom gave a ring to"
CORRUPTED = "When Kate and Tom went to the park, Kate gave a ring to"
PAIR = {"clean": CLEAN, "corrupted": CORRUPTED, "answer": " Kate", "wrong": " Tom"}


@pytest.fixture(scope="session")
def mini() -> twinbeam.Model:
    return twinbeam.load(MINI)


@pytest.fixture(scope="session")
def result(mini: twinbeam.Model) -> twinbeam.Result:
    return mini.compare(**PAIR, n_steps=10, neurons=True, nodes=["q", "mlp_out"])


def expected(name: str) -> list[dict]:
    return json.loads((FIXTURES / name / "expected.json").read_text())
