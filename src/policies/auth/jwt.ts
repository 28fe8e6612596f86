import { hash } from 'node:crypto'
import { dropCookie } from '../../http/cookies.ts'
import type { Exchange } from '../../http/exchange.ts'
import { compileOrigins } from '../origins.ts'
import { bearerToken, cookieValue, dropBearerToken, queryParameter, withoutParameter } from './credentials.ts'
import { sameName } from '../../http/headers.ts'
import { isForeign } from './foreign.ts'
import { createIssuers } from './issuers.ts'
import { jwtOptions } from './jwt-options.ts'
import { defineAuthMethod } from './method.ts'
import { agreeTo, dropSubprotocol, SUBPROTOCOL, subprotocolToken } from './subprotocol.ts'
import { isSigned } from './verify-token.ts'

/** Signed JSON Web Tokens (RFC 7519), in `Authorization: Bearer`, a cookie, or another place given in the options. */
export const jwt = defineAuthMethod({
  name: 'jwt',
  kind: 'token',
  summary: 'Signed JSON Web Tokens in Authorization: Bearer, or in a cookie.',
  options: jwtOptions,
  document({ header, cookie, query }) {
    const inHeader =
      header !== false && sameName(header, 'Authorization')
        ? { name: 'bearer', scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } }
        : { name: 'tokenInHeader', scheme: { type: 'apiKey', in: 'header', name: header || '' } }
    return [
      ...(header === false ? [] : [inHeader]),
      ...(cookie === undefined ? [] : [{ name: 'cookie', scheme: { type: 'apiKey', in: 'cookie', name: cookie } }]),
      ...(query === undefined ? [] : [{ name: 'tokenInQuery', scheme: { type: 'apiKey', in: 'query', name: query } }]),
    ]
  },
  fields: ({ header, subprotocol }) => [
    ...(header === false ? [] : [header]),
    ...(subprotocol === undefined ? [] : [SUBPROTOCOL]),
  ],
  secretParameters: ({ query }) => (query === undefined ? [] : [query]),
  create(options, toolbox) {
    const { header, query, cookie, subprotocol } = options
    const issuers = createIssuers(options, toolbox)
    const trusts = compileOrigins(options.trustedOrigins)

    /** As browsers send cookies automatically, pages of other sites may use this token only to read. */
    function cookieToken(exchange: Exchange, name: string): string | null {
      const value = cookieValue(exchange.headers, name)
      return value === null || isForeign(exchange, trusts) ? null : value
    }

    /** The header takes precedence, then the cookie, the query, and the subprotocol of a WebSocket. */
    function tokenOf(exchange: Exchange): string | null {
      const sent = header === false ? null : bearerToken(exchange.headers, header)
      if (sent !== null) return sent
      const fromCookie = cookie === undefined ? null : cookieToken(exchange, cookie)
      if (fromCookie !== null) return fromCookie
      const fromQuery = query === undefined ? undefined : queryParameter(exchange.query, query)
      if (fromQuery) return fromQuery
      const offers = subprotocol !== undefined && exchange.upgrade !== null
      return offers ? subprotocolToken(exchange.headers, subprotocol) : null
    }

    const ofAuthorization = header !== false && sameName(header, 'Authorization')
    return {
      readsAuthorization: ofAuthorization,
      authenticate(exchange, checkFailures) {
        const token = tokenOf(exchange)
        if (token === null) return null
        const digest = hash('sha256', token, 'base64url')
        const known = issuers.find(digest)
        if (known !== null) return known
        if (!isSigned(token)) return null
        checkFailures?.(exchange)
        return issuers.resolve(digest, token)
      },
      conceal({ headers }) {
        if (ofAuthorization) dropBearerToken(headers)
        else if (header !== false) headers.delete(header)
        if (cookie !== undefined) dropCookie(headers, cookie)
      },
      ...((query ?? subprotocol) !== undefined && {
        redact(exchange: Exchange) {
          if (query !== undefined) exchange.query = withoutParameter(exchange.query, query)
          if (subprotocol !== undefined) dropSubprotocol(exchange.headers, subprotocol)
        },
      }),
      ...(subprotocol !== undefined && { around: agreeTo(subprotocol) }),
    }
  },
})
