'use strict'

require('./order').serve()
