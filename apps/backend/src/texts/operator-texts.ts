import type { Texts } from "./fill.ts";

/**
 * Every text that an operator or a second contact gets, and what a customer is told because of their
 * answer. `{number}` is a job's short number, `{phone}` a customer's.
 */
export const operatorTexts = {
  urgentJob: {
    en: 'URGENT job {number} from {phone}: "{words}"{details} Reply YES {number} to take it, NO {number} to pass.',
    fr: 'URGENT, demande {number} de {phone} : "{words}"{details} Répondez OUI {number} pour la prendre, NON {number} pour passer.',
  },
  urgentJobAgain: {
    en: 'STILL WAITING: URGENT job {number} from {phone}: "{words}"{details} Reply YES {number} to take it, NO {number} to pass.',
    fr: 'SANS RÉPONSE : URGENT, demande {number} de {phone} : "{words}"{details} Répondez OUI {number} pour la prendre, NON {number} pour passer.',
  },
  where: { en: " Where: {place}.", fr: " Où : {place}." },
  when: { en: " When: {time}.", fr: " Quand : {time}." },
  notAnswered: {
    en: 'Not answered yet: {phone} wrote "{words}". Please reply to them directly.',
    fr: 'Sans réponse : {phone} a écrit "{words}". Merci de lui répondre directement.',
  },
  forwarded: { en: '{phone} wrote: "{words}"{hint}', fr: '{phone} a écrit : "{words}"{hint}' },
  /** Instead of a customer's number */
  noNumber: { en: "a customer without a number", fr: "un client sans numéro" },
  forwardedHint: {
    en: " REPLY {number} and your words answers them, RESUME {number} leaves it to the assistant.",
    fr: " REPONDRE {number} et votre texte lui répond, REPRENDRE {number} laisse faire l'assistant.",
  },
  help: {
    en: "You can text: YES 12 (take job 12), NO 12 (pass), DONE 12 (close it), JOBS (what is open), REPLY 12 and your words (to the customer), RESUME 12 (the assistant answers them again), PAUSE and RESUME (all answers off and on), HELP.",
    fr: "Vous pouvez envoyer : OUI 12 (prendre la demande 12), NON 12 (passer), FAIT 12 (terminer), LISTE (demandes en cours), REPONDRE 12 et votre texte (au client), REPRENDRE 12 (l'assistant lui répond à nouveau), PAUSE et REPRENDRE (toutes les réponses), AIDE.",
  },
  accepted: {
    en: "Job {number} is yours. We told {phone} that you are coming back to them. DONE {number} closes it.",
    fr: "La demande {number} est à vous. Nous avons dit au {phone} que vous revenez vers lui. FAIT {number} pour la terminer.",
  },
  acceptedUntold: {
    en: "Job {number} is yours. {phone} wants no texts, so please call them.",
    fr: "La demande {number} est à vous. Le {phone} ne veut pas de SMS : merci de l'appeler.",
  },
  declined: {
    en: "Job {number} is passed. We told {phone} that you cannot take it.",
    fr: "La demande {number} est refusée. Nous avons dit au {phone} que vous ne pouvez pas la prendre.",
  },
  declinedUntold: {
    en: "Job {number} is passed. {phone} wants no texts and does not know yet: please call them.",
    fr: "La demande {number} est refusée. Le {phone} ne veut pas de SMS et ne le sait pas : merci de l'appeler.",
  },
  alreadyAccepted: {
    en: "Job {number} is taken already. REPLY {number} and your words writes to the customer, DONE {number} closes it.",
    fr: "La demande {number} est déjà prise. REPONDRE {number} et votre texte pour écrire au client, FAIT {number} pour la terminer.",
  },
  alreadyDeclined: {
    en: "Job {number} was passed already and the customer knows. REPLY {number} and your words writes to them.",
    fr: "La demande {number} est déjà refusée et le client le sait. REPONDRE {number} et votre texte pour lui écrire.",
  },
  alreadyDone: {
    en: "Job {number} is closed already.",
    fr: "La demande {number} est déjà terminée.",
  },
  closed: { en: "Job {number} is closed.", fr: "La demande {number} est terminée." },
  noSuchJob: {
    en: "There is no job {number}. JOBS shows what is open.",
    fr: "Il n'y a pas de demande {number}. LISTE montre celles en cours.",
  },
  noUrgentJob: {
    en: "No urgent job is waiting. Add a number, as in YES 12; JOBS shows what is open.",
    fr: "Aucune demande urgente n'attend. Ajoutez un numéro, par exemple OUI 12 ; LISTE montre celles en cours.",
  },
  whichUrgentJob: {
    en: "Which one? Urgent jobs are waiting: {numbers}. Please add the number, as in YES {number}.",
    fr: "Laquelle ? Des demandes urgentes attendent : {numbers}. Merci d'ajouter le numéro, par exemple OUI {number}.",
  },
  replySent: {
    en: "Sent to {phone}. The assistant leaves this customer to you for 12 hours; RESUME {number} brings it back.",
    fr: "Envoyé au {phone}. L'assistant vous laisse ce client pendant 12 heures ; REPRENDRE {number} pour le rappeler.",
  },
  replyCut: {
    en: 'Sent to {phone}, but it was too long and ends after "{end}". Send the rest with REPLY {number}. The assistant leaves this customer to you for 12 hours.',
    fr: 'Envoyé au {phone}, mais trop long : le texte finit après "{end}". Envoyez la suite avec REPONDRE {number}. L\'assistant vous laisse ce client pendant 12 heures.',
  },
  replyEmpty: {
    en: "What should we tell them? Write it after the number: REPLY {number} and your words.",
    fr: "Que faut-il lui dire ? Écrivez-le après le numéro : REPONDRE {number} et votre texte.",
  },
  replyOptedOut: {
    en: "Not sent: {phone} wants no more texts from you. Please call them.",
    fr: "Non envoyé : le {phone} ne veut plus de SMS de votre part. Merci de l'appeler.",
  },
  assistantResumed: {
    en: "The assistant answers the customer of job {number} again.",
    fr: "L'assistant répond à nouveau au client de la demande {number}.",
  },
  paused: {
    en: "Paused. Customers who text are asked to call {texted}. RESUME switches answers on again.",
    fr: "En pause. Les clients qui écrivent sont priés d'appeler le {texted}. REPRENDRE pour répondre à nouveau.",
  },
  resumed: {
    en: "On again. Customers who text get an answer.",
    fr: "C'est reparti. Les clients qui écrivent ont une réponse.",
  },
  noJobs: { en: "No open jobs.", fr: "Aucune demande en cours." },
  openJobs: { en: "Open jobs:", fr: "Demandes en cours :" },
  andMore: { en: "and {count} more", fr: "et {count} de plus" },
  jobUrgent: { en: "URGENT ", fr: "URGENT " },
  jobAccepted: { en: "(taken) ", fr: "(prise) " },
  jobToday: { en: "(today) ", fr: "(aujourd'hui) " },
  customerAccepted: {
    en: "Good news: {business} has taken your job and will get back to you shortly.",
    fr: "Bonne nouvelle : {business} prend votre demande et revient vers vous très vite.",
  },
  customerAcceptedByOwner: {
    en: "Good news: {owner} from {business} has taken your job and will get back to you shortly.",
    fr: "Bonne nouvelle : {owner} de {business} prend votre demande et revient vers vous très vite.",
  },
  customerDeclined: {
    en: "We're sorry, {business} can't take this job right now. Please try somebody else, so that you are not kept waiting.",
    fr: "Désolés, {business} ne peut pas prendre votre demande pour le moment. Merci de contacter quelqu'un d'autre, pour ne pas perdre de temps.",
  },
} as const satisfies Texts;
