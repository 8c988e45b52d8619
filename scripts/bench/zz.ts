import { createWorld } from "./world.ts";
import { saturate, drip } from "./load.ts";
import { killAll } from "./processes.ts";
process.on("exit", killAll);
const w = await createWorld(() => {});
const g = await w.start("bench_gateway", new URL("./gateway.ts", import.meta.url));
const f = await w.start("bench_floor", new URL("./floor.ts", import.meta.url));
const cpu = async () => {
  const t = await (await fetch(g.url + "/metrics")).text();
  const v = (n: string) => +new RegExp(n + " ([\\d.e-]+)").exec(t)![1]!;
  return [v("process_cpu_user_seconds_total"), v("process_cpu_system_seconds_total")];
};
for (const conns of [64, 64, 64, 64, 64, 64, 64, 16, 8, 1]) {
  w.texts.prepare(3000);
  const a = await cpu(),
    n0 = await g.stored();
  const r = await saturate(g.url, w.texts, conns, 7);
  await g.quiet();
  const b = await cpu(),
    n = (await g.stored()) - n0;
  console.log(
    conns,
    (r.ok / r.seconds).toFixed(0) + "/s",
    "cpu user ms/text",
    (((b[0]! - a[0]!) * 1000) / n).toFixed(2),
    "sys",
    (((b[1]! - a[1]!) * 1000) / n).toFixed(2),
  );
}
for (const conns of [64, 8, 1]) {
  w.texts.prepare(9000);
  const r = await saturate(f.url, w.texts, conns, 4);
  console.log("floor", conns, (r.ok / r.seconds).toFixed(0));
}
const ts = await drip(g.url, w.texts, 20, 5);
ts.sort((a, b) => a - b);
console.log("20/s p50", ts[50], "p99", ts[98]);
await g.stop();
await f.stop();
await w.close();
process.exit(0);
