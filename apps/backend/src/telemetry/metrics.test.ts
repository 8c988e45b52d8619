import { describe, expect, it } from "@jest/globals";
import { createMetrics } from "./metrics.ts";

describe("the metrics", () => {
  it("carry the names and labels that dashboards rely on", async () => {
    const metrics = createMetrics();
    metrics.webhooks.inc({ channel: "sms", outcome: "committed" });
    metrics.webhookDuration.observe({ channel: "sms" }, 0.2);
    metrics.voiceSystemFailsafeIntake.inc({ isKnown: "false", callStatus: "ringing" });
    const text = await metrics.registry.metrics();
    expect(text).toContain('jobrun_webhooks_total{channel="sms",outcome="committed"} 1');
    expect(text).toContain('jobrun_webhook_duration_seconds_bucket{le="0.25",channel="sms"} 1');
    expect(text).toContain(
      'jobrun_voice_system_failsafe_intake_total{isKnown="false",callStatus="ringing"} 1',
    );
    expect(text).toContain("process_cpu_seconds_total");
  });

  it("of two gateways in one process are apart", async () => {
    const [first, second] = [createMetrics(), createMetrics()];
    first.duplicates.inc();
    expect(await second.registry.getSingleMetricAsString("jobrun_duplicates_total")).toContain(
      "jobrun_duplicates_total 0",
    );
  });

  it("have no label that could hold a number, a name or an id", () => {
    const labels = Object.values(createMetrics()).flatMap((metric) =>
      "labelNames" in metric ? (metric.labelNames as string[]) : [],
    );
    expect([...new Set(labels)].toSorted()).toEqual([
      "callStatus",
      "channel",
      "code",
      "isKnown",
      "net",
      "outcome",
      "provider",
      "scope",
      "severity",
      "state",
    ]);
  });
});
