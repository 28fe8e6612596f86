import { defaultCookie } from '../services/sticky/cookie.ts'
import type { Finding } from './issues.ts'
import { checkSecrets } from './secrets-schema.ts'
import { fieldOf, isFields } from '../core/value.ts'

/** Cross-checks the parts of a configuration that has services with sticky sessions. */
export function checkSticky(config: unknown): Finding[] {
  const services = fieldOf(config, 'services')
  const owners = new Map<unknown, string>()
  return Object.entries(isFields(services) ? services : {}).flatMap(([name, service]) => {
    const sticky = fieldOf(service, 'sticky')
    if (!isFields(sticky)) return []
    const path = ['services', name, 'sticky']
    const findings = checkSecrets(config, path, 'sticky sessions')
    if (fieldOf(sticky, 'header') !== undefined) return findings
    const cookie = fieldOf(sticky, 'cookie') ?? defaultCookie(name)
    const owner = owners.get(cookie)
    owners.set(cookie, owner ?? name)
    const message = `the same cookie as that of ${owner}: each would overwrite the other; expected another name`
    if (owner !== undefined) findings.push({ path, isKey: false, message })
    return findings
  })
}
