import { type sendUnaryData, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js'
import { z } from 'zod'
import { identifier } from '../support/fields.ts'
import { type RunningGrpc, serviceIn, startGrpc } from '../support/grpc.ts'
import type { InventoryDatabase, level } from './database.ts'

type Stock = z.infer<typeof level>

const stockRequest = z.object({ productId: identifier })

/** The service as its .proto file has it. */
export const inventoryDefinition = serviceIn(
  new URL('inventory.proto', import.meta.url),
  'platform.inventory.v1.Inventory',
)

/** Answers by gRPC, over HTTP/2, what the paths under /api/v1/inventory answer. */
export function startInventoryGrpc(
  { levels }: InventoryDatabase,
  options: { readonly host?: string | undefined; readonly port: number },
): Promise<RunningGrpc> {
  return startGrpc(
    inventoryDefinition,
    {
      GetStock({ request }: ServerUnaryCall<unknown, Stock>, reply: sendUnaryData<Stock>) {
        const { data } = stockRequest.safeParse(request)
        if (data === undefined) return reply({ code: status.INVALID_ARGUMENT, details: 'product_id is no identifier.' })
        const row = levels.first('productId = :productId', data)
        if (!row) return reply({ code: status.NOT_FOUND, details: `There is no product ${data.productId}.` })
        return reply(null, row)
      },
      ListStock(call: ServerWritableStream<unknown, Stock>) {
        for (const row of levels.all('true', {})) call.write(row)
        call.end()
      },
    },
    options,
  )
}
