import type { RecentDetails } from '../telemetry/recent-requests.ts'

/** Why attempts failed, in words that go with "all" and "one". */
const REASONS: Readonly<Record<string, string>> = {
  connect: 'could not be reached',
  tls: 'could not be reached over TLS',
  refused: 'did not process the request',
  timeout: 'gave no reply in time',
  closed: 'closed the connection before the end of the reply',
  invalid: 'sent a reply that is not valid HTTP',
  busy: 'had no connection free',
  streams: 'had too many streams',
}

/** Why a request ended as it did, in one sentence. */
export function causeOf(request: RecentDetails): string {
  const { status, error, detail, cause, service, instance, route, aborted } = request
  if (aborted) return 'The client disconnected before it had the whole reply.'
  const tried = triedWords(request)
  if (error === 'service-unavailable' && service !== null && tried === null && instance === null)
    return `${status}: no instance of ${service} could be used: each was unhealthy, ejected or drained, or there was none. "sallyport explain" shows their state now.`
  if (error !== null) {
    const why = tried ?? [detail ?? error, cause].filter((text) => text !== null).join(': ')
    return `${status}: ${sentence(why)}`
  }
  const stored = storedWords(request)
  if (stored !== null) return `${status}: ${stored}.`
  if (instance !== null) {
    // The reply itself does not explain the outcome.
    const before = request.tried.filter((attempt) => attempt.instance !== instance || attempt.status !== status)
    const others = triedWords({ ...request, tried: before })
    const after = others === null ? '' : `, after ${others}`
    return `${status}: that is the reply of ${instance} of ${service ?? 'the service'}${after}.`
  }
  if (route === '') return `${status}: no route matched it.`
  return service === null
    ? `${status}: the route ${route} replied itself, without a service.`
    : `${status}: the gateway replied itself, without asking an instance of ${service}.`
}

/** Where the reply was stored; null if it was not. */
function storedWords(request: RecentDetails): string | null {
  const { storedAge, instance, service, fields } = request
  if (storedAge === null)
    return instance === null && fields['idempotency'] === 'replayed'
      ? 'that is the stored reply to an earlier request with the same Idempotency-Key'
      : null
  const stored = `that is a stored reply from the cache, ${storedAge} s old`
  const failed = triedWords(request)
  if (failed !== null) return `${stored}, as ${failed}`
  return instance === null ? stored : `${stored}, which ${instance} of ${service ?? 'the service'} has confirmed`
}

/** The outcome of the failed attempts; null if there are none. */
function triedWords({ tried, attempts, service }: RecentDetails): string | null {
  const failed = tried.filter(({ reason, status }) => reason !== null || (status ?? 0) >= 500)
  const [first] = failed
  if (first === undefined) return null
  const instances = new Set(failed.map(({ instance }) => instance)).size
  const more =
    attempts > failed.length && failed.length < tried.length ? `${failed.length} of ${attempts} attempts: ` : ''
  const same = failed.every(({ reason, status }) => reason === first.reason && status === first.status)
  const what = first.reason === null ? `replied with ${first.status}` : (REASONS[first.reason] ?? first.reason)
  const error = first.error === null || first.reason === null ? '' : ` (${first.error.replace(/\.$/, '')})`
  if (!same) {
    const each = failed.map(({ instance, reason, status }) => {
      const how = reason === null ? `replied with ${status}` : (REASONS[reason] ?? reason)
      return `${instance} ${how}`
    })
    return `${more}${each.join('; ')}`
  }
  const who =
    instances === 1 ? first.instance : `all ${instances} instances of ${service ?? 'the service'} that were asked`
  return `${more}${who} ${what}${error}`
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
