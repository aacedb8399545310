"""An export as a repository on the Hugging Face hub, in one commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import SpecError, brief, error_text
from tuner.export.parts import Kind
from tuner.export.vllm import ADAPTER, SCRIPT

TOKEN = "HF_TOKEN"
OFFLINE = "the hub cannot be reached ({why}); run `tuner export` with a network, or push the folder later"


def check_hub(repo: str) -> None:
    """Raise ``SpecError`` unless something can be pushed to ``repo``: before hours are spent on making it."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise SpecError(f"--push: {brief(repo)} is no name of a repository; give OWNER/NAME") from error
    if not os.environ.get(TOKEN):
        raise SpecError(f"--push: no token; put one that may write into the variable {TOKEN}")
    if constants.HF_HUB_OFFLINE:
        raise SpecError(f"--push: {OFFLINE.format(why='HF_HUB_OFFLINE is set')}")
    with _one_line(repo):
        HfApi(token=os.environ[TOKEN]).whoami()


def push(out: Path, repo: str) -> str:
    """The address of the repository that now holds the export in ``out``; a new one is private.

    The model that ``from_pretrained`` should find is put at its root. Raises ``SpecError`` where the hub refuses.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(token=os.environ.get(TOKEN))
    files = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(path)) for name, path in _files(out)]
    with _one_line(repo):
        made = api.create_repo(repo, private=True, exist_ok=True)
        api.create_commit(made.repo_id, files, commit_message="Export of tuner")
    return str(made)


def _files(out: Path) -> Iterator[tuple[str, Path]]:
    """The files by their names in the repository: the merged model at its root, else the adapter."""
    merged, adapter = out / Kind.MERGED, out / Kind.VLLM / ADAPTER
    root = merged if merged.is_dir() else adapter
    for path in sorted(one for one in out.rglob("*") if one.is_file()):
        inside = path.is_relative_to(root)
        if path.name == "README.md" and path.parent != out:
            continue  # a library's own card
        if path.name == SCRIPT or (path.name == "Modelfile" and not (out / Kind.GGUF).is_dir()):
            continue  # they name places in the folder
        yield path.relative_to(root if inside else out).as_posix(), path


@contextmanager
def _one_line(repo: str) -> Iterator[None]:
    """A block in which the refusal of the hub, or no answer, is a ``SpecError``; a token is in none of them."""
    from huggingface_hub.errors import HfHubHTTPError

    of_network: type[Exception] = HfHubHTTPError.__bases__[0]  # of the HTTP library, which differs between versions
    try:
        yield
    except HfHubHTTPError as error:
        why = {401: f"{TOKEN} is not valid", 403: f"{TOKEN} may not write there"}.get(error.response.status_code)
        raise SpecError(f"--push {repo}: {why or error_text(error, 300)}") from error
    except ValueError as error:  # metadata of the card that the hub does not take
        raise SpecError(f"--push {repo}: {error_text(error, 300)}") from error
    except (of_network, ConnectionError) as error:
        raise SpecError(f"--push: {OFFLINE.format(why=error_text(error, 120))}") from error
