import type { Request } from '../loads/load.ts'
import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

/** Headers that a browser sends, and some that services add. */
const headers = {
  Accept: 'application/json, text/plain, */*',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  Authorization: `Bearer ${'eyJhbGciOiJIUzI1NiJ9.'.padEnd(180, 'x')}`,
  'Cache-Control': 'no-cache',
  Cookie: 'session=2b7f1c0e9d; theme=dark; consent=all; region=eu-central',
  DNT: '1',
  Origin: 'https://shop.example.com',
  Pragma: 'no-cache',
  Referer: 'https://shop.example.com/catalogue/shoes?page=2&sort=price',
  'Sec-CH-UA': '"Chromium";v="140", "Not=A?Brand";v="24"',
  'Sec-CH-UA-Mobile': '?0',
  'Sec-CH-UA-Platform': '"Linux"',
  'Sec-Fetch-Dest': 'empty',
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Site': 'same-site',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'X-Client-Version': '4.18.2',
  'X-Request-ID': '0f8fad5b-d9cb-469f-a165-70867728950e',
  'X-Tenant': 'example-gmbh',
}

const request: Request = { method: 'GET', path: '/small', headers }

/** A request as sent by a browser: twenty headers in addition to Host. */
export const get20Headers: Scenario = {
  name: 'get-20-headers',
  title: `GET with ${Object.keys(headers).length} request headers, ${defaultConnections} connections`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  goals: [{ figure: 'cpu', ratio: 1.4 }],
}
