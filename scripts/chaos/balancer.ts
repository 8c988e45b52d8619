import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One address in front of the gateways that live: what a load balancer is to a provider. */
export interface Balancer {
  url: string;
  close(): void;
}

/**
 * Passes each connection to the next living gateway. With none alive, or when the one it chose dies, the
 * connection is reset, as a balancer's health check would not have noticed in time either.
 *
 * @param ports of the gateways that listen at this moment
 */
export async function startBalancer(ports: () => number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    const alive = ports();
    const port = alive[turn++ % alive.length];
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const gateway = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.resetAndDestroy());
      socket.on("close", () => open.delete(socket));
      socket.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
