'use strict'

// Idempotency keys as they are usually written by hand: SET NX claims the key, the answer is stored
// when it has been sent. No fingerprint, no token, no wait.

const Redis = require('ioredis')
const redis = new Redis(process.argv[2])

const DAY = 24 * 3600 * 1000
const RUNNING = 'running'

async function idempotency (req, res, next) {
  const key = `idempotency:${req.get('idempotency-key')}`
  if (await redis.set(key, RUNNING, 'PX', DAY, 'NX') === null) {
    const stored = await redis.get(key)
    if (stored === RUNNING) {
      return res.status(409).json({ error: 'in progress' })
    }
    const { status, type, body } = JSON.parse(stored)
    return res.status(status).set('Idempotent-Replayed', 'true').type(type).send(body)
  }
  const send = res.send
  res.send = function (body) {
    res.locals.body = body
    return send.call(this, body)
  }
  res.on('finish', () => {
    const answer = { status: res.statusCode, type: res.get('content-type'), body: res.locals.body }
    redis.set(key, JSON.stringify(answer), 'PX', DAY).catch(console.error)
  })
  next()
}

require('./order').serve(idempotency)
