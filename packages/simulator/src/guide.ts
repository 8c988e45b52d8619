/** What `GET /` answers. `docs/simulator.md` says it at length. */
export const GUIDE = `JobRun simulator: doubles of Twilio, of Meta's WhatsApp and of an OpenAI-compatible endpoint.

GET  /admin/sent         texts accepted for people, in order
GET  /admin/model-calls  requests to the model, with what it was shown
GET  /admin/events       server-sent events, one per text or WhatsApp message accepted; those named "refused" tell
                         of one that was not: {"channel","from","to","code","message"}
GET  /admin/numbers      the account's numbers and their webhooks
POST /admin/numbers      add a number or change its webhooks: {"phoneNumber","smsUrl"?,"smsFallbackUrl"?,…}
PUT  /admin/faults       switch faults on and off; what is not named stays
POST /admin/text         text the gateway as a person: {"from","to","body","sid"?,"webhookUrl"?,"fallbackUrl"?};
                         without webhookUrl, by the configuration of the number "to"
POST /admin/call         call the gateway as a person: {"from","to","outcome","sid"?,"voiceUrl"?,"statusUrl"?,
                         "statusCallbacks"?:[status,…],"extra"?}; outcome: no-answer, busy, failed, canceled,
                         completed, answered-by-operator; without URLs, by the configuration of the number "to"
POST /admin/whatsapp/text      write to the gateway: {"from" or "userId","body","name"?,"id"?,…}
POST /admin/whatsapp/send      {"messages":[…],…}, in Meta's form or in none
POST /admin/whatsapp/statuses  {"statuses":[{"id","status",…}],…}
POST /admin/whatsapp/notice    {"field","value",…}, of another field than messages
                               … is "to"? (phone_number_id),"webhookUrl"?,"signature"?,"retry"?:{"times","scale"}
GET  /admin/whatsapp/numbers   the account's numbers
POST /admin/whatsapp/numbers   add one: {"phoneNumberId","displayPhoneNumber"}
GET  /admin/whatsapp/sent      messages accepted for people, in order
PUT  /admin/whatsapp/webhook   {"url"}: verified as Meta does, then where webhooks go
PUT  /admin/whatsapp/window    {"person","open"}: their 24 hours
POST /admin/reset        forget all traffic, end all faults; the numbers stay

Twilio (Basic auth, below /2010-04-01/Accounts/{AccountSid}):
  GET  .json                                      the account
  POST /Messages.json                             create
  GET  /Messages.json, /Messages/{Sid}.json       list by To, From, DateSent; fetch
  GET  /IncomingPhoneNumbers.json, /IncomingPhoneNumbers/{Sid}.json
  POST /IncomingPhoneNumbers/{Sid}.json           update
WhatsApp (Bearer token; 360dialog: D360-API-KEY, without version and number):
  POST /{version}/{phone_number_id}/messages      send, mark read
  GET  /{version}/{media_id}                      where to fetch what a message had attached
OpenAI:  POST /openai/v1/chat/completions

Faults and their values:
  twilio           {"kind":"none"}
                   {"kind":"error","status":503,"code"?,"retryAfterSeconds"?,"times"?}   refused, nothing sent
                   {"kind":"reset","times"?}                                             nothing sent
                   {"kind":"accept-then-reset"|"accept-then-hang"|"garbage-201","times"?}
                   {"kind":"error-after-accept","status":500,"code"?,"times"?}
                   {"kind":"mix","seed"?,"weights":{"ok":90,"error-503":2,"error-429":2,"reset":1,
                     "accept-then-reset":2,"accept-then-hang":1,"garbage-201":1,"error-after-accept":1}}
  twilioDelayMs    a create request waits that long, and is processed even if the client has gone
  refusals         {"+447700900999":21211}: creates to these numbers are refused with these codes
  listErrorStatus  503: every list is answered with it; null: none
  listPageLimit    2: no page is longer; null: Twilio's limit
  receipts         true, false, or {"minDelayMs"?,"maxDelayMs"?,"repeat"?,"shuffle"?,"loseShare"?,"beforeAnswer"?,
                     "final"?:"delivered"|"undelivered"|"failed","errorCode"?}
  webhooks         "delivered", or "lost": inbound texts are only in Twilio's log
  meta             as twilio, "garbage-200" instead of "garbage-201"
  metaDelayMs      a send waits that long
  metaRefusals     {"+33612345678":131056}: sends to these people are refused with these codes
  metaReceipts     as receipts, with "final":"delivered"|"read"|"failed"
  metaReads        "answered", "refused" or "hanging": marking as read
  model            {"kind":"none"}, {"kind":"error","status":500,"times"?},
                   {"kind":"hang"|"invalid-output"|"refusal","times"?}
  modelFailsOn     words that a request must not contain: ["broken"]
  modelDelayMs     time the model takes
`;
