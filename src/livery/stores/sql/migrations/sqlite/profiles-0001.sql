-- Registries and profiles as they are, and everything that they were.

CREATE TABLE profile_registries (
    slug TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL DEFAULT '',
    default_profile_slug TEXT NOT NULL DEFAULT '',
    created_at_ms INTEGER,
    updated_at_ms INTEGER,
    metadata_json TEXT NOT NULL DEFAULT '{}',
    description TEXT NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 1,
    defaults_json TEXT NOT NULL DEFAULT '{}',
    enforced_json TEXT NOT NULL DEFAULT '{}',
    policy_json TEXT NOT NULL DEFAULT '{}',
    callers_json TEXT NOT NULL DEFAULT '{}',
    fallback TEXT NOT NULL DEFAULT '',
    settings_schema TEXT NOT NULL DEFAULT '',
    foreign_sections_json TEXT NOT NULL DEFAULT '[]',
    created_by TEXT NOT NULL DEFAULT '',
    updated_by TEXT NOT NULL DEFAULT '',
    last_applied_at_ms INTEGER,
    typed_json TEXT
) STRICT;

CREATE TABLE profiles (
    registry_slug TEXT NOT NULL REFERENCES profile_registries (slug) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    display_name TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    runtime_json TEXT NOT NULL DEFAULT '{}',
    policy_json TEXT NOT NULL DEFAULT '{}',
    version INTEGER NOT NULL DEFAULT 1,
    created_at_ms INTEGER,
    updated_at_ms INTEGER,
    created_by TEXT NOT NULL DEFAULT '',
    updated_by TEXT NOT NULL DEFAULT '',
    extends_json TEXT,
    extensions_json TEXT NOT NULL DEFAULT '{}',
    metadata_json TEXT NOT NULL DEFAULT '{}',
    runtime_version INTEGER,
    last_applied_at_ms INTEGER,
    typed_json TEXT,
    PRIMARY KEY (registry_slug, slug)
) STRICT;

CREATE INDEX idx_profiles_registry_updated ON profiles (registry_slug, updated_at_ms DESC);

-- Which profiles extend another: an index of profiles.extends_json.
CREATE TABLE profile_bases (
    base_registry TEXT NOT NULL,
    base_slug TEXT NOT NULL,
    registry_slug TEXT NOT NULL,
    slug TEXT NOT NULL,
    PRIMARY KEY (base_registry, base_slug, registry_slug, slug),
    FOREIGN KEY (registry_slug, slug) REFERENCES profiles (registry_slug, slug) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_profile_bases_profile ON profile_bases (registry_slug, slug);

-- Every version, whole. Nothing refers to these, so that they outlive what they are versions of.
CREATE TABLE profile_revisions (
    registry_slug TEXT NOT NULL,
    slug TEXT NOT NULL,
    version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    document_json TEXT NOT NULL,
    typed_json TEXT,
    PRIMARY KEY (registry_slug, slug, version)
) STRICT;

CREATE TABLE registry_revisions (
    slug TEXT NOT NULL,
    version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    document_json TEXT NOT NULL,
    typed_json TEXT,
    PRIMARY KEY (slug, version)
) STRICT;

-- The audit and the change log; an empty profile is the registry itself.
CREATE TABLE profile_events (
    seq INTEGER NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    registry TEXT NOT NULL,
    profile TEXT NOT NULL,
    from_version INTEGER NOT NULL,
    to_version INTEGER NOT NULL,
    scope TEXT NOT NULL,
    source TEXT NOT NULL,
    request_id TEXT NOT NULL,
    diff TEXT NOT NULL
) STRICT;

CREATE INDEX idx_profile_events_item ON profile_events (registry, profile, seq);
CREATE INDEX idx_profile_events_at ON profile_events (at_ms);
CREATE INDEX idx_profile_events_actor ON profile_events (actor);

-- The number of the last event: one row.
CREATE TABLE profile_counter (seq INTEGER NOT NULL) STRICT;
INSERT INTO profile_counter (seq) VALUES (0);

-- Tells this database from any other that is put in its place: one row.
CREATE TABLE livery_database (id TEXT NOT NULL) STRICT;
INSERT INTO livery_database (id) VALUES (lower(hex(randomblob(16))));
