import type { Result } from '#lib/core/result'
import type { CacheHeaders } from '#lib/oauth/cache-lifetime'
import type { FetchedBody } from '#lib/oauth/client-id-metadata'

/** A complete answer with status 200. */
export interface FetchedDocument extends FetchedBody, CacheHeaders {}

/** Why a document could not be fetched. For the log: told to nobody, because it would describe our network. */
export type FetchFault =
  /** The address is none that is ever asked: not https, not port 443, or not the name of a public host. */
  | 'address_refused'
  /** A name that leads to a private network, at least in one of its answers. */
  | 'address_not_public'
  | 'unreachable'
  | 'timed_out'
  | 'cut_off'
  /** Any status but 200 and those below; redirects are not followed. */
  | 'status_unexpected'
  /** 404 and 410: the host says that there is no such document. */
  | 'not_found'
  | 'too_large'
  /** Compressed although that was not asked for. */
  | 'encoded'

/** Fetches a public document without being led into a private network. Never throws. */
export type FetchDocument = (
  url: string,
  options: { readonly maxBytes: number },
) => Promise<Result<FetchedDocument, FetchFault>>
