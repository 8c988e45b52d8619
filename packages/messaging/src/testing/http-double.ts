import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "@jest/globals";

/** A provider on 127.0.0.1, closed after the test that opened it. */
export interface HttpDouble {
  url: string;
  requests: ReadRequest[];
  close(): Promise<void>;
}

/** A request as the double read it. */
interface ReadRequest {
  method: string | undefined;
  path: string;
  headers: IncomingMessage["headers"];
  authorization: string | undefined;
  body: string;
  form: URLSearchParams;
}

const doubles: HttpDouble[] = [];
afterEach(async () => {
  await Promise.all(doubles.splice(0).map((double) => double.close()));
});

/** Answers the request that is its `count`th, from 1. */
export type Answering = (response: ServerResponse, request: IncomingMessage, count: number) => void;

/** A provider that reads a whole request before `answer` decides. */
export async function openDouble(answer: Answering): Promise<HttpDouble> {
  const requests: HttpDouble["requests"] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    requests.push({
      method: request.method,
      path: request.url ?? "",
      headers: request.headers,
      authorization: request.headers.authorization,
      body,
      form: new URLSearchParams(body),
    });
    answer(response, request, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const double = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close,
  };
  doubles.push(double);
  return double;
}

/** Answers with a JSON document. */
export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
/** Answers with a text that is no JSON, as proxies do. */
export const text =
  (status: number, body: string) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "text/html" });
    response.end(body);
  };
