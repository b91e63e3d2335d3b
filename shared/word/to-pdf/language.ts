/** Characters that are examined; later text hardly changes the result. */
const enough = 200_000;

/**
 * BCP 47 tag, which selects the Chinese, Japanese or Korean shapes of characters. Kana means
 * Japanese, Hangul Korean; other Han text is taken for Chinese.
 */
export function languageOf(texts: readonly string[]): string {
  const sample = texts.join(' ').slice(0, enough);
  const count = (pattern: RegExp) => sample.match(pattern)?.length ?? 0;
  const kana = count(/[\u3041-\u30ff]/gu);
  const hangul = count(/[\uac00-\ud7a3]/gu);
  const han = count(/\p{Script=Han}/gu);
  if (kana > 0 && kana * 20 > han) return 'ja';
  if (hangul > han) return 'ko';
  return han > 0 ? 'zh-CN' : 'en';
}

/** Whether there is text in Arabic letters. */
export function hasArabic(texts: readonly string[]): boolean {
  return texts.some((text) => /\p{Script=Arabic}/u.test(text));
}
