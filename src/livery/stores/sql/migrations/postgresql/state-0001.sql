CREATE TABLE trusted_files (
    path TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    trusted_at_ms BIGINT NOT NULL
);

CREATE TABLE active_profiles (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    registry TEXT NOT NULL,
    profile TEXT NOT NULL,
    used_at_ms BIGINT NOT NULL
);

CREATE TABLE write_intents (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    write_source TEXT NOT NULL,
    source TEXT NOT NULL,
    registry TEXT NOT NULL,
    profile TEXT NOT NULL,
    from_version BIGINT NOT NULL,
    to_version BIGINT NOT NULL,
    scope TEXT NOT NULL,
    request_id TEXT NOT NULL,
    diff TEXT NOT NULL,
    digest_before TEXT NOT NULL,
    digest_after TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed', 'unknown'))
);

CREATE INDEX idx_write_intents_open ON write_intents (source) WHERE state = 'open';

CREATE INDEX idx_write_intents_item ON write_intents (source, registry, profile, id);
