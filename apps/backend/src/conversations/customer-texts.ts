export type Locale = "en" | "fr";

/** Every fixed text a customer can get, per locale. The wording is part of the interface. */
export const customerTexts = {
  technicalIssue: {
    en: "We're experiencing a technical issue. Please call us directly or try again in a few minutes. Sorry for the inconvenience!",
    fr: "Nous rencontrons un problème technique. Merci de nous appeler directement ou de réessayer dans quelques minutes. Désolés pour la gêne !",
  },
  holding: {
    en: "Thanks, we have your message and will be back to you shortly.",
    fr: "Merci, nous avons bien reçu votre message et revenons vers vous très vite.",
  },
  deflection: {
    en: "Thanks for your message! We're temporarily unable to answer by text. Please call us on {phone}.",
    fr: "Merci pour votre message ! Nous ne pouvons pas répondre par SMS pour le moment. Merci de nous appeler au {phone}.",
  },
} as const satisfies Record<string, Record<Locale, string>>;
