import { z } from 'zod'

/** When a connection was last used (ms), to the minute. Apart from the grant, which is not rewritten for it. */
export const grantUseRecord = z.looseObject({ v: z.literal(1), at: z.number() })
