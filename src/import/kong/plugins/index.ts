import type { PluginTranslator } from '../plugin.ts'
import { acl } from './acl.ts'
import { basicAuth } from './basic-auth.ts'
import { botDetection } from './bot-detection.ts'
import { correlationId } from './correlation-id.ts'
import { cors } from './cors.ts'
import { fileLog } from './file-log.ts'
import { grpcWeb } from './grpc-web.ts'
import { ipRestriction } from './ip-restriction.ts'
import { jwt } from './jwt.ts'
import { keyAuth } from './key-auth.ts'
import { openidConnect } from './openid-connect.ts'
import { opentelemetry } from './opentelemetry.ts'
import { prometheus } from './prometheus.ts'
import { proxyCache } from './proxy-cache.ts'
import { rateLimiting } from './rate-limiting.ts'
import { rateLimitingAdvanced } from './rate-limiting-advanced.ts'
import { redirect } from './redirect.ts'
import { requestSizeLimiting } from './request-size-limiting.ts'
import { requestTermination } from './request-termination.ts'
import { requestTransformer } from './request-transformer.ts'
import { responseTransformer } from './response-transformer.ts'
import { upstreamTimeout } from './upstream-timeout.ts'

/** Every plugin that has a translator, including those for which only a report depends on the options. This is the only list of them. */
export const translators: readonly PluginTranslator[] = [
  acl,
  basicAuth,
  botDetection,
  correlationId,
  cors,
  fileLog,
  grpcWeb,
  ipRestriction,
  jwt,
  keyAuth,
  openidConnect,
  opentelemetry,
  prometheus,
  proxyCache,
  rateLimiting,
  rateLimitingAdvanced,
  redirect,
  requestSizeLimiting,
  requestTermination,
  requestTransformer,
  responseTransformer,
  upstreamTimeout,
]
