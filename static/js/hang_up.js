/** Ends a WebSocket. One that still connects first does so: browsers complain of any other end. */
export function hangUp(socket) {
  if (socket.readyState !== WebSocket.CONNECTING) socket.close();
  else socket.addEventListener("open", () => socket.close());
}
