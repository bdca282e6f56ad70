"""Lists in shares: merged they are what one process finds, and shares that are done stay as they are."""

import json

import pytest

import twinbeam
from conftest import MINI

OPTIONS = {"n_steps": 4, "direction": "both"}


def cases(n=5):
    # A case that fails is in the list with its error.
    return [
        *twinbeam.tasks.draw("ioi", n, seed=2),
        {"clean": "a", "corrupted": "b c", "answer": " Kate", "wrong": " Tom"},
    ]


def without_seconds(path):
    entries = json.loads(path.read_text())
    for entry in entries:
        entry.pop("seconds", None)
    return entries


def test_shares_merge_to_what_one_is(mini, tmp_path):
    def merged(of):
        parts = [tmp_path / f"{of}-{place}.json" for place in range(1, of + 1)]
        for place, part in enumerate(parts, 1):
            failed = twinbeam.compare_share(mini, cases(), (place, of), part, **OPTIONS)
            assert failed == (place == of)
        out = tmp_path / f"all-{of}.json"
        return twinbeam.merge(parts, out), without_seconds(out)

    one, entries = merged(1)
    assert len(entries) == 6 and "error" in entries[5] and one["n"] == 5 and len(one["left_out"]) == 1
    assert merged(3) == (one, entries)


def test_a_share_that_is_done_is_left_as_it_is(mini, tmp_path):
    part = tmp_path / "part.json"
    twinbeam.compare_share(mini, cases(), (1, 2), part, **OPTIONS)
    text = part.read_text().replace('"seconds":{', '"seconds":{"never":1,', 1)
    part.write_text(text)
    twinbeam.compare_share(mini, cases(), (1, 2), part, **OPTIONS)
    assert part.read_text() == text
    with pytest.raises(twinbeam.PartError, match="n_steps is 4 in it and 5 now"):
        twinbeam.compare_share(mini, cases(), (1, 2), part, **{**OPTIONS, "n_steps": 5})
    assert part.read_text() == text


def test_a_list_may_be_a_file(mini, tmp_path):
    listed = tmp_path / "cases.json"
    listed.write_text(json.dumps(cases(2)))
    parts = [tmp_path / "file.json", tmp_path / "memory.json"]
    for source, part in zip([listed, cases(2)], parts, strict=True):
        twinbeam.compare_share(mini, source, (1, 1), part, **OPTIONS)
    assert twinbeam.merge(parts[:1]) == twinbeam.merge(parts[1:])
    with pytest.raises(twinbeam.InputError, match="no pair"):
        twinbeam.compare_share(mini, [{"clean": "a"}][:0], (1, 1), tmp_path / "none.json")
    with pytest.raises(twinbeam.InputError, match="3/2 is no share"):
        twinbeam.compare_share(mini, cases(), (3, 2), tmp_path / "none.json")


def test_what_is_wrong_with_a_batch_is_said_before_anything_runs(tmp_path):
    with pytest.raises(TypeError, match="colour"):
        twinbeam.batch(cases(), MINI, tmp_path / "all.json", colour="red")
    with pytest.raises(twinbeam.InputError):
        twinbeam.batch([], MINI, tmp_path / "all.json")
    for wrong, words in [
        ({"metric": "x"}, "metric: x"),
        ({"n_steps": 0}, "n_steps: 0"),
        ({"unit": "feet"}, "unit: feet"),
    ]:
        with pytest.raises(twinbeam.InputError, match=words):
            twinbeam.batch(cases(), MINI, tmp_path / "all.json", **wrong)
    with pytest.raises(ValueError, match="positive"):
        twinbeam.batch(cases(), MINI, tmp_path / "all.json", shares=-1)
    with pytest.raises(twinbeam.ModelError, match=r"no config\.json"):
        twinbeam.batch(cases(), tmp_path, tmp_path / "all.json")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "all.json").write_text("days of work")
    with pytest.raises(FileExistsError, match="move it away"):
        twinbeam.batch(cases(), MINI, tmp_path / "all.json")


def test_a_result_is_never_written_over_its_parts(mini, tmp_path):
    parts = [tmp_path / f"{place}.json" for place in (1, 2)]
    for place, part in enumerate(parts, 1):
        twinbeam.compare_share(mini, cases(2), (place, 2), part, **OPTIONS)
    before = parts[0].read_bytes()
    with pytest.raises(twinbeam.PartError, match=r"1\.json is one of the parts, which would be lost"):
        twinbeam.merge(parts, tmp_path / "." / "1.json")
    # A part that was cut off, or damaged in the middle, leaves the result that was there as it was.
    out = tmp_path / "all.json"
    twinbeam.merge(parts, out)
    whole = out.read_bytes()
    parts[1].write_text(parts[1].read_text().replace('"layer', '"l', 1).replace('"heads', "heads", 1))
    with pytest.raises(twinbeam.PartError, match=r"2\.json"):
        twinbeam.merge(parts, out)
    assert out.read_bytes() == whole and parts[0].read_bytes() == before
    parts[0].write_bytes(before[: len(before) // 2])
    with pytest.raises(twinbeam.PartError, match="remove it and run the same again"):
        twinbeam.compare_share(mini, cases(2), (1, 2), parts[0], **OPTIONS)
    assert len(list(tmp_path.iterdir())) == 3
