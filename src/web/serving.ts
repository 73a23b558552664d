// All that a client serves over HTTP, to be loaded as one: of two the bundle would share modules with the rest of the
// client in many small files.

export { serveGuests } from './guests/serve-guests.ts'
export { WebServer } from './server/web-server.ts'
