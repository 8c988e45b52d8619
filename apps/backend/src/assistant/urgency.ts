import type { Assistant, AssistantContext } from "./assistant.ts";

/** Least urgent first. The order is the meaning: see `raiseUrgency`. */
export const urgencies = ["unknown", "flexible", "this_week", "today", "emergency"] as const;

/**
 * How soon somebody must come. emergency: danger, damage that goes on now, or shut out of the house;
 * today: the home cannot be lived in normally, or today was asked for; this_week: a named day or slow
 * damage; flexible: explicitly unhurried; unknown: nothing said.
 */
export type Urgency = (typeof urgencies)[number];

/** The more urgent of the two; "unknown" is lowest. */
export function raiseUrgency(a: Urgency, b: Urgency): Urgency {
  return urgencies.indexOf(a) >= urgencies.indexOf(b) ? a : b;
}

/**
 * Wraps an assistant so that what the customer wrote can raise its urgency and never lower it. An emergency
 * the assistant overlooked also gets a job, because without one the operator would not be told.
 */
export function withUrgencyNet(assistant: Assistant): Assistant {
  return {
    provider: assistant.provider,
    async reply(context, signal, observer) {
      const { reply, usage } = await assistant.reply(context, signal, observer);
      const net = urgencyOfTurn(context);
      const urgency = raiseUrgency(reply.urgency, net);
      const job = reply.job ?? (net === "emergency" ? overlookedJob(context) : null);
      return { reply: { ...reply, urgency, job }, usage };
    },
  };
}

/** The most urgent of the turn's texts. Each is read alone: a negation in one does not reach the next. */
export function urgencyOfTurn(context: AssistantContext): Urgency {
  return context.texts
    .map(({ text }) => detectUrgency(text))
    .reduce<Urgency>(raiseUrgency, "unknown");
}

/**
 * The keyword net over one text, English and French, any case, with or without accents.
 * How good it is: docs/urgency.md. When unsure about danger it says emergency; it never needs the network.
 */
export function detectUrgency(text: string): Urgency {
  const plain = text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/['\u2018\u2019`-]/g, " ");
  const found = plain
    .split(clauseEnd)
    .map(urgencyOfClause)
    .reduce<Urgency>(raiseUrgency, "unknown");
  if (found === "emergency") return found;
  if (heatingOff.test(plain) && vulnerable.test(plain)) return "emergency";
  // "small leak, not urgent, Thursday is fine": calm words outrank all but danger and a named day.
  if (unhurried.test(plain)) return wishes.this_week.test(plain) ? "this_week" : "flexible";
  return found;
}

/** The emergency names the job, also one that was about less until now. */
function overlookedJob({ texts, openJob }: AssistantContext) {
  const alarming = texts.find(({ text }) => detectUrgency(text) === "emergency");
  const summary = (alarming?.text ?? "").trim().slice(0, 120);
  if (openJob === null)
    return { summary, type: null, location: null, requestedTime: null, customerName: null };
  const { urgency, ...draft } = openJob;
  return urgency === "emergency" ? draft : { ...draft, summary };
}

function urgencyOfClause(raw: string): Urgency {
  const clause = raw.replace(harmless, " _ ").replace(stillGoing, "still");
  if (!notNow.test(clause)) {
    if (matchesUnnegated(dangers, clause)) return "emergency";
    if (matchesUnnegated(breakdowns, clause)) return "today";
  }
  if (wishes.today.test(clause)) return "today";
  if (wishes.this_week.test(clause) || matchesUnnegated(nuisances, clause)) return "this_week";
  return planned.test(clause) ? "flexible" : "unknown";
}

function matchesUnnegated(words: RegExp, clause: string): boolean {
  return [...clause.matchAll(new RegExp(words, "g"))].some(
    (match) =>
      !negatedBefore.test(clause.slice(0, match.index)) &&
      !overAfter.test(clause.slice(match.index + match[0].length)),
  );
}

/** Alternatives between word boundaries; a space also matches none or several ("cant", "can  t"). */
function anyOf(...phrases: string[]): RegExp {
  return new RegExp(`\\b(?:${phrases.join("|").replaceAll(" ", "\\s*")})\\b`);
}

// All words below are written without accents and with a space for an apostrophe, as `detectUrgency` folds.
// Negations do not cross these: in "no hot water and I smell gas" the gas is real.
const clauseEnd = /[.,;:!?\n]+|\s(?:and|but|et|mais|because|so|car|though|&)\s/;

const harmless = new RegExp(
  anyOf(
    "gas (?:bill|boiler|hob|fires?|meter|cooker|safety?|safe|engineer|service|supply|certificate|man)",
    "(?:facture|compteur|chaudiere|chauffage|plaque|cuisiniere)(?: a| de| au)? gaz",
    "fire ?places?",
    "(?:electric|log|pellet) fires?",
    "fire (?:doors?|pits?|alarm (?:panel|system|test)|extinguishers?|away|station|guard|proof|rated?)",
    "(?:smoke|fire|co|carbon monoxide|heat) (?:alarms?|detectors?)(?! (?:is |keeps |has |s )?(?:go|sound|been going|ring))",
    "detecteurs? de (?:fumee|monoxyde de carbone|monoxyde|co)(?! (?:qui )?sonn)",
    "flood ?lights?",
    "flooded with (?:\\w+ )?(?:calls|emails|replies|messages|work)",
    "burst of",
    "(?:emergency|urgent) (?:call ?outs?|rates?|charges?|fees?|prices?|lighting|lights?|number|plumbers? rates?)",
    "(?:prix|tarifs?|cout) .{0,25}urgence",
    "en cas d urgence",
  ),
  "g",
);

/** The clause is about another time or about "if": whatever it names is not going on. */
const notNow = anyOf(
  "last (?:week|month|year|winter|summer|time)",
  "(?:weeks?|months?|years?) ago",
  "(?:la semaine|le mois|l annee|l hiver) (?:derniere?|passee?)",
  "du mois dernier|l an dernier",
  "il y a \\w+ (?:jours|semaines|mois|ans)",
  "what (?:if|happens if|do i do if)|if (?:i|we) ever|in case of|who do i call if",
  "que faire (?:si|en cas)",
);

const dangers = anyOf(
  "(?:smell\\w*|odou?r|stink\\w*|whiff|leak\\w*) (?:of |like |some |strong )*gas",
  "gas (?:leak\\w*|smell\\w*|escap\\w*|odou?r)",
  "(?:sent|odeur|fuite|sentir|sens) (?:le |de |du |la )?gaz",
  "gas$|gaz$",
  "rotten eggs?|oeufs? pourris?",
  "carbon monoxide|monoxyde(?: de carbone)?",
  "(?:co|fire|smoke) (?:alarm|detector)",
  "detecteurs? de (?:fumee|monoxyde de carbone|monoxyde|co)",
  "(?:on|caught|catching|a|is|there s|the) fire|in flames|au feu|en feu|a pris feu|incendie|flammes?",
  "smoke|smoking|smo?ke coming|fumee|fume",
  "spark(?:s|ing|ed)?|etincelles?",
  "burn(?:ing|t|ed) (?:\\w+ )?smell|smell\\w* (?:of |like )?burn\\w*|odeur de brule|sent le brule",
  "melt(?:ed|ing)|scorch(?:ed|ing)|hot to (?:the )?touch|a fondu",
  "electric(?:al)? shocks?|electrocut\\w*|(?:got|had|gave) (?:me )?a shock|choc electrique",
  "burst|bursted|bursting|pipe s? ?(?:has )?(?:gone|split|exploded)|eclate|a explose",
  "flood(?:ed|ing|s)?|inond(?:e|ee|ees|ation|ations)|degat des eaux",
  "(?:water|leak\\w*|eau) .{0,30}(?:through|from|du|par le) (?:\\w+ ){0,2}(?:ceiling|light|lights|plafond)",
  "(?:pour(?:s|ing)?|gush(?:ing|es)?|spray(?:ing|s)?|spurting) (?:\\w+ )?(?:in|out|from|down|through|water|of)|gushing",
  "water (?:is )?(?:everywhere|all over|running down|rising|pouring|gushing)|eau partout|eau monte",
  "(?:can t|cannot|can not|won t|unable to) (?:turn|shut|switch) (?:it |the water |water )?off",
  "(?:can t|cannot|can not|unable to|impossible d?e?) ?(?:stop|find|arreter) (?:the |l )?(?:water|leak|stopcock|stop tap|eau|fuite)",
  "leak\\w* (?:\\w+ )?(?:won t|wont|will not|can t) stop|(?:it|and) won t stop|ne s arrete (?:pas|plus)",
  "overflow(?:ing|s|ed)?|debord(?:e|ent)",
  "(?:sewage|sewer|raw waste|egouts?) .{0,20}(?:up|back|out|in|remont\\w+)",
  "ceiling .{0,15}(?:bulging|sagging|collaps\\w+|coming down|come down)",
  "lock(?:ed)? (?:\\w+ ){0,1}out|locked (?:\\w+ )?in|locked (?:him|her|them)sel(?:f|ves)",
  "can t get (?:in|into|back in)|(?:lost|snapped|broke) (?:\\w+ ){0,2}keys? .{0,20}outside|enferme\\w* (?:dehors|dedans)|porte a claque",
  "burgl\\w+|broken into|break ?in|cambriol\\w+|effraction",
  "(?:door|lock) (?:won t|will not|doesn t) (?:lock|close|shut)|ne ferme plus",
  "emergency|urgence (?:absolue|vitale)|(?:est|c est) une urgence",
  "keys? (?:has |is |got )?(?:snapped|broken?) (?:off )?in|cle cassee dans",
);

// Read over the whole text: the child and the cold radiator are often in different sentences.
const heatingOff = anyOf(
  "(?:no|without|broken) (?:heat|heating|boiler)|(?:heating|boiler) .{0,12}(?:not working|broken|off|down|gone)",
  "(?:pas|plus|sans|panne) (?:de )?chauffage",
);
const vulnerable = anyOf(
  "baby|newborn|infant|elderly|disabled|freezing|bebe|nourrisson|agees?|malade",
);

const breakdowns = anyOf(
  "no (?:hot water|heating|heat|power|electric\\w*|water|lights?)",
  "(?:heating|boiler|power|electrics?|electricity) .{0,12}(?:not working|isn t working|doesn t work|packed (?:in|up)|broken|out|broke|is off|has been off|s been off|is down|gone|went off|stopped|died)",
  "(?:plus|pas|panne) (?:d |de )?(?:eau chaude|eau|chauffage|courant|electricite|chaudiere|lumiere)",
  "leak(?:s|ing|ed|y)?|fuites?|fuit",
  "(?:toilet|loo|wc|toilettes|drain|drains) .{0,12}(?:block\\w*|backing up|backed up|clogged|won t flush|bouche\\w*)",
  "block\\w* (?:toilet|loo|drain|sewer)",
  "(?:trips?|tripping|tripped|keeps? blowing)|disjoncte?|disjoncteur saute",
  "(?:house|flat|home|it) (?:is |s )?getting (?:very |really )?cold|wet patch .{0,20}(?:bigger|growing|spreading)",
);

const wishes = {
  today: anyOf(
    "urgent|urgently|urgence",
    "asap|a s a p|as soon as possible|straight ?away|right away|right now|immediately|at once",
    "today|tonight|this (?:morning|afternoon|evening)|now please|come now",
    "aujourd hui|ce soir|ce matin|cet apres midi|des que possible|au plus vite|tout de suite|immediatement",
  ),
  this_week: anyOf(
    "this week|tomorrow|(?:next )?(?:few|couple of) days|week ?end",
    "mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)|thu(?:rs|rsday)?|fri(?:day)?|saturday|sunday",
    "cette semaine|demain|semaine|week end|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche",
  ),
};

const nuisances = anyOf("drip(?:s|ping)?|goutte");

const unhurried = anyOf(
  "(?:not|isn t|no|no great|not very|not that|not too|pas|sans|pas d|pas une|pas tres) (?:urgent|urgency|urgence|an emergency|emergency|hurry|rush|panic)",
  "not in (?:a|any) (?:rush|hurry)|no (?:real )?(?:rush|hurry|panic)|rien de presse|pas presse|pas de panique",
  "when ?ever (?:suits|you|is|it|works)|when you (?:have|get) (?:time|a chance|a moment)|quand vous (?:voulez|pouvez)",
);

const planned = anyOf(
  "any ?time|some ?time (?:in|next)|in a few (?:weeks|months)",
  "next (?:month|year|spring|summer)|le mois prochain|l an prochain",
  "(?:a|for|get) (?:\\w+ )?(?:quote|estimate|price for|ballpark)|quote (?:for|please)|un devis|devis pour",
);

/** A negation reaches three words, not into a new thought: "I'm not joking there is a fire". */
const negatedBefore =
  /\b(?:no|not|isn t|aren t|wasn t|don t|doesn t|didn t|never|without|no longer|stopped|fixed|nor|pas|plus|aucune?|sans|ni)\s+(?:(?!(?:there|i|we|my|it|know|why|if|sure|want|joking|il|sais|car)\b)\w+\s+){0,3}$/;

const stillGoing = /\b(?:not|never|hasn ?t|isn ?t|n a pas)\s+(?:yet\s+)?(?:stopped|fixed)\b/g;

const overAfter =
  /^\s*(?:\w+\s+){0,2}(?:(?:is|has been|was|s|now|has|est|a ete) (?:now |all )?(?:fixed|sorted|stopped|repaired|gone|resolved|over|repare\w*|resolu\w*|termine\w*)|any ?more|is out)\b/;
