import type { AssistantContext } from "./assistant.ts";

/** What the scripted assistant can say. `name` is the business's. Every combination stays within 480 characters. */
export interface ScriptedTexts {
  questions: { what: string; where: string; when: string };
  danger: string;
  emergency(name: string): string;
  greeting(name: string): string;
  noted: string;
  complete(name: string): string;
  added(name: string): string;
  thanks(name: string): string;
  media: string;
  wordless: string;
  question(name: string): string;
  offTopic(name: string): string;
  complaint(name: string): string;
  cancellation(name: string): string;
  human(name: string): string;
}

export const scriptedTexts: Record<AssistantContext["business"]["locale"], ScriptedTexts> = {
  en: {
    questions: {
      what: "What do you need help with?",
      where: "What is the address or postcode?",
      when: "When would you like someone to come?",
    },
    danger: "If there is danger, leave now and call the emergency services.",
    emergency: (name) => `This sounds urgent, we are passing it on to ${name}.`,
    greeting: (name) => `Hello, thank you for contacting ${name}.`,
    noted: "Thank you, we have noted that.",
    complete: (name) => `Thank you. ${name} has your request and will get back to you shortly.`,
    added: (name) => `Thank you, we are passing that on to ${name} too.`,
    thanks: (name) => `You're welcome! Text ${name} here whenever you need anything else.`,
    media: "Thank you for the picture or file.",
    wordless: "Thank you for your message.",
    question: (name) => `Thank you for asking, we are passing your question on to ${name}.`,
    offTopic: (name) => `We can only help with the work of ${name} here.`,
    complaint: (name) =>
      `We are sorry to hear that. ${name} will see your message and reply to you.`,
    cancellation: (name) => `Understood, we are letting ${name} know that you want to cancel.`,
    human: (name) => `Of course, we are asking ${name} to contact you personally.`,
  },
  fr: {
    questions: {
      what: "De quoi avez-vous besoin ?",
      where: "Quelle est l'adresse ou le code postal ?",
      when: "Quand souhaitez-vous que l'on passe ?",
    },
    danger: "En cas de danger, sortez tout de suite et appelez les secours (112).",
    emergency: (name) => `Cela semble urgent, nous transmettons à ${name}.`,
    greeting: (name) => `Bonjour, merci de contacter ${name}.`,
    noted: "Merci, c'est noté.",
    complete: (name) => `Merci. ${name} a bien votre demande et vous répondra sous peu.`,
    added: (name) => `Merci, nous transmettons cela aussi à ${name}.`,
    thanks: (name) => `Avec plaisir ! Écrivez ici à ${name} si besoin.`,
    media: "Merci pour la photo ou le fichier.",
    wordless: "Merci pour votre message.",
    question: (name) => `Merci, nous transmettons votre question à ${name}.`,
    offTopic: (name) => `Ici, nous pouvons seulement aider pour les services de ${name}.`,
    complaint: (name) => `Nous en sommes désolés. ${name} verra votre message et vous répondra.`,
    cancellation: (name) => `Entendu, nous prévenons ${name} que vous souhaitez annuler.`,
    human: (name) => `Entendu, nous demandons à ${name} de vous contacter personnellement.`,
  },
};

export type Question = keyof ScriptedTexts["questions"];

/** Which question a text of ours ended with, in either language. */
export function questionAsked(text: string): Question | null {
  for (const { questions } of Object.values(scriptedTexts)) {
    for (const key of ["what", "where", "when"] as const) {
      if (text.trimEnd().endsWith(questions[key])) return key;
    }
  }
  return null;
}
