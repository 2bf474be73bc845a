// WHEP in front of Janus: one class at /whep/endpoint/class42.
import { JanusWhepServer } from 'janus-whep-server';

const server = new JanusWhepServer({
  janus: { address: 'ws://127.0.0.1:18188' },
  rest: { port: 17090, basePath: '/whep' },
  debug: 'info',
});
await server.start();
// Before 1.1.4 Janus' streaming plugin cannot take a viewer's offer, but the server believes it can
// and would answer 201 with an offer. This makes it say 406, as the draft has it.
server.multistream = false;
server.createEndpoint({ id: 'class42', mountpoint: 42, token: 'secret' });
server.createEndpoint({ id: 'room', plugin: 'videoroom', room: 1234, feed: 7777, token: 'secret' });
console.log('READY');
