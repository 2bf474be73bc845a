// Janus is reached by WebSocket here, so nobody asks for a Unix socket.
exports.createSocket = () => {
  throw new Error('this stand-in has no Unix sockets');
};
