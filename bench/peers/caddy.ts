import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pooledConnections, type Peer, type Place } from './peer.ts'
import { programVersion } from './version.ts'

/** Caddy on one processor; it sets the X-Forwarded headers by itself and has no access log unless configured. */
export const caddy: Peer = {
  name: 'Caddy',
  jit: false,
  version: () => programVersion('caddy', ['version']),
  async prepare(place) {
    const config = join(place.dir, 'Caddyfile')
    await writeFile(config, caddyfile(place))
    return {
      command: 'caddy',
      args: ['run', '--config', config, '--adapter', 'caddyfile'],
      env: { GOMAXPROCS: '1', XDG_DATA_HOME: place.dir, XDG_CONFIG_HOME: place.dir },
    }
  },
}

/** Without `compression off`, Caddy would request gzip from the service on behalf of the client. */
function caddyfile({ port, backendPort, certificate, http2, http2Service }: Place): string {
  return `{
  admin off
  auto_https off
  log {
    level ERROR
  }
${http2 ? '  servers {\n    protocols h1 h2 h2c\n  }\n' : ''}}
${certificate === undefined ? 'http://' : 'https://127.0.0.1'}:${port} {
  bind 127.0.0.1
${certificate === undefined ? '' : `  tls ${certificate.cert} ${certificate.key}\n`}  reverse_proxy ${http2Service ? 'h2c://' : ''}127.0.0.1:${backendPort} {
    transport http {
      keepalive 600s
      keepalive_idle_conns ${pooledConnections}
      keepalive_idle_conns_per_host ${pooledConnections}
      compression off
    }
  }
}
`
}
