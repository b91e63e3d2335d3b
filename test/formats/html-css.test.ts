import { describe, expect, it } from 'vitest';
import { convertBytes } from './convert-bytes.ts';

const raw = String.raw;
const mark = 'approved';
const styled = (style: string) => `<p style="${style}">${mark}</p>`;
const ruled = (css: string, html = `<p class="k">${mark}</p>`) => `<style>${css}</style>${html}`;

async function textOf(body: string): Promise<string> {
  const page = `<!doctype html><html><head><title>t</title></head><body><p>The text that is seen.</p>${body}</body></html>`;
  const { text, conversion } = await convertBytes('a.html', page);
  const isTold = conversion.fidelity.warnings.some(
    ({ code }) => code === 'normalize.hidden_content',
  );
  // What is left out is always told, and nothing else is.
  expect(isTold).toBe(!text.includes(mark));
  expect(text).toContain('The text that is seen.');
  return text;
}

describe('a page shows no text', () => {
  it.each([
    ['an escaped property', styled(raw`\64isplay:none`)],
    ['an escaped value', styled(raw`display:\6eone`)],
    ['an escape of six digits', styled(raw`displa\000079:none`)],
    ['an escaped function', styled(raw`color:rg\62(255,255,255)`)],
    ['an escaped unit', styled(raw`font-size:1p\78`)],
    ['a comment before a property', styled('/*x*/display:none')],
    ['a comment after a property', styled('display/**/:/**/none/**/')],
    ['a comment in a function', styled('color:rgb(/**/255,255,255)')],
    ['a value that browsers drop after one that they take', styled('display:none;display:bogus')],
    ['filter', styled('filter:opacity(0)')],
    ['filter, in percent, after another', styled('filter:brightness(1) opacity(1%)')],
    ['filter: blur', styled('filter:blur(90px)')],
    ['scale', styled('scale:0')],
    ['scale on one axis', styled('scale:1 0')],
    ['transform: scaleX', styled('transform:scaleX(0)')],
    ['transform: rotateY', styled('transform:rotateY(90deg)')],
    ['translate', styled('translate:-9999px')],
    ['translate upwards', styled('translate:0 -200vh')],
    ['translate3d', styled('transform:translate3d(-9999px,0,0)')],
    ['margin', styled('margin:0 0 0 -9999px')],
    ['inset', styled('position:absolute;inset:0 auto auto -9999px')],
    ['clip-path: circle', styled('clip-path:circle(0)')],
    ['clip-path: polygon', styled('clip-path:polygon(0 0,0 0,0 0)')],
    ['a calculated size', styled('font-size:calc(1px * 0)')],
    ['the smaller of two sizes', styled('font-size:min(1px,2em)')],
    ['zoom', styled('zoom:0.05')],
    ['parts of opacity', `<div style="opacity:.2"><p style="opacity:.2">${mark}</p></div>`],
    [
      'a fill that is inherited',
      `<div style="-webkit-text-fill-color:white">${styled('color:red')}`,
    ],
    ['a variable with a fallback', styled('color:var(--none,white)')],
    ['a variable in a variable', styled('--a:var(--b);--b:none;display:var(--a)')],
    ['a variable of an element around', `<div style="--c:#fff">${styled('color:var(--c)')}</div>`],
    ['a variable in a shorthand', styled('--f:0/0 a;font:var(--f)')],
    ['color-mix', styled('color:color-mix(in srgb,white,white)')],
    ['oklch', styled('color:oklch(100% 0 0)')],
    ['lab', styled('color:lab(100 0 0)')],
    ['hwb', styled('color:hwb(0 100% 0%)')],
    ['color()', styled('color:color(srgb 1 1 1)')],
    ['a relative colour', styled('color:rgb(from white r g b)')],
    ['a colour of its background', styled('color:teal;background:currentcolor')],
    ['a colour by name', styled('color:rebeccapurple;background:#639')],
    ['a closed dialog', `<dialog>${mark}</dialog>`],
    ['popover', `<div popover>${mark}</div>`],
    ['an alternative text of a bar', `<progress value="1">${mark}</progress>`],
    ['a rule for an attribute', ruled('[class^=k]{display:none}')],
    ['a rule for an attribute in other case', ruled('[class="K" i]{display:none}')],
    [':not()', ruled('.k:not(.zz,#q){display:none}')],
    [':is()', ruled(':is(.n,p.k){display:none}')],
    [':where()', ruled(':where(.k){display:none}')],
    ['a nested rule', ruled('p{&.k{display:none}}')],
    ['a nested rule without &', ruled('body{.k{display:none}}')],
    ['a nested rule with & behind', ruled('.k{body &{display:none}}')],
    ['declarations after a nested rule', ruled('.k{b{color:red} display:none}')],
    ['a nested @media', ruled('.k{@media screen{display:none}}')],
    ['@layer', ruled('@layer x{.k{display:none}}')],
    [
      'the order of layers',
      ruled('@layer a,b;@layer b{.k{display:none}}@layer a{p.k{display:block}}'),
    ],
    [
      'an important rule of a layer',
      ruled('@layer a{.k{display:none!important}}.k{display:block!important}'),
    ],
    ['@supports', ruled('@supports (display:block){.k{display:none}}')],
    ['@supports not', ruled('@supports not (display:grid){.k{color:red}}.k{display:none}')],
    ['@media for all windows', ruled('@media (min-width:1px){.k{display:none}}')],
    ['@media not print', ruled('@media not print{.k{display:none}}')],
    ['a variable of the root', ruled(':root{--w:none}.k{display:var(--w)}')],
    [
      '@property',
      ruled('@property --w{syntax:"*";inherits:false;initial-value:none}.k{display:var(--w)}'),
    ],
    ['a descendant', ruled('html body .k{display:none}')],
    ['a child', ruled('body>.k{display:none}')],
    ['a sibling', ruled('p+style+.k{display:none}')],
    ['a later sibling', ruled('p~.k{display:none}')],
    ['a place', ruled('p:nth-of-type(2){display:none}')],
    ['a class twice', ruled('.k.k{display:none}')],
    ['an escape in a selector', ruled(raw`.\6b{display:none}`)],
    ['a comment in a selector', ruled('p/**/.k{display:none}')],
    ['a stronger selector', ruled('body .k{display:none}.k{display:block}')],
    ['a rule that would show it elsewhere', ruled('.k{display:none}.open .k{display:block}')],
    ['an unclosed comment in another sheet', `<style>/*</style>${ruled('.k{display:none}')}`],
    ['a rule after one that is broken', ruled('a{b:(} c} )} .k{display:none}')],
    ['white letters on a body in white', ruled('body{background:#fff}.k{color:#fff}')],
  ])('%s', async (_, body) => {
    expect(await textOf(body)).not.toContain(mark);
  });
});

describe('a page shows the text', () => {
  it.each([
    ['a property like another', styled('xdisplay:none')],
    ['what a comment holds', styled('/*display:none*/color:red')],
    ['what a string holds', styled("font-family:'a;display:none'")],
    ['what an escape does not mean', styled(raw`display\;:none`)],
    ['a value that browsers drop', styled('display:nonesuch')],
    ['half its strength', styled('opacity:.5')],
    ['a filter that leaves half', styled('filter:opacity(50%)')],
    ['a filter that turns white to black', styled('color:#fff;filter:invert(1)')],
    ['a blend with what is behind', styled('color:#fff;mix-blend-mode:difference')],
    [
      'what fades in',
      `<style>@keyframes f{to{opacity:1}}</style>${styled('opacity:0;animation:f 1s forwards')}`,
    ],
    ['a scale of a half', styled('scale:.5')],
    ['a small shift', styled('translate:-20px -50%')],
    ['a centred box', styled('position:absolute;left:50%;transform:translate(-50%,-50%)')],
    ['a turn', styled('transform:rotate(90deg)')],
    ['a clip to a half', styled('clip-path:inset(10% 20%)')],
    [
      'a light text on a dark page',
      ruled('body{background:#000;color:#fff}p{color:oklch(100% 0 0)}'),
    ],
    [
      'a dark page by a variable',
      ruled(':root{--bg:#111}body{background:var(--bg)}.k{color:white}'),
    ],
    [
      'a page that is dark by its html',
      ruled('html{background:black;color:silver}.k{color:white}'),
    ],
    [
      'white on a box that a pseudo-element paints',
      ruled('.k::before{background:#000}.k{color:#fff}'),
    ],
    ['a first line in black', ruled('.k{color:#fff}.k::first-line{color:#000}')],
    ['a shadow from around', `<div style="text-shadow:0 0 2px #000">${styled('color:#fff')}</div>`],
    ['a variable that is not set', styled('display:var(--none)')],
    ['a variable in other case', styled('--A:none;display:var(--a)')],
    ['a variable of another element', `<div style="--c:none"></div>${styled('display:var(--c)')}`],
    [
      'variables in a circle',
      styled('--a:var(--b);--b:var(--a);display:var(--a,none)').replace('none', 'block'),
    ],
    ['a colour mixed to grey', styled('color:color-mix(in srgb,white,black)')],
    ['an open dialog', `<dialog open>${mark}</dialog>`],
    ['a dialog that is displayed', ruled('dialog{display:block}', `<dialog>${mark}</dialog>`)],
    ['closed details', `<details><summary>More</summary>${mark}</details>`],
    ['aria-hidden', `<p aria-hidden="true">${mark}</p>`],
    ['another attribute', ruled('[data-x=q]{display:none}')],
    ['a part of a class', ruled('[class~=kk],[class|=kk]{display:none}')],
    [
      ':not() that does not match',
      ruled('p:not(.k){display:none}', `<p class="k">${mark}</p>`).replace('p:not', '.k:not'),
    ],
    [':is() of others', ruled(':is(.a,.b){display:none}')],
    ['an ancestor that there is not', ruled('.none .k{display:none}')],
    ['a child of another', ruled('div>.k{display:none}')],
    [
      'a table row as child of the table',
      ruled('table>tr{display:none}', `<table><tr><td>${mark}</td></tr></table>`),
    ],
    ['a sibling that comes later', ruled('.k~p,.k+p{visibility:visible}h1+.k{display:none}')],
    ['another place', ruled('p:first-of-type.k,p:nth-child(9){display:none}')],
    ['the last place', ruled('.k:last-child{display:none}')],
    [':hover and :has()', ruled('.k:hover,.k:has(b),.k:empty{display:none}')],
    ['a list that browsers drop', ruled('.k,:bogus-thing{display:none}')],
    ['a selector that is broken', ruled('.k,>>{display:none}')],
    ['print', ruled('@media print{.k{display:none}}')],
    ['small windows', ruled('@media (max-width:600px){.k{display:none}}')],
    ['a sheet for print', `<style media="print">.k{display:none}</style><p class="k">${mark}</p>`],
    ['what is not supported', ruled('@supports not (display:block){.k{display:none}}')],
    ['what may not be supported', ruled('@supports (display:bogus){.k{display:none}}')],
    ['a container', ruled('@container (width>1px){.k{display:none}}')],
    ['keyframes', ruled('@keyframes k{from{display:none}}')],
    ['a start', ruled('@starting-style{.k{opacity:0}}')],
    ['a weaker layer', ruled('.k{display:block}@layer a{p.k{display:none}}')],
    ['a weaker selector', ruled('p.k{display:block}.k{display:none}')],
    ['a nested rule for others', ruled('.k{.z{display:none} &.z{display:none}}')],
    ['all: initial', ruled('.k{display:none}p.k{all:initial}')],
    ['a large root', ruled('html{font-size:20px}.k{font-size:.5rem}')],
    ['a root of small text', ruled('html{font-size:1000%}.k{font-size:.1rem}')],
  ])('%s', async (_, body) => {
    expect(await textOf(body)).toContain(mark);
  });
});

describe('a page shows no text, in other ways', () => {
  it.each([
    '<style>.k{opacity:var(--x,0)}</style><p class=k>approved</p>',
    '<style>.k{color:rgb(100% 100% 100%/1)}</style><p class=k>approved</p>',
    '<style>.k{color:hsl(none 0% 100%)}</style><p class=k>approved</p>',
    '<style>.k{font:1px/1 serif}</style><p class=k>approved</p>',
    '<style>.k{font:italic 700 1px serif}</style><p class=k>approved</p>',
    '<style>p:nth-child(n+2){display:none}</style><p>approved</p>',
    '<style>@layer{.k{display:none}}</style><p class=k>approved</p>',
    '<style>@media screen,print{.k{display:none}}</style><p class=k>approved</p>',
    '<style>@supports (display:grid) and (color:red){.k{display:none}}</style><p class=k>approved</p>',
    '<style>@media screen and (min-width:0){.k{display:none}}</style><p class=k>approved</p>',
    '<style>@media (width>=0px){.k{display:none}}</style><p class=k>approved</p>',
    '<STYLE TYPE="text/css">.k{display:none}</STYLE><p class=k>approved</p>',
    '<style><!-- .k{display:none} --></style><p class=k>approved</p>',
    '<svg><style>.k{display:none}</style></svg><p class=k>approved</p>',
    '<p style="display:none!important">approved</p>',
    '<p style="display : none ! important">approved</p>',
    '<p style="all:unset;display:none">approved</p>',
    '<p style="content-visibility:hidden">approved</p>',
    '<p style="color:#fffe">approved</p>',
    '<p style="color:#ffffff00">approved</p>',
    '<p style="color:rgba(0 0 0/0%)">approved</p>',
    '<p style="color:light-dark(white,white)">approved</p>',

    '<p style="color:Canvas">approved</p>',
    '<p style="transform:scale(0)">approved</p>',
    '<p style="transform:scale(0.001)">approved</p>',
    '<p style="transform:translateX(-100vw) translateX(-9999px)">approved</p>',
    '<p style="transform:translateY(calc(-1 * 9999px))">approved</p>',
    '<p style="position:fixed;left:-100vw">approved</p>',
    '<p style="position:absolute;right:9999px">approved</p>',
    '<p style="overflow:hidden;height:0">approved</p>',
    '<p style="overflow:clip;block-size:0">approved</p>',
    '<p style="overflow:hidden;line-height:0">approved</p>',
    '<p style="font-size:.01vw">approved</p>',
    '<p style="font-size:0%">approved</p>',
    '<p style="clip-path:inset(100%)">approved</p>',
    '<p style="clip-path:inset(0 0 100% 0)">approved</p>',
    '<p style="clip-path:rect(0 0 0 0)">approved</p>',
    '<p style="clip-path:path(\'\')">approved</p>',
    '<p style="clip-path:path(\'M0 0\')">approved</p>',
    '<p style="mask:linear-gradient(transparent,transparent)">approved</p>',
    '<p style="mask-image:linear-gradient(#0000,#0000)">approved</p>',
    '<style>.K{display:none}</style><p class=K>approved</p>',
    '<style>.k{display:none}.p:hover .k{display:block}</style><p class=k>approved</p>',
    '<style>.k{color:#fff}.k::selection{color:#000}</style><p class=k>approved</p>',

    '<style>:root:not(#x) .k{display:none}</style><p class=k>approved</p>',

    '<style>*{--c:#fff}.k{color:var( --c )}</style><p class=k>approved</p>',
    '<style>.k{color:VAR(--c,#fff)}</style><p class=k>approved</p>',
    '<div style="color:white"><span style="color:inherit">approved</span></div>',
    '<a href=x style="color:white">approved</a>',
    '<mark style="background:yellow;color:yellow">approved</mark>',
    '<p style="font-size-adjust:0">approved</p>',
    '<p style="width:0;height:0;overflow:hidden">approved</p>',
    '<p style="position:relative;inset-inline-start:-9999px">approved</p>',
    '<p style="text-indent:-9999px">approved</p>',
    '<p style="letter-spacing:-9999px">approved</p>',
    '<p style="-webkit-mask:linear-gradient(#0000,#0000)">approved</p>',
    '<font color=white>approved</font>',
    '<style>.k{display:none;}</style ><p class=k>approved</p>',
    '<style>.\\k{display:none}</style><p class=k>approved</p>',
    '<p style="display:none&#59;">approved</p>',
    '<p style="display&colon;none">approved</p>',
    raw`<p style="display:n\6f\6e\65">approved</p>`,
  ])('%s', async (body) => {
    expect(await textOf(body)).not.toContain(mark);
  });
});

describe('a page shows the text of look-alikes', () => {
  it.each([
    '<p style="color:rgba(0,0,0,.2)">approved</p>',
    '<p style="color:#fff8;background:#000">approved</p>',
    '<div style="background:rgba(0,0,0,.8)"><p style="color:#fffd">approved</p></div>',
    '<p style="mask-image:linear-gradient(to right,#000,transparent)">approved</p>',
    '<p style="mask-image:url(a.png)">approved</p>',
    '<p style="clip-path:path(\'M0 0L9 9\')">approved</p>',
    '<p style="clip-path:rect(0 100px 100px 0)">approved</p>',
    '<p style="clip-path:xywh(0 0 100% 50%)">approved</p>',
    '<p style="font-size:2vw">approved</p>',
    '<p style="overflow:hidden;line-height:0;height:40px">approved</p>',
    '<p style="overflow:hidden;line-height:0;padding:9px">approved</p>',
    '<style>@media (width>=900px){.k{display:none}}</style><p class=k>approved</p>',
    '<style>@media (width<600px){.k{display:none}}</style><p class=k>approved</p>',
    '<p style="transform:translateY(calc(-1 * 9px))">approved</p>',
    '<p style="transform:translate(-50%, calc(-50% - 10px)) scale(1)">approved</p>',
    '<p style="transform:scale(1,-1)">approved</p>',
    '<p style="font:bold 12px/1.5 Arial">approved</p>',
    '<p style="font:400 1rem/1 x">approved</p>',
    '<p style="background:#fff url(x.png) no-repeat;color:#fff">approved</p>',
    '<p style="color:#fff;background:linear-gradient(red,blue)">approved</p>',
    '<p style="color:#fff;background:navy">approved</p>',
    '<table bgcolor=black><tr><td><font color=white>approved</font></td></tr></table>',
    '<style>.b{background:#036}.b a{color:#fff}</style><div class=b><a href=x>approved</a></div>',
    '<style>.k{opacity:0}.k.in{opacity:1}</style><script>1</script><p class="k in">approved</p>',
    '<style>body{--x:0}.k{opacity:calc(1 - var(--x))}</style><p class=k>approved</p>',
    '<p style="margin:-20px 0 0 -20px">approved</p>',
    '<p style="letter-spacing:-.02em">approved</p>',
    '<p style="max-height:none;overflow:hidden">approved</p>',
    '<p style="overflow:hidden;width:100%;height:auto">approved</p>',
    '<p style="overflow:hidden;height:0;padding-top:40px">approved</p>',
    '<style>.k{display:none}.p:hover .k{display:block}</style><div class=p><p class=k>approved</p></div>',
  ])('%s', async (body) => {
    expect(await textOf(body)).toContain(mark);
  });
});

describe('a page that would take long', () => {
  it.each([
    ['nested blocks', `<style>${'a{'.repeat(100_000)}</style>`],
    ['nested parentheses', `<style>${':not('.repeat(50_000)}</style>`],
    ['nested selectors', `<style>${'&,&{'.repeat(30)}color:red</style>`],
    [
      'descendants',
      `<style>${'div '.repeat(40)}.z u{color:red}</style>${'<div>'.repeat(150)}<u>x</u>`,
    ],
    [
      'variables that double',
      `<style>:root{${Array.from({ length: 40 }, (_, n) => `--v${n + 1}:var(--v${n})var(--v${n});`).join('')}--v0:xx}p{color:var(--v40)}</style>`,
    ],
    ['nested functions', `<p style="color:${'rgb('.repeat(50_000)}">x</p>`],
    ['nested calculations', `<p style="font-size:${'calc('.repeat(5_000)}">x</p>`],
  ])('%s', async (_, body) => {
    const start = performance.now();

    await convertBytes('a.html', `<p>seen</p>${body}`);

    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
