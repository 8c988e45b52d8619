/** What the benches use of autocannon, which ships no types (https://github.com/mcollina/autocannon#programmatic-usage). */
declare module "autocannon" {
  interface Request {
    method?: string;
    path?: string;
    body?: string;
    headers?: Record<string, string>;
    /** Called before each request. */
    setupRequest?: (request: Request) => Request;
    onResponse?: (status: number, body: string) => void;
  }

  interface Result {
    /** Seconds. */
    duration: number;
    "2xx": number;
    non2xx: number;
    errors: number;
    timeouts: number;
  }

  /** A promise of the result that also tells of connections that break. */
  interface Run extends Promise<Result> {
    on(event: "reqError", listener: (error: Error) => void): this;
  }

  export default function autocannon(options: {
    url: string;
    connections: number;
    /** Seconds, unless there is an `amount`. */
    duration?: number;
    /** Requests in all. */
    amount?: number;
    /** Seconds. */
    timeout: number;
    requests: Request[];
  }): Run;
}
