import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createWorld, CUSTOMER, type RunningGateway, type World } from "./harness.ts";
import { createServer, connect, type Server, type Socket } from "node:net";

let world: World;
let gateway: RunningGateway;
let door: Door;

/** A TCP door before the database: shut, it refuses connections and breaks the open ones, as a stopped server does. */
class Door {
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  readonly #target: { host: string; port: number };

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  async open(): Promise<number> {
    this.#server = createServer((socket) => {
      const upstream = connect(this.#target.port, this.#target.host);
      for (const end of [socket, upstream]) {
        this.#sockets.add(end);
        end.on("error", () => {});
        end.on("close", () => this.#sockets.delete(end));
      }
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as { port: number }).port;
    return this.#port;
  }

  async shut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

beforeAll(async () => {
  world = await createWorld();
  const url = new URL(world.database.url);
  door = new Door({ host: url.hostname, port: Number(url.port) });
  url.port = String(await door.open());
  url.hostname = "127.0.0.1";
  gateway = await world.startGateway({ DATABASE_URL: url.href });
});
afterAll(async () => {
  await world.close();
  await door.shut();
});

async function status(path: string): Promise<number> {
  return (await fetch(gateway.url + path)).status;
}

it("without its database the gateway refuses texts so that they come again, and still answers the customer", async () => {
  expect(await status("/health")).toBe(200);
  await door.shut();

  expect(await gateway.text({ sid: "SMdown" })).toMatchObject({
    status: 500,
    body: "Message processing failed - will retry",
  });
  const fallback = await gateway.text({ sid: "SMdown", path: "/sms/fallback" });
  expect(fallback).toMatchObject({ status: 200, contentType: expect.stringContaining("text/xml") });
  expect(fallback.body).toContain(
    "<Message>We're experiencing a technical issue. Please call us directly",
  );
  expect(await status("/health")).toBe(503);
  expect(await status("/live")).toBe(200);
});

it("comes back by itself when the database does", async () => {
  await door.open();
  expect((await gateway.text({ sid: "SMback" })).status).toBe(200);
  await world.simulator.waitForSent(1, { to: CUSTOMER });
  expect(await status("/health")).toBe(200);
});
