import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJson } from "../http.ts";
import type { WhatsAppAccount } from "./account.ts";
import type { MediaShelf } from "./media.ts";
import { noSuchObject, sendMetaError } from "./meta-error.ts";
import { handleMessage } from "./send-message.ts";
import type { SendMessageDeps } from "./send-message.ts";

export interface GraphApiDeps extends SendMessageDeps {
  account: WhatsAppAccount;
  media: MediaShelf;
  /** The simulator's own address: where media are fetched. */
  url: string;
}

/** Of media at 360dialog, whose clients must put 360dialog's address in its place (see docs/simulator.md). */
const META_MEDIA_HOST = "https://lookaside.fbsbx.com";
const MESSAGES = /^(?:\/v\d+\.\d+\/(?<number>\w+))?\/messages$/;
const MEDIA = /^(?<version>\/v\d+\.\d+)?\/(?<id>\d+)$/;
const CONTENT = "/whatsapp_business/attachments/";

/**
 * Of Meta's Graph API, messages and media; without version and number, the same at 360dialog
 * (https://developers.facebook.com/documentation/business-messaging/whatsapp/reference,
 * https://docs.360dialog.com/docs/waba-messaging/messaging).
 * @returns whether the path was one of them, and so has been answered
 */
export async function handleGraphApi(
  deps: GraphApiDeps,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const messages = MESSAGES.exec(url.pathname);
  const media = MEDIA.exec(url.pathname)?.groups;
  if (request.method === "POST" && messages) {
    const id = messages.groups?.["number"];
    const key = deps.account.numberOfKey(request);
    const isAllowed = id === undefined ? key !== undefined : deps.account.isAuthorized(request);
    const number = id === undefined ? key : deps.account.get(id);
    if (!isAllowed) refuseToken(response, id === undefined);
    else if (!number) sendMetaError(response, 400, noSuchObject("post", id ?? ""));
    else await handleMessage(deps, number, request, response);
    return true;
  }
  if (request.method === "GET" && media) {
    const isCloud = media["version"] !== undefined;
    const id = media["id"] ?? "";
    if (!mayFetch(deps, request, isCloud)) return refuseToken(response, !isCloud);
    const described = deps.media.describe(id, isCloud ? deps.url : META_MEDIA_HOST);
    if (described) sendJson(response, 200, described);
    else sendMetaError(response, 400, noSuchObject("get", id));
    return true;
  }
  if (request.method === "GET" && url.pathname === CONTENT) {
    if (!mayFetch(deps, request, true) && !mayFetch(deps, request, false)) {
      return refuseToken(response, false);
    }
    const found = deps.media.open(url);
    if (found) response.writeHead(200, { "content-type": found.contentType }).end(found.content);
    else response.writeHead(404).end();
    return true;
  }
  return false;
}

function mayFetch({ account }: GraphApiDeps, request: IncomingMessage, isCloud: boolean): boolean {
  return isCloud ? account.isAuthorized(request) : account.numberOfKey(request) !== undefined;
}

/** 360dialog answers for itself when its own key is wrong. */
function refuseToken(response: ServerResponse, isDialog360: boolean): true {
  if (isDialog360) {
    const meta = { success: false, http_code: 401, developer_message: "Invalid API key" };
    sendJson(response, 401, { meta });
  } else {
    const details = "Invalid OAuth access token - Cannot parse access token";
    sendMetaError(response, 401, { code: 190, details });
  }
  return true;
}
