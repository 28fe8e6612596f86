import { z } from 'zod'
import type { GatewayConfig } from '../config/schema.ts'
import { GatewayError } from '../core/errors.ts'
import type { AdminApp } from './app.ts'
import type { Caller } from './login/caller.ts'

/** The maximum size of a configuration, in bytes: one with 10,000 routes takes some 2 MB. */
export const TEXT_SIZE = 8 * 1024 * 1024

/** A configuration as written in its file. */
export const configurationText = z.string().describe('A configuration in YAML.')

/**
 * Throws GatewayError 'forbidden' if operators may not send configurations: anyone who can send one can read the contents of variables and
 * files, and run code of this machine.
 */
export function checkWritable({ admin }: GatewayConfig): void {
  if (admin !== false && admin.writable) return
  throw new GatewayError(
    'forbidden',
    'This gateway does not accept configurations over HTTP: change its file and reload it, or set admin.writable to true.',
  )
}

/** Whether the caller may send configurations, and so may read the text of the running one with its secrets. */
export function maySend({ admin }: GatewayConfig, caller: Caller | null): boolean {
  return admin !== false && admin.writable && caller?.role === 'admin'
}

/** Accepts bodies of all types as text if operators may send configurations: JSON is YAML too. An empty body counts as none. */
export function acceptTexts(app: AdminApp, config: () => GatewayConfig): void {
  // Checked before the body is read, which may be long.
  app.addHook('preParsing', async ({ headers }) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
    if (length !== '0' || coding !== undefined) checkWritable(config())
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, bytes, done) => {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      done(null, text === '' ? undefined : text)
    } catch {
      done(new GatewayError('bad-request', 'The body is not UTF-8: send the configuration as it is in the file.'))
    }
  })
}
