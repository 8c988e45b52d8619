import pg from "pg"; import { createWorld } from "./world.ts"; import { saturate } from "./load.ts"; import {killAll} from "./processes.ts";
process.on("exit", killAll);
const w = await createWorld(console.log);
const g = await w.start("bench_gateway", new URL("./gateway.ts", import.meta.url));
const o = new pg.Pool({connectionString: (w as any).pgurl, max:2});
w.texts.prepare(8000);
const n = new Map<string,number>(); let samples=0;
const t = setInterval(async()=>{ try{ const {rows}=await o.query(`select state, wait_event, left(regexp_replace(query,'\\s+',' ','g'),90) q from pg_stat_activity where datname='bench_gateway' and state<>'idle'`); samples++; for(const r of rows){const k=`${r.state} ${r.wait_event} ${r.q}`; n.set(k,(n.get(k)??0)+1)} }catch(e){console.log(e)} }, 40);
for (let i=0;i<3;i++){ const r=await saturate(g.url,w.texts,64,5); console.log(r.ok/r.seconds, r.other); }
clearInterval(t);
for (const [k,v] of [...n].sort((a,b)=>b[1]-a[1]).slice(0,25)) console.log((v/samples).toFixed(2),k);
const {rows}=await new pg.Pool({connectionString:(w as any).pgurl.replace(/\/postgres$/,"/bench_gateway"),max:1}).query(`select relname,seq_scan,seq_tup_read,idx_scan,n_live_tup,n_dead_tup,last_autoanalyze from pg_stat_user_tables order by seq_tup_read desc limit 8`); console.table(rows);
await g.stop(); await w.close(); process.exit();
