import { connect, createServer, type Server, type Socket } from "node:net";
import type { World } from "./harness.ts";

/** A TCP door before the database: shut, it refuses connections and breaks the open ones, as a stopped server does. */
export class DatabaseDoor {
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  readonly #target: URL;

  private constructor(target: URL) {
    this.#target = target;
  }

  /** An open door before a world's database. */
  static async before(world: World): Promise<DatabaseDoor> {
    const door = new DatabaseDoor(new URL(world.database.url));
    await door.open();
    return door;
  }

  /** What a gateway takes for its database. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = "127.0.0.1";
    url.port = String(this.#port);
    return url.href;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => {
      const upstream = connect(Number(this.#target.port), this.#target.hostname);
      for (const end of [socket, upstream]) {
        this.#sockets.add(end);
        end.on("error", () => {});
        end.on("close", () => this.#sockets.delete(end));
      }
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#server = server;
    this.#port = (server.address() as { port: number }).port;
  }

  async shut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
