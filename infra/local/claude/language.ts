/** Guesses the language of a text by its script, or for Latin script by its most common words. */

const scripts: readonly [RegExp, string][] = [
  [/\p{Script=Hiragana}|\p{Script=Katakana}/gu, 'ja'],
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Arabic}/gu, 'ar'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Devanagari}/gu, 'hi'],
  [/\p{Script=Greek}/gu, 'el'],
  [/[іїєґ]/giu, 'uk'],
  [/\p{Script=Cyrillic}/gu, 'ru'],
];

const smallWords: Record<string, string> = {
  en: 'the and of to in is that for with this are was by be on from have not',
  de: 'der die das und ist nicht mit den von ein eine zu auf für im wird sich dem',
  fr: 'le la les des et est une dans pour que qui sur pas du au avec par sont',
  es: 'el los las de y que en es una por con para del se no al como más',
  it: 'il di che è per un una con non sono della gli del nel alla dei anche',
  pt: 'o os as de e que em é uma por com para do da não ao como mais',
  nl: 'de het een van en is dat niet op met voor zijn aan er te bij ook',
  sv: 'och att det som en är på för av med den inte till har ett om',
  da: 'og at det som en er på for af med den ikke til har et om',
  pl: 'i w na z że się nie do jest to o jak przez dla od oraz',
  cs: 'a v na je se že s o do za jako pro není jsou by podle',
  tr: 've bir bu için ile da de olarak olan daha çok gibi ya ise',
  fi: 'ja on ei että se oli joka hän mutta ovat myös kun tai sen',
};

const wordSets = Object.entries(smallWords).map(
  ([tag, words]) => [tag, new Set(words.split(' '))] as const,
);

/** BCP 47 tag of the likely language of `text`; `und` when unclear. */
export function guessLanguage(text: string): string {
  const sample = text.slice(0, 20_000);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return 'und';

  for (const [pattern, tag] of scripts) {
    const found = sample.match(pattern)?.length ?? 0;
    // Japanese is mostly Han characters; Ukrainian shares most letters with Russian.
    const enough = tag === 'ja' || tag === 'uk' ? 0.03 : 0.3;
    if (found / letters >= enough) return tag;
  }

  const scores = new Map<string, number>();
  for (const word of sample.toLowerCase().match(/\p{L}+/gu) ?? []) {
    for (const [tag, words] of wordSets) {
      if (words.has(word)) scores.set(tag, (scores.get(tag) ?? 0) + 1);
    }
  }
  const best = [...scores].sort((a, b) => b[1] - a[1])[0];
  return best === undefined || best[1] < 2 ? 'und' : best[0];
}
