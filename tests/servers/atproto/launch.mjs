// Starts the network on loopback and prints its addresses as one line of JSON; ends with its process.
// usage, in the installed network's folder: node --input-type=module - < launch.mjs
// Environment: DB_POSTGRES_URL, DB_POSTGRES_SCHEMA, REDIS_HOST, PLC_PORT, PDS_PORT, APPVIEW_PORT, RATE_LIMITS (1 or 0).
import net from 'node:net'

// The packages bind every interface of the machine, and take no host.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  if (first && typeof first === 'object') {
    return listen.call(this, 'port' in first ? { ...first, host: '127.0.0.1' } : first, ...rest)
  }
  const port = ['number', 'string'].includes(typeof first) ? Number(first) : 0
  if (Number.isNaN(port)) return listen.call(this, first, ...rest) // a pipe's path
  return listen.call(this, { port, host: '127.0.0.1' }, ...[first, ...rest].filter((given) => typeof given === 'function'))
}

const { TestNetwork } = await import('@atproto/dev-env')
const { APPVIEW_PORT, DB_POSTGRES_SCHEMA, PDS_PORT, PLC_PORT, RATE_LIMITS } = process.env
const network = await TestNetwork.create({
  dbPostgresSchema: DB_POSTGRES_SCHEMA,
  plc: { port: Number(PLC_PORT) },
  pds: { port: Number(PDS_PORT), hostname: 'localhost', rateLimitsEnabled: RATE_LIMITS === '1' },
  bsky: { port: Number(APPVIEW_PORT), publicUrl: `http://localhost:${APPVIEW_PORT}` },
})
console.log(JSON.stringify({ pds: network.pds.url, appview: network.bsky.url }))
