/** A family of the fonts that come with the install, of `@expo-google-fonts/<package>`. */
export interface Family {
  package: string;
  name: string;
  faces: readonly string[];
  /** Typefaces that it replaces, by lower-case name. */
  standsFor?: readonly string[];
}

const fourFaces = ['400Regular', '400Regular_Italic', '700Bold', '700Bold_Italic'];
const twoFaces = ['400Regular', '700Bold'];
const oneFace = ['400Regular'];

/**
 * TTF files, because fontconfig cannot read the WOFF2 of other npm packages. Carlito, Caladea, Arimo,
 * Tinos and Cousine have the metrics of Microsoft's typefaces, so that lines break at the same places.
 * The large CJK fonts come in one weight; the browser synthesizes bold.
 */
export const families: readonly Family[] = [
  {
    package: 'arimo',
    name: 'Arimo',
    faces: fourFaces,
    standsFor: [
      'arial',
      'helvetica',
      'helvetica neue',
      'liberation sans',
      'sans-serif',
      'arial unicode ms',
    ],
  },
  {
    package: 'carlito',
    name: 'Carlito',
    faces: fourFaces,
    standsFor: [
      'calibri',
      'calibri light',
      'aptos',
      'aptos display',
      'candara',
      'corbel',
      'segoe ui',
    ],
  },
  { package: 'caladea', name: 'Caladea', faces: fourFaces, standsFor: ['cambria', 'constantia'] },
  {
    package: 'tinos',
    name: 'Tinos',
    faces: fourFaces,
    standsFor: ['times new roman', 'times', 'liberation serif', 'serif', 'georgia', 'garamond'],
  },
  {
    package: 'cousine',
    name: 'Cousine',
    faces: fourFaces,
    standsFor: [
      'courier new',
      'courier',
      'liberation mono',
      'consolas',
      'monospace',
      'lucida console',
    ],
  },
  {
    package: 'noto-sans',
    name: 'Noto Sans',
    faces: fourFaces,
    standsFor: ['verdana', 'tahoma', 'trebuchet ms', 'lucida sans unicode'],
  },
  {
    package: 'noto-sans-sc',
    name: 'Noto Sans SC',
    faces: oneFace,
    standsFor: [
      'simsun',
      '宋体',
      'nsimsun',
      '新宋体',
      'simhei',
      '黑体',
      'microsoft yahei',
      '微软雅黑',
      'dengxian',
      '等线',
      'kaiti',
      '楷体',
      'fangsong',
      '仿宋',
      'pmingliu',
      '新細明體',
      'mingliu',
      '細明體',
      'dfkai-sb',
      '標楷體',
      'microsoft jhenghei',
      '微軟正黑體',
    ],
  },
  {
    package: 'noto-sans-jp',
    name: 'Noto Sans JP',
    faces: oneFace,
    standsFor: [
      'ms mincho',
      'ｍｓ 明朝',
      'ms pmincho',
      'ｍｓ ｐ明朝',
      'ms gothic',
      'ｍｓ ゴシック',
      'ms pgothic',
      'ｍｓ ｐゴシック',
      'yu mincho',
      '游明朝',
      'yu gothic',
      '游ゴシック',
      'meiryo',
      'メイリオ',
      'hgmarugothicmpro',
    ],
  },
  {
    package: 'noto-sans-kr',
    name: 'Noto Sans KR',
    faces: oneFace,
    standsFor: [
      'malgun gothic',
      '맑은 고딕',
      'batang',
      '바탕',
      'batangche',
      '바탕체',
      'gulim',
      '굴림',
      'dotum',
      '돋움',
    ],
  },
  {
    // Not Noto's Arabic: its letters are drawn in pieces (a stem, its dots), and programs read the
    // pieces back from the PDF. With Amiri every word comes back.
    package: 'amiri',
    name: 'Amiri',
    faces: fourFaces,
    standsFor: ['traditional arabic', 'simplified arabic', 'arabic typesetting', 'sakkal majalla'],
  },
  {
    package: 'noto-sans-hebrew',
    name: 'Noto Sans Hebrew',
    faces: twoFaces,
    standsFor: ['david', 'miriam'],
  },
  {
    package: 'noto-sans-thai',
    name: 'Noto Sans Thai',
    faces: twoFaces,
    standsFor: ['angsana new', 'cordia new', 'browallia new', 'th sarabun new', 'leelawadee'],
  },
  {
    package: 'noto-sans-devanagari',
    name: 'Noto Sans Devanagari',
    faces: twoFaces,
    standsFor: ['mangal', 'nirmala ui', 'kokila', 'aparajita'],
  },
  { package: 'noto-sans-bengali', name: 'Noto Sans Bengali', faces: oneFace },
  { package: 'noto-sans-gujarati', name: 'Noto Sans Gujarati', faces: oneFace },
  { package: 'noto-sans-gurmukhi', name: 'Noto Sans Gurmukhi', faces: oneFace },
  { package: 'noto-sans-kannada', name: 'Noto Sans Kannada', faces: oneFace },
  { package: 'noto-sans-malayalam', name: 'Noto Sans Malayalam', faces: oneFace },
  { package: 'noto-sans-tamil', name: 'Noto Sans Tamil', faces: oneFace },
  { package: 'noto-sans-telugu', name: 'Noto Sans Telugu', faces: oneFace },
  { package: 'noto-sans-sinhala', name: 'Noto Sans Sinhala', faces: oneFace },
  { package: 'noto-sans-khmer', name: 'Noto Sans Khmer', faces: oneFace },
  { package: 'noto-sans-lao', name: 'Noto Sans Lao', faces: oneFace },
  { package: 'noto-sans-myanmar', name: 'Noto Sans Myanmar', faces: oneFace },
  { package: 'noto-sans-georgian', name: 'Noto Sans Georgian', faces: oneFace },
  { package: 'noto-sans-armenian', name: 'Noto Sans Armenian', faces: oneFace },
  { package: 'noto-sans-ethiopic', name: 'Noto Sans Ethiopic', faces: oneFace },
  { package: 'noto-emoji', name: 'Noto Emoji', faces: oneFace },
  { package: 'noto-sans-symbols', name: 'Noto Sans Symbols', faces: oneFace },
  { package: 'noto-sans-symbols-2', name: 'Noto Sans Symbols 2', faces: oneFace },
  {
    package: 'noto-sans-math',
    name: 'Noto Sans Math',
    faces: oneFace,
    standsFor: ['cambria math', 'math'],
  },
];
