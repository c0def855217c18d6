/** A variable that the server reads, as the README's table shows it. */
export interface Variable {
  readonly name: string
  readonly meaning: string
  readonly default: string
}

/** Every variable that `parseEnv` reads, besides those that a platform sets by itself. */
export const variables: readonly Variable[] = [
  {
    name: 'PUBLIC_URL',
    meaning: 'The origin people and apps reach the server at, such as `https://gatehouse.example`',
    default: '`http://localhost:$PORT` with the local store; on Vercel its own address; else required',
  },
  { name: 'PORT', meaning: 'The port to listen on', default: '`3000`' },
  {
    name: 'AUTH_SECRET',
    meaning: 'Seals and signs everything; at least 32 random bytes: `openssl rand -base64 32`',
    default: 'made once and kept in `DATA_DIR` with the local store; else required',
  },
  {
    name: 'AUTH_SECRETS_OLD',
    meaning: 'Earlier secrets, with commas between: what they sealed stays valid',
    default: 'none',
  },
  {
    name: 'UPSTASH_REDIS_REST_URL',
    meaning: 'Address of an Upstash database (or `KV_REST_API_URL`, as Vercel calls it)',
    default: 'none',
  },
  {
    name: 'UPSTASH_REDIS_REST_TOKEN',
    meaning: 'Its token (or `KV_REST_API_TOKEN`)',
    default: 'none',
  },
  {
    name: 'REDIS_URL',
    meaning: 'Any Redis 7 or Valkey over TCP (`redis://` or `rediss://`); not read when Upstash is set',
    default: 'none',
  },
  {
    name: 'DATA_DIR',
    meaning: 'Folder of the local store, which is used when neither Upstash nor Redis is set',
    default: '`.data`; required with a public `PUBLIC_URL`',
  },
  {
    name: 'KEY_PREFIX',
    meaning: 'Separates deployments that share a database; Vercel previews add their environment and branch',
    default: '`gatehouse`',
  },
  {
    name: 'OWNER_SETUP_CODE',
    meaning: 'At least 16 characters; lets the first person become owner where no console can be read',
    default: 'none',
  },
  {
    name: 'ALLOWED_ORIGINS',
    meaning: 'Web origins besides our own that may call the MCP endpoint from a page, with commas between',
    default: 'none',
  },
  {
    name: 'ALLOWED_HOSTS',
    meaning: 'Host names besides that of `PUBLIC_URL` that requests may name, with commas between',
    default: 'none',
  },
  {
    name: 'TRUST_PROXY',
    meaning: 'Who tells the address of a client: `none`, `vercel`, or `hops:n` proxies of yours in front',
    default: '`none`; on Vercel `vercel`',
  },
  {
    name: 'STRICT_REDIRECTS',
    meaning: '`true` refuses apps that come back by a private scheme such as `cursor://`',
    default: '`false`',
  },
  {
    name: 'CIMD_ALLOW',
    meaning:
      'Hosts whose apps may connect by a client id metadata document, such as `claude.ai, *.example.com`',
    default: 'every public host',
  },
  {
    name: 'CIMD_BLOCK',
    meaning: 'Hosts whose apps may not, stronger than `CIMD_ALLOW`; `*` turns these documents off',
    default: 'none',
  },
  {
    name: 'CONSENT_MEMORY',
    meaning:
      '`true` remembers for 30 days what you allowed an app that its own web domain vouches for; all others ask every time',
    default: '`false`',
  },
  {
    name: 'PASSKEY_RP_ID',
    meaning:
      'The host name that passkeys belong to: that of `PUBLIC_URL`, or a domain above it so that they outlive a move under it. Changed, every passkey stops working',
    default: 'the host name of `PUBLIC_URL`',
  },
  { name: 'ACCESS_TOKEN_SECONDS', meaning: 'Life of an access token', default: '`3600`' },
  { name: 'CODE_SECONDS', meaning: 'Life of an authorization code', default: '`60`' },
  {
    name: 'REFRESH_GRACE_SECONDS',
    meaning: 'How long a replaced refresh token still gets the same successor',
    default: '`60`',
  },
  {
    name: 'REFRESH_IDLE_SECONDS',
    meaning: 'A connection that is not used for so long ends',
    default: '`2592000` (30 days; on previews at most 1 day)',
  },
  {
    name: 'REFRESH_MAX_SECONDS',
    meaning: 'A connection ends after so long, used or not',
    default: '`7776000` (90 days; on previews at most 7 days)',
  },
  {
    name: 'RATE_LIMIT_PER_MINUTE',
    meaning: 'Calls that one account may make in a minute',
    default: '`1200`',
  },
  {
    name: 'STREAMS',
    meaning:
      'Change notifications: `live` over open streams, `nap` over streams that end while nothing happens, or `off`',
    default: '`live`; where instances come and go (Vercel, Lambda) `nap`',
  },
  {
    name: 'STREAM_MAX_SECONDS',
    meaning:
      'A stream ends politely after so long, and the app comes back for the rest; decimals are allowed',
    default: '`240`',
  },
  {
    name: 'SESSION_READOPT',
    meaning: '`false` ends a session whose record was lost, instead of going on with it',
    default: '`true`',
  },
  { name: 'LOG_LEVEL', meaning: 'Least level logged: `debug`, `info`, `warn` or `error`', default: '`info`' },
  {
    name: 'CRON_SECRET',
    meaning:
      'At least 16 characters; what your scheduler shows at `/api/cron/{job}` (Vercel sends it by itself)',
    default: 'none: nobody gets in',
  },
  {
    name: 'GATEHOUSE_CONFORMANCE',
    meaning: '`1` serves the fixture of the official conformance suite; only on this machine',
    default: 'off',
  },
  {
    name: 'GATEHOUSE_POLL_ONLY',
    meaning:
      '`1` sends and hears no wake-ups, as if the store had no channels; only on this machine, for tests',
    default: 'off',
  },
]
