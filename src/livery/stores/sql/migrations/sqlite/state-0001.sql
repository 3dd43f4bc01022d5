-- Files of the time before there were numbered schemas hold the first two tables already.
CREATE TABLE IF NOT EXISTS trusted_files (
    path TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    trusted_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS active_profiles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    registry TEXT NOT NULL,
    profile TEXT NOT NULL,
    used_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE write_intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    write_source TEXT NOT NULL,
    source TEXT NOT NULL,
    registry TEXT NOT NULL,
    profile TEXT NOT NULL,
    from_version INTEGER NOT NULL,
    to_version INTEGER NOT NULL,
    scope TEXT NOT NULL,
    request_id TEXT NOT NULL,
    diff TEXT NOT NULL,
    digest_before TEXT NOT NULL,
    digest_after TEXT NOT NULL,
    begun_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed', 'unknown'))
) STRICT;

CREATE INDEX idx_write_intents_open ON write_intents (source) WHERE state = 'open';

CREATE INDEX idx_write_intents_item ON write_intents (source, registry, profile, id);
