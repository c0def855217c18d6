import { FORM_MAX_BYTES } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import { type BodyProblem, readForm } from '#lib/http/body'
import type { Exchange } from '#lib/http/endpoint'
import { isSameOrigin } from '#lib/http/same-origin'
import type { IdentityContext } from '#lib/identity/endpoints/endpoint-context'
import { refusalView } from '#lib/identity/pages'

/** The fields of one of our forms: each at most once, an empty one as absent. */
export interface Fields {
  readonly get: (name: string) => string | undefined
}

const statusOf: Readonly<Record<BodyProblem, number>> = { media_type: 415, too_large: 413, malformed: 400 }

/** Reads a form that a page of ours sent; the failure is the page to answer with. */
export async function receiveForm(
  { origin, draw }: Pick<IdentityContext, 'origin' | 'draw'>,
  request: Request,
  { requestId }: Exchange,
): Promise<Result<Fields, Response>> {
  const broken = (status: number) => err(draw(brokenForm(status, requestId)))
  if (!isSameOrigin(request, origin)) return err(draw(foreignForm(origin, requestId)))

  const form = await readForm(request, FORM_MAX_BYTES)
  if (!form.ok) return broken(statusOf[form.error])
  const names = [...form.value.keys()]
  if (new Set(names).size !== names.length) return broken(400)
  return ok({ get: (name) => form.value.get(name) || undefined })
}

const foreignForm = (origin: string, requestId: string) =>
  refusalView(
    {
      title: 'This form did not come from this server',
      status: 403,
      sentences: [
        `Nothing was changed. Open ${origin} in this browser and try again there.`,
        'If that is not the address you know this server by, tell the person who runs it: its PUBLIC_URL is another.',
      ],
      back: { href: `${origin}/sign-in`, label: 'Back to sign-in' },
    },
    { rule: 'form_foreign', requestId },
  )

const brokenForm = (status: number, requestId: string) =>
  refusalView(
    {
      title: 'This form could not be read',
      status,
      sentences: ['Nothing was changed. Go back, load the page again and repeat what you did.'],
      back: { href: '/sign-in', label: 'Back to sign-in' },
    },
    { rule: 'form_unreadable', requestId },
  )
