import type { Response } from "express";
import twilio from "twilio";

/** 200 that says nothing to the customer. Never text/plain: Twilio would text it to them. */
export function emptyTwiml(response: Response): void {
  response.status(200).type("text/xml").send("<Response/>");
}

/** 200 whose text Twilio itself sends to the customer. */
export function twimlMessage(response: Response, text: string): void {
  const twiml = new twilio.twiml.MessagingResponse();
  twiml.message(text);
  response.status(200).type("text/xml").send(twiml.toString());
}
