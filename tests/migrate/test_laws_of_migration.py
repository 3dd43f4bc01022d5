"""Whatever the tags: a client sees of the store the servers that the old rule showed it, and no others."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from livery.formats.yaml import write_yaml
from livery.migrate.profile_store import Choices, migrate_profile_store
from tests.support.stores import server_names

TAGS = ("chat", "code", "web")
SETS = st.sets(st.sampled_from(TAGS))


def shown(servers: list[set[str]], client: set[str]) -> list[str]:
    """The old rule: either has no tags, or they share one."""
    return [f"s{number}" for number, tags in enumerate(servers) if not tags or not client or tags & client]


@settings(max_examples=25, deadline=None)
@given(st.lists(SETS, min_size=1, max_size=5), SETS.filter(bool))
def test_every_client_sees_what_the_old_rule_showed_it(servers: list[set[str]], client: set[str]) -> None:
    document = {"servers": [{"name": f"s{n}", "cmd": ["./s"], "tags": sorted(tags)} for n, tags in enumerate(servers)]}
    with tempfile.TemporaryDirectory() as folder:
        old, store = Path(folder, "old.yaml"), Path(folder, "store")
        old.write_text(write_yaml(document))
        migrate_profile_store(old, store, Choices((("several", tuple(sorted(client))),)))
        assert server_names(store, "several") == shown(servers, client)
        assert server_names(store, None) == shown(servers, set())
        for tag in set().union(*servers):
            assert server_names(store, tag) == shown(servers, {tag})
