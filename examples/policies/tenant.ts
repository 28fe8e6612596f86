/** A custom policy: tells services the tenant that a host name belongs to, and refuses hosts of nobody. */
// 'sallyport' in a project of your own
import { defineError, definePolicy, editReplies, GatewayError, z } from '../../src/gateway.ts'

const unknownTenant = defineError({ code: 'tenant-unknown', status: 404, title: 'There is no such tenant' })

const options = z.strictObject({
  header: z.string().default('X-Tenant').describe('Field that carries the tenant. Default X-Tenant.'),
  tenants: z.array(z.string()).min(1).describe('Names of the tenants.'),
})

export default definePolicy({
  name: 'tenant',
  summary: 'Finds the tenant by the first label of the host name and tells the service.',
  options,
  document: () => ({
    refusals: [{ code: unknownTenant, description: 'There is no tenant at that host.' }],
  }),
  fields: ({ header }) => [header],
  create({ header, tenants }) {
    // Runs once per route, when the configuration is loaded.
    const known = new Set(tenants)
    return (next) => {
      const handle = editReplies(next, (reply) => reply.headers.append('Vary', 'Host'))
      // For each request.
      return (exchange) => {
        const [tenant = ''] = exchange.host.split('.', 1)
        if (!known.has(tenant)) throw new GatewayError(unknownTenant, `There is no tenant at ${exchange.host}.`)
        exchange.headers.set(header, tenant)
        return handle(exchange)
      }
    }
  },
})
