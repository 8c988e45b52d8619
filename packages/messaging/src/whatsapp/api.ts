/** Where a provider is asked, and as whom. */
export interface WhatsAppApi {
  /** Without a slash at its end. */
  baseUrl: string;
  /** What proves who we are. */
  headers: Record<string, string>;
  /** @param from Meta's id of our number */
  messagesUrl(from: string): string;
  /** Where the address of a file is asked for. */
  mediaUrl(id: string): string;
  /** Where a file is really to be fetched, of the address that was given for it. */
  downloadUrl(given: URL): URL;
}
