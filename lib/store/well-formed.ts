import { STORE_KEY_MAX_BYTES } from '#lib/config/limits'
import { isEntryId } from '#lib/store/entry-id'
import type { Operation } from '#lib/store/port'

/**
 * Refuses an operation that the backends would not treat alike (a lifetime of 0, half a count, an id that is
 * none, a key over the limit), before anything is sent.
 *
 * @param operation - with its key prefix already in place
 * @throws RangeError naming the kind and the member at fault, never a key or a value: it is a bug of the caller
 */
export function assertWellFormed(operation: Operation): void {
  const fault = faultOf(operation)
  if (fault) throw new RangeError(`store: ${operation.kind}: ${fault}`)
}

function faultOf(operation: Operation): string | undefined {
  return keyFault(operation) ?? lifetimeFault(operation) ?? detailFault(operation)
}

function keyFault(operation: Operation): string | undefined {
  return keysOf(operation).some(isTooLong) ? `a key of more than ${STORE_KEY_MAX_BYTES} bytes` : undefined
}

function lifetimeFault(operation: Operation): string | undefined {
  const lifetimes = [
    'ttlMs' in operation ? operation.ttlMs : undefined,
    'touchMs' in operation ? operation.touchMs : undefined,
  ]
  const wrong = lifetimes.some((ms) => ms !== undefined && !isCount(ms))
  return wrong ? 'a lifetime is a whole number of milliseconds, at least 1' : undefined
}

function detailFault(operation: Operation): string | undefined {
  switch (operation.kind) {
    case 'add':
      return Object.values(operation.by).every(Number.isSafeInteger) ? undefined : 'counts are whole numbers'
    case 'append':
      return appendFault(operation)
    case 'read':
      return isCount(operation.limit) ? idFault(operation.after, operation.before) : 'limit is at least 1'
    case 'rank':
      return Number.isFinite(operation.score) ? undefined : 'a score is a finite number'
    case 'range':
      return rangeFault(operation)
    case 'publish':
      return isOneLine(operation.channel + operation.message) ? undefined : 'a message is one line'
    default:
      return undefined
  }
}

function appendFault(operation: Extract<Operation, { kind: 'append' }>): string | undefined {
  if (!isCount(operation.keep)) return 'keep is at least 1'
  if (!isOneLine(operation.tell?.channel ?? '')) return 'a message is one line'
  return idFault(operation.id)
}

function rangeFault(operation: Extract<Operation, { kind: 'range' }>): string | undefined {
  if (!isCount(operation.limit)) return 'limit is at least 1'
  const { offset = 0, min = 0, max = 0, dropBelow = 0 } = operation
  if (!Number.isSafeInteger(offset) || offset < 0) return 'offset is 0 or more'
  return [min, max, dropBelow].every(Number.isFinite) ? undefined : 'a score is a finite number'
}

function idFault(...ids: readonly (string | undefined)[]): string | undefined {
  return ids.every((id) => id === undefined || isEntryId(id)) ? undefined : 'a malformed id'
}

const isCount = (count: number) => Number.isSafeInteger(count) && count >= 1

const isOneLine = (text: string) => !/[\r\n]/.test(text)

function keysOf(operation: Operation): readonly string[] {
  if ('key' in operation) return [operation.key]
  if ('log' in operation) return [operation.log]
  if ('index' in operation) return [operation.index]
  return 'keys' in operation ? operation.keys : [operation.channel]
}

function isTooLong(key: string): boolean {
  // A UTF-16 unit is at most 3 bytes of UTF-8, so ordinary keys need no encoding to be measured.
  if (key.length * 3 <= STORE_KEY_MAX_BYTES) return false
  return new TextEncoder().encode(key).length > STORE_KEY_MAX_BYTES
}
