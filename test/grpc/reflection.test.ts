import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import { cleanUp } from '../support/cleanup.ts'
import { writeFolder } from '../support/folder.ts'
import { startGateway } from '../support/gateway.ts'

/** grpc/reflection/v1/reflection.proto, as far as clients such as grpcurl use it. */
const REFLECTION = `
syntax = "proto3";
package grpc.reflection.v1;
service ServerReflection {
  rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse);
}
message ServerReflectionRequest {
  string host = 1;
  oneof message_request { string file_by_filename = 3; string file_containing_symbol = 4; string list_services = 7; }
}
message FileDescriptorResponse { repeated bytes file_descriptor_proto = 1; }
message ServiceResponse { string name = 1; }
message ListServiceResponse { repeated ServiceResponse service = 1; }
message ServerReflectionResponse {
  string valid_host = 1;
  oneof message_response { FileDescriptorResponse file_descriptor_response = 4; ListServiceResponse list_services_response = 6; }
}
`
const GREETER = `
syntax = "proto3";
package shop.v1;
message Name { string name = 1; }
message Greeting { string text = 1; }
service Greeter { rpc Greet(Name) returns (Greeting); }
`

interface Asked {
  readonly listServices?: string
  readonly fileContainingSymbol?: string
}

interface Answered {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] } | null
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] } | null
}

test('reflection works through the gateway', async (t) => {
  const folder = await writeFolder(t, { 'reflection.proto': REFLECTION, 'greeter.proto': GREETER })
  const serviceOf = (file: string, name: string): ServiceDefinition => {
    const definition = loadSync(join(folder, file))[name]
    assert.ok(definition !== undefined && !('format' in definition))
    return definition
  }
  const reflection = serviceOf('reflection.proto', 'grpc.reflection.v1.ServerReflection')
  const greeter = serviceOf('greeter.proto', 'shop.v1.Greeter')
  const server = new Server()
  cleanUp(t, () => server.forceShutdown())
  server.addService(reflection, {
    ServerReflectionInfo(call: ServerDuplexStream<Asked, Answered>) {
      const files = greeter['Greet']!.requestType.fileDescriptorProtos
      call.on('data', ({ fileContainingSymbol }: Asked) =>
        call.write(
          fileContainingSymbol === undefined || fileContainingSymbol === ''
            ? { listServicesResponse: { service: [{ name: 'shop.v1.Greeter' }] } }
            : { fileDescriptorResponse: { fileDescriptorProto: files } },
        ),
      )
      call.on('end', () => call.end())
    },
  })
  server.addService(greeter, {})
  const at = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  )
  const { port } = await startGateway(t, {
    services: { shop: { instances: [`http://127.0.0.1:${at}`], http2: true, health: false } },
    routes: [
      { id: 'calls', match: { path: '/shop.v1.Greeter/*' }, service: 'shop' },
      { id: 'reflection', match: { path: '/grpc.reflection.v1.ServerReflection/*' }, service: 'shop', streaming: true },
    ],
  })
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  cleanUp(t, () => client.close())
  const { path, requestSerialize, responseDeserialize } = reflection['ServerReflectionInfo']!
  const call = client.makeBidiStreamRequest<Asked, Answered>(
    path,
    (asked) => requestSerialize(asked),
    // The object that it creates for a message has the message's own type.
    (bytes) => responseDeserialize(bytes),
  )
  const ask = async (asked: Asked): Promise<Answered> => {
    call.write(asked)
    const [answer] = (await once(call, 'data')) as [Answered]
    return answer
  }
  const { listServicesResponse } = await ask({ listServices: '*' })
  const [found] = listServicesResponse?.service ?? []
  assert.equal(found?.name, 'shop.v1.Greeter')
  const { fileDescriptorResponse } = await ask({ fileContainingSymbol: found.name })
  const file = (fileDescriptorResponse?.fileDescriptorProto ?? []).map((each) =>
    fromBinary(FileDescriptorProtoSchema, each),
  )
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file })).getService(found.name)
  assert.deepEqual(
    service?.methods.map(({ name, input, output }) => [name, input.typeName, output.typeName]),
    [['Greet', 'shop.v1.Name', 'shop.v1.Greeting']],
  )
  call.end()
  const [{ code }] = (await once(call, 'status')) as [{ readonly code: number }]
  assert.equal(code, 0)
})
