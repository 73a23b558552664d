// node plain-tcp.mjs serve <host> <port>
// node plain-tcp.mjs fetch <host> <port> <connections> <bytes> <seconds>
//
// The yardstick of the lab: connections of TCP and nothing else. `serve` sends without end to whoever connects; `fetch`
// prints how many bytes came, and in how many seconds, when there were enough of them or the time is over.

import { connect, createServer } from 'node:net'

const [what, host, port, ...amounts] = process.argv.slice(2)

if (what === 'serve') {
  const block = Buffer.alloc(1024 * 1024)
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    const send = () => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', send)
    send()
  })
  server.listen(Number(port), host, () => console.log('serving'))
} else {
  const [connections = 1, bytes = 0, seconds = 0] = amounts.map(Number)
  const buffer = Buffer.allocUnsafe(256 * 1024)
  const begunMs = performance.now()
  let came = 0
  const end = () => {
    console.log(JSON.stringify({ bytes: came, seconds: (performance.now() - begunMs) / 1000 }))
    process.exit()
  }
  const callback = (count) => {
    came += count
    if (came >= bytes) end()
    return true
  }
  for (let made = 0; made < connections; made++)
    connect({ host, port: Number(port), onread: { buffer, callback } }).on('error', end)
  setTimeout(end, seconds * 1000)
}
