/** A mail about turbines with one attachment, `<about>.txt`, that speaks of `about`. */
export const mailWith = (about: string): string =>
  [
    'From: Ada <ada@example.org>',
    'Subject: The figures',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'The mail itself speaks of turbines. It has an attachment. Please read it.',
    '--b',
    `Content-Type: text/plain; name=${about}.txt`,
    `Content-Disposition: attachment; filename=${about}.txt`,
    '',
    `The attachment speaks of ${about}. It rose by 12 percent. Nothing else did.`,
    '--b--',
    '',
  ].join('\r\n');
