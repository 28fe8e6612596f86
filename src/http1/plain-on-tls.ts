const TEXT = 'This port speaks HTTPS: use the same URL with https://.\n'

/** The reply to a client that uses plain HTTP on a TLS connection; the connection is closed after it. */
export const PLAIN_ON_TLS = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${TEXT.length}`,
  'Cache-Control: no-store',
  'Connection: close',
  '',
  TEXT,
].join('\r\n')
