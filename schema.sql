-- The tables of mailgate, as SQLite knows them. Made by `mailgate db schema`, not by hand;
-- `mailgate db upgrade` makes the tables themselves.

CREATE TABLE access_token (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_sha256 VARCHAR(64) NOT NULL,
    contact_id INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    address TEXT NOT NULL,
    issued_at DATETIME NOT NULL,
    issued_by TEXT NOT NULL,
    expires_at DATETIME NOT NULL,
    verified_at DATETIME,
    last_used_at DATETIME,
    revoked_at DATETIME,
    revoked_why TEXT DEFAULT '' NOT NULL,
    queue_id VARCHAR(32),
    scopes TEXT DEFAULT '["panel"]' NOT NULL,
    warned INTEGER,
    CONSTRAINT uq_access_token_token_sha256 UNIQUE (token_sha256)
);

CREATE INDEX ix_access_token_account_id ON access_token (account_id);
CREATE INDEX ix_access_token_contact_id ON access_token (contact_id);
CREATE INDEX ix_access_token_expires_at ON access_token (expires_at) WHERE revoked_at IS NULL;
CREATE INDEX ix_access_token_queue_id ON access_token (queue_id);

CREATE TABLE account (
    id TEXT NOT NULL,
    company TEXT NOT NULL,
    language VARCHAR(8) NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id)
);

CREATE TABLE attempt (
    id INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_attempt PRIMARY KEY (id)
);

CREATE INDEX ix_attempt_at ON attempt (at);
CREATE INDEX ix_attempt_key ON attempt ("key", at);

CREATE TABLE audit (
    id INTEGER NOT NULL,
    at DATETIME NOT NULL,
    who TEXT NOT NULL,
    what VARCHAR(64) NOT NULL,
    subject TEXT NOT NULL,
    why TEXT NOT NULL,
    prev VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_subject ON audit (subject);
CREATE INDEX ix_audit_who ON audit (who);

CREATE TABLE audit_head (
    id INTEGER NOT NULL,
    last INTEGER NOT NULL,
    hash VARCHAR(64) NOT NULL,
    first INTEGER DEFAULT '1' NOT NULL,
    first_prev VARCHAR(64) DEFAULT '0000000000000000000000000000000000000000000000000000000000000000' NOT NULL,
    CONSTRAINT pk_audit_head PRIMARY KEY (id),
    CONSTRAINT ck_audit_head_one CHECK (id = 1)
);

CREATE TABLE change (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    contact_id INTEGER,
    role VARCHAR(16) NOT NULL,
    name TEXT NOT NULL,
    language VARCHAR(8),
    old_address TEXT NOT NULL,
    new_address TEXT NOT NULL,
    new_key TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    nonce VARCHAR(64) NOT NULL,
    new_sha256 VARCHAR(64) NOT NULL,
    old_sha256 VARCHAR(64),
    state VARCHAR(16) NOT NULL,
    tries INTEGER DEFAULT '0' NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    confirmed_new_at DATETIME,
    confirmed_old_at DATETIME,
    decided_at DATETIME,
    CONSTRAINT ck_change_kind CHECK (kind IN ('add', 'address', 'main')),
    CONSTRAINT ck_change_state CHECK (state IN ('open', 'done', 'refused', 'cancelled')),
    CONSTRAINT uq_change_new_sha256 UNIQUE (new_sha256),
    CONSTRAINT uq_change_old_sha256 UNIQUE (old_sha256)
);

CREATE INDEX ix_change_account_id ON change (account_id, created_at);
CREATE UNIQUE INDEX uq_change_waits ON change (account_id, new_key) WHERE state = 'open';

CREATE TABLE claim_record (
    queue_id VARCHAR(32) NOT NULL,
    ticket INTEGER,
    desk TEXT NOT NULL,
    channel VARCHAR(16) NOT NULL,
    account_id TEXT,
    contact_id INTEGER,
    received_at DATETIME NOT NULL,
    decided_at DATETIME,
    verdict VARCHAR(16) NOT NULL,
    rule TEXT NOT NULL,
    reasons TEXT NOT NULL,
    policy_sha256 VARCHAR(64) NOT NULL,
    content_sha256 VARCHAR(64) NOT NULL,
    ended_at DATETIME NOT NULL,
    removed_at DATETIME NOT NULL,
    removed_why VARCHAR(16) NOT NULL,
    CONSTRAINT pk_claim_record PRIMARY KEY (queue_id),
    CONSTRAINT ck_claim_record_removed_why CHECK (removed_why IN ('retention', 'erasure'))
);

CREATE INDEX ix_claim_record_contact_id ON claim_record (contact_id);
CREATE INDEX ix_claim_record_ended_at ON claim_record (ended_at);
CREATE INDEX ix_claim_record_ticket ON claim_record (ticket);

CREATE TABLE content (
    sha256 VARCHAR(64) NOT NULL,
    size INTEGER NOT NULL,
    octets BLOB NOT NULL,
    CONSTRAINT pk_content PRIMARY KEY (sha256)
);

CREATE TABLE correction (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    contact_id INTEGER NOT NULL,
    what VARCHAR(16) NOT NULL,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    at DATETIME NOT NULL
);

CREATE INDEX ix_correction_contact_id ON correction (contact_id);

CREATE TABLE duty (
    name VARCHAR(32) NOT NULL,
    last_at DATETIME,
    next_at DATETIME,
    seen_at DATETIME,
    note TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_duty PRIMARY KEY (name)
);

CREATE TABLE event (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at DATETIME NOT NULL,
    who TEXT NOT NULL,
    what VARCHAR(64) NOT NULL,
    queue_id VARCHAR(32),
    ticket INTEGER,
    why TEXT NOT NULL
);

CREATE INDEX ix_event_queue_id ON event (queue_id);
CREATE INDEX ix_event_ticket ON event (ticket);
CREATE INDEX ix_event_what ON event (what, at);

CREATE TABLE outbox (
    id VARCHAR(64) NOT NULL,
    template TEXT NOT NULL,
    language VARCHAR(8) NOT NULL,
    desk TEXT NOT NULL,
    to_address TEXT NOT NULL,
    to_key TEXT NOT NULL,
    to_name TEXT NOT NULL,
    contact_id INTEGER,
    queue_id VARCHAR(32),
    ticket INTEGER,
    message_id TEXT NOT NULL,
    date DATETIME NOT NULL,
    details TEXT NOT NULL,
    in_reply_to TEXT,
    link_nonce VARCHAR(64),
    link_step VARCHAR(16),
    state VARCHAR(16) NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    due_at DATETIME,
    last_reply TEXT DEFAULT '' NOT NULL,
    claimed_by TEXT,
    created_at DATETIME NOT NULL,
    sent_at DATETIME,
    cc TEXT DEFAULT '[]' NOT NULL,
    envelope_to TEXT,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT ck_outbox_state CHECK (state IN ('waiting', 'active', 'sent', 'failed', 'bounced')),
    CONSTRAINT ck_outbox_due CHECK ((due_at IS NOT NULL) = (state = 'waiting'))
);

CREATE INDEX ix_outbox_due_at ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_outbox_links ON outbox (created_at) WHERE link_nonce IS NOT NULL;
CREATE INDEX ix_outbox_queue_id ON outbox (queue_id);
CREATE INDEX ix_outbox_state ON outbox (state, created_at);
CREATE INDEX ix_outbox_ticket ON outbox (ticket, created_at);
CREATE INDEX ix_outbox_to_key ON outbox (to_key, created_at);

CREATE TABLE paused_address (
    address_key TEXT NOT NULL,
    address TEXT NOT NULL,
    paused_at DATETIME NOT NULL,
    ended_at DATETIME,
    CONSTRAINT pk_paused_address PRIMARY KEY (address_key)
);

CREATE TABLE privacy_hold (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    address_key TEXT,
    address TEXT,
    ticket INTEGER,
    account_id TEXT,
    ground TEXT NOT NULL,
    who TEXT NOT NULL,
    at DATETIME NOT NULL,
    lifted_at DATETIME,
    lifted_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT ck_privacy_hold_one CHECK ((CASE WHEN address_key IS NULL THEN 0 ELSE 1 END) + (CASE WHEN ticket IS NULL THEN 0 ELSE 1 END) + (CASE WHEN account_id IS NULL THEN 0 ELSE 1 END) = 1)
);

CREATE INDEX ix_privacy_hold_address_key ON privacy_hold (address_key) WHERE lifted_at IS NULL;

CREATE TABLE privacy_request (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind VARCHAR(16) NOT NULL,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    contact_id INTEGER,
    account_id TEXT,
    text TEXT NOT NULL,
    filed_by TEXT NOT NULL,
    filed_at DATETIME NOT NULL,
    due_at DATETIME NOT NULL,
    alerted_at DATETIME,
    state VARCHAR(16) NOT NULL,
    closed_at DATETIME,
    closed_by TEXT DEFAULT '' NOT NULL,
    outcome TEXT DEFAULT '' NOT NULL,
    receipt TEXT DEFAULT '{}' NOT NULL,
    CONSTRAINT ck_privacy_request_kind CHECK (kind IN ('access', 'portability', 'rectify', 'erase', 'restrict', 'object')),
    CONSTRAINT ck_privacy_request_state CHECK (state IN ('open', 'waiting', 'done', 'refused'))
);

CREATE INDEX ix_privacy_request_address_key ON privacy_request (address_key);
CREATE INDEX ix_privacy_request_contact_id ON privacy_request (contact_id);
CREATE INDEX ix_privacy_request_due_at ON privacy_request (due_at) WHERE state IN ('open', 'waiting');

CREATE TABLE privacy_restriction (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    address_key TEXT NOT NULL,
    address TEXT NOT NULL,
    why TEXT NOT NULL,
    who TEXT NOT NULL,
    at DATETIME NOT NULL,
    lifted_at DATETIME,
    lifted_by TEXT DEFAULT '' NOT NULL
);

CREATE UNIQUE INDEX uq_privacy_restriction_stands ON privacy_restriction (address_key) WHERE lifted_at IS NULL;

CREATE TABLE signin (
    token_sha256 VARCHAR(64) NOT NULL,
    nonce VARCHAR(64) NOT NULL,
    contact_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    used_at DATETIME,
    CONSTRAINT pk_signin PRIMARY KEY (token_sha256)
);

CREATE INDEX ix_signin_contact_id ON signin (contact_id);

CREATE TABLE staff (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    login VARCHAR(64) NOT NULL,
    name TEXT NOT NULL,
    language VARCHAR(8) NOT NULL,
    role VARCHAR(16) NOT NULL,
    signature TEXT DEFAULT '' NOT NULL,
    password_hash TEXT NOT NULL,
    totp_secret TEXT NOT NULL,
    totp_last_step INTEGER DEFAULT '0' NOT NULL,
    created_at DATETIME NOT NULL,
    disabled_at DATETIME,
    CONSTRAINT ck_staff_role CHECK (role IN ('reader', 'agent', 'admin')),
    CONSTRAINT uq_staff_login UNIQUE (login)
);

CREATE TABLE ticket (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    desk TEXT NOT NULL,
    subject TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    standing VARCHAR(16) NOT NULL,
    epoch INTEGER DEFAULT '0' NOT NULL,
    language VARCHAR(8) NOT NULL,
    account_id TEXT,
    service_id INTEGER,
    opener_id INTEGER,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    closed_at DATETIME,
    CONSTRAINT ck_ticket_state CHECK (state IN ('open', 'closed')),
    CONSTRAINT ck_ticket_standing CHECK (standing IN ('none', 'authorized', 'pending', 'unauthorized'))
);

CREATE INDEX ix_ticket_account_id ON ticket (account_id, updated_at);
CREATE INDEX ix_ticket_service_id ON ticket (service_id, updated_at);
CREATE INDEX ix_ticket_standing ON ticket (standing, updated_at);
CREATE INDEX ix_ticket_updated_at ON ticket (updated_at);

CREATE TABLE api_token (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_sha256 VARCHAR(64) NOT NULL,
    staff_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    last_used_at DATETIME,
    revoked_at DATETIME,
    CONSTRAINT uq_api_token_token_sha256 UNIQUE (token_sha256),
    CONSTRAINT fk_api_token_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE INDEX ix_api_token_staff_id ON api_token (staff_id);

CREATE TABLE contact (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    role VARCHAR(16) NOT NULL,
    name TEXT NOT NULL,
    language VARCHAR(8),
    signs_in BOOLEAN DEFAULT 1 NOT NULL,
    CONSTRAINT uq_contact_account_id_address_key UNIQUE (account_id, address_key),
    CONSTRAINT ck_contact_role CHECK (role IN ('main', 'technical', 'additional')),
    CONSTRAINT fk_contact_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_contact_address_key ON contact (address_key);
CREATE UNIQUE INDEX uq_contact_main ON contact (account_id) WHERE role = 'main';

CREATE TABLE item (
    queue_id VARCHAR(32) NOT NULL,
    dedup_key VARCHAR(64) NOT NULL,
    desk TEXT NOT NULL,
    channel VARCHAR(16) NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    reverse_path TEXT NOT NULL,
    recipients TEXT NOT NULL,
    received_at DATETIME NOT NULL,
    client TEXT NOT NULL,
    helo TEXT NOT NULL,
    protocol VARCHAR(16) NOT NULL,
    tls BOOLEAN NOT NULL,
    entered_by TEXT NOT NULL,
    account_id TEXT,
    state VARCHAR(16) DEFAULT 'incoming' NOT NULL,
    due_at DATETIME,
    attempts INTEGER DEFAULT '0' NOT NULL,
    claim INTEGER DEFAULT '0' NOT NULL,
    revision INTEGER DEFAULT '0' NOT NULL,
    claimed_by TEXT,
    claimed_at DATETIME,
    last_error TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_item PRIMARY KEY (queue_id),
    CONSTRAINT ck_item_state CHECK (state IN ('incoming', 'active', 'deferred', 'hold', 'done')),
    CONSTRAINT ck_item_due CHECK ((due_at IS NOT NULL) = (state IN ('incoming', 'deferred'))),
    CONSTRAINT uq_item_dedup_key UNIQUE (dedup_key),
    CONSTRAINT fk_item_sha256 FOREIGN KEY(sha256) REFERENCES content (sha256)
);

CREATE INDEX ix_item_due_at ON item (due_at, queue_id) WHERE due_at IS NOT NULL;
CREATE INDEX ix_item_sha256 ON item (sha256);
CREATE INDEX ix_item_state ON item (state, received_at);

CREATE TABLE saved_view (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    staff_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    "query" TEXT NOT NULL,
    CONSTRAINT uq_saved_view_staff_id_name UNIQUE (staff_id, name),
    CONSTRAINT fk_saved_view_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE TABLE service (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    identifier TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT uq_service_account_id_identifier UNIQUE (account_id, identifier),
    CONSTRAINT fk_service_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE session (
    token_sha256 VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    contact_id INTEGER,
    staff_id INTEGER,
    access_token_id INTEGER,
    via VARCHAR(16) NOT NULL,
    csrf VARCHAR(64) NOT NULL,
    created_at DATETIME NOT NULL,
    seen_at DATETIME NOT NULL,
    ends_at DATETIME NOT NULL,
    CONSTRAINT pk_session PRIMARY KEY (token_sha256),
    CONSTRAINT ck_session_kind CHECK (kind IN ('customer', 'staff')),
    CONSTRAINT ck_session_whose CHECK ((contact_id IS NULL) <> (staff_id IS NULL)),
    CONSTRAINT fk_session_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE INDEX ix_session_access_token_id ON session (access_token_id);
CREATE INDEX ix_session_contact_id ON session (contact_id);
CREATE INDEX ix_session_ends_at ON session (ends_at);
CREATE INDEX ix_session_staff_id ON session (staff_id);

CREATE TABLE decision (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    queue_id VARCHAR(32) NOT NULL,
    ticket INTEGER,
    revision INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    decided_at DATETIME NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    rule TEXT NOT NULL,
    reasons TEXT NOT NULL,
    facts TEXT NOT NULL,
    sources TEXT NOT NULL,
    trace TEXT NOT NULL,
    policy_sha256 VARCHAR(64) NOT NULL,
    CONSTRAINT fk_decision_queue_id FOREIGN KEY(queue_id) REFERENCES item (queue_id)
);

CREATE INDEX ix_decision_decided_at ON decision (decided_at, verdict, rule);
CREATE INDEX ix_decision_queue_id ON decision (queue_id);

CREATE TABLE link (
    token_sha256 VARCHAR(64) NOT NULL,
    nonce VARCHAR(64) NOT NULL,
    queue_id VARCHAR(32) NOT NULL,
    content_sha256 VARCHAR(64) NOT NULL,
    ticket INTEGER,
    contact_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    step VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    tries INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    decided_at DATETIME,
    about VARCHAR(16) DEFAULT 'message' NOT NULL,
    CONSTRAINT pk_link PRIMARY KEY (token_sha256),
    CONSTRAINT ck_link_state CHECK (state IN ('open', 'confirmed', 'denied', 'superseded')),
    CONSTRAINT fk_link_queue_id FOREIGN KEY(queue_id) REFERENCES item (queue_id)
);

CREATE INDEX ix_link_contact_id ON link (contact_id);
CREATE INDEX ix_link_queue_id ON link (queue_id);
CREATE INDEX ix_link_ticket ON link (ticket, contact_id);

CREATE TABLE message (
    queue_id VARCHAR(32) NOT NULL,
    ticket INTEGER,
    account_id TEXT,
    contact_id INTEGER,
    author TEXT,
    author_key TEXT,
    message_id TEXT,
    subject TEXT NOT NULL,
    date DATETIME,
    received_at DATETIME NOT NULL,
    text TEXT NOT NULL,
    reply_text TEXT NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    rule TEXT NOT NULL,
    reasons TEXT NOT NULL,
    labels TEXT NOT NULL,
    facts TEXT NOT NULL,
    code VARCHAR(16) NOT NULL,
    claimed_ticket INTEGER,
    decided_at DATETIME NOT NULL,
    author_name TEXT DEFAULT '' NOT NULL,
    automatic VARCHAR(16) DEFAULT 'no' NOT NULL,
    attachments TEXT DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (queue_id),
    CONSTRAINT ck_message_verdict CHECK (verdict IN ('authorized', 'pending', 'unauthorized', 'filed', 'held')),
    CONSTRAINT fk_message_queue_id FOREIGN KEY(queue_id) REFERENCES item (queue_id),
    CONSTRAINT fk_message_ticket FOREIGN KEY(ticket) REFERENCES ticket (number)
);

CREATE INDEX ix_message_account_id ON message (account_id, queue_id);
CREATE INDEX ix_message_author_key ON message (author_key, received_at);
CREATE INDEX ix_message_claimed_ticket ON message (claimed_ticket, received_at);
CREATE INDEX ix_message_contact_id ON message (contact_id, verdict);
CREATE INDEX ix_message_message_id ON message (message_id);
CREATE INDEX ix_message_ticket ON message (ticket, verdict);
CREATE INDEX ix_message_verdict ON message (verdict, queue_id);

CREATE TABLE override (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    queue_id VARCHAR(32) NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    value VARCHAR(16) NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT ck_override_value CHECK (value IN ('none', 'refuses', 'vouches')),
    CONSTRAINT fk_override_queue_id FOREIGN KEY(queue_id) REFERENCES item (queue_id)
);

CREATE INDEX ix_override_queue_id ON override (queue_id);

CREATE TABLE share (
    contact_id INTEGER NOT NULL,
    service_id INTEGER NOT NULL,
    CONSTRAINT pk_share PRIMARY KEY (contact_id, service_id),
    CONSTRAINT fk_share_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id) ON DELETE CASCADE,
    CONSTRAINT fk_share_service_id FOREIGN KEY(service_id) REFERENCES service (id) ON DELETE CASCADE
);

CREATE INDEX ix_share_service_id ON share (service_id);

CREATE TABLE labelled (
    label TEXT NOT NULL,
    queue_id VARCHAR(32) NOT NULL,
    CONSTRAINT pk_labelled PRIMARY KEY (label, queue_id),
    CONSTRAINT fk_labelled_queue_id FOREIGN KEY(queue_id) REFERENCES message (queue_id) ON DELETE CASCADE
);

CREATE INDEX ix_labelled_queue_id ON labelled (queue_id);

CREATE TABLE named (
    queue_id VARCHAR(32) NOT NULL,
    address_key TEXT NOT NULL,
    CONSTRAINT pk_named PRIMARY KEY (queue_id, address_key),
    CONSTRAINT fk_named_queue_id FOREIGN KEY(queue_id) REFERENCES message (queue_id) ON DELETE CASCADE
);

CREATE INDEX ix_named_address_key ON named (address_key);

CREATE TABLE search (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    queue_id VARCHAR(32) NOT NULL,
    words TEXT NOT NULL,
    CONSTRAINT uq_search_queue_id UNIQUE (queue_id),
    CONSTRAINT fk_search_queue_id FOREIGN KEY(queue_id) REFERENCES message (queue_id) ON DELETE CASCADE
);

CREATE TABLE signature (
    queue_id VARCHAR(32) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    CONSTRAINT pk_signature PRIMARY KEY (queue_id, digest),
    CONSTRAINT fk_signature_queue_id FOREIGN KEY(queue_id) REFERENCES message (queue_id) ON DELETE CASCADE
);

CREATE INDEX ix_signature_digest ON signature (digest);

CREATE VIRTUAL TABLE search_fts USING fts5(
    words, content='search', content_rowid='id', tokenize='ascii', detail='none', columnsize=0,
    prefix='2 3 4 5 6 7 8'
);

CREATE TRIGGER search_added AFTER INSERT ON search BEGIN
    INSERT INTO search_fts (rowid, words) VALUES (new.id, new.words);
END;

CREATE TRIGGER search_removed AFTER DELETE ON search BEGIN
    INSERT INTO search_fts (search_fts, rowid, words) VALUES ('delete', old.id, old.words);
END;

CREATE TRIGGER search_changed AFTER UPDATE ON search BEGIN
    INSERT INTO search_fts (search_fts, rowid, words) VALUES ('delete', old.id, old.words);
    INSERT INTO search_fts (rowid, words) VALUES (new.id, new.words);
END;

CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_never_removed BEFORE DELETE ON audit
WHEN old.id >= (SELECT first FROM audit_head) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
