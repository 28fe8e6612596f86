import type { Finding } from './issues.ts'
import type { Path } from './problems.ts'
import { checkSecrets } from './secrets-schema.ts'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'

/** Cross-checks the parts of a configuration that obtains certificates from a CA. */
export function checkAcme(config: unknown): Finding[] {
  const listeners = itemsOf(fieldOf(config, 'listeners'))
  const blocks = listeners.flatMap((listener, i) => {
    const acme = fieldOf(fieldOf(listener, 'tls'), 'acme')
    return isFields(acme) ? [{ acme, path: ['listeners', i, 'tls', 'acme'] as Path }] : []
  })
  const plain = listeners.some((listener) => isFields(listener) && listener['tls'] === undefined)
  return blocks.flatMap(({ acme, path }, i) => {
    const findings = twice(blocks.slice(0, i), acme, path)
    if (hasRedis(config) && acme['folder'] === undefined)
      findings.push(...checkSecrets(config, path, 'ACME certificates in Redis'))
    if (acme['challenge'] === 'http-01' && !plain) findings.push(needsPlain([...path, 'challenge']))
    return findings
  })
}

/** Whether the configuration has a Redis; ACME state is then kept there. */
export function hasRedis(config: unknown): boolean {
  const redis = fieldOf(fieldOf(config, 'stores'), 'redis')
  return isFields(redis) && redis['url'] !== ''
}

function needsPlain(path: Path): Finding {
  const message =
    'http-01 needs a listener without tls, which the CA reaches at port 80; expected one, or another challenge'
  return { path, isKey: false, message }
}

/** A name that two listeners share must come from the same CA with the same settings. */
function twice(before: readonly { acme: object; path: Path }[], acme: object, path: Path): Finding[] {
  const names = itemsOf(fieldOf(acme, 'domains'))
  const settings = settingsOf(acme)
  return names.flatMap((name, j) => {
    const first = before.find((each) => itemsOf(fieldOf(each.acme, 'domains')).includes(name))
    if (first === undefined || settingsOf(first.acme) === settings) return []
    const message = `also in listeners[${first.path[1]}], with different settings; expected the same settings, or another name`
    return [{ path: [...path, 'domains', j], isKey: false, message }]
  })
}

function settingsOf(acme: object): string {
  return JSON.stringify(Object.entries({ ...acme, domains: [] }).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
