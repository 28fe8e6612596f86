import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programVersion } from '../../../bench/peers/version.ts'
import type { Addresses, Peer, Place } from './peer.ts'

/**
 * Caddy as its documentation recommends for resilience: active checks every second (not with a DNS name, for which it has none), passive
 * checks, and retries for GET and for failed connections.
 */
export const caddy: Peer = {
  name: 'Caddy',
  version: () => programVersion('caddy', ['version']),
  async prepare(place) {
    const config = join(place.dir, 'Caddyfile')
    await writeFile(config, configuration(place))
    return {
      command: 'caddy',
      args: ['run', '--config', config, '--adapter', 'caddyfile'],
      env: { XDG_DATA_HOME: place.dir, XDG_CONFIG_HOME: place.dir },
    }
  },
}

function configuration({ port, service }: Place): string {
  return `{
  admin off
  auto_https off
  log {
    level ERROR
    output discard
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${upstreams(service)}
    lb_policy least_conn
    lb_retries 3
    lb_try_duration 4s
    lb_try_interval 100ms
    fail_duration 10s
    max_fails 3
    unhealthy_status 5xx
    unhealthy_request_count 64
    transport http {
      dial_timeout 1s
      response_header_timeout 3s
      keepalive 60s
      keepalive_idle_conns_per_host 64
      compression off
    }
  }
}
`
}

function upstreams(service: Addresses): string {
  if ('instances' in service)
    return `${service.instances.join(' ')} {
    health_uri /health
    health_interval 1s
    health_timeout 1s`
  return `{
    dynamic a {
      name ${service.name}
      port ${service.port}
      refresh 1s
      resolvers udp/${service.server}
    }`
}
