'use strict'

// As the package's README shows it, with the client that it names. node-redis 3 is the last whose
// functions take a callback, which the package needs.

const apiLock = require('api-concurrency')
const redis = require('redis').createClient(process.argv[2])

require('./order').serve((req, res, next) => {
  const options = {
    payload: { path: req.path, body: req.body },
    ttl: 60000,
    silent: false,
    key_prefix: 'apiLock:'
  }
  apiLock(redis, options, res, next)
})
