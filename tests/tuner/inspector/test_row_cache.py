import json
from pathlib import Path

import pytest

from diagnostics.readers.file_state import FileState
from tuner.inspector.runs import row_cache
from tuner.inspector.runs.row import Row, unreadable_row

ROW = Row("a", "a", "overfit", "eval-loss-rises", "It rises.", 1.5, 10, 120, 7.0, (1.0, 2.0), (("lora_r", 8),))
FILES: FileState = (("/runs/a.csv", 5, 100),)
KEPT = {"a": (FILES, ROW), "b": ((), unreadable_row("b", "b", "no rows", 1.0))}


def test_rows_come_back_as_they_were_kept(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "rows.json"
    assert row_cache.save(place, KEPT)
    assert row_cache.load(place) == KEPT
    assert [file.name for file in place.parent.iterdir()] == ["rows.json"]
    assert place.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rules": 1, "rows": {}}', "\x00"])
def test_a_file_that_is_not_a_cache_is_ignored(tmp_path: Path, text: str) -> None:
    place = tmp_path / "rows.json"
    place.write_text(text)
    assert row_cache.load(place) == {}
    assert row_cache.load(tmp_path / "gone.json") == {}


@pytest.mark.parametrize("change", [{"secret": 1}, {"settings": 3}, {"spark": None}])
def test_a_row_with_other_fields_makes_the_cache_useless_and_harmless(
    tmp_path: Path, change: dict[str, object]
) -> None:
    place = tmp_path / "rows.json"
    row_cache.save(place, KEPT)
    kept = json.loads(place.read_text())
    kept["rows"]["a"][1].update(change)
    place.write_text(json.dumps(kept))
    assert row_cache.load(place) == {}


def test_rows_of_other_rules_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "rows.json"
    row_cache.save(place, KEPT)
    monkeypatch.setattr(row_cache, "code_version", lambda: "others")
    assert row_cache.load(place) == {}


def test_a_place_that_cannot_be_written_is_reported_and_harmless(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not row_cache.save(tmp_path / "file" / "rows.json", KEPT)


def test_each_folder_has_a_place_of_its_own_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = row_cache.place_of(Path("/runs/a")), row_cache.place_of(Path("/runs/b"))
    assert one != other
    assert one.is_relative_to(tmp_path / "tuner" / "inspector")
