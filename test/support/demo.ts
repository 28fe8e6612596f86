import { readFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { freePorts, startPlatform } from '../../examples/platform/platform.ts'
import { readYaml } from '../../src/config/yaml.ts'
import type { GatewayInput } from '../../src/gateway.ts'
import { cleanUp } from './cleanup.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'

const JWT_SECRET = 'a secret of at least thirty-two characters'

const ENDPOINTS: GatewayInput['endpoints'] = {}

/** The example platform behind a gateway with sallyport.yaml, on free ports until the end of the test. */
export async function startDemo(t: TestContext, options?: TestGatewayOptions): Promise<TestGateway> {
  const platform = await startPlatform({ jwtSecret: JWT_SECRET, ports: freePorts })
  cleanUp(t, () => platform.close())
  const urls: Record<string, string> = {}
  for (const [name, instances] of Object.entries(platform.instances))
    urls[`${name.replace('-', '_').toUpperCase()}_URL`] = instances.map(({ url }) => url).join(',')
  const file = new URL('../../sallyport.yaml', import.meta.url)
  const environment = { JWT_SECRET, SALLYPORT_ADMIN_ADDRESS: '127.0.0.1:0', ...urls }
  const { value, problems } = readYaml(await readFile(file, 'utf8'), 'sallyport.yaml', environment)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  // Parsed with everything else when the gateway starts.
  const config = value as GatewayInput
  return startGateway(t, { endpoints: ENDPOINTS, ...config, listeners: [{ address: '127.0.0.1:0' }] }, options)
}
