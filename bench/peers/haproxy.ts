import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Peer, type Place } from './peer.ts'
import { programVersion } from './version.ts'

/** HAProxy with one thread, sharing idle connections to the service between all clients. */
export const haproxy: Peer = {
  name: 'HAProxy',
  jit: false,
  version: () => programVersion('haproxy', ['-v']),
  async prepare(place) {
    const config = join(place.dir, 'haproxy.cfg')
    await writeFile(config, haproxyConfig(place))
    return { command: 'haproxy', args: ['-db', '-f', config] }
  },
}

function haproxyConfig({ port, backendPort, certificate, http2, http2Service }: Place): string {
  const encrypted = certificate === undefined ? '' : ` ssl crt ${certificate.both}`
  const protocol = !http2 ? '' : certificate === undefined ? ' proto h2' : ' alpn h2'
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  http-reuse always
  option forwardfor
  option splice-request
  option splice-response
  timeout connect 2s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
frontend gateway
  bind 127.0.0.1:${port} backlog 4096${encrypted}${protocol}
  http-request set-header X-Forwarded-Proto ${certificate === undefined ? 'http' : 'https'}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend service
backend service
  server one 127.0.0.1:${backendPort} pool-purge-delay 600s${http2Service ? ' proto h2' : ''}
`
}
