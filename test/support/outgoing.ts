import type { OutgoingRequest } from '../../src/http/outgoing-request.ts'

/** A plain request to a service; its head is `OUTGOING_HEAD`. */
export const outgoing: OutgoingRequest = {
  client: 'a',
  method: 'GET',
  authority: 'a',
  target: '/',
  fields: '',
  body: null,
  acceptsTrailers: false,
  isCall: false,
  expectsContinue: false,
  upgrade: null,
}

export const OUTGOING_HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
