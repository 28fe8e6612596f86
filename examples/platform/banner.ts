/** Something to try, and the command for it in a POSIX shell. */
interface Step {
  readonly title: string
  readonly command: string
}

/** Things to try, in this order: later steps use shell variables from earlier ones. */
function steps({ url, adminUrl, apiKey, inventory, ca, grpc = false }: Demo): Step[] {
  const curl = ca === undefined ? 'curl' : `curl --cacert ${ca}`
  const api = `${url}/api/v1`
  const json = `-H 'Content-Type: application/json'`
  const bearer = `-H "Authorization: Bearer $TOKEN"`
  const person = `{"email":"carol@example.com","name":"Carol","password":"correct horse battery"}`
  const credentials = `{"email":"carol@example.com","password":"correct horse battery"}`
  const token = `node -p 'JSON.parse(require("fs").readFileSync(0)).token'`
  const drain = `-H 'X-Requested-With: curl' ${adminUrl}/services/inventory-service/instances/${inventory}/drain`
  const stock = `${api}/inventory/teapot`
  const askStock = 'npm exec -- node examples/platform/inventory-service/ask-stock.ts'
  const mail = `{"to":"alice@example.com","subject":"Tea at six","text":"Please bring a cup."}`
  return [
    { title: 'Health', command: `${curl} -sw '\\n' ${url}/health` },
    { title: 'Products', command: `${curl} -siw '\\n' '${api}/products?category=games'` },
    {
      title: 'Two requests over one connection: the second is a cache hit',
      command: `${curl} -siw '\\n' '${api}/products?category=kitchen' '${api}/products?category=kitchen' | grep -i cache-status`,
    },
    {
      title: 'Load balancing, as X-Instance shows',
      command: `${curl} -siw '\\n' ${stock} ${stock} ${stock} ${stock} | grep -i x-instance`,
    },
    { title: 'Register', command: `${curl} -sw '\\n' ${api}/auth/register ${json} -d '${person}'` },
    { title: 'Log in', command: `TOKEN=$(${curl} -sw '\\n' ${api}/auth/login ${json} -d '${credentials}' | ${token})` },
    { title: 'Who am I', command: `${curl} -sw '\\n' ${api}/auth/me ${bearer}` },
    {
      title: 'Place an order',
      command: `${curl} -siw '\\n' ${api}/orders ${bearer} ${json} -d '{"items":[{"productId":"teapot","quantity":2}]}'`,
    },
    {
      title: 'An invalid order: 422, with a JSON pointer to each error',
      command: `${curl} -siw '\\n' ${api}/orders ${bearer} ${json} -d '{"items":[{"productId":"teapot","quantity":0}]}'`,
    },
    { title: 'Two fewer in stock', command: `${curl} -sw '\\n' ${stock}` },
    ...(grpc
      ? [{ title: 'The same over gRPC', command: `${askStock} ${url} teapot${ca === undefined ? '' : ` --ca ${ca}`}` }]
      : []),
    { title: 'Send an email', command: `${curl} -sw '\\n' ${api}/email ${bearer} ${json} -d '${mail}'` },
    { title: 'The outbox', command: `${curl} -sw '\\n' ${api}/email ${bearer}` },
    { title: 'Without a token: 401', command: `${curl} -siw '\\n' ${api}/orders` },
    { title: 'Roles are for admins: 403', command: `${curl} -siw '\\n' ${api}/roles ${bearer}` },
    {
      title: 'A partner with an API key, and its limit',
      command: `${curl} -siw '\\n' ${api}/products/teapot -H 'X-API-Key: ${apiKey}' | grep -i -e HTTP -e ratelimit`,
    },
    { title: 'No route: a problem document', command: `${curl} -siw '\\n' ${url}/nothing/here` },
    {
      title: 'More than 100 requests an hour without a token: 429',
      command: `for i in $(seq 101); do ${curl} -so /dev/null -w '%{http_code}\\n' ${api}/products; done | sort | uniq -c`,
    },
    {
      title: 'As an operator: reset the limits of this machine',
      command: `curl -siw '\\n' -X DELETE -H 'X-Requested-With: curl' ${adminUrl}/limits/127.0.0.1`,
    },
    { title: 'The last requests', command: `curl -sw '\\n' '${adminUrl}/requests?limit=3'` },
    { title: 'Drain an instance: it gets no new requests', command: `curl -sw '\\n' -X PUT ${drain}` },
    { title: 'Undrain it', command: `curl -sw '\\n' -X DELETE ${drain}` },
  ]
}

/** Where the demo's gateway listens, and the API key of its partner. */
interface Demo {
  readonly url: string
  readonly adminUrl: string
  readonly apiKey: string
  /** Host and port of an instance of the inventory service, to drain. */
  readonly inventory: string
  /** File with the authority that signed the gateway's certificate; undefined without TLS. */
  readonly ca?: string
  /** Whether it has what grpc.yaml adds; false when it is missing. */
  readonly grpc?: boolean
}

/** What the demo prints once everything runs. */
export function banner(demo: Demo): string {
  const { url, adminUrl } = demo
  const tries = steps(demo).flatMap(({ title, command }) => ['', `  ${title}`, command])
  return [
    '',
    `Sallyport is running: ${url}, in front of eight instances of five services.`,
    '',
    `    API docs, with a form to try it  ${url}/docs`,
    `    Console for operators            ${adminUrl}/console/`,
    `    Docs of the admin API            ${adminUrl}/docs`,
    ...(demo.ca === undefined ? [] : [`    CA certificate                   ${demo.ca} (deleted when the demo stops)`]),
    '',
    'To try it, paste these commands into another terminal, one after the other. The access log appears here; Ctrl-C stops everything.',
    ...tries,
    '',
    'Users: alice@example.com (wonderland), admin@example.com (administrator).',
    '',
  ].join('\n')
}
