import { dirname, resolve } from 'node:path'
import { hasRedis } from './check-acme.ts'
import { type Fields, isFields, itemsOf } from '../core/value.ts'

/** Makes the paths of certificates, keys and the ACME folder absolute; they are relative to `base`, the configuration file. */
export function withAbsoluteCertificates(value: unknown, base: string): unknown {
  const absolute = (file: unknown): unknown =>
    typeof file === 'string' && file !== '' ? resolve(dirname(base), file) : file
  const pair = (fields: Fields): Fields => ({ ...fields, cert: absolute(fields['cert']), key: absolute(fields['key']) })
  const inTls = (tls: unknown): unknown =>
    within(
      within(
        within(tls, 'acme', (acme) => within(withFolder(acme, hasRedis(value)), 'folder', absolute)),
        'certificates',
        (pairs) => eachOf(pairs, (each) => (isFields(each) ? pair(each) : each)),
      ),
      'clientCertificates',
      (clients) => within(within(clients, 'ca', absolute), 'crl', absolute),
    )
  return within(value, 'listeners', (listeners) => eachOf(listeners, (listener) => within(listener, 'tls', inTls)))
}

/** Without Redis, ACME state is kept in a folder. */
function withFolder(acme: unknown, redis: boolean): unknown {
  return isFields(acme) && !redis ? { folder: 'acme', ...acme } : acme
}

/** A copy of a map with one of its values changed; any other value is returned unchanged. */
function within(value: unknown, key: string, change: (value: unknown) => unknown): unknown {
  return isFields(value) && Object.hasOwn(value, key) ? { ...value, [key]: change(value[key]) } : value
}

function eachOf(value: unknown, change: (item: unknown) => unknown): unknown {
  return Array.isArray(value) ? itemsOf(value).map((item) => change(item)) : value
}
