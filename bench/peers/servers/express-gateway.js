import { cpSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const [port, backendPort, , dir] = process.argv.slice(2)

const shipped = join(dirname(require.resolve('express-gateway')), 'config')
cpSync(join(shipped, 'models'), join(dir, 'models'), { recursive: true })
cpSync(join(shipped, 'system.config.yml'), join(dir, 'system.config.yml'))
writeFileSync(
  join(dir, 'gateway.config.yml'),
  `http: { port: ${port}, host: 127.0.0.1 }
apiEndpoints: { all: { host: '*' } }
serviceEndpoints: { backend: { url: 'http://127.0.0.1:${backendPort}' } }
policies: [proxy]
pipelines:
  all:
    apiEndpoints: [all]
    policies:
      - proxy: { action: { serviceEndpoint: backend, xfwd: true } }
`,
)

process.env.LOG_LEVEL = 'error'
require('express-gateway')().load(dir).run()
