import { METHODS } from 'node:http'
import { isFieldValue, isToken } from '../../core/field.ts'
import { type Fields, isFields } from '../../core/value.ts'
import { refusalOfPattern } from '../../regexp/linear.ts'
import { numberOf, textOf, textsOf } from '../read.ts'
import { hasVariable } from '../variables.ts'
import type { Entity } from './entities.ts'
import { importHosts } from './hosts.ts'

/** Requests with these methods never reach a route. */
const NOT_OFFERED = new Set(['CONNECT', 'TRACE'])

/**
 * A route's conditions apart from its paths, in the form of `match`; null if they make it impossible to import the route, which is
 * reported.
 */
export function matchOf({ entry, fields }: Entity): Fields | null {
  if (textOf(fields['expression']) !== undefined) {
    entry.tell('left out', 'Expressions of Kong are not imported: match by path, host, method, headers and query.')
    return null
  }
  const protocols = textsOf(fields['protocols']).map((protocol) => protocol.toLowerCase())
  const http = protocols.filter((protocol) => /^(?:https?|grpcs?|wss?)$/.test(protocol))
  if (protocols.length > 0 && http.length === 0) {
    entry.tell('left out', `The protocol ${protocols.join(', ')} is not supported.`)
    return null
  }
  if (http.length > 0 && http.every((protocol) => /^(?:https|grpcs|wss)$/.test(protocol)))
    entry.tell(
      'different',
      'It is for HTTPS only. Add a listener with tls, and set redirectToHttps on the other one. Until then the route also answers plain HTTP.',
    )
  for (const field of ['sources', 'destinations'])
    if (field === 'destinations' && Array.isArray(fields[field]) && fields[field].length > 0) {
      entry.tell('left out', 'Routes by destination are not supported: use a listener of its own, and match.listener.')
      return null
    }
  const hosts = importHosts(hostsOf(fields, entry), entry)
  const methods = methodsOf(fields, entry)
  const headers = headersOf(fields['headers'], entry)
  if (hosts === null || methods === null || headers === null) return null
  const priority = numberOf(fields['regex_priority']) ?? 0
  return {
    ...(hosts.length > 0 && { host: hosts.length === 1 ? hosts[0] : hosts }),
    ...(methods.length > 0 && { method: methods.length === 1 ? methods[0] : methods }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(priority !== 0 && { precedence: Math.max(-1000, Math.min(1000, Math.round(priority))) }),
  }
}

function hostsOf(fields: Fields, entry: Entity['entry']): readonly string[] {
  const hosts = textsOf(fields['hosts'])
  const snis = textsOf(fields['snis'])
  if (snis.length === 0) return hosts
  entry.tell('different', 'snis match the TLS server name. Here the host of the request is matched.')
  return hosts.length > 0 ? hosts : snis
}

function methodsOf(fields: Fields, entry: Entity['entry']): readonly string[] | null {
  const written = textsOf(fields['methods']).map((method) => method.toUpperCase())
  const known = written.filter((method) => METHODS.includes(method) && !NOT_OFFERED.has(method))
  if (known.length < written.length) {
    const others = written.filter((method) => !known.includes(method)).join(', ')
    entry.tell(known.length === 0 ? 'left out' : 'narrower', `Requests with the method ${others} are always refused.`)
  }
  return written.length > 0 && known.length === 0 ? null : [...new Set(known)]
}

function headersOf(value: unknown, entry: Entity['entry']): Fields | null {
  const headers: Record<string, unknown> = {}
  for (const [name, written] of Object.entries(isFields(value) ? value : {})) {
    const values = textsOf(written)
    const [first = ''] = values
    const refused = (why: string): null => {
      entry.tell('left out', `The condition on the header ${name} cannot be imported: ${why}.`)
      return null
    }
    if (!isToken(name)) return refused('the name is not valid')
    if (values.length === 0) {
      headers[name.toLowerCase()] = true
      continue
    }
    if (values.length === 1 && first.startsWith('~*')) {
      const regex = regexIn(first.slice(2))
      const refusal = regex.length > 900 ? 'is too long' : refusalOfPattern(regex)
      if (refusal !== null) return refused(`the expression ${refusal}`)
      headers[name.toLowerCase()] = { regex }
      continue
    }
    if (values.some((each) => hasVariable(each) || !isFieldValue(each)))
      return refused('a value is a variable, or not a valid header value')
    entry.tell('narrower', `Values of the header ${name} are case-sensitive here, unlike in Kong.`)
    headers[name.toLowerCase()] = values.length === 1 ? first : values
  }
  return headers
}

/** Kong searches for a match anywhere in the value. */
function regexIn(written: string): string {
  const start = written.startsWith('^') ? '' : '.*'
  const end = written.endsWith('$') ? '' : '.*'
  const inner = written.replace(/^\^/, '').replace(/\$$/, '')
  return `(?i)${start}${inner.includes('|') ? `(?:${inner})` : inner}${end}`
}
