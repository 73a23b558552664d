// The yardstick for queries: the least that Node must do for a line protocol in JSON. Splits and parses lines,
// returns the params of each as its result, and answers all lines of a chunk in one write.

import { createServer } from 'node:net'

const server = createServer((socket) => {
  let partial = ''
  socket.setNoDelay(true)
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    const lines = (partial + chunk).split('\n')
    partial = lines.pop() ?? ''
    let answer = ''
    for (const line of lines) {
      const { id, params } = JSON.parse(line)
      answer += `${JSON.stringify({ jsonrpc: '2.0', id, result: params })}\n`
    }
    socket.write(answer)
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on 127.0.0.1:${server.address().port}\n`))
