import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultSwitch } from "../faults.ts";
import type { Refusal } from "../simulator.ts";
import { WhatsAppAccount } from "./account.ts";
import {
  DEFAULT_NUMBER,
  digitsOf,
  entryOf,
  envelopeOf,
  messagesEntry,
  metadataOf,
  newWamid,
  senderOf,
  textMessage,
  unixSeconds,
} from "./envelope.ts";
import { handleGraphApi } from "./graph-api.ts";
import { MediaShelf } from "./media.ts";
import { People, toSender } from "./people.ts";
import { postWebhook, verifyWebhook } from "./post-webhook.ts";
import { SendLog } from "./send-log.ts";
import type { WhatsAppSend } from "./send-log.ts";
import { serializeAsMeta, signatureHeaders } from "./signed-body.ts";
import { sendStatuses, statusFields } from "./statuses.ts";
import type { DeliveryOptions, WhatsApp, WhatsAppOptions } from "./whats-app.ts";

export interface MetaSide {
  whatsApp: WhatsApp;
  /** Answers a request of the Graph API; false when it is not one. */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean>;
  /** Forgets all traffic. The numbers and the webhook stay. */
  clear(): void;
}

interface Signals {
  /** Gives up all webhooks. */
  closing: AbortSignal;
  /** Gives up those nobody waits for. */
  pending: () => AbortSignal;
  /** Called for each message that was not taken. */
  onRefused: (refusal: Refusal) => void;
}

const NO_RETRY = { times: 0, scale: 1 };

/**
 * The double of Meta's WhatsApp: the Graph API, and the webhooks.
 *
 * @param url where the simulator listens
 */
export function createMetaSide(
  options: WhatsAppOptions,
  url: string,
  faults: FaultSwitch,
  signals: Signals,
): MetaSide {
  const { now = Date.now, signature = "x-hub-signature-256", retry = NO_RETRY } = options;
  const secret = (given?: string) => given ?? randomBytes(16).toString("hex");
  const {
    phoneNumberId = DEFAULT_NUMBER.phoneNumberId,
    displayPhoneNumber = DEFAULT_NUMBER.displayPhoneNumber,
  } = options;
  const secrets = {
    appSecret: secret(options.appSecret),
    webhookSecret: secret(options.webhookSecret),
  };
  const accessToken = secret(options.accessToken);
  const verifyToken = secret(options.verifyToken);
  const account = new WhatsAppAccount(accessToken);
  const first = account.add({ phoneNumberId, displayPhoneNumber }, options.apiKey);
  const people = new People(now);
  const log = new SendLog();
  const media = new MediaShelf(now);
  let webhook = options.webhookUrl;

  const post = (entries: unknown[], given: DeliveryOptions, signal: AbortSignal) => {
    const target = given.webhookUrl ?? webhook;
    if (target === undefined) {
      throw new RangeError("the WhatsApp webhook is not set: PUT /admin/whatsapp/webhook");
    }
    const body = serializeAsMeta(envelopeOf(entries));
    const headers = signatureHeaders(given.signature ?? signature, body, secrets);
    return postWebhook({ url: target, headers, body, retry: given.retry ?? retry, signal });
  };
  const numberOf = (id = phoneNumberId) =>
    account.get(id) ?? { phoneNumberId: id, displayPhoneNumber: first.displayPhoneNumber };
  const statusEntry = (statuses: unknown[], contacts: object[], number: string | undefined) =>
    entryOf("messages", {
      ...metadataOf(numberOf(number)),
      ...(contacts.length === 0 ? {} : { contacts }),
      statuses,
    });
  const sendMessages = (messages: unknown[], name: string, given: DeliveryOptions) => {
    for (const message of messages) people.hear(senderOf(message), given.to ?? phoneNumberId);
    return post([messagesEntry(numberOf(given.to), messages, name)], given, signals.closing);
  };

  const reportStatuses = async (send: WhatsAppSend): Promise<void> => {
    if (webhook === undefined) return;
    const { metaReceipts } = faults.current;
    const signal = signals.pending();
    await sendStatuses({
      send,
      people,
      plan: metaReceipts === true ? {} : metaReceipts,
      isWindowOpen:
        options.windowsStayOpen === true ||
        send.request["recipient_type"] === "group" ||
        people.isWindowOpen(send.to, send.from),
      signal,
      post: (status, contacts) => post([statusEntry([status], contacts, send.from)], {}, signal),
      now,
    });
  };
  const { onRefused } = signals;
  const sending = { faults, log, now, sendStatuses: reportStatuses, onRefused };
  const graphApi = { ...sending, account, media, url };

  const whatsApp: WhatsApp = {
    ...secrets,
    ...first,
    apiUrl: url,
    accessToken,
    verifyToken,
    addNumber: (names) => account.add(names),
    numbers: () => account.all(),
    setWebhook: async (target) => {
      if (signature === "x-hub-signature-256") {
        await verifyWebhook(target, verifyToken, signals.closing);
      }
      webhook = target;
    },
    text: async ({ from, userId, name, body, id = newWamid(), ...given }) => {
      if (from === undefined && userId === undefined) {
        throw new RangeError("a text needs from or userId");
      }
      const sender = {
        ...(from === undefined ? {} : { from: digitsOf(from) }),
        ...(userId === undefined ? {} : { userId }),
      };
      const message = textMessage(sender, { id, body, at: now() });
      return { id, ...(await sendMessages([message], name ?? "Customer", given)) };
    },
    send: async (messages, given = {}) => sendMessages(messages, "Customer", given),
    statuses: async (statuses, given = {}) => {
      const filled = statuses.map((status) => {
        const send = "id" in status ? log.find(String(status.id)) : undefined;
        const known = send === undefined ? {} : statusFields(send, people);
        return { ...known, timestamp: unixSeconds(now()), ...status };
      });
      return post([statusEntry(filled, [], given.to)], given, signals.closing);
    },
    notice: async (field, value, given = {}) =>
      post([entryOf(field, value)], given, signals.closing),
    deliver: async (entries, given = {}) => post(entries, given, signals.closing),
    addMedia: (content, contentType) => media.add(content, contentType),
    closeWindow: (person) => people.closeWindow(person),
    openWindow: (person, number = phoneNumberId) => people.hear(toSender(person), number),
    sent: (filter = {}) => log.sent(filter),
    waitForSent: (count, filter = {}, timeoutMs = 20_000) =>
      log.waitForSent(count, filter, timeoutMs),
    reads: () => log.reads(),
    waitForReads: (count, timeoutMs = 20_000) => log.waitForReads(count, timeoutMs),
    onSent: (listener) => log.onSent(listener),
  };
  return {
    whatsApp,
    handle: (request, response, target) => handleGraphApi(graphApi, request, response, target),
    clear: () => {
      people.clear();
      log.clear();
      media.clear();
    },
  };
}
