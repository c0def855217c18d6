import { NOTEBOOKS_HELD_MAX, NOTEBOOKS_HELD_MAX_BYTES } from '#lib/config/limits'
import type { Held } from '#lib/notebook/catch-up'
import { newView } from '#lib/notebook/view'
import type { Store } from '#lib/store/port'

/** The notebooks that this instance holds, the one used last at the end. */
type Shelf = Map<string, Held>

// By store object: two stores in one process (tests, a rebuilt configuration) never share what they hold.
const shelves = new WeakMap<Store, Shelf>()

/**
 * The notebook of an account in this instance's memory. Those not used for longest are dropped when there
 * are too many or they are too large; dropping costs a reading, never a note.
 */
export function heldOf(store: Store, accountId: string): Held {
  const shelf = shelfOf(store)
  const held = shelf.get(accountId) ?? newHeld(accountId)
  shelf.delete(accountId)
  shelf.set(accountId, held)
  makeRoom(shelf)
  return held
}

function shelfOf(store: Store): Shelf {
  const known = shelves.get(store)
  if (known) return known
  const shelf: Shelf = new Map()
  shelves.set(store, shelf)
  return shelf
}

const newHeld = (accountId: string): Held => ({
  accountId,
  view: newView(),
  checkedAt: undefined,
  loading: undefined,
  lastChange: Promise.resolve(),
})

function makeRoom(shelf: Shelf): void {
  let bytes = 0
  for (const { view } of shelf.values()) bytes += view.bytes
  for (const [accountId, { view }] of shelf) {
    // The one in use stays, whatever its size.
    if (shelf.size === 1 || (shelf.size <= NOTEBOOKS_HELD_MAX && bytes <= NOTEBOOKS_HELD_MAX_BYTES)) return
    shelf.delete(accountId)
    bytes -= view.bytes
  }
}
