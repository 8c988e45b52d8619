/**
 * Whether somebody asks in their own words not to be texted any more, in English or French, any case,
 * with or without accents. Twilio knows only whole-message keywords ("Stop please" does not count:
 * https://help.twilio.com/articles/31560110671259), so this is ours to notice.
 *
 * A request for another time, way or topic ("don't text me before 8") is none. When unsure it says
 * no: a person who is not understood can still text STOP.
 */
export function asksForNoMoreTexts(text: string): boolean {
  const clauses = clausesOf(text);
  return clauses.some((clause) => request.test(clause)) || isBareStop(clauses);
}

/** Words in between that change nothing, such as "please", end a clause too: what follows is a request. */
function clausesOf(text: string): string[] {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/['\u2018\u2019`-]/g, " ")
    .replace(/\s+(?=\s)/g, "")
    .replace(orCall, "")
    .split(
      /[^\p{L}\p{N} ]+|\b(?:please|pls|plz|kindly|svp|stp|s il (?:vous|te) plait|thank(?:s| you)|merci|veuillez)\b/u,
    )
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "");
}

/** "Please stop", and nothing else that it could be about. */
function isBareStop(clauses: string[]): boolean {
  return (
    clauses.some((clause) => bareStop.test(clause)) &&
    clauses.every((clause) => bareStop.test(clause) || besides.test(clause))
  );
}

// "Don't call or text me" is about texts too.
const orCall =
  /\b(?:call|ring|phone|e ?mail)(?:ing)? (?:and|or|&) (?=\w)|(?: and| or) (?:call|ring|phon|e ?mail)(?:e|ing)?\b(?= me| us)/g;

const bareStop =
  /^(?:(?:ok|okay|just|no|now|et|bon) )*(?:stop ?)+(?:(?:it|this|that|now|already|immediately|at once|all|tout)\b ?)*$|^arrete[zr]?(?: tout| ca| maintenant)?$/;
const besides =
  /^(?:hi|hello|hey|no|ok|wrong number|(?:i m |i am )?not interested|bonjour|non|mauvais numero|pas interessee?)$/;

const texts =
  "(?:text messages?|te?xts?|messages?|msgs?|sms|textos?|spams?|adverts?|ads|pubs?|publicites?|rappels?|reminders?)";
const which =
  "(?:(?:me|us|any|all|more|these|those|this|the|your|of|so many|such|further|automated|marketing|sending|getting|receiving|des?|d|les|ces|vos|tous|aux?) )*";
const texting =
  "(?:te?xting|messaging|msging|contacting|spamming|bothering|harassing|pestering|writing(?: to)?)";
const text = "(?:te?xt|message|msg|contact|sms|spam|bother|pester|harass|write(?: to)?)";
const ecrire =
  "(?:ecri(?:re|vez|s)|contacte[rz]?s?|harcele[rz]?|spamme[rz]?|derange[rz]?|sollicite[rz]?|importune[rz]?|embete[rz]?)";
const me = "(?:me|us|my (?:phone |mobile |cell )?number|this number)";
const mine =
  "(?:(?:my|this) (?:phone |mobile |cell |contact )?(?:number(?! plate)|no|details)\\b|mon numero|mes coordonnees)";
const list =
  "(?:your|this|the|that|votre|vos|la|cette) (?:(?:mailing|text|texting|marketing|contact|contacts|distribution|sms) )?(?:list|liste|system|database|records|contacts|fichiers?|base|repertoire|texts|messages)\\b";
const lasting =
  "again|any ?more|ever|at all|any longer|any further|from now on|on this number|or|and|from you|you|to (?:me|us|this|my)|a ce numero|a l avenir|du tout|desormais|et|de votre part";
/** What may follow without making it a wish for another time, way or topic. */
const forGood = `(?= (?:${lasting})\\b|$)`;
/** "Stop texting me now" is for good; "don't text me now" is not. */
const atOnce = `(?= (?:${lasting}|now|right now|immediately|already|at once|maintenant|tout de suite)\\b|$)`;

/** What may come before the request in its clause. */
const openers =
  "hi|hello|hey|ok|okay|look|just|now|no|then|again|seriously|sorry|i said|for the last time|(?:can|could|will|would) you|you (?:guys )?(?:must|need to|should|have to)|i (?:(?:have|ve|already|would|d|just|am|m) )*(?:want|need|like|asked|told|ask|asking) you(?: guys| all| people)? to|bonjour|salut|bon|non|d|de|pouvez vous|pourriez vous|vous devez|il faut|je vous (?:demande|prie)|je (?:veux|voudrais|souhaite) que vous";

const requests = [
  `(?:stop|quit|cease) (?:all )?${texting}(?: ${me})?${atOnce}`,
  `stop (?:with )?${which}${texts}${atOnce}`,
  `stop sending (?:me |us )?(?:these|those|this|stuff|anything)${atOnce}`,
  `(?:do not|don ?t|never) (?:ever )?${text} ${me}${forGood}`,
  `(?:i|we) (?:(?:really|just|do) )*(?:not|don ?t|no longer|never) (?:want|wish|need) (?:to (?:get|receive|have|see) )?${which}${texts}${forGood}`,
  `(?:i|we) (?:(?:really|just|do) )*(?:not|don ?t|no longer) (?:want|wish) (?:you )?(?:to )?(?:be (?:te?xted|messaged|contacted)|hear from you|(?:${text}|${texting}) ${me})${forGood}`,
  `no more ${texts}${forGood}`,
  `leave (?:me|us) (?:the \\w+ )?alone${atOnce}`,
  `(?:i (?:want|would like|d like) (?:you )?to )?(?:remove|delete|erase|lose|forget) ${mine}`,
  `(?:remove|take) (?:me|us|my name|my number) (?:off|from) ${list}`,
  `remove (?:me|us)$`,
  `(?:how (?:do|can) i |i (?:want|would like|d like) to )?(?:unsubscribe|opt (?:me |us )?out)\\b(?! of (?!${which}${texts}))`,
  `(?:how (?:do|can) i |i (?:want|would like|d like) to )?stop (?:getting|receiving) ${which}${texts}${forGood}`,
  `(?:arrete[rz]?|arretiez|cesse[rz]?|stop) (?:de |d )?(?:m|me|nous) (?:${ecrire}|envoyer ${which}${texts})\\b`,
  `(?:arrete[rz]?|cesse[rz]?) (?:avec )?${which}${texts}${atOnce}`,
  `(?:ne )?(?:m|me|nous) (?:${ecrire} (?:plus|pas|jamais)|envoye[rz] (?:plus|pas|jamais) (?:rien|${which}${texts}))${forGood}`,
  `ne (?:plus|pas|jamais) (?:m|me|nous) (?:${ecrire}|envoyer (?:rien|${which}${texts}))${forGood}`,
  `je (?:ne |n )?(?:veux|souhaite|desire) (?:plus|pas) (?:(?:recevoir|avoir) )?(?:(?:aucun )?${which}${texts}|etre (?:contactee?|derangee?|sollicitee?)|que vous (?:m|me) (?:ecriviez|contactiez))${forGood}`,
  `(?:plus|pas) (?:de |d aucun )${texts}${forGood}`,
  `(?:laissez?|fiche[zr]?|foute[zr]?|fous) (?:moi|nous) (?:tranquilles?|en paix|la paix)${atOnce}`,
  `(?:supprime[rz]?|efface[rz]?|retire[rz]?|enleve[rz]?|oublie[rz]?) ${mine}`,
  `(?:me )?(?:supprime[rz]?|retire[rz]?|enleve[rz]?) (?:moi )?de ${list}`,
  "(?:je (?:veux|voudrais|souhaite) )?(?:me )?(?:desinscri(?:re|vez)|desabonne[rz])\\b",
];

const request = new RegExp(
  `(?:^|\\b(?:and|but|so|et|mais|donc|alors) )(?:(?:${openers}) )*(?:${requests.join("|")})`,
);
