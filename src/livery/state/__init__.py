"""What is remembered beside the profiles, in one database: trusted files, the active profile, intents of writes.

Reading never creates it; the first write does. It may be the database that the profiles are in.
"""

from livery.state.database import StateDatabase
from livery.state.journal import StateJournal
from livery.state.location import state_database
from livery.state.state import State

__all__ = ["State", "StateDatabase", "StateJournal", "state_database"]
