import type { Texts } from "./fill.ts";

/**
 * Every fixed text a customer can get, and what a caller hears. The wording is part of the interface.
 * French avoids ê, ç and the like where it can: they are not in GSM-7 and more than double the price.
 */
export const customerTexts = {
  failsafe: {
    en: "We missed your call. Please reply with details about the job you need help with and we'll get back to you shortly.",
    fr: "Nous avons manqué votre appel. Merci de répondre en décrivant les travaux dont vous avez besoin : nous vous recontacterons très vite.",
  },
  missedCall: {
    en: "Sorry we missed your call, this is {business}. What do you need help with, and when would suit you? Just reply to this text.",
    fr: "Désolés d'avoir manqué votre appel, ici {business}. De quoi avez-vous besoin, et pour quand ? Il suffit de répondre à ce SMS.",
  },
  technicalIssue: {
    en: "We're experiencing a technical issue. Please call us directly or try again in a few minutes. Sorry for the inconvenience!",
    fr: "Nous rencontrons un problème technique. Merci de nous appeler directement ou de réessayer dans quelques minutes. Désolés pour ce désagrément !",
  },
  deflection: {
    en: "Thanks for your message! We're temporarily unable to answer by text. Please call us on {phone}.",
    fr: "Merci pour votre message ! Nous ne pouvons pas répondre par SMS pour le moment. Merci de nous appeler au {phone}.",
  },
  holding: {
    en: "Thanks, we have your message and will be back to you shortly.",
    fr: "Merci, votre message est bien arrivé et nous revenons vers vous très vite.",
  },
  quotaExceeded: {
    en: "⚠️ This service has reached its message limit for this month. We can't reply right now. Please try again next month or contact the administrator. Thank you for your understanding.",
    fr: "⚠️ Ce service a atteint sa limite de messages pour ce mois. Nous ne pouvons pas répondre pour l'instant. Veuillez réessayer le mois prochain ou contacter l'administrateur. Merci de votre compréhension.",
  },
  dailyQuotaExceeded: {
    en: "Sorry, this service has reached its limit for today and can't reply. Please try again tomorrow or contact the administrator. Thank you for your understanding.",
    fr: "Désolés, ce service a atteint sa limite pour aujourd'hui. Veuillez réessayer demain ou contacter l'administrateur. Merci de votre compréhension.",
  },
  rateLimited: {
    en: "⚠️ Too many messages in a short time. Please try again in a few moments.",
    fr: "⚠️ Trop de messages en peu de temps. Merci de réessayer dans quelques instants.",
  },
  optOutConfirmation: {
    en: "You will get no more texts from {business}. If you change your mind, reply START.",
    fr: "Vous ne recevrez plus de messages de {business}. Si vous changez d'avis, répondez START.",
  },
  optInConfirmation: {
    en: "You will get messages from {business} again. What can we do for you?",
    fr: "Vous recevrez à nouveau les messages de {business}. Que pouvons-nous faire pour vous ?",
  },
  spokenNotice: {
    en: "Thank you for calling {business}. Nobody can take your call right now. Please reply to our text message and tell us what you need, and when. Goodbye.",
    fr: "Merci d'avoir appelé {business}. Personne ne peut prendre votre appel pour le moment. Répondez à notre SMS en nous disant ce dont vous avez besoin, et pour quand. Au revoir.",
  },
  spokenSystem: {
    en: "Thank you for calling. Nobody can take your call right now. Please reply to our text message and tell us what you need. Goodbye.",
    fr: "Merci de votre appel. Personne ne peut vous répondre pour le moment. Répondez à notre SMS en nous disant ce dont vous avez besoin. Au revoir.",
  },
  spokenOnboarding: {
    en: "Thank you for calling. To set up your business, please send a text message to this number. Goodbye.",
    fr: "Merci de votre appel. Pour inscrire votre entreprise, envoyez un SMS à ce numéro. Au revoir.",
  },
} as const satisfies Texts;
