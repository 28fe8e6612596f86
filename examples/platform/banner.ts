/** Something to try, and the line for a POSIX shell that does it. */
interface Step {
  readonly title: string
  readonly command: string
}

/** What to try with the gateway, in this order: later steps use what earlier ones left in the shell. */
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
      title: 'Twice over one connection: the second reply comes from the cache',
      command: `${curl} -siw '\\n' '${api}/products?category=kitchen' '${api}/products?category=kitchen' | grep -i cache-status`,
    },
    {
      title: 'X-Instance shows the balancing',
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
      title: 'An invalid order: 422, with what is wrong by JSON pointer',
      command: `${curl} -siw '\\n' ${api}/orders ${bearer} ${json} -d '{"items":[{"productId":"teapot","quantity":0}]}'`,
    },
    { title: 'The stock is less by two', command: `${curl} -sw '\\n' ${stock}` },
    ...(grpc
      ? [{ title: 'The same by gRPC', command: `${askStock} ${url} teapot${ca === undefined ? '' : ` --ca ${ca}`}` }]
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
    { title: 'Take an instance out: it gets no new requests', command: `curl -sw '\\n' -X PUT ${drain}` },
    { title: 'And back', command: `curl -sw '\\n' -X DELETE ${drain}` },
  ]
}

/** Where the gateway of the demo answers, and the key of its partner. */
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

/** What the demo says when everything runs. */
export function banner(demo: Demo): string {
  const { url, adminUrl } = demo
  const tries = steps(demo).flatMap(({ title, command }) => ['', `  ${title}`, command])
  return [
    '',
    `Sallyport answers on ${url}, with eight instances of five services behind it,`,
    `and operators on ${adminUrl}: ${adminUrl}/console/ shows and steers it, ${adminUrl}/docs has the admin API.`,
    ...(demo.ca === undefined ? [] : [`The authority of its certificate is in ${demo.ca} until it ends.`]),
    `The API is documented on ${url}/docs, where you can try it out.`,
    'Paste these lines into another terminal, from top to bottom; the access log shows up here. Ctrl-C ends it all.',
    ...tries,
    '',
    'Users: alice@example.com (wonderland), admin@example.com (administrator).',
    '',
  ].join('\n')
}
