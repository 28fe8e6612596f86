import type { TestContext } from 'node:test'
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { cleanUp } from './cleanup.ts'

/** The methods of a service, by path: messages are bytes. */
export interface GrpcMethods {
  readonly unary?: Readonly<Record<string, handleUnaryCall<Buffer, Buffer>>>
  readonly list?: Readonly<Record<string, handleServerStreamingCall<Buffer, Buffer>>>
}

const asItIs = (message: Buffer): Buffer => message

/** A @grpc/grpc-js service, over HTTP/2 without TLS, until the end of the test. Resolves with its instance address. */
export async function startGrpcService(t: TestContext, { unary = {}, list = {} }: GrpcMethods): Promise<string> {
  const server = new Server()
  cleanUp(t, () => server.forceShutdown())
  const add = (path: string, handler: UntypedHandleCall, streams: boolean): void => {
    const definition = {
      path,
      requestStream: false,
      responseStream: streams,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    }
    server.addService({ method: definition }, { method: handler })
  }
  for (const [path, handler] of Object.entries(unary)) add(path, handler, false)
  for (const [path, handler] of Object.entries(list)) add(path, handler, true)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  return `http://127.0.0.1:${port}`
}
