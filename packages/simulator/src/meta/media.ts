import { createHash, randomBytes } from "node:crypto";

/** How long an address serves, ms. */
const URL_LIFE_MS = 5 * 60 * 1000;

/** What a webhook says of something attached. */
export interface WhatsAppMedia {
  id: string;
  mime_type: string;
  /** Base64. */
  sha256: string;
}

interface StoredMedia extends WhatsAppMedia {
  content: Buffer;
}

/** What people have attached to messages. */
export class MediaShelf {
  readonly #media = new Map<string, StoredMedia>();
  /** The secret of an address → what it leads to, and until when (ms since 1970). */
  readonly #addresses = new Map<string, { media: StoredMedia; until: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(content: Buffer, contentType: string): WhatsAppMedia {
    const id = String(BigInt(`0x${randomBytes(6).toString("hex")}`) + 10n ** 15n);
    const sha256 = createHash("sha256").update(content).digest("base64");
    this.#media.set(id, { id, mime_type: contentType, sha256, content });
    return { id, mime_type: contentType, sha256 };
  }

  /**
   * What `GET /{media_id}` answers, with an address that is new each time; null when there is no such media.
   *
   * @param base where addresses begin
   */
  describe(id: string, base: string) {
    const media = this.#media.get(id);
    if (!media) return null;
    const hash = randomBytes(16).toString("hex");
    this.#addresses.set(hash, { media, until: this.#now() + URL_LIFE_MS });
    return {
      messaging_product: "whatsapp",
      url: `${base}/whatsapp_business/attachments/?mid=${id}&hash=${hash}`,
      mime_type: media.mime_type,
      sha256: Buffer.from(media.sha256, "base64").toString("hex"),
      file_size: media.content.length,
      id,
    };
  }

  /** What an address leads to; null when it never led anywhere or its time is over. */
  open(address: URL): { content: Buffer; contentType: string } | null {
    const found = this.#addresses.get(address.searchParams.get("hash") ?? "");
    if (!found || found.until <= this.#now()) return null;
    return { content: found.media.content, contentType: found.media.mime_type };
  }

  clear(): void {
    this.#media.clear();
    this.#addresses.clear();
  }
}
