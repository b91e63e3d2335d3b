/**
 * Numbers in the letters, digits and words of other scripts, as Word writes the labels of lists in them (ECMA-376 part 1, 17.18.59). Each
 * takes a number from 1 and gives `undefined` where the format has none: Word then writes decimals.
 */
type Script = (value: number) => string | undefined;

/** Letters of an alphabet; beyond its end Word repeats them: а, б … я, аа, бб. */
const alphabet =
  (letters: string): Script =>
  (value) => {
    const signs = Array.from(letters);
    const times = Math.ceil(value / signs.length);
    return times > 30 ? undefined : signs[(value - 1) % signs.length]?.repeat(times);
  };

/** A row of signs that ends. */
const row =
  (letters: string): Script =>
  (value) =>
    Array.from(letters)[value - 1];

/** Decimals in other digits. */
const digits =
  (signs: string): Script =>
  (value) =>
    Array.from(String(value), (digit) => Array.from(signs)[Number(digit)]).join('');

const hebrewHundreds = ['', 'ק', 'ר', 'ש', 'ת', 'תק', 'תר', 'תש', 'תת', 'תתק'];
const hebrewTens = ['', 'י', 'כ', 'ל', 'מ', 'נ', 'ס', 'ע', 'פ', 'צ'];
const hebrewOnes = ['', 'א', 'ב', 'ג', 'ד', 'ה', 'ו', 'ז', 'ח', 'ט'];

/** Hebrew numerals; 15 and 16 are written 9 + 6 and 9 + 7. */
function hebrewNumeral(value: number): string | undefined {
  if (value > 999) return undefined;
  const rest = value % 100;
  const low =
    rest === 15
      ? 'טו'
      : rest === 16
        ? 'טז'
        : `${hebrewTens[Math.floor(rest / 10)]}${hebrewOnes[rest % 10]}`;
  return `${hebrewHundreds[Math.floor(value / 100)]}${low}`;
}

const han = '〇一二三四五六七八九';

/** Chinese and Japanese numerals with their places: 十二, 一百二十; below 10,000. */
function hanNumeral(value: number): string | undefined {
  if (value > 9_999) return undefined;
  const places = ['千', '百', '十', ''];
  let text = '';
  let skipped = false;
  for (const [index, place] of places.entries()) {
    const digit = Math.floor(value / 10 ** (3 - index)) % 10;
    if (digit === 0) {
      skipped ||= text !== '' && value % 10 ** (4 - index) !== 0;
      continue;
    }
    if (skipped) text += '〇';
    skipped = false;
    // 10 to 19 begin with the place.
    text +=
      digit === 1 && place === '十' && text === '' ? place : `${Array.from(han)[digit]}${place}`;
  }
  return text;
}

const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = ',,twenty,thirty,forty,fifty,sixty,seventy,eighty,ninety'.split(',');
const irregular: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};

/** English words, as Word writes them whatever the language: one hundred twenty-one. */
function words(value: number): string | undefined {
  if (value > 999_999) return undefined;
  if (value < 20) return small[value];
  if (value < 100) {
    const ones = value % 10 === 0 ? '' : `-${small[value % 10]}`;
    return `${tens[Math.floor(value / 10)]}${ones}`;
  }
  const [unit, name] = value < 1_000 ? [100, 'hundred'] : [1_000, 'thousand'];
  const rest = value % unit === 0 ? '' : ` ${words(value % unit)}`;
  return `${words(Math.floor(value / unit))} ${name}${rest}`;
}

const capital = (text: string | undefined): string | undefined =>
  text && `${text[0]?.toUpperCase()}${text.slice(1)}`;

function ordinalWords(value: number): string | undefined {
  return words(value)?.replace(/[a-z]+$/, (last) => {
    const known = irregular[last];
    return known ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`);
  });
}

const russian = 'абвгдежзиклмнопрстуфхцчшщыэюя';
const aiueo =
  'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン';
const halfWidthAiueo = 'ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝ';
const iroha =
  'イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン';
const halfWidthIroha = 'ｲﾛﾊﾆﾎﾍﾄﾁﾘﾇﾙｦﾜｶﾖﾀﾚｿﾂﾈﾅﾗﾑｳヰﾉｵｸﾔﾏｹﾌｺｴﾃｱｻｷﾕﾒﾐｼヱﾋﾓｾｽﾝ';

/** The formats by the names that `w:numFmt` gives them. */
export const scripts: Readonly<Record<string, Script>> = {
  russianLower: alphabet(russian),
  russianUpper: alphabet(russian.toUpperCase()),
  hebrew1: hebrewNumeral,
  hebrew2: alphabet('אבגדהוזחטיכלמנסעפצקרשת'),
  arabicAlpha: alphabet('أبتثجحخدذرزسشصضطظعغفقكلمنهوي'),
  arabicAbjad: alphabet('أبجدهوزحطيكلمنسعفصقرشتثخذضظغ'),
  chineseCounting: hanNumeral,
  chineseCountingThousand: hanNumeral,
  taiwaneseCounting: hanNumeral,
  taiwaneseCountingThousand: hanNumeral,
  japaneseCounting: hanNumeral,
  ideographDigital: digits(han),
  japaneseDigitalTenThousand: digits(han),
  taiwaneseDigital: digits('○一二三四五六七八九'),
  ideographTraditional: row('甲乙丙丁戊己庚辛壬癸'),
  ideographZodiac: row('子丑寅卯辰巳午未申酉戌亥'),
  aiueo: alphabet(halfWidthAiueo),
  aiueoFullWidth: alphabet(aiueo),
  iroha: alphabet(halfWidthIroha),
  irohaFullWidth: alphabet(iroha),
  ganada: alphabet('가나다라마바사아자차카타파하'),
  chosung: alphabet('ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ'),
  decimalFullWidth: digits('０１２３４５６７８９'),
  decimalFullWidth2: digits('０１２３４５６７８９'),
  decimalEnclosedCircle: row('①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳'),
  decimalEnclosedParen: row('⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇'),
  decimalEnclosedFullstop: row('⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛'),
  thaiNumbers: digits('๐๑๒๓๔๕๖๗๘๙'),
  hindiNumbers: digits('०१२३४५६७८९'),
  cardinalText: (value) => capital(words(value)),
  ordinalText: (value) => capital(ordinalWords(value)),
};
