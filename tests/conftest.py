"""Fixtures for the suites that talk to a running server."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support.server import Server  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server with one cluster (dev-cluster) for a test module."""
    with Server(tmp_path_factory.mktemp("redoubt")) as running:
        yield running


@pytest.fixture
def make_server(tmp_path):
    """make_server(*flags, cluster=..): servers for one test, not started yet, stopped at its end."""
    made = []

    def make(*flags, **more):
        made.append(Server(tmp_path / f"server{len(made)}", *flags, **more))
        return made[-1]

    yield make
    for one in made:
        one.stop()
