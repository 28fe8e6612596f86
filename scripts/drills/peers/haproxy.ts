import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programVersion } from '../../../bench/peers/version.ts'
import type { Addresses, Peer, Place } from './peer.ts'

/**
 * HAProxy as its manual recommends for resilience: active checks every second, an instance is marked down based on observed traffic,
 * everything that its manual calls retryable is retried elsewhere for GET, and instances have a short queue.
 */
export const haproxy: Peer = {
  name: 'HAProxy',
  version: () => programVersion('haproxy', ['-v']),
  async prepare(place) {
    const config = join(place.dir, 'haproxy.cfg')
    await writeFile(config, configuration(place))
    return { command: 'haproxy', args: ['-db', '-f', config] }
  },
}

function configuration({ port, service }: Place): string {
  return `global
  maxconn 8192
defaults
  mode http
  option redispatch 1
  retries 3
  retry-on all-retryable-errors
  timeout connect 1s
  timeout client 60s
  timeout server 3s
  timeout queue 250ms
  timeout check 1s
  timeout http-keep-alive 600s
frontend gateway
  bind 127.0.0.1:${port} backlog 4096
  default_backend service
backend service
  balance leastconn
  option httpchk GET /health
  http-request disable-l7-retry unless METH_GET
  default-server check inter 1s fastinter 500ms downinter 500ms fall 2 rise 2 maxconn 64 maxqueue 64 observe layer7 error-limit 10 on-error mark-down
${servers(service)}
`
}

function servers(service: Addresses): string {
  if ('instances' in service)
    return service.instances.map((address, index) => `  server instance-${index} ${address}`).join('\n')
  return `  server-template instance 6 ${service.name}:${service.port} resolvers drill init-addr none
resolvers drill
  nameserver local ${service.server}
  hold valid 1s
  hold obsolete 1s
  timeout resolve 1s
  timeout retry 1s`
}
