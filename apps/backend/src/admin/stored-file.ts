import type { Response } from "express";
import { z } from "zod";

/** A file as an answer: of all others JSON is made. */
export class StoredFile {
  readonly id: string;
  /** As the provider gave it */
  readonly contentType: string;
  readonly content: Uint8Array;
  constructor(id: string, contentType: string, content: Uint8Array) {
    this.id = id;
    this.contentType = contentType;
    this.content = content;
  }
}

export const storedFile = z
  .instanceof(StoredFile)
  .meta({ override: { type: "string", format: "binary" } });

/**
 * What a browser may know a customer's file to be, with the ending of its name. Nothing in it can run:
 * a page or an SVG of a stranger's would, at our address.
 */
const SAFE: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif",
  "audio/aac": "aac",
  "audio/amr": "amr",
  "audio/mp4": "m4a",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "video/3gpp": "3gp",
  "video/mp4": "mp4",
  "application/pdf": "pdf",
};

/** Sends it to be saved, not shown. */
export function sendFile(response: Response, { id, content, contentType }: StoredFile): void {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const ending = Object.hasOwn(SAFE, type) ? SAFE[type] : undefined;
  response.set({
    "content-type": ending === undefined ? "application/octet-stream" : type,
    "content-disposition": `attachment; filename="${id}${ending === undefined ? "" : `.${ending}`}"`,
    "x-content-type-options": "nosniff",
  });
  response.send(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}
