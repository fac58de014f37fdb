-- The tables of mailgate, as SQLite knows them. Made by `mailgate db schema`, not by hand;
-- `mailgate db upgrade` makes the tables themselves.

CREATE TABLE account (
    id TEXT NOT NULL,
    company TEXT NOT NULL,
    language VARCHAR(8) NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id)
);

CREATE TABLE content (
    sha256 VARCHAR(64) NOT NULL,
    size INTEGER NOT NULL,
    octets BLOB NOT NULL,
    CONSTRAINT pk_content PRIMARY KEY (sha256)
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
CREATE INDEX ix_ticket_updated_at ON ticket (updated_at);

CREATE TABLE contact (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    role VARCHAR(16) NOT NULL,
    name TEXT NOT NULL,
    language VARCHAR(8),
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

CREATE TABLE service (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    identifier TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT uq_service_account_id_identifier UNIQUE (account_id, identifier),
    CONSTRAINT fk_service_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

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
    CONSTRAINT pk_link PRIMARY KEY (token_sha256),
    CONSTRAINT ck_link_state CHECK (state IN ('open', 'confirmed', 'denied', 'superseded')),
    CONSTRAINT fk_link_queue_id FOREIGN KEY(queue_id) REFERENCES item (queue_id)
);

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
    CONSTRAINT pk_message PRIMARY KEY (queue_id),
    CONSTRAINT ck_message_verdict CHECK (verdict IN ('authorized', 'pending', 'unauthorized', 'filed', 'held')),
    CONSTRAINT fk_message_queue_id FOREIGN KEY(queue_id) REFERENCES item (queue_id),
    CONSTRAINT fk_message_ticket FOREIGN KEY(ticket) REFERENCES ticket (number)
);

CREATE INDEX ix_message_author_key ON message (author_key, received_at);
CREATE INDEX ix_message_claimed_ticket ON message (claimed_ticket, received_at);
CREATE INDEX ix_message_message_id ON message (message_id);
CREATE INDEX ix_message_ticket ON message (ticket, verdict);

CREATE TABLE share (
    contact_id INTEGER NOT NULL,
    service_id INTEGER NOT NULL,
    CONSTRAINT pk_share PRIMARY KEY (contact_id, service_id),
    CONSTRAINT fk_share_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id) ON DELETE CASCADE,
    CONSTRAINT fk_share_service_id FOREIGN KEY(service_id) REFERENCES service (id) ON DELETE CASCADE
);

CREATE INDEX ix_share_service_id ON share (service_id);

CREATE TABLE named (
    queue_id VARCHAR(32) NOT NULL,
    address_key TEXT NOT NULL,
    CONSTRAINT pk_named PRIMARY KEY (queue_id, address_key),
    CONSTRAINT fk_named_queue_id FOREIGN KEY(queue_id) REFERENCES message (queue_id) ON DELETE CASCADE
);

CREATE INDEX ix_named_address_key ON named (address_key);
