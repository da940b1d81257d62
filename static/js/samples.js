/** A sentence to begin with, in each language that can be spoken. */

export const SAMPLES = {
  ru: "Здравствуйте! Меня зовут Сойле. Напишите любой текст, и я произнесу его вслух.",
  kk: "Сәлеметсіз бе! Менің атым Сөйле. Кез келген мәтінді жазыңыз, мен оны дауыстап айтып беремін.",
  en: "Hello! My name is Soyle. Write any text you like, and I will say it out loud.",
};
