"""One old file with all servers and their tags becomes a profile store: a directory with a profile for every tag.

``monolith`` reads and checks the old file, ``older_keys`` and ``sub_agent`` say what its keys are today, ``clients``
which profile each client gets, ``layout`` makes the texts of the new files, ``proof`` compares what every client sees
with what it saw, ``scaffold`` puts the whole into place.
"""

from livery.migrate.profile_store.clients import Choices, parse_client
from livery.migrate.profile_store.migration import MigratedStore, migrate_profile_store

__all__ = ["Choices", "MigratedStore", "migrate_profile_store", "parse_client"]
