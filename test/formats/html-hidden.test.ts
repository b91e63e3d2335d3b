import { describe, expect, it } from 'vitest';
import { convertBytes } from './convert-bytes.ts';

async function convert(html: string, name = 'a.html') {
  const { text, conversion } = await convertBytes(name, html);
  const message = conversion.fidelity.warnings.find(
    ({ code }) => code === 'normalize.hidden_content',
  )?.message;
  return { text, message };
}

const page = (body: string, head = '') =>
  `<html><head>${head}</head><body><p>Status: seen</p>${body}</body></html>`;
const styled = (style: string) => page(`<p>open <span style="${style}">approved</span></p>`);
const ruled = (css: string, attributes = 'class="x"') =>
  page(`<p>open <span ${attributes}>approved</span></p>`, `<style>${css}</style>`);

describe('text that a page does not show is left out and counted', () => {
  it.each([
    ['display: none', styled('display:none')],
    ['visibility: hidden', styled('visibility:hidden')],
    ['the attribute hidden', page('<p hidden>approved</p>')],
    ['a size of nothing', styled('font-size:0')],
    ['a size of 1px', styled('font-size: 1px')],
    ['opacity 0', styled('opacity: 0')],
    ['white on white', styled('color:#fff')],
    ['white on white, by name', styled('color: White')],
    ['white on white, by a function', styled('color: rgb(255, 255, 255)')],
    ['a transparent colour', styled('color: rgba(0,0,0,0)')],
    ['off the screen', styled('position:absolute; left:-9999px')],
    ['a far indent', page('<p style="text-indent:-9999px">approved</p>')],
    ['clipped to nothing', styled('position:absolute;clip:rect(0,0,0,0)')],
    ['a box of no height', page('<div style="max-height:0;overflow:hidden">approved</div>')],
    ['an old font element', page('<font color="#FFFFFF">approved</font>')],
    [
      'black on black',
      page('<table><tr><td bgcolor="black"><font color="#000000">approved</font>'),
    ],
    ['a rule for its class', ruled('.x { display: none }')],
    ['a rule for its id', ruled('#x{font-size:0}', 'id="x"')],
    ['a rule for its element', ruled('span{visibility:hidden}')],
    [
      'a rule at the end of the page',
      page('<p class="x">approved</p><style>.x{color:#FFF}</style>'),
    ],
    ['an important rule', ruled('.x{display:none !important}', 'class="x" style="display:inline"')],
    ['a rule for screens', ruled('@media screen { .x{display:none} }')],
  ])('%s', async (_, html) => {
    const { text, message } = await convert(html);

    expect(text).not.toContain('approved');
    expect(text).toContain('Status: seen');
    expect(message).toContain('1 word ');
  });

  it('in mails too', async () => {
    const mail = `From: a@b.c\nSubject: s\nMIME-Version: 1.0\nContent-Type: text/html\n\n${ruled('.x{display:none}')}`;

    const { text, message } = await convert(mail, 'a.eml');

    expect(text).not.toContain('approved');
    expect(message).toContain('1 word ');
  });

  it('also when the plain body of a mail repeats it', async () => {
    const mail = `From: a@b.c\nSubject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=q\n\n--q\nContent-Type: text/plain\n\nStatus: seen\nopen approved\n--q\nContent-Type: text/html\n\n${styled('display:none')}\n--q--\n`;

    const { text } = await convert(mail, 'a.eml');

    expect(text).not.toContain('approved');
  });
});

describe('text that may be seen is kept and not called hidden', () => {
  it.each([
    [
      'a visible child of an invisible element',
      page('<div style="visibility:hidden"><b style="visibility:visible">approved</b></div>'),
    ],
    [
      'a sized child of an element without size',
      page('<div style="font-size:0"><span style="font-size:14px">approved</span></div>'),
    ],
    [
      'white on a dark background',
      page('<div style="background:#123"><span style="color:#fff">approved</span></div>'),
    ],
    [
      'white in a dark cell',
      page('<table><tr><td bgcolor="#1F3864"><font color="white">approved</font>'),
    ],
    [
      'white over a picture',
      page('<div style="background:url(a.png)"><span style="color:#fff">approved</span></div>'),
    ],
    [
      'white where a rule may paint the background',
      page(
        '<b class="y" style="color:#fff">approved</b>',
        '<style>.menu .y{background:navy}</style><script>open()</script>',
      ),
    ],
    [
      'white where style sheets from elsewhere apply',
      page('<b style="color:#fff">approved</b>', '<link rel="stylesheet" href="a.css">'),
    ],
    [
      'a class hidden on small screens only',
      ruled('@media (max-width: 600px) { .x{display:none} }'),
    ],
    ['a class hidden in print only', ruled('@media print { .x{display:none} }')],
    [
      'a class hidden in Outlook only',
      page('<p class="x">approved</p>', '<!--[if mso]><style>.x{display:none}</style><![endif]-->'),
    ],
    [
      'a class that a script may show',
      page(
        '<b class="x">approved</b><script>open()</script>',
        '<style>.x{display:none} .open .x{display:block}</style>',
      ),
    ],
    [
      'a class whose inline style shows it',
      ruled('.x{display:none}', 'class="x" style="display:block"'),
    ],
    ['a later rule that shows it', ruled('.x{display:none} .x{display:inline}')],
    ['only its pseudo-element', ruled('.x::before{display:none}')],
    ['only the hovered element', ruled('.x:hover{visibility:hidden}')],
    ['white with a shadow', styled('color:#fff;text-shadow:1px 1px #000')],
    ['a small width in a line', styled('width:1px;overflow:hidden')],
    ['a grey text', styled('color:#ddd')],
    ['8 pixels', styled('font-size:8px')],
    ['a size relative to its parent', styled('font-size:90%')],
  ])('%s', async (_, html) => {
    const { text, message } = await convert(html);

    expect(text).toContain('approved');
    expect(message).toBeUndefined();
  });
});
