/**
 * Every lifetime, size and rate that is not a setting, with its unit in the name and its reason.
 * Settings live in `env.ts`; their defaults are here too when other code needs them.
 */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

// The store

/** One command against the store, including the connection. A person waits at the other end. */
export const STORE_TIMEOUT_MS = 1500
/** Upstash refuses longer keys. */
export const STORE_KEY_MAX_BYTES = 32 * 1024
/** Lost compares in a row before a caller is told to come back (503). */
export const SWAP_ATTEMPTS = 12

/** Before the one retry of a store request whose connection failed: a server that restarts needs a moment. */
export const STORE_RETRY_PAUSE_MS = 50
/** A listener's connection is renewed this often, so that one that died in silence costs no more than this. */
export const SUBSCRIPTION_RENEW_MS = 5 * MINUTE
/** First and longest pause before a lost subscription is taken up again. */
export const SUBSCRIPTION_PAUSE_MIN_MS = 100
export const SUBSCRIPTION_PAUSE_MAX_MS = 5 * SECOND
/** A wake-up carries up to so many characters of an entry: Upstash ends a subscription at a line of 1 MB. */
export const TELL_DATA_MAX_LENGTH = 256 * 1024
/** The local journal is rewritten at twice its live size, but not before this: small files are cheap to keep. */
export const JOURNAL_COMPACT_MIN_BYTES = 8 * 1024 * 1024
/** Counters and touched lifetimes reach the journal within this; a killed process may lose so much of them. */
export const JOURNAL_SOON_MS = 100
/** Log entries are on the disk within this; a power cut may lose so much of them. */
export const JOURNAL_SYNC_MS = SECOND
/** The local store forgets expired keys this often, besides when it meets one. */
export const LOCAL_SWEEP_MS = MINUTE

// Authorization (OAUTH.md §0.1)

/** A person may read the consent page for as long as this. */
export const AUTHORIZATION_REQUEST_MS = 10 * MINUTE
/** What a person allowed is remembered for this, where the operator wants it: then they are asked once more. */
export const CONSENT_MEMORY_DAYS = 30
export const CONSENT_MEMORY_MS = CONSENT_MEMORY_DAYS * DAY
/** Longest authorization URL, and so the longest `state`, that browsers, proxies and cookies carry. */
export const AUTHORIZATION_URL_MAX_BYTES = 6 * 1024
/** `state` is handed back byte for byte up to this. */
export const STATE_MAX_BYTES = 4096
/** A client id stands in every URL, token and record. */
export const CLIENT_ID_MAX_LENGTH = 1024
export const REDIRECT_URI_MAX_LENGTH = 512
export const REDIRECT_URIS_MAX = 10
/** A name stands in one heading. */
export const CLIENT_NAME_MAX_LENGTH = 200
/** A form of the token endpoint, or a registration. */
export const FORM_MAX_BYTES = 16 * 1024
/** Grants a person may have with one client before the least recently used one is dropped. */
export const GRANTS_PER_CLIENT_MAX = 50
/** Superseded generations whose time a grant remembers: more refreshes than a host makes within the grace. */
export const SUPERSESSIONS_KEPT = 8
/** A pending grant outlives its code by this, so that the code is refused by our clock and not by the store's. */
export const PENDING_GRANT_MARGIN_MS = 30 * SECOND
/** A redemption without an answer is taken back as soon as the store answers: it is asked this often. */
export const WITHDRAWAL_PAUSE_MS = 250
/** And so long after the code has expired: what nobody was given is then left to its lifetime. */
export const WITHDRAWAL_GIVE_UP_MS = 5 * MINUTE
/** Redemptions without an answer that an instance remembers, at about 200 bytes each. */
export const UNANSWERED_MAX = 10_000
/** Before a code that was just spent counts as sent twice, the instance that spent it may say otherwise. */
export const SPENT_CODE_PAUSE_MS = 500
/** So often it is looked at: together longer than one request to the store that hangs, and a pause. */
export const SPENT_CODE_LOOKS = 5
/** Connections listed, and counted against the limit per client. */
export const GRANTS_LISTED_MAX = 500
/** An index entry without its record is forgotten after this: consent writes the entry first. */
export const GRANT_ORPHAN_MS = 5 * MINUTE
/** When a connection was last used is written this often by an instance. */
export const GRANT_USE_MS = MINUTE
/** Personal access tokens of one account: each is a thing to keep track of and to leak. */
export const PERSONAL_TOKENS_MAX = 50
/** A name stands in one line of a list. */
export const PERSONAL_TOKEN_NAME_MAX_LENGTH = 64
/** Lives that a person can choose: every token ends, because the forgotten ones are those that leak. */
export const PERSONAL_TOKEN_DAYS = [7, 30, 90, 365] as const
/** What their days are counted in. */
export const PERSONAL_TOKEN_DAY_MS = DAY
/** The longest of them: how long the list of an account's tokens is kept. */
export const PERSONAL_TOKEN_MAX_MS = 365 * DAY
/** Signing keys in memory are read again in the background after this: a key that was dropped ends by then. */
export const SIGNING_KEYS_REFRESH_MS = MINUTE
/** Verified access tokens an instance remembers, at about 1 kB each. */
export const VERIFIED_TOKENS_MAX = 5000
/** Connections whose last noted use an instance remembers. */
export const NOTED_USES_MAX = 10_000
/** Unauthenticated requests of one caller at once: hosted apps share a few addresses. */
export const FLOOD_BURST = 3000
/** And steadily, a second: each costs about a millisecond of CPU and no store request. */
export const FLOOD_PER_SECOND = 50
/** Callers whose budget is remembered. */
export const FLOOD_CALLERS_MAX = 10_000
/** Clocks of instances differ a little. */
export const TOKEN_EXPIRY_TOLERANCE_SECONDS = 5
export const TOKEN_FUTURE_TOLERANCE_SECONDS = 60
/** Longest access token looked at. */
export const ACCESS_TOKEN_MAX_LENGTH = 4096
/** An unknown `kid` makes the verifier read the signing keys again at most this often. */
export const SIGNING_KEYS_REREAD_MS = 10 * SECOND
/** Caches of metadata and JWKS may be this old: rotation waits for it. */
export const METADATA_MAX_AGE_SECONDS = 300

// Client id metadata documents (OAUTH.md §1.14)

/** A client id that is an address stands in every URL, token and record. */
export const CLIENT_ID_URL_MAX_LENGTH = 512
/** What the draft advises for a document; counted while it arrives. */
export const CLIENT_DOCUMENT_MAX_BYTES = 5 * 1024
/** A key set may hold a few RSA keys with their certificates. */
export const CLIENT_KEYS_MAX_BYTES = 16 * 1024
/** Keys of one client that are tried on a signature. */
export const CLIENT_KEYS_MAX = 20
/** From the question to the name server to the last byte: a person waits. */
export const CLIENT_DOCUMENT_TIMEOUT_MS = 3 * SECOND
/** Of that, to reach one address, so that a second one gets its turn. */
export const CLIENT_DOCUMENT_CONNECT_MS = SECOND
export const CLIENT_DOCUMENT_HEADERS_MAX_BYTES = 16 * 1024
/** A document is believed for at least and at most this, whatever its headers say. */
export const CLIENT_DOCUMENT_FRESH_MIN_MS = MINUTE
export const CLIENT_DOCUMENT_FRESH_MAX_MS = DAY
/** After that it is still used for so long while the host does not answer: outages end within days. */
export const CLIENT_DOCUMENT_STALE_MS = 7 * DAY
/** Fetches of one address, of one origin and altogether, by one instance: nobody is attacked through us. */
export const CLIENT_DOCUMENT_PAUSE_MS = SECOND
export const CLIENT_DOCUMENTS_PER_ORIGIN_MINUTE = 10
export const CLIENT_DOCUMENTS_PER_MINUTE = 60
/** Addresses and origins whose last fetches an instance remembers. */
export const CLIENT_DOCUMENTS_PACED_MAX = 1000
/** A signed assertion is used at once; what lives longer could be collected (RFC 7523 §3). */
export const CLIENT_ASSERTION_MAX_SECONDS = 300
/** Clocks of clients differ from ours by this. */
export const CLIENT_ASSERTION_TOLERANCE_SECONDS = 30
export const CLIENT_ASSERTION_MAX_LENGTH = 8192

/** A signing key is replaced after this: what a thief of it could forge has an end. */
export const SIGNING_KEY_MAX_AGE_MS = 90 * DAY
/** A retired key verifies for the life of an access token and this: clocks differ, instances hear of it late. */
export const SIGNING_KEY_MARGIN_MS = 5 * MINUTE
/** Secrets of a static client that are good at once: the new one and the one being replaced. */
export const CLIENT_SECRETS_MAX = 2

// Commands of the operator

/** A command: its longest is a list of some 3,000 endings of a log. */
export const ADMIN_BODY_MAX_BYTES = 512 * 1024
/** Ending everything of many people takes a while. */
export const ADMIN_ANSWER_MS = 2 * MINUTE

/** Records listed in one request. */
export const LIST_PAGE = 200
/** The token of a command is used at once or not at all. */
export const ADMIN_TOKEN_MS = MINUTE
/** How long a used one is remembered: longer than it lives, by more than clocks of instances differ. */
export const USED_COMMAND_MS = 10 * MINUTE

// Signing in

/** A sign-in link is used at once or not at all. */
export const SIGN_IN_LINK_MS = 15 * MINUTE
export const BROWSER_SESSION_IDLE_MS = 12 * HOUR
export const BROWSER_SESSION_MAX_MS = 7 * DAY
/** How long a used link is remembered: longer than it lives, by more than clocks of instances differ. */
export const USED_LINK_MS = 2 * SIGN_IN_LINK_MS
/** A name stands in one line of a page. */
export const MEMBER_NAME_MAX_LENGTH = 64
/** Wrong setup codes an instance looks at in a minute; a person mistypes a few. */
export const SETUP_CODE_ATTEMPTS_PER_MINUTE = 20
/** Shortest `OWNER_SETUP_CODE`: past guessing at the rate above, and a person can still type it. */
export const SETUP_CODE_MIN_LENGTH = 16

/** Between asking a browser for a passkey and its answer: the shortest that WebAuthn §15.1 advises. */
export const PASSKEY_CHALLENGE_MS = 5 * MINUTE
/** How long an answered challenge is remembered: longer than it lives, by more than clocks of instances differ. */
export const USED_CHALLENGE_MS = 2 * PASSKEY_CHALLENGE_MS
/** A challenge is bound to its browser by a cookie of this life. */
export const PASSKEY_BROWSER_SECONDS = 3600
/** Passkeys of one account: a few devices and a few security keys. */
export const PASSKEYS_MAX = 20
/** A name stands in one line of a list. */
export const PASSKEY_NAME_MAX_LENGTH = 64
/** Longest credential id (WebAuthn §7.1) as base64url: 1,023 bytes. */
export const CREDENTIAL_ID_MAX_LENGTH = 1364
/** Recovery codes in a set: what people know from other services. */
export const RECOVERY_CODES = 10
/** Recovery codes an instance looks at in a minute: of one caller, and of all together. A person mistypes a few. */
export const RECOVERY_ATTEMPTS_PER_MINUTE = 10
export const RECOVERY_ATTEMPTS_ALL_PER_MINUTE = 300
/** Passkeys an instance looks at in a minute: each costs one store request. */
export const PASSKEY_ATTEMPTS_PER_MINUTE = 60
export const PASSKEY_ATTEMPTS_ALL_PER_MINUTE = 3000
/** Callers whose attempts an instance counts. */
export const ATTEMPT_CALLERS_MAX = 10_000
/** Browser sessions of an account that its person sees listed. */
export const BROWSER_SESSIONS_LISTED_MAX = 100
/** A list entry without its session is forgotten after this: signing in writes the entry first. */
export const BROWSER_SESSION_ORPHAN_MS = 5 * MINUTE

// Previews: deployments made for looking at a change

/** Accounts of a preview are forgotten after this. */
export const PREVIEW_RECORD_MS = 7 * DAY
/** Connections to a preview end after these, whatever is set. */
export const PREVIEW_REFRESH_IDLE_SECONDS = 86_400
export const PREVIEW_REFRESH_MAX_SECONDS = 7 * 86_400

// MCP

/** Body of an MCP request: what the SDK and the platforms allow (Vercel 4.5 MB). */
export const MCP_BODY_MAX_BYTES = 4 * 1024 * 1024
/** A question to the user may wait this long (`requestState`). */
export const REQUEST_STATE_MS = 10 * MINUTE
/** How long a used state is remembered: longer than it lives, by more than clocks of instances differ. */
export const USED_STATE_MS = 2 * REQUEST_STATE_MS
/** Sealed `requestState` is sent back in the body of each round: longer ones were not made here. */
export const REQUEST_STATE_MAX_LENGTH = 64 * 1024
/** Tools, prompts and templates change with a deployment only: hosts may keep their lists this long. */
export const LIST_CACHE_MS = 5 * MINUTE
/** Another app may change a resource at any moment: enough to serve one screen of a host. */
export const RESOURCE_CACHE_MS = 5 * SECOND
/** Hosts cut instructions of a server here (some at 512, some at 2,048 characters). */
export const INSTRUCTIONS_MAX_LENGTH = 512
/** Values of one completion (MCP: at most 100). */
export const COMPLETION_VALUES_MAX = 100
/** Messages of one batch (2025-03-26 only): each costs what a call costs, but the batch is admitted once. */
export const BATCH_MAX_MESSAGES = 20
/** A call that takes longer is answered as a stream, so that proxies see bytes and do not cut it. */
export const JSON_ANSWER_WINDOW_MS = 1500
/** An open stream asks so often whether its connection still stands: that long it may outlive its end. */
export const STREAM_RECHECK_MS = 15 * SECOND
/** A comment line this often keeps a silent stream open: proxies cut at 30 s or 60 s. */
export const STREAM_KEEP_ALIVE_MS = 15 * SECOND
/** What `vercel.json` asks for the MCP route; a function that runs longer is cut. */
export const FUNCTION_MAX_SECONDS = 300
/** A stream ends before that by this: the answers on their way need a moment. */
export const STREAM_MARGIN_SECONDS = 10
/** Default of `STREAM_MAX_SECONDS`: under the limit of a function on the common platforms, with room. */
export const STREAM_MAX_SECONDS = 240
/** Shortest `CRON_SECRET`, as Vercel advises. */
export const CRON_SECRET_MIN_LENGTH = 16
/** A stream whose reader leaves so much unread is dropped: the log has it all, memory has not. */
export const STREAM_UNREAD_MAX_BYTES = 1024 * 1024
/** After the last listener wake-ups are heard for so long: the next call often follows at once. */
export const WAKE_LINGER_MS = 10 * SECOND
/** Entries of a log read in one request by whoever follows it. */
export const FOLLOW_PAGE = 100
/** Where nothing wakes a follower it reads this often: a person hardly notices, a store hardly minds. */
export const POLL_ONLY_MS = 250
/** With wake-ups a change log is still read this often: what a lost one would have told is late by no more. */
export const CHANGES_POLL_MS = 15 * SECOND
/** Changes kept for streams that come back: a client that missed more is told to read its lists again. */
export const CHANGES_KEEP = 1000
/** And so long after the last: longer than any client waits before it comes back. */
export const CHANGES_MS = DAY
/** The store did not answer a stream that catches up: it tries again after this. */
export const CATCH_UP_PAUSE_MS = SECOND
/** The record of who holds a session's GET stream: as long as the changes that it says were told. */
export const HOLDER_MS = DAY
/** Who takes a stream over without saying from where waits so long for the word of who held it. */
export const HANDOVER_MS = 300
/** A session may change before its first GET stream: that begins so long before the session. */
export const SESSION_LEAD_MS = 2 * SECOND
/** A client whose stream was given to another connection of its own comes back after this, not at once. */
export const RETRY_SUPERSEDED_MS = 30 * SECOND
/** A napping stream stays so long for what may come. */
export const NAP_STAY_MS = 20 * SECOND
/** After a nap with news the client comes back after this; each one without doubles it, up to the most. */
export const NAP_RETRY_MIN_MS = 5 * SECOND
export const NAP_RETRY_MAX_MS = 5 * MINUTE
/** A wake-up can overtake its entry on the way through a replica: it is looked for once more after this. */
export const FOLLOW_OVERTAKEN_MS = 50
/** Open `subscriptions/listen` streams of one account on one instance: a few apps with a few windows each. */
export const STREAMS_PER_ACCOUNT = 16
/** Open streams of one instance: 250 MB at about 100 kB each behind Next, 41 kB without (docs/BENCHMARKS.md). */
export const STREAMS_PER_INSTANCE = 2500
/** A session id (2025 era) is taken this long after `initialize`; the client then begins a new session. */
export const SESSION_ID_MS = 30 * DAY
/** Sealed session ids are shorter; hosts and proxies keep headers of this size. */
export const SESSION_ID_MAX_LENGTH = 512
/** Session ids an instance remembers as opened, at about 1.5 kB each. */
export const SESSION_IDS_OPENED_MAX = 2000
/** The record of a session that nobody uses. What is lost with it is made again from the sealed id. */
export const SESSION_IDLE_MS = DAY
/** A session's place in the list of its account: its record is gone by then, its last hour of use included. */
export const SESSION_LISTED_MS = SESSION_IDLE_MS + HOUR
/** The record is written after `initialize` was answered: that long a missing one is not a lost one. */
export const SESSION_BEGINS_MS = 10 * SECOND
/** URIs that one session may subscribe to. */
export const SUBSCRIPTIONS_PER_SESSION = 200
/** Sessions whose use this instance remembers to have counted in this hour, at about 100 bytes each. */
export const SESSIONS_NOTED_MAX = 10_000
/** Hourly counts of sessions, for the operator: a month of them. */
export const SESSION_STATISTICS_MS = 31 * DAY
/** An instance with open streams says so often how many: a gauge, not a count. */
export const PRESENCE_BEAT_MS = 20 * SECOND
/** What an instance said is forgotten after this. */
export const PRESENCE_MS = 60 * SECOND
/** Instances that the gauge adds up. */
export const INSTANCES_MAX = 1000
/** Sessions of an account that its person sees listed. */
export const SESSIONS_LISTED_MAX = 100
/** A run whose instance stopped is taken up by another one after this. */
export const RUN_LEASE_MS = 6 * SECOND
/** So often a run renews its lease and looks into its mailbox. */
export const RUN_BEAT_MS = 2 * SECOND
/** The same while the process is about to be stopped: a killed run is then taken up quickly. */
export const RUN_DRAIN_LEASE_MS = 1 * SECOND
export const RUN_DRAIN_BEAT_MS = 300
/**
 * Frames go to the client at once and to the log this much later, together: with what the store takes, a frame
 * is safe 150 ms after it was said.
 */
export const RUN_FLUSH_MS = 100
/** A running or parked call is forgotten after this, also when nobody ends it. */
export const RUN_MS = HOUR
/** A call that works so long is ended: its record would be forgotten while it runs. */
export const RUN_MAX_MS = RUN_MS - MINUTE
/**
 * What a call that is parked, or may be run again, is kept with; each answer adds to it, and a change sends it twice:
 * together within what Upstash takes in one request on every plan (1 MB).
 */
export const RUN_REQUESTS_MAX_LENGTH = 128 * 1024
/** An answer to a question, or another message to a call. */
export const RUN_MESSAGE_MAX_LENGTH = 256 * 1024
/** Ids of requests stand in records and keys of their calls. */
export const REQUEST_ID_MAX_LENGTH = 256
/** Why a client cancelled a call: a line for the log of its tool. */
export const CANCEL_REASON_MAX_LENGTH = 500
/** A finished stream can be read again this long. */
export const RUN_DONE_MS = 2 * MINUTE
/** Calls of one account that work at once on one instance: more than any host makes, less than an instance bears. */
export const CALLS_PER_ACCOUNT = 64
/** Streams of one account that wait for a call on one instance: each looks into the store every two seconds. */
export const READERS_PER_ACCOUNT = 32
/** Frames kept of one stream. */
export const RUN_LOG_KEEP = 1000
/** Frames above this are not logged: half of what Upstash takes in one request on every plan. */
export const RUN_FRAME_MAX_BYTES = 512 * 1024
/** A call whose instance was lost is run again this often, if it only reads. */
export const RUN_TRIES_MAX = 2
/** Who reads a run that works elsewhere looks after it this often; wake-ups are faster. */
export const READER_POLL_MS = 1500
/** A cancellation that overtook its request waits for it. */
export const CANCELLATION_MS = 2 * MINUTE
/** Messages of a client that wait for one call. */
export const MAILBOX_KEEP = 200
/** Rounds of questions in one call (what the SDK's own legacy shim allows). */
export const PARK_ROUNDS_MAX = 8
/** `retry` of a stream that is ended to be taken up again at once. */
export const RETRY_SOON_MS = 200
/** `retry` of a living stream: SDK clients try twice, so twice this is the outage they survive. */
export const RETRY_MS = 1500
/** A task is told to live this long (`ttlMs`): a person may close the lid over night and ask in the morning. */
export const TASK_MS = DAY
/** A result is kept at least this long after its task ended, also of one that ended late. */
export const TASK_RESULT_MS = HOUR
/** The store keeps a task longer than was said: its clock is not ours. */
export const TASK_GRACE_MS = MINUTE
/** How often clients are told to ask for a task: each costs a call. */
export const TASK_POLL_MS = 2 * SECOND
/** Unfinished tasks of one account: each may hold an instance. */
export const TASKS_LIVE_PER_ACCOUNT = 20
/** Tasks of one account that are kept, with their results. */
export const TASKS_KEPT_PER_ACCOUNT = 200
/** A state is sent twice with each step (as it was, as it becomes). Room for the places of 1,000 notes. */
export const TASK_STATE_MAX_BYTES = 128 * 1024
/** Arguments of a task are kept until it ends; longer ones are worked through within the call. */
export const TASK_INPUT_MAX_BYTES = 1024 * 1024
/** Kept for each of `TASKS_KEPT_PER_ACCOUNT`; a longer result belongs into a resource. */
export const TASK_RESULT_MAX_BYTES = 256 * 1024
/** All answers to the questions of one task. */
export const TASK_ANSWERS_MAX_BYTES = 64 * 1024
/** A step without effects that was stopped so often is not tried again: it may be what stops the instance. */
export const TASK_TRIES_MAX = 3
/** Old and new releases run side by side so long at most: what one cannot go on with is left to the other. */
export const TASK_DEPLOY_MS = 10 * MINUTE
/** What a finished step leaves is saved within this, however often the store does not answer. */
export const TASK_SAVE_MS = 30 * SECOND
/** Between two attempts. */
export const TASK_SAVE_PAUSE_MS = 500
/** On a platform that bills time a task does not hold an instance to wait longer than this. */
export const TASK_NAP_MAX_MS = 5 * SECOND
/** Where it may wait longer it looks at the time so often: timers hold no more than 24 days. */
export const TASK_NAP_TURN_MS = MINUTE
/** Abandoned tasks that one clean-up takes up, and how many it looks at. */
export const TASKS_TAKEN_UP_MAX = 10
export const TASKS_LOOKED_AT_MAX = 200
/** The clean-up runs at most so often, after some answer or by a scheduler. */
export const CLEAN_UP_MS = HOUR
/** Browsers may keep the answer to a preflight this long. */
export const PREFLIGHT_MAX_AGE_SECONDS = 600

// Rate limiting

export const RATE_WINDOW_MS = MINUTE

// Pauses told to clients

/** `Retry-After` of a 503: long enough for a store to fail over, short enough not to be noticed. */
export const RETRY_AFTER_SECONDS = 5

// The audit log

/** Entries kept; at a few hundred bytes each the log stays under 10 MB. */
export const AUDIT_KEEP = 20_000
export const AUDIT_MS = 400 * DAY

// The notebook

/** Notes of one account: what an index of one instance holds and searches within a few milliseconds. */
export const NOTES_MAX = 10_000
/** All notes of one account as stored: read as a whole by an instance that starts. */
export const NOTEBOOK_MAX_BYTES = 12 * 1024 * 1024
/** Longest text of a note; escaped as JSON it still fits into half of a segment. */
export const NOTE_TEXT_MAX_BYTES = 64 * 1024
export const NOTE_TITLE_MAX_LENGTH = 200
export const NOTE_TAGS_MAX = 20
export const NOTE_TAG_MAX_LENGTH = 40
/** What is kept of a name that an app gave itself. */
export const NOTE_WRITER_NAME_MAX_LENGTH = 80
/** A change sends a segment twice (as it was, as it becomes). */
export const NOTE_SEGMENT_MAX_BYTES = 256 * 1024
/** A new note goes into a segment up to this; the rest is left for notes that grow. */
export const NOTE_SEGMENT_FILL_BYTES = 64 * 1024
/** Room for `NOTEBOOK_MAX_BYTES` with every segment only three quarters full. */
export const NOTE_SEGMENTS_MAX = 256
/** Segments read in one request: at most 8 MB, under the 10 MB that Upstash allows. */
export const NOTE_SEGMENTS_PER_READ = 32
/** Ids of its last changes that a segment keeps, so that a writer finds its own after a lost reply. */
export const NOTE_WRITES_KEPT = 32
/** Changes that an instance may be behind before it reads everything again. */
export const NOTE_CHANGES_KEEP = 256
/** The log of changes is gone this long after the last one: it still holds the text of deleted notes. */
export const NOTE_CHANGES_MS = DAY
/** A change up to this stands in the log as a whole; a larger one makes readers read its segment. */
export const NOTE_CHANGE_MAX_BYTES = 4096
/** Changes announced and perhaps not yet made, at most, when an instance starts reading. */
export const NOTE_CHANGES_IN_FLIGHT = 64
/** A change announced is made within this or not at all: two tries against the store, with room. */
export const NOTE_DOUBT_MS = 10 * SECOND
/** Lost compares in a row before 503. Each is another writer's success, so many writers all get through. */
export const NOTE_WRITE_ATTEMPTS = 64
/** Notebooks that one instance holds in memory, by number and by the size of their notes as stored. */
export const NOTEBOOKS_HELD_MAX = 200
export const NOTEBOOKS_HELD_MAX_BYTES = 48 * 1024 * 1024
/** Notes put into a search index before other requests get their turn. */
export const NOTE_INDEX_CHUNK = 50
export const NOTE_QUERY_MAX_LENGTH = 400
/** Further words of a query are ignored: each is compared with every word of the notebook. */
export const NOTE_QUERY_TERMS_MAX = 12
export const NOTE_SEARCH_MAX = 20
export const NOTE_PAGE_MAX = 100
export const NOTE_SNIPPET_LENGTH = 200
/** Notes of one import: well inside the 4 MB of a request at ordinary sizes. */
export const NOTE_IMPORT_MAX = 1000
/** Of them in one step: it is over soon, and lost with its instance at worst. */
export const NOTE_IMPORT_STEP_MAX = 100
/** The protocol's bound of a completion answer. */
export const NOTE_SUGGESTIONS_MAX = 100
