import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadCore, start, type Child } from './children.ts'
import { nginxHead } from './peers/nginx.ts'
import { pooledConnections } from './peers/peer.ts'

/** All proxies of a scenario run at the same time and keep their connections; enough for sixteen of them. */
const connections = 16 * pooledConnections

/** The body of `/small`: 165 bytes of JSON. */
const smallBody = JSON.stringify({
  id: 47110,
  name: 'A small resource as services send them',
  owner: 'customer-000815',
  tags: ['alpha', 'beta', 'gamma'],
  created: '2024-01-15T10:30:00Z',
  active: true,
})

/** The ports for HTTP/1.1, and for HTTP/2 with prior knowledge. */
export type BackendPorts = { http1: number; http2: number }

/**
 * Starts the service behind every proxy, an nginx on the load's core: /small, /64k, /1m and /10m return bodies of that size, the same paths
 * below /cached are cacheable for a day, and /read reads the whole request body before it answers.
 */
export async function startBackend(ports: BackendPorts, dir: string): Promise<Child> {
  await writeFile(join(dir, '64k'), Buffer.alloc(65_536, 'x'))
  await writeFile(join(dir, '1m'), Buffer.alloc(1_000_000, 'x'))
  await writeFile(join(dir, '10m'), Buffer.alloc(10_000_000, 'x'))
  const config = join(dir, 'backend.conf')
  await writeFile(config, backendConfig(ports, dir))
  return start({ command: 'nginx', args: ['-c', config, '-e', 'stderr'] }, loadCore)
}

/** nginx answers `return` before it has read the body, so /read uses a proxy_pass that buffers the body. */
function backendConfig({ http1, http2 }: BackendPorts, dir: string): string {
  return `${nginxHead(dir, connections)}
  default_type application/json;
  sendfile on;
  open_file_cache max=16;
  client_max_body_size 64m;
  client_body_buffer_size 16m;
  upstream answer { server unix:${dir}/answer.sock; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${http1} backlog=4096;
    listen 127.0.0.1:${http2} backlog=4096 http2;
    root ${dir};
    location = /small { return 200 '${smallBody}'; }
    location = /64k { }
    location = /1m { }
    location = /10m { }
    location = /cached/small { add_header Cache-Control max-age=86400; return 200 '${smallBody}'; }
    location = /cached/64k { add_header Cache-Control max-age=86400; alias ${dir}/64k; }
    location = /read {
      proxy_pass http://answer/;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
    }
  }
  server {
    listen unix:${dir}/answer.sock;
    location / { return 200 '{"ok":true}'; }
  }
}
`
}
