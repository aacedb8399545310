import pytest

from tests.tuner import smallest


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    return smallest.model_folder(tmp_path_factory.mktemp("model") / "small")


@pytest.fixture(scope="session")
def small_rows(tmp_path_factory):
    return smallest.rows_folder(tmp_path_factory.mktemp("rows"))


@pytest.fixture
def make(tmp_path, small_model, small_rows):
    """A spec of three steps on a two-layer model: ``make("dpo", beta=0.2)``."""

    def made(method="sft", **keys):
        keys = {"model_name_or_path": str(small_model), **keys}
        return smallest.study(tmp_path, small_model, small_rows, method, **keys)

    return made
