import type { Texts } from "./fill.ts";

/**
 * Every text that a person gets who signs up. What must not be lost comes first: a long business
 * name may cut a text's end off.
 *
 * "**61*number#" registers a number for calls that are not answered (3GPP TS 22.030, 22.082); "*61*"
 * is what landlines of most operators take.
 */
export const onboardingTexts = {
  welcome: {
    en: "Welcome to JobRun! We text back the callers you miss. A few short questions and you are live. Reply HELP at any time.",
    fr: "Bienvenue chez JobRun ! Nous répondons par SMS aux appels que vous manquez. Quelques questions et tout est en place. Répondez AIDE à tout moment.",
  },
  askTradeAndPlace: {
    en: "What is your trade, and where do you work? For example: plumber, Leeds",
    fr: "Quel est votre métier, et où travaillez-vous ? Par exemple : plombier, Lyon",
  },
  needTradeAndPlace: {
    en: "Sorry, we need both, with a comma in between.",
    fr: "Désolés, il nous faut les deux, avec une virgule entre les deux.",
  },
  askBusinessName: {
    en: "What is your business called? Your customers will see this name.",
    fr: "Quel est le nom de votre entreprise ? Vos clients verront ce nom.",
  },
  askOwnerName: {
    en: "And what is your own name?",
    fr: "Et vous, comment vous appelez-vous ?",
  },
  needName: {
    en: "Sorry, we cannot use that as a name. It should be short, with letters in it.",
    fr: "Désolés, ce nom ne convient pas. Il doit comporter des lettres et rester court.",
  },
  askAlertPhone: {
    en: "Which mobile should get your urgent jobs? Text its number, or SAME for this phone.",
    fr: "Quel mobile doit recevoir vos demandes urgentes ? Envoyez son numéro, ou IDEM pour ce téléphone.",
  },
  needPhone: {
    en: "Sorry, that is not a number we can text. With its country code it looks like +44 7700 900123.",
    fr: "Désolés, nous ne pouvons pas écrire à ce numéro. Avec son indicatif, il ressemble à +33 6 39 98 00 00.",
  },
  askConfirm: {
    en: "Reply YES if this is right, BACK to correct it.\nBusiness: {business}\nTrade: {trade}, {place}\nYour name: {owner}\nUrgent jobs to: {phone}",
    fr: "Répondez OUI si tout est juste, RETOUR pour corriger.\nEntreprise : {business}\nMétier : {trade}, {place}\nVotre nom : {owner}\nUrgences au : {phone}",
  },
  waitingForNumber: {
    en: "Thank you! All our numbers are in use right now. We have your details and text you as soon as your number is ready: nothing to do for you.",
    fr: "Merci ! Tous nos numéros sont pris en ce moment. Vos réponses sont gardées et nous vous écrivons quand votre numéro est libre : rien à faire de votre part.",
  },
  numberReady: {
    en: "Good news: your number is ready.",
    fr: "Bonne nouvelle : votre numéro est disponible.",
  },
  askPhoneType: {
    en: "Your JobRun number is {number}. Which phone do your customers call? Reply 1 for an iPhone, 2 for Android, 3 for a landline.",
    fr: "Votre numéro JobRun est le {number}. Quel téléphone vos clients appellent-ils ? Répondez 1 pour un iPhone, 2 pour Android, 3 pour un fixe.",
  },
  forwardingIphone: {
    en: "Now send us the calls you miss. On that iPhone open Phone, then Keypad, dial **61*{number}# and press call. It says that it worked. Then reply DONE. (Call Forwarding in Settings would send us every call.)",
    fr: "Transférez-nous les appels manqués. Sur cet iPhone, ouvrez Téléphone, Clavier, composez **61*{number}# et appelez. Une confirmation s'affiche. Répondez ensuite FAIT. (Le renvoi des Réglages transfère tous les appels.)",
  },
  forwardingAndroid: {
    en: "Now send us the calls you miss. On that phone open the Phone app, dial **61*{number}# and press call. It says that it worked. Then reply DONE. (Or: Phone, Settings, Calls, Call forwarding, When unanswered.)",
    fr: "Transférez-nous les appels manqués. Sur ce téléphone, ouvrez Téléphone, composez **61*{number}# et appelez. Une confirmation s'affiche. Répondez ensuite FAIT. (Ou : Paramètres d'appel, Transfert d'appel, Si pas de réponse.)",
  },
  forwardingLandline: {
    en: "Now send us the calls you miss. On the landline dial *61*{landline}# and wait until you hear that it worked. If not, ask your provider to forward unanswered calls to {number}. Then reply DONE.",
    fr: "Transférez-nous les appels manqués. Sur le fixe, composez *61*{landline}# et attendez la confirmation. Sinon, demandez à votre opérateur le renvoi sur non-réponse vers le {number}. Répondez ensuite FAIT.",
  },
  askTestCall: {
    en: "Last step, a test: call your business from another phone and let it ring without answering. We see the call and text you that you are live.",
    fr: "Dernière étape, un essai : appelez votre entreprise d'un autre téléphone et laissez sonner sans répondre. Nous voyons l'appel et vous confirmons par SMS.",
  },
  noCallYet: {
    en: "We have not seen your test call yet.",
    fr: "Nous n'avons pas encore vu votre appel d'essai.",
  },
  live: {
    en: "Your test call arrived: you are live! {number} now texts back everyone whose call you miss. Urgent jobs go to {phone}; from there text HELP to {number} to see what you can do.",
    fr: "Votre appel d'essai est arrivé : tout fonctionne ! Le {number} écrit désormais à ceux dont vous manquez l'appel. Les urgences vont au {phone} : de là, envoyez AIDE au {number} pour voir les commandes.",
  },
  complete: {
    en: "You are signed up and live with {number}. From {phone}, text HELP to it to see what you can do.",
    fr: "Votre inscription est terminée, votre numéro est le {number}. Du {phone}, envoyez-lui AIDE pour voir les commandes.",
  },
  completeWithoutNumber: {
    en: "You are signed up, but have no number at the moment. Please contact the person who invited you.",
    fr: "Votre inscription est terminée, mais vous n'avez pas de numéro en ce moment. Contactez la personne qui vous a invité.",
  },
  help: {
    en: "Just answer the question. BACK: the one before. RESTART: begin again. STATUS: where you are. STOP: no more texts.",
    fr: "Répondez simplement à la question. RETOUR : la précédente. RECOMMENCER : depuis le début. STATUT : où en suis-je. STOP : plus de SMS.",
  },
  status: {
    en: "Step {step} of {steps}.",
    fr: "Étape {step} sur {steps}.",
  },
  nothingBefore: {
    en: "There is no question before this one.",
    fr: "Il n'y a pas de question avant celle-ci.",
  },
  restarted: {
    en: "Let's begin again.",
    fr: "Recommencez depuis le début.",
  },
  notUnderstood: {
    en: "Sorry, we did not understand that.",
    fr: "Désolés, nous n'avons pas compris.",
  },
  stopped: {
    en: "You get no more texts from us. If you change your mind, reply START.",
    fr: "Vous ne recevrez plus de SMS de notre part. Si vous changez d'avis, répondez START.",
  },
  reminder: {
    en: "Still there? Your sign-up waits for you.",
    fr: "Toujours là ? Votre inscription vous attend.",
  },
} as const satisfies Texts;
