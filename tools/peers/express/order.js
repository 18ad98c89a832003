'use strict'

// The handler of all rows, as in tools/load/src/serve/order.rs, and where it is served.

const express = require('express')

let runs = 0

function order (req, res) {
  const run = String(++runs).padStart(8, '0')
  res.status(201).json({ run, received: Number(req.get('content-length')) })
}

exports.serve = function (...middlewares) {
  const app = express()
  app.post('/orders', express.json(), ...middlewares, order)
  const server = app.listen(0, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}`)
  })
}
