import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Certificate } from '../certificate.ts'
import { pooledConnections, type Peer, type Place } from './peer.ts'
import { programVersion } from './version.ts'

/**
 * nginx with one worker: keep-alive to the service, bodies streamed both ways in large pieces and never written to disk; everything below
 * /cached is stored, with its files kept open.
 */
export const nginx: Peer = {
  name: 'nginx',
  jit: false,
  version: () => programVersion('nginx', ['-v']),
  async prepare(place) {
    const config = join(place.dir, 'nginx.conf')
    await writeFile(config, nginxConfig(place))
    return { command: 'nginx', args: ['-c', config, '-e', 'stderr'] }
  },
}

/** The part that proxy and backend share, open inside `http {`: one worker in the foreground, no access log. */
export function nginxHead(dir: string, connections: number): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${dir}/nginx-${name};`)
    .join('\n')
  return `${user}daemon off;
worker_processes 1;
worker_rlimit_nofile ${connections + 512};
pid ${dir}/nginx.pid;
error_log stderr error;
events { worker_connections ${connections}; }
http {
${temporary}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;`
}

/** Sessions are resumed by tickets, which is its default. */
function tlsLines({ cert, key }: Certificate): string {
  return `    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
`
}

function nginxConfig({ port, backendPort, dir, files, certificate, http2, http2Service }: Place): string {
  return `${nginxHead(dir, 4096)}
  client_max_body_size 64m;
  proxy_cache_path ${dir}/nginx-cache keys_zone=stored:1m;
  open_file_cache max=16;
  sendfile on;
  upstream service {
    server 127.0.0.1:${backendPort};
    keepalive ${pooledConnections};
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096${certificate === undefined ? '' : ' ssl'}${http2 ? ' http2' : ''};
${certificate === undefined ? '' : tlsLines(certificate)}${http2Service ? OVER_HTTP2 : OVER_HTTP1}    location /cached/ {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache stored;
    }
${files === undefined ? '' : filesLines(files)}  }
}
`
}

/** Files stay open, are checked every second as Sallyport does, and are sent by the kernel, with the head together with the beginning. */
function filesLines(folder: string): string {
  return `    location /files/ {
      alias ${folder}/;
      open_file_cache max=1000 inactive=60s;
      open_file_cache_valid 1s;
      sendfile on;
      tcp_nopush on;
    }
`
}

const OVER_HTTP1 = `    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_request_buffering off;
      client_body_buffer_size 128k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
    }
`

/** nginx supports HTTP/2 to services only with this module: one request at a time on each connection. */
const OVER_HTTP2 = `    location / {
      grpc_pass grpc://service;
      grpc_set_header Host $http_host;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      grpc_set_header X-Forwarded-Proto $scheme;
      grpc_set_header X-Forwarded-Host $http_host;
      grpc_buffer_size 64k;
    }
`
