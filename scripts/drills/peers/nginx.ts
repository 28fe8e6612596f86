import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programVersion } from '../../../bench/peers/version.ts'
import type { Addresses, Peer, Place } from './peer.ts'

/**
 * nginx as its documentation and its users recommend for resilience: failed requests are retried elsewhere, except a POST that was sent; an
 * instance that fails often is avoided for ten seconds. The open-source edition has no active checks. A DNS name that changes requires a
 * variable, which rules out an upstream: `resolve` was added in nginx 1.27.3.
 */
export const nginx: Peer = {
  name: 'nginx',
  version: () => programVersion('nginx', ['-v']),
  async prepare(place) {
    const config = join(place.dir, 'nginx.conf')
    await writeFile(config, configuration(place))
    return { command: 'nginx', args: ['-c', config, '-e', 'stderr'] }
  },
}

function configuration({ port, dir, service }: Place): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${dir}/nginx-${name};`)
    .join('\n')
  return `${user}daemon off;
worker_processes auto;
worker_rlimit_nofile 16384;
pid ${dir}/nginx.pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
${temporary}
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000;
${upstream(service)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
${target(service)}
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_connect_timeout 1s;
      proxy_send_timeout 3s;
      proxy_read_timeout 3s;
      proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504;
      proxy_next_upstream_tries 3;
      proxy_next_upstream_timeout 5s;
    }
  }
}
`
}

function upstream(service: Addresses): string {
  if ('name' in service) return `  resolver ${service.server} valid=1s ipv6=off;`
  const servers = service.instances.map((address) => `    server ${address} max_fails=3 fail_timeout=10s max_conns=64;`)
  return `  upstream service {
    zone service 256k;
    least_conn;
${servers.join('\n')}
    keepalive 64;
    keepalive_timeout 60s;
  }`
}

function target(service: Addresses): string {
  if (!('name' in service)) return '      proxy_pass http://service;'
  return `      set $service ${service.name}:${service.port};
      proxy_pass http://$service;`
}
