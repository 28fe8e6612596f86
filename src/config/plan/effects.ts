import type { Path } from '../problems.ts'
import { ANY } from '../option-paths.ts'
import { RESTART_ONLY } from '../restart-only.ts'
import { fieldOf, itemsOf } from '../../core/value.ts'
import { type Difference, startsWith } from './compare.ts'

/** The impact of a change, most severe first. */
export const changeClasses = ['needs-restart', 'ends-tunnels', 'resets-state', 'live'] as const

export type ChangeClass = (typeof changeClasses)[number]

/** The effect of one change, in one sentence. */
export interface Effect {
  readonly class: ChangeClass
  readonly text: string
}

type Rule = readonly [place: Path, effect: (difference: Difference) => Effect | null]

const resets = (text: string) => (): Effect => ({ class: 'resets-state', text })
const live = (text: string) => (): Effect => ({ class: 'live', text })

const isNew = ({ real }: Difference): boolean => real.before === undefined
const isRemoved = ({ real }: Difference): boolean => real.after === undefined

/** The effect of most changes. */
export const OTHERWISE: Effect = {
  class: 'live',
  text: 'New requests use the change; requests in flight finish as they began.',
}
const NEW_CONNECTIONS = 'New connections use it; open ones stay as they are.'
const NEXT_REPLY = 'New connections use it; open ones end after their next reply.'
const NEXT_CHECK = 'The next check uses it; what is known of the instances stays.'

/** The effect of a change by its place: the first rule that applies counts. */
const RULES: readonly Rule[] = [
  ...RESTART_ONLY.map(({ path, reason }): Rule => [
    path,
    (change) => (change.path.length === path.length ? { class: 'needs-restart', text: reason } : null),
  ]),
  [['routes', ANY], (change) => (change.path.length === 2 ? wholeRoute(change) : null)],
  [
    ['routes', ANY, 'service'],
    (change) =>
      isNew(change)
        ? null
        : { class: 'ends-tunnels', text: 'WebSockets and streams of the route end: it leads elsewhere.' },
  ],
  [
    ['routes', ANY, 'split'],
    (change) =>
      !isRemoved(change) || change.path.length === 4 || change.path[3] === 'headers'
        ? null
        : {
            class: 'ends-tunnels',
            text: 'WebSockets and streams of the route to a removed service end.',
          },
  ],
  [['listeners', ANY], (change) => (change.path.length === 2 ? wholeListener(change) : null)],
  [['listeners', ANY, 'name'], live('Routes of the listener use it from the next request on.')],
  [['listeners', ANY, 'tls'], (change) => (change.path.length === 3 ? otherProtocol(change) : null)],
  [['listeners', ANY, 'tls', 'minVersion'], live(NEXT_REPLY)],
  [['listeners', ANY, 'tls', 'ciphers'], live(NEXT_REPLY)],
  [['listeners', ANY, 'tls', 'clientCertificates', 'forward'], live('It applies from the next request on.')],
  [['listeners', ANY, 'tls', 'clientCertificates'], live('Every client has to reconnect, to be verified by it.')],
  [['listeners', ANY], live(NEW_CONNECTIONS)],
  [['services', ANY], (change) => (change.path.length === 2 && isNew(change) ? NEW_SERVICE : null)],
  [['services', ANY, 'instances', ANY], (change) => (change.path.length === 4 ? wholeInstance(change) : null)],
  [['services', ANY, 'instances', ANY, 'scheme'], live(NEW_CONNECTIONS)],
  [['services', ANY, 'discover', 'scheme'], live(NEW_CONNECTIONS)],
  [['services', ANY, 'discover'], (change) => (change.path.length === 3 ? wholeDiscovery(change) : null)],
  [['services', ANY, 'discover'], live('The instances are discovered again; known ones stay until the first answer.')],
  [['services', ANY, 'health'], ({ after }) => (after === false ? UNCHECKED : null)],
  [['services', ANY, 'health', 'interval'], live(NEXT_CHECK)],
  [['services', ANY, 'health', 'timeout'], live(NEXT_CHECK)],
  [['services', ANY, 'health', 'unhealthyAfter'], live(NEXT_CHECK)],
  [['services', ANY, 'health', 'healthyAfter'], live(NEXT_CHECK)],
  [['services', ANY, 'health'], live('What is known of the instances holds until the next check.')],
  [['services', ANY, 'tls'], live(NEW_CONNECTIONS)],
  [['services', ANY, 'proxyProtocol'], live(NEW_CONNECTIONS)],
  [['services', ANY, 'http2'], live(NEW_CONNECTIONS)],
  [['services', ANY, 'timeouts', 'connect'], live(NEW_CONNECTIONS)],
  [['stores', 'redis'], ({ path }) => (path.length === 2 ? OTHER_STORE : null)],
  [['stores', 'redis', 'place'], () => OTHER_STORE],
  [['secrets'], (change) => (opensWhatWasSealed(change) ? STILL_OPENED : NOT_OPENED)],
  [['ownPolicies', ANY, 'code'], resets('The code is loaded again: what it keeps in its own variables is lost.')],
]

const UNCHECKED: Effect = {
  class: 'resets-state',
  text: 'Every instance counts as healthy: results of checks are lost.',
}

const NEW_SERVICE: Effect = {
  class: 'live',
  text: 'With health checks, its instances get requests once their first check has passed.',
}

const OTHER_STORE: Effect = {
  class: 'resets-state',
  text: 'Counts, stored replies and API keys are those of the new store: those in the old one are not copied.',
}

const STILL_OPENED: Effect = { class: 'live', text: 'What was encrypted with the previous secret can still be read.' }

const NOT_OPENED: Effect = {
  class: 'resets-state',
  text: 'What was encrypted with the previous secret can no longer be read: TLS sessions start with a full handshake.',
}

function wholeRoute(change: Difference): Effect {
  if (isNew(change))
    return { class: 'live', text: 'It takes requests that it matches more specifically than other routes.' }
  const text = 'Requests go to the next route that matches, or get 404.'
  if (fieldOf(change.real.before, 'service') === undefined) return { class: 'live', text }
  return { class: 'ends-tunnels', text: `${text} WebSockets and streams of the route end.` }
}

function wholeListener(change: Difference): Effect | null {
  if (!isRemoved(change)) return null
  const text = 'It stops listening; its connections end, with their WebSockets and streams.'
  return { class: 'ends-tunnels', text }
}

function otherProtocol(change: Difference): Effect {
  const protocol = isRemoved(change) ? 'no TLS' : 'TLS'
  const text = `New connections use ${protocol}; open ones end, with their WebSockets and streams.`
  return { class: 'ends-tunnels', text }
}

function wholeInstance(change: Difference): Effect {
  if (isNew(change))
    return { class: 'live', text: 'With health checks, it gets requests once its first check has passed.' }
  return { class: 'live', text: 'It gets no more requests; those in flight finish.' }
}

function wholeDiscovery(change: Difference): Effect | null {
  if (isNew(change))
    return { class: 'live', text: 'The instances are discovered; until the first answer, requests get 503.' }
  return isRemoved(change) ? { class: 'live', text: 'Requests go to the listed instances.' } : null
}

/** The current secret encrypts; the others only decrypt. */
function opensWhatWasSealed({ real }: Difference): boolean {
  const [current] = itemsOf(real.before)
  return current === undefined || itemsOf(real.after).includes(current)
}

/** The effect of a change by its place. */
export function effectOf(change: Difference): Effect {
  for (const [place, effect] of RULES) {
    const found = startsWith(change.path, place) ? effect(change) : null
    if (found !== null) return found
  }
  return OTHERWISE
}
